# SPDX-License-Identifier: GPL-2.0-or-later
"""A scenario that has booted, up to the point before its tasks begin."""

from __future__ import annotations

import os

from . import campaign, machine
from ..machine import record
from ..races import race
from ..reproduce.machines import Machines


def booted(job: Machines, entry: race.Entry, which: str, focus: str,
           recorded: bool = False) -> machine.Stage:
    """focus: the code whose accesses are points, as --focus has it."""
    logdir = job.new_logdir(entry, f'explore-{which}')
    stage = machine.stage(
        job, which, entry, focus.split(','), logdir, job.ctx.log,
        recording=record.Recording(os.path.join(logdir, 'all'),
                                   guest=False) if recorded else None)
    job.ui.plan(1)
    try:
        with job.ui.step(f'Boot {entry.name} on {which}') as step:
            stage.boot(step, campaign.boots(job.paths))
    except BaseException:
        stage.close()
        raise
    return stage
