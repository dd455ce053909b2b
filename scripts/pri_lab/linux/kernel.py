# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest kernel: one of the matrix, or the user's own.

A Kernel is an image to boot and the build tree modules are made against.
What --kernel names is, in this order: a name of guest/kernel/matrix, with
/FRAGMENT after it for each guest/kernel/FRAGMENT.config on top; a build
directory; an image.
"""

from __future__ import annotations

import os
from typing import Iterable, Optional, Tuple

from . import distkernel, kbuild, kconfig, matrix
from ..core import cache, proc
from ..core.errors import LabError
from ..iommu import kind
from .kbuild import BENCH, FRAGMENTS, release_of

SERIES = '7.3'                  # the default guest kernel
KERNELS = os.path.dirname(FRAGMENTS)


class Unbuilt(LabError):
    """A source tree without a kernel."""


class Kernel:
    """image: vmlinux or bzImage; build: kernel build tree or None; words:
    those for make that it was built with, besides the usual ones; keep: a
    directory for the driver's module, so that it is there when the build tree
    is of another kernel already, or ''."""

    def __init__(self, image: str, build: Optional[str], release: str,
                 words: Iterable[str] = (), keep: str = ''):
        self.keep = keep
        self.words = list(words)
        self.image = image
        self.build = build
        self.release = release

    @property
    def key(self) -> str:
        st = os.stat(self.image)
        return cache.key_of(self.image, st.st_size, st.st_mtime_ns,
                            self.build)


# -- the user's own -----------------------------------------------------------

def given(path: str, ui) -> Kernel:
    """--kernel DIR|bzImage|vmlinux, checked for what the guest needs."""
    path = os.path.realpath(os.path.expanduser(path))
    build: Optional[str]
    if os.path.isdir(path):
        image, build = _image_in(path), path
    elif os.path.isfile(path):
        image, build = path, _tree_of(path)
    else:
        raise LabError(f'--kernel {path}: no such file or directory',
                       'give a kernel build directory, a bzImage, a vmlinux '
                       'or a name that `./pri-lab kernel list` shows')
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
    return Kernel(image, build, release_of(build) if build else '?')


def _image_in(d: str) -> str:
    for name in ('vmlinux', 'arch/x86/boot/bzImage'):
        image = os.path.join(d, name)
        if os.path.isfile(image):
            return image
    if os.path.isfile(os.path.join(d, 'Kconfig')):
        raise Unbuilt(f'{d} has not been built: there is no vmlinux',
                      f'./pri-lab kernel build {d} builds it with our '
                      'configuration and leaves it as it is')
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


# -- any of them --------------------------------------------------------------

def _split(repo: str, value: str) -> Tuple[Optional[matrix.Entry],
                                            Tuple[str, ...]]:
    """What --kernel VALUE means: an entry of the matrix with fragments,
    relative to the repository; None: a path."""
    base, *more = (value or SERIES).split('/')
    entry = matrix.lookup(matrix.load(repo), base)
    if not more:
        return entry, ()
    files = tuple(os.path.join(KERNELS, f'{m}.config') for m in more)
    if entry is None or entry.stock or os.path.exists(value):
        return None, ()
    for m, path in zip(more, files):
        if not os.path.isfile(os.path.join(repo, path)):
            raise LabError(f'--kernel {value}: there is no {path}',
                           'there are: ' + ' '.join(
                               os.path.splitext(os.path.basename(f))[0]
                               for f in cache.files_under(os.path.join(
                                   repo, KERNELS), ('.config',))
                               if not f.endswith(FRAGMENTS)))
    return entry, files


def named(repo: str, value: str) -> Optional[matrix.Entry]:
    """The matrix' entry that --kernel VALUE means; None: a path."""
    return _split(repo, value)[0]


def steps(repo: str, value: str) -> int:
    """How many steps having the kernel takes."""
    return 2 if named(repo, value) else 1


def check_iommu(linux: Kernel, iommu: kind.Kind) -> None:
    """LabError if the kernel cannot drive this IOMMU, as far as is known."""
    text = kconfig.config_near(linux.image)
    lacks = kconfig.lacking_of(kconfig.parse(text), iommu) if text else []
    if lacks:
        raise LabError(f'{linux.image} lacks {", ".join(lacks)}',
                       'enable these options and build it again; --config '
                       'FRAGMENT adds them to a kernel of the lab')


def check(repo: str, value: str, ui, configs: Iterable[str] = (),
          iommu: str = '') -> None:
    """LabError if --kernel VALUE, with the fragments of --config, can be
    seen to be wrong beforehand for a machine of this kind."""
    check_configs(repo, value, configs)
    if not named(repo, value):
        try:
            check_iommu(given(value, ui), kind.load(iommu))
        except Unbuilt:                 # it will be
            pass


def check_configs(repo: str, value: str, configs: Iterable[str]) -> None:
    for c in configs:
        if not os.path.isfile(os.path.expanduser(c)):
            raise LabError(f'--config {c}: no such file')
    entry = named(repo, value)
    if configs and entry is None and os.path.isfile(os.path.join(
            os.path.expanduser(value), 'Kconfig')):
        return                          # a source tree, which is built
    if configs and (entry is None or entry.stock):
        raise LabError(f'{value} is built already, --config has no effect '
                       'on it', 'leave it out, or name a kernel that '
                       '`./pri-lab kernel list` shows')


def fragments(configs: Iterable[str]) -> Tuple[str, ...]:
    """The files of --config as get() wants them."""
    return tuple(os.path.realpath(os.path.expanduser(c)) for c in configs)


def title(value: str, configs: Iterable[str]) -> str:
    """A kernel's name with its fragments: '6.18/plain', '7.3/plain+C-01'."""
    base, *bugs = (value or SERIES).split('+')
    more = [os.path.splitext(os.path.basename(c))[0] for c in configs]
    return '+'.join(['/'.join([base] + more)] + bugs)


def builder(paths: cache.Paths, entry: matrix.Entry, jobs: int,
            log: proc.Log, ui, more: Tuple[str, ...] = ()):
    """What makes a kernel of the matrix: has have(), state(), version."""
    if entry.stock:
        return distkernel.DistKernel(paths, entry, log, ui)
    return kbuild.Builder(paths, entry, jobs, log, ui, [
        os.path.join(paths.repo, f) for f in (FRAGMENTS,) + more])


def get(paths: cache.Paths, value: str, jobs: int, log: proc.Log,
        ui, more: Tuple[str, ...] = ()) -> Kernel:
    """The kernel to boot: the user's, or one of ours, built if need be.

    more: fragments on top of those, relative to the repository.
    """
    entry, own = _split(paths.repo, value)
    if entry is None:
        with ui.step('Guest kernel') as step:
            kernel = given(value, ui)
            step.done(f'{kernel.image} ({kernel.release})')
        return kernel
    maker = builder(paths, entry, jobs, log, ui, own + more)
    out = maker.have()
    if entry.stock:
        return Kernel(out.image, out.headers, out.release, out.words)
    return Kernel(os.path.join(out, 'vmlinux'), out, release_of(out),
                  maker.words)


def version_of(paths: cache.Paths, value: str, log: proc.Log, ui) -> str:
    """Version of a matrix kernel's source, '' for the user's own."""
    entry = named(paths.repo, value)
    return builder(paths, entry, 1, log, ui).version if entry else ''


def words(repo: str, value: str, version: str = '') -> str:
    """What the guest programs are told of a kernel, for its command line.

    version: version_of() it; '' stands for the newest of its series.
    """
    entry = named(repo, value)
    lacks = entry.lacking(version) if entry else []
    return f'pri_lab.lacks={",".join(lacks)}' if lacks else ''
