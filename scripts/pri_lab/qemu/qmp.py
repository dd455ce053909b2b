# SPDX-License-Identifier: GPL-2.0-or-later
"""A client for QEMU's machine protocol (QMP) over a socket."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, Dict, List, Optional

from ..core.errors import LabError
from ..core.owntime import OwnTime

TIMEOUT = 120.0                 # of one command; savevm on a busy disk is slow
_LOOK = 1.0                     # seconds between two looks at QEMU's own time


class Qmp:
    """One connection; events are kept until somebody asks for them."""

    def __init__(self, sock: socket.socket, patience: float = TIMEOUT,
                 pid: int = 0):
        """patience: seconds for the answer to one command, of QEMU's own time
        if pid says which process it is."""
        self.sock = sock
        self._pid = pid
        self._began = 0.0               # of the wait for an answer
        self._own: Optional[OwnTime] = None
        self._patience = patience
        self.events: List[Dict] = []
        self._rest = b''
        self._lines: List[bytes] = []
        self._message('QMP')
        self.command('qmp_capabilities')

    def command(self, name: str, **arguments):
        """What the command returns; LabError if it fails."""
        request: Dict[str, Any] = {'execute': name}
        if arguments:
            request['arguments'] = {k.replace('_', '-'): v
                                    for k, v in arguments.items()}
        try:
            self.sock.settimeout(self._patience)
            self.sock.sendall(json.dumps(request).encode() + b'\n')
        except OSError as e:
            raise LabError(f'QEMU\'s monitor, {name}: {e}') from None
        return self._message('return')

    def hmp(self, line: str) -> str:
        """A command of the human monitor; LabError if it complains."""
        said = self.command('human-monitor-command', command_line=line)
        if said.strip():
            raise LabError(f'{line}: {said.strip()}')
        return said

    def poll(self) -> List[str]:
        """Names of the events that came since the last call."""
        self.sock.settimeout(0)
        try:
            while self._fill():
                pass
        except (BlockingIOError, socket.timeout):
            pass
        except OSError:
            pass
        while self._lines:
            self._sort(json.loads(self._lines.pop(0)))
        out = [e['event'] for e in self.events]
        self.events.clear()
        return out

    def _fill(self) -> bool:
        data = self.sock.recv(65536)
        *whole, self._rest = (self._rest + data).split(b'\n')
        self._lines += [x for x in whole if x.strip()]
        return bool(data)

    def _sort(self, message: Dict) -> bool:
        """Keep an event; False: it is something else."""
        if 'event' in message:
            self.events.append(message)
            return True
        return False

    def _waited(self) -> float:
        """Seconds for an answer so far, looked at from the first on in which
        none came."""
        if not self._pid:
            return time.monotonic() - self._began
        if self._own is None:
            self._own = OwnTime(self._pid)
        return self._own.look()

    def _message(self, key: str):
        """Wait for the message that has this key."""
        self._began = time.monotonic()
        self._own = None
        while True:
            while self._lines:
                message = json.loads(self._lines.pop(0))
                if self._sort(message):
                    continue
                if 'error' in message:
                    raise LabError('QMP: ' + message['error']['desc'])
                if key in message:
                    return message[key]
            try:
                self.sock.settimeout(min(self._patience, _LOOK))
                if not self._fill():
                    raise LabError('QEMU closed its monitor')
            except socket.timeout:
                if self._waited() > self._patience:
                    raise LabError(
                        'QEMU\'s monitor: timed out, no answer for '
                        f'{self._patience:.0f} s') from None
            except OSError as e:
                raise LabError(f'QEMU\'s monitor: {e}') from None
