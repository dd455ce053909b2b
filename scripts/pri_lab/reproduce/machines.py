# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines for runs: QEMU, kernels and guests, each had once."""

from __future__ import annotations

import os
from typing import Callable, Dict, List, Optional, Tuple

from .runner import Runner
from ..core import cache, requests
from ..core.context import Context
from ..core.errors import LabError
from ..guest import guest
from ..linux import kconfig
from ..machine import jobs, ready, vm
from ..own import anykernel
from ..races import race
from ..races.race import Entry
from ..state import runlogs


class Machines:
    """Those of one command."""

    options: requests.Machine
    accel: str                  # from prepare() on, and so is
    binary: str                 # QEMU's

    def __init__(self, ctx: Context, options: requests.Machine,
                 top: str = race.SCENARIOS):
        """top: the folder of the programs."""
        self.ctx = ctx
        self.options = options
        self.ui = ctx.ui
        self.paths = ctx.paths
        self.entries = race.load(ctx.paths.repo, top)
        self.builds: Dict[str, Optional[str]] = {}     # kernel -> its build
        self.outside: List[Entry] = []          # programs of the user's files
        self._machines: Dict[str, vm.Machine] = {}
        self._configs: Dict[str, Dict[str, str]] = {}
        self._failed: Dict[str, LabError] = {}
        self._runners: Dict[Tuple, Runner] = {}
        self._own: Dict[str, bool] = {}         # kernels without a name

    # -- what a command may want otherwise ------------------------------------

    @property
    def platform(self) -> str:
        return ''

    @property
    def recorded(self) -> bool:
        """For `timeline`."""
        return False

    @property
    def fresh(self) -> bool:
        """What was built in a source tree before does not count."""
        return False

    def kind(self, entry: Entry) -> Callable[..., Runner]:
        """What makes the runner of an entry, as Runner() does."""
        return Runner

    # -- having them ----------------------------------------------------------

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
        have = anykernel.have(self.paths, name, self.options, self.ctx.jobs,
                              self.ctx.log, self.ui, self.fresh)
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

    # -- runs of an entry -----------------------------------------------------

    def wants(self, entry: Entry) -> jobs.Wants:
        if not entry.outside:
            mine = jobs.wants(self.paths.repo, entry.job)
        else:
            with open(entry.path, encoding='utf-8') as f:
                mine = jobs.parse(f.read(), entry.path)
        return mine.on(self.platform)

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
                self.ctx.log, self.recorded)}
        return self._runners[key]

    def close(self) -> None:
        for r in self._runners.values():
            r.close()

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
