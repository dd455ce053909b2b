# SPDX-License-Identifier: GPL-2.0-or-later
"""`qemu`: the machine as it is set up, with the user's arguments."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import List

from . import shared
from .foreground import foreground
from ..core import requests
from ..core.context import Context
from ..inputs import check
from ..machine import jobs, ready, vm

NAME = 'qemu'
HELP = 'run our QEMU with the machine set up and your arguments'
TEXT = """\
Arguments after the first that is not an option of pri-lab (or after --) go to
QEMU. The console is on the terminal unless your arguments take it."""
EXAMPLES = """\
  ./pri-lab qemu -device pri-testdev,help
  ./pri-lab qemu -S -s
  ./pri-lab qemu --job sva-basic -trace 'vtd_prq*'"""
USAGE = 'pri-lab qemu [options] [--] QEMU-ARGUMENTS'


@dataclasses.dataclass(frozen=True)
class Request(shared.Append, shared.Args, shared.Iommu, shared.Platform,
              shared.Config, shared.Accel, shared.Kernel, shared.Qemu,
              shared.Request, requests.Machine):
    job: str
    qemu_args: List[str]

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--job', default='', metavar='NAME',
                       help='job for the guest (default: shell)')

    def check(self, repo: str, _ui) -> None:
        check.job(repo, self.job or ('sva-basic' if self.args else ''),
                  self.args, [])


def run(ctx: Context, request: Request) -> int:
    with ctx.clone_lock():
        lab = ready.lab(ctx, request, request.job)
    words = vm.job_words(request.job or 'shell', request.args)
    cmd = lab.ready.machine.args(
        f'{words} {request.append}'.strip(),
        jobs.wants(ctx.paths.repo, request.job).on(request.platform))
    if not uses_stdio(request.qemu_args):
        cmd += ['-serial', 'mon:stdio']
    else:
        cmd += ['-serial', 'file:' + os.path.join(ctx.logdir, 'console')]
    cmd += ['-serial', 'file:' + os.path.join(ctx.logdir, 'ktap')]
    return foreground(ctx, cmd + request.qemu_args, request.verbose)


def uses_stdio(extra: List[str]) -> bool:
    """True if the user's own arguments take QEMU's standard input."""
    words = ' '.join(extra)
    return 'stdio' in words or any(x in extra for x in (
        '-nographic', '-daemonize', '-serial', 'help')) or \
        words.endswith(('help', '?'))
