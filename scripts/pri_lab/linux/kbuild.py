# SPDX-License-Identifier: GPL-2.0-or-later
"""Building Linux for the guest: allnoconfig and our fragments.

Builds live in the cache and are shared between clones; a build is named by
everything that goes into it, so several can stand side by side.  Two clones
wait for one another only if they want the same build.
"""

from __future__ import annotations

import os
import re
from typing import Dict, Iterable, List, Optional, Tuple

from . import kconfig, ksource, matrix
from ..core import cache, proc
from ..core.errors import LabError

TIMESTAMP = 'Thu Jan  1 00:00:00 UTC 1970'
KEEP = 4                        # builds of a series kept in the cache
FRAGMENTS = os.path.join('guest', 'kernel', 'base.config')
BENCH = os.path.join('guest', 'kernel', 'bench.config')    # on top of it


def read(path: str) -> str:
    with open(path, encoding='utf-8', errors='replace') as f:
        return f.read()


def release_of(build: str) -> str:
    """`uname -r` of a kernel build directory, '?' if it was never built."""
    try:
        return read(os.path.join(build, 'include', 'config',
                                 'kernel.release')).strip()
    except OSError:
        return '?'


def fragment_text(entry: Optional[matrix.Entry],
                  fragments: Iterable[str]) -> str:
    """All fragments in one, with what the matrix adds for this kernel."""
    text = ''.join(read(f) for f in fragments)
    if entry and entry.extra:
        text += ''.join(f'# {why}\n{line}\n'
                        for line, why in entry.extra.items())
    return text


def verify(config: Dict[str, str], fragment: Dict[str, str],
           without: Dict[str, str]) -> None:
    """LabError if the configuration lost lines it has no excuse for."""
    lost = [x for x in kconfig.lost(fragment, config)
            if x.split('=', 1)[0] not in without]
    if lost:
        raise LabError('the kernel\'s configuration did not keep '
                       + ', '.join(lost),
                       'an option it depends on is missing in the fragment, '
                       f'or this kernel has no such option: {matrix.FILE}, '
                       '`without`')


class Tree:
    """One kernel build: a source tree, a fragment, an output directory.

    words: further ones for make
    """

    TARGETS: Tuple[str, ...] = ('vmlinux', 'modules')

    def __init__(self, src: str, out: str, fragment: str,
                 without: Dict[str, str], jobs: int, log: proc.Log, ui,
                 words: Iterable[str] = ()):
        self.words = list(words)
        self.src = src
        self.out = out
        self.fragment = fragment
        self.without = without
        self.jobs = jobs
        self.log = log
        self.ui = ui

    def make_all(self, step) -> None:
        """Configure and build; continues where an earlier build stopped."""
        os.makedirs(self.out, exist_ok=True)
        step.note = 'configuring'
        frag = self.out + '.fragment'
        cache.write_if_changed(frag, self.fragment.encode())
        self.make([f'KCONFIG_ALLCONFIG={frag}', 'allnoconfig'],
                  'configuring the guest kernel')
        self.verify()
        count = 0

        def progress(line: str) -> None:
            nonlocal count
            m = re.match(r'\s+(CC|AS|AR|LD|KALLSYMS|OBJTOOL)\s+(?:\[M\]\s+)?'
                         r'(\S+)', line)
            if m:
                count += 1
                step.note = f'{count} files, {m.group(2)}'

        self.make(list(self.TARGETS), 'building the guest kernel',
                  progress)

    def verify(self) -> None:
        """LabError if the configuration is not what it was to be."""
        verify(kconfig.parse(read(os.path.join(self.out, '.config'))),
               kconfig.parse(self.fragment), self.without)

    def make(self, args: List[str], what: str, on_line=None) -> None:
        proc.run(['make', '-C', self.src, f'O={self.out}', f'-j{self.jobs}',
                  'KBUILD_BUILD_USER=pri-lab', 'KBUILD_BUILD_HOST=pri-lab',
                  # the same source is the same image, and the same key
                  f'KBUILD_BUILD_TIMESTAMP={TIMESTAMP}',
                  'KBUILD_BUILD_VERSION=1'] + self.words + args, what, self.log, ui=self.ui,
                 on_line=on_line)


PRODUCTS = ('vmlinux', 'Module.symvers', '.config')


class Builder:
    """A kernel of the matrix with our fragments."""

    def __init__(self, paths: cache.Paths, entry: matrix.Entry, jobs: int,
                 log: proc.Log, ui, fragments: Iterable[str]):
        self.paths = paths
        self.entry = entry
        self.jobs = jobs
        self.log = log
        self.ui = ui
        self.source = ksource.KernelSource(paths, entry, log, ui)
        self.fragment = fragment_text(entry, fragments)

    def have(self) -> str:
        """Have it built; two steps; its output directory."""
        self.source.have()
        key = self.key()
        out = self.place(key)
        stamp = cache.Stamp(out + '.stamp')
        with self.ui.step('Build the guest kernel') as step:
            if not stamp.valid(key):
                with cache.lock(self.paths, os.path.basename(out), self.ui):
                    if not stamp.valid(key):
                        self._build(out, step)
                        self._stamp(stamp, key, out)
                        step.done(release_of(out))
            if not step.result:
                step.done('up to date')
        cache.touch(out)
        cache.prune(self.paths.linux, f'{self.entry.name}-', KEEP, out)
        return out

    def key(self) -> str:
        cc = proc.output_of(['gcc', '--version']).splitlines()[:1]
        words = [sorted(self.entry.make)] if self.entry.make else []
        return cache.key_of(self.source.version,
                            kconfig.parse(self.fragment), cc, *words)

    def place(self, key: str) -> str:
        return os.path.join(self.paths.linux, f'{self.entry.name}-{key[:12]}')

    @property
    def version(self) -> str:
        return self.source.version

    def state(self) -> str:
        """'built', 'source' or '-': what of it is in the cache."""
        if not self.source.there():
            return '-'
        key = self.key()
        built = cache.Stamp(self.place(key) + '.stamp').valid(key)
        return 'built' if built else 'source'

    def _stamp(self, stamp: cache.Stamp, key: str, out: str) -> None:
        stamp.write(key, [os.path.join(out, f) for f in PRODUCTS],
                    version=self.source.version)

    def _build(self, out: str, step) -> None:
        """Continue or start a build; one that cannot continue starts over."""
        resumed = os.path.isdir(out)
        tree = Tree(self.source.dir, out, self.fragment, self.entry.without,
                    self.jobs, self.log, self.ui, self.entry.make)
        try:
            tree.make_all(step)
        except LabError:
            if not resumed:
                raise
            self.ui.say('the interrupted kernel build cannot continue; '
                        'building afresh')
            cache.remove(out)
            tree.make_all(step)
