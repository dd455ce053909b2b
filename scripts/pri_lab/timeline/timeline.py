# SPDX-License-Identifier: GPL-2.0-or-later
"""`timeline`: a merged log as a message sequence chart, a page or text."""

from __future__ import annotations

import html
import json
import os
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from . import exchange
from ..machine import record
from ..machine.events import (ENDPOINT, IOMMU, LANE_NAMES, LANES, LINK, LOG,
                              PROCESS, QI, VIOLATION, WARNING)

PAGE = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'page')
RESPONSE = {0: 'Success', 1: 'Invalid Request', 15: 'Response Failure'}
STATUS = ('idle', 'running', 'done', 'Invalid Request', 'Response Failure',
          'no PRI', 'translation UR', 'translation CA', 'retry limit',
          'DMA error', 'aborted', 'bad command', 'not enabled')
_WORDS = {                      # of a label; others: the kind with spaces
    'page-request': 'Page Request', 'stop-marker': 'Stop Marker',
    'prg-response': 'PRG Response', 'inv-request': 'Invalidate Request',
    'inv-completion': 'Invalidate Completion', 'prq-entry': 'queue entry',
    'prq-event': 'page request event', 'prq-overflow': 'overflow, dropped',
    'prq-report': 'report fault', 'mm-fault': 'handle_mm_fault',
    'page-group-response': 'Page Group Response',
    'qi-page-response': 'submit Page Group Response',
    'qi-devtlb-inv': 'submit device-TLB invalidation',
    'qi-iotlb-inv': 'submit IOTLB invalidation',
    'qi-pasid-inv': 'submit PASID cache invalidation',
    'qi-wait': 'submit wait', 'devtlb-inv': 'device-TLB invalidation',
    'devtlb-done': 'device-TLB invalidation done',
    'wait-done': 'wait: status written', 'qi-tail': 'IQT',
    'dma-start': 'start DMA', 'dma-end': 'DMA ended',
    'dma-fault': 'page absent', 'dma-command': 'command',
    'dma-result': 'result', 'unexpected-response': 'unexpected response',
    'stale-response': 'stale response', 'translation': 'Translation',
}
_PLAIN = frozenset((            # kinds whose own words say most
    'memory', 'task', 'bind', 'drain', 'reset', 'interrupt', 'prq-thread',
    'fault-work', 'qi-sync', 'atc'))
_SAID = {
    'prq_thread': 'PRQ thread runs', 'prq_thread_done': 'PRQ thread done',
    'iopf_work': 'fault work', 'iopf_work_done': 'fault work done',
    'qi_begin': 'qi_submit_sync', 'qi_end': 'qi_submit_sync returns',
    'sva_bind': 'bind', 'sva_unbind': 'unbind', 'sva_unbound': 'unbound',
    'drain': 'drain', 'drained': 'drained', 'flr': 'FLR',
    'flr_done': 'FLR done', 'reset_prepare': 'reset: IOMMU blocked',
    'reset_done': 'reset: IOMMU back', 'device_irq': 'device interrupt',
    'pri_testdev_reset': 'reset', 'pri_testdev_flr_end': 'end of FLR',
    'pri_testdev_gone': 'gone or back', 'pcie_atc_insert': 'ATC keeps',
    'pcie_atc_invalidate': 'ATC drops',
}


def label(e: Dict) -> str:
    """What stands beside an event."""
    kind = e['kind']
    if kind in ('test', 'mark', 'violation', 'message-lost', 'knob',
                'kernel-log', 'splat'):
        return e.get('text', kind)
    if kind == 'prq-register':
        return 'register ' + e.get('text', '').replace('reg ', '')
    if kind in _PLAIN:
        words = [_SAID.get(e.get('event', ''), e.get('event', kind))]
    else:
        words = [_WORDS.get(kind, kind.replace('-', ' '))]
    if 'channel' in e:
        words.append(f'ch {e["channel"]}')
    if 'pasid' in e:
        words.append(f'PASID {e["pasid"]}')
    if 'prgi' in e:
        words.append(f'PRGI {e["prgi"]}')
    if 'itag' in e:
        words.append(f'ITag {e["itag"]}')
    if e.get('addr', '0x0') != '0x0' and kind != 'wait-done':
        words.append(e['addr'])
    if 'flags' in e:
        words.append(e['flags'].replace('-', '').upper() or 'absent')
    if 'code' in e:
        words.append(_code(kind, e['code']))
    return ' '.join(words)


def _code(kind: str, code: int) -> str:
    if 'response' in kind:
        return RESPONSE.get(code, f'code {code}')
    if kind in ('dma-end', 'dma-result'):
        return STATUS[code] if code < len(STATUS) else f'status {code}'
    if kind == 'translation':
        return {1: 'UR', 2: 'CA'}.get(code, f'status {code}')
    return f'code {code}' if kind != 'inv-completion' else f'CC {code}'


def duration(ns: float) -> str:
    """Three digits that mean something."""
    for unit, size in (('s', 1e9), ('ms', 1e6), ('µs', 1e3)):
        if ns >= size:
            return f'{ns / size:.3g} {unit}'
    return f'{ns:.0f} ns'


def lanes(body: Iterable[Dict]) -> List[str]:
    """Those of a log: the kernel's own has one if it says something."""
    said = any(e['lane'] == LOG for e in body)
    return [x for x in LANES if said or x != LOG]


class Chart:
    """A log with everything that a picture of it needs."""

    def __init__(self, merged: record.Merged, title: str):
        self.head = merged.head
        self.events = merged.events
        self.title = title
        self.pairs = record.pairs(self.events)
        self.exchanges = exchange.Exchanges(self.events)
        self.spans = exchange.spans(self.events)
        self.lanes = lanes(self.events)
        self.sides: Tuple[str, ...] = ('',)     # of one recording
        self.twins: List[Tuple[int, int]] = []

    def count(self, level: int) -> int:
        return sum(e.get('level', 0) == level for e in self.events)

    def summary(self) -> List[str]:
        """Lines: what it is, how it went, how long things took."""
        if not self.events:
            return ['no events']
        first, last = self.events[0]['t'], self.events[-1]['t']
        out = [f'{len(self.events):,} events in {duration(last - first)}, '
               f'{self.count(VIOLATION)} violations, '
               f'{self.count(WARNING)} warnings']
        for r in self.exchanges.rounds():
            out.append(f'{r.name}: {len(r.times):,} times, '
                       f'median {duration(r.median)}, '
                       f'longest {duration(max(r.times))}')
        return out


# -- The page -----------------------------------------------------------------

_FIELDS = ('pasid', 'prgi', 'itag', 'addr', 'code', 'channel', 'flags', 'rid',
           'len', 'task', 'cpu')
_NUMBERS = ('pasid', 'prgi', 'code', 'channel', 'len', 'cpu')


class _Strings:
    """Each string once."""

    def __init__(self) -> None:
        self.all: List[str] = []
        self._at: Dict[str, int] = {}

    def __call__(self, text: str) -> int:
        if text not in self._at:
            self._at[text] = len(self.all)
            self.all.append(text)
        return self._at[text]


def data(chart: Chart) -> Dict:
    """What the page's script reads; page/data.js has the other end.

    An event is a row of numbers: ns since the first, lane, lane that the
    message goes to or -1, level, exchange or -1, strings of kind, event,
    source, label and text, then the fields as pairs of field and value.
    """
    s = _Strings()
    start = min((e['t'] for e in chart.events), default=0)
    every = [(side, x) for side in range(len(chart.sides))
             for x in chart.lanes]
    at = {key: n for n, key in enumerate(every)}
    rows = []
    for n, e in enumerate(chart.events):
        side = e.get('side', 0)
        row = [e['t'] - start, at[side, e['lane']],
               at.get((side, e.get('to', '')), -1),
               e.get('level', 0), chart.exchanges.of[n], s(e['kind']),
               s(e.get('event', '')), s(e.get('src', '')), s(label(e)),
               s(e.get('text', ''))]
        for k, key in enumerate(_FIELDS):
            if key in e:
                value = e[key]
                row += [k, value if key in _NUMBERS else s(str(value))]
        rows.append(row)
    return {
        'title': chart.title, 'head': chart.head, 'start': start,
        'lanes': [chart.sides[side] + LANE_NAMES[x] for side, x in every],
        'parts': [x for _, x in every], 'sides': [side for side, _ in every],
        'prefix': list(chart.sides), 'twins': chart.twins,
        'links': [n for n, (_, x) in enumerate(every) if x == LINK],
        'ends': [n for n, (_, x) in enumerate(every)
                 if x in (IOMMU, ENDPOINT)],
        'fields': list(_FIELDS), 'numbers': list(_NUMBERS),
        'strings': s.all, 'events': rows, 'pairs': chart.pairs,
        'spans': [[at[chart.events[x.first].get('side', 0), x.lane],
                   x.first, x.last] for x in chart.spans],
        'summary': chart.summary(),
    }


# in this order they make one script
SCRIPTS = ('data', 'lanes', 'fold', 'filter', 'layout', 'draw', 'svg',
           'ruler', 'paint', 'side', 'input', 'controls', 'save', 'start')


def _part(name: str) -> str:
    with open(os.path.join(PAGE, name), encoding='utf-8') as f:
        return f.read()


def page(chart: Chart) -> str:
    """One file that needs nothing else."""
    # no < in it, so that nothing in a log can end the element
    packed = json.dumps(data(chart), separators=(',', ':'),
                        ensure_ascii=False).replace('<', '\\u003c')
    out = _part('timeline.html')
    for name, text in (('TITLE', html.escape(chart.title)),
                       ('STYLE', _part('timeline.css')),
                       ('SCRIPT', '\n'.join(_part(f'{x}.js')
                                            for x in SCRIPTS)),
                       ('DATA', packed)):
        before, mark, after = out.partition(f'@{name}@')
        assert mark, name
        out = before + text + after
    return out


# -- Text ---------------------------------------------------------------------

_WIDTH = 11                     # of a lane
_TIME = 27                      # of what stands before the lanes


def _lifelines(count: int) -> List[str]:
    row = [' '] * (_WIDTH * count)
    for n in range(count):
        row[n * _WIDTH + _WIDTH // 2] = '|'
    return row


def _draw(e: Dict, there: List[str]) -> str:
    row = _lifelines(len(there))
    at = there.index(e['lane']) * _WIDTH + _WIDTH // 2
    bad = {WARNING: '!', VIOLATION: 'X'}.get(e.get('level', 0))
    if e.get('to'):
        to = there.index(e['to']) * _WIDTH + _WIDTH // 2
        for x in range(min(at, to) + 1, max(at, to)):
            row[x] = '-'
        row[at] = '+'
        row[to] = '>' if to > at else '<'
        row[(at + to) // 2] = bad or '-'
    else:
        row[at] = bad or '*'
    return ''.join(row)


def text(chart: Chart, chosen: Optional[Iterable[Tuple[int, Dict]]] = None) \
        -> Iterator[str]:
    """The same as columns: time, step, lanes, label."""
    for line in [chart.title] + chart.summary():
        yield '# ' + line
    yield f'{"µs":>15} {"step":>11}' + ''.join(
        LANE_NAMES[x].center(_WIDTH) for x in chart.lanes).rstrip()
    if chosen is None:
        chosen = enumerate(chart.events)
    start = chart.events[0]['t'] if chart.events else 0
    before = None
    for _, e in chosen:
        t = (e['t'] - start) / 1e3
        step = '' if before is None else f'+{(e["t"] - before) / 1e3:,.3f}'
        before = e['t']
        yield f'{t:15,.3f} {step:>11}{_draw(e, chart.lanes)} {label(e)}'


def listing(chart: Chart) -> Iterator[str]:
    """One short line an event, for a mail or a page: time, lane, label.

    What a process does, or submits, has its name and number.
    """
    start = chart.events[0]['t'] if chart.events else 0
    for e in chart.events:
        where = LANE_NAMES[e['lane']]
        if e.get('to'):
            where += ' > ' + LANE_NAMES[e['to']]
        who = ''
        if e['lane'] in (PROCESS, QI) and e.get('task'):
            who = f' [{e["task"]}]'
        bad = {WARNING: '! ', VIOLATION: 'X '}.get(e.get('level', 0), '')
        t = (e['t'] - start) / 1e3
        yield f'{t:13,.1f} µs  {where:20} {bad}{label(e)}{who}'


# -- Filter -------------------------------------------------------------------

FILTERS = ('pasid', 'prgi', 'itag', 'kind', 'channel')


def matches(e: Dict, wanted: Dict[str, List[str]]) -> bool:
    """True if e has one of the values of every field that is asked for."""
    for key, values in wanted.items():
        have = e.get(key)
        all_of = have if isinstance(have, list) else [have]
        if not any(str(x) in values for x in all_of):
            return False
    return True


def choose(chart: Chart, wanted: Dict[str, List[str]]) \
        -> Iterator[Tuple[int, Dict]]:
    """What matches, and with a field of the protocol its whole exchange."""
    hits = [matches(e, wanted) for e in chart.events]
    whole = set()
    if 'kind' not in wanted:
        whole = {chart.exchanges.of[n] for n, hit in enumerate(hits) if hit}
        whole.discard(-1)
    for n, e in enumerate(chart.events):
        if hits[n] or chart.exchanges.of[n] in whole:
            yield n, e
