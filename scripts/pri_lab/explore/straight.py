# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of random slices as a plan with points, which can be shrunk and explained.

Random slices are one word (`rand=7:500:100000`) and hundreds of switches.  Those
that count are few: where another CPU touched something of the focus next.
"""

from __future__ import annotations

from typing import List

from . import trace
from .machine import Run
from .plan import Plan, Point

MOST = 60                       # points; the machine takes 64 words


def is_random(plan: Plan) -> bool:
    return any(w.startswith('rand=') for w in plan.rest)


def switches(records: List[trace.Record]) -> List[Point]:
    """A point at each one that came to another CPU."""
    out: List[Point] = []
    for r in records:
        if r.kind == trace.SWITCH and not (out and out[-1].to == r.actor):
            out.append(Point(-1, '', 0, r.actor, f'i{r.icount}'))
    return out


def plans(run: Run, cpus: int) -> List[Plan]:
    """Without random slices, likeliest first; a plan for each order that may
    matter between the points.  None has to have what the run had."""
    points = tuple(switches(trace.racing(run.records)))
    if not points or len(points) > MOST:
        return []
    natural = list(range(cpus))
    came = list(dict.fromkeys([p.to for p in points if p.to is not None]
                              + natural))
    rest = tuple(w for w in run.plan.rest if not w.startswith('rand='))
    return [Plan(''.join(f'{c:x}' for c in order), points, run.plan.events,
                 rest) for order in (natural, came)]
