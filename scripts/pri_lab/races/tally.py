# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of runs of a reproducer: the count, and the record that is kept.

A record is what is stored of one entry on one kernel, and what docs/races.md is
made from (racetable.py).
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Dict, List, Optional

from . import race
from ..core.errors import (EXIT_CANNOT, EXIT_DIFFER, EXIT_FAIL, EXIT_GOOD,
                           EXIT_UNTESTABLE)
from .race import CANNOT_RUN, Entry, Verdict


class Tally:
    """The result of the runs of one entry on one kernel."""

    def __init__(self, entry: Entry, kernel_name: str, expect: str = ''):
        """expect: 'yes' or 'no' instead of what the header says, or ''."""
        self.entry = entry
        self._expect = expect
        self.own = False            # a kernel of the user's, without a name
        self.unfit = ''             # why it could not be run at all
        self.exact = False          # its runs are all the same one
        self.inexact = ''           # why not, unless that is what was asked for
        self.kernel = kernel_name
        self.asked = kernel_name    # as --kernel names it, without --config
        self.release = ''
        self.snapshot: List[Verdict] = []
        self.cold: List[Verdict] = []
        self.seconds = 0.0
        self.logdir = ''
        self.key = ''               # of what was run: program, QEMU, kernel
        self.before: Optional[Dict] = None      # record to add to

    @property
    def all(self) -> List[Verdict]:
        return self.snapshot + self.cold

    @property
    def verdict(self) -> str:
        """The one that all runs share; '' if they differ."""
        if self.unfit:
            return CANNOT_RUN
        words = {v.word for v in self.all}
        if self.before:
            words.add(self.before['verdict'])
        return words.pop() if len(words) == 1 and 'DIFFERS' not in words \
            else ''

    @property
    def expected(self) -> Optional[str]:
        if self._expect:
            return race.WORDS[self._expect]
        return self.entry.expected(self.kernel)

    @property
    def seen(self) -> bool:
        """REPRODUCED at least once."""
        return any(v.word == race.REPRODUCED for v in self.all) or bool(
            self.before and self.before['verdict'] == race.REPRODUCED)

    @property
    def several(self) -> int:
        """Hashes of exact runs, if there is more than one; else 0."""
        n = len(set(ways(self.all)).union(
            self.before['hashes'] if self.before else ()))
        return n if self.exact and n > 1 else 0

    @property
    def status(self) -> int:
        """Exit status of a command that ran this one alone."""
        if self.verdict == CANNOT_RUN:
            return EXIT_CANNOT
        if not self.verdict or self.several:
            return EXIT_DIFFER
        return EXIT_GOOD if self.expected in (None, self.verdict) \
            else EXIT_FAIL

    @property
    def good(self) -> bool:
        """All runs alike, and as is expected if something is."""
        return self.status == EXIT_GOOD

    def counts(self) -> str:
        """'100/100 from a snapshot, 5/5 cold': runs that had the verdict."""
        word = self.verdict or self.expected or race.REPRODUCED
        out = []
        for runs, name in ((self.snapshot, 'from a snapshot'),
                           (self.cold, 'cold')):
            if runs:
                n = sum(1 for v in runs if v.word == word)
                out.append(f'{n}/{len(runs)} {name}')
        hashes = len(ways(self.all))
        return ', '.join(out) + ('' if not hashes else ', one hash'
                                 if hashes == 1 else f', {hashes} hashes')

    def lines(self) -> List[str]:
        """What came of it, for a person; the last line names the logs."""
        e = self.entry
        out = [f'{e.id_on(self.kernel)} {e.name}, '
               f'kernel {self.release or self.kernel}'
               + (f' ({self.kernel})' if self.release else '')]
        word = self.verdict or 'THE RUNS DIFFER'
        expected = ('as expected' if self.verdict == self.expected else
                    f'EXPECTED {self.expected}') if self.expected else \
            'nothing is expected of this kernel'
        if self.all:
            out.append(f'  {word}: {self.counts()} ({expected}, '
                       f'{self.seconds:.0f} s)')
        elif self.unfit:
            out.append(f'  {CANNOT_RUN}: {self.unfit}')
        else:
            out.append(f'  {word}: nothing left to run ({expected})')
        return out + self._details() + [
            f'  logs: {self.logdir or "none, nothing was run"}']

    def _details(self) -> List[str]:
        r = self.record()
        out = [_before(r, self.before)] if self.before else []
        if self.inexact:
            out.append(f'  not exact: {self.inexact}')
        if self.several:
            out.append(f'  {self.several} hashes: these runs should be one, '
                       'but something of the host is in them; please report')
        for s in r['signs']:
            n = sum(1 for v in self.all if s in v.signs)
            out.append(f'  sign: {s} ({n} of {len(self.all)})')
        out += [f'  {fact}' for fact in r['facts']]
        for why in sorted({v.why for v in self.all if v.why}):
            n = sum(1 for v in self.all if v.why == why)
            out.append(f'  {CANNOT_RUN} ({n}): {why}')
        return out

    def record(self) -> Dict:
        word = self.verdict or self.expected or race.REPRODUCED
        last = next((v for v in reversed(self.all) if v.word == word),
                    self.all[-1] if self.all
                    else Verdict(word, [], self.unfit, []))
        seen = sorted({s for v in self.all for s in v.signs})
        return {
            'race': self.entry.id_on(self.kernel), 'name': self.entry.name,
            'kernel': self.kernel, 'release': self.release,
            'verdict': self.verdict or 'DIFFERS', 'expected': self.expected,
            'of': word,
            'snapshot': [sum(v.word == word for v in self.snapshot),
                         len(self.snapshot)],
            'cold': [sum(v.word == word for v in self.cold), len(self.cold)],
            'hashes': ways(self.all) if self.exact else [],
            'exact': self.exact and len(ways(self.all)) == 1,
            'signs': seen, 'why': last.why, 'facts': last.facts,
            'seconds': round(self.seconds, 1), 'key': self.key,
        }


def ways(runs: List[Verdict]) -> List[str]:
    """In which ways they went, as far as that is known."""
    return sorted({v.run for v in runs if v.run})


def _before(r: Dict, old: Dict) -> str:
    return '  with the runs before: ' + ', '.join(
        f'{a + c}/{b + d} {kind}' for kind, (a, b), (c, d) in (
            ('from a snapshot', r['snapshot'], old['snapshot']),
            ('cold', r['cold'], old['cold'])))


def so_far(done: List[Verdict], start: float) -> str:
    """', 12 REPRODUCED, 1.3 s each': what there is so far."""
    if not done:
        return ''
    words = [f'{n} {word}' for word, n in
             Counter(v.word for v in done).most_common()]
    each = (time.monotonic() - start) / len(done)
    return ', ' + ', '.join(words) + f', {each:.1f} s each'


def bisect_status(tallies: List[Tally]) -> int:
    """For `git bisect run`: one that was REPRODUCED once is there; that it is
    not there all runs must say."""
    if any(t.seen for t in tallies):
        return EXIT_FAIL
    return EXIT_GOOD if all(t.verdict == race.NOT_REPRODUCED
                            for t in tallies) else EXIT_UNTESTABLE


def summary(tallies: List[Tally]) -> str:
    """'3 as expected, 1 not, 2 without an expectation'."""
    told = [t for t in tallies if t.expected or not t.good]
    good = sum(t.good for t in told)
    out = f'{good} as expected, {len(told) - good} not'
    if len(told) < len(tallies):
        out += f', {len(tallies) - len(told)} without an expectation'
    return out


def _one_hash(out: Dict, old: Dict) -> None:
    """The hashes of both, and whether they are the same one."""
    out['hashes'] = sorted(set(out['hashes']).union(old['hashes']))
    out['exact'] = len(out['hashes']) == 1


def joined(new: Dict, old: Dict) -> Dict:
    """A record, with the kind of runs that it lacks from an older one.

    So the runs from a snapshot and the cold ones can be made by two commands.
    An older record is of use only if it is of the same program, QEMU and kernel.
    """
    out = dict(new)
    if old.get('key') != new['key'] or not new['key']:
        return out
    _one_hash(out, old)
    for kind in ('snapshot', 'cold'):
        if not new[kind][1] and old[kind][1]:
            out[kind] = old[kind]
            out['seconds'] = round(new['seconds'] + old['seconds'], 1)
            out['signs'] = sorted(set(new['signs']) | set(old['signs']))
            if old['verdict'] != new['verdict']:
                out['verdict'] = 'DIFFERS'
    return out


def added(new: Dict, old: Dict) -> Dict:
    """A record of the runs of both, for --resume."""
    out = dict(new)
    _one_hash(out, old)
    for kind in ('snapshot', 'cold'):
        of = old[kind][0] if old['of'] == new['of'] else 0
        out[kind] = [new[kind][0] + of, new[kind][1] + old[kind][1]]
    for what in ('why', 'facts', 'release'):
        out[what] = new[what] or old[what]
    out['seconds'] = round(new['seconds'] + old['seconds'], 1)
    out['signs'] = sorted(set(new['signs']) | set(old['signs']))
    if old['verdict'] != new['verdict']:
        out['verdict'] = 'DIFFERS'
    return out
