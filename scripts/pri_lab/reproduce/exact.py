# SPDX-License-Identifier: GPL-2.0-or-later
"""Exact runs of `repro`, under a plan of the schedule machine.

The whole boot is under a plan, too, and the guest is told everything while it
stands at a mark.  So all runs of a race on one kernel are the same run, to the
instruction: those from a snapshot, those from cold boots, and those of the next
command.  A run continues to the end of its program, as the end of one that
stopped when the host has seen a sign would be another one every time.
"""

from __future__ import annotations

import os
from typing import List, Optional, Tuple

from . import boots
from .runner import BOOTED, PATIENCE, READY, Runner, WORDS, small
from ..core import cache
from ..core.errors import LabError
from ..machine import kept, vm
from ..machine.schedule import LETTERS, OPTIONS, Schedule
from ..machine.session import NS, Session
from ..races import overdue, race
from ..races.race import CANNOT_RUN, Entry, Verdict

PLAN = 'on'                     # a plan without a point
# Kernel command line: the machine stops so many seconds behind the program's
# end, when the kernel has printed what it had to say
END = 'pri_lab.end=1'
GO = 'go '
AT_MARK = 'ready'               # state of a machine that stands at one
MOST = 8                        # boots of one run
_BOOT = 2                       # bytes behind a name: which boot it is, if
                                # it is not the first


def impossible(entry: Entry, accel: str) -> str:
    """Why the runs of an entry cannot be exact; '': they can."""
    if accel != 'tcg':
        return f'with --accel {accel} the guest\'s CPUs run by themselves'
    if not entry.icount:
        return 'Icount: off, the guest\'s CPUs run by themselves'
    return ''


def named(name: str, boot: int = 1) -> str:
    """So much of a race's name as the guest's port takes at once; the guest
    completes it (guest/init/init)."""
    if boot == 1:
        return name[:LETTERS]
    return f'{name[:LETTERS - _BOOT]} {boot}'


class ExactRunner(Runner):
    """Runs that have a hash."""

    plan = PLAN

    def __init__(self, *args, booted: str = '', **words) -> None:
        """booted: directory of booted machines that are kept, or none"""
        super().__init__(*args, **words)
        self._booted_top = booted

    def _new(self, job: str, logdir: str, snapshots: bool) -> Session:
        return self.session(f'{vm.job_words("race")} {WORDS} {END}',
                            OPTIONS, logdir, snapshots)

    # -- to the mark ----------------------------------------------------------

    def key(self) -> str:
        """Of all that decides what a booted machine does."""
        m = self.machine
        return cache.key_of(*map(cache.file_digest,
                                 (m.kernel, m.initrd, m.qemu)),
                            m.append, self.wants.key(), WORDS, END,
                            *small(m), *OPTIONS)

    def booted(self) -> Session:
        """The machine that asks which race it shall be."""
        s = self._session
        if s is not None and s.alive():
            s.load(BOOTED)
            return s
        self.close()
        if self._why:
            raise LabError(self._why)
        image = kept.Kept(self._booted_top, self.key()) \
            if self._booted_top else None
        s = self._session = self._new('', self.logdir, True)
        release = image.take(s) if image else None
        s.start()
        if release is not None:
            self.release = release
            s.load(BOOTED)
            return s
        end = self._to_mark(s)
        if end != AT_MARK:
            s.out.store(os.path.join(self.logdir, 'boot'))
            self._why = self.no_boot(s, end)
            self.close()
            raise LabError(self._why)
        s.save(BOOTED)
        if image:
            image.keep(s, self.release)
            s.load(BOOTED)
        return s

    def _to_mark(self, s: Session) -> str:
        """AT_MARK, or what became of it instead."""
        schedule = Schedule(s)
        schedule.set('plan', self.plan)
        s.qmp.poll()
        s.cont()
        end = schedule.follow(PATIENCE[self.machine.accel])
        self.release = boots.release(s.out.console) or self.release
        if end != 'stop':
            return end
        state = schedule.report()['state']
        return 'done' if state == 'end' else state

    def to_race(self, s: Session, entry: Entry,
                base: str) -> Optional[Verdict]:
        """From the first mark to that of the race; why not, if so."""
        s.fresh()
        Schedule(s).tell(named(entry.name))
        end = self._to_mark(s)
        if s.alive():
            s.stop()
        return self.trouble(entry, s, end, base)

    # -- the race -------------------------------------------------------------

    def once(self, entry: Entry, s: Session, base: str) -> Verdict:
        s.load(READY)
        return self._race(entry, s, base)

    def cold_once(self, entry: Entry, base: str) -> Tuple[Verdict, bool]:
        """The same way without a snapshot."""
        with self._new('', base, False) as s:
            s.start()
            end = self._to_mark(s)
            if end == AT_MARK:
                trouble = self.to_race(s, entry, os.path.join(base, 'boot'))
            else:
                s.out.store(os.path.join(base, 'boot'))
                trouble = Verdict(CANNOT_RUN, [], self.no_boot(s, end), [])
            if trouble:
                return trouble, False
            s.fresh()
            return self._race(entry, s, os.path.join(base, 'run')), True

    def _race(self, entry: Entry, s: Session, base: str) -> Verdict:
        """From its mark to its end.  A guest that boots again stands at the
        first mark then, and is told its name there."""
        schedule = Schedule(s)
        schedule.tell(GO)
        runs: List[str] = []        # of each boot
        end = AT_MARK
        while end == AT_MARK and len(runs) < MOST:
            if runs:
                schedule.tell(named(entry.name, len(runs) + 1))
            schedule.set('plan', self._text(entry))
            end = self._leg(schedule)
            if not s.alive():
                s.out.store(base)
                return race.judge(entry, s.out.console, s.out.ktap, end)
            report = schedule.report()
            runs.append(f'{report["instructions"]} instructions, '
                        f'hash {report["hash"]}')
        if end == AT_MARK:
            end = f'it has booted {MOST} times'
        if end == 'over' and entry.limit is not None:
            overdue.Watch(s, entry.limit).say()
        s.out.store(base)
        return race.judge(entry, s.out.console, s.out.ktap, end)._replace(
            run='; '.join(runs))

    def _text(self, entry: Entry) -> str:
        """With a limit for a guest that cannot say that it is stuck."""
        if entry.limit is None:
            return self.plan
        most = int(overdue.allowed(entry.limit) * 1e9) // NS
        return f'{self.plan} limit={most}'

    def _leg(self, schedule: Schedule) -> str:
        """From where the machine stands to where it stands again."""
        s = schedule.s

        def look(events: List[str]) -> None:
            if 'SUSPEND' in events:         # nobody else would wake it
                s.qmp.command('system_wakeup')

        s.qmp.poll()
        s.cont()
        end = schedule.follow(PATIENCE[self.machine.accel], look)
        if not s.alive():
            return end
        s.stop()
        if end == 'stop':
            state = schedule.report()['state']
            end = {'end': 'done', 'limit': 'over'}.get(state, state)
        return 'limit' if end.startswith('no end') else end
