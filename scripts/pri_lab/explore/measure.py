# SPDX-License-Identifier: GPL-2.0-or-later
"""How many schedules until the first hit, against two baselines.

For each seed a search from nothing, from the one snapshot; the same with slices
of random length, and with the plain round robin of QEMU, whose runs differ by
the host's doing alone.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from typing import Dict, List, Optional

from . import cover, machine, oracle, search, trace
from ..core import cache
from .machine import Stage
from .plan import Plan

CAP = 200                       # schedules of a seed, at most
OFF = Plan(rest=('off',))       # Stage.run(): no plan at all


class Counted:
    """The seeds of one strategy."""

    def __init__(self, name: str):
        self.name = name
        self.first: List[Optional[int]] = []    # schedule of the hit, None
        self.runs = 0
        self.seconds = 0.0
        self.signs: Dict[str, int] = {}

    @property
    def hit(self) -> bool:
        return any(n is not None for n in self.first)

    def text(self, cap: int) -> str:
        hits = [n for n in self.first if n is not None]
        # those without a hit count as more than the cap
        median = statistics.median(n or cap + 1 for n in self.first)
        word = f'{median:g}' if median <= cap else f'more than {cap}'
        return f'{self.name}: {len(hits)} of {len(self.first)} seeds, ' \
            f'median {word}, {self.runs} schedules, ' \
            f'{60 * self.runs / max(self.seconds, 1e-9):.0f} a minute'


def _seed(stage: Stage, strategy: str, seed: int, cap: int,
          wanted: re.Pattern, out: Counted) -> None:
    s = search.Search(machine.CPUS, seed, cover.Coverage(), stage.events)
    for n in range(1, cap + 1):
        if strategy == 'search':
            plan = s.next()
        elif strategy == 'random slices':
            plan = search.random_slices(seed * 100000 + n)
        else:
            plan = OFF
        start = time.monotonic()
        run = stage.run(plan, traced=strategy == 'search')
        out.seconds += time.monotonic() - start
        out.runs += 1
        signs = [f.sign for f in oracle.findings(run)]
        for sign in signs:
            out.signs[sign] = out.signs.get(sign, 0) + 1
        if any(wanted.search(x) for x in signs):
            out.first.append(n)
            return
        if strategy == 'search' and run.end != 'lost':
            s.learn(plan, run)
    out.first.append(None)


def measure(stage: Stage, seeds: int, cap: int, wanted: str, path: str,
            out, note, strategies=('search', 'random slices',
                                   'round robin')) -> List[Counted]:
    """One a strategy, the search first.  Results so far are kept at every
    seed."""
    pattern = re.compile(wanted or '.')
    results = [Counted(x) for x in strategies]
    for r in results:
        # round robin has no seed: the host is what differs
        for seed in range(1, seeds + 1):
            note(f'{r.name}, seed {seed} of {seeds}, hits at '
                 + ' '.join(str(n) for n in r.first))
            _seed(stage, r.name, seed, cap, pattern, r)
            cache.write_atomic(path, json.dumps(
                [dict(vars(x), cap=cap) for x in results],
                indent=1).encode())
        out('  ' + r.text(cap) + ', at ' + ' '.join(
            '-' if n is None else str(n) for n in r.first))
        for sign, n in sorted(r.signs.items(), key=lambda x: -x[1]):
            out(f'    {n:5} {sign}')
    return results


def path_of(top: str) -> str:
    return os.path.join(top, 'measure.json')
