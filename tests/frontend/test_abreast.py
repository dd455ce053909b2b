# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import os
import signal
import sys
import tempfile
import textwrap
import time
import unittest
from unittest import mock

import signals
from pri_lab.core import proc, ui
from pri_lab.core.context import Outcome
from pri_lab.core.errors import Interrupted
from pri_lab.reproduce import abreast
from pri_lab.state import progress

# What stands for `pri-lab repro`: says of each race what a run says
CHILD = '''\
import json, os, signal, sys, time
names = sys.argv[sys.argv.index('--kernel') + 2:]
kernel = sys.argv[sys.argv.index('--kernel') + 1]
def tell(*lines):
    print('\\n'.join(lines))
    with open(os.environ['PRI_LAB_TOLD'], 'ab', buffering=0) as f:
        f.write((json.dumps({'lines': lines, 'result': {'name': lines[0]}})
                 + '\\n').encode())
def stop(*_):
    time.sleep(0.2)
    tell(f'X-1 {names[0]}, kernel {kernel}', '  logs: /kept')
    sys.exit(130)
signal.signal(signal.SIGINT, stop)
if names[0] == 'broken':
    print('pri-lab: no such thing', file=sys.stderr)
    sys.exit(9)
for name in names:
    tell(f'X-1 {name}, kernel {kernel}', f'  REPRODUCED: 1/1',
         f'  logs: /{name}')
    time.sleep(0.05)
if names[0] == 'long':
    open(sys.argv[0] + '.started', 'w').close()
    time.sleep(60)
sys.exit(names[0] == 'wrong')
'''


class Entry:
    def __init__(self, name, icount=True):
        self.name = name
        self.icount = icount


def share(kernel, *names, alone=False):
    return abreast.Share(kernel, [Entry(n) for n in names], alone)


class Shares(unittest.TestCase):
    def test_a_machine_is_shared_but_not_by_too_many(self):
        work = [('7.3', Entry(f'a{n}')) for n in range(abreast.SHARE + 1)]
        work.insert(1, ('7.2', Entry('b')))
        got = abreast.shares(work, lambda name, e: name, 1)
        self.assertEqual([(s.kernel, len(s.entries)) for s in got],
                         [('7.3', abreast.SHARE), ('7.3', 1), ('7.2', 1)])

    def test_no_processor_is_idle_while_one_has_all(self):
        """F12: five entries on two CPUs are 3 and 2, not 4 and 1."""
        work = [('7.3', Entry(f'a{n}')) for n in range(5)]
        for jobs, sizes in ((2, [3, 2]), (3, [2, 2, 1]), (8, [1] * 5)):
            self.assertEqual([len(s.entries) for s in abreast.shares(
                work, lambda name, e: name, jobs)], sizes)

    def test_what_needs_the_processors_is_last_and_alone(self):
        work = [('7.3', Entry('a', icount=False)), ('7.3', Entry('b'))]
        got = abreast.shares(work, lambda name, e: (name, e.icount),
                             1)
        self.assertEqual([(s.entries[0].name, s.alone) for s in got],
                         [('b', False), ('a', True)])


class Run(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        self.child = os.path.join(self.dir, 'child.py')
        with open(self.child, 'w', encoding='utf-8') as f:
            f.write(textwrap.dedent(CHILD))
        lab = argparse.Namespace(jobs=2, logdir=self.dir,
                                 ui=ui.UI(quiet=True), outcome=Outcome())
        lab.log = proc.Log(os.path.join(self.dir, 'log'))
        self.addCleanup(lab.log.close)
        self.said, self.errors = [], []
        lab.ui.result = self.said.append
        lab.ui.error = self.errors.append
        self.after = mock.Mock()
        with mock.patch.object(sys, 'argv', [self.child]):
            self.whole = progress.Progress(os.path.join(self.dir, 'p'))
            self.job = abreast.Abreast(lab, ['--runs', '1'], self.whole)

    def test_each_entry_is_told_of_as_a_whole(self):
        self.assertEqual(self.job.run([share('7.3', 'a', 'b'),
                                       share('7.2', 'c')], self.after),
                         [0, 0])
        self.assertEqual(self.job.done, 3)
        for name, kernel in (('a', '7.3'), ('b', '7.3'), ('c', '7.2')):
            at = self.said.index(f'X-1 {name}, kernel {kernel}')
            self.assertEqual(self.said[at + 1:at + 3],
                             ['  REPRODUCED: 1/1', f'  logs: /{name}'])
        self.assertTrue(self.after.called)

    def test_what_is_not_as_expected_counts(self):
        self.assertEqual(sorted(self.job.run([
            share('7.3', 'wrong'), share('7.3', 'a')], self.after)), [0, 1])
        self.assertEqual(self.errors, [])

    def test_what_cannot_be_run_is_named(self):
        self.assertIn(9, self.job.run([share('7.1', 'broken'),
                                       share('7.3', 'a')], self.after))
        self.assertEqual(self.errors, ['7.1: pri-lab: no such thing'])
        self.assertIn('X-1 a, kernel 7.3', self.said)

    def test_no_more_at_a_time_than_there_are_jobs(self):
        most = []
        start = self.job._start

        def count(*args):
            start(*args)
            most.append(len(self.job._running))
        self.job._start = count
        self.job.run([share('7.3', x) for x in 'abcde'], self.after)
        self.assertEqual((max(most), len(most)), (2, 5))

    def test_alone_is_alone(self):
        todo = share('7.3', 'a', alone=True)
        self.assertTrue(self.job._room(todo))
        self.job._running.append(argparse.Namespace(share=share('7.3', 'b')))
        self.assertFalse(self.job._room(todo))
        self.assertTrue(self.job._room(share('7.3', 'c')))
        self.job._running[0].share = todo
        self.assertFalse(self.job._room(share('7.3', 'c')))

    def interrupt(self):
        """Ctrl-C, when a share is at work."""
        while not os.path.exists(self.child + '.started'):
            time.sleep(0.01)
        self.after.side_effect = None
        raise Interrupted(2)

    def test_ctrl_c_keeps_what_the_shares_have(self):
        self.after.side_effect = self.interrupt
        with self.assertRaises(Interrupted):
            self.job.run([share('7.3', 'long')], self.after)
        self.assertIn('  logs: /kept', self.said)
        self.assertEqual(self.job._running, [])

    def test_a_second_ctrl_c_waits_for_them_too(self):
        signals.install(self)
        end = self.job._end

        def interrupted():
            signal.raise_signal(signal.SIGINT)
            end()
        self.job._end = interrupted
        self.after.side_effect = self.interrupt
        with self.assertRaises(Interrupted):
            self.job.run([share('7.3', 'long')], self.after)
        self.assertIn('  logs: /kept', self.said)
        self.assertEqual(self.job._running, [])


if __name__ == '__main__':
    unittest.main()
