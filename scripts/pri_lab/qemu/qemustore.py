# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU built once for every clone and worktree of the same content.

What commands run is not the build directory but a copy of what was built in it,
named by all that went into it (source, patches, our files, options, compiler):
qemu/KEY in the cache.  So a second clone builds nothing, and a build that comes
in between changes nothing under tests that run.

Trees to build in belong to clones.  A clone that has none yet builds in that of
another one which is nearest to it and not in use, so that its first edit is an
incremental build, too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Iterator, List, Optional, Tuple

from . import overlay, qemubuild
from ..core import cache, proc
from .qemusrc import Source

KEEP = 10                       # builds kept
NEAR = 40                       # files that may differ in another's tree
CLONE = 'clone'                 # in work/HASH: whose it is


def key_of(repo: str, source: Source, sanitize: bool) -> str:
    """Of everything that a build is made from."""
    files = list(overlay.our_files(repo).values()) + \
        source.series.files(repo)
    cc = proc.output_of(['cc', '--version']).splitlines()[:1]
    return cache.key_of(source.key, cache.tree_key(files, repo),
                        qemubuild.CONFIGURE,
                        qemubuild.SANITIZE if sanitize else [], cc)


class Stored:
    """A build as commands use it; laid out like QEMU's build directory."""

    def __init__(self, paths: cache.Paths, key: str):
        self.top = os.path.join(paths.root, 'qemu')
        self.dir = os.path.join(self.top, key[:16])
        self.key = key
        self.binary = os.path.join(self.dir, qemubuild.BINARY)
        self.stamp = cache.Stamp(self.dir + '.stamp')

    def has(self, qtests: bool) -> bool:
        return self.stamp.valid(self.key) and (
            not qtests or bool(self.stamp.read().get('qtests')))

    @property
    def roms(self) -> List[str]:
        return [os.path.join(self.dir, qemubuild.BUNDLE, r)
                for r in qemubuild.ROMS]

    def use(self) -> 'Stored':
        cache.touch(self.dir)
        cache.prune(self.top, '', KEEP, self.dir)
        return self

    def take(self, build: qemubuild.QemuBuild, qtests: bool) -> 'Stored':
        """Keep what was built, by links where that can be.

        Another clone of the same content may have been faster: what it has
        put here is in use, perhaps with tests that this build has not.
        """
        if self.has(qtests):
            return self.use()
        names = build.products(qtests)
        with cache.fresh_tree(self.dir) as part:
            for name in names:
                _link(os.path.join(build.dir, name), os.path.join(part, name))
            bundle = os.path.join(build.dir, qemubuild.BUNDLE)
            for image in os.listdir(bundle):
                path = os.path.realpath(os.path.join(bundle, image))
                if os.path.isfile(path):        # meson links what is not made
                    _link(path, os.path.join(part, qemubuild.BUNDLE, image))
        self.stamp.write(self.key, [os.path.join(self.dir, n) for n in names],
                         qtests=qtests)
        return self.use()


def _link(path: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.link(path, target)
    except OSError:                     # of another file system
        shutil.copy2(path, target)


# -- trees --------------------------------------------------------------------

def _distance(repo: str, tree: str) -> int:
    """Our files that are not in a tree, or differ."""
    count = 0
    for target, path in overlay.our_files(repo).items():
        if os.path.basename(target) == 'trace-events':
            continue                    # a part of QEMU's
        there = os.path.join(tree, target)
        count += not os.path.isfile(there) or \
            cache.file_digest(there) != cache.file_digest(path)
    return count


def nearest(paths: cache.Paths, source: Source) -> Iterator[str]:
    """Work directories of other clones with a build of this source that is
    near, the nearest first."""
    top = os.path.dirname(paths.work)
    found: List[Tuple[int, str]] = []
    for name in os.listdir(top) if os.path.isdir(top) else []:
        work = os.path.join(top, name)
        tree = os.path.join(work, 'qemu')
        if work == paths.work or cache.Stamp(tree + '.stamp').read().get(
                'key') != source.key or not os.path.isfile(os.path.join(
                    work, 'build', qemubuild.BINARY)):
            continue
        far = _distance(paths.repo, tree)
        if far <= NEAR:
            found.append((far, work))
    for _, work in sorted(found):
        yield work


@contextlib.contextmanager
def lent(paths: cache.Paths, source: Source) -> Iterator[Optional[str]]:
    """Build in another clone's tree for the length of the block: its work
    directory, locked; None: this clone has its own, or there is none."""
    if os.path.isdir(paths.qemu_src):
        yield None
        return
    for work in nearest(paths, source):
        lock = cache.try_lock(paths, f'clone-{os.path.basename(work)}')
        if lock is None:
            continue                    # somebody builds there
        try:
            paths.build_in(work)
            yield work
        finally:
            paths.build_in(paths.work)
            lock.close()
        return
    yield None


def note_clone(paths: cache.Paths) -> None:
    """Whose the work directory is, for `cache` and `clean --old`."""
    cache.write_if_changed(os.path.join(paths.work, CLONE),
                           paths.repo.encode())
