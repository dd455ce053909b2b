# SPDX-License-Identifier: GPL-2.0-or-later
"""Systems that are not Debian on x86-64: said in the first second, with the line
to type.

Everything is built and tested on Debian, and the sources come from its archive.
Elsewhere the tools are taken as they are, if all are there; the container
(contrib/Containerfile) is the way for all others.
"""

from __future__ import annotations

import platform
import shutil
from typing import Dict, List, NamedTuple

from . import apt
from ..core.errors import LabError

CONTAINER = ('podman build -t pri-lab -f contrib/Containerfile . && '
             'podman run --rm -v pri-lab-cache:/cache pri-lab run')
# a command that must be there -> nothing builds without it
COMMANDS = ('gcc', 'make', 'patch', 'pkg-config', 'ninja', 'meson', 'flex',
            'bison', 'bc', 'xz', 'bzip2', 'zstd', 'depmod')


class System(NamedTuple):
    """install: the command; packages: names there of what Debian's list
    (packages.NEEDED) has."""
    install: str
    packages: str


SYSTEMS: Dict[str, System] = {
    'fedora': System('dnf install', 'gcc gcc-c++ make patch pkgconf-pkg-config '
                     'ninja-build meson python3-devel glib2-devel '
                     'pixman-devel zlib-devel libfdt-devel libattr-devel '
                     'seabios-bin ipxe-roms-qemu flex bison bc '
                     'elfutils-libelf-devel openssl-devel kmod xz bzip2 zstd '
                     'busybox glibc-static ca-certificates git'),
    'arch': System('pacman -S', 'base-devel patch pkgconf ninja meson python '
                   'glib2 pixman zlib dtc attr seabios ipxe flex bison bc '
                   'libelf openssl kmod xz bzip2 zstd busybox '
                   'ca-certificates git'),
}


def _known(about: Dict[str, str]) -> str:
    """The entry of SYSTEMS for a system or what it is like, or ''."""
    like = [about.get('ID', '')] + about.get('ID_LIKE', '').split()
    return next((x for x in like if x in SYSTEMS), '')


def machine() -> None:
    """LabError on an architecture that the guest's kernel is not built on."""
    here = platform.machine()
    if here not in ('x86_64', 'amd64'):
        raise LabError(
            f'this is {here}; the lab compiles x86 kernels and programs with '
            'the compiler of an x86-64 host',
            'in a container for x86-64: podman build --platform linux/amd64 '
            '-t pri-lab -f contrib/Containerfile . && podman run --platform '
            'linux/amd64 --rm -v pri-lab-cache:/cache pri-lab run')


def missing() -> List[str]:
    return [c for c in COMMANDS if not shutil.which(c)]


def foreign() -> None:
    """LabError where there is no dpkg, if a tool is not there."""
    lacks = missing()
    if not lacks:
        return
    about = apt.os_release()
    name = about.get('PRETTY_NAME') or about.get('ID') or 'this system'
    known = SYSTEMS.get(_known(about))
    line = f'{known.install} {known.packages}\n' if known else ''
    raise LabError(f'{name} is not Debian, and {", ".join(lacks)} '
                   f'{"is" if len(lacks) == 1 else "are"} not here',
                   f'{line}or, for every system, in a container:\n'
                   f'{CONTAINER}' if line else f'in a container:\n{CONTAINER}')


def ubuntu(meson: str) -> None:
    """LabError on Ubuntu if its meson is too old: a newer one would come from
    Debian's backports, which are not among its sources."""
    about = apt.os_release()
    if about.get('ID') == 'ubuntu':
        raise LabError(
            f'{about.get("PRETTY_NAME", "Ubuntu")} has meson {meson or "?"}, '
            'QEMU wants 1.5 or newer; and the sources of QEMU and Linux come '
            'from Debian\'s archive', f'in a container:\n{CONTAINER}')
