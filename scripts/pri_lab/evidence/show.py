# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro --show` and the list of races: what a race is, without running it."""

from __future__ import annotations

import functools
import os
import re
import textwrap
from typing import List, Sequence

from ..core import cache
from ..races.race import Entry, LeftOut

FINDINGS = os.path.join('docs', 'findings')
LEGEND = 'C-: a known bug; O-: an open one; S-: a scenario that every IOMMU ' \
    'driver argues about.  `repro NAME` runs one, `repro --show NAME` says ' \
    'what it is.'
_COMMIT = re.compile(r'\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{12,40}\b')
# a word is not cut, be it a path or a name
_fold = functools.partial(textwrap.wrap, break_on_hyphens=False,
                          break_long_words=False)
_ORDER = ('What', 'Order', 'Loses', 'Fix', 'Kernels', 'Needs')


def commits(entry: Entry) -> List[str]:
    """Upstream commits that the header names as fixes."""
    return list(dict.fromkeys(_COMMIT.findall(entry.fields.get('Fix', ''))))


def findings(repo: str, entry: Entry) -> List[str]:
    """Pages of docs/findings that are about one of its races."""
    out = []
    for path in cache.files_under(os.path.join(repo, FINDINGS), ('.md',)):
        with open(path, encoding='utf-8') as f:
            text = f.read()
        if any(re.search(rf'\b{re.escape(i)}\b', text) for i in entry.ids) \
                or f'`{entry.name}`' in text:
            out.append(os.path.relpath(path, repo))
    return out


def _wrap(head: str, text: str, width: int) -> List[str]:
    return _fold(text, width, initial_indent=f'{head:9} ',
                         subsequent_indent=' ' * 10)


def lines(repo: str, entry: Entry, width: int = 79) -> List[str]:
    """All that its header says, and where more is."""
    out = _fold(f'{", ".join(entry.ids)} {entry.name}: '
                        f'{entry.title}', width) + ['']
    for name in _ORDER:
        if name in entry.fields:
            out += _wrap(name, entry.fields[name], width)
    for sign in entry.signs:
        out += _wrap('Sign', sign.text, width)
    for name, kernels in (('Expect', entry.expect),
                          ('Elsewhere', entry.elsewhere)):
        if kernels:
            out += _wrap(name, ', '.join(f'{k} {v}' for k, v in
                                         kernels.items()), width)
    if entry.strict:
        out += _wrap('Strict', entry.fields['Strict'], width)
    for c in commits(entry):
        out += _wrap('Commit', f'{c}  https://git.kernel.org/linus/{c}',
                     width)
    for page in findings(repo, entry):
        out += _wrap('Findings', page, width)
    home = entry.affected() or next(iter(entry.expect), '')
    out += _wrap('Source', os.path.relpath(entry.path, repo), width)
    return out + _wrap('Run', f'./pri-lab repro {entry.name}'
                       + (f' --kernel {home}' if home else ''), width)


def listing(entries: List[Entry], without: Sequence[LeftOut],
            width: int) -> List[str]:
    """The list of `repro`: every race, and those that cannot run here."""
    out = _fold(LEGEND, width) + ['']
    name = max((len(e.name) for e in entries), default=0)
    for e in entries:
        head = f'{", ".join(e.ids):11} {e.name:{name}}  '
        rest = ' ' * min(len(head), 16)
        out += _fold(head + e.title, width, subsequent_indent=rest)
        kernels = ' '.join(f'{k}={v}' for k, v in e.expect.items())
        fixes = commits(e)
        out += _fold(
            f'expected: {kernels}' + (f'; fix: {" ".join(fixes)}'
                                      if fixes else ''), width,
            initial_indent=rest, subsequent_indent=rest)
    for x in without:
        out += _fold(f'cannot run here: {x.id} {x.title}: {x.why}',
                             width, subsequent_indent=' ' * 16)
    return out
