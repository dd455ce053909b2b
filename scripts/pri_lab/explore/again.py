# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro FILE`: a hit of `explore` again, on this or another kernel."""

from __future__ import annotations

import os
from typing import List, Optional

from . import found, hit, machine, oracle, show
from .booted import booted
from ..core import requests
from ..core.context import Context
from ..machine import record
from ..races import race
from ..reproduce.machines import Machines

RUNS = 20                       # unless told


class Again:
    """Of one file after the other."""

    def __init__(self, ctx: Context, options: requests.Repro):
        self.ctx = ctx
        self.options = options
        self.ui = ctx.ui
        self.job = Machines(ctx, options)

    def run(self, path: str) -> int:
        """0: seen again in all runs; 1: not."""
        stored = hit.load(path)
        entry = race.find(self.job.entries, [stored.scenario])[0]
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
        stage = booted(self.job, entry, which, stored.focus,
                       bool(self.options.record))
        runs = 1 if self.options.record else self.options.runs \
            if self.options.runs > 0 else RUNS
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
        where = f'{stored.scenario} on {which}'
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
        """With --record: the same run again, written down; what of it."""
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
