# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel configurations: fragments, what survived, what a kernel lacks."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import subprocess
import zlib
from typing import Dict, List, Optional, Tuple

from ..iommu import kind

# What no guest job can do without, and why.  Any one of a tuple will do.  What
# its IOMMU needs is in the file of the machine's kind.
REQUIRED: List[Tuple[Tuple[str, ...], str]] = [
    (('CONFIG_PCI_MSI',), 'interrupts of the device'),
    (('CONFIG_PCI_ATS',), 'ATS'),
    (('CONFIG_PCI_PRI',), 'page requests'),
    (('CONFIG_PCI_PASID',), 'PASIDs'),
    (('CONFIG_IOMMU_SVA', 'CONFIG_IOMMU_SVA_LIB'), 'SVA'),
    (('CONFIG_MODULES',), 'loading pri_testdev.ko'),
    (('CONFIG_BLK_DEV_INITRD',), 'the initramfs'),
    (('CONFIG_DEVTMPFS',), 'device nodes'),
    (('CONFIG_PROC_FS',), 'the init script'),
    (('CONFIG_SYSFS',), 'the init script'),
    (('CONFIG_BINFMT_ELF',), 'programs'),
    (('CONFIG_BINFMT_SCRIPT',), 'the init script'),
    (('CONFIG_SERIAL_8250_CONSOLE',), 'the console'),
]
PVH = 'CONFIG_PVH'              # to boot a vmlinux


def parse(text: str) -> Dict[str, str]:
    """CONFIG_X -> value; 'n' for '# CONFIG_X is not set'."""
    out = {}
    for line in text.splitlines():
        m = re.match(r'(CONFIG_\w+)=(.*)$', line.strip())
        if m:
            out[m.group(1)] = m.group(2)
            continue
        m = re.match(r'# (CONFIG_\w+) is not set$', line.strip())
        if m:
            out[m.group(1)] = 'n'
    return out


def lost(fragment: Dict[str, str], config: Dict[str, str]) -> List[str]:
    """Lines of the fragment that the finished configuration contradicts."""
    out = []
    for name, value in fragment.items():
        have = config.get(name, 'n')
        if have != value:
            out.append(f'{name}={value} (became {have})')
    return out


def lacking(config: Dict[str, str], elf: bool) -> List[str]:
    """What a kernel lacks for our guest: 'CONFIG_X (what for)'.

    elf: it will be booted as vmlinux, which needs PVH.
    """
    out = []
    for names, purpose in REQUIRED:
        if not any(config.get(n) == 'y' for n in names):
            out.append(f'{names[0]} ({purpose})')
    if elf and config.get(PVH) != 'y':
        out.append(f'{PVH} (booting a vmlinux)')
    return out


def lacking_of(config: Dict[str, str], iommu: kind.Kind) -> List[str]:
    """The same for a machine's IOMMU."""
    return [f'{name} ({purpose})' for name, purpose in iommu.needs.items()
            if config.get(name) != 'y']


_IKCONFIG = b'IKCFG_ST\x1f\x8b\x08'
# kernel image compressions: magic, how to undo it
_MAGIC = (
    (b'\x1f\x8b\x08', 'gzip'), (b'\xfd7zXZ\x00', 'xz'),
    (b'BZh', 'bzip2'), (b'\x5d\x00\x00', 'lzma'),
    (b'\x28\xb5\x2f\xfd', 'zstd'), (b'\x02\x21\x4c\x18', 'lz4'),
)


def _gunzip_prefix(data: bytes) -> bytes:
    """Decompress one gzip member, whatever follows it."""
    return zlib.decompressobj(wbits=31).decompress(data)


def _from_vmlinux(data: bytes) -> Optional[str]:
    at = data.find(_IKCONFIG)
    if at < 0:
        return None
    try:
        return _gunzip_prefix(data[at + 8:]).decode('utf-8', 'replace')
    except zlib.error:
        return None


def _decompress(kind: str, data: bytes) -> bytes:
    """As much as can be undone; trailing bytes are normal in a bzImage."""
    try:
        if kind == 'gzip':
            return _gunzip_prefix(data)
        if kind == 'xz':
            return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)
        if kind == 'lzma':
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data)
        if kind == 'bzip2':
            return bz2.BZ2Decompressor().decompress(data)
        return subprocess.run([kind, '-dc'], input=data,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError,
            gzip.BadGzipFile, subprocess.SubprocessError):
        return b''


def from_image(data: bytes) -> Optional[str]:
    """The configuration inside a kernel image (CONFIG_IKCONFIG), or None."""
    found = _from_vmlinux(data)
    if found is not None:
        return found
    for magic, kind in _MAGIC:
        at = data.find(magic)
        for _try in range(8):
            if at < 0:
                break
            plain = _decompress(kind, data[at:])
            if len(plain) > 1 << 20:
                return _from_vmlinux(plain)
            at = data.find(magic, at + 1)
    return None


def is_elf(head: bytes) -> bool:
    return head[:4] == b'\x7fELF'


def is_bzimage(head: bytes) -> bool:
    return head[0x202:0x206] == b'HdrS'


def release_of_bzimage(data: bytes) -> str:
    """The version string of a bzImage ('7.3.4-pri-lab'), '' if it has none."""
    if not is_bzimage(data):
        return ''
    at = int.from_bytes(data[0x20e:0x210], 'little') + 0x200
    text = data[at:at + 200].split(b'\0', 1)[0].decode('ascii', 'replace')
    return text.split()[0] if text.split() else ''


def is_linux(data: bytes) -> bool:
    """True for a kernel image: the ELF has its banner, a bzImage a header."""
    return is_bzimage(data) or (is_elf(data) and b'Linux version ' in data)


def config_near(image: str) -> Optional[str]:
    """Text of the configuration that belongs to a kernel image, or None."""
    with open(image, 'rb') as f:
        data = f.read()
    found = from_image(data)
    if found is not None:
        return found
    d = os.path.dirname(image)
    names = [os.path.join(d, '.config'),
             os.path.join(d, '..', '..', '..', '.config')]
    release = release_of_bzimage(data)
    if release:
        names.append(os.path.join(d, f'config-{release}'))
        names.append(f'/boot/config-{release}')
    for n in names:
        if os.path.isfile(n):
            with open(n, encoding='utf-8', errors='replace') as f:
                return f.read()
    return None
