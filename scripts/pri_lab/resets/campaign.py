# SPDX-License-Identifier: GPL-2.0-or-later
"""The cells of one kernel: one boot, a snapshot, a run for each cell."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import Counter
from typing import Callable, List, Optional

from . import judge, store
from .cells import Cell
from ..core import cache
from ..core.errors import LabError
from ..machine import jobs, kept, vm
from ..machine.session import Output, Session
from ..races import race
from ..reproduce import runner

LOST = 1.0      # seconds in which a Ctrl-C that ended QEMU is known here, too
JOB = os.path.join('resets', 'table')


def entry(repo: str) -> race.Entry:
    path = os.path.join(repo, 'tests', 'guest', f'{JOB}.c')
    with open(path, encoding='utf-8') as f:
        return race.Entry(path, f.read(), ('Title', 'What'))


def enough(out: Output) -> bool:
    """Nothing more is waited for."""
    return runner.finished(out) or judge.no_more(out.console)


class Worker:
    """A guest that runs cells one after the other."""

    def __init__(self, repo: str, machine: vm.Machine, logdir: str, log,
                 boots: str):
        """boots: directory of machines that were booted before."""
        self.entry = entry(repo)
        self.logdir = logdir
        wants = jobs.wants(repo, JOB)
        self.runner = runner.Runner(machine, wants, True, logdir, log)
        self.kept = kept.Kept(boots, cache.key_of(
            machine.append, wants.key(), runner.WORDS,
            *runner.small(machine), *map(
                cache.content_digest,
                (machine.kernel, machine.initrd, machine.qemu))))
        self.session: Optional[Session] = None

    @property
    def release(self) -> str:
        return self.runner.release

    def boot(self, step) -> None:
        """To where a cell begins, from the disk if it was booted before."""
        os.makedirs(self.logdir, exist_ok=True)
        self.session = self.runner.again(self.kept)
        if self.session is not None:
            return
        session, trouble = self.runner.ready(self.entry, self.logdir, step)
        if session is None:
            raise LabError('the guest does not get ready: '
                           + (trouble.why if trouble else '?'),
                           log=self.logdir)
        self.session = session
        self.kept.keep(session, self.runner.release)

    def run(self, cell: Cell, base: str) -> judge.Judged:
        s = self.session
        assert s is not None            # booted
        s.load(runner.READY)
        s.cont()
        end = self.runner.go(self.entry, s, enough, ' '.join(cell))
        s.stop()
        s.out.store(base)
        return judge.judge(s.out.console, s.out.ktap, end)

    def cpu(self) -> float:
        """CPU seconds of the guest so far."""
        return self.session.cpu() if self.session else 0.0

    def close(self) -> None:
        self.runner.close()


class Campaign:
    """Cells of a kernel, by several workers."""

    def __init__(self, make: Callable[[int], Worker], results: store.Results,
                 logdir: str, workers: int, tell: Callable[[Cell, dict], None]):
        """tell: is called with the result of each cell, one at a time."""
        self.make = make
        self.results = results
        self.logdir = logdir
        self.workers = workers
        self.tell = tell
        self.counts: Counter = Counter()
        self.failed: List[LabError] = []
        self._lock = threading.Lock()   # of counts, failed and tell
        self._boots = threading.Lock()  # one boots, the others have it after
        self._stop = threading.Event()

    def run(self, todo: List[Cell], step) -> None:
        """LabError if no guest could be booted at all.  Ctrl-C: each worker
        ends after the cell it is at, and all results are kept."""
        left: queue.Queue = queue.Queue()
        for cell in todo:
            left.put(cell)
        threads = [threading.Thread(target=self._work, args=(n, left, step))
                   for n in range(min(self.workers, len(todo)))]
        for t in threads:
            t.start()
        try:
            while any(t.is_alive() for t in threads):
                for t in threads:
                    t.join(0.2)
                step.note = self.note(len(todo))
        except BaseException:
            self._stop.set()
            for t in threads:
                t.join()
            raise
        if self.failed and not self.counts:
            raise self.failed[0]

    def note(self, of: int) -> str:
        with self._lock:
            done = sum(self.counts.values())
            return f'{done} of {of}' + ''.join(
                f', {n} {word}' for word, n in self.counts.most_common())

    def _work(self, number: int, left: queue.Queue, step) -> None:
        worker = self.make(number)
        try:
            self._boot(worker, step)
            self.results.release = worker.release
            while not self._stop.is_set():
                try:
                    cell = left.get_nowait()
                except queue.Empty:
                    return
                if not self._cell(worker, cell):
                    worker.close()              # of the cell's doing, perhaps
                    worker = self.make(number)
                    self._boot(worker, step)
        except LabError as e:
            with self._lock:
                self.failed.append(e)
        finally:
            worker.close()

    def _boot(self, worker: Worker, step) -> None:
        with self._boots:
            worker.boot(step)

    def _cell(self, worker: Worker, cell: Cell) -> bool:
        """False: the guest is lost."""
        base = os.path.join(self.logdir, cell.name.replace('/', '.'))
        start, used = time.monotonic(), worker.cpu()
        lost = ''
        try:
            got = worker.run(cell, base)
        except LabError as e:
            if self._stop.wait(LOST):   # Ctrl-C: QEMU had it as well
                return False
            lost = e.what
            got = judge.Judged(judge.CANNOT, lost, [])
        what = {'verdict': got.verdict, 'why': got.why, 'facts': got.facts,
                'seconds': round(time.monotonic() - start, 1),
                'cpu': round(max(worker.cpu() - used, 0.0), 1),
                'logs': base}
        self.results.put(cell, what)
        with self._lock:
            self.counts[got.verdict] += 1
            self.tell(cell, what)
        return not lost
