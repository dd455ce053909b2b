# SPDX-License-Identifier: GPL-2.0-or-later
"""What `explore` finds of the races that are known, and how fast: a list of
commands of it whose results are kept one by one, for every clone.

    $XDG_CACHE_HOME/pri-lab/explore-suite/JOB.json

A job that has its result is not run again, so a suite is run in pieces.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
from typing import Any, Dict, Iterator, List, NamedTuple

from ..core import cache

RACES = os.path.join('docs', 'results', 'explore-races')
KEPT = os.path.join('docs', 'results', 'explore.json')
SEEDS = 10                      # of a measurement
REPLAYS = 100                   # of a hit
CONTROL = 400                   # schedules without the race
PARTS = ('measure', 'replay', 'control', 'search', 'same')
# what the page says of a result, and no paths of a machine
_LEFT_OUT = ('logs', 'file', 'machine')


class Row(NamedTuple):
    """A race, and where it is looked for."""
    race: str
    scenario: str
    kernel: str
    sign: str                   # regular expression
    cap: int                    # schedules of a seed
    control: str                # kernel


class Races:
    """The file of rows."""

    def __init__(self, text: str):
        self.names: Dict[str, str] = {}         # kernels with long names
        self.rows: List[Row] = []
        for line in text.splitlines():
            name, equals, kernel = line.partition(' = ')
            if equals and not line.startswith('#'):
                self.names[name] = kernel
            elif line and not line.startswith('#'):
                race, scenario, which, sign, cap, control = re.split(
                    r' {2,}', line.strip())
                self.rows.append(Row(race, scenario, self.kernel(which), sign,
                                     int(cap), self.kernel(control)))

    def kernel(self, name: str) -> str:
        """Of a name, or of one with patches: FIXED+C-21."""
        base, plus, patches = name.partition('+')
        return self.names.get(base, base) + plus + patches

    def short(self, kernel: str) -> str:
        """Of a kernel of a name, also with more patches."""
        known = max((k for k in self.names.values()
                     if kernel == k or kernel.startswith(k + '+')),
                    key=len, default='')
        return next((n + kernel[len(k):] for n, k in self.names.items()
                     if k == known), kernel)


def races(repo: str) -> Races:
    with open(os.path.join(repo, RACES), encoding='utf-8') as f:
        return Races(f.read())


@dataclasses.dataclass(frozen=True)
class Job:
    """One command."""
    part: str                   # of PARTS; 'control' is 'search'
    scenario: str
    kernel: str
    words: List[str]            # of the command, besides these two
    race: str = ''

    @property
    def name(self) -> str:
        return cache.file_name('@'.join(
            [self.part, self.race or self.scenario, self.kernel]
            + ([' '.join(self.words)] if not self.race else [])), '-')

    def command(self, results: str) -> List[str]:
        return ['explore', self.scenario, '--kernel', self.kernel, '-j', '1',
                '--json', results, *self.words]


def measure(row: Row) -> Job:
    return Job('measure', row.scenario, row.kernel, [
        '--measure', str(SEEDS), '--runs', str(row.cap), '--sign', row.sign,
        '--resume'], row.race)


def replay(row: Row, seed: int = 1) -> Job:
    """The hit, shrunk, over and over."""
    return Job('replay', row.scenario, row.kernel, [
        '--known', '--sign', row.sign, '--replays', str(REPLAYS),
        '--runs', str(2 * row.cap), '--seed', str(seed)], row.race)


def hit_seed(row: Row, found: List[Dict[str, Any]]) -> int:
    """The first seed that hit, by the measurement; 1 if there is none."""
    first: List[Any] = next((
        x['first'] for r in found if r['part'] == 'measure'
        and (r['race'], r['kernel']) == (row.race, row.kernel)
        for x in r['results'] if x['strategy'] == 'search'), [])
    return next((seed for seed, n in enumerate(first, 1) if n), 1)


def control(row: Row) -> Job:
    """A search as any other one, on a kernel without the race."""
    return search(row.scenario, row.control, CONTROL)


def search(scenario: str, kernel: str, runs: int, seed: int = 1,
           focus: str = 'iommu') -> Job:
    return Job('search', scenario, kernel, [
        '--runs', str(runs), '--seed', str(seed), '--focus', focus,
        '--replays', '5'])


def same(scenario: str, kernel: str) -> Job:
    return Job('same', scenario, kernel, ['--determinism'])


# -- results ------------------------------------------------------------------

class Store:
    def __init__(self, top: str):
        self.top = os.path.join(top, 'explore-suite')
        os.makedirs(self.top, exist_ok=True)

    def path(self, job: Job) -> str:
        return os.path.join(self.top, job.name + '.json')

    def has(self, job: Job) -> bool:
        return os.path.exists(self.path(job))

    @contextlib.contextmanager
    def taken(self, job: Job) -> Iterator[bool]:
        """False: it has its result, or another clone is at it."""
        with open(os.path.join(self.top, job.name + '.lock'), 'a',
                  encoding='ascii') as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield not self.has(job)

    def put(self, job: Job, document: Dict[str, Any]) -> None:
        """What a command told with --json."""
        cache.write_atomic(self.path(job), (json.dumps({
            'part': job.part, 'race': job.race, 'scenario': job.scenario,
            'kernel': job.kernel, 'words': ' '.join(job.words),
            'date': document['date'][:10],
            'commit': document['lab']['commit'][:12]
            + '+' * document['lab']['dirty'],
            'results': [_said(r) for r in document['results']]})
            + '\n').encode())

    def everything(self) -> List[Dict[str, Any]]:
        out = []
        for path in cache.files_under(self.top, ('.json',)):
            with open(path, encoding='utf-8') as f:
                out.append(json.load(f))
        return out


def _said(result: Any) -> Any:
    if isinstance(result, list):
        return [_said(x) for x in result]
    if isinstance(result, dict):
        return {k: _said(v) for k, v in result.items() if k not in _LEFT_OUT}
    return result


def complete(document: Dict[str, Any]) -> bool:
    """Did the command come to its end?  0 and 1 are verdicts."""
    return document['status'] in (0, 1) and bool(document['results']) and \
        not any(r.get('why') for r in document['results'])


def kept(repo: str) -> List[Dict[str, Any]]:
    """Results that came with the repository."""
    try:
        with open(os.path.join(repo, KEPT), encoding='utf-8') as f:
            return list(json.load(f))
    except OSError:
        return []


def current(found: List[Dict[str, Any]], rows: List[Row]
            ) -> List[Dict[str, Any]]:
    """Without those of a row that has another kernel or scenario now."""
    have = {(r.race, r.scenario, r.kernel) for r in rows}
    return [r for r in found if not r['race']
            or (r['race'], r['scenario'], r['kernel']) in have]


def joined(old: List[Dict[str, Any]], new: List[Dict[str, Any]]
           ) -> List[Dict[str, Any]]:
    """One of each job: the new one."""
    both = {}
    for r in old + new:
        both[r['part'], r['race'], r['scenario'], r['kernel'],
             r['words'] if not r['race'] else ''] = r
    return [both[k] for k in sorted(both)]


def hand_over(repo: str, results: List[Dict[str, Any]]) -> None:
    lines = ',\n'.join(json.dumps(r) for r in results)
    cache.write_atomic(os.path.join(repo, KEPT), f'[\n{lines}\n]\n'.encode())
