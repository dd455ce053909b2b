# SPDX-License-Identifier: GPL-2.0-or-later
"""What belongs together in a merged log: exchanges, spans, round trips.

An exchange is a page request group and all that is said of it until its
response, or a device-TLB invalidation until its completion.
"""

from __future__ import annotations

import statistics
from typing import Dict, List, NamedTuple, Optional, Tuple

from ..machine import events

_GROUP_ENDS = frozenset(('prg-response',))
_GROUP_KINDS = frozenset((
    'group', 'page-request', 'prq-entry', 'prq-overflow', 'prq-pending',
    'prq-fault', 'auto-response', 'prq-report', 'qi-page-response',
    'page-group-response', 'prg-response', 'unexpected-response',
    'stale-response'))
_AFTERMATH = frozenset(('unexpected-response', 'stale-response'))
_OPENS = frozenset(('group', 'page-request'))


class Round(NamedTuple):
    """Times from request to answer, in ns."""
    name: str
    times: List[int]

    @property
    def median(self) -> float:
        return statistics.median(self.times)


def _itags(e: Dict) -> List[int]:
    tag = e.get('itag')
    return tag if isinstance(tag, list) else [] if tag is None else [tag]


class Exchanges:
    """of[n] is the number of the exchange that event n is part of, or -1."""

    def __init__(self, body: List[Dict]):
        self.of = [-1] * len(body)
        self.count = 0
        self._groups: Dict[Tuple, int] = {}         # open ones
        self._last: Dict[Tuple, int] = {}           # closed ones
        self._pages: Dict[int, int] = {}            # page -> group
        self._invs: Dict[Tuple, int] = {}           # (rid, ITag)
        self._began: Dict[int, int] = {}
        self._page_times: List[int] = []
        self._inv_times: List[int] = []
        for n, e in enumerate(body):
            if e['kind'] in _GROUP_KINDS and 'prgi' in e:
                self.of[n] = self._group(e)
            elif e['kind'] == 'mm-fault' and 'addr' in e:
                self.of[n] = self._pages.get(
                    int(e['addr'], 16) & ~0xfff, -1)
            elif 'itag' in e:
                self.of[n] = self._inv(e)

    def _new(self) -> int:
        self.count += 1
        return self.count - 1

    # PCIe 6.2 10.4: a group is known by its requester, PASID and index
    def _group(self, e: Dict) -> int:
        key = (e.get('rid'), e.get('pasid'), e['prgi'])
        bare = (None,) + key[1:]
        kind = e['kind']
        if kind in _AFTERMATH and key not in self._last:
            return self._last.get(bare, -1)
        if kind in _AFTERMATH:
            return self._last[key]
        x = self._groups.get(key)
        if x is None and bare in self._groups and kind == 'page-request':
            # now its requester is known
            x = self._groups[key] = self._groups.pop(bare)
        if x is None:
            if kind not in _OPENS:
                # written about after its end, or before the log began
                return self._last.get(key, -1)
            x = self._groups[key] = self._new()
        if kind == 'page-request':
            self._began.setdefault(x, e['t'])
            self._pages[int(e['addr'], 16) & ~0xfff] = x
        if kind in _GROUP_ENDS:
            self._groups.pop(key)
            self._last[key] = self._last[bare] = x
            if x in self._began:
                self._page_times.append(e['t'] - self._began[x])
        return x

    def _inv(self, e: Dict) -> int:
        x = -1
        for tag in _itags(e):
            key = (e.get('rid'), tag)
            if e['kind'] == 'devtlb-inv' or (e['kind'] == 'inv-request' and
                                             key not in self._invs):
                self._invs[key] = self._new()
                self._began[self._invs[key]] = e['t']
            x = self._invs.get(key, self._invs.get(
                self._rid_of(tag) or (), -1) if key[0] is None else -1)
            if e['kind'] == 'devtlb-done' and x >= 0:
                self._inv_times.append(e['t'] - self._began[x])
                self._invs.pop(key, None)
        return x

    def _rid_of(self, tag: int) -> Optional[Tuple]:
        """For events that have an ITag and no requester."""
        found = [k for k in self._invs if k[1] == tag]
        return found[0] if len(found) == 1 else None

    def rounds(self) -> List[Round]:
        out = [Round('page request to its response', self._page_times),
               Round('device-TLB invalidation to its completion',
                     self._inv_times)]
        return [r for r in out if r.times]


class Span(NamedTuple):
    """Something is at work on a lane from event first to event last."""
    lane: str
    first: int
    last: int


_SPANS = {'qi_begin': 'qi_end', 'prq_thread': 'prq_thread_done',
          'iopf_work': 'iopf_work_done', 'drain': 'drained',
          'sva_unbind': 'sva_unbound', 'flr': 'flr_done',
          'reset_prepare': 'reset_done',
          'pri_testdev_start': 'pri_testdev_end'}


def spans(body: List[Dict]) -> List[Span]:
    """Begin and end are of one task, or of one channel of one device."""
    ends = {v: k for k, v in _SPANS.items()}
    begun: Dict[Tuple, List[int]] = {}
    out: List[Span] = []
    for n, e in enumerate(body):
        name = e.get('event', '')
        who = e.get('task') or (e['text'].split(' ')[0], e.get('channel')) \
            if name in _SPANS or name in ends else None
        if name in _SPANS:
            begun.setdefault((name, who), []).append(n)
        elif name in ends and begun.get((ends[name], who)):
            first = begun[ends[name], who].pop()
            lane = events.ENDPOINT if name == 'pri_testdev_end' \
                else body[first]['lane']
            out.append(Span(lane, first, n))
    return out


# -- Where the time of one fault goes -----------------------------------------

# What happens in turn; between two of them: whose time it is, doing what
STEPS: Tuple[Tuple[str, str, str], ...] = (
    ('dma-command', '', ''),
    ('dma-start', 'guest', 'writes the command register'),
    ('page-request', 'device', 'asks for the translation, then the page'),
    ('prq-entry', 'queue', 'checks the tables, writes the entry'),
    ('prq-report', 'guest', 'interrupt, page request thread'),
    ('mm-fault', 'guest', 'hands it to a worker'),
    ('qi-page-response', 'guest', 'brings the page in, submits the answer'),
    ('page-group-response', 'queue', 'fetches the descriptor'),
    ('prg-response', 'queue', 'sends the response'),
    ('dma-end', 'device', 'asks for the translation again, writes'),
    ('dma-result', 'guest', 'interrupt, the process reads the result'),
)


class Part(NamedTuple):
    """One stretch of a fault: medians would not add up, so means."""
    who: str                    # guest, device, queue
    what: str
    ns: float


def parts(body: List[Dict]) -> Tuple[int, List[Part]]:
    """(faults counted, their parts), of operations with a single fault.

    An operation counts if each step happens once, in turn, before the
    program reads its result.
    """
    order = [kind for kind, _, _ in STEPS]
    sums = [0] * len(order)
    count = 0
    seen: List[Tuple[str, int]] = []
    for e in body:
        if e['kind'] == order[0]:
            seen = []
        if e['kind'] in order:
            seen.append((e['kind'], e['t']))
        if e['kind'] == order[-1] and [k for k, _ in seen] == order:
            count += 1
            for n in range(1, len(order)):
                sums[n] += seen[n][1] - seen[n - 1][1]
    if not count:
        return 0, []
    return count, [Part(who, what, sums[n] / count)
                   for n, (_, who, what) in enumerate(STEPS) if n]
