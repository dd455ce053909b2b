# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro`: run reproducers from one snapshot and from cold boots."""

from __future__ import annotations

import functools
import json
import os
import shutil
import time
from typing import Callable, Dict, List, Optional, Set, Tuple

from . import abreast, exact, told
from .machines import Machines
from .runner import Runner
from ..core import cache, options, proc, requests
from ..core.context import Context
from ..core.errors import (EXIT_FAIL, EXIT_GOOD, EXIT_UNTESTABLE, LabError,
                           worst)
from ..evidence import results, show
from ..linux import bugkernel, kernel
from ..machine import vm
from ..races import race, racetable
from ..races.race import CANNOT_RUN, Entry
from ..races.tally import Tally, added, bisect_status, joined, summary
from ..state import logs, progress as campaign

# Runs from a snapshot and cold ones, unless told: of exact runs the second one
# shows that they are, and for a bisection one is enough
EXACT, EXACT_BISECT = (2, 1), (1, 0)
SAMPLE, SAMPLE_BISECT = (10, 1), (3, 0)
# options that are not passed on to shares: of the whole, or each has its own
OF_ALL = ('command', 'verbose', 'jobs', 'kernel', 'races', 'all', 'table',
          'json', 'record', 'bundle', 'report', 'show', 'status', 'new')


class Repro(Machines):
    """The command."""

    options: requests.Repro

    def __init__(self, ctx: Context, options: requests.Repro):
        super().__init__(ctx, options, race.RACES)
        self.results = os.path.join(ctx.paths.work, 'repro')
        self.tallies: List[Tally] = []          # the results of this command
        self.manifest: Dict = {}                # of a bundle that is run
        self.progress = campaign.Progress(
            campaign.default_path(self.paths.root))

    @property
    def platform(self) -> str:
        return self.options.platform

    @property
    def recorded(self) -> bool:
        return bool(self.options.record)

    @property
    def fresh(self) -> bool:
        return self.options.bisect

    def list(self) -> int:
        """Every race, or with --show those named."""
        repo = self.paths.repo
        width = shutil.get_terminal_size((80, 24)).columns - 1
        without = race.left_out(repo)
        if not self.options.races:
            lines = show.listing(self.entries, without, width)
        else:
            lines = []
            for e in race.find(self.entries, self.options.races, without):
                lines += [''] * bool(lines) + show.lines(repo, e, width)
        for line in lines:
            self.ui.result(line)
        return 0

    # -- run ------------------------------------------------------------------

    def kernels(self, entry: Entry) -> List[str]:
        """Where to run an entry: as told, on all, or where it is at home."""
        if self.options.kernel:
            return self.options.kernel.split(',')
        if self.options.all:
            shared = self._shared()
            return list(dict.fromkeys(shared.get(k, k)
                                      for k in entry.expect))
        asked = next((n for n in self.options.races
                      if n.upper() in entry.ids), '')
        home = entry.affected(asked) or next(iter(entry.expect))
        return [home]

    def combinations(self) -> Set[str]:
        """Kernels with patches that the headers name or --all makes; results
        of others are left over from headers as they were."""
        return {k for e in self.entries for k in e.expect} | \
            set(self._shared().values())

    def _shared(self) -> Dict[str, str]:
        """Kernels of the headers -> those to build, each for several."""
        return bugkernel.share(self.paths.repo, [
            k for e in self.entries for k in e.expect if '+' in k])

    def counts(self, entry: Entry) -> Tuple[int, int]:
        """Runs from a snapshot and cold ones, of an entry on a kernel."""
        o = self.options
        if self.inexact(entry) == '':
            default = EXACT_BISECT if o.bisect else EXACT
        else:
            default = SAMPLE_BISECT if o.bisect else SAMPLE
        return (o.runs if o.runs >= 0 else default[0],
                o.cold if o.cold >= 0 else default[1])

    def run(self, entries: List[Entry]) -> int:
        start = time.monotonic()
        self.prepare()
        # kernel by kernel, and what shares a machine together
        work = [(name, entry) for entry in entries
                for name in self.kernels(entry)]
        self.progress.plan(len(work), sum(sum(self.counts(e))
                                          for _, e in work))
        if self.ctx.jobs > 1 and not (self.outside or self.options.bundle
                                      or self.options.report):
            todo = abreast.shares(work, self._key, self.ctx.jobs)
            if len(todo) > 1:
                return self._abreast(todo)
        tallies = self.tallies
        try:
            for name in dict.fromkeys(n for n, _ in work):
                mine = [e for n, e in work if n == name]
                mine.sort(key=lambda e: self._key(name, e))
                for entry in mine:
                    tallies.append(self._one(entry, name,
                                             *self.counts(entry)))
                    if self.options.table:      # as far as it is
                        self.write_table(quiet=True)
        finally:
            self.close()
        if len(tallies) > 1:
            self.ui.result('')
            self.ui.result(f'{summary(tallies)}, '
                           f'{time.monotonic() - start:.0f} s')
        if self.options.bisect:
            return bisect_status(tallies)
        return worst(t.status for t in tallies)

    def share_words(self) -> List[str]:
        """The options of a share: those of this command, but what is said of
        all of them and what is each one's own."""
        values = {**vars(self.options), 'accel': self.accel}
        return options.words(self.ctx.parser, 'repro', {
            k: v for k, v in values.items() if k not in OF_ALL})

    def _abreast(self, todo: List[abreast.Share]) -> int:
        """Several CPUs: a process for each share of the work."""
        for share in todo:              # built here, so that none waits
            try:
                self.machine(share.kernel)
            except LabError:            # the share says it
                pass
        words = self.share_words()

        def after() -> None:
            if self.options.table:
                self.write_table(quiet=True)

        start = time.monotonic()
        job = abreast.Abreast(self.ctx, words, self.progress)
        statuses = job.run(todo, after)
        self.ui.result('')
        good = not any(statuses)
        self.ui.result(('all as expected, or nothing expected' if good else
                        'not all as expected')
                       + f', {time.monotonic() - start:.0f} s')
        if self.options.bisect:
            return EXIT_FAIL if EXIT_FAIL in statuses else \
                EXIT_GOOD if good else EXIT_UNTESTABLE
        return worst(statuses)

    def inexact(self, entry: Entry) -> Optional[str]:
        """'': its runs are exact; why not; None: nobody wants them to be.
        gdb and the recorder of the guest come in between."""
        o = self.options
        if o.sample or o.gdb or o.record:
            return None
        return exact.impossible(entry, self.accel)

    def kind(self, entry: Entry) -> Callable[..., Runner]:
        if self.inexact(entry) == '':
            return functools.partial(exact.ExactRunner, booted=os.path.join(
                self.results, 'boots'))
        return Runner

    def key(self, entry: Entry, machine: vm.Machine) -> str:
        """Exact runs and others are not added up."""
        return super().key(entry, machine) + (
            '' if self.inexact(entry) == '' else ' sample')

    def _one(self, entry: Entry, name: str, runs: int, cold: int) -> Tally:
        title = kernel.title(name, self.options.config)
        if self.options.platform:
            title += f'@{self.options.platform}'
        tally = Tally(entry, title, self.options.expect)
        tally.asked = name
        why = self.inexact(entry)
        tally.exact, tally.inexact = why == '', why or ''
        self.progress.entry(f'{entry.name} on {title}')
        try:
            return self._judged(tally, name, runs, cold)
        finally:
            self.progress.entry_done(tally.verdict or 'differ')

    def _judged(self, tally: Tally, name: str, runs: int, cold: int) -> Tally:
        entry = tally.entry
        try:
            runner = self.runner(name, entry)
            tally.own = entry.outside or self._own.get(name, False)
            tally.key = self.key(entry, runner.machine)
        except LabError as e:
            self._no_kernel(tally, e)
            return tally
        config = self._configs.get(name)        # {}: nobody knows
        lacks = entry.lacking(config) if config else []
        if lacks:
            tally.unfit = 'the kernel has no ' + ', '.join(lacks)
            tally.logdir = self.new_logdir(entry, tally.kernel)
            self._store(tally)
            self.report(tally)
            return tally
        if self.options.resume:
            tally.before = self._stored(tally)
            if tally.before:
                runs = max(0, runs - tally.before['snapshot'][1])
                cold = max(0, cold - tally.before['cold'][1])
            if not runs + cold:
                self.report(tally)
                return tally
        tally.logdir = self.new_logdir(entry, tally.kernel)
        start = time.monotonic()
        self.ui.plan(1)
        try:
            with self.ui.step(f'{entry.id_on(name)} on {name}') as step:
                self._runs(tally, runner, runs, cold,
                           campaign.Counted(step, self.progress))
                step.done(tally.verdict or 'the runs differ')
        finally:            # Ctrl-C keeps what there is, and so does a second
            with proc.undisturbed():
                tally.release = runner.release
                tally.seconds = time.monotonic() - start
                if tally.all:
                    self._store(tally)
                if tally.all or tally.before:
                    self.report(tally)
        return tally

    def _no_kernel(self, tally: Tally, e: LabError) -> None:
        """It could not be built: no run, and why."""
        for line in e.tail:
            self.ui.say('  ' + line)
        tally.unfit = e.what
        self.report(tally)
        if e.hint:
            self.ui.say(f'  {e.hint}')
        if e.log:
            self.ui.say(f'  log: {e.log}')

    def _runs(self, tally: Tally, runner: Runner, runs: int, cold: int,
              step) -> None:
        limit = self.options.limit or float('inf')
        if runs:
            runner.from_snapshot(tally.entry, runs, tally.logdir, step,
                                 tally.snapshot, limit, self.options.bisect)
        if self.options.bisect and tally.seen:
            return
        if cold and not (tally.snapshot and
                         tally.snapshot[0].word == CANNOT_RUN):
            runner.cold(tally.entry, cold, tally.logdir, step, tally.cold,
                        limit)

    def _path(self, tally: Tally) -> str:
        """Where the result is kept.  Kernels of the lab have a name each;
        of the user's, what is in them is the name."""
        safe = cache.file_name(tally.kernel)
        if not tally.own:
            return os.path.join(self.results,
                                f'{tally.entry.name}@{safe}.json')
        return os.path.join(self.results, racetable.OWN,
                            f'{tally.entry.name}@{tally.key[:16]}.json')

    def _stored(self, tally: Tally) -> Optional[Dict]:
        """The result of earlier runs of the same program, QEMU and kernel."""
        try:
            with open(self._path(tally), encoding='utf-8') as f:
                old = json.load(f)
        except (OSError, ValueError):
            return None
        return old if old.get('key') == tally.key and \
            old['verdict'] != CANNOT_RUN else None

    def _store(self, tally: Tally) -> None:
        path = self._path(tally)
        record = tally.record()
        if tally.before:
            record = added(record, tally.before)
        else:
            try:
                with open(path, encoding='utf-8') as f:
                    record = joined(record, json.load(f))
            except (OSError, ValueError):
                pass
        cache.write_atomic(path, json.dumps(record, indent=1).encode())
        with open(os.path.join(tally.logdir, 'verdict.json'), 'w',
                  encoding='utf-8') as f:
            json.dump(record, f, indent=1)
        logs.note(tally.logdir, tally.status != EXIT_GOOD or tally.seen,
                  verdict=record['verdict'])

    def write_table(self, quiet: bool = False) -> int:
        """The page of the races; 1: there are no results."""
        path = racetable.write(self.paths.repo, self.results, self.entries,
                               self.combinations(), self.platform)
        if path is None:
            self.ui.error('there are no results yet; run ./pri-lab repro '
                          '--all')
            return 1
        if not quiet:
            self.ui.result(path)
            _, other = racetable.of_page(self.results, self.entries,
                                         self.combinations(), self.platform)
            for kernel in other:
                self.ui.say(f'not on the page: {kernel}, as --all has these '
                            'patches in other kernels')
        return 0

    def report(self, tally: Tally) -> None:
        if self.options.json or told.wanted():
            m = self._machines.get(tally.asked)
            result = results.checked('repro', {
                **{k: v for k, v in tally.record().items()
                   if k in results.FIELDS['repro']},
                'machine': m and results.machine(tally.kernel, m,
                                                 tally.release),
                'logs': tally.logdir})
            self.ctx.outcome.found.append(result)
            if told.wanted():
                told.tell(told.Entry(tally.lines(), result))
        for line in tally.lines():
            self.ui.result(line)
