# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import dataclasses
import io
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import cache, errors, host, near, options, proc, ui
from pri_lab.core.errors import LabError
from pri_lab.own import mirror
from pri_lab.qemu import qemubuild
from orphan import wait_ended

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class Names(unittest.TestCase):
    def test_a_long_list_is_cut_where_nothing_is_near(self):
        names = [f'job-{n}' for n in range(40)]
        hint = near.unknown('job', 'zzz', names).hint
        self.assertIn('job-29 and 10 more', ' '.join(hint.split()))
        self.assertNotIn('job-30', hint)
        self.assertEqual(near.unknown('job', 'job-39', names).hint,
                         'did you mean job-39 or job-9 or job-3?')
        self.assertIn('there are: a b', near.unknown('x', 'c', 'ab').hint)


class Options(unittest.TestCase):
    def test_before_and_after_the_command(self):
        for argv in (['--jobs', '3', '-v', 'run'],
                     ['run', '--jobs', '3', '-v'],
                     ['-v', 'run', '--jobs=3']):
            o = cli.parse(argv)
            self.assertEqual((o.jobs, o.verbose, o.command), (3, True, 'run'))

    def test_qemu_arguments_are_left_alone(self):
        o = cli.parse(['--accel', 'tcg', 'qemu', '-v', '--job', 'x', '-S',
                       '-vnc', ':1', '--kernel', 'k', '-v'])
        self.assertEqual(o.qemu_args, ['-S', '-vnc', ':1', '--kernel', 'k',
                                       '-v'])
        self.assertEqual((o.accel, o.verbose, o.job), ('tcg', True, 'x'))
        o = cli.parse(['qemu', '--', '--kernel', 'x'])
        self.assertEqual((o.qemu_args, o.kernel), (['--kernel', 'x'], ''))
        self.assertEqual(cli.parse(['qemu']).qemu_args, [])

    def test_the_word_qemu_elsewhere(self):
        self.assertEqual(cli.parse(['check', 'qemu']).names, ['qemu'])

    def test_bad_usage_is_2(self):
        with self.assertRaises(SystemExit) as e, \
                contextlib.redirect_stdout(io.StringIO()) as said:
            cli.parse([])
        self.assertEqual(e.exception.code, 2)
        self.assertIn('usage: pri-lab', said.getvalue())
        for argv in (['run', '--jobs', '0'], ['run', '--jobs', 'x'],
                     ['--accel', 'hvf', 'run'], ['run', '--kern', 'x']):
            with self.assertRaises(errors.UsageError, msg=argv):
                cli.parse(argv)

    def test_a_request_has_the_fields_of_its_options(self):
        subs = options._subparsers(cli.parser())
        for name, module in cli.ALL.items():
            asked = {a.dest for a in subs.choices[name]._actions
                     if a.dest != 'help'} | {'command'}
            if name == 'qemu':
                asked.add('qemu_args')      # what is left of the words
            self.assertEqual({f.name for f in dataclasses.fields(
                module.Request)}, asked, name)

    def test_words_that_give_a_request(self):
        words = ['run', 'reset', '--args=a', '--gdb', '--trace=x',
                 '--trace=y', '--kernel=6.12', '--jobs=3']
        request = cli.parse(words)
        self.assertEqual(cli.parse(['run', 'reset'] + options.words(
            cli.parser(), 'run', vars(request))), request)

    def test_help_everywhere(self):
        for command in [[]] + [[c] for c in cli.COMMANDS]:
            out = io.StringIO()
            with self.assertRaises(SystemExit) as e, \
                    contextlib.redirect_stdout(out):
                cli.parse(command + ['--help'])
            self.assertEqual(e.exception.code, 0)
            self.assertIn('examples:', out.getvalue())


class Errors(unittest.TestCase):
    def cause(self, text):
        found = errors.known_cause([text])
        return found[0] if found else ''

    def test_causes_are_named(self):
        self.assertIn('disk', self.cause(
            'cc1: error: a.o: No space left on device'))
        self.assertIn('network', self.cause(
            "E: Failed to fetch x  Temporary failure resolving 'm'"))
        self.assertIn('memory', self.cause(
            'fatal error: Killed signal terminated program cc1'))
        self.assertEqual(self.cause('a.c:1:2: error: syntax'), '')

    def test_oserror(self):
        e = errors.from_oserror(OSError(28, 'No space left', '/x'), '/c')
        self.assertIn('disk is full', e.what)
        self.assertIn('/x', e.what)

    def test_a_full_disk_under_a_file_that_has_no_name(self):
        """F16: what write() fails of, the cache's or standard output"""
        full = OSError(28, 'No space left')
        for room, what in ((0, 'the disk is full (/c/x)'),
                           (1 << 20, 'cannot write the results: the disk is '
                            'full')):
            there = mock.Mock(f_bavail=room // 4096, f_frsize=4096)
            with mock.patch.object(os, 'statvfs', lambda _: there):
                self.assertEqual(errors.from_oserror(full, '/c/x').what, what)

    def test_a_place_that_is_not_ours(self):
        """The cache where it cannot be made; the name of a file is not the
        one it has while it is written."""
        for path in ('/c', '/c/pri-lab', '/c/pri-lab/work/x'):
            e = errors.from_oserror(OSError(13, 'Permission denied', path),
                                    '/c/pri-lab')
            self.assertIn('XDG_CACHE_HOME', e.hint or '', path)
        e = errors.from_oserror(OSError(13, 'Permission denied',
                                        '/c/x.html.part17'), '/c/pri-lab')
        self.assertEqual((e.hint, e.what), (
            None, 'cannot write or read (/c/x.html): Permission denied'))

    def test_git_of_a_directory_of_somebody_else(self):
        """As a repository or a kernel tree is in a container."""
        with mock.patch.dict(os.environ, {
                'GIT_TEST_ASSUME_DIFFERENT_OWNER': '1'}):
            self.assertEqual(proc.output_of(['git', '-C', REPO, 'log']), '')
            self.assertTrue(proc.git(REPO, 'rev-parse', 'HEAD'))
            self.assertTrue(mirror.is_git(REPO))

    def test_the_cache_is_blamed_for_what_is_in_it_alone(self):
        """F16"""
        for error, hint in (
                (PermissionError(13, 'no', '/c/x'), True),
                (OSError(30, 'Read-only file system', '/repo/x'), False),
                (OSError(28, 'No space left', '/c/x'), True),
                (OSError(28, 'No space left', '/elsewhere'), False),
                (OSError(28, 'No space left'), False)):
            e = errors.from_oserror(error, '/c')
            self.assertEqual('XDG_CACHE_HOME' in (e.hint or '')
                             or 'clean --all' in (e.hint or ''), hint, e.what)
        self.assertIn('results', errors.from_oserror(
            OSError(28, 'No space left'), '/c').what)


class Run(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        self.log = proc.Log(os.path.join(d.name, 'log'))
        self.addCleanup(self.log.close)

    def test_failure_shows_the_last_lines(self):
        with self.assertRaises(LabError) as e:
            proc.run(['sh', '-c', 'seq 1 99; exit 3'], 'counting', self.log)
        self.assertEqual(e.exception.what, 'counting failed (exit status 3)')
        self.assertEqual(e.exception.tail[-1], '99')
        self.assertEqual(len(e.exception.tail), proc.TAIL)
        with open(self.log.path) as f:
            self.assertIn('\n1\n2\n', f.read())

    def test_missing_program(self):
        with self.assertRaises(LabError) as e:
            proc.run(['no-such-program'], 'x', self.log)
        self.assertIn('no-such-program', e.exception.what)

    def test_interrupt_kills_the_grandchildren(self):
        mark = os.path.join(self.dir, 'pid')

        def stop(line):
            raise errors.Interrupted(signal.SIGINT)
        with self.assertRaises(errors.Interrupted):
            proc.run(['sh', '-c', f'sleep 60 & echo $! > {mark}; echo go; '
                      'wait'], 'x', self.log, on_line=stop)
        with open(mark) as f:
            pid = int(f.read())
        wait_ended(pid)

    def test_no_host_make_flags(self):
        os.environ['MAKEFLAGS'] = '-j99'
        try:
            self.assertNotIn('MAKEFLAGS', proc.child_env())
        finally:
            del os.environ['MAKEFLAGS']


class Interrupt(unittest.TestCase):
    def test_ctrl_c_before_anything_is_loaded(self):
        """No traceback, and to git bisect no verdict."""
        with tempfile.TemporaryDirectory() as d:
            script = os.path.join(d, 'pri-lab')
            with open(os.path.join(REPO, 'pri-lab'), encoding='utf-8') as f:
                cache.write_atomic(script, f.read().encode())
            top = os.path.join(d, 'scripts', 'pri_lab')
            cache.write_atomic(os.path.join(top, '__init__.py'), b'')
            cache.write_atomic(os.path.join(top, 'cli.py'),
                               b'import time\nprint("up", flush=True)\n'
                               b'time.sleep(600)\n')
            with subprocess.Popen(
                    [sys.executable, '-B', script], stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, preexec_fn=lambda: signal.signal(
                        signal.SIGINT, signal.default_int_handler)) as p:
                self.assertEqual(p.stdout.readline(), b'up\n')
                p.send_signal(signal.SIGINT)
                self.assertEqual(p.communicate()[0], b'')
            self.assertEqual(p.returncode, -signal.SIGINT)

    def test_signal_ends_with_a_line_and_130(self):
        code = ('import sys, time; sys.path.insert(0, sys.argv[1]); '
                'from pri_lab import cli; '
                'cli.packages.run = lambda c, r: (print("up", flush=True), '
                'time.sleep(60)); '
                'sys.exit(cli.main(["packages"], sys.argv[2]))')
        with tempfile.TemporaryDirectory() as d:
            p = subprocess.Popen(
                [sys.executable, '-B', '-c', code,
                 os.path.join(REPO, 'scripts'), REPO],
                env={**os.environ, 'XDG_CACHE_HOME': d},
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertEqual(p.stdout.readline(), 'up\n')
            p.send_signal(signal.SIGINT)
            _out, err = p.communicate()
        self.assertEqual(p.returncode, 130)
        self.assertIn('interrupted', err)
        self.assertNotIn('Traceback', err)


class Choices(unittest.TestCase):
    def test_accel(self):
        real = host.kvm_fault
        try:
            host.kvm_fault = lambda: 'it is broken'
            self.assertEqual(host.choose_accel('tcg'), ('tcg', ''))
            accel, note = host.choose_accel('')
            self.assertEqual(accel, 'tcg')
            self.assertIn('it is broken', note)
            with self.assertRaises(LabError) as e:
                host.choose_accel('kvm')
            self.assertIn('it is broken', e.exception.what)
            host.kvm_fault = lambda: ''
            self.assertEqual(host.choose_accel(''), ('kvm', ''))
        finally:
            host.kvm_fault = real

    def test_durations(self):
        self.assertEqual([ui.duration(x) for x in (0.44, 12.3, 75, 3661)],
                         ['0.4 s', '12 s', '1:15', '1:01:01'])

    def test_every_qtest_of_the_tree_is_found(self):
        names = qemubuild.our_qtests(REPO)
        self.assertEqual(names, sorted(set(names)))
        for _, _, files in os.walk(os.path.join(REPO, 'tests', 'qtest')):
            for n in files:
                if n.endswith('-test.c'):
                    self.assertIn(n[:-2], names)

    def test_only_a_damaged_build_directory_is_built_afresh(self):
        class Fake:
            log = None
        with tempfile.TemporaryDirectory() as d:
            for text, broken in (
                    ('ninja: error: unknown target', True),
                    ('x\nld: a.o: file format not recognized', True),
                    ('ninja: build stopped: interrupted by user.', False),
                    ('a.c:1:2: error: x\nninja: build stopped: subcommand '
                     'failed.', False)):
                Fake.log = proc.Log(os.path.join(d, 'log'))
                cache.remove(Fake.log.path)
                Fake.log.write(text)
                Fake.log.close()
                self.assertEqual(qemubuild.QemuBuild._looks_broken(Fake),
                                 broken, text)
