# SPDX-License-Identifier: GPL-2.0-or-later
"""--new of `repro` and `explore`."""

from __future__ import annotations

import os

from ..core.context import Context
from ..evidence import new


def write_new(ctx: Context, name: str, scenario: bool) -> int:
    ctx.ui.result(new.write(ctx.paths.repo, os.getcwd(), name, scenario))
    return 0
