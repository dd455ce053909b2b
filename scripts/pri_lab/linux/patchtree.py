# SPDX-License-Identifier: GPL-2.0-or-later
"""A source tree with patches, without a copy of it.

What no patch changes is a link to the tree; of a directory in which something
changes the files are copied.  Such a tree stays where it is from one set of
patches to the next, and a file is new to make exactly if it says something
else than before, so that only what differs is compiled.
"""

from __future__ import annotations

import os
import shutil
from typing import Iterable, List, Set

from . import bugkernel
from ..core import cache, proc


def make(src: str, dest: str, patches: Iterable[str], log: proc.Log,
         ui) -> None:
    """dest becomes src with the patches applied, in their order; LabError if
    one does not fit, and dest is as it was."""
    patches = list(patches)
    changed: List[str] = []
    for path in patches:
        with open(path, encoding='utf-8') as f:
            changed += bugkernel.changed(f.read())
    with cache.fresh_tree(dest) as part:
        _links(src, part, {os.path.dirname(f) for f in changed})
        for path in patches:
            proc.run(['patch', '-d', part, '-p1', '-F2', '-s', '-f',
                      '--no-backup-if-mismatch', '-i', path],
                     f'applying {os.path.basename(path)}', log, ui=ui)
        _times(dest, part)


def _links(src: str, dest: str, copied: Set[str], rel: str = '') -> None:
    """Links to what is in src/rel, and copies where a patch changes it."""
    for name in os.listdir(os.path.join(src, rel)):
        below = os.path.join(rel, name)
        here, there = os.path.join(src, below), os.path.join(dest, below)
        if any(d == below or d.startswith(below + '/') for d in copied) and \
                not os.path.islink(here):
            os.mkdir(there)
            _links(src, dest, copied, below)
        elif rel in copied and os.path.isfile(here):
            shutil.copy2(here, there)
        else:
            os.symlink(os.path.realpath(here), there)


def _times(before: str, now: str) -> None:
    """What says the same as before keeps its time, all else is of now: also
    a file that no patch changes any more."""
    if not os.path.isdir(before):
        return
    for path in cache.files_under(now):
        old = os.path.join(before, os.path.relpath(path, now))
        if os.path.islink(path):
            continue
        if os.path.isfile(old) and not os.path.islink(old) and \
                cache.file_digest(old) == cache.file_digest(path):
            shutil.copystat(old, path)
        else:
            os.utime(path)
