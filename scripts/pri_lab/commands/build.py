# SPDX-License-Identifier: GPL-2.0-or-later
"""`build`: QEMU alone."""

from __future__ import annotations

import dataclasses

from . import shared
from ..core.context import Context
from ..machine import ready

NAME = 'build'
HELP = 'fetch, patch and build QEMU'
TEXT = """\
Prints the path of the binary."""
EXAMPLES = """\
  ./pri-lab build
  ./pri-lab build --sanitize
  ./pri-lab build --qemu-src ~/qemu-10.2.2.tar.xz"""


@dataclasses.dataclass(frozen=True)
class Request(shared.Sanitize, shared.Qemu, shared.Request):
    pass


def run(ctx: Context, request: Request) -> int:
    ctx.ui.plan(4)
    with ctx.clone_lock():
        qemu = ready.qemu(ctx, ready.tools(ctx), request.qemu_src, True,
                          request.sanitize)
    ctx.ui.result(qemu.binary)
    return 0
