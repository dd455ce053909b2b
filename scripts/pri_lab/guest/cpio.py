# SPDX-License-Identifier: GPL-2.0-or-later
"""Cpio archives in the 'newc' format, as initramfs wants them.

The same content gives the same bytes: entries are sorted, owner is root,
time is 0.
"""

from __future__ import annotations

import os
import stat
from typing import Dict, NamedTuple

_HEADER = 6 + 13 * 8            # bytes: magic, fields of eight digits
TRAILER = 'TRAILER!!!'


class Entry(NamedTuple):
    mode: int               # type and permissions, as in st_mode
    data: bytes = b''       # file content or link target
    rdev: int = 0           # os.makedev(), for devices


def directory(perm: int = 0o755) -> Entry:
    return Entry(stat.S_IFDIR | perm)


def regular(data: bytes, perm: int = 0o644) -> Entry:
    return Entry(stat.S_IFREG | perm, data)


def symlink(target: str) -> Entry:
    return Entry(stat.S_IFLNK | 0o777, target.encode())


def chardev(major: int, minor: int, perm: int = 0o600) -> Entry:
    return Entry(stat.S_IFCHR | perm, b'', os.makedev(major, minor))


def _record(name: str, ino: int, e: Entry) -> bytes:
    raw = name.encode() + b'\0'
    links = 2 if stat.S_ISDIR(e.mode) else 1
    fields = (ino, e.mode, 0, 0, links, 0, len(e.data), 0, 0,
              os.major(e.rdev), os.minor(e.rdev), len(raw), 0)
    out = b'070701' + b''.join(b'%08X' % f for f in fields) + raw
    out += b'\0' * (-len(out) % 4)
    out += e.data
    return out + b'\0' * (-len(out) % 4)


def archive(entries: Dict[str, Entry]) -> bytes:
    """Path (no leading slash) -> entry; parent directories are added."""
    everything = dict(entries)
    for path in entries:
        parent = os.path.dirname(path)
        while parent:
            everything.setdefault(parent, directory())
            parent = os.path.dirname(parent)
    out = [_record(path, i + 1, everything[path])
           for i, path in enumerate(sorted(everything))]
    out.append(_record(TRAILER, 0, Entry(0)))
    return b''.join(out)


def entries(data: bytes) -> Dict[str, Entry]:
    """What is in archives, one behind the other, path -> entry; of a path that
    comes again, the last.  ValueError: they are no such archives."""
    out: Dict[str, Entry] = {}
    at = 0
    while at < len(data):
        if data[at:at + 6] != b'070701':
            raise ValueError(f'no cpio record at {at}')
        fields = [int(data[n:n + 8], 16)
                  for n in range(at + 6, at + _HEADER, 8)]
        name_end = at + _HEADER + fields[11] - 1
        name = data[at + _HEADER:name_end].decode()
        start = (name_end + 1 + 3) & ~3
        end = start + fields[6]
        if name != TRAILER:
            out[name] = Entry(fields[1], data[start:end],
                              os.makedev(fields[9], fields[10]))
        at = (end + 3) & ~3
    return out
