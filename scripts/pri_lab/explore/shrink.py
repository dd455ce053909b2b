# SPDX-License-Identifier: GPL-2.0-or-later
"""The smallest plan with the same splat: fewest points, then fewest words about
the device, then the plainest order."""

from __future__ import annotations

import itertools
from typing import Callable, Iterator, List, Tuple

from .plan import Plan

Test = Callable[[Plan], bool]   # does it have the same splat?
_EACH = 8                       # events of a kind that are tried one by one
_MANY = 3                       # points and slices that people can follow
_CPUS = 4                       # all orders of more are too many


def _without(plan: Plan, field: str, test: Test) -> Tuple[Plan, bool]:
    """One of a field's words less, if that is enough."""
    words = getattr(plan, field)
    for i in reversed(range(len(words))):
        less = plan._replace(**{field: words[:i] + words[i + 1:]})
        if test(less):
            return less, True
    return plan, False


def _many(plan: Plan, test: Test) -> Plan:
    """Halves of the points less, quarters and so on: of a plan that has many,
    most are for nothing."""
    size = len(plan.points) // 2
    while size > 1:
        i = 0
        while i < len(plan.points):
            less = plan._replace(
                points=plan.points[:i] + plan.points[i + size:])
            if test(less):
                plan = less
            else:
                i += size
        size //= 2
    return plan


def _orders(cpus: int) -> List[str]:
    natural = ''.join(f'{c:x}' for c in range(cpus))
    return [natural, natural[::-1]]


def _words(plan: Plan, test: Test) -> Plan:
    for field in ('points', 'events', 'rest'):
        again = True
        while again:
            plan, again = _without(plan, field, test)
    return plan


def shrink(plan: Plan, cpus: int, test: Test) -> Plan:
    """test() is asked about other plans only; plan itself has the splat."""
    plan = _words(_many(plan, test), test)
    plan = _plain_order(plan, cpus, test)
    plan = _other_order(plan, cpus, test)
    plan = _one_of_all(plan, test)
    for i, point in enumerate(plan.points):
        if point.to is not None:        # goes last, and that is all
            less = plan._replace(points=plan.points[:i] + (
                point._replace(to=None),) + plan.points[i + 1:])
            if test(less):
                plan = less
    return plan


def _plain_order(plan: Plan, cpus: int, test: Test) -> Plan:
    """An order that needs no more points, at best one of them alone."""
    for order in _orders(cpus):
        if plan.order == order and len(plan.points) < 2:
            break
        alone = [plan._replace(order=order, points=(p,)) for p in plan.points
                 ] if len(plan.points) > 1 else []
        for other in alone + [plan._replace(order=order)]:
            if other != plan and test(other):
                # what the other order needed, this one may not
                return _words(other, test)
    return plan


def _other_order(plan: Plan, cpus: int, test: Test) -> Plan:
    """Of a plan that is hard to follow: an order that has the splat by itself
    or with one of the points."""
    if len(plan.points + plan.slices) <= _MANY or cpus > _CPUS:
        return plan
    return next(filter(test, _with_one(plan, cpus)), plan)


def _with_one(plan: Plan, cpus: int) -> Iterator[Plan]:
    orders = [''.join(f'{c:x}' for c in o)
              for o in itertools.permutations(range(cpus))]
    for points in [()] + [(p,) for p in plan.points]:
        for order in orders:
            yield plan._replace(order=order, points=points, slices=())


def _one_of_all(plan: Plan, test: Test) -> Plan:
    """Hold one event instead of every one of its kind."""
    for i, event in enumerate(plan.events):
        if event.n:
            continue
        for n in range(1, _EACH + 1):
            less = plan._replace(events=plan.events[:i] + (
                event._replace(n=n),) + plan.events[i + 1:])
            if test(less):
                plan = less
                break
    return plan
