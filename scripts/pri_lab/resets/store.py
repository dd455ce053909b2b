# SPDX-License-Identifier: GPL-2.0-or-later
"""What the cells of a kernel came to, kept from command to command."""

from __future__ import annotations

import json
import os
import re
import threading
from typing import Dict, List, Optional

from . import cells
from ..core import cache
from ..machine import vm

_SOURCES = ('tests/guest', 'guest/driver')


def key(repo: str, machine: vm.Machine) -> str:
    """Of what decides about a verdict, by content."""
    files = [p for top in _SOURCES for p in cache.files_under(
        os.path.join(repo, top), ('.c', '.h'))
        if os.path.dirname(p).endswith(('lib', 'driver', 'resets'))]
    return cache.key_of(machine.append, *map(
        cache.content_digest, files + [machine.qemu, machine.kernel]))


class Results:
    """Of one kernel; a cell is a dict of verdict, why, facts, logs, seconds,
    and of `content`, the key() of what it was run on."""

    def __init__(self, top: str, kernel: str, content: str):
        self.kernel = kernel
        self.path = os.path.join(
            top, re.sub(r'[^\w.+-]', '_', kernel) + '.json')
        self.content = content
        self.release = ''
        self.cells: Dict[str, Dict] = {}
        self._lock = threading.Lock()   # of all but kernel and path

    def load(self) -> None:
        """What there is; of another program, QEMU or kernel it is kept until
        the cell is run again."""
        try:
            with open(self.path, encoding='utf-8') as f:
                old = json.load(f)
        except (OSError, ValueError):
            return
        self.cells, self.release = old['cells'], old['release']

    def now(self, cell: cells.Cell) -> Optional[Dict]:
        """What it came to on the same program, QEMU and kernel."""
        got = self.cells.get(cell.name)
        return got if got and got.get('content') == self.content else None

    def has(self, cell: cells.Cell) -> bool:
        got = self.now(cell)
        return got is not None and got['verdict'] != 'cannot run'

    def put(self, cell: cells.Cell, what: Dict) -> None:
        with self._lock:
            self.cells[cell.name] = {**what, 'content': self.content}
            self.write()

    def write(self) -> None:
        cache.write_atomic(self.path, json.dumps({
            'kernel': self.kernel, 'release': self.release,
            'cells': self.cells}, indent=1).encode())


def everything(top: str) -> List[Dict]:
    """All results there are, by the name of the kernel, newest first."""
    out = []
    for path in cache.files_under(top, ('.json',)) \
            if os.path.isdir(top) else ():
        try:
            with open(path, encoding='utf-8') as f:
                out.append(json.load(f))
        except (OSError, ValueError):
            continue
    return sorted(out, key=lambda d: [
        int(x) if x.isdigit() else 0
        for x in re.split(r'\D+', d['kernel'])], reverse=True)
