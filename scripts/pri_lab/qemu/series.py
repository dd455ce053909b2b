# SPDX-License-Identifier: GPL-2.0-or-later
"""The series of patches, one a version of QEMU, and which takes what source.

Every series has the same patches, by number and subject; what of the overlay
is not a patch is the same for all.  A series is written for the versions that
it names and is not tried on others.
"""

from __future__ import annotations

import os
import re
from typing import List, NamedTuple, Optional

from ..core.errors import LabError

TOP = 'patches'
# Numbers may have gaps while several work on the series, each in a range of
# its own; scripts/renumber-patches.py closes them
GAPS = False


class Series(NamedTuple):
    name: str               # directory below TOP
    versions: str           # regular expression of VERSION
    told: str               # the same for a message

    @property
    def path(self) -> str:
        return os.path.join(TOP, self.name)

    def files(self, repo: str) -> List[str]:
        """The patches, in order; none if the directory is not there."""
        d = os.path.join(repo, self.path)
        if not os.path.isdir(d):
            return []
        return [os.path.join(d, n) for n in sorted(os.listdir(d))
                if n.endswith('.patch')]


PINNED = Series('qemu-10.2', r'10\.2\.2', '10.2.2')
# QEMU counts a release candidate of 11.1 as 11.0.9x
ALL = (PINNED, Series('qemu-11.1', r'11\.0\.9\d|11\.1\.\d+',
                      '11.1 or a release candidate of it'))


def find(version: str) -> Optional[Series]:
    """The series for a VERSION."""
    return next((s for s in ALL if re.fullmatch(s.versions, version)), None)


def told() -> str:
    """What --qemu-src takes: '10.2.2, 11.1 or ...'."""
    return ', '.join(s.told for s in ALL)


def of(version: str, name: str) -> Series:
    """The same; LabError if there is none.  name: of the source."""
    found = find(version)
    if found is None:
        raise LabError(
            f'{name} is QEMU {version}; the overlay is for {told()}',
            'give one of these to --qemu-src')
    return found
