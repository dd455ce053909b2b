# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals in a test, as they are in a command."""

import signal

from pri_lab.core import proc


def install(case):
    """pri-lab's handlers, up to the end of the test case."""
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        case.addCleanup(signal.signal, s, signal.getsignal(s))
    proc.install_signal_handlers()
