# SPDX-License-Identifier: GPL-2.0-or-later
"""F9: progress decides about a test, and what did not run has not failed."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from pri_lab.check import check, watchdog
from pri_lab.commands import guest_run
from pri_lab.core import owntime
from pri_lab.machine import vm
from pri_lab.results import ktap
from pri_lab.results.ktap import FAIL, NOT_RUN, PASS
from orphan import wait_ended

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
SCRIPT = os.path.join(REPO, 'scripts', 'watch-test.py')


def watched(code, patience):
    p = subprocess.run(
        [sys.executable, '-B', SCRIPT, sys.executable, '-c', code],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        env={**os.environ, watchdog.WATCHED: str(patience)}, check=False)
    return p.returncode, p.stdout


class Watchdog(unittest.TestCase):
    def test_what_a_test_says_and_its_status_are_passed_on(self):
        self.assertEqual(watched('print("ok 1"); raise SystemExit(7)', 60),
                         (7, 'ok 1\n'))

    def test_one_that_waits_for_ever_is_ended(self):
        rc, said = watched('import time; print("1..2\\nok 1", flush=True); '
                           'time.sleep(600)', 3)
        self.assertEqual(rc, 1)
        self.assertIn('1..2\nok 1\nBail out! no progress', said)

    def test_one_that_loops_is_ended(self):
        rc, said = watched('while True: pass', 3)
        self.assertEqual((rc, 'Bail out!' in said), (1, True))

    def test_lines_are_progress(self):
        rc, said = watched('import time\nfor n in range(5):\n'
                           '    print(n, flush=True); time.sleep(2.5)', 4)
        self.assertEqual((rc, said.split()), (0, list('01234')))

    def test_what_it_started_is_ended_with_it(self):
        with tempfile.TemporaryDirectory() as d:
            mark = os.path.join(d, 'pid')
            watched(f'import os\nif os.fork() == 0:\n    open({mark!r}, "w")'
                    '.write(str(os.getpid()))\nimport time; time.sleep(600)',
                    3)
            with open(mark, encoding='ascii') as f:
                pid = f.read()
            wait_ended(pid)

    def test_what_a_dead_test_leaves_behind_is_ended(self):
        """A QEMU of a test that died of an assertion, say: it holds the
        output open, and may even write to it."""
        for does in ('time.sleep(600)', 'print("y", flush=True)'):
            with self.subTest(does=does), \
                    tempfile.TemporaryDirectory() as d:
                mark = os.path.join(d, 'pid')
                rc, _ = watched(
                    'import os, time\nif os.fork() == 0:\n'
                    f'    open({mark!r}, "w").write(str(os.getpid()))\n'
                    f'    while True: {does}\n'
                    f'while not os.path.exists({mark!r}): time.sleep(0.1)\n'
                    'os._exit(9)', 60)
                self.assertEqual(rc, 9)
                with open(mark, encoding='ascii') as f:
                    pid = f.read()
                wait_ended(pid)


class OwnTime(unittest.TestCase):
    def own(self, *waits):
        """An OwnTime whose threads have waited so long at each look."""
        it = iter(waits)
        patch = mock.patch.object(owntime, 'waited', lambda pid: next(it))
        patch.start()
        self.addCleanup(patch.stop)
        with mock.patch('time.monotonic', return_value=0.0):
            return owntime.OwnTime(1)

    def test_a_starved_process_uses_none(self):
        own = self.own({(1, 1): 0.0}, {(1, 1): 9.5}, {(1, 1): 400.0})
        self.assertAlmostEqual(own.look(10.0), 0.5)
        self.assertAlmostEqual(own.look(400.5), 0.5)

    def test_one_that_sleeps_or_runs_uses_all(self):
        own = self.own({(1, 1): 3.0}, {(1, 1): 3.0}, {(1, 1): 3.0})
        self.assertAlmostEqual(own.look(10.0), 10.0)
        self.assertAlmostEqual(own.look(30.0), 30.0)

    def test_the_thread_that_waited_longest_counts(self):
        own = self.own({}, {(1, 1): 2.0, (2, 2): 6.0})
        self.assertAlmostEqual(own.look(10.0), 4.0)

    @unittest.skipUnless(os.path.exists('/proc/self/schedstat'),
                         'this kernel does not count what a thread waits')
    def test_of_real_processes(self):
        got = owntime.waited(os.getpid())
        self.assertIn((os.getpid(), os.getpid()), got)


class NotRun(unittest.TestCase):
    def judged(self, stdout, result='FAIL', rc=1):
        return check.judge({'name': 'pri-lab:frontend / frontend',
                            'stdout': stdout, 'result': result,
                            'returncode': rc})

    def test_stopped_by_the_watchdog(self):
        v = self.judged('1..5\nok 1 a\nok 2 b\nBail out! no progress: 300 s')
        n = check.count([v])
        self.assertEqual((n[PASS], n[FAIL]), (2, 1))
        v = self.judged('1..5\nok 1 a\nok 2 b\n', 'TIMEOUT', None)
        n = check.count([v])
        self.assertEqual((n[PASS], n[FAIL], n[NOT_RUN]), (2, 1, 3))
        self.assertEqual(check.summary(n),
                         '2 passed, 1 failed, 0 skipped, 3 not run')
        self.assertEqual(check.exit_status(n), 1)
        self.assertRegex(check.failures(v.results[-4:-1])[0], 'and 2 more')

    def test_a_program_that_ends_early_and_well_fails(self):
        n = check.count([self.judged('1..5\nok 1 a\n', 'OK', 0)])
        self.assertEqual((n[FAIL], n[NOT_RUN]), (1, 4))

    def test_it_goes_through_a_second_reader(self):
        first = ktap.read('1..3\nok 1 a\n').results
        again = ktap.read('\n'.join(r.line(i) for i, r in enumerate(first, 1)))
        self.assertEqual([r.status for r in again.results],
                         [PASS, NOT_RUN, NOT_RUN])

    def test_it_is_no_good_outcome(self):
        out = vm.Outcome()
        out.exit = 0
        out.reader.feed('1..2')
        out.reader.feed('ok 1 a')
        out.reader.finish()
        vm.Job._judge(mock.Mock(console='/none', stderr='/none'), 0, out)
        self.assertFalse(out.passed)


class NoClock(unittest.TestCase):
    def test_mesons_own_limits_are_lifted(self):
        with tempfile.TemporaryDirectory() as d:
            said = {}

            def run(cmd, *args, **kw):
                said.update(cmd=cmd, env=kw['env'])
                top = os.path.join(d, 'meson-logs')
                os.makedirs(top)
                with open(os.path.join(top, 'testlog-watch-test.py.json'), 'w',
                          encoding='utf-8') as f:
                    json.dump({'name': 'x', 'result': 'OK'}, f)
            one = check.Check.__new__(check.Check)
            one.dir, one.jobs, one.log, one.ui = d, 2, mock.Mock(), \
                mock.MagicMock()
            one.paths = mock.Mock(repo=REPO)
            one.host = mock.Mock(meson=lambda: ['meson'], env=lambda: {})
            one._number, one.sanitize = 0, False
            with mock.patch('pri_lab.core.proc.run', run):
                one.run(['frontend'], 900.0, {})
        words = ' '.join(said['cmd'])
        self.assertIn('--timeout-multiplier 0', words)
        wrapper = re.search(r'--wrapper (\S+)', words).group(1)
        self.assertTrue(os.access(wrapper, os.X_OK))
        self.assertEqual(said['env'][watchdog.WATCHED], '900.0')

    def test_nor_has_a_guest_that_is_watched_one(self):
        with mock.patch.dict(os.environ, {watchdog.WATCHED: '300'}):
            self.assertEqual(guest_run.timeout(0, 'tcg'), float('inf'))
        self.assertEqual(guest_run.timeout(7, 'tcg'), 7)
        self.assertEqual(guest_run.timeout(0, 'tcg', gdb=True),
                         float('inf'))


if __name__ == '__main__':
    unittest.main()
