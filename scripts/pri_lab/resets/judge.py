# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of a cell, from the guest's console and its program's lines."""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple

from ..iommu import kind
from ..races import race
from ..results import splat

OK, HANGS, SPLAT, DMA, DATA, REFUSED, CANNOT = (
    'OK', 'hangs', 'splat', 'DMA error', 'data wrong', 'refused',
    'cannot run')
ENOUGH = 30         # time-outs, after which no end of them is waited for
BAD = (HANGS, SPLAT, DMA, DATA)         # of the kernel's doing
_CELL = re.compile(r'^\s*# cell: (\S+) ?(.*)$')
_NOTE = re.compile(r'^\s*# [\w-]+\.c:\d+: (.*)')
_DATA = re.compile(r'byte|pattern|stamp|crc', re.I)
# a CPU that takes no interrupt any more, or waits for one that does not
_HANG = re.compile(r'hard LOCKUP|soft lockup|rcu\S*: INFO: .*detected|'
                   r'INFO: (?:task .* blocked|rcu\S* (?:self-)?detected)')
_LOCKED = re.compile(r'detected hard LOCKUP')
TIMEOUT, FAULT = kind.load().inv_timeout, kind.load().fault
# kernels without SVA, iommufd, ...
_SKIP = re.compile(r'# SKIP (.*)$')


class Judged(NamedTuple):
    verdict: str
    why: str
    facts: List[str]

    @property
    def text(self) -> str:
        return f'{self.verdict}: {self.why}' if self.why else self.verdict


def _said(ktap: List[str]) -> Dict[str, List[str]]:
    out: Dict[str, List[str]] = {}
    for line in ktap:
        m = _CELL.match(line)
        if m:
            out.setdefault(m.group(1), []).append(m.group(2).strip())
    return out


def timeouts(console: List[str]) -> int:
    """Invalidations that timed out so far."""
    return sum(1 for x in console if TIMEOUT.search(x))


def no_more(console: List[str]) -> bool:
    """Nothing that comes after it would change the verdict: so many
    time-outs, or a CPU that has not taken an interrupt for ten seconds."""
    return timeouts(console) >= ENOUGH or \
        any(_LOCKED.search(x) for x in console)


def _hang(block: List[str]) -> bool:
    return bool(_HANG.search(splat.strip_stamp(block[0])))


def _how_long(said: Dict[str, List[str]], console: List[str]) -> str:
    """How many timed out that the work is not to blame for."""
    n = timeouts(console) - sum(int(x) for x in said.get('timeouts', []))
    if n <= 0:
        return ''
    return f'{n} invalidation{"s" * (n > 1)} timed out'


def judge(console: List[str], ktap: List[str], end: str) -> Judged:
    """end: of the run, as race.judge() has it."""
    said = _said(ktap)
    at = said.get('at', [''])[-1]
    log = race.log(console, ktap)
    facts = said.get('note', []) + [f'{x} ms' for x in said.get('ms', [])]
    splats = splat.find('\n'.join(log))
    unknown = [b for b in splats if not splat.known(b)]
    facts += [f'known: {p}' for p in dict.fromkeys(
        splat.known(b) for b in splats) if p]
    waited = _how_long(said, log)
    stuck = next((x for x in ktap if x.strip().startswith(race.STUCK)), '')
    skip = next((m.group(1) for m in map(_SKIP.search, ktap) if m), '')
    failed = next((m.group(1) for m in map(_NOTE.match, ktap) if m), '')

    def out(verdict: str, why: str) -> Judged:
        return Judged(verdict, why, facts + ([waited] if waited and
                                             waited not in why else []))

    facts += said.get('lost', []) + said.get('data', [])
    begun = at not in ('', 'setup')
    bugs = [b for b in unknown if not _hang(b)]
    if bugs and begun:
        return out(SPLAT, splat.strip_stamp(bugs[0][0]).strip())
    if unknown and begun:
        return out(HANGS, f'{splat.strip_stamp(unknown[0][0]).strip()}, at '
                   f'{at}' + (f'; {waited}' * bool(waited)))
    if stuck:
        return out(HANGS if begun else CANNOT,
                   f'no end after {stuck.split("after")[-1].strip()}, at '
                   f'{at or "the beginning"}' + (f'; {waited}' * bool(waited)))
    if timeouts(log) >= ENOUGH and begun and at != 'done':
        return out(HANGS, f'an end of it was not waited for, at {at}; '
                   f'{waited}')
    if skip:
        return out(REFUSED, skip)
    if not begun:
        return out(CANNOT, failed or race.no_end(ktap, end))
    if 'data' in said:
        return out(DATA, said['data'][0])
    if 'lost' in said:
        return out(DMA, said['lost'][0])
    if at != 'done':
        why = failed or race.no_end(ktap, end)
        return out(DATA if _DATA.search(why) else DMA, why)
    if waited:
        return out(HANGS, waited)
    if 'refused' in said:
        return out(REFUSED, said['refused'][0])
    fault = next((x for x in log if FAULT.search(x)), '')
    if fault and 'faults' not in said:
        return out(DMA, splat.strip_stamp(fault).strip())
    return out(OK, '')
