# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest kernel with patches of guest/kernel/bugs: bugs put back, or fixes.

The build of the kernel is copied, the few files that they change are
compiled again by the commands that compiled them, and the kernel is linked.
That takes a minute instead of a complete build.  So a patch may change C files
only, not headers.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from typing import Dict, List, Tuple

from . import kbuild
from ..core import cache, proc
from ..core.errors import LabError
from .kernel import Kernel

BUGS = os.path.join('guest', 'kernel', 'bugs')
KEEP = 24                       # kernels of this kind kept in the cache
# what is left of a build once the kernel is linked
_KEPT = ('vmlinux', 'System.map', '.config')


def names(repo: str) -> List[str]:
    """Patches there are."""
    return [os.path.basename(p)[:-6] for p in
            cache.files_under(os.path.join(repo, BUGS), ('.patch',))]


def changed(patch: str) -> List[str]:
    """Files that a patch changes, as it names them."""
    return re.findall(r'^\+\+\+ b/(\S+)', patch, re.M)


def recorded(text: str) -> str:
    """The command that made an object, as kbuild wrote it down; ''."""
    m = re.match(r'(?:saved)?cmd_\S+ := (.*)\n', text)      # saved: after 6.1
    return m.group(1).replace('$(pound)', '#').replace('$$', '$') if m else ''


def _hunks(patch: str) -> List[Tuple[str, int, int]]:
    """Lines that a patch touches: file, first, last."""
    out = []
    name = ''
    for line in patch.split('\n'):
        if line.startswith('--- a/'):
            name = line[6:].split('\t')[0]
        m = re.match(r'@@ -(\d+)(?:,(\d+))? ', line)
        if m:
            first = int(m.group(1))
            out.append((name, first, first + int(m.group(2) or 1)))
    return out


def _fit(a: str, b: str, patches: Dict[str, str]) -> bool:
    """Can two patches be in one kernel?"""
    for x, y in ((a, b), (b, a)):
        m = re.search('^Not with: (.*)', patches[x], re.M)
        if m and y in m.group(1).replace(',', ' ').split():
            return False
    return not any(f == g and first <= end and start <= last
                   for f, first, last in _hunks(patches[a])
                   for g, start, end in _hunks(patches[b]))


def share(repo: str, kernels: List[str]) -> Dict[str, str]:
    """Kernels with a patch each -> kernels with many: to build and boot fewer.

    Bugs and fixes are kept apart, those of the scenarios (S-...) and of the
    catalogue, and patches that change the same lines, or of which one has a
    line "Not with: NAMES". A kernel with several patches keeps to itself.
    """
    groups: List[Tuple[str, List[str]]] = []
    patches: Dict[str, str] = {}
    for kernel in sorted(set(kernels)):
        base, *bugs = kernel.split('+')
        if len(bugs) != 1:
            continue
        bug = bugs[0]
        patches[bug] = _read(os.path.join(repo, BUGS, f'{bug}.patch'))
        kind = f'{base} {bug.endswith("-fix")} {bug.startswith("S-")}'
        for have, members in groups:
            if have == kind and all(_fit(bug, m, patches) for m in members):
                members.append(bug)
                break
        else:
            groups.append((kind, [bug]))
    out = {}
    for kind, members in groups:
        base = kind.split()[0]
        for bug in members:
            out[f'{base}+{bug}'] = '+'.join([base] + members)
    return out


def _read(path: str) -> str:
    with open(path, encoding='utf-8', errors='replace') as f:
        return f.read()


def build(paths: cache.Paths, base: Kernel, names_: List[str], jobs: int,
          log: proc.Log, ui) -> Kernel:
    """The kernel with these patches; one step."""
    name = '+'.join(names_)
    file = cache.file_name(name)
    patches = [os.path.join(paths.repo, BUGS, f'{n}.patch') for n in names_]
    with ui.step(f'Kernel {base.release} with {name}') as step:
        for n, path in zip(names_, patches):
            if not os.path.isfile(path):
                raise LabError(f'there is no {BUGS}/{n}.patch',
                               'there are: ' + ' '.join(names(paths.repo)))
        key = cache.key_of(base.key, [cache.file_digest(p) for p in patches])
        out = os.path.join(paths.linux, f'bug-{file}-{key[:12]}')
        image = os.path.join(out, 'vmlinux')
        stamp = cache.Stamp(out + '.stamp')
        with cache.lock(paths, f'linux-bug-{file}', ui):
            if stamp.valid(key):
                step.done('up to date')
            else:
                _Patched(base, patches, out, jobs, log, ui, step).make()
                stamp.write(key, [image])
                step.done('built')
        cache.touch(out)
        cache.prune(paths.linux, 'bug-', KEEP, out)
    return Kernel(image, base.build, f'{base.release}+{name}')


class _Patched:
    """One such build."""

    def __init__(self, base: Kernel, patches: List[str], out: str, jobs: int,
                 log: proc.Log, ui, step):
        self.base = base
        self.patches = patches
        self.out = out
        self.jobs = jobs
        self.log = log
        self.ui = ui
        self.step = step
        self.tree = out + '.build'      # copy of the build
        self.mirror = out + '.src'      # copy of the sources that change
        self.build = base.build or ''
        link = os.path.join(self.build, 'source')
        self.src = os.path.realpath(link)
        if not base.build or not os.path.isfile(
                os.path.join(self.src, 'Makefile')):
            raise LabError(f'{base.image}: no source of this kernel',
                           'only a kernel that was built here, or in a '
                           'directory of its own (make O=), can be patched')

    def make(self) -> None:
        files: List[str] = []
        for path in self.patches:
            mine = changed(_read(path))
            bad = [f for f in mine if not f.endswith('.c')]
            if bad or not mine:
                raise LabError(f'{path} changes {bad or "nothing"}',
                               'such a patch may change C files only')
            files += [f for f in mine if f not in files]
        cache.remove(self.tree)
        cache.remove(self.mirror)
        try:
            self.step.note = 'copying the build'
            kbuild.copy(self.build, self.tree, self._run)
            self._patch(files)
            for f in files:
                self.step.note = f
                self._compile(f)
            self.step.note = 'linking'
            self._run(['make', '-C', self.src, f'O={self.tree}',
                       f'-j{self.jobs}', 'KBUILD_BUILD_USER=pri-lab',
                       'KBUILD_BUILD_HOST=pri-lab',
                       f'KBUILD_BUILD_TIMESTAMP={kbuild.TIMESTAMP}',
                       'KBUILD_BUILD_VERSION=1', *self.base.words,
                       'vmlinux'],
                      'linking the kernel')
            with cache.fresh_tree(self.out) as part:
                for name in _KEPT:
                    shutil.move(os.path.join(self.tree, name),
                                os.path.join(part, name))
        finally:
            cache.remove(self.tree)
            cache.remove(self.mirror)

    def _run(self, cmd: List[str], what: str) -> None:
        proc.run(cmd, what, self.log, ui=self.ui)

    def _patch(self, files: List[str]) -> None:
        """Copy the directories of the files, whole, and patch the copy."""
        for d in {os.path.dirname(f) for f in files}:
            # "../x.h" must be found, too
            top = os.path.dirname(d) if d.count('/') > 1 else d
            if not os.path.isdir(os.path.join(self.mirror, top)):
                shutil.copytree(os.path.join(self.src, top),
                                os.path.join(self.mirror, top),
                                symlinks=True)
        for path in self.patches:
            self._run(['patch', '-d', self.mirror, '-p1', '-F2',
                       '--no-backup-if-mismatch', '-i', path],
                      f'applying {os.path.basename(path)}')

    def _compile(self, name: str) -> None:
        """Run the command that made the object, on the patched file."""
        d, base = os.path.split(name)
        record = os.path.join(self.tree, d, f'.{base[:-2]}.o.cmd')
        command = recorded(_read(record)) if os.path.isfile(record) else ''
        if not command:
            raise LabError(f'{self.base.image} was built without {name}')
        original = os.path.join(self.src, name)
        if f' {original} ' not in command + ' ':
            raise LabError(f'{record}: does not compile {original}')
        command = f'{command} '.replace(
            f' {original} ',
            f' {shlex.quote(os.path.join(self.mirror, name))} ')
        proc.run(['sh', '-ec', command], f'compiling {name}', self.log,
                 ui=self.ui, cwd=self.tree)
