# SPDX-License-Identifier: GPL-2.0-or-later
"""--share DIR: a directory of the host in the guest, by 9p over virtio.

The guest has it as /tests/NAME, where --add puts a copy; what it writes there
is on the host at once.  A guest with one cannot be saved: no snapshots.
"""

from __future__ import annotations

import os
import re
from typing import Dict, List, Sequence

from ..core.errors import LabError
from ..linux import kconfig

# what the kernel must have built in: there are no modules in the guest
NEEDED = ('CONFIG_9P_FS', 'CONFIG_NET_9P_VIRTIO', 'CONFIG_VIRTIO_PCI')
READ_ONLY = ':ro'


def _path(word: str) -> str:
    """The directory of DIR[:ro]."""
    if word.endswith(READ_ONLY):
        word = word[:-len(READ_ONLY)]
    return os.path.realpath(os.path.expanduser(word))


def shared(words: Sequence[str]) -> Dict[str, str]:
    """Name in the guest -> directory; LabError if that cannot be."""
    out: Dict[str, str] = {}
    for word in words:
        path = _path(word)
        name = os.path.basename(path)
        if not os.path.isdir(path):
            raise LabError(f'--share: there is no directory {path}')
        # of a word on the kernel's command line, and of QEMU's options
        if not re.fullmatch(r'[\w.+-]{1,31}', name) or ',' in path:
            raise LabError(f'--share {path}: {name or "/"} is no name for a '
                           'directory of the guest',
                           'letters, digits and . + - _, at most 31')
        if name in out:
            raise LabError(f'--share: two directories are called {name}')
        out[name] = path
    return out


def has(words: Sequence[str], job: str) -> bool:
    """Whether a JOB is a program below a shared directory."""
    name, _, rel = job.partition('/')
    top = shared(words).get(name)
    path = os.path.join(top, rel) if top and rel else ''
    return os.path.isfile(path) and os.access(path, os.X_OK)


def check_kernel(words: Sequence[str], image: str) -> None:
    """LabError if the kernel cannot mount them."""
    text = kconfig.config_near(image) if words else None
    if text is None:
        return
    config = kconfig.parse(text)
    lacks = [n for n in NEEDED if config.get(n) != 'y']
    if lacks:
        raise LabError(f'--share: {image} lacks ' + ', '.join(lacks),
                       'built in, not as modules; --add copies a directory '
                       'into the guest and needs none of them')


def kernel_words(words: Sequence[str]) -> str:
    """For init, which mounts them."""
    names = ','.join(shared(words))
    return f'pri_lab.share={names}' if names else ''


def qemu_args(words: Sequence[str]) -> List[str]:
    out: List[str] = []
    for n, (word, (name, path)) in enumerate(zip(words,
                                                 shared(words).items())):
        ro = ',readonly=on' if word.endswith(READ_ONLY) else ''
        out += ['-fsdev', f'local,id=share{n},path={path},'
                f'security_model=none,multidevs=remap{ro}',
                '-device', f'virtio-9p-pci,fsdev=share{n},mount_tag={name}']
    return out
