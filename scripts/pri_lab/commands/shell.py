# SPDX-License-Identifier: GPL-2.0-or-later
"""`shell`: a shell in the guest, on this terminal."""

from __future__ import annotations

import dataclasses
import os
import sys

from . import shared
from .foreground import foreground
from ..core import requests
from ..core.context import Context
from ..core.errors import LabError
from ..machine import debug, ready, share, vm

NAME = 'shell'
HELP = 'drop into a shell in the guest'
TEXT = """\
The driver is loaded, the programs are in /tests."""
EXAMPLES = """\
  ./pri-lab shell
  ./pri-lab shell --share ~/build
  ./pri-lab shell --append slub_debug=FZP"""


@dataclasses.dataclass(frozen=True)
class Request(shared.Add, shared.Share, shared.Debug, shared.Append,
              shared.Iommu, shared.Platform, shared.Config, shared.Accel,
              shared.Kernel, shared.Qemu, shared.Request, requests.Machine):
    pass


def run(ctx: Context, request: Request) -> int:
    if not sys.stdin.isatty():
        raise LabError('the guest shell needs a terminal',
                       'run a program of tests/guest with ./pri-lab run')
    with ctx.clone_lock():
        lab = ready.lab(ctx, request)
    share.check_kernel(request.share, lab.ready.linux.image)
    ctx.ui.say('leave the guest with `exit`, or stop it with Ctrl-A x')
    words = ' '.join([vm.job_words('shell'),
                      share.kernel_words(request.share), request.append])
    cmd = lab.ready.machine.args(words) + share.qemu_args(request.share) + [
        '-serial', 'mon:stdio', '-serial',
        'file:' + os.path.join(ctx.logdir, 'ktap')]
    return foreground(ctx, cmd + debug.wanted(
        request, lab.ready.linux, ctx.logdir, ctx.ui), request.verbose)
