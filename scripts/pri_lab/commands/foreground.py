# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that has the terminal to itself."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import termios
from typing import List

from ..core.context import Context


def foreground(ctx: Context, cmd: List[str], verbose: bool) -> int:
    """Hand the terminal over; the program's exit status is ours."""
    ctx.log.write('$ ' + shlex.join(cmd))
    if verbose:
        ctx.ui.say(shlex.join(cmd))
    ctx.ui.close()
    terminal = termios.tcgetattr(0) if sys.stdin.isatty() else None
    p = subprocess.Popen(cmd)
    try:
        rc = p.wait()
        return rc if rc >= 0 else 128 - rc
    except BaseException:
        p.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            p.wait(5)
        if p.poll() is None:
            p.kill()
        raise
    finally:
        if terminal is not None:        # QEMU may have died in raw mode
            termios.tcsetattr(0, termios.TCSADRAIN, terminal)
