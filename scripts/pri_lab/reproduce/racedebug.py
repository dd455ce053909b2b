# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro --gdb`: one run of a race, held at the point before it for gdb.

The guest has booted when gdb comes, so a breakpoint is met by the race and by
nothing before it.  While gdb has the machine its time stands still, devices
and time-outs with it: the race is the same one, however long somebody looks.
"""

from __future__ import annotations

import time

from . import repro
from .runner import Runner
from ..linux.kernel import Kernel
from ..machine import debug
from ..machine.session import Session
from ..races import race
from ..races.race import Entry, Verdict
from ..races.tally import Tally

FOREVER = float('inf')


def run(job: repro.Repro, entry: Entry) -> int:
    """The race on its kernel; it is in no table, as somebody may have
    changed what it does.  0: as expected."""
    job.prepare()
    name = job.kernels(entry)[0]
    tally = Tally(entry, name, job.options.expect)
    tally.logdir = job.new_logdir(entry, name)
    start = time.monotonic()
    try:
        runner = job.runner(name, entry)
        with job.ui.step(f'{entry.id_on(name)} on {name}: up to the race'
                         ) as step:
            s, verdict = runner.ready(entry, tally.logdir, step)
            step.done('CANNOT RUN' if s is None else 'waiting for gdb')
        if s is not None:
            verdict = _held(job, runner, entry, s, tally.logdir,
                            Kernel(runner.machine.kernel, job.builds[name],
                                   runner.release))
        tally.snapshot = [verdict] if verdict else []
    finally:
        job.close()
    tally.seconds = time.monotonic() - start
    tally.release = runner.release
    job.report(tally)
    return tally.status


def _held(job: repro.Repro, runner: Runner, entry: Entry, s: Session,
          logdir: str, kernel: Kernel) -> Verdict:
    """The machine is stopped; gdb lets it continue."""
    port = debug.free_port()
    # which says that it waits
    s.qmp.command('human-monitor-command',
                  command_line=f'gdbserver tcp:127.0.0.1:{port}')
    for line in debug.gdb_help(kernel, port, 'the race is about to begin'):
        job.ui.say(line)
    return runner.race(entry, s, f'{logdir}/run', patience=FOREVER)
