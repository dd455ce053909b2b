# SPDX-License-Identifier: GPL-2.0-or-later
"""Reproducers side by side: a process for each of several shares of the work.

A guest whose time is a count of instructions takes one CPU and does not
notice what the others do, so as many runs are made at once as there are
CPUs.  A share is entries of one kernel and one kind of machine, so that
they have their boot in common; each is a `pri-lab repro` of its own, which
tells what came of an entry as a line of JSON (told.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Dict, List, NamedTuple, Tuple

from . import told
from ..core import proc
from ..core.context import Context
from ..core.errors import (EXIT_CANNOT, EXIT_DIFFER, EXIT_FAIL, EXIT_GOOD,
                           EXIT_INTERRUPTED, EXIT_UNTESTABLE)
from ..races.race import Entry
from ..state import progress

SHARE = 4                       # entries; a boot costs as much as 20 runs
GRACE = 30.0                    # seconds to store results after Ctrl-C
_POLL = 0.2
# statuses of a share that has said what came of its entries
VERDICTS = (EXIT_GOOD, EXIT_FAIL, EXIT_CANNOT, EXIT_DIFFER, EXIT_UNTESTABLE,
            EXIT_INTERRUPTED)


class Share(NamedTuple):
    kernel: str
    entries: List[Entry]
    alone: bool                 # its guests use several CPUs


def shares(work: List[Tuple[str, Entry]], key, jobs: int) -> List[Share]:
    """Cut (kernel, entry) pairs into shares, those that run alone last.

    key(kernel, entry): equal for what can share a machine.  A share has at
    most what one of `jobs` CPUs would get of all.
    """
    size = max(1, min(SHARE, -(-len(work) // jobs)))
    groups: Dict[Tuple, Tuple[str, List[Entry]]] = {}
    for name, entry in work:
        groups.setdefault(key(name, entry), (name, []))[1].append(entry)
    out = [Share(name, mine[i:i + size], not mine[i].icount)
           for name, mine in groups.values()
           for i in range(0, len(mine), size)]
    return sorted(out, key=lambda s: s.alone)


class _Child:
    """One running share, and what it has said so far."""

    def __init__(self, share: Share, words: List[str], base: str):
        self.share = share
        self.err = base + '.err'
        self.progress = base + '.progress'
        with open(base + '.out', 'wb') as out, open(self.err, 'wb') as err:
            self.process = proc.spawn(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, progress.WHERE: self.progress,
                     told.WHERE: base + '.told'})
        self.told = told.Reader(base + '.told')

    def complaint(self) -> str:
        with open(self.err, encoding='utf-8', errors='replace') as f:
            lines = [x.strip() for x in f if x.strip()]
        return lines[-1] if lines else 'nothing said'

    def close(self) -> None:
        proc.reap(self.process)


class Abreast:
    """Run shares, `jobs` at a time; results go to the user as they come."""

    def __init__(self, ctx: Context, words: List[str], whole: progress.Progress):
        """words: options of `repro` for every share; whole: what is told of
        all of them."""
        self.ctx = ctx
        self.ui = ctx.ui
        self.words = [sys.executable, '-B', os.path.abspath(sys.argv[0]),
                      'repro', '--jobs', '1'] + words
        self.done = 0               # entries
        self.whole = whole
        self.statuses: List[int] = []       # of the shares that have ended
        self._running: List[_Child] = []
        self._progress: List[str] = []      # files of all shares

    def run(self, todo: List[Share], after) -> List[int]:
        """Exit statuses of the shares.  after() is called whenever there are
        new results."""
        todo = list(todo)
        count = sum(len(s.entries) for s in todo)
        number = 0
        self.ui.plan(1)
        try:
            with self.ui.step(f'{count} entries, {self.ctx.jobs} at a time'
                              ) as step:
                while todo or self._running:
                    while todo and self._room(todo[0]):
                        self._start(todo.pop(0), number)
                        number += 1
                    if self._collect():
                        after()
                    step.note = '; '.join(self._told())
                    time.sleep(_POLL)
        finally:                    # Ctrl-C: they store what they have
            with proc.undisturbed():
                self._end()
                self._collect()
                after()
        return self.statuses

    def _told(self) -> List[str]:
        """How far all shares are, for the user and for `repro --status`."""
        data = self.whole.data
        now = progress.together(map(progress.read, self._progress),
                                data['entries'], data['runs'], data['began'])
        self.whole.show(now)
        return progress.lines(now, time.time())

    def _end(self) -> None:
        until = time.monotonic() + GRACE
        for c in self._running:
            c.process.send_signal(signal.SIGINT)
        for c in self._running:
            try:
                c.process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                proc.kill_group(c.process)

    def _room(self, share: Share) -> bool:
        if share.alone or any(c.share.alone for c in self._running):
            return not self._running
        return len(self._running) < self.ctx.jobs

    def _start(self, share: Share, number: int) -> None:
        words = self.words + ['--kernel', share.kernel] + [
            e.name for e in share.entries]
        self.ctx.log.write('$ ' + ' '.join(words))
        base = os.path.join(self.ctx.logdir, f'share-{number:03}')
        self._running.append(_Child(share, words, base))
        self._progress.append(self._running[-1].progress)

    def _collect(self) -> bool:
        """Pass on what is new, bury who has ended; True: there was some."""
        new = False
        for c in list(self._running):
            ended = c.process.poll()
            for entry in c.told.new():
                new = True
                self.done += 1
                self.ctx.outcome.found.append(entry.result)
                for line in entry.lines:
                    self.ui.result(line)
            if ended is None:
                continue
            self._running.remove(c)
            self.statuses.append(ended)
            if ended not in VERDICTS:
                self.ui.error(f'{c.share.kernel}: {c.complaint()}')
            c.close()
        return new
