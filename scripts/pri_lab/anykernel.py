# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever --kernel can name, made ready: a kernel, and patches on top of it."""

from __future__ import annotations

import os
from typing import List, NamedTuple, Tuple

from . import bugkernel, cache, kernel, proc
from .kernel import Kernel


class Ready(NamedTuple):
    base: Kernel                # the driver is built against this one
    linux: Kernel               # the one to boot
    words: str                  # for its command line
    own: bool                   # the user's: it has no name of the lab's


def split(value: str) -> Tuple[str, List[str]]:
    """A kernel's name and its patches; a path with + in it is a path."""
    if os.path.exists(os.path.expanduser(value)):
        return value, []
    base, *bugs = value.split('+')
    return base, bugs


def steps(repo: str, value: str) -> int:
    """How many steps having it takes."""
    base, bugs = split(value)
    return kernel.steps(repo, base) + bool(bugs)


def have(paths: cache.Paths, value: str, configs: List[str], jobs: int,
         log: proc.Log, ui) -> Ready:
    """The kernel, built if need be.  configs: fragments of --config."""
    name, bugs = split(value)
    base = kernel.get(paths, name, jobs, log, ui, kernel.fragments(configs))
    linux = base
    if bugs:
        linux = bugkernel.build(paths, base, bugs, jobs, log, ui)
    return Ready(base, linux, kernel.words(paths.repo, name),
                 kernel.named(paths.repo, name) is None)
