# SPDX-License-Identifier: GPL-2.0-or-later
"""Two recordings beside each other: a kernel with a fix and one without.

What happens in both in the same order is paired (`diff` finds it), whatever
its time, address, PASID and PRG index are.  Both clocks count from where the
race begins, or from the first event.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import Dict, Iterator, List, Tuple

from ..core.errors import LabError
from ..machine import record
from ..machine.events import LANE_NAMES
from .exchange import Span
from .timeline import Chart, label

BEGINS = 'race begins'          # the mark that race_ready() leaves


def _key(e: Dict) -> str:
    """What makes two events the same; one line."""
    words = [e['lane'], e.get('to', ''), e['kind'], e.get('event', '')]
    words += [str(e.get(k, '')) for k in ('code', 'channel', 'flags')]
    if e['kind'] in ('mark', 'test', 'kernel-log', 'splat'):
        words.append(e.get('text', ''))
    return ' '.join(words).replace('\n', ' ')


def align(a: List[Dict], b: List[Dict]) -> str:
    """'=' both continue, '<' the first alone, '>' the second alone."""
    with tempfile.TemporaryDirectory() as d:
        paths = []
        for name, body in (('a', a), ('b', b)):
            paths.append(os.path.join(d, name))
            with open(paths[-1], 'w', encoding='utf-8') as f:
                f.write(''.join(_key(e) + '\n' for e in body))
        try:
            p = subprocess.run(
                ['diff', '--minimal', '--old-line-format=<',
                 '--new-line-format=>', '--unchanged-line-format==', *paths],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                check=False)
        except FileNotFoundError:
            raise LabError('there is no diff', 'apt-get install diffutils') \
                from None
    if p.returncode > 1:
        raise LabError(f'diff: {p.stderr.strip()}')
    return p.stdout


def zero(merged: record.Merged) -> int:
    """The moment that both count from."""
    for e in merged.events:
        if e['kind'] == 'mark' and e.get('text') == BEGINS:
            return e['t']
    return merged.events[0]['t'] if merged.events else 0


class _Of:
    """Exchanges of both, numbered through."""

    def __init__(self, of: List[int], rounds):
        self.of = of
        self._rounds = rounds

    def rounds(self):
        return self._rounds


class Beside(Chart):
    """A chart of two; what it has by place goes by place in both."""

    # pylint: disable=super-init-not-called
    def __init__(self, first: Chart, second: Chart, names: Tuple[str, str],
                 title: str):
        self.head = first.head
        self.title = title
        self.sides = tuple(f'{n} ' for n in names)
        self.charts = (first, second)
        self.lanes = sorted(set(first.lanes) | set(second.lanes),
                            key=list(LANE_NAMES).index)
        self.ops = align(first.events, second.events)
        self._merge()

    def _merge(self) -> None:
        zeros = [zero(record.Merged(c.head, c.events)) for c in self.charts]
        self.events: List[Dict] = []
        self.twins: List[Tuple[int, int]] = []
        at: List[List[int]] = [[], []]      # place in one -> place in both
        for op in self.ops:
            for side in {'<': (0,), '>': (1,), '=': (0, 1)}[op]:
                e = self.charts[side].events[len(at[side])]
                at[side].append(len(self.events))
                self.events.append(dict(e, side=side,
                                        t=e['t'] - zeros[side]))
            if op == '=':
                self.twins.append((at[0][-1], at[1][-1]))
        of = [-1] * len(self.events)
        count = 0
        for side, chart in enumerate(self.charts):
            for n, x in enumerate(chart.exchanges.of):
                of[at[side][n]] = x + count if x >= 0 else -1
            count += max(chart.exchanges.of, default=-1) + 1
        self.exchanges = _Of(of, [])        # type: ignore[assignment]
        self.pairs = sorted((at[s][a], at[s][b])
                            for s, c in enumerate(self.charts)
                            for a, b in c.pairs)
        self.spans = [Span(x.lane, at[s][x.first], at[s][x.last])
                      for s, c in enumerate(self.charts) for x in c.spans]

    def summary(self) -> List[str]:
        out = []
        for side, chart in zip(self.sides, self.charts):
            out += [side + line for line in chart.summary()[:1]]
        return out + [f'{self.ops.count("="):,} events in both, '
                      f'{self.ops.count("<"):,} in the first alone, '
                      f'{self.ops.count(">"):,} in the second alone']


def listing(both: Beside) -> Iterator[str]:
    """A line an event, as diff has them: time in each, `<` `>` or both."""
    yield f'{both.sides[0]:>13.13} {both.sides[1]:>13.13} µs'
    n = 0
    for op in both.ops:
        e = both.events[n]
        times = {'=': (e['t'], both.events[n + (op == '=')]['t']),
                 '<': (e['t'], None), '>': (None, e['t'])}[op]
        n += 2 if op == '=' else 1
        where = LANE_NAMES[e['lane']]
        if e.get('to'):
            where += ' > ' + LANE_NAMES[e['to']]
        said = ' '.join(f'{"" if t is None else f"{t / 1e3:,.1f}":>13}'
                        for t in times)
        bad = {1: '! ', 2: 'X '}.get(e.get('level', 0), '')
        yield f'{said}  {op if op != "=" else " "} {where:20} ' \
            f'{bad}{label(e)}'
