# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong on a command line is said at once (F4, F11, F13, F22, F23)."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.check import check
from pri_lab.core import cache, errors
from pri_lab.core.errors import EXIT_ABORT, EXIT_USAGE
from pri_lab.explore import hit
from pri_lab.inputs import names
from pri_lab.machine import ready

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class Front(unittest.TestCase):
    """The command line, as a user has it, with an empty cache."""

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        env = mock.patch.dict(os.environ, XDG_CACHE_HOME=d.name)
        env.start()
        self.addCleanup(env.stop)

    def main(self, *argv):
        """(status, what was said); building anything is an error."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), \
                contextlib.redirect_stderr(err), \
                mock.patch.object(ready, 'tools', side_effect=AssertionError(
                    'something was built')), \
                mock.patch('pri_lab.core.proc.install_signal_handlers'):
            try:
                status = cli.main(list(argv), REPO)
            except SystemExit as e:         # argparse
                status = e.code
        return status, out.getvalue() + err.getvalue()


class Pages(Front):
    """`explore --report` builds nothing, and wants nothing but hits."""

    def test_none_and_one(self):
        status, said = self.main('explore', '--report')
        self.assertEqual(status, 3, said)
        self.assertIn('there are no hits yet', said)
        work = cache.Paths(REPO).work
        one = hit.Hit(dict(
            scenario='two-binds', kernel='7.3', sign='WARNING in f',
            plan='order=0123', points=[], key='k', text=['WARNING: x']))
        path = one.store(os.path.join(work, 'explore', 'x', 'hits'))
        status, said = self.main('explore', '--report')
        self.assertEqual(status, 0, said)
        page = os.path.join(work, 'explore', 'report', 'WARNING-in-f.md')
        self.assertIn(page, said)
        with open(page, encoding='utf-8') as f:
            text = f.read()
        self.assertIn(f'./pri-lab repro {path}\n', text)


class Wrong(Front):
    CASES = (
        ('run', 'nosuch'), ('check', 'nosuch'),
        ('repro', 'O-A', '--kernel', '/nonexistent'),
        ('repro', 'O-A', '--kernel', 'nosuch'),
        ('repro', 'O-A', '--kernel', '7.3+NOPE'),
        ('repro', 'O-A', '--kernel', '7.3/nosuch'),
        ('repro', 'O-A', '--kernel', '7.3,nosuch'),
        ('repro', 'O-A', '--config', '/nonexistent'),
        ('repro', 'nosuch'), ('repro', 'O-A', '--runs', '0', '--cold', '0'),
        ('repro', '--runs', '3'), ('repro', '--resume'),
        ('repro', 'O-A', '--runs', '5', '--record'),
        ('explore', 'groups', '--order', 'zzz'), ('explore', 'nosuch'),
        ('explore', '--runs', '3'),
        ('run', '--args', 'nosuch'),
        ('run', 'sva-basic', '--args', 'write,nosuch'),
        ('run', '--kernel', '7.3,6.12'), ('run', '--kernel', '7.3+NOPE'),
        ('run', '--junit', '/nonexistent/x.xml'),
        ('run', '--add', '/nonexistent'),
        ('check', '--kernel', '7.3,nosuch'),
        ('build', '--qemu-src', '/nonexistent'),
        ('bench', 'nosuch'), ('kernel', 'build', 'nosuch'),
        ('kernel', 'build', '7.3', '--config', '/nonexistent'),
        ('timeline', '/nonexistent'), ('shell', '--kernel', 'nosuch'),
        ('qemu', '--job', 'nosuch'),
        # options that the command has no use for
        ('timeline', 'x', '--kernel', '7.3'), ('--accel', 'tcg', 'clean'),
        ('package', '--kernel', '7.3'), ('run', '--jobs', '0'),
        ('clean', '--qemu-src', '/'), ('clean', '--results'), ('nonsense',),
        ('repro', 'O-A', '--list'), ('explore', '--all', '--list'),
        # a name, a number, a file or a word that is none
        ('run', '--recrod'), ('run', 'sva-basic', 'dma-api'),
        ('resets', '--timeout', '-3'), ('repro', '--new', ''),
        ('explore', '--new', 'A b'), ('completion', 'tcsh'),
        ('explore', 'queue-close', '--plan', 'foo'),
        ('explore', 'queue-close', '--shrink'),
        ('kernel', 'build', REPO), ('kernel', 'frob'),
        ('package', '--output', '/nonexistent/a/b'),
        ('repro', '/nonexistent.c'), ('repro', '/nonexistent.hit'),
        ('repro', os.path.join(REPO, 'pri-lab.hit')),
        ('timeline', os.path.join(REPO, 'README.md')),
        ('timeline', os.path.join(REPO, 'docs')))

    def test_it_is_2_and_nothing_is_built(self):
        for argv in self.CASES:
            status, said = self.main(*argv)
            self.assertEqual(status, EXIT_USAGE, (argv, said))
            self.assertNotIn('Traceback', said)
            self.assertEqual(os.listdir(self.dir), [], argv)

    def test_milliseconds(self):
        """Of the CPU's time: a busy machine changes nothing."""
        start = time.process_time()
        for argv in self.CASES[:10]:
            self.main(*argv)
        self.assertLess((time.process_time() - start) / 10, 0.5)

    def test_a_bisection_stops(self):
        """F2: to git 2 is a bad commit, as is any status up to 127."""
        for words in (('--nonsense',), ('--runs', 'x'), ('--new', ''),
                      ('--kernel',), ('--kernel', '/nonexistent'),
                      ('--config', '/nonexistent'), ('--expect', 'perhaps')):
            status, said = self.main('repro', 'O-A', '--bisect', *words)
            self.assertEqual(status, EXIT_ABORT, (words, said))

    def test_lists_fit(self):
        for argv in (('run', 'nosuch'), ('check', 'nosuch'),
                     ('repro', 'nosuch'), ('run', '--nosuch')):
            said = self.main(*argv)[1].splitlines()
            self.assertGreater(len(said), 2, argv)
            self.assertLess(max(map(len, said)), 80, argv)
        self.assertNotIn('guest-', names.check_names(REPO))

    def test_what_was_meant(self):
        for argv, said in (
                (('rpro', 'O-A'), 'did you mean repro'),
                (('repro', 'stale-partiel'), 'did you mean stale-partial'),
                (('run', 'sva-basik'), 'did you mean sva-basic'),
                (('run', '--args', 'writ'), 'did you mean write'),
                (('repro', 'O-A', '--kernel', '7.33'), 'did you mean 7.3'),
                (('check', 'qtst'), 'did you mean qtest'),
                (('bench', 'disc'), 'did you mean disk')):
            self.assertIn(said, self.main(*argv)[1])

    def test_names_are_listed(self):
        for command, name in (('repro', 'stale-partial'),
                              ('explore', 'queue-close')):
            status, said = self.main(command, '--list')
            self.assertEqual(status, 0, said)
            self.assertIn(name, said)

    def test_for_git_bisect_bad_usage_is_no_bad_commit(self):
        for argv in (('repro', 'nosuch', '--bisect', '--kernel', '.'),
                     ('repro', 'O-A', '--bisect', '--kernel', '/none')):
            self.assertEqual(self.main(*argv)[0], EXIT_ABORT)


class Right(Front):
    def test_what_is_right_goes_on(self):
        for argv in (('run',), ('run', 'reset', '--args', 'in-flight'),
                     ('run', 'races/stale-partial'), ('run', 'all'),
                     ('check', 'unit', 'guest-dpc', 'test-pcie-pri'),
                     ('repro', 'O-A,S-04', '--kernel', '7.3,7.3+C-18'),
                     ('repro', 'stale-p'), ('explore', 'groups', '--order',
                                            'acd'),
                     ('run', '--kernel', '7.3+C-18')):
            with self.assertRaisesRegex(AssertionError, 'something was built'):
                self.main(*argv)

    def test_lists_leave_nothing_behind(self):
        for argv in (('kernel', 'list'), ('repro',), ('explore',),
                     ('run', 'reset', '--list'), ('run', '--list'),
                     ('--version',)):
            self.assertEqual(self.main(*argv)[0], 0, argv)
            self.assertEqual(os.listdir(self.dir), [], argv)

    def test_the_tests_of_a_job(self):
        said = self.main('run', 'sva-basic', '--list')[1].split()
        self.assertIn('read-zero-page', said)
        self.assertEqual(said, names.tests_of(REPO, 'sva-basic'))


class Names(unittest.TestCase):
    def test_every_program_of_the_makefile(self):
        made = subprocess.run(
            ['make', '-pn', '-C', os.path.join(REPO, 'tests', 'guest'), 'O=/x'],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            check=False).stdout
        line = next(x for x in made.splitlines()
                    if x.startswith('all: '))
        want = {w[len('/x/tests/'):] for w in line.split()
                if w.startswith('/x/tests/')}
        self.assertGreater(len(want), 30)
        self.assertEqual(set(names.guest_jobs(REPO)), want)

    def test_every_job_with_a_table_has_tests(self):
        for job in names.guest_jobs(REPO):
            if '/' in job:
                continue
            self.assertTrue(names.tests_of(REPO, job), job)

    def test_every_test_of_the_project_has_a_name(self):
        have = names.suites(REPO)
        for suite in check.SUITES:
            self.assertTrue(have[suite], suite)
        self.assertIn('test-pcie-pri', have['unit'])
        self.assertIn('knobs-page', have['docs'])


class Guest(unittest.TestCase):
    """F11: in the guest, too, a name that no test has is an error."""

    def test_a_wrong_name_beside_a_right_one(self):
        source = ('#include "ktap.h"\nstatic void a(void) { }\n'
                  'static const struct ktap_test tests[] = {\n'
                  '    { "a", a, 0 },\n};\nKTAP_MAIN(tests)\n')
        guest = os.path.join(REPO, 'tests', 'guest', 'lib')
        with tempfile.TemporaryDirectory() as d:
            with open(os.path.join(d, 't.c'), 'w', encoding='utf-8') as f:
                f.write(source)
            subprocess.run(['cc', '-D_GNU_SOURCE', '-std=gnu11', '-I', guest,
                            '-o', f'{d}/t', f'{d}/t.c', f'{guest}/ktap.c'],
                           check=True)
            for args, status, said in (
                    (['a'], 0, 'ok 1 a'), ([], 0, 'ok 1 a'),
                    (['a', 'b'], 1, 'Bail out! no such test: b')):
                p = subprocess.run([f'{d}/t'] + args, check=False, text=True,
                                   stdout=subprocess.PIPE)
                self.assertEqual(p.returncode, status)
                self.assertIn(said, p.stdout)


class Statuses(unittest.TestCase):
    """F13: one table, in the help, the manual and the manual page."""

    def test_the_manual_has_the_table(self):
        with open(os.path.join(REPO, 'docs', 'manual', 'pri-lab.md'),
                  encoding='utf-8') as f:
            manual = f.read()
        for number, why in errors.STATUSES.items():
            self.assertTrue(f'| {number} | {why} |' in manual, number)

    def test_the_help_has_it(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit):
            cli.parse(['--help'])
        for number in errors.STATUSES:
            self.assertRegex(out.getvalue(), rf'(?m)^ +{number}  ')

    def test_several(self):
        for given, want in (((0, 0), 0), ((0, 3), 3), ((3, 1, 5), 1),
                            ((5, 3), 5), ((4, 0), 4), ((), 0)):
            self.assertEqual(errors.worst(given), want)

    def test_every_kind_of_error_has_one(self):
        self.assertEqual(errors.UsageError('x').status, 2)
        self.assertEqual(errors.LabError('x').status, 3)


if __name__ == '__main__':
    sys.exit(unittest.main())
