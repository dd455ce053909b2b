# SPDX-License-Identifier: GPL-2.0-or-later
"""Is a run all that its plan says?  The same plans over and over.

Two runs are the same if they have executed as many instructions and their hash
is the same, which is over every access in focus with its value, every switch
and every device event.  A run that differs is a leak of the machine: something
of the host has decided; the first record of the traces that differs, and what
was before it, says where to look.
"""

from __future__ import annotations

from collections import Counter
from typing import Callable, Dict, List

from . import show, trace
from .machine import Stage
from .plan import Plan, parse

# an order, device events that are kept, and many switches at any instruction
PLANS = ('order=2103', 'order=1230 prq=pd#1 resp=+20000 bh=+5000',
         'rand=7:500:50000 cpl=+3000')


RUNS = 100                      # of each, unless told
BEFORE = 6                      # records shown that two runs have in common


class Same:
    """The runs of one plan."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.ways: Counter = Counter()      # (end, instructions, hash)
        self.first: List[trace.Record] = []     # of the first run
        self.apart: List[str] = []      # where the first that differs does

    @property
    def runs(self) -> int:
        return sum(self.ways.values())

    @property
    def good(self) -> bool:
        return len(self.ways) == 1 and 'lost' not in next(iter(self.ways))

    def lines(self) -> List[str]:
        most = self.ways.most_common(1)[0][1] if self.ways else 0
        out = [f'{most} of {self.runs} the same: {self.plan}']
        if not self.good:
            out += [f'  {n:4} {end}, {insns} instructions, hash {digest}'
                    for (end, insns, digest), n in self.ways.most_common()]
        return out + self.apart


def apart(a: List[trace.Record], b: List[trace.Record],
          stage: Stage) -> List[str]:
    """What two runs did before they parted, and then."""
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
              min(len(a), len(b)))
    if at == len(a) == len(b):
        return ['  the traces are the same: what differs is in neither']
    return [f'  the same for {at} of {len(a)} and {len(b)} records; last:'] + [
        f'    {show.record_text(r, stage)}' for r in a[max(0, at - BEFORE):at]
    ] + ['  then:'] + [f'    {show.record_text(r, stage)}'
                       for r in a[at:at + 1] + b[at:at + 1]]


def check(stage: Stage, texts: List[str], runs: int,
          note: Callable[[str], None]) -> List[Same]:
    """So many runs of each plan, one plan after the other in turns, so that
    what one leaves behind meets the next."""
    plans: Dict[str, Same] = {t: Same(parse(t)) for t in texts}
    for n in range(runs):
        for same in plans.values():
            run = stage.run(same.plan)
            same.ways[(run.end,) + run.same] += 1
            if n == 0:
                same.first = run.records
            elif len(same.ways) > 1 and not same.apart:
                same.apart = apart(same.first, run.records, stage)
        note(f'run {n + 1} of {runs}, ' + ', '.join(
            str(len(x.ways)) for x in plans.values()) + ' way(s)')
    return list(plans.values())
