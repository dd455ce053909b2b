# SPDX-License-Identifier: GPL-2.0-or-later
"""Accesses that conflict, and in which order they were seen.

Two accesses conflict when two actors (CPUs, the device) touch one place
of memory and one of them writes.  What was covered is ordered pairs of sites: A
touched a place, and the next of another actor to touch it was B.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Dict, FrozenSet, List, NamedTuple, Set, Tuple

from .trace import ACCESS, DEVICE, MEMORY, Record, touches

Pair = Tuple[str, str]          # sites, the first came first


class Access(NamedTuple):
    """One execution of a site, to put a point at."""
    cpu: int
    n: int                      # as the plan counts them, per vCPU
    site: str
    at: int                     # index of its record


def hot(records: List[Record]) -> Set[int]:
    """Places that two actors touch and one writes."""
    who: Dict[int, Set[int]] = defaultdict(set)
    written: Set[int] = set()
    for r in touches(records):
        who[r.place].add(r.actor)
        if r.write:
            written.add(r.place)
    return {p for p, actors in who.items() if len(actors) > 1 and p in written}


def conflicting(records: List[Record]) -> List[Record]:
    places = hot(records)
    return [r for r in touches(records) if r.place in places]


def accesses(records: List[Record]) -> List[Access]:
    """Those of CPUs among the conflicting ones."""
    places = hot(records)
    return [Access(r.actor, r.n, r.site, i) for i, r in enumerate(records)
            if r.kind in (ACCESS, MEMORY) and r.actor != DEVICE
            and r.place in places]


def pairs(records: List[Record]) -> Set[Pair]:
    """Ordered pairs of one run."""
    last: Dict[int, Record] = {}
    out: Set[Pair] = set()
    for r in touches(records):
        before = last.get(r.place)
        if before is not None and before.actor != r.actor and \
                (before.write or r.write):
            out.add((before.site, r.site))
        last[r.place] = r
    return out


def possible(records: List[Record]) -> Set[FrozenSet[str]]:
    """Sites of different actors that touched one place, one writing: each is
    two ordered pairs, or one if both are the same instruction."""
    by: Dict[int, Set[Tuple[int, str, bool]]] = defaultdict(set)
    for r in conflicting(records):
        by[r.place].add((r.actor, r.site, r.write))
    out: Set[FrozenSet[str]] = set()
    for sites in by.values():
        for a, s, w in sites:
            for b, t, x in sites:
                if a < b and (w or x):
                    out.add(frozenset((s, t)))
    return out


class Coverage:
    """Over the runs of a campaign."""

    def __init__(self) -> None:
        self.seen: Set[Pair] = set()
        self.all: Set[FrozenSet[str]] = set()
        self.new_at = 0         # number of the run that added to it last
        self.runs = 0

    def add(self, records: List[Record]) -> int:
        """How many pairs are new."""
        self.runs += 1
        fresh = pairs(records) - self.seen
        self.seen |= fresh
        self.all |= possible(records)
        self.all |= {frozenset(p) for p in fresh}
        if fresh:
            self.new_at = self.runs
        return len(fresh)

    @property
    def total(self) -> int:
        return sum(2 if len(x) == 2 else 1 for x in self.all)

    def unseen(self) -> List[Pair]:
        """The other order of pairs that were seen in one; sorted."""
        return sorted((b, a) for a, b in self.seen if (b, a) not in self.seen)

    def flat(self, window: int) -> bool:
        """Nothing new in that many runs."""
        return self.runs - self.new_at >= window

    def __str__(self) -> str:
        return f'{len(self.seen)} of {self.total} pairs'
