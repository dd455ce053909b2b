# SPDX-License-Identifier: GPL-2.0-or-later
"""`packages`."""

from __future__ import annotations

from . import shared
from ..core.context import Context
from ..machine import ready

NAME = 'packages'
HELP = 'install what the host needs, and nothing else'
TEXT = """\
Needs root; without it, prints the command to type."""
EXAMPLES = """\
  ./pri-lab packages"""


class Request(shared.Request):
    pass


def run(ctx: Context, _request: Request) -> int:
    ctx.ui.plan(1)
    ready.tools(ctx)
    return 0
