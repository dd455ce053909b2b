# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench`: what the overlay costs a machine that does not use it.

Stock QEMU and ours take turns within one run, so that a change of the
machine's speed meets both.  A turn is a QEMU of its own: memory layout alone
changes the speed of a boot by more than what is measured.  A turn of stock and the turn of ours beside it
are a pair; the ratio of their medians is one observation, and what is told is
the mean of the pairs with its error, so that a difference can be told from
chance.
"""

from __future__ import annotations

import json
import math
import os
import re
import select
import statistics
import subprocess
import time
from typing import Callable, Dict, List, Optional

from . import benchpri
from ..core import cache, proc
from ..core.errors import LabError
from ..guest import cpio
from ..iommu import kind
from ..machine import vm

TARGET = 0.97           # throughput of ours relative to stock
ROUNDS = 15             # turns of each side
IQ_ROUNDS = 20          # passes over the queue in one turn
IQ_N = 16383            # descriptors in one pass, as pri-bench has it
PRQ_N = 2047
FAULT_N = 2048          # pages asked for in one round, as pri-bench has it
READ_MS = 100           # milliseconds of reading for one sample
READS = 12              # samples of the disk in one turn
BOOT_SECONDS = 300.0
ASK_SECONDS = 120.0
DISK = 64 << 20         # bytes
RESULT = 'bench.json'
SOURCE = os.path.join('tests', 'guest', 'bench-blk.c')
_BENCH = re.compile(r'bench (\S+) (\d+)$')
_STAT = re.compile(r'# stat (?:blk|pri) (\S+) (\S+)$')

# Options that stock QEMU knows too
IOMMU = kind.load()


class Series:
    """Times of one side: a list of turns, each a list of nanoseconds."""

    def __init__(self) -> None:
        self.turns: List[List[float]] = []

    def add(self, turn: List[float]) -> None:
        self.turns.append(turn)

    @property
    def all(self) -> List[float]:
        return [x for turn in self.turns for x in turn]

    @property
    def best(self) -> float:
        return min(self.all)

    @property
    def median(self) -> float:
        return statistics.median(self.all)


class Comparison:
    """The same work on stock and on ours; times are for one unit of it."""

    def __init__(self, name: str, unit: str):
        self.name = name
        self.unit = unit
        self.stock = Series()
        self.ours = Series()

    @property
    def _pairs(self) -> List[float]:
        """Logarithms of the ratio of each pair of turns."""
        return [math.log(statistics.median(s) / statistics.median(o))
                for s, o in zip(self.stock.turns, self.ours.turns)]

    @property
    def ratio(self) -> float:
        """Throughput of ours relative to stock: geometric mean of the pairs."""
        return math.exp(statistics.mean(self._pairs))

    @property
    def error(self) -> Optional[float]:
        """Two standard errors of the ratio; None of a single pair."""
        if len(self._pairs) < 2:
            return None
        return self.ratio * 2 * statistics.stdev(self._pairs) \
            / math.sqrt(len(self._pairs))

    @property
    def told(self) -> str:
        """'0.985 +- 0.012'"""
        return f'{self.ratio:.3f}' + (
            '' if self.error is None else f' +- {self.error:.3f}')

    @property
    def verdict(self) -> str:
        """'met', 'missed', or 'open': the error reaches over the target."""
        if self.ratio >= TARGET:
            return 'met'
        return 'missed' if self.ratio + (self.error or 0) < TARGET else 'open'

    def as_json(self) -> Dict:
        return {'name': self.name, 'unit': self.unit, 'ratio': self.ratio,
                'error': self.error, 'verdict': self.verdict,
                'stock_ns': self.stock.turns, 'ours_ns': self.ours.turns}


def _ns(x: float) -> str:
    return f'{x:,.0f}' if x >= 1000 else f'{x:.1f}'


def _columns(rows: List[List[str]]) -> List[str]:
    """Aligned: the first column to the left, the others to the right."""
    widths = [max(len(r[n]) for r in rows) for n in range(len(rows[0]))]
    return ['  '.join([r[0].ljust(widths[0])] + [
        x.rjust(w) for x, w in zip(r[1:], widths[1:])]) for r in rows]


def rows(comparisons: List[Comparison]) -> List[str]:
    """A line each, under a heading."""
    out = [['nanoseconds, median', 'stock', 'ours', 'ratio', '+-']]
    for c in comparisons:
        out.append([f'{c.name}, {c.unit}', _ns(c.stock.median),
                    _ns(c.ours.median), f'{c.ratio:.3f}',
                    '-' if c.error is None else f'{c.error:.3f}'])
    return _columns(out)


def series(title: str, times: Dict[str, Series]) -> List[str]:
    """The same for what only ours can do."""
    return _columns([[title, 'best', 'median']] + [
        [name, _ns(s.best), _ns(s.median)] for name, s in times.items()])


def target(comparisons: List[Comparison]) -> str:
    """One line: what kept the target, what did not, what is not decided."""
    words = []
    for verdict in ('missed', 'open'):
        names = [f'{c.name} ({c.told})' for c in comparisons
                 if c.verdict == verdict]
        if names:
            words.append({'missed': 'missed by ', 'open':
                          'within the error of, so more --rounds would tell: '
                          }[verdict] + ', '.join(names))
    return f'target: throughput at least {TARGET} of stock: ' + (
        '; '.join(words) or 'met')


class Results:
    """What was measured, as far as the command came."""

    def __init__(self) -> None:
        self.comparisons: List[Comparison] = []     # have a target
        self.alone: Dict[str, Series] = {}          # only ours can do it
        self.faults: Dict[str, Comparison] = {}     # have none
        self.cached: Dict[str, Series] = {}
        self.where: List[str] = []                  # lines

    def lines(self) -> List[str]:
        """The report."""
        out: List[str] = []
        if self.comparisons:
            out += rows(self.comparisons) + ['', target(self.comparisons), '']
        if self.alone:
            out += series('ours alone, nanoseconds', self.alone) + ['']
        if self.faults:
            out += ["page faults; stock: QEMU's own page-request code with "
                    'a minimal endpoint', '']
            out += rows(list(self.faults.values())) + ['']
            out += series('ours alone, nanoseconds', self.cached) + ['']
        return (out + self.where) or ['nothing was measured']

    def as_json(self) -> Dict:
        return {
            'comparisons': [c.as_json() for c in self.comparisons],
            'ours_alone': {n: s.turns for n, s in
                           {**self.alone, **self.cached}.items()},
            'faults': [c.as_json() for c in self.faults.values()],
            'where': self.where,
        }


class DiskGuest:
    """A guest that reads its virtio disk when told to."""

    def __init__(self, name: str, cmd: List[str], logdir: str,
                 log: proc.Log):
        self.name = name
        self.log = log
        self.console = os.path.join(logdir, f'{name}.console')
        self._stderr = os.path.join(logdir, f'{name}.qemu')
        self._rest = b''
        cmd = cmd + ['-serial', f'file:{self.console}', '-serial', 'stdio']
        log.write('$ ' + ' '.join(cmd))
        with open(self._stderr, 'wb') as err:
            self._p = proc.spawn(cmd, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=err,
                                 env=proc.child_env())
        assert self._p.stdin and self._p.stdout
        self._in, self._out = self._p.stdin, self._p.stdout

    def __enter__(self) -> 'DiskGuest':
        return self

    def __exit__(self, *exc) -> None:
        if self._p.poll() is None:
            proc.kill_group(self._p, grace=3.0)
        proc.reap(self._p)
        self._in.close()
        self._out.close()

    def ready(self) -> Dict[str, str]:
        """Wait for the end of the boot; what the guest says of its disk."""
        return self._until(lambda line: line == '# bench: ready',
                           BOOT_SECONDS)

    def measure(self) -> float:
        """Nanoseconds a read took."""
        self._tell(f'run {READ_MS}')
        said = self._until(lambda line: ' ns_per_read ' in line, 60.0)
        return float(said['ns_per_read'])

    def ask(self, command: str, answer: str) -> float:
        """The number that the guest program answers a command with."""
        self._tell(command)
        said = self._until(lambda line: f' {answer} ' in line, ASK_SECONDS)
        if answer not in said:
            raise self._error(f'{command}: no number called {answer}')
        return float(said[answer])

    def end(self) -> None:
        self._tell('end')
        try:
            rc = self._p.wait(60.0)
        except subprocess.TimeoutExpired:
            raise self._error('does not power off') from None
        if rc:
            raise self._error(f'QEMU ended with status {rc}')

    def _tell(self, line: str) -> None:
        try:
            self._in.write(line.encode() + b'\n')
            self._in.flush()
        except BrokenPipeError:
            raise self._error('QEMU has ended') from None

    def _until(self, wanted: Callable[[str], bool],
               seconds: float) -> Dict[str, str]:
        """Statistics up to the first line that is wanted."""
        stats: Dict[str, str] = {}
        deadline = time.monotonic() + seconds
        last = ''
        while True:
            line = self._line(deadline)
            self.log.write(f'{self.name}: {line}')
            m = _STAT.match(line)
            if m:
                stats[m.group(1)] = m.group(2)
            if line.startswith('# bench: error '):
                raise self._error(line[len('# bench: error '):])
            if line.startswith('# pri-lab: exit'):
                raise self._error(f'the program ended: {last}')
            last = line
            if wanted(line):
                return stats

    def _line(self, deadline: float) -> str:
        while b'\n' not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._error('no answer in time')
            if select.select([self._out], [], [], left)[0]:
                data = os.read(self._out.fileno(), 4096)
                if not data:
                    raise self._error('QEMU has ended')
                self._rest += data
        line, self._rest = self._rest.split(b'\n', 1)
        return line.decode('utf-8', 'replace').strip()

    def _error(self, what: str) -> LabError:
        tail: List[str] = []
        for path in (self.console, self._stderr):
            try:
                with open(path, encoding='utf-8', errors='replace') as f:
                    tail += [x.rstrip() for x in f if x.strip()][-10:]
            except OSError:
                pass
        return LabError(f'the guest {self.name}: {what}', None,
                        self.log.path, tail)


class Bench:
    """One run of the measurements.

    stock, ours: binaries; driver: pri-bench; image: guest kernel;
    lab_initrd: our guest's user space for that kernel.
    """

    def __init__(self, paths: cache.Paths, logdir: str, log: proc.Log, ui,
                 accel: str, stock: str, ours: str, driver: str, image: str,
                 rounds: int, lab_initrd: str):
        self.paths = paths
        self.logdir = logdir
        self.log = log
        self.ui = ui
        self.accel = accel
        self.binaries = {'stock': stock, 'ours': ours}
        self.driver = driver
        self.image = image
        self.rounds = rounds
        self.initrd = os.path.join(logdir, 'bench.cpio')
        self.lab_initrd = lab_initrd

    # name -> (method, steps of it)
    PARTS = {'iq': ('_iq', 1), 'disk': ('_disks', 2), 'prq': ('_prq', 1),
             'functions': ('_scale', 1), 'faults': ('_faults', 2)}

    @classmethod
    def chosen(cls, names: List[str]) -> List[str]:
        """Those PARTS, in their order; none means all."""
        for name in names:
            if name not in cls.PARTS:
                raise LabError(f'bench has no part {name}',
                               'there are: ' + ' '.join(cls.PARTS))
        return [p for p in cls.PARTS if not names or p in names]

    @classmethod
    def boots_a_guest(cls, names: List[str]) -> bool:
        """The others need no kernel: they are over qtest."""
        return any(p in ('disk', 'faults') for p in cls.chosen(names))

    @classmethod
    def steps(cls, names: List[str]) -> int:
        return sum(cls.PARTS[p][1] for p in cls.chosen(names))

    def run(self, parts: List[str]) -> int:
        """Measure PARTS, or those that are named; what there is gets told and
        stored whatever becomes of the rest."""
        load, cpus = os.getloadavg()[0], len(os.sched_getaffinity(0))
        if load > cpus / 2:
            self.ui.say(f'the machine is busy (load {load:.1f} on {cpus} '
                        'CPUs): expect noise')
        results = Results()
        path = os.path.join(self.logdir, RESULT)
        try:
            for part in self.chosen(parts):
                getattr(self, self.PARTS[part][0])(results)
        finally:
            cache.write_atomic(path, json.dumps({
                'target': TARGET, 'accel': self.accel, 'processors': cpus,
                'load': load, 'rounds': self.rounds, **results.as_json()
            }, indent=1).encode())
            for x in [f'{cpus} CPUs, {self.accel}, {self.rounds} '
                      'rounds; ratio is the throughput of ours relative to '
                      'stock', ''] + results.lines():
                self.ui.result(x)
            self.ui.say(f'every sample: {path}')
        return 0                # speed is told, never judged

    def _in_turn(self, n: int) -> List[str]:
        """Who comes first changes, so that going first is no advantage."""
        return ['stock', 'ours'] if n % 2 == 0 else ['ours', 'stock']

    # -- over qtest --

    def _qtest(self, what: str, binary: str, rounds: int) \
            -> Dict[str, List[float]]:
        """Run pri-bench; name -> nanoseconds of each round."""
        out: Dict[str, List[float]] = {}

        def line(text: str) -> None:
            m = _BENCH.match(text)
            if m:
                out.setdefault(m.group(1), []).append(float(m.group(2)))

        proc.run([self.driver, what, str(rounds)], f'pri-bench {what}',
                 self.log, ui=self.ui, cwd=self.logdir, on_line=line,
                 env={'QTEST_QEMU_BINARY': binary})
        if not out:
            raise LabError(f'pri-bench {what} measured nothing', None,
                           self.log.path)
        return out

    def _iq(self, out: Results) -> None:
        cs = [Comparison(name, 'a descriptor')
              for name in ('iq-16383', 'iq-dev-tlb')]
        with self.ui.step('Invalidation queue, in turn') as step:
            for n in range(self.rounds):
                step.note = f'round {n + 1} of {self.rounds}'
                for side in self._in_turn(n):
                    got = self._qtest('iq', self.binaries[side], IQ_ROUNDS)
                    for c in cs:
                        getattr(c, side).add([x / IQ_N for x in got[c.name]])
            step.done(', '.join(f'{c.ratio:.3f}' for c in cs))
        out.comparisons += cs

    def _prq(self, out: Results) -> None:
        requests, drain = Series(), Series()
        with self.ui.step('Page requests') as step:
            for n in range(self.rounds):
                step.note = f'round {n + 1} of {self.rounds}'
                got = self._qtest('prq', self.binaries['ours'], 5)
                requests.add([x / PRQ_N for x in got['prq-2047']])
                drain.add(got['prq-drain'])
            step.done('done')
        out.alone.update({'prq-2047, a request': requests,
                          'prq-drain, 2047 in the queue': drain})

    def _faults(self, out: Results) -> None:
        bench = benchpri.FaultBench(
            self.paths.repo, self.logdir, self.log, self.accel,
            self.binaries, self.image, self.lab_initrd,
            lambda name, cmd: DiskGuest(name, cmd, self.logdir, self.log))
        faults = {name: Comparison(name, unit)
                  for name, unit, _, _ in benchpri.workloads()}
        cached = {name: Series() for name, _, _ in benchpri.alone()}
        with self.ui.step('Page faults, in turn') as step:
            for n in range(self.rounds):
                def note(what: str, boot: int = n + 1) -> None:
                    step.note = f'boot {boot} of {self.rounds}, {what}'

                bench.boot(n, faults, cached, note)
            step.done(f'{faults["fault"].ratio:.3f}')
        out.faults, out.cached = faults, cached
        with self.ui.step('Where the time of a fault goes') as step:
            out.where = bench.recorded(self.paths.repo)
            step.done('done')

    def _scale(self, out: Results) -> None:
        """One page's share of request and response, by functions."""
        times: Dict[str, Series] = {}
        with self.ui.step('Faults of 1, 8 and 64 functions') as step:
            for n in range(self.rounds):
                step.note = f'round {n + 1} of {self.rounds}'
                got = self._qtest('fault', self.binaries['ours'], 5)
                for name, ns in got.items():
                    times.setdefault(f'{name}, a page', Series()).add(
                        [x / FAULT_N for x in ns])
            step.done('done')
        out.alone.update(times)

    # -- in a guest --

    def _image(self) -> None:
        program = os.path.join(self.logdir, 'bench-blk')
        proc.run(['cc', '-std=gnu11', '-O2', '-static', '-Wall', '-Wextra',
                  '-o', program, os.path.join(self.paths.repo, SOURCE)],
                 'building the guest program', self.log, ui=self.ui)
        with open(program, 'rb') as f:
            init = f.read()
        cache.remove(program)
        cache.write_atomic(self.initrd, cpio.archive({
            'init': cpio.regular(init, 0o755),
            'dev/console': cpio.chardev(5, 1),
            'sys': cpio.directory()}))

    def _guest(self, side: str, boot: int, ats: str) -> DiskGuest:
        kvm = self.accel == 'kvm'
        iommu = f'{IOMMU.device},{IOMMU.plain}' + (
            f',{IOMMU.ats}' if ats == 'on' else '')
        return DiskGuest(f'{side}-ats-{ats}-{boot}', [
            self.binaries[side],
            '-machine', 'q35' + (',kernel-irqchip=split' if kvm else ''),
            '-accel', 'kvm' if kvm else 'tcg,thread=multi',
            '-cpu', 'max,la57=off', '-smp', '1', '-m', '512M',
            '-nodefaults', '-no-user-config', '-no-reboot',
            '-display', 'none', '-kernel', self.image,
            '-initrd', self.initrd, '-append',
            f'{vm.APPEND} {IOMMU.append}',
            '-device', iommu,
            '-device', 'pcie-root-port,id=rp0,bus=pcie.0,chassis=1,slot=1',
            '-blockdev',
            f'driver=null-co,node-name=disk,size={DISK},read-zeroes=on',
            '-device', 'virtio-blk-pci,bus=rp0,drive=disk,disable-legacy=on,'
            f'iommu_platform=on,ats={ats}'], self.logdir, self.log)

    @staticmethod
    def _check(guest: DiskGuest, ats: str) -> None:
        """A guest that does not do what is to be measured is a failure."""
        said = guest.ready()
        if said.get('domain') != 'DMA':
            raise LabError(f'the guest {guest.name}: the disk is in a domain '
                           f'of type {said.get("domain")}, not in one with '
                           'strict invalidation')
        if said.get('ats') != ('1' if ats == 'on' else '0'):
            raise LabError(f'the guest {guest.name}: ATS of the disk is '
                           f'{said.get("ats")} with ats={ats}')

    def _disks(self, out: Results) -> None:
        self._image()
        for ats in ('off', 'on'):
            out.comparisons.append(self._disk(ats))

    def _disk(self, ats: str) -> Comparison:
        """Two guests at a time, one reads while the other one is idle."""
        c = Comparison(f'disk ats={ats}', 'a read of 4 KiB')
        with self.ui.step(f'Virtio disk, ats={ats}, in turn') as step:
            for boot in range(self.rounds):
                step.note = f'boot {boot + 1} of {self.rounds}'
                with self._guest('stock', boot, ats) as stock, \
                        self._guest('ours', boot, ats) as ours:
                    guests = {'stock': stock, 'ours': ours}
                    for g in guests.values():
                        self._check(g, ats)
                        g.measure()             # warm up, not counted
                    samples: Dict[str, List[float]] = {
                        side: [] for side in guests}
                    for n in range(READS):
                        for side in self._in_turn(n):
                            samples[side].append(guests[side].measure())
                    for side, g in guests.items():
                        getattr(c, side).add(samples[side])
                        g.end()
            step.done(f'{c.ratio:.3f}')
        return c
