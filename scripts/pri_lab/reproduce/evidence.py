# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of `repro` that are not about running: which races are meant (by
name, by file, out of a bundle), and what is handed over afterwards."""

from __future__ import annotations

import dataclasses
import os
import time
from typing import Callable, Dict, List

from .repro import Repro
from ..core import cache, running
from ..core.errors import LabError
from ..evidence import bundle, mail, results
from ..races import race
from ..races.tally import Tally
from ..state import progress


def chosen(job: Repro, logdir: Callable[[], str]) -> List[race.Entry]:
    """The races of the command line; those that are files become part of the
    job.  logdir(): where a bundle is unpacked."""
    o = job.options
    if not o.races:
        return job.entries
    out = []
    for word in o.races:
        if bundle.is_bundle(word):
            out.append(_unpacked(job, word, os.path.join(logdir(), 'bundle')))
        elif word.endswith('.c'):
            out.append(race.from_file(word))
        else:
            out += race.find(job.entries, [word],
                             race.left_out(job.paths.repo))
    job.outside = [e for e in out if e.outside]
    return list(dict.fromkeys(out))


def _unpacked(job: Repro, word: str, dest: str) -> race.Entry:
    manifest = bundle.unpack(os.path.expanduser(word), dest)
    o = job.options
    if not o.kernel:
        o = dataclasses.replace(o, kernel=bundle.kernel_of(manifest), config=[
            os.path.join(dest, c) for c in manifest['config']])
    if not o.expect:
        o = dataclasses.replace(o, expect=next(
            (k for k, v in race.WORDS.items() if v == manifest['verdict']),
            ''))
    job.options = o
    job.manifest = manifest
    return race.from_file(os.path.join(dest, f'{manifest["race"]}.c'))


def hand_over(job: Repro, status: int) -> None:
    """--bundle and --report, and how a bundle's machine differs from ours."""
    o = job.options
    if job.manifest:
        found = [results.checked('repro', _result(job, t))
                 for t in job.tallies]
        for line in bundle.differences(job.manifest, found):
            job.ui.say(f'not as in the bundle: {line}')
    if not (o.bundle or o.report):
        return
    if not job.tallies or not job.tallies[0].all:
        raise LabError('nothing was run, so there is nothing to hand over')
    t = job.tallies[0]
    machine = job.machine(t.asked)
    if o.report:
        text = mail.text(job.paths.repo, t, machine, './pri-lab repro '
                         f'{t.entry.name} --kernel {t.asked}')
        cache.write_atomic(os.path.realpath(o.report),
                           ('\n'.join(text) + '\n').encode())
        job.ui.result(f'report: {o.report}')
    if o.bundle:
        document = results.document('repro', job.ctx.line, job.paths.repo,
                                    status, [results.checked(
                                        'repro', _result(job, t))])
        bundle.write(o.bundle, job.paths.repo, t, machine, document,
                     o.config)
        job.ui.result(f'bundle: {o.bundle}')


def _result(job: Repro, t: Tally) -> Dict:
    m = job.machine(t.asked) if not t.unfit else None
    return {**{k: v for k, v in t.record().items()
               if k in results.FIELDS['repro']},
            'machine': m and results.machine(t.kernel, m, t.release),
            'logs': t.logdir}


def status(root: str) -> List[str]:
    """`repro --status`: campaigns that run now, in any clone."""
    out = []
    for c in running.others(root):
        if c.progress.get('entries'):
            out.append(str(c))
            out += ['  ' + x for x in progress.lines(c.progress,
                                                     time.time())]
    return out or ['no campaign runs']
