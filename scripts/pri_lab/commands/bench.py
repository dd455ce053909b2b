# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench`: ours and a stock QEMU in one run; docs/performance.md."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import List

from . import guest_run, shared
from ..bench import bench, boots
from ..core import cache, near, requests
from ..core.context import Context
from ..core.errors import UsageError
from ..guest import guest
from ..linux import kernel
from ..machine import ready
from ..qemu import qemubuild, stock

NAME = 'bench'
HELP = 'compare the speed with stock QEMU, side by side'
TEXT = """\
Builds a stock QEMU of the same source with the same options and a plain guest
kernel the first time. Reports; a slow result is no failure. Best on a quiet
machine; docs/performance.md says what is measured. PART: iq, disk, prq,
functions, faults; without one all of them. boots, by itself: boots the guest
--runs times on a host with a load of --load, and says how many boots failed or
measured a frequency; that one is judged."""
EXAMPLES = """\
  ./pri-lab bench
  ./pri-lab bench --rounds 30 faults
  ./pri-lab bench boots --runs 100 --load 14 -j 10
  ./pri-lab bench boots --resume"""


@dataclasses.dataclass(frozen=True)
class Request(shared.Timeout, shared.Accel, shared.Kernel, shared.Qemu,
              shared.Request):
    parts: List[str]
    rounds: int
    runs: int
    load: int
    resume: bool

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--rounds', type=shared.positive, metavar='N',
                       default=0, help='rounds of each side (default: 15)')
        p.add_argument('--runs', type=shared.positive, metavar='N',
                       default=-1, help='boots (default: 100)')
        p.add_argument('--load', type=shared.number, metavar='N', default=-1,
                       help='threads that run or could run on the host during '
                       'a boot (default: 14): what others do there, the '
                       'boots of -j, and busy loops for the rest')
        p.add_argument('--resume', action='store_true',
                       help='keep the boots so far of the same machine, and '
                       'make only the others')
        p.add_argument('parts', nargs='*', metavar='PART')

    def check(self, _repo: str, _ui) -> None:
        near.need('part of bench', self.parts,
                  [*bench.Bench.PARTS, 'boots'])
        if 'boots' in self.parts and self.parts != ['boots']:
            raise UsageError('bench boots goes by itself',
                             'leave out the other parts')


def run(ctx: Context, request: Request) -> int:
    if request.parts == ['boots']:
        return _boots(ctx, request)
    accel = ready.accel(ctx, request.accel)
    guests = bench.Bench.boots_a_guest(request.parts)
    ctx.ui.plan(4 + bench.Bench.steps(request.parts) + guests * (
        2 + kernel.steps(ctx.paths.repo, request.kernel)))
    with ctx.clone_lock():
        tools = ready.tools(ctx)
        src = ready.source(ctx, request.qemu_src)
        stock.comparable(src)
        ours = ready.built(ctx, tools, src, True)
        plain = stock.StockQemu(ctx.paths, tools, src, ctx.jobs, ctx.log,
                                ctx.ui)
        with cache.lock(ctx.paths, 'stock', ctx.ui):
            plain.build()
        image = initrd = ''
        if guests:
            linux = kernel.get(ctx.paths, request.kernel, ctx.jobs, ctx.log,
                               ctx.ui, (kernel.BENCH,))
            user = guest.Guest(ctx.paths, linux, ctx.jobs, ctx.log, ctx.ui)
            user.build()
            image, initrd = linux.image, user.initrd
        driver = os.path.join(ours.dir, 'tests', 'qtest', 'pri-lab',
                              qemubuild.BENCH)
        return bench.Bench(
            ctx.paths, ctx.logdir, ctx.log, ctx.ui, accel, plain.binary,
            ours.binary, driver, image, request.rounds or bench.ROUNDS,
            initrd).run(request.parts)


def _boots(ctx: Context, request: Request) -> int:
    wanted = requests.Boots(
        command=request.command, verbose=request.verbose, jobs=request.jobs,
        qemu_src=request.qemu_src, kernel=request.kernel, accel=request.accel,
        config=[], make=[], runs=request.runs, load=request.load,
        resume=request.resume)
    with ctx.clone_lock():
        machine = ready.lab(ctx, wanted).ready.machine
    ctx.ui.plan(1)
    return boots.run(ctx, wanted, machine,
                     guest_run.timeout(request.timeout, machine.accel))
