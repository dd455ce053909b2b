# SPDX-License-Identifier: GPL-2.0-or-later
"""Directories of what the runs of an entry on a kernel said.

Besides the last KEEP and what is evidence (state/logs.py), the newest one with
runs in it of each entry and kernel stays, however old.
"""

from __future__ import annotations

import os
import re
from typing import List

from . import logs

KEEP = 300                      # directories, apart from the newest of each
_NAME = re.compile(r'^\d{8}-\d{6}-(.+)-\d+$')


def _filled(path: str) -> bool:
    """False for one without a run in it: the command was interrupted."""
    try:
        return bool(os.listdir(path))
    except OSError:                 # another command has removed it
        return False


def newest(top: str, names: List[str]) -> List[str]:
    """Of each entry and kernel the last one with runs in it."""
    out = {}
    for name in names:
        m = _NAME.match(name)
        if m and _filled(os.path.join(top, name)):
            out[m.group(1)] = name
    return list(out.values())


def old(top: str) -> List[str]:
    """Names of the directories to remove."""
    return logs.old(top, KEEP, lambda names: newest(top, names))


def new(top: str, entry: str, kernel: str) -> str:
    """The path of a new one; old ones are removed."""
    return logs.new(top, f'{entry}-{kernel}', KEEP,
                    lambda names: newest(top, names))
