# SPDX-License-Identifier: GPL-2.0-or-later
"""The short table at the end of a run.

The guest prints `# stat WORKLOAD NAME VALUE`; one row a workload, columns in
the order in which the names first appear, a sum where a sum means something.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Tuple

_STAT = re.compile(r'\s*# stat (\S+) (\S+) (-?\d+(?:\.\d+)?)$')


def stats(lines: Iterable[str]) -> Tuple[List[str], Dict[str, Dict]]:
    """(column names, workload -> name -> value) of a job's output.

    A workload that reports a name twice is summed, rates excepted.
    """
    columns: List[str] = []
    rows: Dict[str, Dict[str, float]] = {}
    for line in lines:
        m = _STAT.match(line)
        if not m:
            continue
        workload, name, value = m.group(1), m.group(2), float(m.group(3))
        if name not in columns:
            columns.append(name)
        row = rows.setdefault(workload, {})
        if is_rate(name):
            row[name] = value
        else:
            row[name] = row.get(name, 0) + value
    return columns, rows


def is_rate(name: str) -> bool:
    return name.endswith(('_per_second', '/s'))


def _number(value: float) -> str:
    return f'{value:,.0f}' if value == int(value) else f'{value:,.1f}'


def _heading(name: str) -> List[str]:
    """Two lines of heading from a name with underscores."""
    words = name.replace('_per_second', '/s').split('_')
    if len(words) == 1:
        return ['', words[0]]
    return [' '.join(words[:-1]), words[-1]]


def table(lines: Iterable[str]) -> List[str]:
    """The table as lines of text; empty if nothing was reported."""
    columns, rows = stats(lines)
    if not rows:
        return []
    grid = [[''] + [_heading(c)[0] for c in columns],
            ['workload'] + [_heading(c)[1] for c in columns]]
    for workload, row in rows.items():
        grid.append([workload] + [_number(row[c]) if c in row else '-'
                                  for c in columns])
    if len(rows) > 1:
        total = ['all']
        for c in columns:
            total.append('' if is_rate(c) else _number(
                sum(r.get(c, 0) for r in rows.values())))
        grid.append(total)
    widths = [max(len(r[i]) for r in grid) for i in range(len(grid[0]))]
    out = []
    for n, r in enumerate(grid):
        out.append('  '.join([r[0].ljust(widths[0])] + [
            c.rjust(w) for c, w in zip(r[1:], widths[1:])]).rstrip())
        if n == 1 or (len(rows) > 1 and n == len(grid) - 2):
            out.append('-' * (sum(widths) + 2 * (len(widths) - 1)))
    return out
