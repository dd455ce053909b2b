# SPDX-License-Identifier: GPL-2.0-or-later
"""Accesses that conflict, and in which order they were seen.

Two accesses conflict when two actors (CPUs, the device) touch one place
of memory and one of them writes.  What was covered is ordered pairs of sites: A
touched a place, and the next of another actor to touch it was B.  Besides: the
code of the focus that was executed, by whatever task, as far as it touches memory.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Set, Tuple

from .trace import ACCESS, DEVICE, MEMORY, Record, WRITE

Pair = Tuple[str, str]          # sites, the first came first


class Access(NamedTuple):
    """One execution of a site, to put a point at."""
    cpu: int
    n: int                      # as the plan counts them, per vCPU
    site: str
    at: int                     # index of its record


class Touch(NamedTuple):
    """An access to a place that conflicts."""
    at: int                     # index of its record
    r: Record
    place: int


def hot(records: List[Record]) -> Set[int]:
    """Places that two actors touch and one writes."""
    who: Dict[int, int] = {}    # place -> the first one to touch it
    shared: Set[int] = set()
    written: Set[int] = set()
    for r in records:
        if r.kind in (ACCESS, MEMORY):
            place = r.place
            if who.setdefault(place, r.actor) != r.actor:
                shared.add(place)
            if r.flags & WRITE:
                written.add(place)
    return shared & written


def contended(records: List[Record]) -> List[Touch]:
    """The accesses to these, in order: few of all, so that what is asked of a
    run is asked of them."""
    places = hot(records)
    return [Touch(i, r, r.place) for i, r in enumerate(records)
            if r.kind in (ACCESS, MEMORY) and r.place in places]


def accesses(touches: List[Touch]) -> List[Access]:
    """Those of CPUs."""
    return [Access(t.r.actor, t.r.n, t.r.site, t.at) for t in touches
            if t.r.actor != DEVICE]


def pairs(touches: List[Touch]) -> Set[Pair]:
    """Ordered pairs of one run."""
    last: Dict[int, Record] = {}
    out: Set[Pair] = set()
    for _, r, place in touches:
        before = last.get(place)
        if before is not None and before.actor != r.actor and \
                (before.write or r.write):
            out.add((before.site, r.site))
        last[place] = r
    return out


def possible(touches: List[Touch]) -> Set[FrozenSet[str]]:
    """Sites of different actors that touched one place, one writing: each is
    two ordered pairs, or one if both are the same instruction."""
    by: Dict[int, Set[Tuple[int, str, bool]]] = defaultdict(set)
    for _, r, place in touches:
        by[place].add((r.actor, r.site, r.write))
    out: Set[FrozenSet[str]] = set()
    for sites in by.values():
        for a, s, w in sites:
            for b, t, x in sites:
                if a < b and (w or x):
                    out.add(frozenset((s, t)))
    return out


def executed(records: Iterable[Record]) -> Set[int]:
    """Addresses of instructions."""
    return {r.pc for r in records if r.kind == ACCESS}


class Coverage:
    """Over the runs of a campaign."""

    def __init__(self) -> None:
        self.seen: Set[Pair] = set()
        self.all: Set[FrozenSet[str]] = set()
        self.code: Set[int] = set()
        self.new_at = 0         # number of the run that added to it last
        self.runs = 0

    def add(self, touches: List[Touch], records: Iterable[Record] = ()
            ) -> Set[Pair]:
        """A run; the pairs that are new."""
        self.runs += 1
        fresh = pairs(touches) - self.seen
        self.seen |= fresh
        self.all |= possible(touches)
        self.all |= {frozenset(p) for p in fresh}
        code = executed(records)
        if fresh or not code <= self.code:
            self.new_at = self.runs
        self.code |= code
        return fresh

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
        return f'{len(self.seen)} of {self.total} pairs, ' \
            f'{len(self.code)} instructions'
