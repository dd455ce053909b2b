# SPDX-License-Identifier: GPL-2.0-or-later
"""One boot of a KUnit kernel: it runs its tests before it looks for user space,
and says their results in its log.

What of the log is KTAP goes by the rules of tools/testing/kunit: from the
line with the version on, less the time stamp; any other line of the kernel may
stand in between.
"""

from __future__ import annotations

import re

from . import vm
from ..core import proc
from ..core.errors import EXIT_GOOD
from ..results import splat

_START = re.compile(r'K?TAP version \d+$')
# of KTAP: what else the kernel says is no result and no remark of one
_KTAP = re.compile(r'\s*(?:K?TAP version \d|1\.\.\d|(?:not )?ok\b|# |Bail out!'
                   r'|Expected )|\s{4,}\S')
# as kunit_parser.py has it, and what comes of kunit_shutdown=reboot
_END = re.compile(r'List of all partitions:|Kernel panic - not syncing: VFS:'
                  r'|reboot: (?:System halted|Restarting system)')
# after these a kernel of one CPU does not come to an end
_HANGS = re.compile(r'soft lockup|hard LOCKUP|self-detected stall'
                    r'|INFO: task .* blocked for more than')
_POINT = re.compile(r'\s*(?:not )?ok\b')
_REPORT = re.compile(r'WARNING: |BUG: ')
REPORTS = 200                   # since the last test: it loops


class KunitJob(vm.Job):
    """machine: without an initramfs; tests: a glob of SUITE.TEST, '': all."""

    def __init__(self, machine: vm.Machine, tests: str, logdir: str,
                 log: proc.Log, timeout: float):
        super().__init__(machine, 'kunit', logdir, log, timeout)
        # allnoconfig has autorun off
        self.words = 'kunit.enable=1 kunit.autorun=1 kunit_shutdown=reboot' + (
            f' kunit.filter_glob={tests}' if tests else '')
        self._began = False
        self._reports = 0               # since the last test

    def _heard(self, line: str, out: vm.Outcome, on_line) -> None:
        bare = splat.strip_stamp(line)
        if not self._began:
            self._began = bool(_START.match(bare))
        elif _END.search(bare):
            out.exit = EXIT_GOOD        # what failed is in the results
        elif _HANGS.search(bare):
            self.over = f'no end: {bare.strip()}'
        elif _REPORT.match(bare):
            self._reports += 1
            if self._reports >= REPORTS:
                self.over = (f'no end: {REPORTS} reports since the last test, '
                             f'such as {bare.strip()}')
        elif _KTAP.match(bare):
            if _POINT.match(bare):
                self._reports = 0
            out.lines.append(bare)
            on_line(bare, out.reader.feed(bare))
