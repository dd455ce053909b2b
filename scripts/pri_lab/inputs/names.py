# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that a command line can hold, read from the sources alone."""

from __future__ import annotations

import os
import re
from typing import Dict, List, Optional, Tuple

from ..check import check
from ..core.errors import LabError
from ..iommu import kind
from ..machine import jobs
from ..qemu import qemubuild

GUEST = os.path.join('tests', 'guest')
# jobs without a source of their own
NO_SOURCE = ('all', 'shell')
# directories whose programs are no race or scenario
DIRECTORIES = ('machines', 'bench', 'long', 'races', 'scenarios', 'resets')
_TABLE = re.compile(r'struct (?:ktap_test|race_step) \w+\[\] = \{(.*?)\n\};',
                    re.S)
_ROW = re.compile(r'\{\s*"([^"]+)"')
_TEST = re.compile(r"^ *test\('([\w-]+)',(?:(?!^ *test\().)*?suite: '(\w+)'",
                   re.S | re.M)
_UNIT = re.compile(r"^\s*'(test-[\w-]+)':", re.M)


def _read(path: str) -> str:
    with open(path, encoding='utf-8', errors='replace') as f:
        return f.read()


def guest_jobs(repo: str) -> List[str]:
    """Programs that the guest's image will have."""
    top = os.path.join(repo, GUEST)
    text = _read(os.path.join(top, 'Makefile')).replace('\\\n', ' ')
    m = re.search(r'^PROGRAMS\s*:=\s*(.*)$', text, re.M)
    out = m.group(1).split() if m else []
    for d in DIRECTORIES:
        here = os.path.join(top, d)
        for n in sorted(os.listdir(here)) if os.path.isdir(here) else []:
            if n.endswith('.c') and re.search(
                    r'^(?:int main|\w+_MAIN|SCENE)\b', _read(os.path.join(here, n)),
                    re.M):
                out.append(f'{d}/{n[:-2]}')
    return out


def table(text: str) -> List[str]:
    """Names of the tests, or of the steps, in the text of a program."""
    return [n for m in _TABLE.finditer(text) for n in _ROW.findall(m.group(1))]


def values_of(repo: str, job: str) -> List[str]:
    """Names of the arguments NAME=VALUE of a job, as long/stress has."""
    path = os.path.join(repo, GUEST, f'{job}.c')
    return re.findall(r'sscanf\(argv\[\w+\], "(\w+)=%', _read(path)) \
        if os.path.isfile(path) else []


def tests_of(repo: str, job: str) -> Optional[List[str]]:
    """Names of the tests of a job; None if its source has no such table."""
    if job == 'all':
        return [n for j in guest_jobs(repo) if '/' not in j
                for n in tests_of(repo, j) or []]
    path = os.path.join(repo, GUEST, f'{job}.c')
    return table(_read(path)) or None if os.path.isfile(path) else None


def unit_tests(repo: str) -> List[str]:
    path = os.path.join(repo, 'tests', 'unit', 'meson.build')
    return _UNIT.findall(_read(path)) if os.path.isfile(path) else []


def suites(repo: str) -> Dict[str, List[str]]:
    """The tests of `check`: suite -> names."""
    out: Dict[str, List[str]] = {s: [] for s in check.SUITES}
    path = os.path.join(repo, 'meson.build')
    for m in _TEST.finditer(_read(path) if os.path.isfile(path) else ''):
        out.setdefault(m.group(2), []).append(m.group(1))
    out['unit'] += unit_tests(repo)
    out['upstream'] += qemubuild.UPSTREAM_QTESTS
    out['qtest'] += qemubuild.our_qtests(repo)
    out['guest'] += ['guest-' + os.path.basename(j)
                     for j in jobs.own_machine(repo)]
    return out


def of_kind(repo: str, wanted: List[str],
            iommu: kind.Kind) -> Tuple[List[str], int]:
    """Of the suites and tests wanted ([]: all) those that are for this kind of
    machine, and how many are not.  LabError if none is."""
    have = suites(repo)
    mine = {suite: tests for suite, tests in have.items()}
    mine['qtest'] = list(filter(iommu.has_qtest, have['qtest']))
    mine['guest'] = [t for t in have['guest']
                     if iommu.has_program(t[len('guest-'):])]
    mine['upstream'] = [t for t in iommu.qtests if t in have['upstream']]
    left = [t for s in have for t in have[s] if t not in mine[s]
            and (not wanted or t in wanted or s in wanted)]
    if not left:
        return wanted, 0
    chosen = [t for s in mine for t in mine[s] or ([s] if s not in (
        'qtest', 'guest', 'upstream') else []) if not wanted or t in wanted
        or s in wanted]
    if not chosen:
        raise LabError(f'{", ".join(left)}: not for {iommu.name}',
                       'tests.qtest and tests.guest of its file say which are')
    return chosen, len(left)


def check_names(repo: str) -> List[str]:
    """What can stand after `check`: suites, then tests."""
    have = suites(repo)
    return list(have) + [t for tests in have.values() for t in tests
                         if t not in have]
