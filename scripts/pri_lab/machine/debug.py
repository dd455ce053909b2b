# SPDX-License-Identifier: GPL-2.0-or-later
"""Looking into a run: --gdb, --trace, --qemu-arg become QEMU arguments."""

from __future__ import annotations

import os
import shlex
import socket
from typing import List, Optional

from ..core import requests
from ..core.errors import LabError
from ..linux.kernel import Kernel

GDB_PORT = 1234                 # as QEMU's -s, if it is free


def qemu_args(words: List[str]) -> List[str]:
    """--qemu-arg TEXT, each one or several words as a shell splits them."""
    out: List[str] = []
    for text in words:
        try:
            out += shlex.split(text)
        except ValueError as e:
            raise LabError(f'--qemu-arg {text}: {e}') from None
    return out


def trace_args(patterns: List[str], log: str) -> List[str]:
    """QEMU's trace events that match, written to the file log."""
    if not patterns:
        return []
    return ['-D', log] + [x for p in patterns for x in ('-trace', p)]


def traced(log: str) -> bool:
    """Whether anything was written to the file of trace_args()."""
    return os.path.exists(log) and os.path.getsize(log) > 0


def free_port(first: int = GDB_PORT) -> int:
    """A TCP port of this host nobody listens on; first if possible."""
    for port in (first, 0):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(('127.0.0.1', port))
            except OSError:
                continue
            return s.getsockname()[1]
    raise LabError('no free TCP port for --gdb')


def gdb_args(port: int) -> List[str]:
    """A gdb stub on localhost; the guest waits for `continue`."""
    return ['-S', '-gdb', f'tcp:127.0.0.1:{port}']


def symbols(kernel: Kernel) -> Optional[str]:
    """The vmlinux that belongs to the image, None if it is not there."""
    for path in (kernel.image, os.path.join(kernel.build or '', 'vmlinux')):
        if os.path.basename(path) == 'vmlinux' and os.path.isfile(path):
            return path
    return None


def gdb_help(kernel: Kernel, port: int,
             where: str = 'the guest has not started') -> List[str]:
    """What to type, for the user."""
    vmlinux = symbols(kernel)
    out = [f'{where} and waits for gdb; in another terminal:',
           '  gdb ' + (shlex.quote(vmlinux) + ' ' if vmlinux else '')
           + f"-ex 'target remote 127.0.0.1:{port}'"]
    if not vmlinux:
        out.append('  (there is no vmlinux beside the image, so gdb has no '
                   'symbols)')
    out.append('  then `hbreak FUNCTION` and `continue`; lines and types: '
               'guest/kernel/gdb.config')
    return out


def trace_path(logdir: str) -> str:
    return os.path.join(logdir, 'qemu.trace')


def wanted(request: requests.Debug, linux: Kernel, logdir: str, ui,
           recorded: bool = False) -> List[str]:
    """QEMU arguments of --gdb, --trace and --qemu-arg; says what the user
    has to know about them.  recorded: what is traced goes to the recording.
    """
    extra = qemu_args(request.qemu_arg)
    if recorded:
        extra += [x for p in request.trace for x in ('-trace', p)]
    elif request.trace:
        path = trace_path(logdir)
        ui.say(f'QEMU\'s trace: {path}')
        extra += trace_args(request.trace, path)
    if request.gdb:
        port = free_port()
        for line in gdb_help(linux, port):
            ui.say(line)
        extra += gdb_args(port)
    return extra
