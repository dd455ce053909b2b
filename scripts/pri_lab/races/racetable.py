# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/races.md: which kernel has which race, from what `repro` stored; and
docs/races-PLATFORM.md: the same on another platform, and what differs there."""

from __future__ import annotations

import glob
import json
import os
from typing import Dict, List, Optional, Sequence, Set, Tuple

from . import handed
from ..core import cache
from .race import CANNOT_RUN, Entry, LeftOut, REPRODUCED, left_out

PAGE = os.path.join('docs', 'races.md')
ON_PLATFORM = os.path.join('docs', 'races-{}.md')
OWN = 'own'                     # directory of results of the user's kernels
_HEAD = '''\
# Races

The result of each reproducer of `tests/guest/races` on each kernel it was run
on. This page is written by the last of these commands, from the results there
are in the clone and, for what it has not run, those in `docs/results/races.json`:

    ./pri-lab repro --all
    ./pri-lab repro --all --resume                                  # in pieces
    ./pri-lab repro --all --sample --runs 100 --cold 5              # without a plan
    ./pri-lab repro --table

One cell is one entry on one kernel. `yes` is REPRODUCED and `no` is NOT
REPRODUCED, with the number of runs that had it: N/N from a snapshot taken
before the race, and after `+` those from cold boots, if there were any. `=` says that
all of them were the same run, to the instruction (one hash). What stands without it,
or behind `sample`, are runs without a plan, which are nearly the same. A cell is of the
last time that the entry was run, which may have been some commits ago. A cell in
**bold** is not what the entry's header expects; of kernels that it does not name it
expects nothing. `/plain` is a kernel built with
`--config guest/kernel/plain.config`, without KASAN and the like: what only these
could show cannot run there. `/voluntary` is one with voluntary preemption
(`guest/kernel/voluntary.config`). `7.3+NAME` is Linux 7.3 with
`guest/kernel/bugs/NAME.patch`: a bug that was put back, or the fix of one (`-fix`).
[The front end's manual](manual/pri-lab.md#races) says how an entry is run and judged.

C-... are known bugs and O-... open ones. S-01 to S-12 are the scenarios that
every IOMMU driver argues about: there, `yes` means that something is not as the
specification or the kernel's own documentation promises; `7.3+S-...` without
`-fix` is a bug made up to see that the scenario notices it.
'''

_HEAD_PLATFORM = '''\
# Races on the platform {0}

The result of each reproducer of `tests/guest/races` on a machine with `--platform
{0}` ([platforms](platforms.md)), next to what its header expects of the kernel on the
permissive one ([races](races.md)). This page is written by the last of these
commands, as the other one is:

    ./pri-lab repro --all --platform {0} --resume
    ./pri-lab repro --table --platform {0}

A cell in **bold** is not what the header expects on {0}. Each entry that comes out
otherwise than on the permissive machine is explained below the table.
'''


def load(results: str) -> List[Dict]:
    out = []
    for path in sorted(glob.glob(os.path.join(results, '*.json'))):
        with open(path, encoding='utf-8') as f:
            out.append(json.load(f))
    return out


def of_page(results: str, entries: List[Entry], kernels: Set[str],
            platform: str) -> Tuple[List[Dict], List[str]]:
    """What was run in this clone and is for the page; and the kernels whose
    results are not, as they have patches in a company that `--all` does not
    make (it has others for the same races)."""
    names = {e.name for e in entries}
    mine, other = [], set()
    for r in load(results):
        kernel, _, where = r['kernel'].partition('@')
        if r['name'] not in names or where != platform:
            continue
        if '+' in kernel and kernel not in kernels:
            other.add(kernel)
        else:
            mine.append(r)
    return mine, sorted(other)


def _counts(snapshot: Sequence[int], cold: Sequence[int]) -> str:
    """' 3/3 + 1/1', without a kind of runs that there are none of"""
    return ''.join(f' {sign}{n}/{of}' if of else '' for sign, (n, of) in (
        ('', snapshot), ('+ ', cold)))


def _cell(r: Dict, expected: Optional[str]) -> str:
    if r['verdict'] == CANNOT_RUN:
        text = 'cannot run'
    elif r['verdict'] == 'DIFFERS':
        text = 'differs'
    else:
        text = 'yes' if r['verdict'] == REPRODUCED else 'no'
    if r['verdict'] != CANNOT_RUN:
        text += _counts(r['snapshot'], r['cold'])
        text += ' =' if r.get('exact') else ''
        if r.get('sample'):
            text += f', sample{_counts(*r["sample"])}'
    if expected and expected != r['verdict']:
        text = f'**{text}**'
    return text


def _order(name: str):
    base, *bugs = name.split('+')
    numbers = [int(x) if x.isdigit() else 0
               for x in base.split('/')[0].split('.')]
    return (numbers, bugs)


def _cost(records: List[Dict]) -> List[str]:
    """How long it took: all of it, and the kernel with the most entries, and
    of these the most runs."""
    if not records or any(r['seconds'] is None for r in records):
        return []           # of some it is not known
    total = sum(r['seconds'] for r in records)
    seconds: Dict[str, List[float]] = {}
    for r in records:
        seconds.setdefault(r['kernel'], []).append(r['seconds'])
    runs = {k: sum(r[kind][1] for r in records if r['kernel'] == k
                   for kind in ('snapshot', 'cold')) for k in seconds}
    most = max(sorted(seconds), key=lambda k: (len(seconds[k]), runs[k]))
    return [f'The seconds of all cells, boots included, are '
            f'{total / 60:.0f} minutes; of {most} alone, '
            f'{len(seconds[most])} entries and {runs[most]} runs, '
            f'{sum(seconds[most]) / 60:.0f} minutes. Cells that were run side '
            f'by side (`-j`) took longer each, and less together.']


def _matrix(entries: List[Entry], by_name: Dict[str, List[Dict]],
            without: Sequence[LeftOut]) -> List[str]:
    """Entry by kernel, of kernels without a patch."""
    releases: Dict[str, str] = {}
    cells: Dict[Tuple[str, str], str] = {}
    for e in entries:
        for r in by_name.get(e.name, []):
            if '+' not in r['kernel']:
                cells[e.name, r['kernel']] = _cell(
                    r, e.expected(r['kernel']))
                if r['release'] or r['kernel'] not in releases:
                    releases[r['kernel']] = r['release']
    kernels = sorted(releases, key=_order, reverse=True)
    lines = ['| race | entry | ' + ' | '.join(
        _kernel(k, releases[k]) for k in kernels) + ' |',
        '|---|---|' + '---|' * len(kernels)]
    for e in entries:
        mine = [cells.get((e.name, k), '') for k in kernels]
        if not by_name.get(e.name):
            mine = ['not run'] + mine[1:]
        lines.append(f'| {e.id} | `{e.name}` | ' + ' | '.join(mine) + ' |')
    return lines + [f'| {x.id} | {x.title} | cannot run, see below '
                    + '| ' * len(kernels[1:]) + '|' for x in without]


def _patched(entries: List[Entry], by_name: Dict[str, List[Dict]]
             ) -> List[str]:
    lines = ['| race | entry | kernel | result | seconds |',
             '|---|---|---|---|---|']
    for e in entries:
        for r in sorted(by_name.get(e.name, []),
                        key=lambda r: _order(r['kernel'])):
            if '+' in r['kernel']:
                lines.append(
                    f'| {e.id_on(r["kernel"])} | `{e.name}` | '
                    f'{_kernel(r["kernel"], r["release"])} | '
                    f'{_cell(r, e.expected(r["kernel"]))} | '
                    + (f'{r["seconds"]:.0f} |' if r['seconds'] is not None
                       else ' |'))
    return lines


def _kernel(name: str, release: str) -> str:
    release = release.split('-pri-lab')[0]
    return name + (f' ({release})' if release else '')


def page(entries: List[Entry], records: List[Dict],
         without: Sequence[LeftOut] = ()) -> str:
    """The page; entries without a result are listed as not run, and races
    without an entry as what they are."""
    by_name: Dict[str, List[Dict]] = {}
    for r in records:
        by_name.setdefault(r['name'], []).append(r)
    mine = [r for rs in by_name.values() for r in rs]
    lines = [_HEAD, '## Kernels as they are', '',
             *_matrix(entries, by_name, without), '', *_cost(mine), '',
             '## Kernels with a patch', '', *_patched(entries, by_name), '',
             '## What the entries are', '']
    for e in entries:
        lines += [f'**{", ".join(e.ids)}** `{e.name}`: {e.title}. Who loses: '
                  f'{e.fields["Loses"]} Fix: {e.fields["Fix"]}', '']
        for r in sorted(by_name.get(e.name, []), key=lambda r: r['kernel']):
            if r['verdict'] == CANNOT_RUN and r['why']:
                lines += [f'- {r["kernel"]}: {r["why"]}', '']
    if without:
        lines += ['## What cannot run here, and why', '']
        for x in without:
            lines += [f'**{x.id}** {x.title}: {x.why}.', '']
    return '\n'.join(lines).rstrip() + '\n'


def platform_page(entries: List[Entry], records: List[Dict],
                  platform: str) -> str:
    """What came out on a platform, by entry and kernel, and what differs."""
    lines = [_HEAD_PLATFORM.format(platform),
             f'| race | entry | kernel | permissive | {platform} |',
             '|---|---|---|---|---|']
    why = []
    for e in entries:
        mine = [r for r in records if r['name'] == e.name]
        for r in sorted(mine, key=lambda r: _order(r['kernel'])):
            name = r['kernel'].split('@')[0]
            usual = {REPRODUCED: 'yes', None: ''}.get(e.expected(name), 'no')
            lines.append(
                f'| {e.id_on(name)} | `{e.name}` | '
                f'{_kernel(name, r["release"])} | {usual} | '
                f'{_cell(r, e.expected(r["kernel"]))} |')
            if r['verdict'] == CANNOT_RUN and r['why']:
                why += ['', f'`{e.name}` on {name} cannot run: {r["why"]}.']
        if not mine:
            lines.append(f'| {e.id} | `{e.name}` | | | not run |')
        if e.strict and platform == 'strict':
            why += ['', f'`{e.name}`: {e.why_strict}']
    if not why:
        why = ['', 'What ran came out as its header expects of the permissive '
               'machine, but for cells in bold.']
    return '\n'.join(lines + why) + '\n'


def write(repo: str, results: str, entries: List[Entry], kernels: Set[str],
          platform: str) -> Optional[str]:
    """Write the page from what is stored in `results`, and from what was run
    elsewhere (handed.py), which is joined with it; the page's path, or None
    if there is nothing.  kernels: those with patches that count."""
    mine, _ = of_page(results, entries, kernels, platform)
    given = handed.load(repo)
    records = handed.joined(mine, [r for r in given
                                   if handed.platform(r) == platform], entries)
    if not records:
        return None
    handed.store(repo, records + [r for r in given
                                  if handed.platform(r) != platform])
    path = os.path.join(repo,
                        ON_PLATFORM.format(platform) if platform else PAGE)
    text = platform_page(entries, records, platform) if platform else \
        page(entries, records, left_out(repo))
    cache.write_if_changed(path, text.encode())
    return path
