# SPDX-License-Identifier: GPL-2.0-or-later
"""How the front end behaves in odd places (F17 to F20, F24, F25, F29, W1)."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import cache, errors
from pri_lab.inputs import check as inputs
from pri_lab.machine import ready
from pri_lab.races import race
from pri_lab.reproduce import repro, runner as runner_
from pri_lab.timeline import chart
from test_repro import HEADER

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
LOG = os.path.join(REPO, 'docs', 'examples', 'overflow.jsonl')


def front(*argv, shell='', **env):
    with tempfile.TemporaryDirectory() as d:
        words = [sys.executable, '-B', os.path.join(REPO, 'pri-lab'), *argv]
        if shell:
            words = ['sh', '-c', f'exec "$@" {shell}', 'sh', *words]
        return subprocess.run(
            words, cwd=d, check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, 'XDG_CACHE_HOME': d, **env})


class Places(unittest.TestCase):
    def test_timeline_does_not_write_beside_a_log_of_the_repository(self):
        """F17"""
        self.assertEqual(chart._beside(LOG), 'overflow.html')
        inside = os.path.join(cache.root(), 'logs', 'x', 'reset.jsonl')
        self.assertEqual(chart._beside(inside), os.path.realpath(
            os.path.join(cache.root(), 'logs', 'x', 'reset.html')))

    def test_timeline_makes_no_directory(self):
        self.assertEqual(front('timeline', LOG, '-o',
                               '/nonexistent/x.html').returncode, 2)
        self.assertFalse(os.path.exists('/nonexistent'))

    def test_a_log_can_be_read_without_a_cache(self):
        self.assertEqual(front('timeline', LOG, '--list',
                               XDG_CACHE_HOME='/proc/none').returncode, 0)

    def test_a_path_with_a_space(self):
        """F18"""
        for root, repo in (('/a b', '/repo'), ('/a', '/my repo'),
                           ('/a:b', '/repo')):
            with mock.patch.object(cache, 'root', lambda r=root: r):
                with self.assertRaisesRegex(errors.UsageError, 'space'):
                    inputs.check(cli.parse(['build']), repo, None)
                inputs.check(cli.parse(['clean']), repo, None)

    def test_a_terminal_that_knows_ascii_alone(self):
        """F19"""
        p = front('timeline', LOG, '--list', PYTHONIOENCODING='ascii',
                  PYTHONUTF8='0', LC_ALL='C')
        self.assertEqual((p.returncode, b'Traceback' in p.stderr),
                         (0, False))

    def test_no_standard_error(self):
        """F29"""
        p = front('repro', shell='2>&-')
        self.assertEqual(p.returncode, 0)
        self.assertIn(b'O-A', p.stdout)

    def test_a_full_disk_for_the_results(self):
        """F16"""
        p = front('kernel', 'list', shell='>/dev/full')
        self.assertEqual(p.returncode, 3)
        self.assertNotIn(b'clean --all', p.stderr)
        self.assertNotIn(b'Traceback', p.stderr)


class Said(unittest.TestCase):
    def error(self, *argv):
        with self.assertRaises(errors.UsageError) as e:
            cli.parse(list(argv))
        return e.exception.what

    def test_what_a_number_must_be(self):
        """F24"""
        self.assertIn("'-1' is not a whole number of 0 or more",
                      self.error('repro', 'O-A', '--runs', '-1'))
        self.assertIn("'x' is not a whole number of 1 or more",
                      self.error('run', '--timeout', 'x'))

    def test_help_is_as_wide_as_the_terminal(self):
        """F25"""
        for columns in (60, 80, 120):
            for command in cli.COMMANDS:
                out = io.StringIO()
                with contextlib.redirect_stdout(out), mock.patch.dict(
                        os.environ, COLUMNS=str(columns)), \
                        self.assertRaises(SystemExit):
                    cli.parse([command, '--help'])
                text = out.getvalue().partition('examples:')[0]
                for line in text.split('\n'):
                    self.assertLessEqual(len(line), columns, line)

    def test_kvm_that_does_not_work_is_a_detail(self):
        """F20"""
        job = repro.Repro.__new__(repro.Repro)
        job.ctx, job.options = mock.MagicMock(), cli.parse(['repro'])
        job.ui = job.ctx.ui
        with mock.patch('pri_lab.core.host.kvm_fault', lambda: 'broken'), \
                mock.patch.object(ready, 'tools'), \
                mock.patch.object(ready, 'qemu'):
            job.prepare()
        self.assertFalse(job.ui.say.called)
        self.assertIn('broken', job.ui.output.call_args[0][0])


class AfterTheSign(unittest.TestCase):
    """W1"""

    def run_of(self, *pieces):
        """A run whose guest says one piece after the other."""
        runner = runner_.Runner.__new__(runner_.Runner)
        runner.machine = mock.Mock(accel='tcg')
        todo = list(pieces)
        session = mock.Mock(icount=False)
        session.out.console, session.out.ktap = [], []

        def follow(_seconds, enough, *_over):
            while todo:
                session.out.console += todo.pop(0)
                if enough(session.out):
                    return 'done'
                if not todo or todo[0] is None:
                    break
            return 'limit'
        session.follow = follow
        with mock.patch.object(runner_, 'QUIET', 0.01):
            entry = race.Entry('/x/races/a.c', HEADER)
            return runner.race(entry, session, '/base'), session

    def test_the_rest_of_a_report_is_kept(self):
        verdict, session = self.run_of(
            ['BUG: KASAN: slab-use-after-free in iopf'],
            ['Allocated by task 5:'], ['Freed by task 6:'])
        self.assertEqual(verdict.word, race.REPRODUCED)
        self.assertIn('Freed by task 6:', session.out.console)

    def test_what_follows_from_it_is_told(self):
        lines = ['BUG: KASAN: x in iopf', '-' * 3, '</TASK>',
                 'kernel BUG at mm/slub.c:1', 'x', '---[ end trace 1 ]---']
        got = race.judge(race.Entry('/x/races/a.c', HEADER), lines, [],
                         'done')
        self.assertEqual(got.facts,
                         ['also in the log: kernel BUG at mm/slub.c:1'])


if __name__ == '__main__':
    unittest.main()
