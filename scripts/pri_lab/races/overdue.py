# SPDX-License-Identifier: GPL-2.0-or-later
"""A race that is over its time: the host calls it stuck if the guest cannot.

The program itself says that its race takes longer than RACE_MAIN() allows, from
a process of the guest.  No process runs if every CPU of the guest loops
with interrupts off.  But the guest's time continues all the same, as it is a count
of instructions, and those that have been executed can be asked for.
"""

from __future__ import annotations

from typing import Optional

from . import race
from ..core.errors import LabError
from ..machine.session import NS, Session

# The program says `stuck` at its limit, then what the CPUs are at.  It
# has half of the limit again for that, as a race may leave it little of the
# CPU it runs on, and some seconds if the limit is short.
AGAIN = 0.5                     # of the limit
TELL = 10.0                     # seconds, of the guest's time


def allowed(limit: int) -> float:
    """Seconds of the guest's time for a race and for the word that it is
    stuck; limit: the seconds of its RACE_MAIN()."""
    return limit * (1 + AGAIN) + TELL


class Watch:
    """Of one run, from the word `go` on: is it over its time?

    What counts is instructions.  A guest that sleeps executes none while its
    clock jumps to the next timer, so this comes later than the clock would
    have it and never sooner.
    """

    def __init__(self, session: Session, limit: Optional[int]):
        """limit: seconds of the program; None: nobody knows, never over."""
        self._session = session
        self._limit = limit if session.icount else None
        self._first: Optional[int] = None       # instructions at first look

    def __call__(self) -> bool:
        if self._limit is None:
            return False
        try:
            now = self._session.instructions()
        except LabError:                # QEMU is gone, which others tell
            return False
        if self._first is None:
            self._first = now
        return (now - self._first) * NS / 1e9 > allowed(self._limit)

    def say(self) -> None:
        """Put it where the program would have, for race.judge() and the log."""
        assert self._limit is not None
        self._session.out.ktap.append(
            f'{race.STUCK}: the host says so, the guest said nothing in '
            f'{allowed(self._limit):.0f} seconds of its time')
