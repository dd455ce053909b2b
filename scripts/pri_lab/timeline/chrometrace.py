# SPDX-License-Identifier: GPL-2.0-or-later
"""A log as the Trace Event Format (JSON) that Perfetto and Chrome read.

The guest is a process with a thread for each of its tasks, the machine (IOMMU,
link, endpoint) another one with a thread a lane.  What lasts is a slice ("X"),
an operation of a DMA channel, several of which run at once, is asynchronous
("b", "e"); a message, or a cause and its effect, is a flow ("s", "f") between
two slices of a nanosecond; a splat is an instant ("i") of the whole picture.
Times are µs.
"""

from __future__ import annotations

import json
from typing import Dict, List, Set, Tuple

from ..machine.events import ENDPOINT, LANE_NAMES, LANES, VIOLATION
from .timeline import Chart, label

GUEST, MACHINE = 1, 2           # pids of the picture
_ARGS = ('pasid', 'prgi', 'itag', 'addr', 'code', 'channel', 'flags', 'rid',
         'len', 'cpu')
# a flow ends in the slice around it, not in the next one
_BINDS: Dict[str, Dict[str, str]] = {'s': {}, 'f': {'bp': 'e'}}
_LEVELS = {1: 'warning', 2: 'violation'}


def _thread(e: Dict) -> Tuple[int, int, str]:
    """(pid, tid, name) of the track that an event is on."""
    name, _, number = str(e.get('task', '')).rpartition('-')
    if number.isdigit():
        return GUEST, int(number), name
    lane = e['lane']
    return MACHINE, LANES.index(lane) + 1, LANE_NAMES[lane]


class _Trace:
    def __init__(self, chart: Chart):
        self.chart = chart
        self.start = min((e['t'] for e in chart.events), default=0)
        self.out: List[Dict] = []
        self.tracks: Dict[Tuple[int, int], str] = {}
        self.slices: Set[int] = set()       # events that are one
        self.flows = 0

    def us(self, n: int) -> float:
        return round((self.chart.events[n]['t'] - self.start) / 1e3, 3)

    def put(self, n: int, ph: str, **more) -> None:
        e = self.chart.events[n]
        pid, tid, name = _thread(e)
        self.tracks.setdefault((pid, tid), name)
        self.out.append({'ph': ph, 'pid': pid, 'tid': tid, 'ts': self.us(n),
                         'name': label(e), 'cat': e['kind'], **more})

    def args(self, n: int) -> Dict:
        e = self.chart.events[n]
        out = {k: e[k] for k in _ARGS if k in e}
        out.update(event=e.get('event', ''), text=e.get('text', ''))
        if e.get('level'):
            out['level'] = _LEVELS[e['level']]
        return out

    def lasting(self) -> None:
        """What has a begin and an end."""
        events = self.chart.events
        for number, s in enumerate(self.chart.spans):
            if s.lane == ENDPOINT:
                for n, ph in ((s.first, 'b'), (s.last, 'e')):
                    self.put(n, ph, id=f'0x{number:x}')
                    self.out[-1].update(cat='dma', name='channel '
                                        f'{events[s.first].get("channel")}')
            else:
                self.slices.add(s.first)
                self.put(s.first, 'X', args=self.args(s.first), dur=max(
                    0.001, round(self.us(s.last) - self.us(s.first), 3)))

    def moment(self, n: int) -> None:
        """An event that has no slice yet, for a flow to hold on to."""
        if n not in self.slices:
            self.slices.add(n)
            self.put(n, 'X', dur=0.001, args=self.args(n))

    def flow(self, first: int, last: int) -> None:
        if self.us(last) < self.us(first):
            return                          # the clocks do not fit there
        self.moment(first)
        self.moment(last)
        self.flows += 1
        for n, ph in ((first, 's'), (last, 'f')):
            self.put(n, ph, id=self.flows)
            self.out[-1].update(name='leads to', cat='flow', **_BINDS[ph])

    def message(self, n: int) -> None:
        """A flow to the lane where it arrives, at once."""
        e = self.chart.events[n]
        self.moment(n)
        there = dict(e, lane=e['to'])
        there.pop('task', None)
        pid, tid, name = _thread(there)
        self.tracks.setdefault((pid, tid), name)
        self.flows += 1
        self.out.append({'ph': 'X', 'pid': pid, 'tid': tid, 'ts': self.us(n),
                         'dur': 0.001, 'name': label(e), 'cat': e['kind'],
                         'args': {}})
        for ph, where in (('s', _thread(e)[:2]), ('f', (pid, tid))):
            self.out.append({'ph': ph, 'pid': where[0], 'tid': where[1],
                             'ts': self.us(n), 'id': self.flows,
                             'name': 'message', 'cat': 'flow',
                             **_BINDS[ph]})

    def names(self) -> List[Dict]:
        out = []
        for pid, name in ((GUEST, 'guest'), (MACHINE, 'machine')):
            out.append({'ph': 'M', 'pid': pid, 'tid': 0, 'ts': 0, 'cat': '',
                        'name': 'process_name', 'args': {'name': name}})
        for (pid, tid), name in sorted(self.tracks.items()):
            out.append({'ph': 'M', 'pid': pid, 'tid': tid, 'ts': 0, 'cat': '',
                        'name': 'thread_name', 'args': {'name': name}})
        return out


def text(chart: Chart) -> str:
    """The file."""
    t = _Trace(chart)
    t.lasting()
    for first, last in chart.pairs:
        t.flow(first, last)
    for n, e in enumerate(chart.events):
        if e.get('to'):
            t.message(n)
        elif n not in t.slices:
            bad = e.get('level') == VIOLATION
            t.put(n, 'i', s='g' if bad else 't', args=t.args(n))
    t.out.sort(key=lambda x: (x['ts'], -x.get('dur', 0)))
    return json.dumps({'traceEvents': t.names() + t.out,
                       'displayTimeUnit': 'ns',
                       'otherData': {'title': chart.title, **{
                           k: v for k, v in chart.head.items()
                           if isinstance(v, (str, int))}}}) + '\n'
