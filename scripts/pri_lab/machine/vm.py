# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine: one QEMU command line for every command that boots a guest.

q35 with the IOMMU of a kind (iommu/kind.py), and a pri-testdev behind each of
two root ports.  The console is the first serial port, results come out of the second, so that nothing the
kernel prints can garble them.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from typing import Callable, List, Optional

from . import disk, jobs, ownimage, record
from ..core import cache, proc
from ..core.errors import LabError
from ..core.owntime import OwnTime
from ..iommu import kind
from ..qemu.qmp import Qmp
from ..results import splat
from ..results.ktap import FAIL, NOT_RUN, Reader, Result

# each device behind a root port of its own
DEVICES = 2
# no_timer_check: on a busy host the timer of a TCG guest may miss the ten ticks
# that Linux looks for, and it would panic.  iomem=relaxed: a stock kernel lets
# nobody else map the registers of a device that has a driver
APPEND = ('console=ttyS0 iommu.strict=1 panic=-1 oops=panic nokaslr '
          'no_timer_check iomem=relaxed')
WHERE = 20.0            # seconds for QEMU to say where a guest that hangs is
SLEEPS = 'PM: suspend entry (deep)'     # the kernel, on its way into S3
_ASK = 1.0              # seconds between looks at what the host let it run
_EXIT = re.compile(r'# pri-lab: exit (\d+)')
STATE = 'machine.json'
FIXED = 'fixed.cpio'
# the last test of every boot
ENDED = 'guest ended well, kernel log clean'


class Machine:
    """Everything needed to boot: plain strings, so it can be stored."""

    def __init__(self, qemu: str, accel: str, kernel: str, initrd: str,
                 append: str = '', iommu: str = ''):
        self.qemu = qemu
        self.accel = accel
        self.kernel = kernel
        self.initrd = initrd
        self.append = append    # words for the command line of this kernel
        self.iommu = iommu      # which kind: see kind.load()

    @property
    def kind(self) -> kind.Kind:
        return kind.load(self.iommu)

    def store(self, work: str) -> None:
        cache.write_if_changed(os.path.join(work, STATE), json.dumps(
            vars(self), indent=1).encode())

    def fixed(self, top: str) -> 'Machine':
        """The same with the image of user space as it is now: a build that
        comes in between puts a new one in its place."""
        initrd = os.path.join(top, FIXED)
        os.link(self.initrd, initrd)
        return Machine(self.qemu, self.accel, self.kernel, initrd,
                       self.append, self.iommu)

    @staticmethod
    def release(top: str) -> None:
        """Give up what fixed() has kept."""
        for name in (FIXED, f'{FIXED}.kernel'):
            cache.remove(os.path.join(top, name))

    @classmethod
    def load(cls, work: str) -> 'Machine':
        try:
            with open(os.path.join(work, STATE), encoding='utf-8') as f:
                return cls(**json.load(f))
        except (OSError, ValueError, TypeError):
            raise LabError('nothing is built yet',
                           'run ./pri-lab build') from None

    def args(self, append: str, wants: jobs.Wants = jobs.NONE) -> List[str]:
        """The command line without serial ports."""
        if self.accel == 'kvm':
            machine = ['-machine', 'q35,kernel-irqchip=split',
                       '-accel', 'kvm']
        else:
            machine = ['-machine', 'q35', '-accel', 'tcg,thread=multi']
        initrd = ownimage.initrd(self.kernel, self.initrd) if wants.kernel \
            else self.initrd
        iommu = self.kind
        return [self.qemu] + machine + [
            '-cpu', iommu.cpu[self.accel], '-smp', '2', '-m', '2G', '-nodefaults',
            '-no-user-config', '-no-reboot', '-display', 'none',
            '-kernel', self.kernel] + ['-initrd', initrd] * bool(initrd) + [
            '-append', ' '.join(
                (f'{APPEND} {iommu.words(self.accel)} {self.append} '
                 f'{wants.append()} {append}').split()),
            '-device', iommu.argument + wants.iommu(iommu.platforms)] + [
                x for n in range(DEVICES) for x in (
                    '-device', f'pri-root-port,id=rp{n},bus=pcie.0,'
                    f'chassis={n + 1},slot={n + 1}{wants.port(n)}')
            ] + wants.bridges() + [
                x for n in range(DEVICES) for x in (
                    '-device', f'pri-testdev,id=pt{n},bus=rp{n}'
                    f'{wants.device(n)}')] + wants.qemu()


def job_words(job: str, args: str = '') -> str:
    """Kernel command line words that tell init what to do."""
    words = f'pri_lab.job={job}'
    return words + (f' pri_lab.args={args}' if args else '')


class Outcome:
    """The result of a job."""

    def __init__(self) -> None:
        self.lines: List[str] = []      # of the second serial port
        self.reader = Reader()
        self.exit: Optional[int] = None
        self.splats: List[List[str]] = []
        self.known: List[str] = []      # pages of splats that are written up
        self.problems: List[str] = []   # one line each, why it is no success
        self.seconds = 0.0
        self.own = 0.0                  # less what the host made it wait

    @property
    def troubles(self) -> List[str]:
        """The problems, except the exit status that failed tests cause."""
        failed = self.reader.counts()[FAIL]
        return [p for p in self.problems if not failed
                or not p.startswith('the job ended with status')]

    @property
    def passed(self) -> bool:
        return not self.problems and self.exit == 0 and \
            any(r.status not in (FAIL, NOT_RUN) for r in self.reader.results)


class Job:
    """One boot that runs one job and powers off."""

    def __init__(self, machine: Machine, job: str, logdir: str,
                 log: proc.Log, timeout: float, args: str = '',
                 extra: Optional[List[str]] = None,
                 wants: jobs.Wants = jobs.NONE):
        self.machine = machine
        self.wants = wants
        self.job = job
        self.words = job_words(job, args)
        self.extra = extra or []
        self.log = log
        self.timeout = timeout
        safe = re.sub(r'[^\w.-]', '_', job)
        self._stem = os.path.join(logdir, safe)
        self.console = os.path.join(logdir, f'{safe}.console')
        self.results = os.path.join(logdir, f'{safe}.ktap')
        self.stderr = os.path.join(logdir, f'{safe}.qemu')
        self.disk = os.path.join(logdir, f'{safe}.qcow2')
        self._qmp: Optional[Qmp] = None
        self._pid = 0
        self.stuck = os.path.join(logdir, f'{safe}.stuck')
        self.over = ''          # why there is no use to wait for an end

    def record(self) -> record.Recording:
        """Before run(): have it recorded."""
        recording = record.Recording(self._stem, self.machine.kind)
        self.words += ' ' + recording.words()
        self.extra += recording.qemu_args()
        return recording

    def run(self, on_line: Callable[[str, List[Result]], None],
            on_console: Optional[Callable[[str], None]] = None) -> Outcome:
        """Boot, follow, judge.  The time-out is of the guest's own time.

        on_line gets each line of results and the test results it settled.
        """
        out = Outcome()
        start = time.monotonic()
        cmd = self.machine.args(self.words, self.wants) + [
            '-serial', f'file:{self.console}',
            '-serial', f'file:{self.results}'] + self.extra
        for path in (self.console, self.results):
            open(path, 'wb').close()
        if self.wants.disk:
            disk.empty_qcow2(self.disk, self.wants.disk)
            cmd += disk.args(self.disk, True)
        mine, theirs = socket.socketpair()
        cmd += ['-chardev', f'socket,id=where,fd={theirs.fileno()}',
                '-mon', 'chardev=where,mode=control']
        self.log.write('$ ' + ' '.join(cmd))
        with open(self.stderr, 'wb') as err:
            p = proc.spawn(cmd, stdin=subprocess.DEVNULL, stdout=err,
                           stderr=err, env=proc.child_env(),
                           pass_fds=[theirs.fileno()])
        theirs.close()
        self._pid = p.pid
        try:
            self._follow(p, out, mine, on_line, on_console)
        finally:
            if p.poll() is None:
                proc.kill_group(p, grace=3.0)
            proc.reap(p)
            mine.close()
            cache.remove(self.disk)
        out.seconds = time.monotonic() - start
        for r in out.reader.finish():
            on_line('', [r])
        self._judge(p.returncode, out)
        return out

    def _follow(self, p, out: Outcome, qmp: socket.socket, on_line,
                on_console) -> None:
        """Read both logs as they grow until QEMU ends or its time is up."""
        own = OwnTime(p.pid)
        ask = time.monotonic() + _ASK
        monitor: Optional[Qmp] = None       # while it goes to sleep
        with _Tail(self.results) as results, _Tail(self.console) as console:
            while True:
                ended = p.poll() is not None
                for line in results.lines(ended):
                    out.lines.append(line)
                    m = _EXIT.search(line)
                    if m:
                        out.exit = int(m.group(1))
                    on_line(line, out.reader.feed(line))
                for line in console.lines(ended):
                    if on_console is not None:
                        on_console(line)
                    self._heard(line, out, on_line)
                    if SLEEPS in line:
                        monitor = self._monitor(qmp)
                if monitor is not None and _woken(monitor):
                    monitor = None
                if ended:
                    return
                if self.over:
                    out.problems.append(self.over)
                    return
                if time.monotonic() > ask:
                    ask = time.monotonic() + _ASK
                    out.own = own.look()
                    if out.own > self.timeout:
                        out.problems.append(
                            f'no end after {out.own:.0f} s; last on the '
                            f'console: {console.last or "(nothing)"}; '
                            + self._where(qmp))
                        return
                time.sleep(0.05)

    def _heard(self, line: str, out: Outcome, on_line) -> None:
        """A line of the console, in which a job as a rule says no results."""

    def _monitor(self, qmp: socket.socket) -> Qmp:
        """Speak to QEMU, which nobody does unless there is a need."""
        if self._qmp is None:
            self._qmp = Qmp(qmp, WHERE, self._pid)
        return self._qmp

    def _where(self, qmp: socket.socket) -> str:
        """What the guest's CPUs are at, for the user, who has to find out why
        it does not end: registers, three times, go to a file."""
        seen: List[str] = []
        try:
            monitor = self._monitor(qmp)
            for _ in range(3):
                seen.append(monitor.command(
                    'human-monitor-command',
                    command_line='info registers -a'))
                time.sleep(0.3)
        except LabError as e:
            seen.append(e.what)
        with open(self.stuck, 'w', encoding='utf-8') as f:
            f.write('\n'.join(seen))
        at = re.findall(r'\bRIP=([0-9a-f]+)', seen[0])
        return f'CPUs at {", ".join(at) or "?"} ({self.stuck})'

    def _judge(self, rc: int, out: Outcome) -> None:
        text = _read(self.console)
        for block in splat.find(text):
            page = splat.known(block)
            if page:
                out.known.append(page)
            else:
                out.splats.append(block)
        if out.splats:
            out.problems.append('the guest kernel printed '
                                f'{len(out.splats)} splat(s)')
        if out.exit is None and not any('no end' in x for x in out.problems):
            said = [x for x in _read(self.stderr).splitlines() if x.strip()]
            if rc:
                out.problems.append(
                    f'QEMU ended with status {rc}'
                    + (f': {said[-1]}' if said else ''))
            else:
                last = [x for x in text.splitlines() if x.strip()]
                out.problems.append(
                    'the guest stopped before the job ended; last on the '
                    f'console: {last[-1].strip() if last else "(nothing)"}')
        elif rc and out.exit is not None:
            out.problems.append(f'QEMU ended with status {rc}')
        if out.exit:
            out.problems.append(f'the job ended with status {out.exit}')
        missing = out.reader.counts()[NOT_RUN]
        if missing and not out.problems:
            out.problems.append(f'{missing} tests did not run')
        if not out.reader.results and out.exit is not None:
            out.problems.append('no test was run')


class _Tail:
    """Whole lines of a file that grows."""

    def __init__(self, path: str):
        self._f = open(path, 'rb')
        self._rest = b''
        self.last = ''

    def __enter__(self) -> '_Tail':
        return self

    def __exit__(self, *exc) -> None:
        self._f.close()

    def lines(self, final: bool) -> List[str]:
        data = self._rest + self._f.read()
        *whole, self._rest = data.split(b'\n')
        if final and self._rest:
            whole.append(self._rest)
            self._rest = b''
        out = [x.decode('utf-8', 'replace').rstrip('\r') for x in whole]
        for x in out:
            if x.strip():
                self.last = x.strip()
        return out


def _woken(monitor: Qmp) -> bool:
    """Wake a guest once it sleeps; False: it does not sleep yet."""
    try:
        if monitor.command('query-status')['status'] != 'suspended':
            return False
        monitor.command('system_wakeup')
    except LabError:                    # QEMU has ended, which others tell
        pass
    return True


def _read(path: str) -> str:
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()
    except OSError:
        return ''


def failing_lines(lines: List[str]) -> List[str]:
    """Diagnostics around failed test points, for the report."""
    out: List[str] = []
    notes: List[str] = []
    for line in lines:
        body = line.strip()
        if body.startswith('#') and not body.startswith('# Subtest'):
            notes.append(line)
        elif body.startswith('not ok'):
            out += notes[-10:] + [line]
            notes = []
        elif body.startswith('ok'):
            notes = []
    return out
