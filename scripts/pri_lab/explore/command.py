# SPDX-License-Identifier: GPL-2.0-or-later
"""`explore` and `repro FILE`: what the command line asks for."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Dict, List, Optional

from ..core import cache
from ..core.context import Context
from ..core.errors import LabError
from ..linux import kernel
from ..machine import record
from ..races import race
from ..reproduce import repro
from . import campaign, found, hit, machine, measure, oracle, same, show, \
    steps
from .plan import parse

REPRO_RUNS = 20


class Explore:
    """The command."""

    def __init__(self, ctx: Context, options):
        """options: the request of `explore`, or of `repro FILE`."""
        self.ctx = ctx
        self.options = options
        self.ui = ctx.ui
        self.job = repro.Repro(ctx, options, race.SCENARIOS)

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
        if self.options.budget:
            self.options = dataclasses.replace(
                self.options, budget=self.options.budget
                / (len(entries) * len(kernels)))
        hits: List[hit.Hit] = []
        failed: List[str] = []
        done = []
        for which in kernels:
            for entry in entries:
                c = campaign.Campaign(self.ctx, self.options, self.job,
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

    def _stage(self, entry: race.Entry, which: str, focus: str = '',
               recorded: bool = False) -> machine.Stage:
        """Booted; focus: that of a hit, which its points are counted in."""
        logdir = self.job.new_logdir(entry, f'explore-{which}')
        stage = machine.stage(
            self.job, which, entry, (focus or self.options.focus).split(','),
            logdir, self.ctx.log,
            recording=record.Recording(os.path.join(logdir, 'all'),
                                       guest=False) if recorded else None)
        self.ui.plan(1)
        try:
            with self.ui.step(f'Boot {entry.name} on {which}') as step:
                stage.boot(step, campaign.boots(self.ctx.paths))
        except BaseException:
            stage.close()
            raise
        return stage

    def _plan(self, entry: race.Entry, which: str) -> int:
        stage = self._stage(entry, which)
        try:
            good = campaign.one(stage, parse(self.options.plan),
                                self.ui.result)
        finally:
            stage.close()
        return 0 if good else 1

    def _determinism(self, entry: race.Entry, which: str) -> int:
        """0: every run of a plan was the same."""
        o = self.options
        runs = o.runs if o.runs > 0 else same.RUNS
        texts = [o.plan] if o.plan else list(same.PLANS)
        stage = self._stage(entry, which)
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
        stage = self._stage(entry, which)
        top = campaign.directory(self.ctx.paths, entry.name, which)
        try:
            stage.events = stage.holds_events()
            self.ui.plan(1)
            self.ui.result(f'{entry.name} on {which}, sign '
                           f'{o.sign or "any"}')
            with self.ui.step('Measure') as step:
                counted = measure.measure(
                    stage, o.measure, cap, o.sign, measure.path_of(top),
                    self.ui.result, lambda text: setattr(step, 'note', text))
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
        paths: Dict[str, str] = {}
        for path in cache.files_under(top, (hit.SUFFIX,)) \
                if os.path.isdir(top) else ():
            h = hit.load(path)
            groups.setdefault(h.sign, []).append(h)
            paths[h.plan + h.scenario] = path
        if not groups:
            raise LabError('there are no hits yet', 'run ./pri-lab explore')
        pages = os.path.join(top, 'report')
        os.makedirs(pages, exist_ok=True)
        for sign, hits in sorted(groups.items()):
            name = re.sub(r'[^\w.+-]+', '-', sign).strip('-')[:100] + '.md'
            path = os.path.join(pages, name)
            cache.write_atomic(path, show.page(hits, paths).encode())
            where = ', '.join(sorted({f'{h.scenario} on {h.kernel}'
                                      for h in hits}))
            known = next((h.fields['page'] for h in hits
                          if h.fields.get('page')), '')
            self.ui.result(f'{sign}: {where}'
                           + (f' (known: {known})' if known else ''))
            self.ui.result(f'  {path}')
        return 0

    # -- repro FILE -----------------------------------------------------------

    def repro(self, path: str) -> int:
        """0: seen again in all runs; 1: not."""
        stored = hit.load(path)
        entry = self._find([stored.scenario])[0]
        kernels = (self.options.kernel or stored.kernel).split(',')
        self.job.prepare()
        good = True
        try:
            for which in kernels:
                good &= self._again(stored, entry, which)
        finally:
            self.job.close()
        return 0 if good else 1

    def _again(self, stored: hit.Hit, entry: race.Entry, which: str) -> bool:
        stage = self._stage(entry, which, stored.focus,
                            bool(self.options.record))
        runs = 1 if self.options.record else self.options.runs \
            if self.options.runs > 0 else REPRO_RUNS
        recorded: List[str] = []
        cold: List[bool] = []
        seen = ways = 0
        last: Optional[machine.Run] = None
        sign = ''
        try:
            self.ui.plan(1)
            with self.ui.step(f'Run {stored.sign} on {which}') as step:
                plan = hit.again(stored, stage)
                if plan is None:
                    step.done('not seen')
                else:
                    last = stage.run(plan.plan)
                    sign = next(f.sign for f in oracle.findings(last)
                                if oracle.similar(f.sign, stored.sign))
                    seen, ways = hit.replay(stage, plan.plan, sign, runs)
                    cold = self._cold(stage, last, step)
                    recorded = self._recorded(stored, stage, last, which)
        finally:
            stage.close()
        self.ctx.outcome.found.append(found.again(
            stored, self.job.machine(which), which, stage.release,
            plan.how if plan else '', str(plan.plan) if plan else '',
            [seen, runs], ways, [sum(cold), len(cold)]))
        where = f'{stored.scenario} on {stage.release or which}'
        if plan is None or last is None:
            self.ui.result(f'{where}: {race.NOT_REPRODUCED}: {stored.sign}')
            return False
        self.ui.result(f'{where}: {race.REPRODUCED} {seen} of {runs}, {ways} '
                       f'hash(es): {sign}')
        self.ui.result(f'  {plan.how}: {plan.plan}')
        for line in recorded:
            self.ui.result(line)
        if cold:
            self.ui.result(f'  from a cold boot: {sum(cold)} of {len(cold)} '
                           'the same, to the instruction')
        for p in plan.plan.points:
            told = hit.describe(p, last, stage)
            self.ui.result(f'  {show.point_text(told)}')
        for e in plan.plan.events:
            told = hit.describe_event(e, last, stage)
            self.ui.result(f'  {show.event_text(told)}')
        for line in show.timeline(last, stage):
            self.ui.result('  ' + line)
        return seen == runs and all(cold)

    def _recorded(self, stored: hit.Hit, stage: machine.Stage,
                  last: machine.Run, which: str) -> List[str]:
        """With --record: the same run once more, written down; what of it."""
        if stage.recording is None:
            return []
        part = stage.recording.part(os.path.join(stage.logdir,
                                                 stored.scenario))
        stage.run(last.plan, traced=False)
        part.end()
        merged = part.merge(self.ctx.paths.repo, {
            'job': f'scenarios/{stored.scenario}', 'args': '',
            'kernel': which, 'accel': 'tcg', 'plan': str(last.plan)})
        return [f'log: {record.put(part.log, self.options.record)}',
                f'  {len(merged.events):,} events of the IOMMU and the device']

    def _cold(self, stage: machine.Stage, last: machine.Run, step
              ) -> List[bool]:
        """Of --cold boots without a snapshot: is the run the same?"""
        out = []
        for n in range(max(0, self.options.cold)):
            step.note = f'cold boot {n + 1} of {self.options.cold}'
            out.append(stage.cold(last.plan, os.path.join(
                stage.logdir, f'cold-{n + 1:02}'), step).same == last.same)
        return out
