# SPDX-License-Identifier: GPL-2.0-or-later
"""Time that a busy machine cannot take away.

A limit on the clock on the wall makes a busy machine red.  What is counted here
is the time in which a process ran or slept, not that in which it was ready to
run and waited for a CPU (proc(5): schedstat).  A program that loops, and
one that waits for what will never come, both use it up; one that is starved
does not.
"""

from __future__ import annotations

import os
import subprocess
import time
from typing import Dict, List, Optional, Sequence, Tuple

_LOOK = 1.0                     # seconds between two looks


def _ints(path: str) -> List[int]:
    try:
        with open(path, encoding='ascii') as f:
            return [int(x) for x in f.read().split()]
    except (OSError, ValueError):
        return []


def parents() -> Dict[int, int]:
    """Process -> its parent, of all there are."""
    out = {}
    for name in os.listdir('/proc'):
        if not name.isdigit():
            continue
        try:
            with open(f'/proc/{name}/stat', encoding='utf-8',
                      errors='replace') as f:
                text = f.read()
        except OSError:
            continue
        out[int(name)] = int(text.rpartition(')')[2].split()[1])
    return out


def family(pid: int) -> List[int]:
    """A process and all that came from it."""
    children: Dict[int, List[int]] = {}
    for child, parent in parents().items():
        children.setdefault(parent, []).append(child)
    out, todo = [], [pid]
    while todo:
        one = todo.pop()
        out.append(one)
        todo += children.get(one, [])
    return out


def waited(pid: int) -> Dict[Tuple[int, int], float]:
    """Seconds that each thread of a process and its family has waited for a
    CPU so far."""
    out = {}
    for one in family(pid):
        try:
            threads = os.listdir(f'/proc/{one}/task')
        except OSError:
            continue
        for t in threads:
            values = _ints(f'/proc/{one}/task/{t}/schedstat')
            if len(values) > 1:
                out[one, int(t)] = values[1] / 1e9
    return out


def cpu(pid: int) -> float:
    """CPU seconds of a process so far, those of threads that have ended
    among them; 0.0: there is no such process."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as f:
            fields = f.read().rpartition(')')[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def said(cmd: Sequence[str], seconds: float, **kw) -> Optional[
        subprocess.CompletedProcess]:
    """subprocess.run(), with stdout and stderr, whose time-out is of the
    command's own time; None: it used that up, and was killed."""
    own: Optional[OwnTime] = None
    with subprocess.Popen(cmd, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **kw) as p:
        while True:
            try:
                out, err = p.communicate(timeout=_LOOK)
                return subprocess.CompletedProcess(cmd, p.returncode, out,
                                                   err)
            except subprocess.TimeoutExpired:
                own = own or OwnTime(p.pid)     # most commands end before
                if own.look() > seconds:
                    p.kill()
                    return None
            except BaseException:
                p.kill()
                raise


class OwnTime:
    """The own time of a process and its family since the last mark()."""

    def __init__(self, pid: int):
        self._pid = pid
        self._before = waited(pid)
        self._last = time.monotonic()
        self._used = 0.0

    def mark(self) -> None:
        """From here on."""
        self._used = 0.0
        self.look()
        self._used = 0.0

    def look(self, now: Optional[float] = None) -> float:
        """Seconds since the mark; to be asked now and then, as a thread that
        has ended takes its part with it."""
        now = time.monotonic() if now is None else now
        after = waited(self._pid)
        passed = max(now - self._last, 0.0)
        kept = max((w - self._before.get(t, 0.0) for t, w in after.items()),
                   default=0.0)
        self._used += passed - min(max(kept, 0.0), passed)
        self._before, self._last = after, now
        return self._used
