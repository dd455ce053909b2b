# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs of a reproducer came to: the count, and the record that is kept.

A record is what is stored of one entry on one kernel, and what docs/races.md is
made from (racetable.py).
"""

from __future__ import annotations

from typing import Dict, List, Optional

from . import race
from .race import CANNOT_RUN, Entry, Verdict


class Tally:
    """What the runs of one entry on one kernel came to."""

    def __init__(self, entry: Entry, kernel_name: str):
        self.entry = entry
        self.kernel = kernel_name
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
        words = {v.word for v in self.all}
        if self.before:
            words.add(self.before['verdict'])
        return words.pop() if len(words) == 1 and 'DIFFERS' not in words \
            else ''

    @property
    def expected(self) -> Optional[str]:
        return self.entry.expected(self.kernel)

    @property
    def good(self) -> bool:
        """All runs alike, and as the header expects if it does."""
        if self.expected:
            return self.verdict == self.expected
        return self.verdict not in ('', CANNOT_RUN)

    def counts(self) -> str:
        """'100/100 from a snapshot, 5/5 cold': runs that had the verdict."""
        word = self.verdict or self.expected or race.REPRODUCED
        out = []
        for runs, name in ((self.snapshot, 'from a snapshot'),
                           (self.cold, 'cold')):
            if runs:
                n = sum(1 for v in runs if v.word == word)
                out.append(f'{n}/{len(runs)} {name}')
        return ', '.join(out)

    def record(self) -> Dict:
        word = self.verdict or self.expected or race.REPRODUCED
        last = next((v for v in reversed(self.all) if v.word == word),
                    self.all[-1] if self.all else Verdict(word, [], '', []))
        seen = sorted({s for v in self.all for s in v.signs})
        return {
            'race': self.entry.id_on(self.kernel), 'name': self.entry.name,
            'kernel': self.kernel, 'release': self.release,
            'verdict': self.verdict or 'DIFFERS', 'expected': self.expected,
            'of': word,
            'snapshot': [sum(v.word == word for v in self.snapshot),
                         len(self.snapshot)],
            'cold': [sum(v.word == word for v in self.cold), len(self.cold)],
            'signs': seen, 'why': last.why, 'facts': last.facts,
            'seconds': round(self.seconds, 1), 'key': self.key,
        }


def joined(new: Dict, old: Dict) -> Dict:
    """A record, with the kind of runs that it lacks from an older one.

    So the runs from a snapshot and the cold ones can be made by two commands.
    An older record is of use only if it is of the same program, QEMU and kernel.
    """
    out = dict(new)
    if old.get('key') != new['key'] or not new['key']:
        return out
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
