# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel that runs, as a file of the guest: for programs that start it
again (`@image kernel`: kexec, kdump)."""

from __future__ import annotations

import glob
import os
import struct

from ..core import cache
from ..guest import cpio
from ..core.errors import LabError

PLACE = 'lib/vmlinux'           # in the guest
KEEP = 8                        # of one image
_LOAD = 1                       # PT_LOAD
_HEADER, _SEGMENT = 64, 56      # bytes, ELF-64


def loadable(elf: bytes) -> bytes:
    """A vmlinux up to the end of what is loaded: no symbols, no sections.
    ValueError: it is no 64-bit ELF file."""
    if elf[:5] != b'\x7fELF\x02':
        raise ValueError('no 64-bit ELF file')
    at, = struct.unpack_from('<Q', elf, 32)
    count, = struct.unpack_from('<H', elf, 56)
    end = at + count * _SEGMENT
    for n in range(count):
        kind, = struct.unpack_from('<I', elf, at + n * _SEGMENT)
        offset, = struct.unpack_from('<Q', elf, at + n * _SEGMENT + 8)
        size, = struct.unpack_from('<Q', elf, at + n * _SEGMENT + 32)
        if kind == _LOAD:
            end = max(end, offset + size)
    out = bytearray(elf[:end])
    struct.pack_into('<Q', out, 40, 0)          # e_shoff
    struct.pack_into('<HHH', out, 58, 0, 0, 0)  # e_shentsize, e_shnum, ...
    return bytes(out)


def initrd(kernel: str, image: str) -> str:
    """The user space `image` with the kernel in it; made once, beside it.

    Named by what is in it: kernels that differ by a patch share an image, and
    the older of them may be asked for last.
    """
    key = cache.key_of(cache.content_digest(kernel),
                       cache.content_digest(image))
    out = f'{image}.{key[:16]}.kernel'
    if os.path.exists(out):
        cache.touch(out)
        return out
    with open(kernel, 'rb') as f:
        elf = f.read()
    try:
        data = loadable(elf)
    except ValueError as e:
        raise LabError(f'{kernel}: {e}, and the program starts it again',
                       'give a vmlinux, or a build directory') from None
    with open(image, 'rb') as f:
        cache.write_atomic(out, f.read() + cpio.archive(
            {PLACE: cpio.regular(data, 0o755)}))
    _prune(image)
    return out


def _prune(image: str) -> None:
    """Keep those that were used last; one that goes is made again."""
    there = glob.glob(f'{glob.escape(image)}.*.kernel')
    there.sort(key=lambda p: os.stat(p).st_mtime_ns)
    for path in there[:-KEEP]:
        cache.remove(path)
