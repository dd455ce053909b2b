# SPDX-License-Identifier: GPL-2.0-or-later
"""Two traces of one run, line by line: QEMU's log and the guest's ftrace.

Both come out as Line: when (in the clock of its trace), the event's name, and
its fields by name.  What an event means is for events.py.
"""

from __future__ import annotations

import glob
import os
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple


class Line(NamedTuple):
    time: int                   # ns of virtual time; guest: TSC
    name: str
    fields: Dict[str, str]      # as printed
    text: str                   # all behind the name
    task: str = ''              # guest only
    pid: int = 0
    cpu: int = -1


# -- QEMU ---------------------------------------------------------------------

_DEFINITION = re.compile(r'(?:disable )?(\w+)\((.*?)\)\s+(".*)$')
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|(PRI[a-zA-Z]\w+)')
_CONVERSION = re.compile(r'%(?:%|[-0 #+]*\d*(?:l|ll|h|hh|z)?[diuxXsc])')
_PRI = {'d': 'd', 'i': 'd', 'u': 'u', 'x': 'x', 'X': 'x'}


class Format:
    """The format of one trace event, turned round."""

    def __init__(self, args: List[str], fmt: str):
        self.args = args
        out, at = '', 0
        for m in _CONVERSION.finditer(fmt):
            out += re.escape(fmt[at:m.start()])
            at = m.end()
            last = m.group()[-1]
            out += {'%': '%', 's': '(.*?)', 'c': '(.)', 'x': '([0-9a-fA-F]+)',
                    'X': '([0-9a-fA-F]+)'}.get(last, r'(-?\d+)')
        self.regex = re.compile(out + re.escape(fmt[at:]) + r'\s*$')
        self.hex = [m.group()[-1] in 'xX'
                    for m in _CONVERSION.finditer(fmt) if m.group() != '%%']

    def fields(self, text: str) -> Optional[Dict[str, str]]:
        m = self.regex.match(text)
        if not m:
            return None
        return {name: '0x' + value if is_hex else value for name, value, is_hex
                in zip(self.args, m.groups(), self.hex)}


def _definition(line: str) -> Optional[Tuple[str, Format]]:
    m = _DEFINITION.match(line.strip())
    if not m:
        return None
    args = [re.split(r'[\s*]+', a.strip())[-1]
            for a in m.group(2).split(',') if a.strip() != 'void']
    fmt = ''
    for text, macro in _LITERAL.findall(m.group(3)):
        fmt += _PRI.get(macro[3], 's') if macro else text
    return m.group(1), Format(args, fmt)


def formats(*trees: str) -> Dict[str, Format]:
    """Of every event in the trace-events files below these directories."""
    out: Dict[str, Format] = {}
    for tree in trees:
        for path in sorted(glob.glob(os.path.join(tree, 'hw', '*',
                                                  'trace-events'))):
            with open(path, encoding='utf-8') as f:
                out.update(filter(None, map(_definition, f)))
    return out


_QEMU = re.compile(r'\[(\d+)\] ([a-z]\w+)(?: (.*))?$')
_PAIR = re.compile(r'(\w+)[ =](0x[0-9a-fA-F]+|-?\d+)\b')


def qemu_lines(lines: Iterable[str], known: Dict[str, Format]) \
        -> Iterator[Line]:
    """Events of a log made with -msg vclock=on; other lines are left out.

    An event without a format in known gets what looks like `name value`.
    """
    for line in lines:
        m = _QEMU.match(line)
        if not m:
            continue
        time, name, text = int(m.group(1)), m.group(2), m.group(3) or ''
        fields = known[name].fields(text) if name in known else None
        if fields is None:
            fields = dict(_PAIR.findall(text))
        yield Line(time, name, fields, text.strip())


# -- The guest ----------------------------------------------------------------

_FTRACE = re.compile(
    r'\s*(.*)-(\d+)\s+(?:\(\s*[-\d]+\)\s+)?\[(\d+)\]\s+(?:\S+\s+)?'
    r'(\d+): (\w+): ?(.*)$')
_SINCE = re.compile(r'^\(.*?\)\s*')         # where a probe was hit
_CLOCK = re.compile(r'pri-lab clock (\d+) (\d+) (\d+)$')
MARK = 'pri-lab '


def guest_lines(lines: Iterable[str]) -> Iterator[Line]:
    """Events of trace_pipe with the clock x86-tsc; torn lines are left out."""
    for line in lines:
        m = _FTRACE.match(line)
        if not m:
            continue
        task, pid, cpu, time, name, text = m.groups()
        place = _SINCE.match(text)
        text = text[place.end():] if place else text
        yield Line(int(time), name, dict(_PAIR.findall(text)), text.strip(),
                   task.strip(), int(pid), int(cpu))


class Clock:
    """From the guest's TSC to QEMU's virtual clock.

    Both run at a constant rate but for what the host does to its own clock, so
    it is straight lines between the marks that the recorder has left.  error
    is half of the time between the two readings of the TSC, the most that a
    mark can be off.
    """

    def __init__(self, marks: List[Tuple[int, int, int]]):
        best = sorted(m for m in marks if m[2] > m[0])
        spans = sorted(m[2] - m[0] for m in best)
        # a mark that the host has interrupted says less than its neighbours
        limit = 2 * spans[len(spans) // 2] if spans else 0
        self.points: List[Tuple[float, int]] = []
        self._width = []
        for a, ns, b in best:
            if b - a <= limit and (not self.points or
                                   ns > self.points[-1][1]):
                self.points.append(((a + b) / 2, ns))
                self._width.append(b - a)
        self._at = 0

    def __bool__(self) -> bool:
        return len(self.points) >= 2

    @property
    def ticks_per_ns(self) -> float:
        (t0, v0), (t1, v1) = self.points[0], self.points[-1]
        return (t1 - t0) / (v1 - v0)

    @property
    def error_ns(self) -> int:
        return round(max(self._width) / 2 / self.ticks_per_ns)

    def virtual(self, tsc: int) -> int:
        """ns of virtual time; beyond the marks the last line continues."""
        points = self.points
        n = min(self._at, len(points) - 2)
        while n > 0 and tsc < points[n][0]:
            n -= 1
        while n < len(points) - 2 and tsc >= points[n + 1][0]:
            n += 1
        self._at = n
        (t0, v0), (t1, v1) = points[n], points[n + 1]
        return round(v0 + (tsc - t0) * (v1 - v0) / (t1 - t0))


def clock_mark(line: Line) -> Optional[Tuple[int, int, int]]:
    m = _CLOCK.match(line.text) if line.name == 'tracing_mark_write' or \
        line.text.startswith(MARK) else None
    return (int(m.group(1)), int(m.group(2)), int(m.group(3))) if m else None
