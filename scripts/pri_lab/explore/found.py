# SPDX-License-Identifier: GPL-2.0-or-later
"""What `explore` and `repro FILE` found, as objects for --json.

Their fields are in evidence/results.py.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ..evidence import results
from ..machine import vm
from . import show
from .hit import Hit
from .measure import Counted
from .same import Same

Object = Dict[str, Any]


def hit(h: Hit, path: str) -> Object:
    f = h.fields
    return results.checked('hit', dict(
        sign=h.sign, page=f.get('page', ''), plan=h.plan,
        points=show.plan_text(h),
        replay=list(f.get('replay', (0, 0))), hashes=f.get('ways', 0),
        found=f.get('found', 0), shrunk=f.get('shrunk', 0), file=path))


def sign(text: str, times: int, first: int, page: str) -> Object:
    return results.checked('sign', dict(sign=text, schedules=times,
                                        first=first, page=page))


def search(campaign, why: str = '') -> Object:
    """Of a campaign.Campaign, also of one that could not run (why)."""
    m: Optional[vm.Machine] = campaign.machine
    s = campaign.state
    return results.checked('explore', dict(
        scenario=campaign.entry.name,
        machine=results.machine(campaign.which, m, campaign.release)
        if m else None,
        focus=campaign.options.focus, seed=campaign.options.seed,
        schedules=s.runs, seconds=round(campaign.spent(), 1),
        pairs=[len(s.coverage.seen), s.coverage.total],
        instructions=len(s.coverage.code), functions=campaign.functions()[0],
        flat=campaign.flat(),
        signs=[sign(x, *told) for x, told in sorted(
            s.signs.items(), key=lambda y: -y[1][0])],
        hits=[hit(h, p) for h, p in zip(campaign.hits, campaign.files)],
        why=why, logs=campaign.logdir))


def again(stored: Hit, m: vm.Machine, which: str, release: str,
          how: str, plan: str, seen: List[int], ways: int,
          cold: List[int]) -> Object:
    """Of `repro FILE`; plan '': not seen."""
    return results.checked('again', dict(
        scenario=stored.scenario, machine=results.machine(which, m, release),
        sign=stored.sign, verdict='REPRODUCED' if plan else 'NOT REPRODUCED',
        how=how, plan=plan, replay=seen, hashes=ways, cold=cold))


def measured(scenario: str, m: vm.Machine, which: str, release: str,
             wanted: str, cap: int, counted: List[Counted]) -> List[Object]:
    """An object a strategy."""
    return [results.checked('measure', dict(
        scenario=scenario, machine=results.machine(which, m, release),
        sign=wanted, strategy=c.name, cap=cap, first=c.first,
        schedules=c.runs, seconds=round(c.seconds, 1)))
        for c in counted]


def same(scenario: str, m: vm.Machine, which: str, release: str,
         one: Same) -> Object:
    return results.checked('same', dict(
        scenario=scenario, machine=results.machine(which, m, release),
        plan=str(one.plan), runs=one.runs, ways=[
            [end, instructions, digest, n] for (end, instructions, digest), n
            in one.ways.most_common()]))
