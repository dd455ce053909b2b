# SPDX-License-Identifier: GPL-2.0-or-later
"""`cache`: what lies in it."""

from __future__ import annotations

from . import shared
from ..core.context import Context
from ..state import usage

NAME = 'cache'
HELP = 'show what is in the cache: size, last use, owner'
TEXT = """\
A line each for the builds of every clone, QEMUs, kernels, downloads, results
of races and logs, and which commands use it now."""
EXAMPLES = """\
  ./pri-lab cache
  ./pri-lab clean --old"""


class Request(shared.Request):
    BUILDS = False

    @property
    def reads_only(self) -> bool:
        return True


def run(ctx: Context, _request: Request) -> int:
    for line in usage.table(ctx.paths):
        ctx.ui.result(line)
    return 0
