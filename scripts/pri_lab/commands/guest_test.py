# SPDX-License-Identifier: GPL-2.0-or-later
"""`guest-test`, which meson calls: one job of what is built, as TAP."""

from __future__ import annotations

import argparse
import dataclasses
import os

from . import guest_run, shared
from ..check import guesttest
from ..core.context import Context
from ..inputs import check
from ..machine import vm

NAME = 'guest-test'
HIDDEN = True                   # the help does not show it
HELP = TEXT = EXAMPLES = ''


@dataclasses.dataclass(frozen=True)
class Request(shared.Timeout, shared.Args, shared.Platform, shared.Request):
    job: str

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('job')

    def check(self, repo: str, _ui) -> None:
        check.job(repo, self.job, self.args, [])


def run(ctx: Context, request: Request) -> int:
    logdir = os.environ.get(guest_run.LOGS, '')
    if not os.path.isdir(logdir):
        logdir = ctx.logdir
    mine = os.path.isfile(os.path.join(logdir, vm.STATE))
    machine = vm.Machine.load(logdir if mine else ctx.paths.work)
    return guesttest.run(vm.Job(
        machine, request.job, logdir, ctx.log,
        guest_run.timeout(request.timeout, machine.accel), request.args,
        wants=guest_run.wants(ctx, request.job, request.platform)))
