# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest program wants of the machine it runs on.

A program of tests/guest says it in the comment at its head, one line each:

     * @device pcie-flr=off         properties of every pri-testdev
     * @device.1 no-soft-reset=off  of the second one alone
     * @iommu ite-timeout-ms=200    properties of the IOMMU
     * @port hotplug=off            of every root port; @port.1 as above
     * @bridge x3130-upstream,bus=rp0   a switch or bridge below a port
     * @qemu -device edu            more arguments for QEMU
     * @append iommu.strict=0       more words for the kernel command line
     * @platform strict             defaults of the knobs of IOMMU and devices
     * @image kernel                its kernel as /lib/vmlinux, for kexec
     * @disk 256M                   an empty disk, 512M at most, for disk.config

The root ports have the ids and bus names rp0 and rp1, the pri-testdevs the ids
pt0 and pt1, on bus rp0 and rp1.  A device whose line says addr= or bus= is there
instead: @bridge devices are made after the ports and before the pri-testdevs,
@qemu ones behind them.

A key may come several times.  Such a program lies in a directory of
tests/guest, not in tests/guest itself, where those are that share a machine.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import List, Tuple

from . import disk
from ..core.errors import LabError
from ..iommu import kind

_LINE = re.compile(r'^ \* @(\S+)(?:\s+(.*?))?\s*$')
_KEY = re.compile(
    r'(?:(device|port)(?:\.(\d+))?|iommu|bridge|qemu|append|platform|'
    r'image|disk)$')
KEYS = ('@device, @device.N, @port, @port.N, @bridge, @iommu, @qemu, '
        '@append, @platform, @image, @disk')
# docs/platforms.md; the devices know the first two
PLATFORMS = kind.load().platforms
DEVICE_PLATFORMS = PLATFORMS[:2]
# programs of these directories boot a machine each when everything is tested
OWN = ('machines',)


class Wants:
    """The lines of one program; falsy if there are none."""

    def __init__(self, lines: Tuple[Tuple[str, str], ...] = ()):
        self._lines = lines

    def __bool__(self) -> bool:
        return bool(self._lines)

    def key(self) -> Tuple[Tuple[str, str], ...]:
        """Equal for programs that want the same machine."""
        return self._lines

    def _of(self, *keys: str) -> List[str]:
        return [value for key, value in self._lines if key in keys]

    @property
    def platform(self) -> str:
        """The last that was asked for, or ''."""
        return ''.join(self._of('platform')[-1:])

    def on(self, platform: str) -> 'Wants':
        """The same machine on a platform; '' leaves it as it is."""
        return Wants(self._lines + (('platform', platform),)) if platform \
            else self

    def _platform(self, known: Tuple[str, ...]) -> List[str]:
        name = self.platform
        return [f'platform={name}'] if name in known else []

    def device(self, n: int) -> str:
        """More properties of pri-testdev n, each after a comma."""
        return ''.join(f',{x}' for x in self._platform(DEVICE_PLATFORMS)
                       + self._of('device', f'device.{n}'))

    def port(self, n: int) -> str:
        return ''.join(f',{x}' for x in self._of('port', f'port.{n}'))

    def iommu(self, platforms: Tuple[str, ...] = PLATFORMS) -> str:
        """More properties of the IOMMU, which has these platforms."""
        return ''.join(f',{x}' for x in self._platform(platforms)
                       + self._of('iommu'))

    def bridges(self) -> List[str]:
        """What is between root ports and pri-testdevs, in order."""
        return [word for x in self._of('bridge') for word in ('-device', x)]

    def qemu(self) -> List[str]:
        return [word for x in self._of('qemu') for word in shlex.split(x)]

    @property
    def kernel(self) -> bool:
        """Is the kernel to be a file of the guest?"""
        return 'kernel' in self._of('image')

    @property
    def disk(self) -> int:
        """Bytes of the guest's disk; 0: none."""
        return int(''.join(self._of('disk')[-1:])[:-1] or 0) << 20

    def append(self) -> str:
        return ' '.join(self._of('append'))


NONE = Wants()


def parse(text: str, path: str) -> Wants:
    """The lines in the first comment of a source text.

    path is for the message of a LabError only.
    """
    lines = []
    for number, line in enumerate(text.split('*/', 1)[0].splitlines(), 1):
        m = _LINE.match(line)
        if not m:
            continue
        key, value = m.group(1), m.group(2)
        if not _KEY.match(key) or not value:
            raise LabError(
                f'{path}:{number}: @{key}: '
                + ('there is nothing after it' if _KEY.match(key)
                   else 'there is no such key'), f'there are: {KEYS}')
        if key == 'platform' and value not in PLATFORMS:
            raise LabError(f'{path}:{number}: @platform {value}: there is no '
                           'such platform',
                           f'there are: {", ".join(PLATFORMS)}')
        if key == 'image' and value != 'kernel':
            raise LabError(f'{path}:{number}: @image {value}: there is no '
                           'such file of the guest', 'there is: kernel')
        if key == 'disk' and not (re.match(r'[1-9]\d*M$', value)
                                  and int(value[:-1]) << 20 <= disk.MAX):
            raise LabError(f'{path}:{number}: @disk {value}: not a size',
                           f'1M to {disk.MAX >> 20}M')
        lines.append((key, value))
    return Wants(tuple(lines))


def wants(repo: str, job: str) -> Wants:
    """What a job wants; nothing, if it has no source (all, shell)."""
    path = os.path.join('tests', 'guest', f'{job}.c')
    try:
        with open(os.path.join(repo, path), encoding='utf-8') as f:
            return parse(f.read(), path)
    except FileNotFoundError:
        return NONE


def own_machine(repo: str) -> List[str]:
    """Jobs that are part of the tests and boot a machine of their own."""
    out = []
    for directory in OWN:
        top = os.path.join(repo, 'tests', 'guest', directory)
        if os.path.isdir(top):
            out += [f'{directory}/{x[:-2]}' for x in sorted(os.listdir(top))
                    if x.endswith('.c')]
    return out
