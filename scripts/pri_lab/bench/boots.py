# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench boots`: does the guest boot on a busy host, every time?

Boots the default guest again and again beside busy loops, and says how many
boots failed, how many took a frequency from a measurement of theirs, and how
long they took.  Every boot is stored when it has ended: --resume continues.
The load is what the host has: what others do on it counts, and so do the
boots that -j N starts at once.  Busy loops make up what is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import threading
from concurrent import futures
from typing import Dict, List, NamedTuple, Set

from ..core import cache, proc, requests
from ..core.context import Context
from ..core.errors import LabError
from ..machine import vm

RUNS = 100
LOAD = 14                       # others at work beside a boot
RESULT = 'boots.json'
JOB, ARGS = 'sva-basic', 'write'
# says, when the timer of the APIC needs no measurement, that it needs none
WORDS = 'apic=verbose'

# What Linux prints when it has measured a frequency, or given one up
# (arch/x86/kernel/tsc.c, apic/apic.c, init/calibrate.c, kernel/time/
# clocksource.c, drivers/clocksource/acpi_pm.c)
MEASURED = re.compile('|'.join((
    r'tsc: Fast TSC calibration',
    r'tsc: (?:Unable to calibrate|PIT calibration|Using PIT calibration)',
    r'tsc: using \w+ reference calibration',
    r'tsc: HPET/PMTIMER calibration failed',
    r'Refined TSC clocksource calibration',
    r'TSC freq recalibrated',
    r'calibrating APIC timer',
    r'APIC (?:calibration|frequency|timer) (?:not consistent|too slow|disabled)',
    r'calibrate_delay_direct\(\)',
    r'Calibrating delay loop\.\.\.',
    r'Calibrating delay using timer specific',
    r'Marking TSC unstable',
    r'clocksource: .*(?:skew|unstable)',
    r'PM-Timer (?:had|running)')))


def measured(console: str) -> List[str]:
    """Lines of a kernel's log by which it took a frequency from a
    measurement, without their stamps."""
    return [re.sub(r'^\[ *[\d.]+\](?:\[ *[TC]\d+\])? *', '', x.strip())
            for x in console.splitlines() if MEASURED.search(x)]


class Boot(NamedTuple):
    seconds: float              # on the wall
    own: float                  # less what the host made it wait
    failure: str                # '' if there was none
    measured: List[str]
    load: float                 # of the host meanwhile, the boot too


class Tally:
    """The boots of one machine at one load."""

    def __init__(self, path: str, key: str):
        self.path = path
        self.key = key
        self.boots: List[Boot] = []

    def resume(self) -> int:
        """Take those that are stored; how many.  Of another machine or load:
        LabError."""
        try:
            with open(self.path, encoding='utf-8') as f:
                stored = json.load(f)
        except (OSError, ValueError):
            return 0
        if stored.get('key') != self.key:
            raise LabError('the boots there are were of another QEMU, kernel '
                           'or load', 'leave out --resume to begin again')
        self.boots = [Boot(**b) for b in stored['boots']]
        return len(self.boots)

    def add(self, boot: Boot) -> None:
        self.boots.append(boot)
        cache.write_atomic(self.path, json.dumps({
            'key': self.key, 'boots': [b._asdict() for b in self.boots]},
            indent=1).encode())

    @property
    def failed(self) -> List[Boot]:
        return [b for b in self.boots if b.failure]

    @property
    def good(self) -> bool:
        return bool(self.boots) and not self.failed and \
            not any(b.measured for b in self.boots)

    def lines(self) -> List[str]:
        """The report."""
        out = [f'{len(self.boots)} boots, {len(self.failed)} failed, '
               f'{sum(1 for b in self.boots if b.measured)} calibrated by '
               'measurement']
        for n, b in enumerate(self.boots, 1):
            if b.failure:
                out.append(f'boot {n}: {b.failure}')
        said: Dict[str, int] = {}
        for b in self.boots:
            for word in {re.sub(r'\d+', 'N', x) for x in b.measured}:
                said[word] = said.get(word, 0) + 1
        out += [f'in {n} of them: {word}'
                for word, n in sorted(said.items(), key=lambda x: -x[1])]
        for what, times in (
                ('seconds', [b.seconds for b in self.boots]),
                ('seconds of their own', [b.own for b in self.boots]),
                ('load', [b.load for b in self.boots])):
            if times:
                out.append(f'{what}: {min(times):.1f} min, '
                           f'{statistics.median(times):.1f} median, '
                           f'{max(times):.1f} max')
        return out


def runnable() -> int:
    """Threads of the host that run or could run now (proc(5), loadavg),
    less the one that asks."""
    with open('/proc/loadavg', encoding='ascii') as f:
        return int(f.read().split()[3].split('/')[0]) - 1


class Load:
    """Busy loops that make up what the host lacks of a load.

    What others do on the host counts.  Once a second a loop is begun if
    there is too little, and ended if there is too much.  They end with us,
    however we end.
    """
    LOOP = ('import os\np = os.getppid()\n'
            'while os.getppid() == p:\n    sum(range(1000000))\n')
    SAMPLES, EVERY = 10, 0.1            # of a second

    def __init__(self, wanted: int):
        self.wanted = wanted
        self.loops: List[subprocess.Popen] = []
        self.seen: List[float] = []     # the load, second by second
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def begin(self) -> None:
        self.loops.append(proc.spawn([sys.executable, '-S', '-c', self.LOOP],
                                     stdin=subprocess.DEVNULL))

    def end(self) -> None:
        p = self.loops.pop()
        p.kill()
        p.wait()
        proc.reap(p)

    def steer(self, load: float) -> None:
        """One loop more or less, after a second with this load."""
        self.seen.append(load)
        if load < self.wanted - 0.5:
            self.begin()
        elif load > self.wanted + 0.5 and self.loops:
            self.end()

    def watch(self) -> None:
        while not self.over.is_set():
            samples = []
            for _ in range(self.SAMPLES):
                samples.append(runnable())
                self.over.wait(self.EVERY)
            self.steer(statistics.mean(samples))

    def mean(self, since: int) -> float:
        """The load from that second on."""
        return statistics.mean(self.seen[since:] or [0.0])

    def __enter__(self) -> 'Load':
        for _ in range(self.wanted - runnable()):
            self.begin()
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        self.thread.join()
        while self.loops:
            self.end()


def key(machine: vm.Machine, busy: int) -> str:
    """Equal if nothing that a boot depends on has changed."""
    h = hashlib.sha256(' '.join(machine.args('')).encode())
    for path in (machine.qemu, machine.kernel, machine.initrd):
        st = os.stat(path)
        h.update(f'{st.st_size} {st.st_mtime_ns}'.encode())
    return f'{h.hexdigest()[:16]} load {busy}'


def one(machine: vm.Machine, logdir: str, log: proc.Log,
        timeout: float, load: Load) -> Boot:
    """Boot once, with the shortest of jobs."""
    os.makedirs(logdir)
    since = len(load.seen)
    job = vm.Job(machine, JOB, logdir, log, timeout, ARGS)
    job.words += ' ' + WORDS
    out = job.run(lambda line, results: None)
    with open(job.console, encoding='utf-8', errors='replace') as f:
        lines = measured(f.read())
    failure = '' if out.passed else \
        (out.problems or ['no test passed'])[0] + f' ({job.console})'
    return Boot(round(out.seconds, 2), round(out.own, 2), failure, lines,
                round(load.mean(since), 1))


def several(tally: Tally, runs: int, at_once: int, boot, say) -> None:
    """Boot until the tally has that many, so many side by side.

    boot(n): the n-th; say(n): the n-th begins.
    """
    with futures.ThreadPoolExecutor(at_once) as pool:
        going: Set[futures.Future] = set()
        begun = len(tally.boots)
        try:
            while len(tally.boots) < runs:
                while begun < runs and len(going) < at_once:
                    begun += 1
                    say(begun)
                    going.add(pool.submit(boot, begun))
                ended, going = futures.wait(
                    going, return_when=futures.FIRST_COMPLETED)
                for future in ended:
                    tally.add(future.result())
        except BaseException:
            proc.kill_all()             # or the pool would wait for them
            raise


def run(ctx: Context, options: requests.Boots, machine: vm.Machine,
        timeout: float) -> int:
    """The command; 0 if no boot failed and none measured."""
    o, ui = options, ctx.ui
    runs, busy = o.runs if o.runs > 0 else RUNS, \
        o.load if o.load >= 0 else LOAD
    at_once = min(o.jobs or 1, runs)
    tally = Tally(os.path.join(ctx.paths.work, RESULT), key(machine, busy))
    if o.resume:
        ui.say(f'{tally.resume()} boots are there already')

    def say(n: int) -> None:
        step.note = f'{n} of {runs}, {len(tally.failed)} failed'

    def boot(n: int) -> Boot:
        return one(machine, os.path.join(ctx.logdir, f'boot-{n:03}'), ctx.log,
                   timeout, load)
    try:
        with ui.step(f'Boot the guest at a load of {busy}') as step, \
                Load(busy) as load:
            several(tally, runs, at_once, boot, say)
            step.done('done' if tally.good else 'FAILED')
    finally:
        for line in tally.lines():
            ui.result(line)
    ui.say(f'every boot: {tally.path}')
    return 0 if tally.good else 1
