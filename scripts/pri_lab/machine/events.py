# SPDX-License-Identifier: GPL-2.0-or-later
"""What the events of both traces mean: one row an event.

Rows here are of the devices, the link and what every kernel has; those of an
IOMMU are in the file of its kind (iommu/kind.py).

A row says on which lane an event is, where the message it stands for goes,
what kind it is, and how bad.  An event that has no row is kept, on the lane
that its name suggests, so that a new trace event shows up by itself.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Optional

from ..iommu import kind
from ..iommu.kind import Row
from ..results import splat
from .tracelog import MARK, Line

LOG, PROCESS, PRQ, FAULT, QI, IOMMU, LINK, ENDPOINT = LANES = kind.LANES
LANE_NAMES = {
    LOG: 'kernel log',
    PROCESS: 'process', PRQ: 'PRQ thread', FAULT: 'fault worker',
    QI: 'QI submitter', IOMMU: 'IOMMU', LINK: 'link', ENDPOINT: 'endpoint'}
NORMAL, WARNING, VIOLATION = range(3)
NO_PASID = 0xffffffff


_QEMU: Dict[str, Row] = {
    # Messages.  The link sees them all, so lane and to are those of its ends
    'ats_link_page_request': Row('page-request', ENDPOINT, IOMMU),
    'ats_link_inv_completion': Row('inv-completion', ENDPOINT, IOMMU),
    'ats_link_prg_response': Row('prg-response', IOMMU, ENDPOINT),
    'ats_link_inv_request': Row('inv-request', IOMMU, ENDPOINT),
    'ats_link_translation': Row('translation', IOMMU, ENDPOINT),
    'ats_link_translation_error': Row('translation', IOMMU, ENDPOINT,
                                      WARNING),
    'ats_link_lost': Row('message-lost', LINK, '', WARNING),
    # The function
    'pcie_pri_group': Row('group', ENDPOINT),
    'pcie_pri_control': Row('pri-control', ENDPOINT),
    'pcie_pri_unexpected': Row('unexpected-response', ENDPOINT, '',
                               VIOLATION),
    'pcie_pri_stale': Row('stale-response', ENDPOINT, '', WARNING),
    'pcie_pri_stop_marker': Row('stop', ENDPOINT),
    'pcie_pri_violation': Row('violation', ENDPOINT, '', VIOLATION),
    'ats_function_violation': Row('violation', ENDPOINT, '', VIOLATION),
    'ats_posted_write': Row('posted-write', ENDPOINT),
    'ats_posted_land': Row('write-lands', ENDPOINT, IOMMU),
    'ats_posted_overtaken': Row('write-overtaken', ENDPOINT, '', VIOLATION),
    'ats_posted_lost': Row('write-lost', ENDPOINT, '', WARNING),
    'pcie_atc_insert': Row('atc', ENDPOINT),
    'pcie_atc_invalidate': Row('atc', ENDPOINT),
    'ats_knob_set': Row('knob', ENDPOINT),
    'pri_testdev_start': Row('dma-start', PROCESS, ENDPOINT),
    'pri_testdev_end': Row('dma-end', ENDPOINT, PROCESS),
    'pri_testdev_fault': Row('dma-fault', ENDPOINT),
    'pri_testdev_reset': Row('reset', ENDPOINT),
    'pri_testdev_flr_end': Row('reset', ENDPOINT),
    'pri_testdev_gone': Row('reset', ENDPOINT),
    'pri_testdev_inv': Row('inv-answer', ENDPOINT),
    'pri_testdev_stop': Row('stop', ENDPOINT),
}

_GUEST: Dict[str, Row] = {
    'iopf_work': Row('fault-work', FAULT),
    'iopf_work_done': Row('fault-work', FAULT),
    'mm_fault': Row('mm-fault', FAULT),
    'munmap': Row('memory', PROCESS), 'mprotect': Row('memory', PROCESS),
    'madvise': Row('memory', PROCESS), 'mremap': Row('memory', PROCESS),
    'fork': Row('task', PROCESS), 'exit': Row('task', PROCESS),
    'sva_bind': Row('bind', PROCESS), 'sva_unbind': Row('bind', PROCESS),
    'sva_unbound': Row('bind', PROCESS),
    'drain': Row('drain', PROCESS), 'drained': Row('drain', PROCESS),
    'flr': Row('reset', PROCESS), 'flr_done': Row('reset', PROCESS),
    'reset_prepare': Row('reset', PROCESS),
    'reset_done': Row('reset', PROCESS),
    'device_irq': Row('interrupt', PROCESS),
    'io_page_fault': Row('fault', PROCESS, '', WARNING),
    'console': Row('kernel-log', LOG),
}

_QI_KINDS = {
    'page_grp_resp': 'qi-page-response', 'dev_tlb_inv': 'qi-devtlb-inv',
    'p_dev_tlb_inv': 'qi-devtlb-inv', 'inv_wait': 'qi-wait',
    'iotlb_inv': 'qi-iotlb-inv', 'p_iotlb_inv': 'qi-iotlb-inv',
    'cc_inv': 'qi-context-inv', 'pc_inv': 'qi-pasid-inv',
    'iec_inv': 'qi-interrupt-inv',
}
# QEMU events that say nothing which others do not say, many times
NOISE = frozenset(('pri_testdev_read', 'pri_testdev_write'))
# What `run --record` turns on in QEMU, besides the IOMMU's
PATTERNS = ('ats_*',
            'pcie_pri_*', 'pcie_atc_*', 'pri_testdev_start',
            'pri_testdev_fault', 'pri_testdev_end', 'pri_testdev_inv',
            'pri_testdev_stop', 'pri_testdev_reset', 'pri_testdev_flr*',
            'pri_testdev_gone')


def _int(text: str) -> int:
    return int(text, 16) if text.startswith('0x') else int(text)


class Event(dict):
    """One line of the merged log; keys as docs/manual/timeline.md has them."""

    def set(self, key: str, value: Optional[int]) -> None:
        if value is not None:
            self[key] = hex(value) if key == 'addr' else value


def _common(e: Event, f: Dict[str, str]) -> None:
    """Fields that have the same name everywhere."""
    for key in ('rid', 'sid'):
        if key in f:
            e['rid'] = f'{_int(f[key]) & 0xffff:04x}'
    if 'pasid' in f and _int(f['pasid']) not in (NO_PASID, -1):
        e['pasid'] = _int(f['pasid'])
    for key in ('prgi', 'itag', 'code'):
        if key in f:
            e[key] = _int(f[key])
    for key in ('iova', 'addr', 'err_addr', 'base'):
        if key in f:
            e['addr'] = hex(_int(f[key]))
            break


def _flags(f: Dict[str, str], names: Dict[str, str]) -> str:
    return ''.join(c if f.get(n) == '1' else '-' for n, c in names.items())


# -- QEMU events that need more than their row --------------------------------

def _page_request(e: Event, f: Dict[str, str]) -> None:
    e['flags'] = _flags(f, {'r': 'r', 'w': 'w', 'exec': 'x', 'priv': 'p',
                            'l': 'l'})
    flags = e['flags']
    if 'pasid' in e and flags[:2] == '--' and flags[4] == 'l':
        e['kind'] = 'stop-marker'
        e.pop('prgi', None)


def _translation(e: Event, f: Dict[str, str]) -> None:
    e['flags'] = _flags(f, {'r': 'r', 'w': 'w'}) + '---'
    if 'status' in f:
        e['code'] = _int(f['status'])


def _itags(e: Event, f: Dict[str, str]) -> None:
    mask = _int(f.get('itags', '0'))
    tags = [n for n in range(32) if mask >> n & 1]
    if tags:
        e['itag'] = tags[0] if len(tags) == 1 else tags
    if 'cc' in f:
        e['code'] = _int(f['cc'])


def _channel(e: Event, f: Dict[str, str]) -> None:
    if 'n' in f:
        e['channel'] = _int(f['n'])
    if e['event'] == 'pri_testdev_start':
        to = _int(f.get('dst', '0')) or _int(f.get('src', '0'))
        e['addr'] = hex(to)
        if not _int(f.get('flags', '0')) & 1:
            e.pop('pasid', None)
    if 'status' in f:
        e['code'] = _int(f['status'])


def _inv_flush(e: Event, f: Dict[str, str]) -> None:
    if e['event'].startswith(('vtd_inv_desc_iotlb', 'vtd_inv_desc_pasid',
                              'vtd_inv_desc_cc', 'vtd_inv_desc_iec')):
        e['kind'] = 'inv-descriptor'


_QEMU_MORE: Dict[str, Callable[[Event, Dict[str, str]], None]] = {
    'ats_link_page_request': _page_request,
    'ats_link_inv_completion': _itags,
    'vtd_devtlb_completion_lost': _itags,
    'ats_link_translation': _translation,
    'ats_link_translation_error': _translation,
    'pri_testdev_start': _channel, 'pri_testdev_end': _channel,
    'pri_testdev_fault': _channel, 'pri_testdev_stop': _channel,
}


def patterns(iommu: kind.Kind) -> List[str]:
    """What `run --record` turns on in QEMU."""
    return [*iommu.record, *PATTERNS]


def _lane_of(name: str, iommu: kind.Kind) -> str:
    if name.startswith(iommu.prefix):
        return IOMMU
    return LINK if name.startswith('ats_link') else ENDPOINT


def from_qemu(line: Line, iommu: kind.Kind) -> Optional[Event]:
    """None: not worth a line."""
    if line.name in NOISE or line.name in iommu.noise:
        return None
    row = _QEMU.get(line.name) or iommu.qemu_events.get(line.name) or \
        Row(line.name.replace('_', '-'), _lane_of(line.name, iommu))
    e = Event(t=line.time, lane=row.lane, kind=row.kind)
    if row.to:
        e['to'] = row.to
    if row.level:
        e['level'] = row.level
    e['src'] = 'qemu'
    e['event'] = line.name
    _common(e, line.fields)
    _QEMU_MORE.get(line.name, _inv_flush)(e, line.fields)
    e['text'] = line.text
    return e


# -- Guest events that need more than their row -------------------------------

def _prq_report(e: Event, line: Line) -> None:
    # Linux prints bits 63:12 of the second word, a page number
    if 'addr' in line.fields:
        e['addr'] = hex(_int(line.fields['addr']) << 12)
    if 'index' in line.fields:
        e['prgi'] = _int(line.fields['index'])
    m = re.search(r' ([r-][w-][x-][p-][l-]) ', line.text)
    if m:
        e['flags'] = m.group(1)


def _qi_submit(e: Event, line: Line) -> None:
    """VT-d 6.5.2, 7.7.1: the descriptors that carry a requester."""
    words = [int(x, 16) for x in re.findall(r'0x[0-9a-f]+', line.text)]
    name = line.text.split(' ')[0]
    e['kind'] = _QI_KINDS.get(name, 'qi-submit')
    if len(words) < 2:
        return
    lo, hi = words[0], words[1]
    if name == 'page_grp_resp':
        e['rid'] = f'{lo >> 16 & 0xffff:04x}'
        e['code'] = lo >> 12 & 0xf
        e['prgi'] = hi >> 3 & 0x1ff
        if lo >> 4 & 1:
            e['pasid'] = lo >> 32 & 0xfffff
    elif name == 'p_dev_tlb_inv':
        e['rid'] = f'{lo >> 16 & 0xffff:04x}'
        e['pasid'] = lo >> 32 & 0xfffff
        e['addr'] = hex(hi & ~0xfff)
    elif name == 'dev_tlb_inv':
        e['rid'] = f'{lo >> 32 & 0xffff:04x}'
        e['addr'] = hex(hi & ~0xfff)
    elif name in ('p_iotlb_inv', 'pc_inv'):
        e['pasid'] = lo >> 32 & 0xfffff


def _cache_tag(e: Event, line: Line) -> None:
    m = re.search(r'\[(-?\d+)\] type', line.text)
    if m and int(m.group(1)) >= 0:
        e['pasid'] = int(m.group(1))


def _memory(e: Event, line: Line) -> None:
    if 'len' in line.fields:
        e['len'] = _int(line.fields['len'])


_GUEST_MORE: Dict[str, Callable[[Event, Line], None]] = {
    'prq_report': _prq_report, 'qi_submit': _qi_submit,
    'cache_tag_flush_range': _cache_tag,
    'cache_tag_flush_range_np': _cache_tag,
    'munmap': _memory, 'mprotect': _memory, 'madvise': _memory,
    'mremap': _memory,
}
_MARKS = {'test': 'test', 'test-end': 'test', 'start': 'dma-command',
          'end': 'dma-result'}


def _mark(line: Line) -> Optional[Event]:
    """What a test program wrote into the trace."""
    at = line.text.find(MARK)
    if at < 0:
        return None
    text = line.text[at + len(MARK):]
    word = text.split(' ')[0]
    if word == 'clock':
        return None
    e = Event(t=line.time, lane=PROCESS, kind=_MARKS.get(word, 'mark'))
    f = line.fields
    if 'channel' in f:
        e['channel'] = _int(f['channel'])
    to = _int(f.get('dst', '0')) or _int(f.get('src', '0'))
    e.set('addr', to or None)
    if 'status' in f:
        e['code'] = _int(f['status'])
    e['src'] = 'guest'
    e['event'] = 'mark'
    e['text'] = text
    return e


def from_guest(line: Line, iommu: kind.Kind) -> Optional[Event]:
    """The time is still that of the guest."""
    if MARK in line.text:
        e = _mark(line)
        if e is None:
            return None
    else:
        row = _GUEST.get(line.name) or iommu.guest_events.get(line.name) or \
            Row(line.name.replace('_', '-'), PROCESS)
        e = Event(t=line.time, lane=row.lane, kind=row.kind)
        if row.level:
            e['level'] = row.level
        e['src'] = 'guest'
        e['event'] = line.name
        _common(e, line.fields)
        more = _GUEST_MORE.get(line.name)
        if more:
            more(e, line)
        e['text'] = line.text
    e['task'] = f'{line.task}-{line.pid}'
    e['cpu'] = line.cpu
    return e


def mark_splats(body: List[Dict]) -> None:
    """Of what the kernel's log says in a trace, in order: where a splat begins
    is bad, and all of it is of one kind."""
    said = [e for e in body if e['kind'] == 'kernel-log']
    lines = [e['text'] for e in said]
    for first, last in splat.spans(lines):
        known = splat.known(lines[first:last + 1])
        said[first]['level'] = WARNING if known else VIOLATION
        for e in said[first:last + 1]:
            e['kind'] = 'splat'


def rows(iommu: kind.Kind) -> Dict[str, Row]:
    """Of every event of QEMU and of the guest that has one."""
    return {**_QEMU, **_GUEST, **iommu.qemu_events, **iommu.guest_events}


def kinds(iommu: Optional[kind.Kind] = None) -> List[str]:
    """Every kind of event that has a row, for the manual and its test."""
    have = rows(iommu or kind.load()).values()
    return sorted({r.kind for r in have} | set(_QI_KINDS.values())
                  | set(_MARKS.values())
                  | {'stop-marker', 'inv-descriptor', 'splat'})
