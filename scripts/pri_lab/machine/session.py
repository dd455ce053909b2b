# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that is held at one point: snapshot there, and run on from it.

The second serial port of the guest reads from a FIFO here, so that the guest
can be told when to continue, and writes to a file like the first one: of a socket
or a pipe that is full for a moment the guest sees that its byte is not sent yet,
which depends on how fast the host reads.  QEMU does not exit when the guest does: a run that ended in
a panic is followed by the next one.
"""

from __future__ import annotations

import array
import fcntl
import os
import socket
import subprocess
import termios
import time
from typing import Callable, List, Optional

from ..core import owntime, proc
from ..core.errors import LabError
from ..core.owntime import OwnTime
from ..qemu.qmp import Qmp
from . import disk
from .jobs import Wants
from .vm import Machine

# 8 ns an instruction; while the guest's CPUs sleep its time jumps to the
# next timer, so that a wait of seconds in a race costs nothing
_SHIFT = 3
NS = 1 << _SHIFT
ICOUNT = f'shift={_SHIFT},sleep=off'
_POLL = 0.005                   # seconds between looks at what the guest said
_RESET = 10.0                   # own seconds of QEMU for a reset
_ASK = 1.0                      # between questions whether its time is over

_ENDED = ('shutdown', 'guest-panicked', 'internal-error')


class Output:
    """What the guest said in one run, on its console and on its port."""

    def __init__(self) -> None:
        self.console: List[str] = []
        self.ktap: List[str] = []

    def store(self, base: str) -> None:
        for lines, suffix in ((self.console, 'console'),
                              (self.ktap, 'ktap')):
            with open(f'{base}.{suffix}', 'w', encoding='utf-8') as f:
                f.writelines(x + '\n' for x in lines)


class Lines:
    """Whole lines out of bytes that come in pieces."""

    def __init__(self) -> None:
        self.rest = b''

    def feed(self, data: bytes) -> List[str]:
        *whole, self.rest = (self.rest + data).split(b'\n')
        return [x.decode('utf-8', 'replace').rstrip('\r') for x in whole]


class Session:
    """One QEMU: started, followed, saved, loaded."""

    def __init__(self, machine: Machine, append: str, wants: Wants,
                 extra: List[str], icount: bool, logdir: str,
                 log: proc.Log, snapshots: bool):
        self.logdir = logdir
        self.log = log
        self.console_path = os.path.join(logdir, 'console')
        self.port_path = os.path.join(logdir, 'port')
        self.disk = wants.disk if wants else 0  # bytes: the guest's own
        self.image = os.path.join(logdir, 'state.qcow2') \
            if snapshots or self.disk else ''
        self.cmd = machine.args(append, wants)
        self.icount = icount and machine.accel == 'tcg'
        if self.icount:
            self.cmd = ['tcg' if x.startswith('tcg') else x
                        for x in self.cmd] + ['-icount', ICOUNT]
        self.cmd += ['-no-shutdown', '-S',
                     '-serial', f'file:{self.console_path}',
                     '-serial', 'chardev:port'] + extra
        self._reboot = 'reset' if 'reboot=reset' in self.cmd else 'shutdown'
        self.keep_image = False         # there is a state in it already
        self.out = Output()
        self._p: Optional[subprocess.Popen] = None
        self._port_lines = Lines()
        self._console_lines = Lines()

    def __enter__(self) -> 'Session':
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    # -- life -----------------------------------------------------------------

    def start(self) -> None:
        os.makedirs(self.logdir, exist_ok=True)
        cmd = list(self.cmd)
        if self.image:
            if not self.keep_image:
                disk.empty_qcow2(self.image, self.disk)
            cmd += disk.args(self.image, bool(self.disk))
        for path in (self.console_path, self.port_path):
            open(path, 'wb').close()
        said = self._fifo()
        mine, theirs = socket.socketpair()
        cmd += ['-chardev', f'file,id=port,path={self.port_path},'
                f'input-path={said}',
                '-chardev', f'socket,id=qmp,fd={theirs.fileno()}',
                '-mon', 'chardev=qmp,mode=control']
        self.log.write('$ ' + ' '.join(cmd))
        with open(os.path.join(self.logdir, 'qemu'), 'ab') as err:
            self._p = proc.spawn(cmd, stdin=subprocess.DEVNULL, stdout=err,
                                 stderr=err, env=proc.child_env(),
                                 pass_fds=[theirs.fileno()])
        theirs.close()
        self._port = open(self.port_path, 'rb')
        self._console = open(self.console_path, 'rb')
        try:
            self.qmp = Qmp(mine, pid=self._p.pid)
        except LabError as e:
            raise LabError(f'QEMU does not start: {self.complaint()}',
                           log=self.log.path) from e

    def _fifo(self) -> str:
        """What say() writes to, with both ends open here: QEMU's open() does
        not wait, and there is no end of the file."""
        path = os.path.join(self.logdir, 'said')
        if os.path.exists(path):
            os.unlink(path)
        os.mkfifo(path)
        self._said = os.open(path, os.O_RDWR)
        return path

    def close(self) -> None:
        if self._p is None:
            return
        if self._p.poll() is None:
            proc.kill_group(self._p, grace=2.0)
        proc.reap(self._p)
        self._console.close()
        self._port.close()
        os.close(self._said)
        os.unlink(os.path.join(self.logdir, 'said'))
        self.qmp.sock.close()
        if self.image and os.path.exists(self.image):
            os.unlink(self.image)       # large, and made again by a boot
        self._p = None

    def own_time(self) -> OwnTime:
        """Of QEMU, from now on; what a busy host makes it wait is not in it."""
        assert self._p is not None
        return OwnTime(self._p.pid)

    def cpu(self) -> float:
        """CPU seconds of QEMU so far."""
        return owntime.cpu(self._p.pid) if self._p else 0.0

    def alive(self) -> bool:
        return self._p is not None and self._p.poll() is None

    def complaint(self) -> str:
        """The last line QEMU wrote to its own standard error."""
        try:
            with open(os.path.join(self.logdir, 'qemu'),
                      encoding='utf-8', errors='replace') as f:
                lines = [x.strip() for x in f if x.strip()]
        except OSError:
            lines = []
        return lines[-1] if lines else 'nothing said'

    # -- running --------------------------------------------------------------

    def cont(self) -> None:
        self.qmp.command('cont')

    def say(self, text: bytes) -> None:
        """To the second serial port of the guest."""
        os.write(self._said, text)

    def taken(self) -> bool:
        """Has QEMU taken all that was said?  The port has it when QEMU answers
        the next command."""
        left = array.array('i', [0])
        fcntl.ioctl(self._said, termios.FIONREAD, left)
        return not left[0]

    def stop(self) -> None:
        if self._p is not None and self._p.poll() is None:
            self.qmp.command('stop')

    def instructions(self) -> int:
        """That the guest has executed, with those before the state that was
        loaded; 0 without icount.  One took NS of its time."""
        return self.qmp.command('query-replay')['icount']

    def save(self, name: str) -> None:
        """Keep the state of the stopped machine; one of that name goes."""
        self.qmp.hmp(f'savevm {name}')

    def load(self, name: str) -> None:
        """Back to it; what the guest says from now on is a new Output."""
        self.stop()
        self._revive()
        self.qmp.hmp(f'loadvm {name}')
        self.qmp.poll()
        self.read()
        self.fresh()

    def _revive(self) -> None:
        """A guest that has ended (a panic) must be reset to continue."""
        if self.qmp.command('query-status')['status'] in _ENDED:
            # with -no-reboot a reset is a shutdown
            self.qmp.command('set-action', reboot='reset')
            self.qmp.command('system_reset')
            own = self.own_time()
            while self.qmp.command('query-status')['status'] in _ENDED:
                if own.look() > _RESET:
                    raise LabError('QEMU does not reset the machine: '
                                   + self.complaint())
                time.sleep(_POLL)
            self.qmp.command('set-action', reboot=self._reboot)

    def fresh(self) -> None:
        self.out = Output()
        self._port_lines.rest = b''
        self._console_lines.rest = b''

    def read(self) -> bool:
        """Take what came; False: nothing new."""
        new = self._console_lines.feed(self._console.read())
        said = self._port_lines.feed(self._port.read())
        self.out.console += new
        self.out.ktap += said
        return bool(new or said)

    def follow(self, seconds: float, enough: Callable[[Output], bool],
               over: Callable[[], bool] = lambda: False) -> str:
        """Until enough() is content.  A guest that sleeps (S3) is woken.

        Returns 'done', 'limit' after that many seconds of QEMU's own time
        (a busy host takes nothing of it), 'over' when over(),
        which is asked now and then, says so, 'panic' or 'off' when the guest
        is through, or what QEMU died of.
        """
        assert self._p is not None
        own = self.own_time()
        ask = time.monotonic() + _ASK
        look = time.monotonic() + min(_ASK, seconds)
        while True:
            ended = self._p.poll()
            events = [] if ended is not None else self.qmp.poll()
            if 'SUSPEND' in events:         # nobody else would wake it
                self.qmp.command('system_wakeup')
            if self.read() and enough(self.out):
                return 'done'
            if ended is not None:
                return f'QEMU ended with status {ended} ({self.complaint()})'
            if 'GUEST_PANICKED' in events:
                return 'panic'
            if 'SHUTDOWN' in events:
                self.read()
                return 'off'
            if time.monotonic() > ask:
                if over():              # it may just have said something
                    said = self.read() and enough(self.out)
                    return 'done' if said else 'over'
                ask = time.monotonic() + _ASK
            if time.monotonic() > look:
                if own.look() > seconds:
                    return 'limit'
                look = time.monotonic() + min(_ASK, seconds)
            time.sleep(_POLL)
