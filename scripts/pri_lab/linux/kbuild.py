# SPDX-License-Identifier: GPL-2.0-or-later
"""Building Linux for the guest: allnoconfig and our fragments.

Builds live in the cache and are shared between clones; a build is named by
everything that goes into it, so several can stand side by side.  Two clones
wait for one another only if they want the same build.
"""

from __future__ import annotations

import glob
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


def make_words(fragment: str) -> List[str]:
    """The words for make that a fragment asks for, '# make: VARIABLE=x' each:
    what is no option of the kernel's configuration."""
    return re.findall(r'^# make: (\w[\w.-]*=\S+)$', fragment, re.M)


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
                  'KBUILD_BUILD_VERSION=1'] + self.words + args, what,
                 self.log, ui=self.ui, on_line=on_line)


def copy(build: str, to: str, run, name: str = '') -> None:
    """A build that continues elsewhere; run(command, what) as proc.run().

    The commands of the host's tools name the directory they ran in.  Where it
    is another one they run again, and then everything does.  So they get the
    name of the copy, or that which it will have.
    """
    run(['cp', '-a', '--reflink=auto', build, to], 'copying the kernel build')
    old, new = build.encode(), (name or to).encode()
    for d, _, names in os.walk(os.path.join(to, 'tools')):
        for path in (os.path.join(d, n) for n in names if n.endswith('.cmd')):
            with open(path, 'rb') as f:
                text = f.read()
            if old in text:
                with open(path, 'wb') as f:
                    f.write(text.replace(old, new))


def nearest(parent: str, name: str, version: str, fragment: str) -> str:
    """The finished build of a kernel `name`, of the same source, whose fragment
    has the fewest other lines; '' if there is none."""
    wanted, found = set(kconfig.parse(fragment).items()), []
    for stamp in sorted(glob.glob(os.path.join(glob.escape(parent),
                                               f'{name}-*.stamp'))):
        build = stamp[:-len('.stamp')]
        made = cache.Stamp(stamp).read()
        try:
            has = set(kconfig.parse(read(build + '.fragment')).items())
        except OSError:
            continue
        if made.get('version') == version and \
                cache.Stamp(stamp).valid(made.get('key', '')):
            found.append((len(wanted ^ has), build))
    return min(found)[1] if found else ''


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
        self.words = [*entry.make, *make_words(self.fragment)]

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
        words = [sorted(self.words)] if self.words else []
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
        resumed = os.path.isdir(out) or self._begin(out, step)
        tree = Tree(self.source.dir, out, self.fragment, self.entry.without,
                    self.jobs, self.log, self.ui, self.words)
        try:
            tree.make_all(step)
        except LabError:
            if not resumed:
                raise
            self.ui.say('the kernel build cannot continue with what is '
                        'there; building afresh')
            cache.remove(out)
            tree.make_all(step)

    def _begin(self, out: str, step) -> bool:
        """Begin with a copy of what another configuration has built: make
        compiles what it makes different."""
        build = nearest(self.paths.linux, self.entry.name, self.source.version,
                        self.fragment)
        if not build:
            return False
        step.note = f'copying {os.path.basename(build)}'
        part = out + '.copy'
        cache.remove(part)
        try:
            copy(build, part, lambda cmd, what: proc.run(
                cmd, what, self.log, ui=self.ui), out)
            os.rename(part, out)
        except LabError:                # pruned meanwhile
            return False
        finally:
            cache.remove(part)
        return True
