# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro`: run reproducers from one snapshot and from cold boots."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from typing import Dict, List, Optional, Set, Tuple, Type

from . import abreast, exact, told
from .runner import Runner
from ..core import cache, options, proc
from ..core.context import Context
from ..core.errors import (EXIT_FAIL, EXIT_GOOD, EXIT_UNTESTABLE, LabError,
                           worst)
from ..evidence import results, show
from ..guest import guest
from ..linux import bugkernel, kconfig, kernel
from ..machine import jobs, ready, vm
from ..own import anykernel
from ..races import race, racetable
from ..races.race import CANNOT_RUN, Entry
from ..races.tally import Tally, added, bisect_status, joined, summary
from ..state import logs, progress as campaign, runlogs

RUNS, COLD = 10, 1              # unless told
BISECT_RUNS = 3                 # from a snapshot; the first yes ends it
# options that are not passed on to shares: of the whole, or each has its own
OF_ALL = ('command', 'verbose', 'jobs', 'kernel', 'races', 'all', 'table',
          'json', 'record', 'bundle', 'report', 'show', 'status', 'new')


class Repro:
    """The command."""

    def __init__(self, ctx: Context, options, top: str = race.RACES):
        """options: the request of `repro`; of `explore` for its machines."""
        self.ctx = ctx
        self.options = options
        self.ui = ctx.ui
        self.paths = ctx.paths
        self.entries = race.load(ctx.paths.repo, top)
        self.results = os.path.join(ctx.paths.work, 'repro')
        self._machines: Dict[str, vm.Machine] = {}
        self.builds: Dict[str, Optional[str]] = {}     # kernel -> its build
        self._configs: Dict[str, Dict[str, str]] = {}
        self._failed: Dict[str, LabError] = {}
        self._runners: Dict[Tuple, Runner] = {}
        self._own: Dict[str, bool] = {}         # kernels without a name
        self.outside: List[Entry] = []          # races of the user's files
        self.tallies: List[Tally] = []          # what this command came to
        self.manifest: Dict = {}                # of a bundle that is run
        self.progress = campaign.Progress(
            campaign.default_path(self.paths.root))

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

    # -- machines -------------------------------------------------------------

    def prepare(self) -> None:
        """QEMU, once."""
        self.accel = ready.accel(self.ctx, self.options.accel)
        self.ui.plan(4)
        with self.ctx.clone_lock():
            self.binary = ready.qemu(self.ctx, ready.tools(self.ctx),
                                     self.options.qemu_src).binary

    def machine(self, name: str) -> vm.Machine:
        """The machine with a kernel: a series or a path, +PATCH after it.

        What cannot be built is tried once, not for each entry.
        """
        if name in self._failed:
            raise self._failed[name]
        if name not in self._machines:
            try:
                self._machines[name] = self._machine(name)
            except LabError as e:
                self._failed[name] = e
                raise
        return self._machines[name]

    def _machine(self, name: str) -> vm.Machine:
        self.ui.plan(1 + anykernel.steps(self.paths.repo, name))
        have = anykernel.have(self.paths, name, self.options,
                               self.ctx.jobs, self.ctx.log, self.ui)
        user = guest.Guest(self.paths, have.base, self.ctx.jobs,
                           self.ctx.log, self.ui)
        # not for the runs, which are in nobody's way
        with self.ctx.clone_lock():
            user.build()
            initrd = guest.with_files(user.initrd, {
                f'tests/{e.job}': user.outside(e.path)
                for e in self.outside}, os.path.join(
                    self.ctx.logdir, f'initramfs-{len(self._machines)}.cpio'))
        self._own[name] = have.own
        self.builds[name] = have.linux.build
        self._configs[name] = kconfig.parse(
            kconfig.config_near(have.base.image) or '')
        return vm.Machine(self.binary, self.accel, have.linux.image,
                          initrd, have.words)

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

    def counts(self) -> Tuple[int, int]:
        """Runs from a snapshot and cold ones, of an entry on a kernel."""
        o = self.options
        default = (BISECT_RUNS, 0) if o.bisect else (RUNS, COLD)
        return (o.runs if o.runs >= 0 else default[0],
                o.cold if o.cold >= 0 else default[1])

    def run(self, entries: List[Entry]) -> int:
        runs, cold = self.counts()
        start = time.monotonic()
        self.prepare()
        # kernel by kernel, and what shares a machine together
        work = [(name, entry) for entry in entries
                for name in self.kernels(entry)]
        self.progress.plan(len(work), len(work) * (runs + cold))
        if self.ctx.jobs > 1 and not (self.outside or self.options.bundle
                                      or self.options.report):
            todo = abreast.shares(work, self._key, self.ctx.jobs)
            if len(todo) > 1:
                return self._abreast(todo, runs, cold)
        tallies = self.tallies
        try:
            for name in dict.fromkeys(n for n, _ in work):
                mine = [e for n, e in work if n == name]
                mine.sort(key=lambda e: self._key(name, e))
                for entry in mine:
                    tallies.append(self._one(entry, name, runs, cold))
                    if self.options.table:      # as far as it is
                        racetable.write(self, quiet=True)
        finally:
            self.close()
        if len(tallies) > 1:
            self.ui.result('')
            self.ui.result(f'{summary(tallies)}, '
                           f'{time.monotonic() - start:.0f} s')
        if self.options.bisect:
            return bisect_status(tallies)
        return worst(t.status for t in tallies)

    def share_words(self, runs: int, cold: int) -> List[str]:
        """The options of a share: those of this command, but what is said of
        all of them and what is each one's own."""
        values = {**vars(self.options), 'runs': runs, 'cold': cold,
                  'accel': self.accel}
        return options.words(self.ctx.parser, 'repro', {
            k: v for k, v in values.items() if k not in OF_ALL})

    def _abreast(self, todo: List[abreast.Share], runs: int, cold: int) -> int:
        """Several processors: a process for each share of the work."""
        for share in todo:              # built here, so that none waits
            try:
                self.machine(share.kernel)
            except LabError:            # the share says it
                pass
        words = self.share_words(runs, cold)

        def after() -> None:
            if self.options.table:
                racetable.write(self, quiet=True)

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

    def close(self) -> None:
        for r in self._runners.values():
            r.close()

    def wants(self, entry: Entry) -> jobs.Wants:
        if not entry.outside:
            mine = jobs.wants(self.paths.repo, entry.job)
        else:
            with open(entry.path, encoding='utf-8') as f:
                mine = jobs.parse(f.read(), entry.path)
        return mine.on(self.options.platform)

    def _key(self, name: str, entry: Entry) -> Tuple:
        wants = self.wants(entry)
        return (name, wants.key(), entry.icount)

    def runner(self, name: str, entry: Entry) -> Runner:
        """The one for this kernel and machine; others give theirs up."""
        key = self._key(name, entry)
        if key not in self._runners:
            self.close()
            self._runners = {key: self.kind(entry)(
                self.machine(name), self.wants(entry),
                entry.icount, os.path.join(
                    self.ctx.logdir, f'machine-{len(self._machines)}'),
                self.ctx.log, self.options.record)}
        return self._runners[key]

    def _inexact(self, entry: Entry) -> Optional[str]:
        """'': its runs are exact; why not; None: nobody asked for that."""
        if not getattr(self.options, 'exact', False):
            return None
        return exact.impossible(entry, self.accel)

    def kind(self, entry: Entry) -> Type[Runner]:
        return exact.ExactRunner if self._inexact(entry) == '' else Runner

    def _one(self, entry: Entry, name: str, runs: int, cold: int) -> Tally:
        title = kernel.title(name, self.options.config)
        if self.options.platform:
            title += f'@{self.options.platform}'
        tally = Tally(entry, title, self.options.expect)
        tally.asked = name
        tally.inexact = self._inexact(entry) or ''
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

    def new_logdir(self, entry: Entry, name: str) -> str:
        return runlogs.new(os.path.join(self.paths.root, 'repro'), entry.name,
                           name)

    def key(self, entry: Entry, machine: vm.Machine) -> str:
        """Of what decides about a verdict, by content: another kernel may
        have the same path."""
        files = [os.path.join(self.paths.repo, 'tests', 'guest', 'lib', x)
                 for x in ('race.c', 'race.h')] + [machine.qemu,
                                                   machine.kernel]
        return cache.key_of(machine.append, entry.program,
                            *map(cache.content_digest, files))

    def _path(self, tally: Tally) -> str:
        """Where the result is kept.  Kernels of the lab have a name each;
        of the user's, what is in them is the name."""
        safe = re.sub(r'[^\w.+-]', '_', tally.kernel)
        if not tally.own:
            return os.path.join(self.results,
                                f'{tally.entry.name}@{safe}.json')
        return os.path.join(self.results, racetable.OWN,
                            f'{tally.entry.name}@{tally.key[:16]}.json')

    def _stored(self, tally: Tally) -> Optional[Dict]:
        """What earlier runs of the same program, QEMU and kernel came to."""
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
