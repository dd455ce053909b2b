# SPDX-License-Identifier: GPL-2.0-or-later
"""explore --determinism: what counts as the same run."""

import unittest

import fakestage
from pri_lab.explore import same, trace
from pri_lab.explore.machine import Run


class SameRuns(unittest.TestCase):
    """explore --determinism."""

    def stage(self, hashes):
        stage = fakestage.Stage()
        left = list(hashes)

        def run(plan, traced=True):
            digest = left.pop(0)
            return Run(plan, 'lost' if digest is None else 'end',
                       {'instructions': 7, 'hash': digest}, [], [], [], [])
        stage.run = run
        return stage

    def check(self, hashes, plans=('order=10',)):
        return same.check(self.stage(hashes), list(plans),
                          len(hashes) // len(plans), lambda text: None)

    def test_the_same(self):
        one, = self.check(['a'] * 5)
        self.assertTrue(one.good)
        self.assertEqual(one.lines(), ['5 of 5 the same: order=10'])

    def test_one_differs(self):
        one, = self.check(['a', 'a', 'b', 'a'])
        self.assertFalse(one.good)
        self.assertEqual(one.lines()[0], '3 of 4 the same: order=10')
        self.assertIn('1 end, 7 instructions, hash b', one.lines()[2])

    def test_runs_that_are_lost_are_not_the_same(self):
        self.assertFalse(self.check([None] * 3)[0].good)

    def test_where_two_runs_part(self):
        """The first record that differs, and what both had before."""
        stage = fakestage.Stage()
        traces = {True: [], False: []}
        for n in range(9):
            for odd in traces:
                traces[odd].append(trace.Record(
                    100 + n, fakestage.TEXT, 0x20, 0x20, 7 + (odd and n > 7),
                    1, n, 0, trace.ACCESS, 0, trace.WRITE, 8))
        runs = iter((False, False, True, True))

        def run(plan, traced=True):
            odd = next(runs)
            return Run(plan, 'end', {'instructions': 7, 'hash': str(odd)},
                       traces[odd], [], [], [])
        stage.run = run
        one, = same.check(stage, ['order=10'], 4, lambda text: None)
        said = one.lines()
        self.assertIn('  the same for 8 of 9 and 9 records; last:', said)
        self.assertEqual(len(one.apart), 2 + same.BEFORE + 2)
        self.assertIn('value 7)', said[-2])
        self.assertIn('value 8)', said[-1])

    def test_plans_take_turns(self):
        two = self.check(['a', 'b'] * 3, ('order=10', 'order=01'))
        self.assertTrue(all(x.good for x in two))
        self.assertEqual([x.runs for x in two], [3, 3])
