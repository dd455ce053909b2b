# SPDX-License-Identifier: GPL-2.0-or-later
"""The schedule machine of a session's QEMU (/sched; docs/internals.md).

Under a plan a run is all that the plan says, to the last instruction, if the
host gives the guest nothing at a time of its own.  So what the guest is told it
is told while it stands still.
"""

from __future__ import annotations

import json
import time
from typing import Callable, Dict, List

from ..core.errors import LabError
from .session import Session

SCHED = '/sched'                # the machine, as a QOM path
# What a plan needs of QEMU, beside -icount
OPTIONS = ['-seed', '1', '-rtc', 'clock=vm,base=2026-01-01']
TAKES = 15                      # bytes of a line that the serial port takes
LETTERS = TAKES - 1             # of what one line tells the guest
_TAKE = 60.0                    # own seconds of QEMU, to take it
_POLL = 0.003
_LOOK = 2.0                     # seconds between looks at the time


class Schedule:
    """Of one session."""

    def __init__(self, session: Session):
        self.s = session

    def set(self, name: str, value) -> None:
        """A property; LabError says why not."""
        self.s.qmp.command('qom-set', path=SCHED, property=name, value=value)

    def report(self) -> Dict:
        return json.loads(self.s.qmp.command('qom-get', path=SCHED,
                                             property='report'))

    def tell(self, line: str) -> None:
        """Give the guest that stands still a line: its port has all of it when
        it continues, whenever the host sent it."""
        text = line.encode() + b'\n'
        if len(text) > TAKES:
            raise LabError(f'{line}: the guest\'s port takes {LETTERS} '
                           'letters at once')
        self.s.say(text)
        own = self.s.own_time()
        while not self.s.taken():
            if own.look() > _TAKE:
                raise LabError(f'QEMU does not take what the guest is told '
                               f'within {_TAKE:.0f} s: {self.s.complaint()}')
            time.sleep(_POLL)
        self.s.qmp.command('query-status')

    def follow(self, seconds: float,
               look: Callable[[List[str]], None] = lambda events: None) -> str:
        """Until the machine stands: 'stop', 'panic', 'off', or what became of
        it, such as no end within so many seconds of QEMU's own time.

        look: is called now and then, and with the names of QMP's events.
        """
        s = self.s
        own = s.own_time()
        after = time.monotonic() + _LOOK
        while True:
            events = s.qmp.poll()
            s.read()
            if not s.alive():
                return f'QEMU is gone: {s.complaint()}'
            for event, end in (('GUEST_PANICKED', 'panic'),
                               ('SHUTDOWN', 'off'), ('STOP', 'stop')):
                if event in events:
                    s.read()
                    return end
            late = time.monotonic() > after
            if late or events:
                look(events)
            if late:
                after = time.monotonic() + _LOOK
                if own.look() > seconds:
                    return f'no end within {seconds:.0f} s of QEMU\'s own time'
            time.sleep(_POLL)
