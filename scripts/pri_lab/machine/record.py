# SPDX-License-Identifier: GPL-2.0-or-later
"""`run --record`: one log of what the guest, the IOMMU and the device did.

QEMU writes its trace events with the virtual clock, the guest's recorder
(tests/guest/record.c) sends the kernel's trace out of a serial port of its
own.  merge() puts both on the virtual clock and into one file of JSON lines,
which docs/manual/timeline.md describes.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Dict, Iterable, List, Optional, TextIO, Tuple

from . import events, tracelog
from ..core import cache
from ..core.errors import LabError, UsageError
from ..iommu import kind

VERSION = 1
PORT = 'ttyS2'          # the third one; the interrupt of the first is taken
SERIAL = 'isa-serial,chardev=record,index=2,iobase=0x3e8,irq=5'
SUFFIX = '.jsonl'
LOGGED = '-'            # instead of a file's name: in the log directory


class Recording:
    """The files of one boot, and what QEMU and the guest must be told.

    guest=False: QEMU's side alone, of which the guest notices nothing.
    """

    def __init__(self, stem: str, iommu: Optional[kind.Kind] = None,
                 guest: bool = True):
        self.iommu = iommu or kind.load()
        self.guest = guest
        self.trace = stem + '.trace'
        self.ftrace = stem + '.ftrace'
        self.log = stem + SUFFIX

    def qemu_args(self) -> List[str]:
        out = ['-msg', 'vclock=on', '-D', self.trace]
        for pattern in events.patterns(self.iommu):
            out += ['-trace', pattern]
        if not self.guest:
            return out
        return out + ['-chardev', f'file,id=record,path={self.ftrace}',
                      '-device', SERIAL]

    @staticmethod
    def words() -> str:
        """For the guest's kernel command line."""
        return f'pri_lab.record={PORT}'

    def part(self, stem: str) -> 'Part':
        """What is recorded from here on, of a machine that continues."""
        return Part(stem, self)

    def merge(self, repo: str, about: Dict[str, str]) -> 'Merged':
        """Write the log; about: what goes into its first line as it is."""
        known = tracelog.formats(repo)
        with _open(self.trace) as q, _open(
                self.ftrace if self.guest else os.devnull) as g:
            merged = merge(tracelog.qemu_lines(q, known),
                           tracelog.guest_lines(g), about, self.iommu)
        cache.write_atomic(self.log, ''.join(
            x + '\n' for x in merged.lines()).encode())
        return merged


class Part(Recording):
    """Part of another recording, up to end(): a run from a snapshot."""

    def __init__(self, stem: str, whole: Recording):
        super().__init__(stem, whole.iommu, whole.guest)
        both = [(whole.trace, self.trace), (whole.ftrace, self.ftrace)]
        self._files = [(src, dst, os.path.getsize(src))
                       for src, dst in both[:1 + whole.guest]]

    def end(self) -> None:
        for src, dst, start in self._files:
            with open(src, 'rb') as f, open(dst, 'wb') as out:
                f.seek(start)
                shutil.copyfileobj(f, out)


def _open(path: str) -> TextIO:
    try:
        return open(path, encoding='utf-8', errors='replace')
    except FileNotFoundError:
        raise LabError(f'{path}: nothing was recorded') from None


class Merged:
    """A log: what it says of itself, and its events in order of time."""

    def __init__(self, head: Dict, body: List[Dict]):
        self.head = head
        self.events = body

    def lines(self) -> Iterable[str]:
        yield json.dumps(self.head)
        for e in self.events:
            yield json.dumps(e, separators=(',', ':'))


# -- The two clocks -----------------------------------------------------------

# What must come after what: (kind of the cause, of its effect, the fields that
# both have).  They cross from QEMU to the guest or back, so they show how well
# the clocks are mapped, and they are the arrows between the kernel and the
# IOMMU.
CAUSES: Tuple[Tuple[str, str, Tuple[str, ...]], ...] = (
    ('prq-entry', 'prq-report', ('rid', 'pasid', 'prgi', 'addr')),
    ('qi-page-response', 'page-group-response',
     ('rid', 'pasid', 'prgi', 'code')),
    ('qi-devtlb-inv', 'devtlb-inv', ('rid', 'pasid', 'addr')),
    ('dma-command', 'dma-start', ('channel', 'addr')),
    ('dma-end', 'dma-result', ('channel', 'code')),
)
REACH_NS = 10_000_000       # an effect that much before its cause is another's


def pairs(body: List[Dict]) -> List[Tuple[int, int]]:
    """(cause, effect) by their places in body, each taken once, in order.

    body need not be sorted by a clock that is right: both sides are matched
    first come first served, so that a wrong order shows as a negative time.
    """
    out: List[Tuple[int, int]] = []
    for cause, effect, keys in CAUSES:
        waiting: Dict[Tuple, List[int]] = {}
        for n, e in enumerate(body):
            if e['kind'] == cause:
                waiting.setdefault(tuple(e.get(k) for k in keys),
                                   []).append(n)
        for n, e in enumerate(body):
            if e['kind'] != effect:
                continue
            queue = waiting.get(tuple(e.get(k) for k in keys))
            if queue and body[queue[0]]['t'] <= e['t'] + REACH_NS:
                out.append((queue.pop(0), n))
    return sorted(out)


def _check(body: List[Dict]) -> Dict[str, int]:
    """How many effects come before their causes on the common clock."""
    found = [(body[b]['t'] - body[a]['t'], body[a]['src'])
             for a, b in pairs(body)]
    late = [-d for d, _ in found if d < 0]
    out = {'pairs': len(found), 'inversions': len(late)}
    if late:
        out['worst_ns'] = max(late)
    for src, name in (('guest', 'min_to_qemu_ns'),
                      ('qemu', 'min_to_guest_ns')):
        times = [d for d, s in found if s == src]
        if times:
            out[name] = min(times)
    return out


def merge(qemu: Iterable[tracelog.Line], guest: Iterable[tracelog.Line],
          about: Dict[str, str],
          iommu: Optional[kind.Kind] = None) -> Merged:
    """Both traces in order of the virtual clock.

    The log begins where the guest's trace does.  Without clock marks the
    guest's events cannot be placed and are left out; the first line of the
    log says so.
    """
    iommu = iommu or kind.load()
    body = [dict(e) for e in (events.from_qemu(x, iommu) for x in qemu)
            if e is not None]
    lines = list(guest)
    clock = tracelog.Clock([m for m in map(tracelog.clock_mark, lines) if m])
    told: Dict = {'name': 'virtual', 'unit': 'ns', 'marks': len(clock.points)}
    if clock:
        told.update(ticks_per_ns=round(clock.ticks_per_ns, 6),
                    error_ns=clock.error_ns)
        for e in (events.from_guest(x, iommu) for x in lines):
            if e is not None:
                e['t'] = clock.virtual(e['t'])
                body.append(dict(e))
        # what QEMU said before is the boot
        since = min(clock.points[0][1],
                    min((e['t'] for e in body if e['src'] == 'guest'),
                        default=clock.points[0][1]))
        told['before'] = sum(e['t'] < since for e in body)
        body = [e for e in body if e['t'] >= since]
    else:
        told['left_out'] = len(lines)
    body.sort(key=lambda e: e['t'])     # stable: each trace keeps its order
    events.mark_splats(body)
    if clock:
        told.update(_check(body))
    head = {'pri-lab-log': VERSION, **about, 'clock': told,
            'events': len(body)}
    return Merged(head, body)


def summary(merged: Merged) -> str:
    """One line for the end of a run."""
    c = merged.head['clock']
    text = f'{len(merged.events):,} events'
    if c['marks'] < 2:
        return text + ', without the guest\'s: it left no clock marks'
    return text + (f', guest clock within {c["error_ns"]} ns, '
                   f'{c["inversions"]} of {c["pairs"]} effects before '
                   'their causes')


def load(path: str, repo: str) -> Merged:
    """A merged log, or a log of QEMU alone (-msg vclock=on -trace ...)."""
    with _open_given(path) as f:
        first = f.readline()
        rest = f.read().splitlines()
    try:
        head = json.loads(first)
    except ValueError:
        head = None
    if not isinstance(head, dict) or 'pri-lab-log' not in head:
        return _raw(path, [first] + rest, repo)
    if head['pri-lab-log'] != VERSION:
        raise UsageError(f'{path}: a log of version {head["pri-lab-log"]}, '
                         f'this is for version {VERSION}')
    body = []
    for n, line in enumerate(rest, 2):
        e = _event(line)
        if e is None:
            raise UsageError(f'{path}:{n}: not an event')
        body.append(e)
    return Merged(head, body)


def _event(line: str) -> Optional[Dict]:
    try:
        e = json.loads(line)
    except ValueError:
        return None
    good = isinstance(e, dict) and isinstance(e.get('t'), int) and \
        e.get('lane') in events.LANES and isinstance(e.get('kind'), str)
    return e if good else None


def _raw(path: str, lines: List[str], repo: str) -> Merged:
    merged = merge(tracelog.qemu_lines(lines, tracelog.formats(repo)), [],
                   {'job': os.path.basename(path)})
    if not merged.events:
        raise UsageError(
            f'{path}: neither a log of `pri-lab run --record` nor one of '
            'QEMU with -msg vclock=on',
            'record one: ./pri-lab run JOB --record, or ./pri-lab qemu '
            '-msg vclock=on -D FILE -trace \'ats_*\' -trace \'vtd_prq*\'')
    return merged


def _open_given(path: str) -> TextIO:
    try:
        return open(path, encoding='utf-8', errors='replace')
    except OSError as e:
        raise UsageError(f'{path}: {e.strerror}') from None


def put(log: str, wanted: str) -> str:
    """Where a recording is: also in the file the user named, if he did."""
    if wanted in ('', LOGGED):
        return log
    out = os.path.realpath(os.path.expanduser(wanted))
    with open(log, 'rb') as f:
        cache.write_atomic(out, f.read())
    return wanted
