# SPDX-License-Identifier: GPL-2.0-or-later
"""Mutants that have died, as data of the repository.

A campaign over all mutants takes hours, and a machine that was set up today
knows nothing of yesterday's.  docs/results/mutants.json has for each file the
digest of the text that was mutated, how many mutants that has, those that were
tried (counted from the file's first), and by test those that it killed.  A file
with another text begins again from nothing.
"""

from __future__ import annotations

import json
import os
from typing import Dict, List, Protocol, Sequence, Set

FILE = os.path.join('docs', 'results', 'mutants.json')


class Mutant(Protocol):
    @property
    def number(self) -> int: ...

    @property
    def file(self) -> str: ...


def _by_file(every: Sequence[Mutant]) -> Dict[str, List[int]]:
    out: Dict[str, List[int]] = {}
    for m in every:
        out.setdefault(m.file, []).append(m.number)
    return out


def _read(path: str) -> Dict:
    try:
        with open(path, encoding='utf-8') as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def known(path: str, digests: Dict[str, str],
          every: Sequence[Mutant]) -> Dict[int, str]:
    """Number of today -> the test that killed it; of files that are as then."""
    out: Dict[int, str] = {}
    kept = _read(path)
    for name, numbers in _by_file(every).items():
        row = kept.get(name, {})
        if row.get('digest') != digests.get(name) or \
                row.get('mutants') != len(numbers):
            continue
        for test, places in row['died'].items():
            out.update((numbers[i], test) for i in places)
    return out


def keep(path: str, digests: Dict[str, str], every: Sequence[Mutant],
         tried: Set[int], killed: Dict[int, str]) -> int:
    """Add what is known now; the number of deaths in the file."""
    rows = {}
    before = known(path, digests, every)
    killed = {**before, **killed}
    kept = _read(path)
    for name, numbers in _by_file(every).items():
        died: Dict[str, List[int]] = {}
        for i, number in enumerate(numbers):
            if number in killed:
                died.setdefault(killed[number], []).append(i)
        old = kept.get(name, {})
        was = old.get('tried', []) \
            if old.get('digest') == digests[name] else []
        rows[name] = {
            'digest': digests[name], 'mutants': len(numbers),
            'tried': sorted(set(was) | {i for i, n in enumerate(numbers)
                                        if n in tried or n in killed}),
            'died': dict(sorted(died.items()))}
    text = ',\n'.join(f'{json.dumps(n)}: {json.dumps(r)}'
                      for n, r in sorted(rows.items()))
    with open(path + '.new', 'w', encoding='utf-8') as f:
        f.write('{\n' + text + '\n}\n')
    os.replace(path + '.new', path)
    return sum(len(p) for r in rows.values() for p in r['died'].values())
