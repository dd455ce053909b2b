# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/results/explore.md, from the results of suite.py."""

from __future__ import annotations

import os
import re
import statistics
from typing import Any, Dict, Iterator, List, Optional, Sequence

from . import campaign, suite
from ..core import cache
from .plan import parse

PAGE = os.path.join('docs', 'results', 'explore.md')
_HEAD = '''\
# What `explore` finds

Written by `scripts/explore-suite.py page` from `docs/results/explore.json`; each result
there says of which commit it is. What is behind the figures, and what was
learnt on the way, is in [docs/explore.md](../explore.md).

    scripts/explore-suite.py run measure        # a seed after the other, one QEMU
    scripts/explore-suite.py run replay
    scripts/explore-suite.py run control
    scripts/explore-suite.py run search --kernel 7.3 --runs 100 --seed 1
    scripts/explore-suite.py run same

What has its result is not run again (they are below the cache). The races, kernels and signs
that count are in [explore-races](explore-races).
'''
_RACES = '''\

## Races that are known

Nobody tells the search what to look for. Schedules until the first hit: the median of {0}
seeds (`-`: more than the most there were), and of how many seeds there was one. The search
is measured against slices of random length and plain round robin, which
has no seed (three times). The hit of another run is shrunk and replayed {1} times;
slices that its plan lists count as points do.
The control is the search on a kernel without the race; hits are those of its sign.

| race | scenario | kernel | search | random slices | round robin | at most | plan | points, events | replayed | hashes | control |
|---|---|---|---|---|---|---|---|---|---|---|---|
'''
_SAME = '''\

## Is a run all that its plan says?

Three plans a scenario, so many runs of each in turns: an order; an order with device events that
are held; random slices with completions that are held.

| scenario | kernel | runs | the same |
|---|---|---|---|
'''

Result = Dict[str, Any]


class Results:
    """By what they are of."""

    def __init__(self, all_: Sequence[Result]):
        self.all = all_

    def of(self, part: str, **wanted: str) -> Iterator[Result]:
        return (r for r in self.all if r['part'] == part and
                all(r[k] == v for k, v in wanted.items()))

    def one(self, part: str, row: suite.Row) -> Optional[Result]:
        return next(self.of(part, race=row.race, scenario=row.scenario,
                            kernel=row.kernel), None)


def _median(result: Optional[Result], strategy: str) -> str:
    m = next((x for x in (result or {'results': []})['results']
              if x['strategy'] == strategy), None)
    if m is None or not m['first']:
        return ''
    hits = [n for n in m['first'] if n is not None]
    median = statistics.median(n or m['cap'] + 1 for n in m['first'])
    return (f'{median:g}' if median <= m['cap'] else '-') + \
        f' ({len(hits)} of {len(m["first"])})'


def _hit(result: Optional[Result], sign: str) -> List[str]:
    """Plan, points and events, replays, hashes."""
    hits = [h for r in (result or {'results': []})['results']
            for h in r['hits'] if re.search(sign, h['sign'])]
    if not hits:
        return [''] * 4
    h = hits[-1]
    plan = parse(h['plan'])
    points, events = len(plan.points + plan.slices), len(plan.events)
    return [f'`{h["plan"]}`', f'{points}, {events}',
            f'{h["replay"][0]} of {h["replay"][1]}', str(h['hashes'])]


def _control(results: Results, row: suite.Row, races: suite.Races) -> str:
    found = list(results.of('search', scenario=row.scenario,
                            kernel=row.control))
    runs = sum(r['results'][0]['schedules'] for r in found)
    hits = sum(s['schedules'] for r in found for s in r['results'][0]['signs']
               if re.search(row.sign, s['sign']))
    return f'{hits} of {runs} on {races.short(row.control)}' if runs else ''


def _race(results: Results, row: suite.Row, races: suite.Races) -> str:
    measured = results.one('measure', row)
    cells = [row.race, f'`{row.scenario}`', races.short(row.kernel)] + [
        _median(measured, s) for s in ('search', 'random slices',
                                       'round robin')] + [
        str(row.cap), *_hit(results.one('replay', row), row.sign),
        _control(results, row, races)]
    return '| ' + ' | '.join(cells) + ' |'


def _signs(found: Sequence[Result], repo: str) -> str:
    """How often, the first seed's first schedule, where it is written up by
    now.  A panic is the end of another sign; what is not known and no hit came
    behind another sign each time."""
    out: Dict[str, List] = {}
    led = {h['sign'] for r in found for h in r['results'][0]['hits']}
    for r in found:
        known = campaign.known(repo, r['kernel'], r['scenario'])
        signs = r['results'][0]['signs']
        for s in signs:
            if s['sign'].startswith('Kernel panic') and len(signs) > 1:
                continue
            told = out.setdefault(s['sign'], [0, s['first'], s['page']])
            told[0] += s['schedules']
            told[2] = told[2] or known.page_of(s['sign'])
    return '; '.join(
        f'{n} times {sign}, first at {first}' + (
            f' ([{_name(page)}](../../{page.partition("#")[0]}))' if page else
            ' (**not known**)' if sign in led else ' (behind another one)')
        for sign, (n, first, page) in sorted(out.items(),
                                             key=lambda x: -x[1][0])) \
        or 'nothing'


def _name(page: str) -> str:
    return page.partition('#')[2] or os.path.basename(page).replace('.md', '')


def _searches(results: Results, races: suite.Races, repo: str
              ) -> Iterator[str]:
    kernels = sorted({r['kernel'] for r in results.of('search')})
    for kernel in kernels:
        found = list(results.of('search', kernel=kernel))
        total = sum(r['results'][0]['schedules'] for r in found)
        minutes = sum(r['results'][0]['seconds'] for r in found) / 60
        yield f'\n## Searches on {races.short(kernel)}\n'
        yield f'{total} schedules in {minutes:.0f} minutes of one QEMU.\n'
        yield '| scenario | schedules | seeds | pairs | what came |'
        yield '|---|---|---|---|---|'
        for scenario in sorted({r['scenario'] for r in found}):
            mine = [r for r in found if r['scenario'] == scenario]
            yield '| ' + ' | '.join([
                f'`{scenario}`',
                str(sum(r['results'][0]['schedules'] for r in mine)),
                str(len({r['results'][0]['seed'] for r in mine})),
                ', '.join('{} of {}'.format(*r['results'][0]['pairs'])
                          for r in mine), _signs(mine, repo)]) + ' |'


def _same(results: Results) -> Iterator[str]:
    for r in sorted(results.of('same'), key=lambda r: r['scenario']):
        ways = [x['ways'] for x in r['results']]
        runs = sum(x['runs'] for x in r['results'])
        most = sum(max(n for *_, n in w) for w in ways)
        yield f'| `{r["scenario"]}` | {r["kernel"]} | {runs} | ' + (
            'all' if most == runs else f'**{most}**') + ' |'


def write(repo: str, races: suite.Races, found: List[Result]) -> None:
    results = Results(found)
    text = _HEAD + _RACES.format(suite.SEEDS, suite.REPLAYS)
    text += '\n'.join(_race(results, row, races) for row in races.rows) + '\n'
    text += '\n'.join(f'\n{name} is {kernel}.'
                      for name, kernel in races.names.items()) + '\n'
    text += '\n'.join(_searches(results, races, repo)) + '\n'
    same = list(_same(results))
    if same:
        text += _SAME + '\n'.join(same) + '\n'
    cache.write_atomic(os.path.join(repo, PAGE), text.encode())
