# SPDX-License-Identifier: GPL-2.0-or-later
"""Build the user's source tree: unbuilt, built in place, dirty or clean.

Of a git tree a copy is built (mirror.py), of any other one the tree itself, out
of it.  A build is kept by what went into it, so that a commit that comes again
in a bisection is there at once.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import Dict, Iterable, List

from . import mirror
from ..core import cache, proc
from ..core.errors import LabError, UsageError
from ..guest import guest
from ..linux import kbuild, kconfig
from ..linux.kernel import Kernel

KEEP = 24                       # kernels kept, each without its build
TREES = 4                       # builds kept, which others grow from
# of the environment, as kbuild has them from its command line
PASSED = ('LLVM', 'LLVM_IAS', 'CC', 'HOSTCC', 'LD')
_VARIABLE = re.compile(r'^[A-Z][A-Z0-9_]*=')


def is_source(path: str) -> bool:
    return os.path.isfile(os.path.join(path, 'Kconfig')) and \
        os.path.isfile(os.path.join(path, 'Makefile'))


def words(given: Iterable[str]) -> List[str]:
    """Variables for make: those of --make, and of the environment."""
    out = []
    for w in given:
        if not _VARIABLE.match(w):
            raise UsageError(f'--make {w}: not VARIABLE=VALUE',
                             'as in --make LLVM=1')
        out.append(w)
    have = {w.split('=', 1)[0] for w in out}
    out += [f'{name}={os.environ[name]}' for name in PASSED
            if os.environ.get(name) and name not in have]
    return out + _ccache(out)


def _ccache(out: List[str]) -> List[str]:
    """CC with ccache before it, if it is there and not asked for already."""
    have: Dict[str, str] = dict(w.split('=', 1) for w in out)
    found = shutil.which('ccache')
    if not found or 'CC' in have:
        return []
    cc = 'clang' + have['LLVM'] * have['LLVM'].startswith('-') \
        if have.get('LLVM', '0') != '0' else 'gcc'
    if have.get('LLVM', '').endswith('/'):
        cc = have['LLVM'] + 'clang'
    if os.path.realpath(shutil.which(cc) or '') == os.path.realpath(found):
        return []               # gcc is ccache
    return [f'CC=ccache {cc}']


def need_source(path: str) -> None:
    """UsageError unless it is a source tree that can be built."""
    if not is_source(path):
        raise UsageError(f'{path} is not a Linux source tree: there '
                         'is no Kconfig', 'give its top directory')
    if not mirror.is_git(path) and os.path.exists(os.path.join(path,
                                                               '.config')):
        raise UsageError(
            f'{path} has a configuration and perhaps a build of its '
            'own in it, and is no git tree', 'boot that one with --kernel '
            f'{path}, or clean the tree: make -C {path} mrproper')


class OwnTree:
    """One source tree with our configuration and the user's fragments."""

    def __init__(self, paths: cache.Paths, src: str, fragments: Iterable[str],
                 make: Iterable[str], jobs: int, log: proc.Log, ui):
        self.paths = paths
        self.src = os.path.realpath(os.path.expanduser(src))
        self.jobs = jobs
        self.log = log
        self.ui = ui
        need_source(self.src)
        self.git = mirror.is_git(self.src)
        self.fragment = kbuild.fragment_text(None, fragments)
        self.words = [*kbuild.make_words(self.fragment), *words(make)]
        self.name = cache.key_of(self.src, self.fragment, self.words)[:12]
        self.out = os.path.join(paths.linux, f'tree-{self.name}')

    def have(self) -> Kernel:
        """Have it built; one step."""
        with self.ui.step(f'Build {self.src}') as step:
            with cache.lock(self.paths, f'tree-{self.name}', self.ui):
                kernel = self._have(step)
        cache.touch(os.path.dirname(kernel.image))
        return kernel

    def _have(self, step) -> Kernel:
        key = cache.key_of(mirror.content_key(self.src), self.name) \
            if self.git else ''
        place = os.path.join(self.paths.linux, f'own-{key[:12]}')
        image = os.path.join(place, 'vmlinux')
        stamp = cache.Stamp(place + '.stamp')
        built = cache.Stamp(self.out + '.stamp')
        kept = guest.kept_driver(place, self.paths.repo)
        if key and stamp.valid(key) and (
                os.path.isfile(kept) or built.read().get('key') == key):
            step.done('up to date')
            return self._kernel(image, stamp.read().get('release', '?'),
                                place)
        self._make(step)
        if not key:
            image = os.path.join(self.out, 'vmlinux')
            step.done(kbuild.release_of(self.out))
            return self._kernel(image, kbuild.release_of(self.out))
        if not stamp.valid(key):
            self._keep(place)
            stamp.write(key, [image], **mirror.describe(self.src),
                        release=kbuild.release_of(self.out))
        built.write(key)
        cache.prune(self.paths.linux, 'own-', KEEP, place)
        cache.prune(self.paths.linux, 'tree-', TREES, self.out)
        step.done(kbuild.release_of(self.out))
        return self._kernel(image, kbuild.release_of(self.out), place)

    def _kernel(self, image: str, release: str, keep: str = '') -> Kernel:
        return Kernel(image, self.out, release, self.words, keep)

    def source(self, step) -> str:
        """The directory to build from: of a git tree the copy, up to date."""
        if not self.git:
            return self.src
        src = self.out + '.src'
        step.note = 'looking for what changed'
        cache.need_space(self.paths.root, 3.0, 'a copy of the source and '
                         'its build')
        count = mirror.sync(self.src, src)
        self.log.write(f'{count} files of {self.src} changed')
        return src

    def _make(self, step) -> None:
        src = self.source(step)
        cache.Stamp(self.out + '.stamp').clear()
        Lenient(src, self.out, self.fragment, {}, self.jobs, self.log,
                self.ui, self.words).make_all(step)

    def _keep(self, place: str) -> None:
        with cache.fresh_tree(place) as part:
            for name in ('vmlinux', '.config'):
                shutil.copy2(os.path.join(self.out, name),
                             os.path.join(part, name))


class Lenient(kbuild.Tree):
    """A kernel of any age: options it does not have are said, and only what
    no guest can do without ends the build."""

    def verify(self) -> None:
        config = kconfig.parse(kbuild.read(os.path.join(self.out, '.config')))
        lacks = kconfig.lacking(config, True)
        if lacks:
            raise LabError('this kernel lacks ' + ', '.join(lacks),
                           'it is too old, or a fragment takes it away')
        lost = kconfig.lost(kconfig.parse(self.fragment), config)
        if lost:
            self.log.write('not in this kernel: ' + ', '.join(lost))
