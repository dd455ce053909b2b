# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that are not children of the test."""
import time


def wait_ended(pid):
    """Return when the process runs no more.

    As long as nobody collects it there is a zombie: in a container the first
    process may be one that never does.  The watchdog ends a test that waits
    here for ever.
    """
    while True:
        try:
            with open(f'/proc/{pid}/stat', encoding='utf-8') as f:
                if f.read().rpartition(')')[2].split()[0] == 'Z':
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.1)
