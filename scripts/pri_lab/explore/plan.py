# SPDX-License-Identifier: GPL-2.0-or-later
"""A plan for the schedule machine (accel/tcg/sched.c), as data.

Its text is one line of words; docs/manual/explore.md says what they mean.  What
the search does not change itself is kept as it is.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Tuple

from ..core.errors import LabError

# kinds of device events, by the number that the trace has for them
KINDS = ('pr', 'resp', 'inv', 'cpl', 'tr', 'prq', 'desc', 'wait', 'msi',
         'dma', 'timer', 'bh', 'pd')
_POINT = re.compile(r'^(?:([0-9a-f]):([li]?)(\d+)|i(\d+)|(\w+)#(\d+))$')
_WHEN = re.compile(r'^(?:now|idle|lost|twice|\+\d+)$')
_SLICE = re.compile(r'^([0-9a-f]+):(\d+)$')
_REST = re.compile(r'^(?:(?:slice|yield|limit|hold)=\d+|rand=\d+:\d+:\d+'
                   r'|broken)$')


class Point(NamedTuple):
    """The vCPU that runs goes last once this has been done."""
    cpu: int                    # -1: of no vCPU, `where` has it
    kind: str                   # '' a focus access, 'l' lock, 'i' instructions
    n: int
    to: Optional[int] = None    # vCPU that goes first
    where: str = ''             # i123, prq#2

    def word(self) -> str:
        at = self.where or f'{self.cpu:x}:{self.kind}{self.n}'
        return f'at={at}' + ('' if self.to is None else f'>{self.to:x}')


class Slice(NamedTuple):
    """CPUs in this order, until one has executed n instructions in a row."""
    order: str
    n: int

    def word(self) -> str:
        return f'slice={self.order}:{self.n}'


class Event(NamedTuple):
    """A device event, or every one of its kind (n = 0), is delivered when?"""
    kind: str
    n: int
    when: str

    def word(self) -> str:
        return self.kind + (f'#{self.n}' if self.n else '') + f'={self.when}'


class Plan(NamedTuple):
    order: str = ''
    points: Tuple[Point, ...] = ()
    events: Tuple[Event, ...] = ()
    rest: Tuple[str, ...] = ()  # limit=, rand=, slice=N, ...
    slices: Tuple[Slice, ...] = ()      # one after the other

    def __str__(self) -> str:
        words = [f'order={self.order}'] if self.order else []
        words += [s.word() for s in self.slices]
        words += [p.word() for p in self.points]
        words += [e.word() for e in self.events]
        return ' '.join(words + list(self.rest)) or 'on'

    @property
    def limited(self) -> bool:
        """It says itself how long a run may be."""
        return any(w.startswith('limit=') for w in self.rest)

    def key(self) -> Tuple:
        """Equal for plans that do the same; LIMIT is no part of that."""
        return (self.order, self.slices,
                frozenset(self.points), frozenset(self.events),
                tuple(w for w in self.rest if not w.startswith('limit=')))


def _point(text: str) -> Point:
    at, _, to = text.partition('>')
    m = _POINT.match(at)
    if not m:
        raise LabError(f'plan: {text}: not a point',
                       'such as 1:52, 1:l3, 1:i20000, i500000 or prq#2')
    target = int(to, 16) if to else None
    if m.group(1) is None:
        return Point(-1, '', 0, target, at)
    return Point(int(m.group(1), 16), m.group(2), int(m.group(3)), target)


def slice_of(text: str) -> Slice:
    """2103:500, as a plan and the machine's report have it."""
    m = _SLICE.match(text)
    if not m:
        raise LabError(f'plan: slice={text}: not a slice', 'such as 2103:500')
    return Slice(m.group(1), int(m.group(2)))


def _rest(word: str) -> str:
    if not _REST.match(word):
        raise LabError(f'plan: {word}: no plan has such a word',
                       'words are order=2103, at=POINT, slice=N, yield=N, '
                       'slice=2103:N, rand=SEED:MIN:MAX, limit=N, hold=N, '
                       'broken, and '
                       'KIND=WHEN or KIND#N=WHEN, where KIND is\n'
                       + ', '.join(KINDS))
    return word


def parse(text: str) -> Plan:
    """The plan that a line says; LabError for a word that no machine takes.

    What depends on the machine it refuses itself: the number of vCPUs, say.
    """
    order, rest = '', []
    slices: List[Slice] = []
    points: List[Point] = []
    events: List[Event] = []
    for word in text.split():
        name, _, value = word.partition('=')
        kind, _, n = name.partition('#')
        if name == 'order':
            if not re.match('^[0-9a-f]+$', value):
                raise LabError(f'plan: {word}: not an order of CPUs',
                               'such as order=2103: the first one first')
            order = value
        elif name == 'at':
            points.append(_point(value))
        elif name == 'slice' and ':' in value:
            slices.append(slice_of(value))
        elif kind in KINDS:
            if n and not n.isdigit():
                raise LabError(f'plan: {word}: {n} is not a number')
            if value and not _WHEN.match(value):
                _point(value)
            events.append(Event(kind, int(n or 0), value or 'now'))
        elif word != 'on':
            rest.append(_rest(word))
    return Plan(order, tuple(points), tuple(events), tuple(rest),
                tuple(slices))
