# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that run, their logs, what is lost by whom (F3, F8, F10, F12)."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.commands import check as command
from pri_lab.core import cache, context, running
from pri_lab.core.errors import LabError
from pri_lab.state import clean, logs, progress

SCRIPTS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))), 'scripts')


HOLD = '''\
import sys
sys.path.insert(0, sys.argv[1])
from pri_lab.core import cache, running
with running.here(sys.argv[2], './pri-lab ' + sys.argv[3], '/some/clone'), \\
        cache.lock(cache.Paths('/', sys.argv[2]), sys.argv[4], None):
    print('up', flush=True)
    sys.stdin.read()
'''


class Other:
    """A command that has a lock, until it is told to end."""

    def __init__(self, root, name, lock='clone-x'):
        self.process = subprocess.Popen(
            [sys.executable, '-B', '-c', HOLD, SCRIPTS, root, name, lock],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self.process.stdout.readline()

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait(20)


class State(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.root = d.name

    def other(self, name):
        one = Other(self.root, name)
        self.addCleanup(one.end)
        return one


class Running(State):
    def test_another_command_is_seen_with_its_name_and_time(self):
        p = self.other('check unit')
        one, = running.others(self.root)
        self.assertEqual((one.pid, one.command, one.repo),
                         (p.pid, './pri-lab check unit', '/some/clone'))
        self.assertLess(len(str(one._replace(command='x' * 3000))), 300)
        self.assertRegex(str(one), r'`./pri-lab check unit` \(process '
                         rf'{p.pid}, for \d+:\d\d, in /some/clone\)')

    def test_one_that_was_killed_is_not(self):
        p = self.other('run')
        p.kill()
        self.assertEqual(running.others(self.root), [])
        self.assertEqual(os.listdir(running.directory(self.root)), [])

    def test_who_waits_says_for_whom(self):
        """F10"""
        p = self.other('check unit')
        said = []
        ui = mock.Mock(say=lambda text: (said.append(text), p.end()))
        with cache.lock(cache.Paths('/', self.root), 'clone-x', ui):
            pass
        self.assertRegex(said[0], r'^waiting for `./pri-lab check unit` '
                         rf'\(process {p.pid}, for 0:0\d.*builds$')

    def test_nobody_cleans_the_cache_under_another(self):
        """F8"""
        p = self.other('kernel build')
        with self.assertRaisesRegex(LabError, 'kernel build') as e:
            with running.here(self.root, 'clean', '/', cleans=True):
                self.fail('it may not')
        self.assertIn('wait', e.exception.hint)
        p.end()
        with running.here(self.root, 'clean', '/', cleans=True):
            pass

    def test_only_the_build_is_locked(self):
        """F10: while tests run, another command can build."""
        free = []

        class Tests:
            verdicts = ()

            def __init__(self, *args):
                pass

            def build(self):
                pass

            def run(self, *args):
                ui = mock.Mock()
                with cache.lock(self.paths, f'clone-{self.paths.clone}', ui):
                    free.append(not ui.say.called)
                return 0

        Tests.paths = cache.Paths('/', self.root)
        ctx = context.Context('x', Tests.paths, mock.Mock(), None, 1, None,
                              lambda: self.root, context.Outcome())
        with mock.patch('pri_lab.check.check.Check', Tests), \
                mock.patch.object(command, 'for_tests', lambda *_: (
                    None, mock.Mock(dir='/x'))):
            self.assertEqual(command.run(ctx, cli.parse(['check'])), 0)
        self.assertEqual(free, [True])

    def test_two_checks_in_one_clone(self):
        """The second says for whom it waits and what else there is, sets up
        and runs nothing meanwhile, and then runs."""
        order = []

        class Tests:
            verdicts = ()

            def __init__(self, *args):
                order.append('set up')

            def build(self):
                pass

            def run(self, *args):
                order.append('run')
                return 0

        paths = cache.Paths('/', self.root)
        first = Other(self.root, 'check unit', f'check-{paths.clone}')
        self.addCleanup(first.end)
        ui = mock.Mock(say=lambda text: (order.append(text), first.end()))
        ctx = context.Context('x', paths, ui, None, 1, None,
                              lambda: self.root, context.Outcome())
        with mock.patch('pri_lab.check.check.Check', Tests), \
                mock.patch.object(command, 'for_tests', lambda *_: (
                    None, mock.Mock(dir='/x'))):
            self.assertEqual(command.run(ctx, cli.parse(['check'])), 0)
        self.assertEqual(order[1:], ['set up', 'run'])
        self.assertRegex(order[0], r'^waiting for `./pri-lab check unit` '
                         rf'\(process {first.pid}, .*this clone\'s tests; '
                         'Ctrl-C gives up, and a git worktree has its own$')


class Clean(State):
    def make(self, *paths):
        for p in paths:
            cache.write_atomic(os.path.join(self.root, p), b'x')

    def left(self):
        return sorted(os.path.relpath(p, self.root)
                      for p in cache.files_under(self.root))

    def test_results_recordings_and_logs_stay(self):
        """F8"""
        paths = cache.Paths('/', self.root)
        kept = [f'work/{paths.clone}/repro/a.json', 'work/zzz/repro/b.json',
                'repro/20260101-000000-a-7.3-1/run.ktap',
                'resets/7.3/0123.json',
                'logs/20260101-000000-run-1/x.jsonl']
        self.make('linux/7.3/vmlinux', 'downloads/q.tar', 'work/zzz/build/q',
                  f'work/{paths.clone}/build/q', *kept)
        clean.run(paths, False, False, mock.Mock())
        self.assertIn('work/zzz/build/q', self.left())
        self.assertNotIn(f'work/{paths.clone}/build/q', self.left())
        clean.run(paths, True, False, mock.Mock())
        self.assertEqual(self.left(), sorted(kept))
        clean.run(paths, True, True, mock.Mock())
        self.assertEqual(self.left(), [])


class Logs(State):
    """F3"""

    def setUp(self):
        super().setUp()
        self.top = os.path.join(self.root, 'logs')
        os.mkdir(self.top)

    def made(self, name, *files):
        for f in files or ('log',):
            cache.write_atomic(os.path.join(self.top, name, f), b'x' * 100)
        return name

    def test_evidence_outlives_any_number_of_commands(self):
        proof = self.made('20260101-000000-run-1', 'reset.jsonl')
        splat = self.made('20260101-000001-run-2')
        logs.note(os.path.join(self.top, splat), True)
        plain = self.made('20260101-000002-run-3')
        logs.note(os.path.join(self.top, plain), False)
        for n in range(8):
            self.made(f'20260102-00000{n}-run-4')
        self.assertEqual(logs.old(self.top, 3)[0], plain)
        gone = logs.old(self.top, 3)
        self.assertEqual(len(gone), 6)
        self.assertFalse({proof, splat} & set(gone))

    def test_old_evidence_goes_when_it_is_much(self):
        first = self.made('20250101-000000-run-1', 'a.jsonl')
        self.made('20250102-000000-run-1', 'a.jsonl')
        young = time.strftime('%Y%m%d') + '-000000-run-1'
        self.made(young, 'a.jsonl')
        self.made('20990101-000000-run-1')
        one = logs.size(os.path.join(self.top, first))
        with mock.patch.object(logs, 'SPACE', one):
            self.assertEqual(logs.old(self.top, 1), [first])
        with mock.patch.object(logs, 'SPACE', 0):
            self.assertEqual(len(logs.old(self.top, 1)), 2)

    def test_those_of_running_commands_stay(self):
        with running.here(self.root, 'x', '/'):
            mine = logs.new(self.top, 'check')
            for n in range(9):
                self.made(f'30000101-00000{n}-run-1')
            self.assertNotIn(os.path.basename(mine), logs.old(self.top, 2))
        self.assertIn(os.path.basename(mine), logs.old(self.top, 2))

    def test_a_failure_is_evidence(self):
        for status, seen, proof in ((0, False, False), (1, False, True),
                                    (0, True, True)):
            one = cli.Invocation('/', cli.parse(['build']), 'x', mock.Mock())
            one.context.outcome.evidence = seen
            one._logdir = os.path.join(self.top, self.made(f'd{status}{seen}'))
            one.end(status)
            self.assertEqual(logs.is_evidence(one._logdir), proof)


class Progress(State):
    """F12, M8: entry, run, time left."""

    def test_what_one_says(self):
        path = os.path.join(self.root, 'p')
        p = progress.Progress(path)
        p.plan(2, 20)
        p.entry('stale-partial on 7.3')
        p.run('run 4 of 10', 5)
        data = progress.read(path)
        head, entry = progress.lines(data, data['began'] + 10)
        self.assertEqual(head, '0 of 2 entries, 5 of 20 runs, about 30 s left')
        self.assertEqual(entry, 'stale-partial on 7.3: run 4 of 10')
        p.entry_done('REPRODUCED')
        self.assertIn('1 of 2 entries, 5 of 20 runs, 1 REPRODUCED',
                      progress.lines(progress.read(path), time.time())[0])

    def test_shares_together(self):
        parts = []
        for n in range(2):
            p = progress.Progress(os.path.join(self.root, f'p{n}'))
            p.plan(3, 30)
            p.entry(f'race-{n} on 7.3')
            p.run(f'run {n + 1} of 10', n + 1)
            parts.append(progress.read(p.path))
        data = progress.together(parts + [None], 6, 60, 0.0)
        self.assertEqual(progress.lines(data, 30.0), [
            '0 of 6 entries, 3 of 60 runs, about 9:30 left',
            'race-0 on 7.3: run 1 of 10', 'race-1 on 7.3: run 2 of 10'])
        self.assertEqual(json.loads(json.dumps(data)), data)


if __name__ == '__main__':
    unittest.main()
