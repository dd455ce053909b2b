# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts of cells that are written up, or explained."""

from __future__ import annotations

import os
import re
from typing import List, NamedTuple

FILE = os.path.join('docs', 'findings', 'known-resets')


class Rule(NamedTuple):
    series: str                 # regular expressions, but for the last one
    cell: str                   # of METHOD/WORK/WHO
    verdict: str                # of `VERDICT: WHY`
    what: str                   # a page of docs/findings, or why it is so


def rules(text: str) -> List[Rule]:
    """Lines of four columns with two blanks between them; ValueError."""
    out = []
    for line in text.splitlines():
        if not line.strip() or line[0] == '#':
            continue
        words = [w.strip() for w in re.split(r' {2,}', line) if w.strip()]
        if len(words) != 4:
            raise ValueError(f'not four columns: {line}')
        for word in words[:3]:
            re.compile(word)
        out.append(Rule(*words))
    return out


def load(repo: str) -> List[Rule]:
    with open(os.path.join(repo, FILE), encoding='utf-8') as f:
        return rules(f.read())


def what(known: List[Rule], kernel: str, cell: str, verdict: str) -> str:
    """The page, or the words, of the first rule that fits; '' if none does.  A
    rule may name a released version (7.1.3) or its series."""
    name = re.split(r'[/+]', kernel)[0]
    series = '.'.join(name.split('.')[:2])
    return next((r.what for r in known
                 if any(re.fullmatch(r.series, n) for n in (name, series))
                 and re.fullmatch(r.cell, cell)
                 and re.search(r.verdict, verdict)), '')
