# SPDX-License-Identifier: GPL-2.0-or-later
"""A chart as one SVG picture, a row an event, for a mail or a report.

The page draws the same and more, and saves what its filter shows as SVG or PNG.
"""

from __future__ import annotations

import re
from html import escape
from typing import Dict, List

from ..core.errors import LabError
from ..machine.events import LANE_NAMES, VIOLATION
from .timeline import Chart, label

MOST = 2000                     # rows; a picture of more opens nowhere
_ROW, _HEAD, _GUTTER, _LANE = 22, 44, 170, 130
_COLOURS = {'log': '#9f1239', 'process': '#475569', 'prq': '#0f766e',
            'fault': '#4d7c0f', 'qi': '#7e22ce', 'iommu': '#c2410c',
            'link': '#6b7280', 'endpoint': '#1d4ed8'}
_BAD = {0: '', 1: '#b45f06', 2: '#d3222e'}
_BACK = {1: '#fff1dc', 2: '#fde8e9'}


def _text(x: float, y: float, said: str, colour: str, anchor: str = 'middle',
          more: str = '') -> str:
    """Text with a halo, so that lines do not cross it."""
    said = escape(re.sub('[\0-\x1f]', ' ', said))
    return (f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}"'
            ' stroke="#fff" stroke-width="3" paint-order="stroke" '
            f'stroke-linejoin="round"{more}>{said}</text>')


class _Picture:
    def __init__(self, chart: Chart):
        self.chart = chart
        self.lanes = [(side, x) for side in range(len(chart.sides))
                      for x in chart.lanes]
        self.width = _GUTTER + _LANE * len(self.lanes) + 10
        self.height = _HEAD + _ROW * len(chart.events) + 10
        self.start = min((e['t'] for e in chart.events), default=0)

    def x(self, side: int, lane: str) -> float:
        return _GUTTER + _LANE * (self.lanes.index((side, lane)) + 0.5)

    def head(self) -> List[str]:
        out = []
        for side, lane in self.lanes:
            x, colour = self.x(side, lane), _COLOURS[lane]
            dash = ' stroke-dasharray="2 4"' if lane == 'link' else ''
            out += [f'<path d="M{x:g} {_HEAD}V{self.height}" stroke="#d9dce3"'
                    f'{dash}/>',
                    f'<rect x="{x - 60:g}" y="8" width="120" height="24" '
                    f'rx="6" fill="#fff" stroke="{colour}"/>',
                    _text(x, 24, self.chart.sides[side] + LANE_NAMES[lane],
                          colour)]
        return out + [_text(_GUTTER - 78, 24, 'µs', '#687080', 'end'),
                      _text(_GUTTER - 8, 24, 'step', '#687080', 'end')]

    def row(self, n: int, e: Dict, step: float) -> List[str]:
        y = _HEAD + _ROW * (n + 0.5)
        side, level = e.get('side', 0), e.get('level', 0)
        x, colour = self.x(side, e['lane']), _BAD[level] or \
            _COLOURS[e['lane']]
        out = []
        if level:
            out.append(f'<rect x="{_GUTTER}" y="{y - 10:g}" height="20" '
                       f'width="{self.width - _GUTTER}" '
                       f'fill="{_BACK[level]}"/>')
        out += [_text(_GUTTER - 78, y + 4, f'{(e["t"] - self.start) / 1e3:,.2f}',
                      '#687080', 'end'),
                _text(_GUTTER - 8, y + 4, f'+{step / 1e3:,.2f}', '#687080',
                      'end')]
        ink = _BAD[level] or '#1d2129'
        if e.get('to'):
            to, low = self.x(side, e['to']), y + 6
            back = -7 if to > x else 7
            out += [f'<path d="M{x:g} {low:g}H{to:g}m{back} -4L{to:g} {low:g}'
                    f'l{back} 4" fill="none" stroke="{colour}" '
                    'stroke-width="1.5"/>',
                    _text((x + to) / 2, y + 2, label(e), ink)]
            return out
        if level == VIOLATION:
            out.append(f'<path d="M{x - 5:g} {y - 5:g}l10 10m0 -10l-10 10" '
                       f'stroke="{colour}" stroke-width="2.5"/>')
        else:
            out.append(f'<circle cx="{x:g}" cy="{y:g}" r="3.6" '
                       f'fill="{colour}"/>')
        left = x < self.width / 2
        out.append(_text(x + (10 if left else -10), y + 4, label(e), ink,
                         'start' if left else 'end'))
        return out


def text(chart: Chart) -> str:
    """The file.  LabError: too many events for a picture."""
    if len(chart.events) > MOST:
        raise LabError(f'{len(chart.events):,} events are too many for a '
                       f'picture, which has {MOST:,} rows at most',
                       'choose: --from, --to, --pasid, --kind; or draw the '
                       'page and save what its filter shows')
    p = _Picture(chart)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{p.width}" '
           f'height="{p.height}" viewBox="0 0 {p.width} {p.height}" '
           'font-family="DejaVu Sans, sans-serif" font-size="11.5">',
           f'<title>{escape(chart.title)}</title>',
           f'<rect width="{p.width}" height="{p.height}" fill="#fff"/>']
    out += p.head()
    last: Dict[int, int] = {}
    for n, e in enumerate(chart.events):
        side = e.get('side', 0)
        out += p.row(n, e, e['t'] - last.get(side, e['t']))
        last[side] = e['t']
    return '\n'.join(out + ['</svg>', ''])
