# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that boots, in the middle of a race too, asks which program to run."""

from __future__ import annotations

import re
from typing import Callable, List

from ..machine.session import Output, Session

WHICH = '# pri-lab: which job'     # the guest waits for the name of a program


def name(session: Session, job: str, boot: int = 1) -> None:
    """Answer it; from the second on the program is told which boot it is
    (race_boot() in race.h)."""
    session.say((f'{job} {boot}' if boot > 1 else job).encode() + b'\n')


class Namer:
    """Answers each time that the guest has booted again."""

    def __init__(self, session: Session, job: str):
        self._session = session
        self._job = job
        self._boots = 1

    def look(self, out: Output) -> None:
        if out.ktap.count(WHICH) >= self._boots:
            self._boots += 1
            name(self._session, self._job, self._boots)


def again(session: Session, job: str, enough: Callable[[Output], bool]
          ) -> Callable[[Output], bool]:
    """enough(), and an answer each time that the guest has booted again."""
    namer = Namer(session, job)

    def look(out: Output) -> bool:
        namer.look(out)
        return enough(out)

    return look


def release(console: List[str]) -> str:
    """Of the kernel that has booted, as it says itself; '': it does not."""
    found = [m.group(1) for m in (re.search(r'Linux version (\S+)', x)
                                  for x in console) if m]
    return found[-1] if found else ''
