# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commands run now, of all clones that share the cache.

Each has a file running/PID in the cache, locked as long as it lives, so that one
that was killed is seen to be gone.  Beside it lies PID.progress, what a campaign
says about itself (progress.py).

`clean --all` must not remove the cache under anybody: it refuses while others()
are there, and who comes later waits for it (locks/in-use, which every command
holds shared, and cleaning alone).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from typing import Dict, Iterator, List, NamedTuple, Optional

from .errors import LabError

IN_USE = 'in-use'
PROGRESS = '.progress'
SHOWN = 100                     # columns of a command in a message


class Command(NamedTuple):
    """One that runs."""
    pid: int
    command: str                # './pri-lab check unit'
    since: float                # seconds of the epoch
    repo: str
    progress: Dict              # {}: it says nothing

    def __str__(self) -> str:
        ran = int(max(time.time() - self.since, 0))
        what = self.command if len(self.command) <= SHOWN \
            else self.command[:SHOWN - 3] + '...'
        return (f'`{what}` (process {self.pid}, for '
                f'{ran // 60}:{ran % 60:02d}, in {self.repo})')


def directory(root: str) -> str:
    return os.path.join(root, 'running')


def progress_path(root: str, pid: int) -> str:
    return os.path.join(directory(root), f'{pid}{PROGRESS}')


def _lock(path: str, how: int):
    """A locked file, or None if somebody else has it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return _locked(open(path, 'a+', encoding='utf-8'), how)


def _locked(f, how: int):
    try:
        fcntl.flock(f, how)
    except BlockingIOError:
        f.close()
        return None
    return f


@contextlib.contextmanager
def here(root: str, command: str, repo: str, cleans: bool = False
         ) -> Iterator[None]:
    """This command runs, up to the end of the block.

    cleans: it removes the cache: LabError if others run.
    """
    place = os.path.join(root, 'locks', IN_USE)
    use = _lock(place, fcntl.LOCK_EX | fcntl.LOCK_NB) if cleans \
        else _lock(place, fcntl.LOCK_SH)
    if use is None:
        raise LabError('other commands use the cache: ' + ', '.join(
            map(str, others(root))), 'wait until they have ended, or stop '
            'them; then run the same command again')
    path = os.path.join(directory(root), str(os.getpid()))
    mine = _lock(path, fcntl.LOCK_EX)
    while mine and not _is(path, mine):     # others() took it for a dead one
        mine.close()
        mine = _lock(path, fcntl.LOCK_EX)
    try:
        mine.truncate(0)
        mine.write(json.dumps({'command': command, 'repo': repo,
                               'since': time.time()}))
        mine.flush()
        yield
    finally:
        for p in (path, progress_path(root, os.getpid())):
            with contextlib.suppress(OSError):
                os.unlink(p)
        mine.close()
        use.close()


def _is(path: str, f) -> bool:
    """Whether an open file still has its name."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(f.fileno()))
    except OSError:
        return False


def others(root: str) -> List[Command]:
    """Commands of other processes, the oldest first; files of dead ones
    are removed."""
    top = directory(root)
    out = []
    names = os.listdir(top) if os.path.isdir(top) else []
    for name in names:
        if not name.isdigit() or int(name) == os.getpid():
            continue
        found = _one(root, name)
        if found:
            out.append(found)
    return sorted(out, key=lambda c: c.since)


def _one(root: str, name: str) -> Optional[Command]:
    path = os.path.join(directory(root), name)
    try:                                # who only looks need not write
        f = _locked(open(path, encoding='utf-8'),
                    fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:                     # it has just ended, or is not ours
        return None
    if f is not None:                   # nobody holds it
        for p in (path, path + PROGRESS):
            with contextlib.suppress(OSError):
                os.unlink(p)
        f.close()
        return None
    data = _load(path)
    return Command(int(name), data.get('command', '?'),
                   data.get('since', time.time()), data.get('repo', '?'),
                   _load(path + PROGRESS))


def _load(path: str) -> Dict:
    try:
        with open(path, encoding='utf-8') as f:
            data = json.load(f)
        return data if isinstance(data, dict) else {}
    except (OSError, ValueError):
        return {}


def named(root: str, pid: str) -> str:
    """How a message calls a process that holds a lock."""
    for c in others(root):
        if str(c.pid) == pid:
            return str(c)
    return f'another pri-lab (process {pid})'
