# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel that runs, as a file of the guest: for programs that start it
again (`@image kernel`: kexec, kdump)."""

from __future__ import annotations

import os
import struct

from ..core import cache
from ..guest import cpio
from ..core.errors import LabError

PLACE = 'lib/vmlinux'           # in the guest
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
    """The user space `image` with the kernel in it; made once, beside it."""
    out = f'{image}.kernel'
    newest = max(os.stat(p).st_mtime_ns for p in (kernel, image))
    if not os.path.exists(out) or os.stat(out).st_mtime_ns <= newest:
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
    return out
