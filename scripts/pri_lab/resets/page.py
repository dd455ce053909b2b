# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/results/resets.md: a table a kernel and WHO, and what is behind each cell."""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Dict, List, Sequence, Tuple

from . import judge, known, store
from .cells import Cell, METHODS, WHO, WORKS, every, senseless
from ..core import cache

PAGE = os.path.join('docs', 'results', 'resets.md')
DATA = os.path.join('docs', 'results', 'resets.json')   # the same
_INTRO = '''\
# Resets

What each kernel does when a function is reset while it is at work. Written by
`./pri-lab resets --table` from the last results of each cell; nothing is in it that
was not run. `./pri-lab resets --only METHOD/WORK/WHO` runs a cell again and says where
its log is. An invalidation times out after 60 ms here (`ite-timeout-ms`), where real
hardware takes a minute or more; a reset takes 130 ms. After 30 time-outs no end is waited
for.

| verdict | |
|---|---|
| OK | the reset is done, each process that was to keep its address space has it, DMA works, every byte is right |
| hangs | invalidations timed out, each with a CPU that waits with interrupts off; or there was no end |
| splat | the kernel reports a bug of its own |
| DMA error | DMA that must work afterwards does not, or a fault is recorded |
| data wrong | memory is not as it must be, or was reached when it must not be |
| refused | the kernel says no: with what error, and why |
| – | makes no sense: see the end of the page |
| . | not run |
'''


def _of_now(d: Dict) -> Dict:
    """Without cells that were run once and make no sense any more."""
    names = {c.name for c in every()}
    return {**d, 'cells': {n: got for n, got in d['cells'].items()
                           if n in names}}


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


def _table(d: Dict, who: str, rules: List[known.Rule]) -> List[str]:
    cells = d['cells']
    works = [w for w in WORKS if any(
        not senseless(Cell(m, w, who)) for m in METHODS)]
    methods = [m for m in METHODS if any(
        not senseless(Cell(m, w, who)) for w in works)]
    out = ['', f'### {who}: {WHO[who]}', '',
           f'| | {" | ".join(works)} |', '|---' * (len(works) + 1) + '|']
    for m in methods:
        out.append(f'| {m} | ' + ' | '.join(
            word(cells, Cell(m, w, who)) for w in works) + ' |')
    out += _reasons(d, who, rules)
    return out


def _text(got: Dict) -> str:
    return got['verdict'] + (f': {got["why"]}' if got['why'] else '')


def _same(text: str) -> str:
    """What counts, without numbers that differ from cell to cell."""
    return re.sub(r'\b\d+ (?=invalidation|writes|of \d)|\bof \d+|0000:\S+|'
                  r'/\d+$|CPU#?\d+|\b0x[0-9a-f]+|cpu \d', '', text)


def _link(what: str) -> str:
    """A page as a link; words as they are."""
    if not what.endswith('.md'):
        return what
    return f'[{os.path.basename(what)[:-3]}](../findings/' \
        f'{os.path.basename(what)})'


def _reasons(d: Dict, who: str, rules: List[known.Rule]) -> List[str]:
    """What is behind the verdicts that are not OK, the same once."""
    same: Dict[Tuple[str, str], List[Tuple[str, str]]] = {}
    for name, got in d['cells'].items():
        if name.endswith('/' + who) and got['verdict'] != judge.OK:
            text = _text(got)
            page = known.what(rules, d['kernel'], name, text)
            same.setdefault((_same(text), page), []).append(
                (name[:-len(who) - 1], text))
    out = [''] * bool(same)
    for (_, page), all_ in same.items():
        out.append(f'- {", ".join(n for n, _ in all_)}: {all_[0][1]}'
                   + (f' ({_link(page)})' if page else ''))
    return out


def _cost(cells: List[Dict]) -> str:
    """Of those that know it, which a busy machine does not change."""
    used = sorted(got['cpu'] for got in cells if 'cpu' in got)
    if not used:
        return ''
    return f' CPU seconds of {len(used)} of them: ' \
        f'{used[len(used) // 2]:.0f} (median), {used[-1]:.0f} at most, ' \
        f'{sum(used):.0f} in all.'


def _kernel(d: Dict, rules: List[known.Rule]) -> List[str]:
    cells = d['cells']
    count = Counter(got['verdict'] for got in cells.values())
    out = ['', f'## {d["kernel"]}', '',
           f'Linux {d["release"]}: {len(cells)} cells, '
           + ', '.join(f'{n} {w}' for w, n in sorted(count.items()))
           + f'.{_cost(list(cells.values()))}']
    for who in WHO:
        if any(n.endswith('/' + who) for n in cells):
            out += _table(d, who, rules)
    return out


def _together(found: List[Dict]) -> List[str]:
    """How many cells of each kernel came to what."""
    words = [judge.OK, *judge.BAD]
    words += sorted({got['verdict'] for d in found
                     for got in d['cells'].values()} - set(words))
    out = ['', '## Kernels', '', f'| kernel | {" | ".join(words)} |',
           '|---' + '|--:' * len(words) + '|']
    for d in found:
        count = Counter(got['verdict'] for got in d['cells'].values())
        out.append(f'| {d["kernel"]} | '
                   + ' | '.join(str(count[w]) for w in words) + ' |')
    return out


def _patched(those: List[Dict], found: List[Dict]) -> List[str]:
    """Kernels with a patch: is it seen?"""
    out = ['', '## With a patch', '',
           'Cells of a kernel with a bug put in or a fix taken out, or with a '
           'fix of ours (`-fix`),', 'to see that the table notices.', '',
           '| kernel | cell | verdict | without the patch |', '|---|---|---|---|']
    plain = {d['kernel']: d['cells'] for d in found}
    for d in those:
        before = plain.get(d['kernel'].split('+')[0], {})
        for name, got in d['cells'].items():
            was = before.get(name)
            out.append(f'| {d["kernel"]} | {name} | {_text(got)} | '
                       f'{_text(was) if was else "not run"} |')
    return out


def _senseless() -> List[str]:
    out = ['', '## Cells that make no sense', '']
    why: Dict[str, List[str]] = {}
    for who in WHO:
        for method in METHODS:
            for work in WORKS:
                reason = senseless(Cell(method, work, who))
                if reason:
                    why.setdefault(reason, []).append(who)
    return out + [f'- {reason} ({", ".join(dict.fromkeys(whose))}, '
                  f'{len(whose)} cells)' for reason, whose in why.items()]


def text(found: List[Dict], rules: Sequence[known.Rule] = ()) -> str:
    """The page; found: of every kernel, as store.everything() has them."""
    found = [_of_now(d) for d in found]
    out = [_INTRO.rstrip()]
    out += _rows('method', METHODS) + _rows('work', WORKS) + _rows('who', WHO)
    plain = [d for d in found if '+' not in d['kernel']]
    if len(plain) > 1:
        out += _together(plain)
    for d in plain:
        out += _kernel(d, list(rules))
    if any('+' in d['kernel'] for d in found):
        out += _patched([d for d in found if '+' in d['kernel']], found)
    return '\n'.join(out + _senseless()) + '\n'


def write(repo: str, found: List[Dict]) -> str:
    """The page, of these results and of those beside it, and those again."""
    path, data = (os.path.join(repo, x) for x in (PAGE, DATA))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    found = store.joined(found + store.handed_over(data))
    store.hand_over(data, found)
    cache.write_atomic(path, text(found, known.load(repo)).encode())
    return path
