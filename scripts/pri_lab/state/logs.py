# SPDX-License-Identifier: GPL-2.0-or-later
"""Directories of logs: which ones stay.

`logs/` has one a command, `repro/` one a time that an entry was run on a kernel;
both are named DATE-TIME-WHAT-PID, so that they sort by age.  What proves
something (a recording, a splat, a failure) is evidence, which may never come
back: it goes only when it is old and there is much of it.  Of the rest the
last ones stay.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from typing import Callable, Dict, Iterable, List, Set

from ..core import cache, running

KEEP = 200                      # directories that are no evidence
DAYS = 30                       # evidence younger than this always stays
SPACE = 2 << 30                 # bytes of older evidence that stay
RECORDING = '.jsonl'
STATUS = 'status.json'
_NAME = re.compile(r'^\d{8}-\d{6}-(.+)-(\d+)$')


def _running(top: str, name: str) -> bool:
    """Whether the command that a directory is named after still runs."""
    m = _NAME.match(name)
    return m is not None and os.path.exists(os.path.join(
        running.directory(os.path.dirname(top)), m.group(2)))


def new(top: str, what: str, keep: int = KEEP,
        also: Callable[[List[str]], Iterable[str]] = lambda names: ()) -> str:
    """The path of a new directory; old ones are removed, but not those that
    also(names) returns."""
    os.makedirs(top, exist_ok=True)
    for name in old(top, keep, also):
        shutil.rmtree(os.path.join(top, name), ignore_errors=True)
    safe = cache.file_name(what)
    path = os.path.join(top, time.strftime('%Y%m%d-%H%M%S')
                        + f'-{safe}-{os.getpid()}')
    os.makedirs(path, exist_ok=True)
    return path


def old(top: str, keep: int, also: Callable[[List[str]], Iterable[str]]
        = lambda names: ()) -> List[str]:
    """Names of the directories to remove, the oldest first."""
    names = sorted(os.listdir(top))
    stay: Set[str] = {n for n in names if _running(top, n)} | set(
        also(names)) | set(names[-keep:])
    rest = [n for n in names if n not in stay]
    proof = [n for n in rest if is_evidence(os.path.join(top, n))]
    gone = set(_too_much(top, proof))
    return [n for n in rest if n in gone or n not in proof]


def _too_much(top: str, names: List[str]) -> List[str]:
    """Old evidence above SPACE, the oldest first."""
    before = time.strftime('%Y%m%d', time.localtime(
        time.time() - DAYS * 86400))
    aged = [n for n in names if n[:8] < before]
    sizes: Dict[str, int] = {n: size(os.path.join(top, n)) for n in aged}
    over = sum(sizes.values()) - SPACE
    out = []
    for n in aged:
        if over <= 0:
            break
        out.append(n)
        over -= sizes[n]
    return out


def size(path: str) -> int:
    """Bytes of all files below a path."""
    total = 0
    for d, _, names in os.walk(path):
        for n in names:
            with contextlib.suppress(OSError):
                st = os.lstat(os.path.join(d, n))
                total += st.st_blocks * 512
    return total


def is_evidence(path: str) -> bool:
    """Whether a directory has a recording, or says of itself that it is."""
    try:
        if any(n.endswith(RECORDING) for n in os.listdir(path)):
            return True
        with open(os.path.join(path, STATUS), encoding='utf-8') as f:
            return bool(json.load(f).get('evidence'))
    except (OSError, ValueError, AttributeError):
        return False


def note(path: str, evidence: bool, **facts) -> None:
    """Say of a directory what it is the log of, and whether it proves
    something.  Quiet if it is not there or cannot be written."""
    if os.path.isdir(path):
        with contextlib.suppress(OSError):
            cache.write_atomic(os.path.join(path, STATUS), json.dumps(
                {'evidence': evidence, **facts}, indent=1).encode())
