# SPDX-License-Identifier: GPL-2.0-or-later
"""A test continues as long as it makes progress: `meson test --wrapper`.

Meson's time-outs are seconds of the clock; they are lifted, and this stands in
their place.  A test is stuck if PATIENCE seconds of its own time (owntime.py)
pass without a line of output.  Then it is ended, and says so in TAP.  What it
has started ends with it, however it ends: a QEMU of a test that died of an
assertion would run for ever.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from typing import List

from ..core.owntime import OwnTime

PATIENCE = 300.0                # seconds of own time
WATCHED = 'PRI_LAB_WATCHED'     # environment: the seconds, for the test
_POLL = 2.0                     # between two looks
_GRACE = 10.0


def _end(p: subprocess.Popen) -> None:
    """It and all that it has started."""
    if p.poll() is None:
        _signal(p, signal.SIGTERM)
        try:
            p.wait(_GRACE)
        except subprocess.TimeoutExpired:
            pass
    _signal(p, signal.SIGKILL)
    p.wait()


def _signal(p: subprocess.Popen, signum: int) -> None:
    try:
        os.killpg(p.pid, signum)
    except ProcessLookupError:
        pass


def run(cmd: List[str], patience: float) -> int:
    """Run cmd, its output being ours; its exit status, 1 if it was stuck."""
    p = subprocess.Popen(cmd, stdout=subprocess.PIPE, start_new_session=True)

    def stop(signum, _frame):
        _end(p)
        raise SystemExit(128 + signum)
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, stop)
    stuck = _copy(p, patience)
    if not stuck:
        rc = p.wait()
        _end(p)
        return rc if rc >= 0 else 128 - rc
    _end(p)
    print(f'Bail out! no progress: {patience:.0f} s of its own time without '
          'a line of output', flush=True)
    return 1


def _copy(p: subprocess.Popen, patience: float) -> bool:
    """Pass its output on until it ends; True: it is stuck."""
    out = p.stdout
    assert out is not None
    own = OwnTime(p.pid)
    last = time.monotonic()
    lines = False
    with selectors.DefaultSelector() as wait:
        wait.register(out, selectors.EVENT_READ)
        while True:
            if wait.select(_POLL):
                data = os.read(out.fileno(), 1 << 16)
                if not data:
                    return False
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
                lines = lines or b'\n' in data
            elif p.poll() is not None:
                return False
            if p.poll() is not None:
                _signal(p, signal.SIGKILL)      # what it has left behind
            if time.monotonic() - last < _POLL:
                continue
            last = time.monotonic()
            if lines:
                own.mark()
                lines = False
            elif own.look() > patience:
                return True


def main(argv: List[str]) -> int:
    patience = float(os.environ.get(WATCHED) or PATIENCE)
    os.environ[WATCHED] = str(patience)
    return run(argv, patience)
