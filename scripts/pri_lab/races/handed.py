# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/results/races.json: the results that the pages of races are made from.

Each clone keeps what was run in it, this file what was run in any.  A line is
a result, as `repro` stores it; `7.3@strict` is the kernel 7.3 on a platform.
"""

from __future__ import annotations

import json
import os
from typing import Dict, List, Optional, Tuple

from ..core import cache
from .race import Entry

DATA = os.path.join('docs', 'results', 'races.json')
# what the pages say of a result, and no paths of a machine
_SAID = ('name', 'kernel', 'release', 'verdict', 'snapshot', 'cold', 'exact',
         'sample', 'seconds', 'why')


def load(repo: str) -> List[Dict]:
    try:
        with open(os.path.join(repo, DATA), encoding='utf-8') as f:
            return json.load(f)
    except FileNotFoundError:
        return []


def store(repo: str, records: List[Dict]) -> None:
    lines = [json.dumps({k: r[k] for k in _SAID if k in r}) for r in sorted(
        records, key=lambda r: (r['name'], r['kernel']))]
    cache.write_if_changed(os.path.join(repo, DATA), (
        '[\n' + ',\n'.join(lines) + '\n]\n').encode())


def _with_sample(mine: Dict, before: Optional[Dict]) -> Dict:
    """An exact result, with the runs without a plan that had the same verdict:
    [from a snapshot, cold]."""
    if not before or not mine.get('exact') or \
            mine['verdict'] != before['verdict']:
        return mine
    sample = before.get('sample') if before.get('exact') else [
        before['snapshot'], before['cold']]
    return dict(mine, sample=sample) if sample else mine


def platform(record: Dict) -> str:
    return record['kernel'].partition('@')[2]


def joined(mine: List[Dict], theirs: List[Dict], entries: List[Entry]
           ) -> List[Dict]:
    """`mine`, and of `theirs` what is of an entry and not there yet.  A row of
    patches that `mine` has in another company, for the same race and answer,
    is left out."""
    by_name = {e.name: e for e in entries}

    def about(r: Dict) -> Tuple:
        e = by_name[r['name']]
        kernel = r['kernel'].split('@')[0]
        bugs = kernel.split('+')
        return (r['name'], bugs[0], *(
            (e.id_on(kernel), e.expected(kernel)) if bugs[1:] else ()))

    have = {about(r) for r in mine}
    same = {(r['name'], r['kernel']): r for r in theirs}
    mine = [_with_sample(r, same.get((r['name'], r['kernel']))) for r in mine]
    return mine + [r for r in theirs
                   if r['name'] in by_name and about(r) not in have]
