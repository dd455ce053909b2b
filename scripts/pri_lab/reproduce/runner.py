# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of reproducers on one kernel and one kind of machine."""

from __future__ import annotations

import os
import re
import time
from typing import Callable, List, Optional, Tuple

from . import boots
from ..core.errors import LabError
from ..machine import jobs, kept, record, vm
from ..machine.session import Output, Session
from ..races import overdue, race
from ..races.race import CANNOT_RUN, Entry, REPRODUCED, Verdict
from ..races.tally import so_far

PATIENCE = {'tcg': 600.0, 'kvm': 120.0}    # host seconds, boot or run
# After a sign a run continues to the program's end, or until nothing new was
# said for QUIET seconds: the second half of a report, and what follows of it
QUIET, SETTLE = 1.0, 20.0
AFTER = 0.05                    # after the program's end
# Kernel command line: wait for the host at the point before the race
# and leave out what no race needs, a quarter of what a boot executes: enum names
# of trace formats, a check of ftrace's table, the caches and the parameters of
# what is built in as files of sysfs
WORDS = ('pri_lab.go initcall_blacklist=trace_eval_init,slab_late_init,'
         'ftrace_check_for_weak_functions,param_sysfs_builtin_init')
BOOTED, READY = 'booted', 'ready'       # snapshots
# The guest of a reproducer is small, so that a snapshot is; without the tables
# of ACPI hotplug and legacy controllers it boots in three quarters of the time
_SMALL = ['-machine', 'smbus=off,sata=off',
          '-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off']
# Linux 6.11 to 6.14 (6.12 is maintained) allocate the PASID table of a function
# whole when its page requests are enabled: 64 MB
_MEMORY = {'small-pasid-table': '2G'}
_PANIC = re.compile(r'Kernel panic - not syncing: .*')
_END = re.compile(r'^((not )?ok \d|Bail out!|# pri-lab: exit|# race: stuck)')


def small(machine: vm.Machine) -> List[str]:
    """Options for the small guest; '-m' and its value come first."""
    more = [size for lacks, size in _MEMORY.items() if lacks in machine.append]
    return ['-m', more[0] if more else '320M', *_SMALL]


def finished(out: Output) -> bool:
    return any(x == race.DONE or _END.match(x) for x in out.ktap)


class Runner:
    """Runs entries on one kernel and one kind of machine.

    The guest that snapshots are taken of is booted once, up to the question
    which program to run, and serves all entries.
    """

    def __init__(self, machine: vm.Machine, wants: jobs.Wants, icount: bool,
                 logdir: str, log, recorded: bool = False):
        self.machine = machine
        self.wants = wants
        self.recording = record.Recording(
            os.path.join(logdir, 'all')) if recorded else None
        self.icount = icount
        self.logdir = logdir
        self.log = log
        self.release = ''
        self._session: Optional[Session] = None
        self._why = ''          # it does not boot

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _new(self, job: str, logdir: str, snapshots: bool) -> Session:
        return self.session(f'{vm.job_words(job)} {WORDS}', [], logdir,
                            snapshots)

    def session(self, words: str, more: List[str], logdir: str,
                snapshots: bool) -> Session:
        """A machine that is not started; more: options of QEMU."""
        extra = small(self.machine)
        extra = (extra[2:] if '-m' in self.wants.qemu() else extra) + more
        if self.recording:
            words += ' ' + self.recording.words()
            extra = extra + self.recording.qemu_args()
        return Session(self.machine, words, self.wants, extra, self.icount,
                       logdir, self.log, snapshots)

    def follow(self, s: Session, mark: str) -> str:
        """Until the guest says so, or is at its end."""
        end = s.follow(PATIENCE[self.machine.accel],
                       lambda out: finished(out) or mark in out.ktap)
        self.release = boots.release(s.out.console) or self.release
        return end

    def booted(self) -> Session:
        """The machine at the question; LabError if it does not come."""
        s = self._session
        if s is not None and s.alive():
            s.load(BOOTED)
            return s
        self.close()
        if self._why:
            raise LabError(self._why)
        s = self._session = self._new('port', self.logdir, True)
        s.start()
        s.cont()
        end = self.follow(s, boots.WHICH)
        if boots.WHICH not in s.out.ktap:
            s.out.store(os.path.join(self.logdir, 'boot'))
            self._why = self.no_boot(s, end)
            self.close()        # it is alive, but has no snapshot
            raise LabError(self._why)
        s.stop()
        s.save(BOOTED)
        return s

    @staticmethod
    def no_boot(s: Session, end: str) -> str:
        """Why it does not come to the question."""
        said = next((m.group() for m in map(_PANIC.search, s.out.console)
                     if m), race.no_end(s.out.ktap, end))
        return f'the guest does not boot: {said}'

    def again(self, image: kept.Kept) -> Optional[Session]:
        """The machine as ready() left it, if it was kept."""
        s = self._new('port', self.logdir, True)
        release = image.take(s)
        if release is None:
            return None
        self.close()
        self.release, self._session = release, s
        s.start()
        return s

    def trouble(self, entry: Entry, s: Session, end: str,
                 base: str) -> Optional[Verdict]:
        """Why an entry did not get to the point before the race, if so."""
        if race.READY in s.out.ktap and not finished(s.out):
            return None
        s.out.store(base)
        verdict = race.judge(entry, s.out.console, s.out.ktap, end)
        if verdict.word == CANNOT_RUN:
            return verdict
        return Verdict(CANNOT_RUN, [], 'it ended before the point '
                       'where the race begins', [])

    def go(self, entry: Entry, s: Session, enough: Callable[[Output], bool],
           order: str = '', patience: float = 0) -> str:
        """From that point until enough(); patience: QEMU's own seconds."""
        over = overdue.Watch(s, entry.limit)
        s.say(f'go {order}\n'.encode())
        end = s.follow(patience or PATIENCE[self.machine.accel],
                       boots.again(s, entry.job, enough), over)
        if end == 'over':
            over.say()
        return end

    def race(self, entry: Entry, s: Session, base: str, order: str = '',
             patience: float = 0) -> Verdict:
        """From that point to a verdict; order: of steps; patience: as go()."""
        end = self.go(entry, s, lambda out: finished(out) or bool(
            race.signs_seen(entry, out.console, out.ktap)), order, patience)
        if end == 'done':
            self.settle(s)
        s.stop()
        s.out.store(base)
        return race.judge(entry, s.out.console, s.out.ktap, end)

    @staticmethod
    def settle(s: Session) -> None:
        """After the first sign: what still comes is part of the proof."""
        until = time.monotonic() + SETTLE
        while not finished(s.out) and time.monotonic() < until:
            said = len(s.out.console) + len(s.out.ktap)
            if s.follow(QUIET, finished) != 'limit' or \
                    said == len(s.out.console) + len(s.out.ktap):
                break
        s.follow(AFTER, lambda out: False)

    def ready(self, entry: Entry, logdir: str, step
              ) -> Tuple[Optional[Session], Optional[Verdict]]:
        """The machine before the race, with a snapshot; or why not."""
        step.note = 'booting'
        try:
            s = self.booted()
        except LabError as e:
            return None, Verdict(CANNOT_RUN, [], e.what, [])
        trouble = self.to_race(s, entry, os.path.join(logdir, 'boot'))
        if trouble:
            return None, trouble
        s.save(READY)
        return s, None

    def to_race(self, s: Session, entry: Entry,
                base: str) -> Optional[Verdict]:
        """From the question to the point before the race, where the machine
        stands; why not, if so."""
        s.fresh()
        s.cont()
        boots.name(s, entry.job)
        end = self.follow(s, race.READY)
        trouble = self.trouble(entry, s, end, base)
        if not trouble:
            s.stop()
        return trouble

    def from_snapshot(self, entry: Entry, runs: int, logdir: str, step,
                      out: List[Verdict], limit: float,
                      first: bool = False) -> None:
        """Verdicts go to `out` one by one, so that an interrupted command
        keeps them.  limit: seconds after which no more runs start; first: the
        first REPRODUCED is enough."""
        s, trouble = self.ready(entry, logdir, step)
        if s is None:
            out += [trouble] if trouble else []
            return
        start = time.monotonic()
        for n in range(runs):
            if n and time.monotonic() > start + limit:
                return
            step.note = f'run {n + 1} of {runs}' + so_far(out, start)
            out.append(self.once(entry, s, os.path.join(
                logdir, f'run-{n + 1:03}')))
            step.count(1)
            if first and out[-1].word == REPRODUCED:
                return
            if not s.alive():           # of the entry's doing, perhaps
                out.append(Verdict(CANNOT_RUN, [], 'QEMU is gone: '
                                   + s.complaint(), []))
                return

    def once(self, entry: Entry, s: Session, base: str) -> Verdict:
        """One run from the snapshot."""
        s.load(READY)
        s.cont()
        return self.race(entry, s, base)

    def cold(self, entry: Entry, runs: int, logdir: str, step,
             out: List[Verdict], limit: float) -> None:
        """The same from cold boots."""
        start = time.monotonic()
        for n in range(runs):
            if n and time.monotonic() > start + limit:
                return
            step.note = f'cold boot {n + 1} of {runs}' + so_far(out, start)
            base = os.path.join(logdir, f'cold-{n + 1:02}')
            verdict, ran = self.cold_once(entry, base)
            out.append(verdict)
            if not ran:
                break
            step.count(1)

    def cold_once(self, entry: Entry, base: str) -> Tuple[Verdict, bool]:
        """One run; False: it did not get to the race, nor will others."""
        with self._new('port', base, False) as s:
            s.start()
            s.cont()
            end = self.follow(s, boots.WHICH)
            if end == 'done':
                boots.name(s, entry.job)
                end = self.follow(s, race.READY)
            trouble = self.trouble(entry, s, end, os.path.join(base, 'boot'))
            if trouble:
                return trouble, False
            s.fresh()
            return self.race(entry, s, os.path.join(base, 'run')), True
