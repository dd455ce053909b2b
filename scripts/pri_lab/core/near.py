# SPDX-License-Identifier: GPL-2.0-or-later
"""A name that does not exist, and the ones that were perhaps meant."""

from __future__ import annotations

import difflib
import textwrap
from typing import Iterable, List

from .errors import UsageError

ALL = 30                        # so many names are listed
WIDTH = 77                      # columns of a list of them


def some(names: List[str]) -> List[str]:
    """The first ones, and how many more there are."""
    more = [f'and {len(names) - ALL} more'] if len(names) > ALL else []
    return names[:ALL] + more


def unknown(kind: str, name: str, names: Iterable[str],
            where: str = '') -> UsageError:
    """The error for a name that does not exist: the nearest ones, and all if
    they are few; else the first ones.

    where: ` of ...`, whose names they are.
    """
    names = list(dict.fromkeys(names))
    near = [n for n in names if name and n.lower().startswith(name.lower())]
    near += [n for n in difflib.get_close_matches(name, names, 3, 0.6)
             if n not in near]
    hint = [f'did you mean {" or ".join(near[:4])}?'] if near else []
    if not near or len(names) <= ALL:
        hint += textwrap.wrap('there are: ' + ' '.join(some(names)),
                              WIDTH, break_long_words=False,
                              break_on_hyphens=False)
    return UsageError(f'there is no {kind} {name}{where}', '\n'.join(hint))


def need(kind: str, given: Iterable[str], names: Iterable[str],
         where: str = '') -> None:
    """UsageError unless all that are given are among the names."""
    names = list(names)
    for name in given:
        if name not in names:
            raise unknown(kind, name, names, where)
