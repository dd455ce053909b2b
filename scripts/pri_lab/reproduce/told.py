# SPDX-License-Identifier: GPL-2.0-or-later
"""What a share of a campaign tells the command that started it.

A line of JSON an entry: {"lines": what a user reads of it, "result": the
object that --json has}.  The file is named in the environment.
"""

from __future__ import annotations

import json
import os
from typing import Dict, List, NamedTuple

WHERE = 'PRI_LAB_TOLD'


class Entry(NamedTuple):
    """What came of an entry."""

    lines: List[str]
    result: Dict


def wanted() -> bool:
    return bool(os.environ.get(WHERE))


def tell(entry: Entry) -> None:
    """In one write, so that no part of a line is read."""
    with open(os.environ[WHERE], 'ab', buffering=0) as f:
        f.write((json.dumps(entry._asdict()) + '\n').encode())


class Reader:
    """Entries as they come."""

    def __init__(self, path: str):
        self.path = path
        self._at = 0

    def new(self) -> List[Entry]:
        """Those that were told since; a line without its end is not yet."""
        if not os.path.exists(self.path):
            return []
        with open(self.path, 'rb') as f:
            f.seek(self._at)
            whole, end, _ = f.read().rpartition(b'\n')
        self._at += len(whole) + len(end)
        return [Entry(**json.loads(x)) for x in whole.splitlines()]
