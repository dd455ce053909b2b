# SPDX-License-Identifier: GPL-2.0-or-later
"""`explore`: what the command line asks for."""

from __future__ import annotations

import dataclasses
import os
import time
from typing import Callable, Dict, List, Optional

from ..core import cache, requests
from ..core.context import Context
from ..core.errors import LabError
from ..linux import kernel
from ..races import race
from ..reproduce import machines
from . import campaign, found, hit, machine, measure, same, show, steps
from .booted import booted
from .plan import parse


class Budget:
    """Minutes for so many searches: what one leaves, as it was flat or had its
    runs, is for those after it."""

    def __init__(self, minutes: float, searches: int,
                 now: Callable[[], float] = time.monotonic):
        self.searches = searches
        self._now = now
        self._end = now() + 60 * minutes if minutes else 0.0

    def share(self) -> float:
        """Of the next one; 0: there is no limit."""
        self.searches -= 1
        left = max(self._end - self._now(), 1) / 60
        return left / (self.searches + 1) if self._end else 0


class Explore:
    """The command."""

    def __init__(self, ctx: Context, options: requests.Explore):
        self.ctx = ctx
        self.options = options
        self.ui = ctx.ui
        self.job = machines.Machines(ctx, options)

    def list(self) -> int:
        width = max(len(e.name) for e in self.job.entries)
        for e in self.job.entries:
            self.ui.result(f'{e.name:{width}}  {e.title}'
                           + (' (steps)' if e.steps else ''))
        return 0

    def main(self) -> int:
        o = self.options
        if o.pages:
            return self.report()
        if not (o.scenario or o.all):
            return self.list()
        entries = self._find(o.scenario) if o.scenario \
            else [e for e in self.job.entries if not e.steps]
        kernels = (o.kernel or kernel.SERIES).split(',')
        if any(e.steps for e in entries):
            one = steps.Explore(self.ctx, self.options, self.job)
            return max([one.run(e, k) for e in entries for k in kernels])
        self.job.prepare()
        try:
            if o.determinism:
                return max([self._determinism(e, k) for e in entries
                            for k in kernels])
            if o.shrink:
                return self._shrink(entries[0], kernels[0])
            if o.plan:
                return self._plan(entries[0], kernels[0])
            if o.measure:
                return self._measure(entries[0], kernels[0])
            return self._search(entries, kernels)
        finally:
            self.job.close()

    def _find(self, names: List[str]) -> List[race.Entry]:
        return race.find(self.job.entries, names)

    # -- search ---------------------------------------------------------------

    def _search(self, entries: List[race.Entry], kernels: List[str]) -> int:
        """0: nothing new, 1: hits."""
        for which in kernels:           # the minutes are for schedules
            try:
                self.job.machine(which)
            except LabError:            # its searches say it
                pass
        budget = Budget(self.options.budget, len(entries) * len(kernels))
        hits: List[hit.Hit] = []
        failed: List[str] = []
        done = []
        for which in kernels:
            for entry in entries:
                c = campaign.Campaign(
                    self.ctx, dataclasses.replace(
                        self.options, budget=budget.share()), self.job,
                    which, entry)
                try:
                    hits += c.run()
                except LabError as e:
                    self.ctx.outcome.found.append(found.search(c, e.what))
                    if len(entries) * len(kernels) == 1:
                        raise
                    failed.append(f'{entry.name} on {which}: {e.what}')
                    self.ui.error(failed[-1])
                    continue
                done.append(c)
                self.ctx.outcome.found.append(found.search(c))
                self._signs(c)
        out = self.ui.result
        out('')
        for c in done:
            out(f'{c.entry.name} on {c.which}: {c.summary()}')
            out(f'  {c.focused()}')
        for line in failed:
            out(f'could not run: {line}')
        out(f'{len({h.sign for h in hits})} new distinct hits; '
            '`./pri-lab explore --report` writes a page of each')
        return 1 if hits or failed else 0

    def _signs(self, c: campaign.Campaign) -> None:
        for sign, (n, first, page) in sorted(c.state.signs.items(),
                                             key=lambda x: -x[1][0]):
            self.ui.result(f'  {n:5} of {c.state.runs}, first at {first}: '
                           f'{sign}' + (f' (known: {page})' if page else ''))

    def _plan(self, entry: race.Entry, which: str) -> int:
        stage = booted(self.job, entry, which, self.options.focus)
        try:
            good = campaign.one(stage, parse(self.options.plan),
                                self.ui.result)
        finally:
            stage.close()
        return 0 if good else 1

    def _shrink(self, entry: race.Entry, which: str) -> int:
        """As a hit of a search, be its sign known or not."""
        c = campaign.Campaign(self.ctx, dataclasses.replace(
            self.options, runs=1, budget=0, known=True, resume=False),
            self.job, which, entry, parse(self.options.plan))
        hits = c.run()
        self.ctx.outcome.found.append(found.search(c))
        if not hits:
            self._signs(c)
            self.ui.result('nothing is wrong with this plan here: a plan is '
                           'for the same kernel, programs and QEMU')
        return 1 if hits else 0

    def _determinism(self, entry: race.Entry, which: str) -> int:
        """0: every run of a plan was the same."""
        o = self.options
        runs = o.runs if o.runs > 0 else same.RUNS
        texts = [o.plan] if o.plan else list(same.PLANS)
        stage = booted(self.job, entry, which, self.options.focus)
        try:
            self.ui.plan(1)
            with self.ui.step(f'Run {len(texts)} plan(s), {runs} times '
                              'each') as step:
                done = same.check(stage, texts, runs,
                                  lambda text: setattr(step, 'note', text))
        finally:
            stage.close()
        for one in done:
            self.ctx.outcome.found.append(found.same(
                entry.name, self.job.machine(which), which, stage.release,
                one))
            for line in one.lines():
                self.ui.result(f'{entry.name}: {line}')
        return 0 if all(one.good for one in done) else 1

    def _measure(self, entry: race.Entry, which: str) -> int:
        o = self.options
        cap = o.runs if o.runs > 0 else measure.CAP
        stage = booted(self.job, entry, which, self.options.focus)
        top = campaign.directory(self.ctx.paths, entry.name, which)
        try:
            stage.events = stage.holds_events()
            self.ui.plan(1)
            self.ui.result(f'{entry.name} on {which}, sign '
                           f'{o.sign or "any"}')
            with self.ui.step('Measure') as step:
                counted = measure.measure(
                    stage, o.measure, cap, o.sign, measure.path_of(top),
                    self.ui.result, lambda text: setattr(step, 'note', text),
                    resume=o.resume)
        finally:
            stage.close()
        self.ctx.outcome.found += found.measured(
            entry.name, self.job.machine(which), which, stage.release, o.sign,
            cap, counted)
        return 1 if counted[0].hit else 0

    # -- reports --------------------------------------------------------------

    def report(self) -> int:
        """One page a distinct bug, from all hits there are."""
        top = os.path.join(self.ctx.paths.work, 'explore')
        groups: Dict[str, List[hit.Hit]] = {}
        paths: Dict[hit.Hit, str] = {}
        for path in cache.files_under(top, (hit.SUFFIX,)) \
                if os.path.isdir(top) else ():
            h = hit.load(path)
            groups.setdefault(h.sign, []).append(h)
            paths[h] = path
        if not groups:
            raise LabError('there are no hits yet', 'run ./pri-lab explore')
        pages = os.path.join(top, 'report')
        os.makedirs(pages, exist_ok=True)
        for sign, hits in sorted(groups.items()):
            path = os.path.join(pages, cache.file_name(sign, '-') + '.md')
            cache.write_atomic(path, show.page(hits, paths).encode())
            self.ui.result(f'{sign}: '
                           + ', '.join(sorted({show.where(h) for h in hits})))
            self.ui.result(f'  {path}')
        return 0
