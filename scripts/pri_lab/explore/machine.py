# SPDX-License-Identifier: GPL-2.0-or-later
"""One guest at the mark of a scenario, and runs from there on.

The whole boot is under the schedule machine, too, so a plan is all that a run
depends on, beside the bytes of QEMU, kernel and programs.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import Dict, FrozenSet, List, NamedTuple, Optional

from . import trace
from ..core import cache
from ..core.errors import LabError
from ..machine import jobs, kept, record, vm
from ..machine.schedule import OPTIONS, Schedule
from ..machine.session import Session
from ..races import race
from ..reproduce import runner
from ..reproduce.machines import Machines
from .plan import Event, Plan
from .symbols import Symbols

CPUS = 4
FIRST = 1_200_000_000           # instructions of the first run, and what a
                                # scenario of 8 s takes to say that it hangs
LIMIT = 400_000_000             # of others, unless runs that end are as long
LEAST = 120_000_000             # of that: one that hangs and tells where
TIMES = 4                       # as many as one that comes to its end
BOOT, RUN = 1500.0, 240.0       # seconds of QEMU's own that are its end
BOOTED, READY = 'booted', 'ready'       # snapshots
_EXTRA = ['-smp', str(CPUS)] + OPTIONS
# A kernel that panics stops the other CPUs by NMI, and is off: else it
# waits for one that spins with interrupts off, for the second that it gives it.
# A suspend that is a test (/sys/power/pm_test) has five seconds for people
_WORDS = runner.WORDS.replace('pri_lab.go ', '') + \
    ' crash_kexec_post_notifiers suspend.pm_test_delay=0'


class Run(NamedTuple):
    """The result of one."""
    plan: Plan
    end: str                    # end, limit, panic, off; lost: of no use
    report: Dict
    records: List[trace.Record]
    console: List[str]
    ktap: List[str]
    stuck: List[str]            # where vCPUs are, if the run did not end
    ours: FrozenSet[str] = frozenset()  # functions in focus; none: all are

    @property
    def same(self) -> tuple:
        """Equal for two runs that did the same."""
        return self.report.get('instructions'), self.report.get('hash')


class Stage:
    """A guest that stands at the mark."""

    def __init__(self, machine: vm.Machine, entry: race.Entry,
                 wants: jobs.Wants, symbols: Symbols, focus: List[str],
                 logdir: str, log,
                 recording: Optional[record.Recording] = None):
        """focus: words of --focus; recording: of QEMU's side, or none"""
        self.machine = machine
        self.recording = recording
        self.entry = entry
        self.wants = wants
        self.symbols = symbols
        self.words = focus
        self.focus = focus_text(symbols, focus)     # the machine's property
        self.ours = symbols.named(focus)
        self.logdir = logdir
        self.log = log
        self.release = ''
        self.boot_hash = ''
        self.events = True      # the machine can hold device events
        self.limit = FIRST
        self._trace = os.path.join(logdir, 'trace.bin')
        self.s = self._session(logdir)
        self.schedule = Schedule(self.s)

    def _session(self, logdir: str) -> Session:
        words = f'{vm.job_words("scene")} {_WORDS}'
        more = self.recording.qemu_args() if self.recording else []
        return Session(self.machine, words, self.wants,
                       runner.small(self.machine) + _EXTRA + more, True,
                       logdir, self.log, True)

    def close(self) -> None:
        self.s.close()
        if os.path.exists(self._trace):
            os.unlink(self._trace)

    # -- the machine ----------------------------------------------------------

    def _start(self) -> None:
        self.s.start()
        self.schedule.set('focus', self.focus)
        self.schedule.set('locks', self.symbols.locks())
        self.schedule.set('tasks', self.symbols.tasks())
        self.schedule.set('markers', True)

    def boot(self, step, boots: str) -> None:
        """To the mark; LabError if it does not come there.

        boots: directory of booted machines, all scenarios of a kernel and
        kind of machine have one in common.
        """
        s = self.s
        image = kept.Kept(boots, self.key())
        release = image.take(s)
        if release is not None:
            self.release = release
            self._start()
        else:
            self._start()
            self._to_mark(step)
            for line in s.out.console:
                m = re.search(r'Linux version (\S+)', line)
                if m:
                    self.release = m.group(1)
            s.save(BOOTED)
            image.keep(s, self.release)
        s.load(BOOTED)
        self._choose()
        self.boot_hash = self._to_mark(step)
        s.save(READY)

    def key(self) -> str:
        """Of the bytes that a plan's numbers hold for."""
        return cache.key_of(cache.file_digest(self.machine.kernel),
                            cache.file_digest(self.machine.initrd),
                            cache.file_digest(self.machine.qemu),
                            self.wants.key(), self.focus, _WORDS,
                            *runner.small(self.machine), *_EXTRA)

    def _to_mark(self, step) -> str:
        """Under a plan, so that it is the same every time; its hash."""
        s = self.s
        self.schedule.set('plan', 'on')
        s.qmp.poll()
        s.cont()
        end = self._follow(BOOT, step)
        report = self.schedule.report() if s.alive() else {}
        if end != 'stop' or report.get('state') != 'ready':
            s.out.store(os.path.join(self.logdir, 'boot'))
            raise LabError(f'{self.entry.name} does not reach its mark: '
                           + race.no_end(s.out.ktap, end), log=self.logdir)
        return report['hash']

    def _choose(self) -> None:
        """Name the scenario while the machine stands still."""
        self.schedule.tell(self.entry.name)

    def clone(self, logdir: str) -> 'Stage':
        """Another one from the same snapshot."""
        other = Stage(self.machine, self.entry, self.wants, self.symbols,
                      self.words, logdir, self.log)
        other.release, other.boot_hash = self.release, self.boot_hash
        other.s.keep_image = True
        os.makedirs(logdir, exist_ok=True)
        self.s.qmp.command('stop')
        shutil.copyfile(self.s.image, other.s.image)
        other._start()
        return other

    def _follow(self, seconds: float, step=None) -> str:
        """'stop' of the machine, or what else happened."""
        def look(_events: List[str]) -> None:
            if step is not None:
                step.note = f'{self.s.instructions() / 1e6:,.0f} million ' \
                    'instructions'
        return self.schedule.follow(seconds, look)

    # -- runs -----------------------------------------------------------------

    def run(self, plan: Plan, traced: bool = True) -> Run:
        """From the mark to the end, or as far as it comes."""
        self.s.load(READY)
        return self._go(plan, traced)

    def cold(self, plan: Plan, logdir: str, step) -> Run:
        """The same from a boot, without a snapshot in between."""
        other = Stage(self.machine, self.entry, self.wants, self.symbols,
                      self.words, logdir, self.log)
        other.limit = self.limit
        try:
            other._start()
            other._to_mark(step)
            other._choose()
            other._to_mark(step)
            return other._go(plan, False)
        finally:
            other.close()

    def _go(self, plan: Plan, traced: bool) -> Run:
        s = self.s
        self.schedule.set('trace', self._trace if traced else '')
        self.schedule.set('plan', self._text(plan))
        s.qmp.poll()
        s.cont()
        end = self._follow(RUN)
        if not s.alive():
            return Run(plan, 'lost', {}, [], s.out.console, s.out.ktap, [end])
        if end not in ('stop', 'panic', 'off'):
            s.stop()
        report = self.schedule.report()
        word = {'stop': report['state']}.get(end, end)
        stuck = []
        if word == 'limit':
            stuck = self._where()
        elif word not in ('end', 'panic', 'off'):
            word = 'lost'
        records = trace.read(self._trace) if traced else []
        return Run(plan, word, report, records, s.out.console, s.out.ktap,
                   stuck, self.ours)

    def _text(self, plan: Plan) -> str:
        """With a limit; 'off' is what no plan has: the marks alone."""
        if plan.rest == ('off',):
            return ''
        limit = '' if plan.limited else f' limit={self.limit}'
        return f'{plan}{limit}'

    def learn_limit(self, longest: int) -> None:
        """A CPU that spins costs a run the whole limit: no more than is
        needed to know, from the longest run that has come to its end; 0: none
        has."""
        self.limit = max(LEAST, 2 * longest, min(LIMIT, TIMES * longest)) \
            if longest else LIMIT

    def _where(self) -> List[str]:
        """What each vCPU is at."""
        said = self.s.qmp.command('human-monitor-command',
                                  command_line='info registers -a')
        return [self.symbols.text(int(x, 16))
                for x in re.findall(r'RIP=([0-9a-f]{16})', said)]

    def points(self, run: Run) -> List[Dict]:
        """Of a report, with symbols."""
        out = []
        for p in run.report.get('points', ()):
            if p.get('pc'):
                name, offset = self.symbols.find(int(p['pc'], 16))
                p = dict(p, symbol=name, offset=offset)
            out.append(p)
        return out

    def holds_events(self) -> bool:
        """Can the machine keep device events back?"""
        return self.takes(Plan(events=(Event('prq', 1, 'pd#1'),)))

    def takes(self, plan: Plan) -> bool:
        """Does the machine know these words?  It says so without a run."""
        try:
            self.s.stop()
            self.schedule.set('plan', str(plan))
        except LabError:
            return False
        return True


def focus_text(symbols: Symbols, words: List[str]) -> str:
    return ','.join(f'{a:x}-{b:x}' for a, b in symbols.ranges(words))


def stage(job: Machines, which: str, entry: race.Entry, focus: List[str],
          logdir: str, log, symbols: Optional[Symbols] = None,
          recording: Optional[record.Recording] = None) -> Stage:
    """A new one, not booted, on a kernel by its name."""
    machine = job.machine(which)
    symbols = symbols or Symbols(machine.kernel, job.builds.get(which))
    return Stage(machine, entry, jobs.wants(job.paths.repo, entry.job),
                 symbols, focus, logdir, log, recording)
