# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever --kernel can name, as a source for `kunit`."""

from __future__ import annotations

import os

from . import anykernel, mirror, tree
from ..core import cache, near, proc, requests
from ..core.errors import UsageError
from ..linux import bugkernel, kernel, ksource, kunit, matrix
from ..linux.kernel import Kernel

STEPS = 2


def of_the_lab(repo: str, value: str) -> bool:
    """Whether --kernel VALUE is of guest/kernel/matrix, and no tree."""
    return kernel.named(repo, anykernel.split(value)[0]) is not None


def check(repo: str, value: str) -> None:
    """UsageError if there is no source that could be built."""
    name, bugs = anykernel.split(value)
    near.need('patch (guest/kernel/bugs)', bugs, bugkernel.names(repo))
    entry = kernel.named(repo, name)
    if entry is None:
        if not tree.is_source(os.path.expanduser(name)):
            raise UsageError(f'--kernel {value} is neither a kernel of '
                             '`kernel list` nor a source tree of Linux',
                             'KUnit tests are built into a kernel of their '
                             'own')
    elif entry.stock:
        raise UsageError(f'--kernel {value}: a distribution\'s kernel is '
                         'built already', 'name a kernel with a source: '
                         './pri-lab kernel list')
    elif '/' in name:
        raise UsageError(f'--kernel {value}: fragments are on top of '
                         'base.config, which is not used here',
                         f'{kunit.CONFIG} is; give more with --config')


def have(paths: cache.Paths, value: str, how: requests.Config, jobs: int,
         log: proc.Log, ui) -> Kernel:
    """The kernel, built if need be; STEPS steps."""
    name, bugs = anykernel.split(value)
    fragments = [os.path.join(paths.repo, kunit.CONFIG),
                 *kernel.fragments(how.config)]
    entry = matrix.lookup(matrix.load(paths.repo), name or kernel.SERIES)
    if entry is None:
        own = tree.OwnTree(paths, name, fragments, how.make, jobs, log,
                           ui)
        with ui.step('Source tree') as step:
            src = own.source(step)
            step.done(own.src)
        content = mirror.content_key(own.src) if own.git else ''
        return kunit.Builder(paths, src, content, bugs, fragments, jobs, log,
                             ui, own.words).have()
    source = ksource.KernelSource(paths, entry, log, ui)
    source.have()
    return kunit.Builder(paths, source.dir, source.version, bugs, fragments,
                         jobs, log, ui,
                         [*entry.make, *tree.words(how.make)]).have()
