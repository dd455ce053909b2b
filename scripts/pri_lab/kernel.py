# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest kernel: ours, built from Debian's linux-source, or the user's.

A Kernel is an image to boot and the build tree modules are made against.
Sources and builds live in the cache and are shared between clones; a build
is named by everything that goes into it, so several can stand side by side.
"""

from __future__ import annotations

import glob
import os
import re
from typing import List, Optional, Tuple

from . import apt, cache, kconfig, proc
from .errors import LabError

SERIES = '7.3'                  # the default guest kernel
# where linux-source-X.Y may be found, first hit wins
SUITES = ('trixie-backports', 'sid', 'testing')
KEEP = 4                        # builds of a series kept in the cache
FRAGMENTS = os.path.join('guest', 'kernel', 'base.config')
BENCH = os.path.join('guest', 'kernel', 'bench.config')    # on top of it


class Kernel:
    """image: vmlinux or bzImage; build: kernel build tree or None."""

    def __init__(self, image: str, build: Optional[str], release: str):
        self.image = image
        self.build = build
        self.release = release

    @property
    def key(self) -> str:
        st = os.stat(self.image)
        return cache.key_of(self.image, st.st_size, st.st_mtime_ns,
                            self.build)


def _read(path: str) -> str:
    with open(path, encoding='utf-8', errors='replace') as f:
        return f.read()


def _release(build: str) -> str:
    try:
        return _read(os.path.join(build, 'include', 'config',
                                  'kernel.release')).strip()
    except OSError:
        return '?'


# -- the user's own -----------------------------------------------------------

def given(path: str, ui) -> Kernel:
    """--kernel DIR|bzImage|vmlinux, checked for what the guest needs."""
    path = os.path.realpath(os.path.expanduser(path))
    if os.path.isdir(path):
        image, build = _image_in(path), path
    elif os.path.isfile(path):
        image, build = path, _tree_of(path)
    else:
        raise LabError(f'--kernel {path}: no such file or directory',
                       'give a kernel build directory, a bzImage or a '
                       'vmlinux')
    with open(image, 'rb') as f:
        data = f.read()
    if not kconfig.is_linux(data):
        raise LabError(f'{image} is neither a vmlinux nor a bzImage')
    elf = kconfig.is_elf(data)
    text = kconfig.config_near(image)
    if text is None:
        ui.say(f'{image}: no configuration in it or beside it, so what it '
               'can do is not known')
    else:
        lacks = kconfig.lacking(kconfig.parse(text), elf)
        if lacks:
            raise LabError(f'{image} lacks ' + ', '.join(lacks),
                           'enable these options and build it again; '
                           'guest/kernel/base.config has all of them')
    return Kernel(image, build, _release(build) if build else '?')


def _image_in(d: str) -> str:
    for name in ('vmlinux', 'arch/x86/boot/bzImage'):
        image = os.path.join(d, name)
        if os.path.isfile(image):
            return image
    if os.path.isfile(os.path.join(d, 'Kconfig')):
        raise LabError(f'{d} has not been built: there is no vmlinux',
                       'build it there (make vmlinux modules_prepare), or '
                       'give its build directory')
    raise LabError(f'{d} is not a kernel build directory: there is no '
                   'vmlinux and no arch/x86/boot/bzImage')


def _tree_of(image: str) -> Optional[str]:
    """The build tree an image belongs to, or its installed headers."""
    d = os.path.dirname(image)
    for tree in (d, os.path.dirname(os.path.dirname(os.path.dirname(d)))):
        if os.path.isfile(os.path.join(tree, 'include', 'config',
                                       'kernel.release')):
            return tree
    with open(image, 'rb') as f:
        release = kconfig.release_of_bzimage(f.read(0x10000))
    headers = f'/lib/modules/{release}/build'
    return headers if release and os.path.isdir(headers) else None


# -- ours ---------------------------------------------------------------------

class Builder:
    """Linux `series` from Debian's source with our fragments."""

    def __init__(self, paths: cache.Paths, jobs: int, log: proc.Log, ui,
                 series: str = SERIES, more: Tuple[str, ...] = ()):
        self.paths = paths
        self.jobs = jobs
        self.log = log
        self.ui = ui
        self.series = series
        self.more = more        # fragments on top of FRAGMENTS
        self.package = f'linux-source-{series}'
        self.src = os.path.join(paths.linux, self.package)
        self.src_stamp = cache.Stamp(self.src + '.stamp')

    # -- source --

    def fetch(self) -> None:
        """Have the unpacked source; one step."""
        with self.ui.step(f'Linux {self.series} source') as step:
            if not self._source_there():
                cache.need_space(self.paths.root, 4.5,
                                 'the guest kernel\'s source and build')
                self._fetch(step)
            step.done(self.src_stamp.read().get('version', '?'))

    def _source_there(self) -> bool:
        return self.src_stamp.valid(self.package)

    def _fetch(self, step) -> None:
        self.src_stamp.clear()
        archive, version = self._locate(step)
        tmp = os.path.join(self.paths.downloads, self.package + '.d')
        cache.remove(tmp)
        try:
            step.note = f'downloading {version}'
            deb = archive.download(self.package, version, tmp)
            step.note = f'unpacking {version}'
            proc.run(['dpkg', '-x', deb, tmp], 'unpacking ' + self.package,
                     self.log, ui=self.ui)
            os.unlink(deb)
            tars = glob.glob(os.path.join(tmp, 'usr', 'src', '*.tar.*'))
            if not tars:
                raise LabError(f'{self.package} {version} holds no tarball')
            with cache.fresh_tree(self.src) as part:
                proc.run(['tar', '-xf', tars[0], '-C', part,
                          '--strip-components=1', '--no-same-owner'],
                         'unpacking ' + self.package, self.log, ui=self.ui)
        finally:
            cache.remove(tmp)
        self.src_stamp.write(self.package,
                             [os.path.join(self.src, 'Makefile')],
                             version=version)

    def _locate(self, step) -> Tuple[apt.Archive, str]:
        """The archive that has the source package, and its version."""
        failure: Optional[LabError] = None
        for suite in SUITES:
            step.note = f'package index of {suite}'
            archive = apt.Archive(self.paths, suite, 'deb', self.log, self.ui)
            try:
                archive.update()
            except LabError as e:
                failure = e
                continue
            version = archive.version(self.package)
            if version:
                return archive, version
        if failure:
            raise failure
        raise LabError(f'the mirror has no {self.package} any more '
                       f'(looked in {", ".join(SUITES)})',
                       'give a kernel of your own: --kernel DIR')

    # -- build --

    def _fragments(self) -> List[str]:
        return [os.path.join(self.paths.repo, f)
                for f in (FRAGMENTS,) + self.more]

    def build(self) -> Kernel:
        """Have the kernel built; one step."""
        fragments = self._fragments()
        text = ''.join(_read(f) for f in fragments)
        version = self.src_stamp.read().get('version', '')
        cc = proc.output_of(['gcc', '--version']).splitlines()[:1]
        key = cache.key_of(version, kconfig.parse(text), cc)
        out = os.path.join(self.paths.linux, f'{self.series}-{key[:12]}')
        stamp = cache.Stamp(out + '.stamp')
        with self.ui.step('Build the guest kernel') as step:
            if stamp.valid(key):
                step.done('up to date')
            else:
                self._build(out, text, step)
                stamp.write(key, [os.path.join(out, f) for f in (
                    'vmlinux', 'Module.symvers', '.config')],
                    version=version)
                step.done(f'{_release(out)}')
        cache.touch(out)
        cache.prune(self.paths.linux, f'{self.series}-', KEEP, out)
        return Kernel(os.path.join(out, 'vmlinux'), out, _release(out))

    def _build(self, out: str, fragment: str, step) -> None:
        """Continue or start a build; one that cannot continue starts over."""
        resumed = os.path.isdir(out)
        try:
            self._make_all(out, fragment, step)
        except LabError:
            if not resumed:
                raise
            self.ui.say('the interrupted kernel build cannot go on; '
                        'building afresh')
            cache.remove(out)
            self._make_all(out, fragment, step)

    def _make_all(self, out: str, fragment: str, step) -> None:
        os.makedirs(out, exist_ok=True)
        step.note = 'configuring'
        frag = out + '.fragment'
        cache.write_atomic(frag, fragment.encode())
        self._make(out, [f'KCONFIG_ALLCONFIG={frag}', 'allnoconfig'],
                   'configuring the guest kernel')
        self._verify(out, fragment)
        count = 0

        def progress(line: str) -> None:
            nonlocal count
            m = re.match(r'\s+(CC|AS|AR|LD|KALLSYMS|OBJTOOL)\s+(?:\[M\]\s+)?'
                         r'(\S+)', line)
            if m:
                count += 1
                step.note = f'{count} files, {m.group(2)}'

        self._make(out, ['vmlinux', 'modules'], 'building the guest kernel',
                   progress)

    def _make(self, out: str, args: List[str], what: str,
              on_line=None) -> None:
        proc.run(['make', '-C', self.src, f'O={out}', f'-j{self.jobs}',
                  'KBUILD_BUILD_USER=pri-lab', 'KBUILD_BUILD_HOST=pri-lab']
                 + args, what, self.log, ui=self.ui, on_line=on_line)

    @staticmethod
    def _verify(out: str, fragment: str) -> None:
        config = kconfig.parse(_read(os.path.join(out, '.config')))
        lost = kconfig.lost(kconfig.parse(fragment), config)
        if lost:
            raise LabError('the kernel\'s configuration did not keep '
                           + ', '.join(lost),
                           'an option it depends on is missing in '
                           + FRAGMENTS)


def steps(user: str) -> int:
    """How many steps having the kernel takes."""
    return 1 if user else 2


def get(paths: cache.Paths, user: str, jobs: int, log: proc.Log,
        ui, more: Tuple[str, ...] = ()) -> Kernel:
    """The kernel to boot: the user's, or ours built if need be.

    more: fragments of the repository on top of FRAGMENTS.
    """
    if user:
        with ui.step('Guest kernel') as step:
            kernel = given(user, ui)
            step.done(f'{kernel.image} ({kernel.release})')
        return kernel
    with cache.lock(paths, f'linux-{SERIES}', ui):
        builder = Builder(paths, jobs, log, ui, more=more)
        builder.fetch()
        return builder.build()
