# SPDX-License-Identifier: GPL-2.0-or-later
"""What --resume continues from.

state.json is for the eye, too.  search.pickle has what the search has learnt;
it is of no use to other versions of the search, which then learns again.
"""

from __future__ import annotations

import json
import os
import pickle
from typing import Dict, List, NamedTuple, Optional

from . import cover, plan, search, trace
from ..core import cache


class Left(NamedTuple):
    """A hit whose shrinking was interrupted."""
    plan: str
    sign: str
    number: int                 # of its schedule
    page: str


def version(seed: int) -> str:
    """Of what makes the search's choices."""
    return cache.key_of(seed, *(cache.file_digest(str(m.__file__))
                                for m in (cover, plan, search, trace)))


class State:
    def __init__(self, directory: str):
        self.path = os.path.join(directory, 'state.json')
        self.learnt = os.path.join(directory, 'search.pickle')
        self.coverage = cover.Coverage()
        self.runs = 0
        self.seconds = 0.0
        self.signs: Dict[str, List] = {}        # sign -> [times, first, page]
        self.led: List[str] = []        # signs that came first in a run
        self.tried: List[str] = []
        self.open: List[str] = []       # plans under way
        self.left: List[Left] = []      # hits under way
        self.hits: List[str] = []       # names of files
        self.longest = 0                # instructions of a run that ended
        self.key = ''

    def load(self, key: str) -> bool:
        """False: nothing, or of other bytes."""
        try:
            with open(self.path, encoding='utf-8') as f:
                d = json.load(f)
        except (OSError, ValueError):
            return False
        if d.get('key') != key:
            return False
        self.runs, self.seconds = d['runs'], d['seconds']
        self.signs, self.tried = d['signs'], d['tried']
        self.led, self.open = d.get('led', []), d.get('open', [])
        self.left = [Left(*x) for x in d.get('left', ())]
        self.hits, self.longest = d.get('hits', []), d.get('longest', 0)
        c = self.coverage
        c.seen = {(x[0], x[1]) for x in d['seen']}
        c.all = {frozenset(x) for x in d['all']}
        c.runs, c.new_at = d['runs'], d['new_at']
        c.code = set(d.get('code', ()))
        return True

    def store(self, made: Optional[search.Search] = None,
              seed: int = 0) -> None:
        """Both are of one moment, or the pickle is not used."""
        c = self.coverage
        if made is not None:
            cache.write_atomic(self.learnt, pickle.dumps(
                (version(seed), self.runs, made.learnt())))
        cache.write_atomic(self.path, json.dumps(dict(
            key=self.key, runs=self.runs, seconds=self.seconds,
            signs=self.signs, led=self.led, tried=self.tried, open=self.open,
            left=self.left, hits=self.hits, longest=self.longest,
            seen=sorted(c.seen), all=sorted(sorted(x) for x in c.all), code=sorted(c.code),
            new_at=c.new_at)).encode())

    def teach(self, made: search.Search, seed: int) -> bool:
        """What the search knew at that moment; False: it learns again, and
        tries no plan with a point again."""
        try:
            with open(self.learnt, 'rb') as f:
                made_by, runs, learnt = pickle.load(f)
        except (OSError, ValueError, EOFError, pickle.UnpicklingError,
                AttributeError, ImportError):
            made_by, runs, learnt = '', -1, {}
        if (made_by, runs) == (version(seed), self.runs):
            made.learn_from(learnt)
            return True
        made.tried |= {p.key() for p in map(plan.parse, self.tried)
                       if p.points}
        return False
