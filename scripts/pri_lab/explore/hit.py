# SPDX-License-Identifier: GPL-2.0-or-later
"""A hit as a file that `./pri-lab repro FILE` runs, here and on other kernels.

A point is kept as the plan counts it, which holds for the same bytes of kernel,
programs and QEMU, and as symbol, offset and count, by which it is found again
in others.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from . import oracle, trace
from ..core import cache
from ..core.errors import LabError, UsageError
from .machine import Run, Stage
from .plan import Event, Plan, Point, parse

FORMAT = 1
SUFFIX = '.hit'
NEAR = 12                       # accesses on either side of where it should be
_NEEDED = ('scenario', 'kernel', 'sign', 'plan', 'points', 'key')


class Hit:
    """One distinct bug; its fields are those of the file."""

    def __init__(self, fields: Dict):
        self.fields = fields

    def __getattr__(self, name: str):
        try:
            return self.__dict__['fields'][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def focus(self) -> str:
        """Code whose accesses its points count."""
        return self.fields.get('focus', 'iommu')

    @property
    def parsed(self) -> Plan:
        return parse(self.plan)

    def store(self, directory: str) -> str:
        name = cache.file_name(
            f'{self.scenario}-{self.kernel}-{self.sign}'.replace(': ', '-'),
            '-')
        path = os.path.join(directory, name + SUFFIX)
        cache.write_atomic(path, json.dumps(
            dict(self.fields, format=FORMAT), indent=1).encode())
        return path


def load(path: str) -> Hit:
    try:
        with open(path, encoding='utf-8') as f:
            fields = json.load(f)
    except OSError as e:
        raise UsageError(f'{path}: {e.strerror}') from None
    except ValueError:
        raise UsageError(f'{path} is no hit of explore: not JSON', 'explore '
                         'writes such files, and says where') from None
    missing = [x for x in _NEEDED if x not in fields] \
        if isinstance(fields, dict) else list(_NEEDED)
    if missing:
        raise LabError(f'{path} is no hit of explore: no {missing[0]}')
    if fields.get('format') != FORMAT:
        raise LabError(f'{path} is of format {fields.get("format")}, '
                       f'{FORMAT} is known here')
    return Hit(fields)


def is_file(name: str) -> bool:
    return name.endswith(SUFFIX)


# -- points in a trace --------------------------------------------------------

def _record_kind(point: Point) -> int:
    return trace.LOCK if point.kind == 'l' else trace.ACCESS


def _told(point: Point, run: Run) -> Dict[str, Any]:
    """What the machine reports of a point."""
    return next((p for p in run.report.get('points', ())
                 if p.get('word') == point.word()), {})


def _record_of(point: Point, run: Run) -> Optional[trace.Record]:
    """What a point is at; of one between two instructions (i123), what the
    CPU that was stopped there touches next."""
    if point.where.startswith('i'):
        cpu = _told(point, run).get('cpu', -1)
        return next((r for r in run.records if r.kind == trace.ACCESS
                     and r.actor == cpu
                     and r.icount > int(point.where[1:])), None)
    if point.where or point.kind == 'i':
        return None
    return next((r for r in run.records if r.actor == point.cpu
                 and r.kind == _record_kind(point) and r.n == point.n), None)


def describe(point: Point, run: Run, stage: Stage) -> Dict:
    """A point as symbol, offset and how often that was reached before."""
    out: Dict = {'word': point.word(), 'cpu': point.cpu, 'kind': point.kind,
                 'n': point.n}
    here = _record_of(point, run)
    if here is None:
        return out
    if point.where:
        out.update(cpu=here.actor, n=here.n, before=True)
    mine = [r for r in run.records if r.actor == here.actor
            and r.kind == here.kind]
    name, offset = stage.symbols.find(here.pc)
    out.update(symbol=name, offset=offset, write=here.write,
               addr=f'{here.addr:x}', line=stage.symbols.line(here.pc),
               count=sum(1 for r in mine if r.pc == here.pc
                         and r.n <= here.n))
    told = _told(point, run)
    if told.get('task'):
        out['task'] = told['task']
    return out


def when_point(event: Event) -> Optional[Point]:
    """The access at which a device event comes; None: it comes otherwise."""
    m = re.match(r'^([0-9a-f]):(l?)(\d+)$', event.when)
    return Point(int(m.group(1), 16), m.group(2), int(m.group(3))) if m \
        else None


def describe_event(event: Event, run: Run, stage: Stage) -> Dict:
    """Its words, and its access as describe() has points."""
    at = when_point(event)
    return dict(word=event.word(), kind=event.kind, n=event.n,
                when=event.when,
                at=describe(at, run, stage) if at is not None else None)


def locate(told: Dict, records: List[trace.Record], stage: Stage
           ) -> Tuple[Optional[int], bool]:
    """Number of the access that a stored point means in another run; is it
    certain: the same offset, the same count?"""
    base = stage.symbols.address(told.get('symbol', ''))
    kind = trace.LOCK if told.get('kind') == 'l' else trace.ACCESS
    if base is None:
        return None, False
    mine = [r for r in records if r.actor == told['cpu'] and r.kind == kind
            and stage.symbols.find(r.pc)[0] == told['symbol']]
    if not mine:
        return None, False
    nearest = min({r.pc for r in mine},
                  key=lambda pc: abs(pc - (base or 0) - told['offset']))
    same = [r for r in mine if r.pc == nearest]
    n = min(told['count'], len(same))
    return same[n - 1].n, (nearest == base + told['offset']
                           and n == told['count'])


# -- again --------------------------------------------------------------------

class Again(NamedTuple):
    plan: Plan
    how: str                    # 'as stored', 'found by symbol', 'nearby'
    runs: int


def has(run: Run, sign: str, exact: bool) -> bool:
    signs = [f.sign for f in oracle.findings(run)]
    return sign in signs if exact else \
        any(oracle.similar(sign, s) for s in signs)


def _moved(told: Dict, point: Point, n: int, records: List[trace.Record]
           ) -> Point:
    """The point at access n of its CPU, or right before that."""
    if not told.get('before'):
        return point._replace(n=n)
    here = next(r for r in records if r.kind == trace.ACCESS
                and (r.actor, r.n) == (told['cpu'], n))
    return point._replace(where=f'i{here.icount - 1}')


def _placed(hit: Hit, stage: Stage) -> Tuple[Optional[Plan], int]:
    """The plan with its points where this kernel has them: each is looked for
    in a run with those before it."""
    plan = hit.parsed._replace(points=())
    runs = 0
    for told, point in zip(hit.points, hit.parsed.points):
        if 'symbol' not in told:
            plan = plan._replace(points=plan.points + (point,))
            continue
        runs += 1
        records = trace.racing(stage.run(plan).records)
        n, _ = locate(told, records, stage)
        if n is None:
            return None, runs
        plan = plan._replace(points=plan.points + (
            _moved(told, point, n, records),))
    return _placed_events(hit, plan, runs, stage)


def _placed_events(hit: Hit, plan: Plan, runs: int, stage: Stage
                   ) -> Tuple[Optional[Plan], int]:
    """The same for the accesses at which device events come."""
    stored = {x['word']: x for x in hit.fields.get('events', ())}
    for i, event in enumerate(plan.events):
        told = (stored.get(event.word()) or {}).get('at')
        if not told or 'symbol' not in told:
            continue
        runs += 1
        without = plan._replace(events=plan.events[:i] + plan.events[i + 1:])
        n, _ = locate(told, trace.racing(stage.run(without).records), stage)
        if n is None:
            return None, runs
        at = f'{told["cpu"]:x}:{told.get("kind", "")}{n}'
        plan = plan._replace(events=plan.events[:i] + (
            event._replace(when=at),) + plan.events[i + 1:])
    return plan, runs


def again(hit: Hit, stage: Stage) -> Optional[Again]:
    """A plan that has the splat of a hit on this stage; None: none was found.

    As stored, which is enough for the same bytes if the boots were alike; else
    its points by their symbols, then those nearby.
    """
    exact = hit.key == stage.key()
    runs = 1
    if has(stage.run(hit.parsed), hit.sign, exact):
        return Again(hit.parsed, 'as stored', runs)
    plan, more = _placed(hit, stage)
    runs += more
    if plan is None:
        return None
    runs += 1
    if has(stage.run(plan), hit.sign, False):
        return Again(plan, 'its points found by symbol', runs)
    for i, told in enumerate(hit.points[:len(plan.points)]):
        # of the run up to here, in which that CPU has not been stopped
        runs += 1
        records = trace.racing(stage.run(
            plan._replace(points=plan.points[:i])).records)
        for step in (s for d in range(1, NEAR + 1) for s in (d, -d)):
            point = _shifted(plan.points[i], told.get('cpu', -1), step,
                             records)
            if point is None:
                continue
            near = plan._replace(points=plan.points[:i] + (point,)
                                 + plan.points[i + 1:])
            runs += 1
            if has(stage.run(near), hit.sign, False):
                return Again(near, f'point {i + 1} {step:+d} accesses from '
                             'where it was', runs)
    return None


def _shifted(point: Point, cpu: int, step: int, records: List[trace.Record]
             ) -> Optional[Point]:
    """The point so many accesses of its CPU later; one between two of them
    (i123) stays right before one.  None: there are not so many."""
    if not point.where:
        return point._replace(n=point.n + step) if point.n + step > 0 else None
    if not point.where.startswith('i'):
        return None                     # at a device event
    mine = [r.icount for r in records
            if r.kind == trace.ACCESS and r.actor == cpu]
    at = sum(1 for x in mine if x <= int(point.where[1:])) + step
    return point._replace(where=f'i{mine[at] - 1}') \
        if 0 <= at < len(mine) else None


def replay(stage: Stage, plan: Plan, sign: str, times: int
           ) -> Tuple[int, int]:
    """How many of the runs had that splat, in how many different ways."""
    seen = 0
    ways = set()
    for _ in range(times):
        run = stage.run(plan, traced=False)
        seen += has(run, sign, True)
        ways.add(run.same)
    return seen, len(ways)
