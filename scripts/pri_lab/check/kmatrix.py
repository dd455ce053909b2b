# SPDX-License-Identifier: GPL-2.0-or-later
"""`check --kernel all`: the guest jobs on many kernels, as one table.

A column is a kernel; it is kept in the clone's work directory, so that
kernels can be run one by one and docs/kernels.md shows the last result of
each.  The page's own columns are in docs/results/kernels.json, so that a new
clone can add to it.  A kernel whose source is not available is a column of
skips; one that does not build, or whose guest dies, is a failure.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Dict, List, NamedTuple, Tuple

from ..core import cache, proc
from ..linux import matrix
from ..machine import jobs, vm
from ..own.kernelcmd import columns as line_up
from ..results import junit
from ..results.ktap import FAIL, NOT_RUN, PASS, SKIP, Result

STATE = 'kernel-matrix.json'
PAGE = os.path.join('docs', 'kernels.md')
DATA = os.path.join('docs', 'results', 'kernels.json')
WORD = {PASS: 'ok', FAIL: 'FAIL', SKIP: 'skip', NOT_RUN: 'not run'}
ABSENT = ''                     # a cell of a test that a kernel does not have


class Column(NamedTuple):
    kernel: str                 # as --kernel named it
    release: str                # uname -r, '' if there was no kernel
    version: str                # of its source, '' for the user's own
    commit: str                 # of this repository
    date: str
    problem: str                # why there are no results, or ''
    results: List[Result]
    config: str = ''            # fragments on top of base.config

    @property
    def counts(self) -> Dict[str, int]:
        return {s: sum(r.status == s for r in self.results) for s in WORD}


def commit_of(repo: str) -> str:
    return proc.git(repo, 'describe', '--always', '--dirty',
                    '--exclude=*').strip() or '?'


def config_names(configs: List[str]) -> str:
    """What --config gave, in short."""
    return ', '.join(os.path.basename(c).partition('.')[0] for c in configs)


def without_kernel(name: str, status: str, why: str, repo: str) -> Column:
    """A column for a kernel that ran nothing."""
    return Column(name, '', '', commit_of(repo), today(), why,
                  [Result('kernel', status, why)])


def today() -> str:
    return time.strftime('%Y-%m-%d', time.gmtime())


# -- running ------------------------------------------------------------------

def guest_jobs(repo: str, names: List[str]) -> List[str]:
    """Jobs for the names after `check`; all, if there are none."""
    own = jobs.own_machine(repo)
    if not names or names == ['guest']:
        return ['all'] + own
    out = []
    for n in names:
        by_test = {'guest-' + os.path.basename(j): j for j in own}
        out.append({'guest': 'all', **by_test}.get(n, n))
    return out


def driver_result(warnings: List[str]) -> Result:
    """How the driver built against the kernel."""
    return Result('driver: builds without warnings',
                  FAIL if warnings else PASS,
                  warnings[0] if warnings else '')


def job_results(job: str, out: vm.Outcome) -> List[Result]:
    """Results of one boot, names made unique among all jobs."""
    prefix = '' if job == 'all' else f'{job}/'
    got = [Result(prefix + r.name, r.status, r.reason)
           for r in out.reader.results]
    bad = list(out.troubles)
    for block in out.splats:
        bad.append(block[0].strip())
    got.append(Result(f'{job}: {vm.ENDED}', FAIL if bad else PASS,
                      '; '.join(bad)))
    return got


# -- what is kept -------------------------------------------------------------

def load(work: str) -> Dict[str, Column]:
    try:
        with open(os.path.join(work, STATE), encoding='utf-8') as f:
            raw: List[Dict[str, Any]] = json.load(f)
        for c in raw:
            c['results'] = [Result(*r) for r in c['results']]
        return {c['kernel']: Column(**c) for c in raw}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def store(work: str, new: List[Column]) -> Dict[str, Column]:
    """Keep new columns beside the older ones of other kernels."""
    have = load(work)
    have.update({c.kernel: c for c in new})
    cache.write_atomic(os.path.join(work, STATE), json.dumps(
        [c._asdict() for c in have.values()], indent=1).encode())
    return have


def _line(r: Result) -> str:
    return f'{WORD[r.status]}: {r.name}' + (f' # {r.reason}' if r.reason
                                            else '')


def _result(line: str) -> Result:
    word, _, rest = line.partition(': ')
    name, _, reason = rest.partition(' # ')
    return Result(name, {w: s for s, w in WORD.items()}[word], reason)


def page_data(cols: List[Column]) -> str:
    """docs/results/kernels.json: the columns of the page, a line a result."""
    return json.dumps([{**c._asdict(), 'results': [_line(r) for r in c.results]}
                       for c in cols], indent=1) + '\n'


def of_page(repo: str) -> Dict[str, Column]:
    """The columns that the page has."""
    try:
        with open(os.path.join(repo, DATA), encoding='utf-8') as f:
            raw: List[Dict[str, Any]] = json.load(f)
    except FileNotFoundError:
        return {}
    for c in raw:
        c['results'] = [_result(r) for r in c['results']]
    return {c['kernel']: Column(**c) for c in raw}


# -- the table ----------------------------------------------------------------

def group_of(test: str) -> str:
    """The program a test belongs to."""
    head = test.split(': ', 1)[0]
    if head.startswith(tuple(d + '/' for d in jobs.OWN)):
        return '/'.join(head.split('/')[:2])
    return head.split('/', 1)[0]


def suites(cols: List[Column]) -> List[junit.Suite]:
    """For --junit: one a kernel and program."""
    out: Dict[str, List[Result]] = {}
    for c in cols:
        for r in c.results:
            out.setdefault(f'{c.kernel}/{group_of(r.name)}', []).append(r)
    return [junit.Suite(name, results) for name, results in out.items()]


def tests_of(cols: List[Column]) -> List[str]:
    """All tests in the order in which they ran first."""
    seen: Dict[str, None] = {}
    for c in cols:
        for r in c.results:
            seen.setdefault(r.name)
    return list(seen)


def cells(cols: List[Column]) -> Dict[str, Dict[str, str]]:
    """test -> kernel -> ok, FAIL, skip; the worst, if it ran twice."""
    out: Dict[str, Dict[str, str]] = {t: {} for t in tests_of(cols)}
    rank = [ABSENT, WORD[PASS], WORD[SKIP], WORD[NOT_RUN], WORD[FAIL]]
    for c in cols:
        for r in c.results:
            old = out[r.name].get(c.kernel, ABSENT)
            out[r.name][c.kernel] = max(old, WORD[r.status], key=rank.index)
    return out


def summary_cell(words: List[str]) -> str:
    """'12 ok', '3 ok, 1 FAIL', '-' for a program that did not run."""
    parts = [f'{words.count(w)} {w}' for w in ('ok', 'FAIL', 'not run', 'skip')
             if w in words]
    return ', '.join(parts) or '-'


def rows(cols: List[Column]) -> List[Tuple[str, ...]]:
    """One row a program, and below it one a test that is not ok on all."""
    grid = cells(cols)
    groups: Dict[str, List[str]] = {}
    for t in grid:
        groups.setdefault(group_of(t), []).append(t)
    out: List[Tuple[str, ...]] = []
    for group, tests in groups.items():
        out.append((group,) + tuple(summary_cell(
            [grid[t].get(c.kernel, ABSENT) for t in tests]) for c in cols))
        for t in tests:
            words = tuple(grid[t].get(c.kernel, ABSENT) or '-'
                          for c in cols)
            if t != group and set(words) != {'ok'}:
                out.append(('  ' + t[len(group):].lstrip('/: '),) + words)
    out.append(('total',) + tuple(summary_cell(
        [grid[t].get(c.kernel, ABSENT) for t in grid]) for c in cols))
    return out


def reasons(cols: List[Column]) -> List[str]:
    """Why something was skipped or failed: one line a kernel and reason."""
    out = []
    for c in cols:
        why: Dict[Tuple[str, str], List[str]] = {}
        for r in c.results:
            if r.status != PASS:
                why.setdefault((WORD[r.status], r.reason or
                                'no reason given'), []).append(r.name)
        for (word, reason), tests in why.items():
            out.append(f'{c.kernel}: {word}: {reason}: {_some(tests)}')
    return out


def _some(tests: List[str], limit: int = 4) -> str:
    more = len(tests) - limit
    return ', '.join(tests[:limit]) + (f' and {more} more' if more > 0
                                       else '')


def text(cols: List[Column]) -> List[str]:
    """The matrix for a terminal, reasons below it."""
    grid = [('test',) + tuple(c.kernel for c in cols)] + rows(cols)
    lines = line_up(grid)
    rule = '-' * max(len(x) for x in lines)
    return [lines[0], rule] + lines[1:-1] + [rule, lines[-1]] + \
        [''] + reasons(cols)


def ordered(cols: Dict[str, Column], entries) -> List[Column]:
    """Columns in the order of the matrix file, the user's own last."""
    place = {n: i for i, n in enumerate(entries)}
    return sorted(cols.values(),
                  key=lambda c: (place.get(c.kernel, len(place)), c.kernel))


def _config(c: Column) -> str:
    if not c.version or c.kernel.startswith('debian'):
        return 'its own'
    return ' + '.join(['base'] + ([c.config] if c.config else []))


def _not_run(cols: List[Column], notes: Dict[str, str]) -> List[str]:
    names = sorted(set(notes) - {c.kernel for c in cols},
                   key=list(notes).index)
    return ['Not run by it: ' + ', '.join(names) + '.', ''] if names else []


def page(cols: List[Column], notes: Dict[str, str]) -> str:
    """docs/kernels.md; notes are those of all kernels of the matrix."""
    out = ['# Kernels', '',
           'Written by `./pri-lab kernel report` from the last runs of',
           '`./pri-lab check --kernel all` (or a list of names). A program\'s '
           'row counts its', 'tests; below it are those that are not ok on '
           'every kernel. Each column is as old', 'as its run; a test that came '
           'later has a `-`.', '', *_not_run(cols, notes),
           '| kernel | release | source | config | run | ok | FAIL | skip | |',
           '|---|---|---|---|---|--:|--:|--:|---|']
    for c in cols:
        n = c.counts
        out.append(f'| {c.kernel} | {c.release or "-"} | {c.version or "-"} '
                   f'| {_config(c)} '
                   f'| {c.date}, {c.commit} | {n[PASS]} | {n[FAIL]} | '
                   f'{n[SKIP]} | {c.problem or notes.get(c.kernel, "")} |')
    out += ['', '| test | ' + ' | '.join(c.kernel for c in cols) + ' |',
            '|---|' + '---|' * len(cols)]
    for r in rows(cols):
        name = f'&nbsp;&nbsp;{r[0].strip()}' if r[0].startswith(' ') \
            else f'**{r[0]}**'
        out.append('| ' + ' | '.join((name,) + r[1:]) + ' |')
    why = reasons(cols)
    if why:
        out += ['', '## Why', ''] + [f'- {x}' for x in why]
    return '\n'.join(out) + '\n'


def write_page(repo: str, work: str) -> str:
    """Write docs/kernels.md; its path, '' if nothing was run yet.

    A kernel that was not run in this clone keeps its column; of two runs the
    later one counts.
    """
    cols = of_page(repo)
    for name, c in load(work).items():
        if name not in cols or c.date >= cols[name].date:
            cols[name] = c
    if not cols:
        return ''
    entries = matrix.load(repo)
    notes = {e.name: e.note for e in entries.values()}
    path = os.path.join(repo, PAGE)
    rows_of = ordered(cols, entries)
    cache.write_if_changed(path, page(rows_of, notes).encode())
    cache.write_if_changed(os.path.join(repo, DATA),
                           page_data(rows_of).encode())
    return path
