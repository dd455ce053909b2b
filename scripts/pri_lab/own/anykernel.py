# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever --kernel can name, made ready: a kernel, and patches on top of it."""

from __future__ import annotations

import os
from typing import List, NamedTuple, Tuple

from . import tree
from ..core import cache, proc, requests
from ..iommu import kind
from ..linux import bugkernel, kbuild, kernel
from ..linux.kernel import Kernel


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


def from_source(repo: str, value: str, fresh: bool) -> bool:
    """Whether --kernel VALUE is a source tree to build.

    fresh: what was built in it before does not count, as the sources may be
    of another commit.
    """
    path = os.path.expanduser(value)
    if not value or kernel.named(repo, value) or not tree.is_source(path):
        return False
    return fresh or not any(os.path.isfile(os.path.join(path, x)) for x in (
        'vmlinux', 'arch/x86/boot/bzImage'))


def have(paths: cache.Paths, value: str, how: requests.Config, jobs: int,
         log: proc.Log, ui, fresh: bool = False, iommu: str = '') -> Ready:
    """The kernel, built if need be.  fresh: what was built in a source tree
    before does not count; iommu: of --iommu."""
    name, bugs = split(value)
    more = kernel.fragments(how.config)
    if from_source(paths.repo, name, fresh or bool(how.make)):
        base = tree.OwnTree(paths, name, [
            os.path.join(paths.repo, kbuild.FRAGMENTS), *more], how.make,
            jobs, log, ui).have()
    else:
        base = kernel.get(paths, name, jobs, log, ui, more)
    kernel.check_iommu(base, kind.load(iommu))
    linux = base
    if bugs:
        linux = bugkernel.build(paths, base, bugs, jobs, log, ui)
    return Ready(base, linux, kernel.words(paths.repo, name, kernel.version_of(
        paths, name, log, ui)),
                 kernel.named(paths.repo, name) is None)
