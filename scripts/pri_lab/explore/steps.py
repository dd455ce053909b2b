# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of steps: run them in every order, until one goes wrong.

All runs start from one snapshot.  An order is a word: its letters are the
steps, as the program numbers them.
"""

from __future__ import annotations

import itertools
import math
import os
import random
from typing import List, Optional

from ..core import requests
from ..core.context import Context
from ..core.errors import LabError
from ..evidence import results
from ..linux import kernel
from ..races import race
from ..races.race import REPRODUCED, Verdict
from ..reproduce.machines import Machines

DEPTH = 4
RUNS = 200                      # orders to try, unless told
LETTERS = 'abcdefghijklmnopqrstuvwxyz'


def orders(steps: int, depth: int, limit: int, seed: int) -> List[str]:
    """Orders of `depth` different steps: all of them, or `limit` random ones
    if there are more."""
    depth = min(depth, steps)
    if math.perm(steps, depth) <= limit:
        return [''.join(x) for x in
                itertools.permutations(LETTERS[:steps], depth)]
    rng = random.Random(seed)
    out: List[str] = []
    seen = set()
    while len(out) < limit:
        word = ''.join(rng.sample(LETTERS[:steps], depth))
        if word not in seen:
            seen.add(word)
            out.append(word)
    return out


def names(order: str, steps: List[str]) -> str:
    return ', '.join(steps[LETTERS.index(c)] for c in order)


class Explore:
    """Of one scenario after another."""

    def __init__(self, ctx: Context, options: requests.Explore, job: Machines):
        self.ctx = ctx
        self.options = options
        self.ui = ctx.ui
        self.job = job

    def run(self, entry: race.Entry, which: str) -> int:
        """0: no order went wrong, 1: one did and is printed."""
        logdir = self.job.new_logdir(entry, which)
        self.job.prepare()
        runner = self.job.runner(which, entry)
        self.ui.plan(1)
        try:
            with self.ui.step(f'{entry.name} on {which}') as step:
                s, trouble = runner.ready(entry, logdir, step)
                if s is None:
                    assert trouble is not None
                    raise LabError(f'{entry.name} cannot run: '
                                   f'{trouble.why}', log=logdir)
                steps = self._steps(s.out.ktap)
                todo = self._todo(len(steps))
                for n, order in enumerate(todo):
                    step.note = f'order {n + 1} of {len(todo)}: {order}'
                    s.load('ready')
                    s.cont()
                    verdict = runner.race(entry, s, os.path.join(
                        logdir, f'{n + 1:04}-{order}'), order)
                    if verdict.word != race.NOT_REPRODUCED:
                        step.done(f'order {n + 1} went wrong')
                        self._tell(which, entry, todo[:n + 1], verdict, logdir)
                        return self._found(which, entry, order, steps,
                                           verdict, logdir)
                step.done('nothing went wrong')
                self._tell(which, entry, todo, None, logdir)
        finally:
            self.job.close()
        self.ui.result(f'{len(todo)} orders of {entry.name} on {which}: '
                       'nothing went wrong')
        self.ui.result(f'  logs: {logdir}')
        return 0

    def _tell(self, which: str, entry: race.Entry, tried: List[str],
              verdict: Optional[Verdict], logdir: str) -> None:
        """For --json."""
        m = self.job.machine(which)
        self.ctx.outcome.found.append(results.checked('steps', dict(
            scenario=entry.name, machine=results.machine(which, m, ''),
            seed=self.options.seed, depth=self.options.depth or DEPTH,
            orders=len(tried), order=tried[-1] if verdict else '',
            verdict=verdict.word if verdict else '',
            signs=list(verdict.signs) if verdict else [], logs=logdir)))

    def _steps(self, ktap: List[str]) -> List[str]:
        for line in ktap:
            if line.startswith(race.STEPS):
                return line[len(race.STEPS):].split()
        raise LabError('the scenario does not say what its steps are')

    def _todo(self, steps: int) -> List[str]:
        if self.options.order:
            bad = set(self.options.order) - set(LETTERS[:steps])
            if bad:
                raise LabError(f'--order {self.options.order}: there is no '
                               f'step {min(bad)}',
                               f'the steps are {LETTERS[:steps]}')
            return [self.options.order]
        runs = self.options.runs if self.options.runs > 0 else RUNS
        return orders(steps, self.options.depth or DEPTH, runs,
                      self.options.seed)

    def _found(self, which: str, entry: race.Entry, order: str,
               steps: List[str], verdict: Verdict, logdir: str) -> int:
        out = self.ui.result
        out(f'{entry.name} on {which}: {names(order, steps)}')
        if verdict.word == REPRODUCED:
            for sign in verdict.signs:
                out(f'  sign: {sign}')
            for fact in verdict.facts:
                out(f'  {fact}')
        else:
            out(f'  {verdict.why}')
        out(f'  again: ./pri-lab explore {entry.name} --order {order}'
            + (f' --kernel {which}' if which != kernel.SERIES else ''))
        out(f'  logs: {logdir}')
        return 1
