# SPDX-License-Identifier: GPL-2.0-or-later
"""What the schedule machine recorded of one run.

Records of 64 bytes, little-endian, as include/accel/tcg-sched.h has them.
"""

from __future__ import annotations

import struct
from typing import Dict, List, NamedTuple

from .plan import KINDS

RECORD = struct.Struct('<QQQQQQIBBBBQ')
DEVICE = 255                    # actor of what no vCPU does
UNKNOWN = (1 << 64) - 1         # a physical address
# kinds of records
ACCESS, LOCK, SWITCH, SENT, DELIVERED, MEMORY, MARK = range(7)
WRITE, ATOMIC, HELD = 1, 2, 4   # flags
NOTE = 3                        # what: a mark that does not stop the machine
TASKS_ENDED = 1                 # its number: they have, and all is quiet
GRAIN = 8                       # bytes that count as one place of memory
# Of a run no more than that: one that ends has some thousands, of a CPU that
# spins to the limit there are millions, which say nothing new
MOST = 300000


class Record(NamedTuple):
    icount: int
    pc: int
    addr: int
    phys: int
    value: int
    task: int
    n: int
    actor: int
    kind: int
    what: int
    flags: int
    more: int

    @property
    def write(self) -> bool:
        return bool(self.flags & WRITE)

    @property
    def place(self) -> int:
        """Of memory: the same for the CPU and the device."""
        where = self.addr if self.phys == UNKNOWN else self.phys
        return where // GRAIN

    @property
    def event(self) -> str:
        return KINDS[self.what] if self.what < len(KINDS) else ''

    @property
    def site(self) -> str:
        """What touched memory: an instruction, or a kind of device event."""
        return self.event or 'device' if self.actor == DEVICE else \
            f'{self.pc:x}'


def parse(data: bytes) -> List[Record]:
    """A record that was cut short is left out."""
    whole = len(data) - len(data) % RECORD.size
    return [Record(*x) for x in RECORD.iter_unpack(data[:whole])]


def read(path: str) -> List[Record]:
    try:
        with open(path, 'rb') as f:
            return parse(f.read(MOST * RECORD.size))
    except FileNotFoundError:
        return []


def racing(records: List[Record]) -> List[Record]:
    """Those before the tasks of the scenario had ended."""
    for i, r in enumerate(records):
        if r.kind == MARK and (r.what, r.value) == (NOTE, TASKS_ENDED):
            return records[:i]
    return records


def touches(records: List[Record]) -> List[Record]:
    """Accesses to memory, of CPUs and of the device."""
    return [r for r in records if r.kind in (ACCESS, MEMORY)]


def names(report: Dict, records: List[Record]) -> Dict[int, str]:
    """Tasks that the points of a report name: task -> name."""
    return {int(p['task-id'], 16): p['task']
            for p in report.get('points', ()) if p.get('task')}
