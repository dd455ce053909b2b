# SPDX-License-Identifier: GPL-2.0-or-later
"""Booted machines that are kept on disk from command to command."""

from __future__ import annotations

import os
import shutil
from typing import Optional

from ..core import cache
from .session import Session

BOOTS = 4                       # that a directory keeps


class Kept:
    """One: an image with snapshots in it, and the kernel's release."""

    def __init__(self, top: str, key: str):
        """top: the directory; key: of all that decides what is in it."""
        self.path = os.path.join(top, f'{key}.qcow2')

    def take(self, session: Session) -> Optional[str]:
        """Give it to a session that is not started; its release, or None:
        there is none."""
        os.makedirs(session.logdir, exist_ok=True)
        try:                    # another command may remove the oldest one
            with open(self.path + '.release', encoding='utf-8') as f:
                release = f.read()
            shutil.copyfile(self.path, session.image)
            os.utime(self.path)
        except FileNotFoundError:
            return None
        session.keep_image = True
        return release

    def keep(self, session: Session, release: str) -> None:
        """That of a session that has saved its snapshots; the oldest goes."""
        top = os.path.dirname(self.path)
        os.makedirs(top, exist_ok=True)
        session.qmp.command('stop')     # writes what is in QEMU's caches
        part = f'{self.path}.{os.getpid()}'
        try:
            shutil.copyfile(session.image, part)
            cache.write_atomic(self.path + '.release', release.encode())
            os.replace(part, self.path)
        finally:
            cache.remove(part)          # of a copy that was interrupted
        all_ = sorted((os.path.join(top, x) for x in os.listdir(top)
                       if x.endswith('.qcow2')), key=os.path.getmtime)
        for old in all_[:-BOOTS]:
            cache.remove(old)   # if another command has not
            cache.remove(old + '.release')
