# SPDX-License-Identifier: GPL-2.0-or-later
"""One test with one mutant: does it pass, and what does that cost?

A busy machine decides nothing: a test is ended by the CPU time that it
takes itself, or because for some seconds nobody in it wanted a CPU.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from typing import Dict, List, NamedTuple, Tuple

# Seconds of looks, one after the other, at which everybody slept
ASLEEP = 8.0
# Between two of them: a machine that nobody asks anything has its timers
IDLE_TICKS = 2
_LOOK = 0.005


class Outcome(NamedTuple):
    failure: str            # '' if the test passes
    cpu: float              # seconds of CPU time, QEMU's included


def _states(group: int) -> Tuple[int, int]:
    """Threads of a process group that do not sleep; ticks of all."""
    awake = ticks = 0
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            if os.getpgid(int(pid)) != group:
                continue
            for task in os.listdir(f'/proc/{pid}/task'):
                with open(f'/proc/{pid}/task/{task}/stat',
                          encoding='utf-8') as f:
                    words = f.read().rpartition(')')[2].split()
                awake += words[0] not in 'SZ'
                ticks += int(words[11]) + int(words[12])
        except (OSError, ValueError):
            continue            # ended in between
    return awake, ticks


class _Watch:
    """Whether the processes of a group have slept for long."""

    def __init__(self, group: int) -> None:
        self.group = group
        self.ticks = 0
        self.quiet = self.next = 0.0

    def asleep(self, now: float) -> bool:
        if now < self.next:
            return False
        since, self.next = self.next, now + 1
        awake, ticks = _states(self.group)
        still = not awake and ticks - self.ticks <= IDLE_TICKS
        self.ticks = ticks
        # A look that comes late counts as one look
        self.quiet = self.quiet + 1 if still and since else 0
        return self.quiet >= ASLEEP


def run(argv: List[str], cwd: str, env: Dict[str, str],
        limit: float) -> Outcome:
    """Run a test; `limit` is of CPU time, for each of its processes."""
    def restrict() -> None:
        most = int(limit) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))

    p = subprocess.Popen(argv, cwd=cwd, env=env, start_new_session=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, preexec_fn=restrict)
    watch, hang = _Watch(p.pid), False
    while not os.waitid(os.P_PID, p.pid,
                        os.WEXITED | os.WNOHANG | os.WNOWAIT):
        hang = watch.asleep(time.monotonic())
        if hang:
            break
        time.sleep(_LOOK)
    # A QEMU whose test died, too; once waited for, its number is anybody's
    os.killpg(p.pid, signal.SIGKILL)
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    failure = 'hang' if hang else str(p.returncode or '')
    return Outcome(failure, used.ru_utime + used.ru_stime)
