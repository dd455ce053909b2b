# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro --record`: a run of a race as one log, for `timeline`.

The guest's recorder and QEMU's trace continue over all runs of a machine; a run
starts from the snapshot of the booted guest and takes its part of both.
"""

from __future__ import annotations

import os
import time
from typing import List, Optional, Tuple

from . import repro
from .runner import finished, Runner
from ..core.errors import LabError
from ..machine import record
from ..races import race
from ..races.race import CANNOT_RUN, Entry, Verdict
from ..races.tally import Tally

WRITTEN = 60.0                  # seconds for what the recorder still has
EXIT = '# pri-lab: exit'        # all is written down, the recording too


def run(job: repro.Repro, entries: List[Entry]) -> int:
    """One run each.  It is in no table: to record takes time, which is part of
    the race."""
    job.prepare()
    good = True
    try:
        for entry in entries:
            for name in job.kernels(entry):
                good &= one(job, entry, name)
    finally:
        job.close()
    return 0 if good else 1


def one(job: repro.Repro, entry: Entry, name: str) -> bool:
    """Record it and say what came of it; True: as expected."""
    tally = Tally(entry, name)
    tally.logdir = job.new_logdir(entry, name)
    runner = job.runner(name, entry)
    start = time.monotonic()
    job.ui.plan(1)
    with job.ui.step(f'{entry.id_on(name)} on {name}, recorded') as step:
        verdict, recording = recorded(runner, entry, tally.logdir)
        tally.snapshot = [verdict]
        step.done(verdict.word)
    tally.seconds = time.monotonic() - start
    tally.release = runner.release
    job.report(tally)
    if recording:
        merged = recording.merge(job.paths.repo, {
            'job': entry.job, 'args': '', 'kernel': name,
            'accel': runner.machine.accel, 'verdict': verdict.word})
        place = record.put(recording.log, job.options.record)
        job.ui.result(f'log: {place}')
        job.ui.say(record.summary(merged))
    return tally.good


def recorded(runner: Runner, entry: Entry, logdir: str
             ) -> Tuple[Verdict, Optional[record.Recording]]:
    """A run that continues until all is recorded; the part that is its own, or
    None if the guest does not boot."""
    try:
        s = runner.booted()
    except LabError as e:
        return Verdict(CANNOT_RUN, [], e.what, []), None
    s.fresh()
    base = os.path.join(logdir, 'run')
    assert runner.recording is not None
    part = runner.recording.part(os.path.join(logdir, entry.name))
    s.cont()
    s.say(f'{entry.job}\n'.encode())
    end = runner.follow(s, race.READY)
    verdict = runner.trouble(entry, s, end, base)
    if verdict is None:
        end = runner.go(entry, s, finished)
        if end == 'done':
            s.follow(WRITTEN, lambda out: any(x.startswith(EXIT)
                                              for x in out.ktap))
        s.stop()
        s.out.store(base)
        verdict = race.judge(entry, s.out.console, s.out.ktap, end)
    part.end()
    return verdict, part
