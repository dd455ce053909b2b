# SPDX-License-Identifier: GPL-2.0-or-later
"""Which plan is next.

1. some orders of the vCPUs with no point;
2. by turns: each kind of device event held in some way, with no point; every
   conflicting site once with one point; pairs of accesses that were seen in
   one order only, turned round; and who has read what another one is about to
   write, stopped behind that read; those under no common lock before others;
3. for good: those that are new since, two or three points by site, device
   events held besides, or until a CPU is at a conflicting access, and
   points at anything (PCT).

One plan in three is of random slices: where many switches in a long time count,
and not one at its place, they are better than all of that.  straight.py makes
points of what they hit.

A point extends the plan that it was found in: all up to it stays as it was,
and what came later is left out.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from . import cover, straight, trace
from .machine import Run
from .plan import Event, Plan, Point

ORDERS = 8                      # profiles without device events
POINTS = 3                      # in a plan, at most
RANDOM = 3                      # one plan in so many is of random slices
AGAIN = 2                       # orders more, of what is held until a wait
WINDOW = 100                    # runs without a new pair: flat
# How a kind of device event is held: legal for any hardware.  A CPU that
# spins until an invalidation is through is never idle: no `idle` for those.
_HOLDS = ('+50000', 'idle', '+2000')
_SPUN_FOR = ('inv', 'cpl', 'desc', 'wait')
_SPECIAL = {'prq': ('pd#1',), 'pr': ('wait#1',), 'resp': ('wait#1',)}
_HELD = ('pr', 'resp', 'inv', 'cpl', 'tr', 'prq', 'desc', 'wait', 'msi',
         'dma', 'timer', 'bh')


class Hold(NamedTuple):
    """A way to hold a kind of device event."""
    turn: int                   # the likeliest ways of all kinds come first,
                                # before these those that wait for the IOMMU
    kind: str
    when: str


def ways(kind: str) -> Tuple[str, ...]:
    """Until when a kind of event may be held, the likeliest first."""
    return _SPECIAL.get(kind, ()) + tuple(
        x for x in _HOLDS if x != 'idle' or kind not in _SPUN_FOR)


def holds(kind: str) -> List[Hold]:
    """These that wait for the IOMMU in several orders of the CPUs."""
    special = _SPECIAL.get(kind, ())
    return [Hold(i - len(special), kind, when)
            for i, when in enumerate(ways(kind))] + \
        [Hold(turn, kind, when) for when in special
         for turn in range(AGAIN)]


class Profile(NamedTuple):
    """A run that others start from."""
    plan: Plan
    hot: List[cover.Access]     # conflicting accesses
    every: List[Point]          # focus accesses and lock operations


class Flip(NamedTuple):
    """A point to add to a plan: that stops the first one of a pair before it,
    or one that has read behind its read."""
    plan: Plan
    point: Point


class Touch(NamedTuple):
    """An access in a run."""
    at: int                     # index of its record
    r: trace.Record
    held: Dict[int, int]        # locks of its CPU -> record of taking it


class Cut:
    """A run, to continue from any place in it: a plan without the points that
    came later is the same run as far as that."""

    def __init__(self, plan: Plan, records: List[trace.Record]):
        self.plan = plan
        self.records = records
        wanted = {(p.cpu, p.kind, p.n): p for p in plan.points}
        self._came: Dict[Point, int] = {}
        for i, r in enumerate(records) if wanted else ():
            point = wanted.get((r.actor, 'l' if r.kind == trace.LOCK else '',
                                r.n))
            if point is not None and r.kind in (trace.ACCESS, trace.LOCK):
                self._came[point] = i
        for p in plan.points:
            if p.where.startswith('i'):
                self._came[p] = next((i for i, r in enumerate(records)
                                      if r.icount >= int(p.where[1:])),
                                     len(records))

    def locks(self, touches: List[cover.Touch]) -> List[Dict[int, int]]:
        """What its CPU holds at each: lock -> record of taking it."""
        held: Dict[int, Dict[int, int]] = defaultdict(dict)
        none: Dict[int, int] = {}
        out = []
        done = 0
        for at, r, _ in touches:
            for i in range(done, at):
                lock = self.records[i]
                if lock.kind != trace.LOCK:
                    continue
                # a new one each time: what is in `out` stays as it is
                mine = dict(held[lock.actor])
                if chr(lock.what) == 'a':
                    mine.setdefault(lock.addr, i)
                else:
                    mine.pop(lock.addr, None)
                held[lock.actor] = mine
            done = at
            out.append(held.get(r.actor, none))
        return out

    def _previous(self, at: int) -> int:
        """The access or lock operation of the same vCPU before record `at`."""
        actor = self.records[at].actor
        return next((i for i in range(at - 1, -1, -1)
                     if self.records[i].actor == actor and
                     self.records[i].kind in (trace.ACCESS, trace.LOCK)), -1)

    def before(self, at: int) -> Plan:
        """The plan with the points that came before record `at`."""
        return self.plan._replace(points=tuple(
            p for p in self.plan.points if self._came.get(p, at) < at))

    def point_before(self, at: int, to: int) -> Optional[Point]:
        """Stops a CPU right before its access: behind the access before
        that, or behind a lock that it has given since (one that it holds would
        keep the other one out), before one that it takes."""
        r = self.records[at]
        point = Point(r.actor, '', r.n - 1, to) if r.n > 1 else None
        i = self._previous(at)
        while i >= 0 and self.records[i].kind == trace.LOCK:
            lock = self.records[i]
            if chr(lock.what) == 'r':
                return point if point and point.kind == 'l' else \
                    Point(-1, '', 0, to, f'i{r.icount - 1}')
            point = Point(r.actor, 'l', lock.n, to)
            i = self._previous(i)
        return point


class Search:
    def __init__(self, cpus: int, seed: int, coverage: cover.Coverage,
                 events: bool = True):
        self.cpus = cpus
        self.rng = random.Random(seed)
        self.coverage = coverage
        self.events = events    # hold device events
        self.profiles: List[Profile] = []
        self.tried: Set[Tuple] = set()
        self.flips: Dict[cover.Pair, Flip] = {}
        self.stale: Dict[cover.Pair, Flip] = {}
        self.sites: Dict[Tuple[int, str], List[Tuple[Plan, int]]] = \
            defaultdict(list)
        self.sites_done: Set[Tuple[int, str]] = set()
        self.bare: Set[Tuple[int, str]] = set() # sites under no common lock
        self.bare_flips: Set[cover.Pair] = set()
        self.flips_done: Set[cover.Pair] = set()
        self.stale_done: Set[cover.Pair] = set()
        self.kinds: Dict[str, int] = {}         # device events there are
        self._first = self._orders()
        self._held: List[Hold] = []
        self._held_before: Dict[Tuple[str, str], int] = defaultdict(int)
        self._turn = self._by_turns = self._given = 0

    def learnt(self) -> Dict:
        """All it knows but the coverage, for learn_from() of another one."""
        return {k: v for k, v in vars(self).items() if k != 'coverage'}

    def learn_from(self, learnt: Dict) -> None:
        vars(self).update(learnt)

    def _orders(self) -> List[Plan]:
        """The natural order, its reverse, and some others."""
        natural = list(range(self.cpus))
        all_ = [natural, natural[::-1]]
        while len(all_) < ORDERS:
            other = natural[:]
            self.rng.shuffle(other)
            all_.append(other)
        return [Plan(''.join(f'{c:x}' for c in o)) for o in all_][::-1]

    def order(self) -> str:
        o = list(range(self.cpus))
        self.rng.shuffle(o)
        return ''.join(f'{c:x}' for c in o)

    # -- what a run teaches ---------------------------------------------------

    def learn(self, plan: Plan, run: Run) -> int:
        """Returns how many pairs are new."""
        self.tried.add(plan.key())
        records = trace.racing(run.records)
        touches = cover.contended(records)
        fresh = self.coverage.add(touches, records)
        if straight.is_random(plan):
            return len(fresh)           # no point can be added to it
        if not plan.points or fresh:
            self._profile(plan, run, records, touches, fresh)
        return len(fresh)

    def _profile(self, plan: Plan, run: Run, records: List[trace.Record],
                 touches: List[cover.Touch], fresh: Set[cover.Pair]) -> None:
        hot = cover.accesses(touches)
        if not plan.points:
            self.profiles.append(Profile(plan, hot, [
                Point(r.actor, 'l' if r.kind == trace.LOCK else '', r.n)
                for r in records if r.kind in (trace.ACCESS, trace.LOCK)
                and r.actor != trace.DEVICE]))
        cut = Cut(plan, records)
        for a in hot:
            start = cut.before(a.at)
            if len(start.points) < POINTS and (
                    start == plan or (a.cpu, a.site) not in self.sites):
                self.sites[a.cpu, a.site].append((start, a.n))
        self._find_pairs(cut, touches, fresh)
        for kind, n in run.report.get('events', {}).items():
            if n.get('sent') and kind in _HELD and kind not in self.kinds:
                self.kinds[kind] = n['sent']
                if self.events:
                    self._held += holds(kind)
        self._held.sort()

    def _find_pairs(self, cut: 'Cut', touches: List[cover.Touch],
                    fresh: Set[cover.Pair]) -> None:
        """Pairs to turn round; readers to stop, in plans with a point, as
        without one every site is stopped at anyway."""
        before: Dict[int, Touch] = {}
        held = cut.locks(touches)
        for (i, r, place), locks in zip(touches, held):
            second = Touch(i, r, locks)
            first = before.get(place)
            before[place] = second
            if first is None or first.r.actor == r.actor or \
                    trace.DEVICE in (first.r.actor, r.actor) or \
                    not (first.r.write or r.write):
                continue
            self._turn_round(cut, first, second)
            if not set(first.held) & set(second.held):
                self.bare |= {(t.r.actor, t.r.site) for t in (first, second)}
                self.bare_flips.add((r.site, first.r.site))
            pair = (first.r.site, r.site)
            if pair in fresh and pair not in self.stale:
                self._read_before(cut, pair, first, second)

    def _turn_round(self, cut: 'Cut', first: Touch, second: Touch) -> None:
        """Under a lock that both hold it is the first to take it that waits."""
        pair = (second.r.site, first.r.site)
        if pair in self.flips:
            return
        at = min((i for lock, i in first.held.items() if lock in second.held),
                 default=None)
        plan = cut.before(first.at if at is None else at)
        if at is not None:
            point: Optional[Point] = Point(first.r.actor, 'l',
                                           cut.records[at].n, second.r.actor)
        else:
            point = cut.point_before(first.at, second.r.actor)
        if len(plan.points) < POINTS and point:
            self.flips[pair] = Flip(plan, point)

    def _read_before(self, cut: 'Cut', pair: cover.Pair, first: Touch,
                     second: Touch) -> None:
        if set(first.held) & set(second.held):
            return                      # the other one could not get on
        reader, other = (first, second) if second.r.write else (second, first)
        plan = cut.before(reader.at)
        if plan.points and len(plan.points) < POINTS:
            self.stale[pair] = Flip(plan, Point(reader.r.actor, '',
                                                reader.r.n, other.r.actor))

    # -- what is next ---------------------------------------------------------

    def next(self) -> Plan:
        self._given += 1
        if self._given % RANDOM == RANDOM - 1:
            return random_slices(self.rng.randrange(1 << 30))
        for _ in range(200):
            plan = self._next()
            if plan is not None and plan.key() not in self.tried:
                self.tried.add(plan.key())
                return plan
        return self._anything()

    def _next(self) -> Optional[Plan]:
        if self._first:
            return self._first.pop()
        if not self.profiles:           # not one run could be used
            return Plan(self.order())
        self._turn += 1
        if self._turn % 3 == 0 and self._held:
            return self._hold()
        x = self.rng.random()
        if x < 0.8:
            plan = None
            for i in range(3):
                plan = plan or (self._flip, self._site, self._stop_reader)[
                    (self._by_turns + i) % 3]()
            self._by_turns += 1
            if plan is not None:
                return plan
            if self._held:
                return self._hold()
        if x < 0.88:
            return self._sites(self.rng.randint(1, POINTS))
        if x < 0.95:
            return self._event_at()
        return self._anything()

    def _hold(self) -> Plan:
        """A profile in which a kind of device event is held.  What is tried
        more than once is so in the natural order, each of its kind and then
        the first alone, which the others pass; and in the reverse."""
        _, kind, when = self._held.pop(0)
        order, n = self.order(), 0
        if when in _SPECIAL.get(kind, ()):
            before = self._held_before[kind, when]
            self._held_before[kind, when] += 1
            natural = ''.join(f'{c:x}' for c in range(self.cpus))
            order, n = {0: (natural, 0), 1: (natural, 1),
                        2: (natural[::-1], 0)}.get(before, (order, n))
        return Plan(order, (), (Event(kind, n, when),))

    @property
    def systematic(self) -> bool:
        """Something is left that every search should try."""
        return bool(self._first or self._held or
                    self._open_sites() or self._open_flips() or
                    self._open_stale())

    def _open_sites(self) -> List[Tuple[int, str]]:
        return [k for k in self.sites if k not in self.sites_done]

    def _open_flips(self) -> List[cover.Pair]:
        return [p for p in self.flips if p not in self.flips_done
                and p not in self.coverage.seen]

    def _flip(self) -> Optional[Plan]:
        todo = self._open_flips()
        if not todo:
            return None
        pair = self.rng.choice([p for p in todo if p in self.bare_flips]
                               or todo)
        self.flips_done.add(pair)
        plan, point = self.flips[pair]
        return plan._replace(points=plan.points + (point,))

    def _open_stale(self) -> List[cover.Pair]:
        return [p for p in self.stale if p not in self.stale_done]

    def _stop_reader(self) -> Optional[Plan]:
        """The latest first: it continues from what was just reached."""
        todo = self._open_stale()
        if not todo:
            return None
        pair = todo[-1]
        self.stale_done.add(pair)
        plan, point = self.stale[pair]
        return plan._replace(points=plan.points + (point,))

    def _site(self) -> Optional[Plan]:
        todo = self._open_sites()
        if not todo:
            return None
        key = self.rng.choice([k for k in todo if k in self.bare] or todo)
        self.sites_done.add(key)
        plan, n = self.rng.choice(self.sites[key])
        return plan._replace(points=plan.points + (Point(key[0], '', n),))

    def _sites(self, n: int) -> Optional[Plan]:
        """n points by site, each site as likely as another."""
        profile = self.rng.choice(self.profiles)
        if not profile.hot:
            return None
        by: Dict[Tuple[int, str], List[int]] = defaultdict(list)
        for a in profile.hot:
            by[a.cpu, a.site].append(a.n)
        keys = self.rng.sample(sorted(by), min(n, len(by)))
        points = tuple(Point(cpu, '', self.rng.choice(by[cpu, site]))
                       for cpu, site in keys)
        return self._with_event(profile.plan._replace(points=points))

    def _with_event(self, plan: Plan) -> Plan:
        """Now and then a device event is held besides."""
        if not self.events or not self.kinds or self.rng.random() < 0.5:
            return plan
        kind = self.rng.choice(sorted(self.kinds))
        if any(e.kind == kind for e in plan.events):
            return plan
        when = self.rng.choice(ways(kind))
        n = self.rng.choice((0, self.rng.randint(1, self.kinds[kind])))
        return plan._replace(events=plan.events + (Event(kind, n, when),))

    def _event_at(self) -> Optional[Plan]:
        """A device event comes when a CPU is at a conflicting access;
        now and then that one gives way to who is to see it."""
        profile = self.rng.choice(self.profiles)
        kinds = sorted(set(self.kinds) - {e.kind for e in profile.plan.events})
        if not self.events or not kinds or not profile.hot:
            return None
        kind = self.rng.choice(kinds)
        cpu, site = self.rng.choice(sorted({(a.cpu, a.site)
                                            for a in profile.hot}))
        n = self.rng.choice([a.n for a in profile.hot
                             if (a.cpu, a.site) == (cpu, site)])
        # that access may never come: of what is spun for, one alone
        which = self.rng.choice((int(kind in _SPUN_FOR), self.rng.randint(
            1, self.kinds[kind])))
        point = Point(cpu, '', n)
        return profile.plan._replace(
            points=self.rng.choice(((), (point,))),
            events=profile.plan.events + (Event(kind, which, f'{cpu:x}:{n}'),))

    def _anything(self) -> Plan:
        """PCT: an order, and points anywhere."""
        profile = self.rng.choice(self.profiles) if self.profiles else None
        plan = Plan(self.order())
        if profile is None or not profile.every:
            return plan
        points = self.rng.sample(profile.every, min(
            len(profile.every), self.rng.randint(1, POINTS)))
        return self._with_event(plan._replace(points=tuple(points)))


def random_slices(seed: int) -> Plan:
    """Slices of random length, the next vCPU by chance; the baseline, too."""
    return Plan(rest=(f'rand={seed}:500:100000',))
