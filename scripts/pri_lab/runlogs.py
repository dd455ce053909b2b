# SPDX-License-Identifier: GPL-2.0-or-later
"""Directories of what the runs of an entry on a kernel said.

They are named DATE-TIME-ENTRY-KERNEL-PID, so that they sort by age.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from typing import List

KEEP = 300                      # directories, apart from the newest of each
_NAME = re.compile(r'^\d{8}-\d{6}-(.+)-\d+$')


def _filled(path: str) -> bool:
    """False for one without a run in it: --resume had nothing to do."""
    try:
        return bool(os.listdir(path))
    except OSError:                 # another command has removed it
        return False


def old(top: str) -> List[str]:
    """Names of the directories to remove: all but the last KEEP, and but the
    newest with runs in it of each entry and kernel."""
    newest = {}
    names = sorted(os.listdir(top))
    for name in names:
        m = _NAME.match(name)
        if m and _filled(os.path.join(top, name)):
            newest[m.group(1)] = name
    return sorted(set(names[:-KEEP]) - set(newest.values()))


def new(top: str, entry: str, kernel: str) -> str:
    """The path of a new one; old ones are removed."""
    os.makedirs(top, exist_ok=True)
    for name in old(top):
        shutil.rmtree(os.path.join(top, name), ignore_errors=True)
    safe = re.sub(r'[^\w.+-]', '_', kernel)
    path = os.path.join(top, time.strftime('%Y%m%d-%H%M%S')
                        + f'-{entry}-{safe}-{os.getpid()}')
    os.makedirs(path)
    return path
