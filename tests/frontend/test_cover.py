# SPDX-License-Identifier: GPL-2.0-or-later
"""explore: what was covered"""
import unittest

import fakestage
from pri_lab.explore import campaign, cover, found, state, trace
from test_explore import record


class Cover(unittest.TestCase):
    A, B, C = 0x100, 0x200, 0x300

    def test_two_actors_and_a_write(self):
        read = [record(0, self.A, 8), record(1, self.B, 8)]
        self.assertEqual(cover.hot(read), set())
        alone = [record(0, self.A, 8, True), record(0, self.B, 8)]
        self.assertEqual(cover.hot(alone), set())
        self.assertEqual(len(cover.hot([read[0], record(1, self.B, 12,
                                                        True)])), 1)

    def test_pairs_have_an_order(self):
        run = [record(0, self.A, 8, True), record(1, self.B, 8),
               record(1, self.C, 8), record(0, self.A, 8, True)]
        self.assertEqual(cover.pairs(cover.contended(run)), {('100', '200'), ('300', '100')})
        # two reads are in no order, also on two CPUs
        read = [record(0, 1, 8), record(1, 2, 8)]
        self.assertEqual(cover.pairs(cover.contended(read)), set())

    def test_of_how_many(self):
        c = cover.Coverage()
        run = cover.contended([record(0, self.A, 8, True),
                               record(1, self.B, 8)])
        self.assertEqual(c.add(run), {('100', '200')})
        self.assertEqual((len(c.seen), c.total), (1, 2))
        self.assertEqual(c.unseen(), [('200', '100')])
        self.assertEqual(c.add(run), set())
        self.assertFalse(c.flat(2))
        c.add(run)
        self.assertTrue(c.flat(2))
        self.assertEqual(c.add(run[::-1]), {('200', '100')})
        self.assertEqual(str(c), '2 of 2 pairs, 0 instructions')
        self.assertFalse(c.flat(1))

    def test_code_is_what_tasks_executed(self):
        """Of the device nothing, and no lock; a new instruction is as new as a
        pair."""
        run = [record(0, self.A, 8), record(1, self.B, 16),
               record(1, self.C, 16, kind=trace.LOCK),
               record(trace.DEVICE, 0x400, 0, True, kind=trace.MEMORY)]
        self.assertEqual(cover.executed(run), {self.A, self.B})
        c = cover.Coverage()
        c.add([], run[:1])
        c.add([], run[:1])
        self.assertTrue(c.flat(1))
        c.add([], run)
        self.assertFalse(c.flat(1))
        self.assertEqual(str(c), '0 of 0 pairs, 2 instructions')


class Functions(fakestage.Campaigns):
    """Which of the focus were executed."""

    def focused(self, *names):
        stage = fakestage.Stage()
        stage.ours = frozenset(names)
        c = self.go(stage, runs=5)
        c._stages = [stage]
        return c

    def test_those_that_never_were_are_named(self):
        c = self.focused('release', 'destroy', 'never_called')
        self.assertEqual(c.functions(), (['destroy', 'release'],
                                         ['never_called']))
        self.assertEqual(c.focused(), '2 of 3 functions of the focus executed: '
                         'never never_called')
        got = found.search(c)
        self.assertEqual(got['functions'], ['destroy', 'release'])
        self.assertEqual(got['instructions'], len(c.state.coverage.code))

    def test_a_part_that_the_compiler_made_is_of_its_function(self):
        c = self.focused('release', 'destroy')
        c._stages[0].symbols.names = ['release.cold', 'destroy.isra.0', 'work']
        self.assertEqual(c.functions()[1], [])

    def test_of_many_the_count_will_do(self):
        c = self.focused('release', *(f'f{n}' for n in range(20)))
        self.assertEqual(c.focused(),
                         '1 of 21 functions of the focus executed')

    def test_a_scenario_that_is_elsewhere_ends_soon(self):
        stage, run = fakestage.Stage(fixed=True), fakestage.Stage.run
        stage.run = lambda *a, **k: run(stage, *a, **k)._replace(records=[])
        c = self.go(stage)
        self.assertEqual(c.state.runs, campaign.ELSEWHERE)
        self.assertIn('none of the focus is executed', c.summary())
        self.assertEqual(self.go(stage, runs=30).state.runs, 30)

    def test_it_is_kept_for_resume(self):
        c = self.focused('release')
        again = state.State(c.top)
        self.assertTrue(again.load(c.state.key))
        self.assertEqual(again.coverage.code, c.state.coverage.code)
        self.assertGreater(len(again.coverage.code), 0)
