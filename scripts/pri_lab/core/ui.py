# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress: step k of n, elapsed time.

On a terminal the current step is one live line; otherwise a step that takes
longer than a second gets a line when it starts, one now and then while it
runs, and every step one when it ends.  Everything here goes to stderr, so
that stdout holds results only.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from typing import Optional

HEARTBEAT = 60.0        # seconds between signs of life without a terminal


def duration(seconds: float) -> str:
    """12.3 -> '12 s', 75 -> '1:15', 0.4 -> '0.4 s'."""
    if seconds < 9.95:
        return f'{seconds:.1f} s'
    s = int(seconds + 0.5)
    if s < 60:
        return f'{s} s'
    if s < 3600:
        return f'{s // 60}:{s % 60:02d}'
    return f'{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}'


class Step:
    """One step of a command; `note` says what it is doing right now."""

    def __init__(self, ui: 'UI', number: int, title: str):
        self.ui = ui
        self.number = number
        self.title = title
        self.note = ''
        self.result = ''
        self.start = time.monotonic()
        self.announced = False
        self.last_beat = self.start

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.start

    @property
    def head(self) -> str:
        return f'[{self.number}/{self.ui.total}] {self.title}'

    def done(self, result: str) -> None:
        """What the step's last line says, e.g. 'up to date'."""
        self.result = result

    def __enter__(self) -> 'Step':
        self.ui._begin(self)
        return self

    def __exit__(self, kind, value, tb) -> None:
        if kind is None:
            self.ui._end(self, self.result or 'done')
        else:
            self.ui._end(self, 'FAILED' if issubclass(kind, Exception)
                         else 'stopped')


class UI:
    def __init__(self, verbose: bool = False, quiet: bool = False):
        self.verbose = verbose
        self.quiet = quiet
        self.total = 0
        self.times: list = []
        self._results = True            # they go to stdout
        self._count = 0
        self._step: Optional[Step] = None
        self._lock = threading.RLock()
        self._live = (sys.stderr.isatty() and not verbose and not quiet
                      and os.environ.get('TERM', 'dumb') != 'dumb')
        self._shown = False
        self._stop = threading.Event()
        self._ticker: Optional[threading.Thread] = None

    # -- what commands call ---------------------------------------------------

    def plan(self, steps: int) -> None:
        """Announce how many steps this command has."""
        self.total += steps

    def step(self, title: str) -> Step:
        self._count += 1
        self.total = max(self.total, self._count)
        return Step(self, self._count, title)

    def say(self, text: str) -> None:
        """One line for the user, above the live line."""
        with self._lock:
            self._clear()
            print(text, file=sys.stderr, flush=True)

    def output(self, text: str) -> None:
        """One line of a child's output (only shown with -v)."""
        if self.verbose:
            self.say(text)

    def error(self, text: str) -> None:
        self.say(f'pri-lab: {text}')

    def all_to_stderr(self) -> None:
        """Standard output is wanted for something else."""
        self._results = False

    def result(self, text: str) -> None:
        """One line of the result, on stdout."""
        with self._lock:
            self._clear()
            print(text, file=sys.stdout if self._results else sys.stderr,
                  flush=True)

    def close(self) -> None:
        self._stop.set()
        with self._lock:
            self._clear()

    # -- the live line --------------------------------------------------------

    def _begin(self, step: Step) -> None:
        with self._lock:
            self._step = step
        if self._ticker is None and not self.quiet:
            self._ticker = threading.Thread(target=self._tick, daemon=True)
            self._ticker.start()

    def _end(self, step: Step, word: str) -> None:
        with self._lock:
            self._step = None
            self._clear()
            self.times.append((step.title, step.elapsed))
            if self.quiet:
                return
            took = f' ({duration(step.elapsed)})' if step.elapsed >= 1 else ''
            self.say(f'{step.head}: {word}{took}')

    def _tick(self) -> None:
        while not self._stop.wait(0.25):
            with self._lock:
                step = self._step
                if step is None or step.elapsed < 1:
                    continue
                if self._live:
                    self._draw(step)
                else:
                    self._beat(step)

    def _draw(self, step: Step) -> None:
        note = f'  {step.note}' if step.note else ''
        line = f'{step.head}  {duration(step.elapsed)}{note}'
        width = shutil.get_terminal_size((80, 24)).columns - 1
        sys.stderr.write('\r\033[K' + line[:width])
        sys.stderr.flush()
        self._shown = True

    def _beat(self, step: Step) -> None:
        now = time.monotonic()
        if not step.announced:
            step.announced = True
            self.say(f'{step.head} ...')
        elif now - step.last_beat >= HEARTBEAT:
            step.last_beat = now
            note = f', {step.note}' if step.note else ''
            self.say(f'{step.head}: {duration(step.elapsed)}{note}')

    def _clear(self) -> None:
        if self._shown:
            sys.stderr.write('\r\033[K')
            sys.stderr.flush()
            self._shown = False
