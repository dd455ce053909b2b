# SPDX-License-Identifier: GPL-2.0-or-later
"""What a command has besides its request: where it works, whom it tells."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
from typing import Any, Callable, Dict, List

from . import cache, installed, proc


@dataclasses.dataclass
class Outcome:
    """What comes to light while a command runs."""

    found: List[Dict] = dataclasses.field(default_factory=list)  # for --json
    evidence: bool = False      # a splat was seen: the logs stay


@dataclasses.dataclass(frozen=True)
class Context:
    """One invocation.  It does not change; what the command finds out is its
    outcome."""

    line: str                   # the command line, for the log
    paths: cache.Paths
    ui: Any
    log: proc.Log
    jobs: int                   # at a time
    parser: argparse.ArgumentParser     # the whole command line
    where: Callable[[], str]    # the log directory, made when first asked for
    outcome: Outcome

    @property
    def logdir(self) -> str:
        return self.where()

    @property
    def installed(self) -> bool:
        """Out of the Debian package: nothing builds a QEMU."""
        return installed.is_installed(self.paths.repo)

    def clone_lock(self) -> contextlib.AbstractContextManager:
        """One command at a time builds in a clone's trees."""
        return cache.lock(self.paths, f'clone-{self.paths.clone}', self.ui)


def cpus() -> int:
    return len(os.sched_getaffinity(0))
