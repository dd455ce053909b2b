# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/results/resets.md: a table a kernel and WHO, and what is behind each cell."""

from __future__ import annotations

import os
from typing import Dict, List

from . import judge
from .cells import Cell, METHODS, WHO, WORKS, senseless
from ..core import cache

PAGE = os.path.join('docs', 'results', 'resets.md')
_INTRO = '''\
# Resets

What each kernel does when a function is reset while it is at work. Written by
`./pri-lab resets --table` from the last results of each cell; nothing is in it that
was not run. `./pri-lab resets --only METHOD/WORK/WHO` runs a cell again and says where
its log is. An invalidation times out after 60 ms here (`ite-timeout-ms`), where real
hardware takes a minute or more; a reset takes 130 ms.

| verdict | |
|---|---|
| OK | the reset is done, whoever was to keep its address space has it, DMA works, every byte is right |
| hangs | invalidations timed out, each with a processor that waits with interrupts off; or there was no end |
| splat | the kernel reports a bug of its own |
| DMA error | DMA that must work afterwards does not, or a fault is recorded |
| data wrong | memory is not as it must be, or was reached when it must not be |
| refused | the kernel says no: with what error, and why |
| – | makes no sense: see the end of the page |
| . | not run |
'''


def _rows(title: str, names: Dict[str, str]) -> List[str]:
    return ['', f'| {title} | |', '|---|---|'] + [
        f'| `{n}` | {what} |' for n, what in names.items()]


def word(cells: Dict[str, Dict], cell: Cell) -> str:
    if senseless(cell):
        return '–'
    got = cells.get(cell.name)
    if got is None:
        return '.'
    return got['verdict'] if got['verdict'] == judge.OK \
        else f'**{got["verdict"]}**' if got['verdict'] in judge.BAD \
        else got['verdict']


def _table(cells: Dict[str, Dict], who: str) -> List[str]:
    works = [w for w in WORKS if any(
        not senseless(Cell(m, w, who)) for m in METHODS)]
    methods = [m for m in METHODS if any(
        not senseless(Cell(m, w, who)) for w in works)]
    out = ['', f'### {who}: {WHO[who]}', '',
           f'| | {" | ".join(works)} |', '|---' * (len(works) + 1) + '|']
    for m in methods:
        out.append(f'| {m} | ' + ' | '.join(
            word(cells, Cell(m, w, who)) for w in works) + ' |')
    out += _reasons(cells, who)
    return out


def _reasons(cells: Dict[str, Dict], who: str) -> List[str]:
    """What is behind the verdicts that are not OK, the same once."""
    same: Dict[str, List[str]] = {}
    for name, got in cells.items():
        method, work, whose = name.split('/')
        if whose == who and got['verdict'] != judge.OK:
            same.setdefault(f'{got["verdict"]}: {got["why"]}', []).append(
                f'{method}/{work}')
    return [''] * bool(same) + [f'- {", ".join(n)}: {why}'
                                for why, n in same.items()]


def text(found: List[Dict]) -> str:
    """The page; found: of every kernel, as store.everything() has them."""
    out = [_INTRO.rstrip()]
    out += _rows('method', METHODS) + _rows('work', WORKS) + _rows('who', WHO)
    for d in found:
        cells = d['cells']
        count: Dict[str, int] = {}
        for got in cells.values():
            count[got['verdict']] = count.get(got['verdict'], 0) + 1
        out += ['', f'## {d["kernel"]}', '',
                (f'Linux {d["release"]}: {len(cells)} cells, '
                 + ', '.join(f'{n} {w}' for w, n in sorted(count.items()))
                 + f'; {d["seconds"] / 60:.0f} minutes of one processor '
                 'without the boots.').strip()]
        for who in WHO:
            if any(n.endswith('/' + who) for n in cells):
                out += _table(cells, who)
    out += ['', '## Cells that make no sense', '']
    why: Dict[str, List[str]] = {}
    for who in WHO:
        for method in METHODS:
            for work in WORKS:
                reason = senseless(Cell(method, work, who))
                if reason:
                    why.setdefault(reason, []).append(who)
    out += [f'- {reason} ({", ".join(dict.fromkeys(whose))}, {len(whose)} '
            'cells)' for reason, whose in why.items()]
    return '\n'.join(out) + '\n'


def write(repo: str, found: List[Dict]) -> str:
    path = os.path.join(repo, PAGE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    cache.write_atomic(path, text(found).encode())
    return path
