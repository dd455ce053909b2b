# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of the cells of a kernel, kept from command to command.

    $XDG_CACHE_HOME/pri-lab/resets/KERNEL/CONTENT.json

CONTENT is the digest of all that decides about a verdict, so that a campaign goes
on in every clone in which that is the same.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
import time
from typing import Dict, List, Optional, Sequence, Tuple

from . import cells
from ..core import cache
from ..guest import cpio
from ..machine import vm

# of the guest's files those that no cell runs
_OTHERS = 'tests/'


def _decides(name: str, program: str) -> bool:
    return not name.startswith(_OTHERS) or name == f'{_OTHERS}{program}'


def key(machine: vm.Machine, program: str,
        wants: Sequence[Tuple[str, str]]) -> str:
    """Of what decides about a verdict, by content.  program: of /tests, the
    one that cells run; wants: of its machine, as jobs.Wants.key()."""
    with open(machine.initrd, 'rb') as f:
        files = cpio.entries(f.read())
    guest = [(name, e.mode, e.rdev, cache.digest(e.data))
             for name, e in sorted(files.items()) if _decides(name, program)]
    return cache.key_of(machine.append, list(wants), guest, *map(
        cache.content_digest, (machine.qemu, machine.kernel)))


def _read(path: str) -> Dict:
    try:
        with open(path, encoding='utf-8') as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


class Results:
    """Of one kernel and one content; a cell is a dict of verdict, why, facts,
    logs, seconds and when (of the clock)."""

    def __init__(self, top: str, kernel: str, content: str):
        self.kernel = kernel
        self.path = os.path.join(
            top, cache.file_name(kernel), f'{content}.json')
        self.release = ''
        self.cells: Dict[str, Dict] = {}
        self._lock = threading.Lock()   # of all but kernel and path

    def load(self) -> None:
        """What there is of this content."""
        old = _read(self.path)
        self.cells = old.get('cells', {})
        self.release = old.get('release', '')

    def now(self, cell: cells.Cell) -> Optional[Dict]:
        """Its result on the same program, QEMU and kernel."""
        return self.cells.get(cell.name)

    def has(self, cell: cells.Cell) -> bool:
        got = self.now(cell)
        return got is not None and got['verdict'] != 'cannot run'

    def put(self, cell: cells.Cell, what: Dict) -> None:
        """Stored at once; other commands may do so at the same time."""
        with self._lock:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with open(self.path + '.lock', 'a', encoding='ascii') as f:
                fcntl.flock(f, fcntl.LOCK_EX)
                self.cells = {**_read(self.path).get('cells', {}),
                              cell.name: {**what, 'when': time.time()}}
                cache.write_atomic(self.path, json.dumps({
                    'kernel': self.kernel, 'release': self.release,
                    'cells': self.cells}, indent=1).encode())


def _together(found: List[Dict]) -> Dict:
    """Of one kernel: the result of each cell the last time it was run."""
    out: Dict = {**max(found, key=lambda d: max(
        c['when'] for c in d['cells'].values())), 'cells': {}}
    for d in found:
        for name, got in d['cells'].items():
            have = out['cells'].get(name)
            if have is None or have['when'] < got['when']:
                out['cells'][name] = got
    return out


def joined(found: Sequence[Dict]) -> List[Dict]:
    """Results by the name of the kernel, each once, newest first."""
    kernels: Dict[str, List[Dict]] = {}
    for d in found:
        if d.get('cells'):
            kernels.setdefault(d['kernel'], []).append(d)
    return sorted(map(_together, kernels.values()), key=lambda d: [
        int(x) if x.isdigit() else 0
        for x in re.split(r'\D+', d['kernel'])], reverse=True)


def everything(top: str) -> List[Dict]:
    """All results there are in the cache."""
    return joined([_read(path) for path in cache.files_under(top, ('.json',))]
                  if os.path.isdir(top) else [])


# what the page says of a cell, and no paths of a machine
_SAID = ('verdict', 'why', 'cpu', 'when')


def handed_over(path: str) -> List[Dict]:
    """Results that came with the repository, of any machine."""
    return list(_read(path).get('kernels', []))


def hand_over(path: str, found: Sequence[Dict]) -> None:
    cache.write_atomic(path, (json.dumps({'kernels': [
        {'kernel': d['kernel'], 'release': d['release'],
         'cells': {name: {k: got[k] for k in _SAID if k in got}
                   for name, got in sorted(d['cells'].items())}}
        for d in found]}, indent=1) + '\n').encode())
