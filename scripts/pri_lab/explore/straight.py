# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of random slices as a plan that can be shrunk and explained.

Random slices are one word (`rand=7:500:100000`) and hundreds of switches.  Those
that count are few.  Where another CPU touched something of the focus next, a
point may do: that is tried first.  It is not the same run.  The slices, listed
one by one, are: of these as many are left out as can be, and then an order of
theirs and points are tried again.
"""

from __future__ import annotations

from typing import Callable, List, Tuple

from . import trace
from .machine import Run
from .plan import Plan, Point, Slice, slice_of

MOST = 60                       # points; the machine takes 64 words
Test = Callable[[Plan], bool]   # does it have the same splat?
Runs = Callable[[Plan], Run]


def is_random(plan: Plan) -> bool:
    return any(w.startswith('rand=') for w in plan.rest)


def switches(records: List[trace.Record]) -> List[Point]:
    """A point at each one that came to another CPU."""
    out: List[Point] = []
    for r in records:
        if r.kind == trace.SWITCH and not (out and out[-1].to == r.actor):
            out.append(Point(-1, '', 0, r.actor, f'i{r.icount}'))
    return out


def _without(plan: Plan) -> Plan:
    """A plan without what makes slices."""
    return plan._replace(slices=(), rest=tuple(
        w for w in plan.rest if not w.startswith('rand=')))


def plans(run: Run, cpus: int) -> List[Plan]:
    """Without slices, likeliest first; a plan for each order that may
    matter between the points.  None has to have what the run had."""
    points = tuple(switches(trace.racing(run.records)))
    if not points or len(points) > MOST:
        return []
    natural = list(range(cpus))
    came = list(dict.fromkeys([p.to for p in points if p.to is not None]
                              + natural))
    return [_without(run.plan)._replace(
        order=''.join(f'{c:x}' for c in order), points=points)
        for order in (natural, came)]


def listed(run: Run) -> Plan:
    """The same run, its slices one by one; as many as the machine tells."""
    return _without(run.plan)._replace(slices=tuple(
        slice_of(x) for x in run.report.get('made', ())))


def _fewer(slices: Tuple[Slice, ...], start: int, end: int
           ) -> Tuple[Slice, ...]:
    """Some less: the one before them, or behind if there is none, takes
    their time."""
    lost = sum(s.n for s in slices[start:end])
    if start:
        kept = slices[start - 1]
        return slices[:start - 1] + (kept._replace(n=kept.n + lost),) + \
            slices[end:]
    if end == len(slices):
        return ()
    return (slices[end]._replace(n=slices[end].n + lost),) + slices[end + 1:]


def _end(plan: Plan, test: Test) -> Plan:
    """The slices up to where the order does not matter any more."""
    lo, hi = 0, len(plan.slices)
    while lo < hi:
        middle = (lo + hi) // 2
        if test(plan._replace(slices=plan.slices[:middle])):
            hi = middle
        else:
            lo = middle + 1
    return plan._replace(slices=plan.slices[:hi])


def fewest(plan: Plan, test: Test) -> Plan:
    """Of its slices those that are needed; plan itself has the splat."""
    plan = _end(plan, test)
    size = max(len(plan.slices) // 2, 1)
    while True:
        start, before = 0, len(plan.slices)
        while start < len(plan.slices):
            end = min(start + size, len(plan.slices))
            less = [_fewer(plan.slices, start, end)]
            if size == 1:               # and their time
                less.append(plan.slices[:start] + plan.slices[end:])
            found = next((x for x in less
                          if test(plan._replace(slices=x))), None)
            if found is None:
                start += size
            else:
                plan = plan._replace(slices=found)
        if size == 1 and len(plan.slices) == before:
            return plan
        size = max(size // 2, 1)


def straighten(plan: Plan, cpus: int, run: Runs, test: Test) -> Plan:
    """A plan with the same splat, of points if there is one."""
    first = run(plan)
    for other in plans(first, cpus):
        if test(other):
            return other
    told = listed(first)
    if not told.slices or not test(told):
        return plan                     # longer than the machine tells
    told = fewest(told, test)
    orders = [told._replace(order=s.order, slices=()) for s in told.slices]
    return next(filter(test, orders + plans(run(told), cpus)), told)
