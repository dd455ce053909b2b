# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of disks: of a guest that wants one, and for snapshots."""

from __future__ import annotations

import struct
from typing import List

MAX = 512 << 20                 # bytes that one entry of the L1 table maps


def args(path: str, seen: bool) -> List[str]:
    """Arguments of QEMU.  seen: it is the guest's /dev/vda."""
    return ['-drive', f'if=none,format=qcow2,file={path},cache=unsafe,'
            'id=state'] + (['-device', 'virtio-blk-pci,drive=state'] if seen
                           else [])


def empty_qcow2(path: str, size: int = 0) -> None:
    """A qcow2 image without data, of `size` bytes, MAX at most, and with room
    for snapshots of the machine's state.

    Header, reference count table, one reference count block, L1 table: a
    cluster each (docs/interop/qcow2.rst of QEMU).
    """
    bits = 16
    cluster = 1 << bits
    header = struct.pack('>4sIQIIQIIQQIIQQQQII', b'QFI\xfb', 3, 0, 0, bits,
                         max(size, cluster), 0, 1, 3 * cluster, cluster, 1, 0,
                         0, 0, 0, 0, 4, 104)
    image = bytearray(4 * cluster)
    image[:len(header)] = header
    struct.pack_into('>Q', image, cluster, 2 * cluster)
    struct.pack_into('>4H', image, 2 * cluster, 1, 1, 1, 1)
    with open(path, 'wb') as f:
        f.write(image)
