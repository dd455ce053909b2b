# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that boots, in the middle of a race too, asks which program to run."""

from __future__ import annotations

from typing import Callable

from ..machine.session import Output, Session

WHICH = '# pri-lab: which job'     # the guest waits for the name of a program


def name(session: Session, job: str, boot: int = 1) -> None:
    """Answer it; from the second on the program is told which boot it is
    (race_boot() in race.h)."""
    session.say((f'{job} {boot}' if boot > 1 else job).encode() + b'\n')


def again(session: Session, job: str, enough: Callable[[Output], bool]
          ) -> Callable[[Output], bool]:
    """enough(), and each time that the guest has booted once more an answer."""
    boots = 1

    def look(out: Output) -> bool:
        nonlocal boots
        if out.ktap.count(WHICH) >= boots:
            boots += 1
            name(session, job, boots)
        return enough(out)

    return look
