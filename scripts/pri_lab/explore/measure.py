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
from .machine import Run, Stage
from .plan import Plan

CAP = 200                       # schedules of a seed, at most
HOST = 3                        # "seeds" of what has none: the host differs
OFF = Plan(rest=('off',))       # Stage.run(): no plan at all


class Counted:
    """The seeds of one strategy."""

    def __init__(self, name: str):
        self.name = name
        self.first: List[Optional[int]] = []    # schedule of the hit, None
        self.runs = 0
        self.seconds = 0.0
        self.signs: Dict[str, int] = {}

    def load(self, told: Dict) -> None:
        """What another command has counted."""
        vars(self).update({k: told[k] for k in vars(self)})

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


class Limit:
    """A CPU that is stuck costs what runs that ended tell, as in a search."""

    def __init__(self, stage: Stage):
        self.stage = stage
        self.longest = 0

    def learn(self, run: Run) -> None:
        if run.end == 'end':
            self.longest = max(self.longest,
                               run.report.get('instructions', 0))
        self.stage.learn_limit(self.longest)


def _seed(stage: Stage, strategy: str, seed: int, cap: int,
          wanted: re.Pattern, out: Counted, limit: Limit) -> None:
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
        limit.learn(run)
        signs = [f.sign for f in oracle.findings(run)]
        for sign in signs:
            out.signs[sign] = out.signs.get(sign, 0) + 1
        if any(wanted.search(x) for x in signs):
            out.first.append(n)
            return
        if strategy == 'search' and run.end != 'lost':
            s.learn(plan, run)
    out.first.append(None)


def _before(path: str, same: Dict, results: List[Counted]) -> None:
    """--resume: the seeds of a command that asked for the same."""
    try:
        with open(path, encoding='utf-8') as f:
            told = {x['name']: x for x in json.load(f)
                    if all(x.get(k) == v for k, v in same.items())}
    except (OSError, ValueError):
        return
    for r in results:
        if r.name in told:
            r.load(told[r.name])


def measure(stage: Stage, seeds: int, cap: int, wanted: str, path: str,
            out, note, strategies=('search', 'random slices', 'round robin'),
            resume: bool = False) -> List[Counted]:
    """One a strategy, the search first.  Results so far are kept at every
    seed."""
    pattern = re.compile(wanted or '.')
    results = [Counted(x) for x in strategies]
    same = dict(cap=cap, sign=wanted, key=stage.key())
    if resume:
        _before(path, same, results)
    limit = Limit(stage)
    for r in results:
        most = min(seeds, HOST) if r.name == 'round robin' else seeds
        for seed in range(len(r.first) + 1, most + 1):
            note(f'{r.name}, seed {seed} of {seeds}, hits at '
                 + ' '.join(str(n) for n in r.first))
            _seed(stage, r.name, seed, cap, pattern, r, limit)
            cache.write_atomic(path, json.dumps(
                [dict(vars(x), **same) for x in results],
                indent=1).encode())
        out('  ' + r.text(cap) + ', at ' + ' '.join(
            '-' if n is None else str(n) for n in r.first))
        for sign, n in sorted(r.signs.items(), key=lambda x: -x[1]):
            out(f'    {n:5} {sign}')
    return results


def path_of(top: str) -> str:
    return os.path.join(top, 'measure.json')
