# SPDX-License-Identifier: GPL-2.0-or-later
"""What `run`, `check` and `guest-test` share: how long a boot may take, what
a job wants of its machine, and where results go."""

from __future__ import annotations

import os
from typing import List

from ..check import watchdog
from ..core.context import Context
from ..evidence import results
from ..machine import jobs
from ..results import junit

TIMEOUT = {'tcg': 900.0, 'kvm': 300.0}
LOGS = 'PRI_LAB_LOGS'           # environment of guest-test: where they go


def timeout(seconds: int, accel: str, gdb: bool = False) -> float:
    if seconds:
        return seconds
    if gdb or os.environ.get(watchdog.WATCHED):
        return float('inf')             # somebody else looks after it
    return TIMEOUT[accel]


def wants(ctx: Context, job: str, platform: str = '') -> jobs.Wants:
    """What a job wants of its machine."""
    return jobs.wants(ctx.paths.repo, job).on(platform)


def store(ctx: Context, kernel: str, path: str,
          suites: List[junit.Suite]) -> None:
    """Results of tests on a kernel: for --json, and into the file of
    --junit."""
    ctx.outcome.found += [results.checked('test', {
        'suite': s.name, 'name': r.name, 'status': r.status,
        'reason': r.reason, 'kernel': kernel})
        for s in suites for r in s.results]
    if path:
        junit.write(os.path.realpath(path), suites)
