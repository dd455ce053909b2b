# SPDX-License-Identifier: GPL-2.0-or-later
"""`conformance`: docs/conformance.md."""

from __future__ import annotations

import os
import sys

from . import shared
from .foreground import foreground
from ..core.context import Context
from ..core.errors import LabError

NAME = 'conformance'
HELP = 'write docs/conformance.md from the last complete check'
TEXT = """\
One line an item of the checklist, with its tests and how they ended."""
EXAMPLES = """\
  ./pri-lab check && ./pri-lab conformance"""


class Request(shared.Request):
    BUILDS = False


def run(ctx: Context, request: Request) -> int:
    if not os.path.exists(ctx.paths.last_check):
        raise LabError('there are no results of a complete check yet',
                       'run ./pri-lab check first')
    script = os.path.join(ctx.paths.repo, 'scripts', 'gen-conformance.py')
    return foreground(ctx, [sys.executable, '-B', script, ctx.paths.repo,
                            ctx.paths.last_check], request.verbose)
