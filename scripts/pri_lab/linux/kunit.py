# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel of `kunit`: no user space, and the KUnit tests built into it.

The tests of io-pgfault.c are a patch, which a tree that has them already does
without.  One build directory a source grows from one set of patches to the
next; the image of each is kept.
"""

from __future__ import annotations

import os
import shutil
from typing import Iterable, List

from . import bugkernel, kbuild, kconfig, patchtree
from ..core import cache, proc
from ..core.errors import LabError
from .kernel import Kernel

CONFIG = os.path.join('tests', 'kunit', 'kunitconfig')
PATCH = os.path.join('contrib', 'kernel', 'io-pgfault-kunit.patch')
KEEP = 12                       # images kept in the cache
TREES = 3                       # builds they grow from
# what it cannot do without
NEEDED = ('CONFIG_KUNIT', 'CONFIG_PVH', 'CONFIG_SERIAL_8250_CONSOLE')


def patches(repo: str, src: str, bugs: Iterable[str]) -> List[str]:
    """What goes on top of a source tree: the tests, if it has none, and the
    patches of guest/kernel/bugs that are named."""
    out = [os.path.join(repo, bugkernel.BUGS, f'{b}.patch') for b in bugs]
    with open(os.path.join(repo, PATCH), encoding='utf-8') as f:
        new = [n for n in bugkernel.changed(f.read()) if n.endswith('-kunit.c')]
    there = all(os.path.isfile(os.path.join(src, n)) for n in new)
    return out if there else [os.path.join(repo, PATCH)] + out


class Tree(kbuild.Tree):
    """A kernel without modules; options that it does not have are said."""

    TARGETS = ('vmlinux',)

    def verify(self) -> None:
        config = kconfig.parse(kbuild.read(os.path.join(self.out, '.config')))
        lost = kconfig.lost(kconfig.parse(self.fragment), config)
        for x in lost:
            if x.split('=', 1)[0] in NEEDED:
                raise LabError(f'this kernel lacks {x}',
                               'it is too old, or a fragment takes it away')
        if lost:
            self.ui.say('not in this kernel: ' + ', '.join(lost))


class Builder:
    """An image of one source with some patches and fragments.

    content: what tells the source from another one, '': nothing, so that
    make has to look; words: more of them for make
    """

    def __init__(self, paths: cache.Paths, src: str, content: str,
                 bugs: Iterable[str], fragments: Iterable[str], jobs: int,
                 log: proc.Log, ui, words: Iterable[str] = ()):
        self.paths = paths
        self.src = src
        self.told = bool(content)
        self.jobs = jobs
        self.log = log
        self.ui = ui
        self.fragment = kbuild.fragment_text(None, fragments)
        self.words = [*kbuild.make_words(self.fragment), *words]
        self.bugs = list(bugs)
        self.patches = patches(paths.repo, src, self.bugs)
        cc = proc.output_of(['gcc', '--version']).splitlines()[:1]
        what = [kconfig.parse(self.fragment), self.words, cc]
        self.tree = os.path.join(
            paths.linux, f'kunit-tree-{cache.key_of(src, what)[:12]}')
        self.key = cache.key_of(content, what, [
            cache.file_digest(p) for p in self.patches])
        self.place = os.path.join(paths.linux, f'kunit-image-{self.key[:12]}')

    def have(self) -> Kernel:
        """Have it built; one step."""
        image = os.path.join(self.place, 'vmlinux')
        stamp = cache.Stamp(self.place + '.stamp')
        with self.ui.step('Build the KUnit kernel') as step:
            with cache.lock(self.paths, os.path.basename(self.tree), self.ui):
                if self.told and stamp.valid(self.key):
                    step.done('up to date')
                else:
                    self._build(step)
                    stamp.write(self.key, [image],
                                release=kbuild.release_of(self.tree))
                    step.done(kbuild.release_of(self.tree))
            cache.touch(self.place)
            cache.prune(self.paths.linux, 'kunit-tree-', TREES, self.tree)
            cache.prune(self.paths.linux, 'kunit-image-', KEEP, self.place)
        release = stamp.read().get('release', '?')
        return Kernel(image, None, '+'.join([release] + self.bugs))

    def _build(self, step) -> None:
        step.note = 'patching'
        cache.need_space(self.paths.root, 2.0, 'a kernel with KUnit')
        src = self.tree + '.src'
        patchtree.make(self.src, src, self.patches, self.log, self.ui)
        Tree(src, self.tree, self.fragment, {}, self.jobs, self.log, self.ui,
             self.words).make_all(step)
        with cache.fresh_tree(self.place) as part:
            for name in ('vmlinux', '.config'):
                shutil.copy2(os.path.join(self.tree, name),
                             os.path.join(part, name))
