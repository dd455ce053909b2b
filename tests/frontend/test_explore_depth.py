# SPDX-License-Identifier: GPL-2.0-or-later
"""explore: races that take more than one point, and points next to locks"""
import unittest

import fakebind
import fakestage
from pri_lab.explore import (cover, hit, oracle, plan, search, show, trace)
from pri_lab.explore.machine import Run
from pri_lab.explore.plan import Plan, Point

UAF = 'KASAN: slab-use-after-free in unbind'
CAP = 200                       # a third are of random slices


def record(actor, n, addr, write=False, icount=0, lock=''):
    return trace.Record(icount or n, 0x100 * actor + n, addr, trace.UNKNOWN, 0,
                        0, n, actor, trace.LOCK if lock else trace.ACCESS,
                        ord(lock) if lock else 8,
                        trace.WRITE if write else 0, 0)


def run_of(*records):
    return Run(Plan(), 'end', {}, list(records), [], ['# scene: end'], [])


class TwoPoints(unittest.TestCase):
    """The writer is stopped once it has given the lock, the reader behind its
    read: no single point is enough."""

    def test_no_single_point_has_it(self):
        stage = fakebind.Stage()
        for order in ('0123', '3210', '2103', '1023'):
            length = len(stage.run(Plan(order)).records)
            for at in [Point(c, k, n) for c in (1, 2) for k in ('', 'l')
                       for n in range(1, 25)] + \
                    [Point(-1, '', 0, to, f'i{n}') for n in range(length)
                     for to in (1, 2)]:
                self.assertEqual(stage.run(Plan(order, (at,))).console, [])

    def test_it_is_found_with_every_seed(self):
        at = [fakestage.hunt(fakebind.Stage(), seed, CAP)[0] for seed in range(8)]
        self.assertNotIn(None, at)
        self.assertLess(sorted(at)[4], 80)

    def test_with_the_fix_nothing_is(self):
        for seed in range(3):
            self.assertIsNone(fakestage.hunt(
                fakebind.Stage(fixed=True), seed, CAP)[0])

    def test_it_is_told_and_found_again_on_another_kernel(self):
        stage = fakebind.Stage()
        records = stage.run(Plan('0123')).records
        write = next(r for r in records if r.addr == fakebind.DEV and r.write)
        small = Plan('0123', (Point(-1, '', 0, 2, f'i{write.icount - 1}'),
                              Point(2, '', 13, 1)))
        run = stage.run(small)
        self.assertIn(UAF, [f.sign for f in oracle.findings(run)])
        stored = hit.Hit(dict(
            scenario='bind', kernel='7.3', sign=UAF, plan=str(small),
            points=[hit.describe(p, run, stage) for p in small.points],
            key='k'))
        text = '\n'.join(show.plan_text(stored))
        self.assertIn('before its write at bind+0x28', text)
        self.assertIn('after its read at unbind+0x8', text)
        other = fakebind.Stage(shift=0x1000, key='other', noise=14)
        again = hit.again(stored, other)
        self.assertIn('symbol', again.how)
        self.assertIn(UAF, [f.sign for f in
                            oracle.findings(other.run(again.plan))])


class Cuts(unittest.TestCase):
    """A run is continued from at any place in it."""

    def search(self):
        return search.Search(4, 1, cover.Coverage(), False)

    def test_counts_of_two_processors_are_no_order(self):
        """Access 5 of CPU 2 is after access 9 of CPU 1."""
        s = self.search()
        p = Plan('0123', (Point(1, '', 9),))
        s.learn(p, run_of(record(1, 9, 0x40, True), record(2, 5, 8),
                          record(1, 10, 8, True)))
        self.assertEqual(s.sites[2, '205'], [(p, 5)])

    def test_what_came_before_a_point_is_gone_on_from_without_it(self):
        s = self.search()
        p = Plan('0123', (Point(1, '', 9),))
        s.learn(p, run_of(record(1, 3, 8, True), record(1, 9, 0x40, True),
                          record(2, 5, 8)))
        self.assertEqual(s.sites[1, '103'], [(Plan('0123'), 3)])
        self.assertEqual(s.sites[2, '205'], [(p, 5)])
        self.assertEqual(s.flips['205', '103'],
                         search.Flip(Plan('0123'), Point(1, '', 2, 2)))

    def test_a_point_is_right_before_the_access(self):
        """Not where a lock keeps the other one out."""
        for locks, point in (
                ((), Point(1, '', 2, 2)),
                (('a', 4), Point(1, 'l', 4, 2)),
                (('r', 4), Point(-1, '', 0, 2, 'i29')),
                (('r', 4, 'a', 5), Point(1, 'l', 5, 2)),
                (('a', 4, 'r', 5), Point(-1, '', 0, 2, 'i29'))):
            s = self.search()
            s.learn(Plan('0123'), run_of(
                record(1, 2, 0x40, True, 20),
                *(record(1, n, 0x90, False, 21, what)
                  for what, n in zip(locks[::2], locks[1::2])),
                record(1, 3, 8, True, 30), record(2, 5, 8, False, 40)))
            self.assertEqual(s.flips['205', '103'].point, point, locks)

    def test_the_reader_is_stopped_in_a_run_with_a_point(self):
        """In one without, every site is a point of its own."""
        s = self.search()
        records = (record(1, 1, 0x40, True), record(2, 5, 8),
                   record(1, 2, 8, True))
        s.learn(Plan('0123'), run_of(*records))
        self.assertEqual(s.stale, {})
        s = self.search()
        p = Plan('0123', (Point(1, '', 1),))
        s.learn(p, run_of(*records))
        self.assertEqual(s.stale, {('205', '102'): search.Flip(
            p, Point(2, '', 5, 1))})
        self.assertEqual(s._stop_reader(), plan.parse(
            'order=0123 at=1:1 at=2:5>1'))
        self.assertIsNone(s._stop_reader())

    def test_under_a_common_lock_it_is_the_lock_that_is_turned_round(self):
        def two(lock):
            return run_of(record(1, 4, 0x90, False, 5, 'a'),
                          record(1, 1, 0x40, True, 6), record(1, 2, 8, True, 7),
                          record(1, 5, 0x90, False, 8, 'r'),
                          record(2, 7, lock, False, 9, 'a'),
                          record(2, 1, 8, False, 10),
                          record(2, 2, 0x48, False, 11))
        for lock, point in ((0x90, Point(1, 'l', 4, 2)),
                            (0x98, Point(1, '', 1, 2))):
            s = self.search()
            s.learn(Plan('0123'), two(lock))
            self.assertEqual(s.flips, {('201', '102'): search.Flip(
                Plan('0123'), point)})
        # nor is a reader stopped who keeps the writer out
        p = Plan('0123', (Point(1, '', 1),))
        for lock, many in ((0x90, 0), (0x98, 1)):
            s = self.search()
            s.learn(p, two(lock))
            self.assertEqual(len(s.stale), many)

    def test_what_no_common_lock_guards_comes_first(self):
        records = []
        for i in range(40):             # by turns, 20 under a lock
            lock = [0x90] if i < 20 else []
            for cpu in (1, 2):
                records += [record(cpu, 9 + i, x, lock='a') for x in lock]
                records += [record(cpu, 1 + i, 0x1000 + 8 * i, cpu == 1)]
                records += [record(cpu, 99 + i, x, lock='r') for x in lock]
        s = self.search()
        s.learn(Plan('0123'), run_of(*records))
        self.assertEqual((len(s.sites), len(s.bare)), (80, 40))
        first = [s._site().points[0].n for _ in range(40)]
        self.assertEqual(set(first), set(range(21, 41)))
        turned = [s._flip().points[0] for _ in range(20)]
        self.assertEqual({(p.kind, p.n) for p in turned},
                         {('', n) for n in (0, *range(21, 40))})

    def test_no_more_points_than_a_plan_may_have(self):
        s = self.search()
        p = Plan('0123', tuple(Point(1, '', n) for n in (1, 2, 3)))
        s.learn(p, run_of(*(record(1, n, 0x40 * n, True) for n in (1, 2, 3)),
                          record(2, 5, 8), record(1, 4, 8, True)))
        self.assertEqual((dict(s.sites), s.flips, s.stale), ({}, {}, {}))
