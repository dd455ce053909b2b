# SPDX-License-Identifier: GPL-2.0-or-later
"""Results that a page of races has and this clone has not: each clone keeps
what was run in it, the page what was run in any."""

from __future__ import annotations

import re
from typing import Dict, List, Tuple

from .race import CANNOT_RUN, Entry, NOT_REPRODUCED, REPRODUCED

_ROW = re.compile(r'^\| [\w-]+ \| `([\w-]+)` \|(.*)\|$')
_KERNEL = re.compile(r'^(\S+)(?: \((.*)\))?$')
_CELL = re.compile(r'^(yes|no|differs)((?: \+? ?\d+/\d+)*)$')
_COUNT = re.compile(r'(\+ ?)?(\d+)/(\d+)')
_ENTRY = re.compile(r'^\*\*.*?\*\* `([\w-]+)`: ')
_WHY = re.compile(r'^- (\S+): (.*)$')
_WHY_PLATFORM = re.compile(r'^`([\w-]+)` on (\S+) cannot run: (.*)\.$')
_WORDS = {'yes': REPRODUCED, 'no': NOT_REPRODUCED, 'differs': 'DIFFERS'}


def _record(name: str, kernel: str, cell: str) -> Dict:
    """Of a cell of the page; {}: it is none."""
    m = _KERNEL.match(kernel)
    text = cell.strip('*')
    out: Dict = {'name': name, 'snapshot': [0, 0], 'cold': [0, 0],
                 'seconds': None, 'why': '', 'verdict': CANNOT_RUN}
    if not m:
        return {}
    out['kernel'], out['release'] = m.group(1), m.group(2) or ''
    if text == 'cannot run':
        return out
    got = _CELL.match(text)
    if not got:
        return {}
    out['verdict'] = _WORDS[got.group(1)]
    for cold, n, of in _COUNT.findall(got.group(2)):
        out['cold' if cold else 'snapshot'] = [int(n), int(of)]
    return out


def records(text: str, platform: str = '') -> List[Dict]:
    """Those of a page, or of the one of a platform: as `repro` stores them,
    without what the page leaves out; seconds: None if it has none."""
    where = f'@{platform}' if platform else ''
    out: Dict[Tuple[str, str], Dict] = {}
    head: List[str] = []
    entry = ''
    for line in text.splitlines():
        if line.startswith('| race | entry |'):
            head = [x.strip() for x in line.strip('|').split('|')][2:]
        m = _ROW.match(line)
        if m:
            cells = [x.strip() for x in m.group(2).split('|')]
            if platform:                # a row each, beside the permissive
                found = [_record(m.group(1), cells[0], cells[2])]
            elif head[0] == 'kernel':           # with a patch: a row each
                found = [_record(m.group(1), cells[0], cells[1])]
                if found[0] and len(cells) > 2:
                    found[0]['seconds'] = float(cells[2])
            else:
                found = [_record(m.group(1), k, c)
                         for k, c in zip(head, cells)]
            for r in [r for r in found if r]:
                r['kernel'] += where
                out[r['name'], r['kernel']] = r
        m = _ENTRY.match(line)
        entry = m.group(1) if m else entry
        m = _WHY.match(line)
        if m and (entry, m.group(1)) in out:
            out[entry, m.group(1)]['why'] = m.group(2)
        m = _WHY_PLATFORM.match(line)
        if m and (m.group(1), m.group(2) + where) in out:
            out[m.group(1), m.group(2) + where]['why'] = m.group(3)
    return list(out.values())


def joined(mine: List[Dict], text: str, entries: List[Entry],
           platform: str = '') -> List[Dict]:
    """`mine`, and what the page has beside it.  A row of patches that `mine`
    has in another company, for the same race and answer, is left out."""
    by_name = {e.name: e for e in entries}

    def about(r: Dict) -> Tuple:
        e = by_name.get(r['name'])
        kernel = r['kernel'].split('@')[0]
        bugs = kernel.split('+')
        return (r['name'], bugs[0], *(
            (e.id_on(kernel), e.expected(kernel)) if bugs[1:] and e
            else ()))

    have = {about(r) for r in mine}
    return mine + [r for r in records(text, platform)
                   if about(r) not in have]
