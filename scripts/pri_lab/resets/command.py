# SPDX-License-Identifier: GPL-2.0-or-later
"""`resets`: what the command line asks for."""

from __future__ import annotations

import os
import time
from typing import Dict, List

from . import campaign, cells, judge, page, store
from ..core import requests
from ..core.context import Context
from ..core.errors import EXIT_CANNOT, EXIT_FAIL, EXIT_GOOD, LabError, worst
from ..evidence import results
from ..linux import kernel
from ..machine import jobs
from ..reproduce import machines
from ..state import clean


class Resets:
    """The command."""

    def __init__(self, ctx: Context, options: requests.Resets):
        self.ctx = ctx
        self.options = options
        self.ui = ctx.ui
        self.top = os.path.join(ctx.paths.root, clean.RESETS)
        self.job = machines.Machines(ctx, options)

    def main(self) -> int:
        o = self.options
        todo = cells.select(cells.words(o.only))
        if o.list_cells:
            return self._list(todo)
        if o.table and not (o.kernel or o.only):
            return self._page()
        self.job.prepare()
        statuses = [self._kernel(which, todo)
                    for which in (o.kernel or kernel.SERIES).split(',')]
        if o.table:
            self._page()
        return worst(statuses)

    def _list(self, todo: List[cells.Cell]) -> int:
        for cell in todo:
            self.ui.result(cell.name)
        return EXIT_GOOD

    def _page(self) -> int:
        found = store.everything(self.top)
        if not found:
            raise LabError('there are no results yet',
                           'run ./pri-lab resets first')
        self.ui.result(page.write(self.ctx.paths.repo, found))
        return EXIT_GOOD

    def _kernel(self, which: str, todo: List[cells.Cell]) -> int:
        repo = self.ctx.paths.repo
        try:
            machine = self.job.machine(which)
        except LabError as e:
            self.ui.error(f'{which}: {e.what}')
            return EXIT_CANNOT
        title = kernel.title(which, self.options.config)
        got = store.Results(self.top, title, store.key(
            machine, campaign.JOB, jobs.wants(repo, campaign.JOB).key()))
        got.load()
        left = [c for c in todo if not (self.options.resume and got.has(c))]
        logdir = os.path.join(self.ctx.logdir, title.replace('/', '_'))
        os.makedirs(logdir, exist_ok=True)
        work = campaign.Campaign(
            lambda n: campaign.Worker(repo, machine, os.path.join(
                logdir, f'guest-{n}'), self.ctx.log,
                os.path.join(self.ctx.paths.work, 'resets', 'booted')),
            got, logdir, self.ctx.jobs, self._tell)
        start = time.monotonic()
        self.ui.plan(1)
        with self.ui.step(f'{len(left)} cells on {which}') as step:
            if left:
                work.run(left, step)
            step.done(f'{len(left)} run')
        for lost in work.failed:
            self.ui.error(f'a guest was lost: {lost.what}')
        self._found(got, machine, todo)
        return self._say(got, todo, logdir, time.monotonic() - start)

    def _tell(self, cell: cells.Cell, what: Dict) -> None:
        text = what['verdict'] + (f': {what["why"]}' if what['why'] else '')
        self.ui.result(f'{cell.name:32} {text}')

    def _found(self, got: store.Results, machine, todo: List[cells.Cell]
               ) -> None:
        if not self.options.json:
            return
        m = results.machine(got.kernel, machine, got.release)
        for cell in todo:
            what = got.now(cell)
            if what:
                self.ctx.outcome.found.append(results.checked('reset', {
                    'method': cell.method, 'work': cell.work,
                    'who': cell.who, 'machine': m,
                    **{k: v for k, v in what.items() if k != 'when'}}))

    def _say(self, got: store.Results, todo: List[cells.Cell], logdir: str,
             seconds: float) -> int:
        mine = [x['verdict'] for x in map(got.now, todo) if x]
        words = ', '.join(f'{mine.count(w)} {w}' for w in (
            judge.OK, *judge.BAD, judge.REFUSED, judge.CANNOT)
            if mine.count(w))
        self.ui.result('')
        self.ui.result(f'{got.kernel}: {len(mine)} of {len(todo)} cells, '
                       f'{words}; {seconds:.0f} s')
        self.ui.result(f'  logs: {logdir}')
        if judge.CANNOT in mine or len(mine) < len(todo):
            return EXIT_CANNOT
        return EXIT_FAIL if any(v in judge.BAD for v in mine) else EXIT_GOOD
