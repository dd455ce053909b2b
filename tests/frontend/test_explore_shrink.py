# SPDX-License-Identifier: GPL-2.0-or-later
"""Of a plan that hits, what is needed; random slices as points"""
import unittest

import fakestage
from pri_lab.explore import oracle, plan, shrink, straight, trace
from pri_lab.explore.plan import Plan, Point, Slice
from test_explore import UAF, ended, record


class Shrink(unittest.TestCase):
    def test_fewest_points_then_events_then_the_plain_order(self):
        asked = []

        def test(p):
            asked.append(p)
            return Point(1, '', 5) in [x._replace(to=None) for x in p.points] \
                and any(e.kind == 'prq' and e.n in (0, 2) for e in p.events)

        big = plan.parse('order=2103 at=0:1 at=1:5>2 at=2:9 msi=+5 prq=pd#1 '
                         'hold=9')
        small = shrink.shrink(big, 4, test)
        self.assertEqual(str(small), 'order=0123 at=1:5 prq#2=pd#1')
        self.assertNotIn(big, asked)

    def test_of_many_points_halves_are_left_out(self):
        asked = []
        needed = {Point(0, '', 7), Point(2, '', 31)}

        def test(p):
            asked.append(p)
            return needed <= set(p.points)

        big = Plan('0123', tuple(Point(c % 4, '', c) for c in range(1, 41))
                   + (Point(0, '', 7), Point(2, '', 31)))
        self.assertEqual(set(shrink.shrink(big, 4, test).points), needed)
        self.assertLess(len(asked), 60)

    def test_what_is_needed_stays(self):
        def test(p):
            return p.order == '2103' and len(p.points) == 2
        big = plan.parse('order=2103 at=0:1 at=1:5>2')
        self.assertEqual(str(shrink.shrink(big, 4, test)),
                         'order=2103 at=0:1 at=1:5')

    def test_another_order_may_need_less(self):
        def test(p):
            return len(p.points) == 2 or p.order == '0123'
        big = plan.parse('order=2103 at=0:1 at=1:5')
        self.assertEqual(str(shrink.shrink(big, 4, test)), 'order=0123')

    def test_of_many_that_are_needed_an_order_with_one(self):
        many = tuple(Point(c % 4, '', c) for c in range(1, 6))
        asked = []

        def test(p):
            asked.append(p)
            return p.points == many or (p.order, p.points) == (
                '2031', (many[3],))
        small = shrink.shrink(Plan('0123', many), 4, test)
        self.assertEqual(str(small), 'order=2031 at=0:4')
        asked.clear()
        few = Plan('0123', many[:3])
        self.assertEqual(shrink.shrink(few, 4, lambda p: test(p) and False),
                         few)
        self.assertLess(len(asked), 12)         # not all orders
        listed = plan.parse('order=0123 ' + ' '.join(
            f'slice=2103:{n}' for n in range(1, 6)))
        self.assertEqual(str(shrink.shrink(
            listed, 4, lambda p: p.order == '3120' and not p.slices)),
            'order=3120')

    def test_the_fake_bug_is_one_point(self):
        stage = fakestage.Stage()

        def test(p):
            return UAF in [f.sign for f in oracle.findings(stage.run(p))]

        big = plan.parse('order=3120 at=3:4 at=1:21>2 at=2:90 at=0:2')
        self.assertTrue(test(big))
        self.assertEqual(str(shrink.shrink(big, 4, test)),
                         'order=0123 at=1:21')


class Straight(unittest.TestCase):
    """Random slices as points"""

    def run_of(self, *to):
        return ended()._replace(
            plan=plan.parse('prq=pd#1 rand=7:500:100000 hold=9'),
            records=[record(cpu, 0, 0, kind=trace.SWITCH, icount=at)
                     for at, cpu in to])

    def test_a_point_at_each_switch_to_another_cpu(self):
        run = self.run_of((10, 2), (20, 2), (30, 1), (40, 3))
        self.assertEqual([str(p) for p in straight.plans(run, 4)], [
            f'order={o} at=i10>2 at=i30>1 at=i40>3 prq=pd#1 hold=9'
            for o in ('0123', '2130')])

    def test_slices_one_by_one_as_the_machine_tells_them(self):
        run = self.run_of()
        run.report['made'] = ['2103:500', '0123:77']
        self.assertEqual(str(straight.listed(run)),
                         'slice=2103:500 slice=0123:77 prq=pd#1 hold=9')

    def fewest(self, slices, wanted):
        """wanted(slices) has the splat."""
        asked = []

        def test(p):
            asked.append(p)
            return wanted(p.slices)
        big = Plan('0123', slices=tuple(slices))
        return straight.fewest(big, test).slices, len(asked)

    def test_slices_that_are_not_needed_are_left_out(self):
        all_ = [Slice('0123', n) for n in range(1, 301)]
        all_[90] = Slice('2103', 91)
        all_[120] = Slice('3210', 121)
        kept, runs = self.fewest(all_, lambda slices: [
            s.order for s in slices if s.order != '0123'] == ['2103', '3210'])
        self.assertEqual([s.order for s in kept], ['2103', '3210'])
        self.assertLess(runs, 70)

    def test_time_of_those_left_out_is_kept(self):
        all_ = [Slice('0123', 10), Slice('1023', 5), Slice('2103', 7)]
        kept, _ = self.fewest(all_, lambda slices: bool(slices) and sum(
            s.n for s in slices[:-1]) == 15 and slices[-1].order == '2103')
        self.assertEqual(kept, (Slice('1023', 15), Slice('2103', 7)))
        kept, _ = self.fewest(all_, lambda slices: sum(
            s.n for s in slices) == 22)
        self.assertEqual(len(kept), 1)
        self.assertEqual(self.fewest(all_, lambda slices: True)[0], ())

    def test_straight_of_slices_whose_points_do_not_have_it(self):
        stage = fakestage.Stage()
        listed = plan.parse('slice=0123:20 slice=1023:21 slice=2103:90 '
                            'slice=3210:4')
        asked = []

        def run(p):
            asked.append(p)
            r = stage.run(listed if straight.is_random(p) else p)
            return r._replace(plan=p, report=dict(
                r.report, made=[f'{s.order}:{s.n}' for s in listed.slices]))

        def test(p):
            return UAF in [f.sign for f in oracle.findings(run(p))]
        start = plan.parse('rand=7:500:100000')
        self.assertTrue(test(start))
        got = straight.straighten(start, 4, run, test)
        self.assertEqual([s.order for s in got.slices], ['1023', '2103'])
        for i in range(len(got.slices)):
            self.assertFalse(test(got._replace(
                slices=got.slices[:i] + got.slices[i + 1:])))
        self.assertFalse(straight.is_random(got))
        self.assertTrue(test(got))

    def test_the_order_of_a_slice_may_be_enough(self):
        def run(p):
            return self.run_of()._replace(plan=p, report={
                'made': ['0123:5', '3120:7', '2103:9']})
        got = straight.straighten(
            plan.parse('rand=7:500:100000'), 4, run, lambda p: '3120' in
            [p.order] + [s.order for s in p.slices])
        self.assertEqual(str(got), 'order=3120')

    def test_no_more_than_the_machine_takes(self):
        self.assertEqual(straight.plans(self.run_of(*(
            (n, n % 2) for n in range(65))), 4), [])
        self.assertEqual(straight.plans(self.run_of(), 4), [])
