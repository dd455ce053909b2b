# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a guest has had: what a time-out of the lab counts.

A fixed number of seconds on the wall says more about the host than about the
guest: on a machine with fourteen busy loops a guest that is well gets a seventh
of a processor.  Linux says how long each thread has been ready to run and was
not running (/proc/PID/task/TID/schedstat, the second number, ns).  What a guest
was made to wait is taken off; what it waits for itself, idle or in a loop, counts.
"""

from __future__ import annotations

import glob
import time
from typing import Callable, Dict


def waits(pid: int) -> Dict[str, int]:
    """Thread -> ns that it was ready and waited for a processor; empty where
    the host does not say."""
    out = {}
    for path in glob.glob(f'/proc/{pid}/task/*/schedstat'):
        try:
            with open(path, encoding='ascii') as f:
                out[path.split('/')[4]] = int(f.read().split()[1])
        except (OSError, IndexError, ValueError):
            continue                    # the thread has ended
    return out


class OwnTime:
    """Seconds since it was made in which the process could do its work.

    Several processors of a guest wait side by side, and one that does not run
    can keep the others from getting on: the thread that waited longest counts.
    """

    def __init__(self, pid: int,
                 clock: Callable[[], float] = time.monotonic,
                 look: Callable[[int], Dict[str, int]] = waits):
        self._pid = pid
        self._clock = clock
        self._look = look
        self._start = clock()
        self._first = look(pid)
        self._waited = 0                # ns

    def wall(self) -> float:
        return self._clock() - self._start

    def seconds(self) -> float:
        """Never goes back, whatever threads come and go."""
        for tid, ns in self._look(self._pid).items():
            self._waited = max(self._waited, ns - self._first.get(tid, 0))
        return max(self.wall() - self._waited / 1e9, 0.0)

    def told(self) -> str:
        """'20 s' or '20 s of its own (75 s here, the machine is busy)'"""
        own, wall = self.seconds(), self.wall()
        if wall - own < 1 + own / 10:
            return f'{own:.0f} s'
        return f'{own:.0f} s of its own ({wall:.0f} s here, the machine is busy)'
