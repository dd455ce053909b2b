# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro`: list the races, reproduce some, or write the table of results."""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile
from typing import ClassVar, List, Optional

from . import shared
from .new import write_new
from ..core import requests
from ..core.context import Context
from ..core.errors import EXIT_ABORT, UsageError
from ..evidence import bundle
from ..explore import again, hit
from ..inputs import check
from ..machine import record
from ..races import race
from ..reproduce import evidence, racedebug, racerecord, repro

NAME = 'repro'
HELP = 'reproduce a known race, or list them'
TEXT = """\
Without a name: lists the races of tests/guest/races. With names (or --all):
runs each from a snapshot taken before the race, and from a cold boot, and
says REPRODUCED, NOT REPRODUCED or CANNOT RUN (why). All runs on a kernel are
the same one to the instruction, which their hashes show. --kernel takes what
it takes elsewhere, and +PATCH of guest/kernel/bugs after it; several with
commas. Default: a kernel that has the race. Exit status 0: all runs alike,
and as expected of the kernel."""
EXAMPLES = """\
  ./pri-lab repro
  ./pri-lab repro O-H
  ./pri-lab repro O-H --sample --runs 100 --cold 5
  ./pri-lab repro C-18 --kernel 7.3,7.3+C-18
  ./pri-lab repro --all --kernel 6.18 --config guest/kernel/plain.config
  ./pri-lab repro O-H --record
  ./pri-lab repro O-H --gdb
  ./pri-lab repro FILE.hit --kernel 7.3,7.2
  ./pri-lab repro --all --table"""


@dataclasses.dataclass(frozen=True)
class Request(shared.New, shared.Json, shared.Record, shared.Platform,
              shared.Config, shared.Accel, shared.Kernels, shared.Qemu,
              shared.Request, requests.Repro):
    INTERRUPTED: ClassVar[str] = (
        'interrupted; the results so far are kept: add --resume to the same '
        'command to continue with them')
    ONE_EACH: ClassVar[str] = ' (one run of each race)'

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--runs', type=shared.number, metavar='N', default=-1,
                       help='runs from one snapshot (default: 2, which '
                       'are the same one; with --sample 10)')
        p.add_argument('--cold', type=shared.number, metavar='N', default=-1,
                       help='runs from a cold boot (default: 1)')
        p.add_argument('--limit', type=shared.positive, metavar='SECONDS',
                       default=0, help='start no more runs of a race on a kernel '
                       'after that time')
        p.add_argument('--sample', action='store_true',
                       help='run without a plan: no two runs are the same to '
                       'the instruction (default: they are, see the hashes)')
        p.add_argument('--resume', action='store_true',
                       help='keep the results so far, and make only the '
                       'runs of --runs and --cold that are missing')
        p.add_argument('--list', action='store_true', dest='list_all',
                       help='print the races, run nothing')
        p.add_argument('--all', action='store_true',
                       help='every race, on every kernel its header names')
        p.add_argument('--table', action='store_true',
                       help='write docs/races.md from all results so far, or '
                       'docs/races-PLATFORM.md for --platform')
        p.add_argument('--show', action='store_true',
                       help='describe the races named, run nothing')
        p.add_argument('--status', action='store_true',
                       help='show how far running campaigns are, of any '
                       'clone')
        p.add_argument('--bundle', default='', metavar='FILE',
                       help='write an archive (.tar.gz) with program, '
                       'configuration, logs and a manifest; `repro FILE` '
                       'runs it')
        p.add_argument('--report', default='', metavar='FILE',
                       help='write a report ready to send, the splat decoded')
        p.add_argument('--bisect', action='store_true',
                       help='exit as `git bisect run` wants it: 1 '
                       'REPRODUCED, 0 NOT REPRODUCED, 125 cannot tell; stops '
                       'at the first run that says yes (default: one run from '
                       'a snapshot, with --sample 3, none cold)')
        p.add_argument('--expect', choices=('yes', 'no'), default='',
                       help='the expected verdict, instead of the one in the '
                       'header')
        p.add_argument('--gdb', action='store_true',
                       help='make one run that stops before the race and '
                       'waits for gdb, and say how to attach it')
        p.add_argument('races', nargs='*', metavar='RACE|FILE')

    @property
    def reads_only(self) -> bool:
        return self.show or self.list_all or not (
            self.races or self.all or self.table)

    @property
    def failed(self) -> Optional[int]:
        return EXIT_ABORT if self.bisect else None

    @property
    def called(self) -> List[str]:
        return ['repro --table'] if self.table else [self.command]

    def check(self, repo: str, _ui) -> None:
        for path in (self.bundle, self.report):
            check.place(path)
        if self.list_all and (self.races or self.all or self.table):
            raise UsageError('--list prints every race, by itself')
        if any(hit.is_file(x) for x in self.races):
            for path in self.races:
                hit.load(path)
        elif self.races:
            self._races(repo)
        elif not self.all:
            check.only_with('repro', 'a RACE or --all', self, {
                'runs': -1, 'cold': -1, 'limit': 0, 'resume': False,
                'record': '', 'bisect': False, 'sample': False, 'expect': '',
                'show': False, 'bundle': '', 'report': ''})
        if self.record not in ('', record.LOGGED) and (
                len(self.races) != 1 or ',' in self.kernel):
            raise UsageError('--record FILE is of one race on one kernel')
        if self.record and (self.runs >= 0 or self.cold >= 0 or self.resume):
            raise UsageError('--record makes one run, whatever --runs, '
                             '--cold or --resume say', 'leave them out')
        if self.gdb and (len(self.races) != 1 or ',' in self.kernel
                         or hit.is_file(self.races[0])):
            raise UsageError('--gdb is of one race on one kernel')
        if self.gdb and (self.runs >= 0 or self.cold >= 0 or self.resume
                         or self.record or self.bundle or self.report
                         or self.bisect):
            raise UsageError('--gdb makes one run, which goes nowhere but to '
                             'gdb', 'leave out --runs, --cold, --resume, '
                             '--record, --bundle, --report, --bisect')
        if self.runs == 0 and self.cold == 0:
            raise UsageError('nothing to run', 'give --runs or --cold a '
                             'number above 0')

    def _races(self, repo: str) -> None:
        """Names, files of races, bundles."""
        entries = race.load(repo)
        for word in self.races:
            if bundle.is_bundle(word):
                with tempfile.TemporaryDirectory() as d:
                    bundle.unpack(os.path.expanduser(word), d)
            elif word.endswith('.c'):
                race.from_file(word)
            else:
                found = race.find(entries, [word], race.left_out(repo))
                if self.gdb and len(found) > 1:
                    raise UsageError(f'{word} has several entries, --gdb is '
                                     'of one', 'they are: '
                                     + ' '.join(e.name for e in found))
        if self.bundle and not bundle.is_bundle(self.bundle):
            raise UsageError(f'--bundle {self.bundle}: the name must end '
                             'with ' + ' or '.join(bundle.SUFFIXES))
        if (self.bundle or self.report) and (len(self.races) > 1
                                             or ',' in self.kernel):
            raise UsageError('--bundle and --report are of one race on one '
                             'kernel')


def run(ctx: Context, request: Request) -> int:
    if any(hit.is_file(x) for x in request.races):
        return max([again.Again(ctx, request).run(x)
                    for x in request.races])
    if request.new is not None:
        return write_new(ctx, request.new, False)
    if request.status:
        for line in evidence.status(ctx.paths.root):
            ctx.ui.result(line)
        return 0
    job = repro.Repro(ctx, request)
    if request.show or not request.races and not request.all:
        return job.write_table() if request.table else job.list()
    entries = evidence.chosen(job, lambda: ctx.logdir)
    if request.gdb:
        return racedebug.run(job, entries[0])
    if request.record:
        return racerecord.run(job, entries)
    status = job.run(entries)
    evidence.hand_over(job, status)
    if request.table:
        job.write_table()
    return status
