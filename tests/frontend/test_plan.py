# SPDX-License-Identifier: GPL-2.0-or-later
"""A plan as text and as data."""
import unittest

from pri_lab.core.errors import LabError
from pri_lab.explore import plan
from pri_lab.explore.plan import Event, Plan, Point


class PlanText(unittest.TestCase):
    TEXT = 'order=2103 at=0:52 at=1:l3>2 at=i500 at=prq#2 prq#1=pd#1 ' \
        'msi=+2000 slice=7'

    def test_text_and_back(self):
        self.assertEqual(str(plan.parse(self.TEXT)), self.TEXT)
        p = plan.parse(self.TEXT)
        self.assertEqual(p.points[1], Point(1, 'l', 3, 2))
        self.assertEqual(p.events[0], Event('prq', 1, 'pd#1'))
        self.assertEqual(p.events[1], Event('msi', 0, '+2000'))
        self.assertEqual(p.rest, ('slice=7',))

    def test_nothing_is_on(self):
        self.assertEqual(str(plan.parse('on')), 'on')
        self.assertEqual(str(Plan()), 'on')

    def test_what_is_wrong_is_named(self):
        for text, said in (('at=x', 'not a point'), ('at=1:q3', '1:q3'),
                           ('prq#x=now', 'not a number'),
                           ('foo', 'foo: no plan has'),
                           ('slice=x', 'slice=x: no plan has'),
                           ('order=2x', 'not an order'),
                           ('order=', 'not an order'),
                           ('prq=soon', 'soon: not a point')):
            with self.assertRaises(LabError) as e:
                plan.parse(text)
            self.assertIn(said, e.exception.what)

    def test_a_limit_makes_no_other_plan(self):
        a = plan.parse('order=01 at=0:1 at=1:2')
        b = plan.parse('order=01 at=1:2 at=0:1 limit=5')
        self.assertEqual(a.key(), b.key())
        self.assertNotEqual(a.key(), plan.parse('order=10 at=0:1').key())


if __name__ == '__main__':
    unittest.main()
