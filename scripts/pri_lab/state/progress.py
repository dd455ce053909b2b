# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a campaign is: written by the command that runs it, read by the one
that started it and by `repro --status`.

A file of JSON: entries and runs in all, those that are done, the entry and the
run at work, the verdicts so far, and the time it began.
"""

from __future__ import annotations

import json
import os
import time
from typing import Dict, Iterable, List, Optional

from ..core import cache
from ..core.running import progress_path
from ..core.ui import duration

WHERE = 'PRI_LAB_PROGRESS'      # environment: the file of a share of the work
_OFTEN = 0.3                    # seconds between two writes


class Progress:
    """Of one command; every change is written, but not more often than a
    few times a second."""

    def __init__(self, path: str):
        self.path = path
        self.data: Dict = {'began': time.time(), 'entries': 0, 'runs': 0,
                           'done': 0, 'ran': 0, 'now': '', 'run': '',
                           'verdicts': {}}
        self._written = 0.0

    def plan(self, entries: int, runs: int) -> None:
        """entries: of a kernel each; runs: of all of them together."""
        self.data.update(entries=entries, runs=runs)
        self._write(True)

    def show(self, data: Dict) -> None:
        """What together() made of the shares' own."""
        self.data.update(data)
        self._write(False)

    def entry(self, now: str) -> None:
        self.data.update(now=now, run='')
        self._write(True)

    def run(self, text: str, ran: int = 0) -> None:
        """What the entry is at; ran: runs that have ended since."""
        self.data['run'] = text
        self.data['ran'] += ran
        self._write(bool(ran))

    def entry_done(self, verdict: str) -> None:
        self.data['done'] += 1
        counts = self.data['verdicts']
        counts[verdict] = counts.get(verdict, 0) + 1
        self.data.update(now='', run='')
        self._write(True)

    def _write(self, now: bool) -> None:
        if not now and time.monotonic() - self._written < _OFTEN:
            return
        self._written = time.monotonic()
        cache.write_atomic(self.path, json.dumps(self.data).encode())


class Counted:
    """A step of the user interface that also tells the campaign's progress;
    `note` and `done` are the step's."""

    def __init__(self, step, progress: Progress):
        self._step = step
        self._progress = progress

    @property
    def note(self) -> str:
        return self._step.note

    @note.setter
    def note(self, text: str) -> None:
        self._step.note = text
        self._progress.run(text)

    def count(self, ran: int) -> None:
        """So many runs have ended."""
        self._progress.run(self._step.note, ran)


def read(path: str) -> Optional[Dict]:
    try:
        with open(path, encoding='utf-8') as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def together(parts: Iterable[Optional[Dict]], entries: int, runs: int,
             began: float) -> Dict:
    """The progress of a command that has given its work to several."""
    out: Dict = {'began': began, 'entries': entries, 'runs': runs, 'done': 0,
                 'ran': 0, 'verdicts': {}, 'parts': []}
    for p in parts:
        if p is None:
            continue
        out['done'] += p['done']
        out['ran'] += p['ran']
        for word, n in p['verdicts'].items():
            out['verdicts'][word] = out['verdicts'].get(word, 0) + n
        if p['now']:
            out['parts'].append({'now': p['now'], 'run': p['run']})
    return out


def left(data: Dict, now: float) -> Optional[float]:
    """Seconds that the rest will take if it continues as it did; None: nobody
    can know yet."""
    done = data['ran']
    if not done or data['runs'] <= 0:
        return None
    return max(data['runs'] - done, 0) * (now - data['began']) / done


def lines(data: Dict, now: float) -> List[str]:
    """For a person: the whole, then what is at work."""
    rest = left(data, now)
    head = (f'{data["done"]} of {data["entries"]} entries, {data["ran"]} of '
            f'{data["runs"]} runs')
    for word, n in sorted(data['verdicts'].items()):
        head += f', {n} {word}'
    if rest is not None:
        head += f', about {duration(rest)} left'
    parts = data.get('parts')
    if parts is None:
        parts = [data] if data.get('now') else []
    return [head] + [f'{p["now"]}: {p["run"]}'.rstrip(': ') for p in parts]


def default_path(root: str) -> str:
    return os.environ.get(WHERE) or progress_path(root, os.getpid())
