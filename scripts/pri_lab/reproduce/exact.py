# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro --exact`: runs under a plan of the schedule machine.

All runs of one snapshot are the same run then, to the instruction, and so are
all cold boots.  A run continues to the end of its program, as the end of one that
stopped when the host has seen a sign would be another one every time.
"""

from __future__ import annotations

import os
from typing import List, Tuple

from . import boots
from .runner import PATIENCE, READY, Runner, WORDS
from ..machine import vm
from ..machine.schedule import OPTIONS, Schedule
from ..machine.session import NS, Session
from ..races import overdue, race
from ..races.race import Entry, Verdict

PLAN = 'on'                     # a plan without a point
# Kernel command line: the machine stops so many seconds behind the program's
# end, when the kernel has printed what it had to say
END = 'pri_lab.end=1'
GO = 'go '
REBOOTS = 'race_reboot('        # the host names the program again: not exact


def impossible(entry: Entry, accel: str) -> str:
    """Why the runs of an entry cannot be exact; '': they can."""
    if accel != 'tcg':
        return f'with --accel {accel} the guest\'s CPUs run by themselves'
    if not entry.icount:
        return 'Icount: off, the guest\'s CPUs run by themselves'
    return ''


class ExactRunner(Runner):
    """Runs that have a hash."""

    plan = PLAN

    def _new(self, job: str, logdir: str, snapshots: bool) -> Session:
        return self.session(f'{vm.job_words(job)} {WORDS} {END}',
                            OPTIONS, logdir, snapshots)

    def booted(self) -> Session:
        """Without the plan of the race before: up to the mark the host speaks
        to the guest, and that plan may be at its end."""
        s = super().booted()
        Schedule(s).set('plan', '')
        return s

    def once(self, entry: Entry, s: Session, base: str) -> Verdict:
        s.load(READY)
        schedule = Schedule(s)
        schedule.set('plan', self._text(entry))
        schedule.tell(GO)
        return self._judged(entry, schedule, base)

    def _text(self, entry: Entry) -> str:
        """With a limit for a guest that cannot say that it is stuck."""
        if entry.limit is None:
            return self.plan
        most = int(overdue.allowed(entry.limit) * 1e9) // NS
        return f'{self.plan} limit={most}'

    def _judged(self, entry: Entry, schedule: Schedule, base: str) -> Verdict:
        """From where the machine stands to its end."""
        s = schedule.s
        named = boots.Namer(s, entry.job)

        def look(events: List[str]) -> None:
            if 'SUSPEND' in events:         # nobody else would wake it
                s.qmp.command('system_wakeup')
            named.look(s.out)

        s.qmp.poll()
        s.cont()
        end = schedule.follow(PATIENCE[self.machine.accel], look)
        if not s.alive():
            s.out.store(base)
            return race.judge(entry, s.out.console, s.out.ktap, end)
        s.stop()
        report = schedule.report()
        if end == 'stop':
            end = {'end': 'done', 'limit': 'over'}.get(report['state'], end)
        if end == 'over' and entry.limit is not None:
            overdue.Watch(s, entry.limit).say()
        if end.startswith('no end'):
            end = 'limit'
        s.out.store(base)
        return race.judge(entry, s.out.console, s.out.ktap, end)._replace(
            run=f'{report["instructions"]} instructions, hash '
            f'{report["hash"]}')

    def cold_once(self, entry: Entry, base: str) -> Tuple[Verdict, bool]:
        """The whole boot is under the plan, and nothing is said to the guest."""
        if REBOOTS in entry.program:
            return super().cold_once(entry, base)
        words = WORDS.replace('pri_lab.go ', '')
        with self.session(f'{vm.job_words(entry.job)} {words} {END}', OPTIONS,
                          base, False) as s:
            s.start()
            schedule = Schedule(s)
            schedule.set('plan', self.plan)
            verdict = self._judged(entry, schedule, os.path.join(base, 'run'))
            self.release = self.release or boots.release(s.out.console)
            return verdict, True
