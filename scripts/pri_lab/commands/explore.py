# SPDX-License-Identifier: GPL-2.0-or-later
"""`explore`: look for races that nobody knows yet."""

from __future__ import annotations

import argparse
import dataclasses
import re
from typing import ClassVar, List

from . import shared
from .new import write_new
from ..core import requests
from ..core.context import Context
from ..core.errors import UsageError
from ..explore import command
from ..explore.plan import parse
from ..inputs import check, names
from ..machine.schedule import LETTERS
from ..races import race

NAME = 'explore'
HELP = 'look for races that nobody knows yet'
TEXT = """\
Without a name: lists tests/guest/scenarios, plain work of a few tasks without
an order. Boots a scenario once, up to the point before its tasks begin, and
runs it from there under one plan after another. A plan says which CPU runs,
where another one is let in and what the device holds. Ends when nothing new
is covered or at --budget, with --runs at that. An undocumented sign is a hit:
it is shrunk, replayed, printed and kept for `repro FILE`. Exit status 0: no
hit. A scenario marked (steps) runs in every order of --depth steps instead."""
EXAMPLES = """\
  ./pri-lab explore
  ./pri-lab explore unbind-faults --budget 10
  ./pri-lab explore --all --budget 480 --resume
  ./pri-lab explore two-drains --kernel 7.3,7.3+O-B-fix --seed 7
  ./pri-lab explore queue-close --plan 'order=3210 at=1:2'
  ./pri-lab explore --report
  ./pri-lab explore groups --depth 3 --kernel 7.3+C-18"""


@dataclasses.dataclass(frozen=True)
class Request(shared.New, shared.Json, shared.Config, shared.Accel,
              shared.Kernels, shared.Qemu, shared.Request, requests.Explore):
    INTERRUPTED: ClassVar[str] = (
        'interrupted; what was covered and the hits are kept: add --resume '
        'to the same command to continue')

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--budget', type=shared.positive, metavar='MIN',
                       default=0, help='minutes for all scenarios together')
        p.add_argument('--runs', type=shared.positive, metavar='N', default=-1,
                       help='N schedules of a scenario, though nothing new '
                       'comes; with --resume those of before count (default: '
                       'at most 1000; orders of steps: 200)')
        p.add_argument('--seed', type=shared.number, metavar='S', default=1,
                       help='seed of the random choices (default: 1)')
        p.add_argument('--focus', default='iommu', metavar='A,B',
                       help='code whose accesses are points: iommu, vfio, '
                       'pci, mm, workqueue, a directory or object of the '
                       'kernel, a function (default: iommu)')
        p.add_argument('--hits', type=shared.positive, metavar='N', default=0,
                       help='end after N distinct hits')
        p.add_argument('--replays', type=shared.positive, metavar='N',
                       default=20, help='replay each hit N times (default: 20)')
        p.add_argument('--known', action='store_true',
                       help='a documented sign counts as a hit, too; '
                       'with --sign only one that matches')
        p.add_argument('--list', action='store_true', dest='list_all',
                       help='print the scenarios, run nothing')
        p.add_argument('--all', action='store_true',
                       help='every scenario of tasks')
        p.add_argument('--resume', action='store_true',
                       help='continue from what was covered before')
        p.add_argument('--report', action='store_true', dest='pages',
                       help='write a page for each distinct hit')
        p.add_argument('--plan', default='', metavar='TEXT',
                       help='run this plan once and print it')
        p.add_argument('--shrink', action='store_true',
                       help='with --plan: what of it is needed for its first '
                       'sign? Replay and keep that, as a hit of a search')
        p.add_argument('--measure', type=shared.positive, metavar='N',
                       default=0, help='count schedules until the first hit, '
                       'for N seeds, against random slices and round robin')
        p.add_argument('--sign', default='', metavar='REGEX',
                       help='end after a hit with such a sign; with '
                       '--measure: what counts as the hit')
        p.add_argument('--determinism', action='store_true',
                       help='run some plans over and over (--runs, default '
                       '100; --plan: that one): is each run the same?')
        p.add_argument('--depth', type=shared.positive, metavar='D', default=0,
                       help='steps of an order (default: 4)')
        p.add_argument('--order', default='', metavar='WORD',
                       help='run only this order of steps')
        p.add_argument('scenario', nargs='*', metavar='SCENARIO')

    @property
    def reads_only(self) -> bool:
        return self.list_all or not (self.scenario or self.all or self.pages)

    def check(self, repo: str, _ui) -> None:
        if self.list_all and (self.scenario or self.all or self.pages):
            raise UsageError('--list prints every scenario, by itself')
        if self.pages:
            return
        if not (self.scenario or self.all):
            check.only_with('explore', 'a SCENARIO or --all', self, {
                'runs': -1, 'depth': 0, 'order': '', 'budget': 0, 'plan': '',
                'measure': 0, 'resume': False, 'hits': 0})
            return
        known = race.load(repo, race.SCENARIOS)
        entries = race.find(known, self.scenario)
        for e in known if self.all else entries:
            if not e.steps and len(e.name) > LETTERS:
                raise UsageError(f'{e.name}: the name of a scenario has at '
                                 f'most {LETTERS} letters', f'rename {e.path}')
        steps = [e for e in entries if e.steps]
        if self.accel == 'kvm' and len(steps) < len(entries) + self.all:
            raise UsageError('explore needs TCG: with KVM nobody says which '
                             'CPU runs')
        if steps and (len(steps) < len(entries) or self.all):
            raise UsageError(f'{steps[0].name} is of steps and runs in '
                             'another way', 'name it alone')
        if (self.order or self.depth) and not steps:
            raise UsageError('--order and --depth are for scenarios of steps')
        for name in ('plan', 'measure'):
            if getattr(self, name) and (len(entries) != 1 or steps):
                raise UsageError(f'--{name} is about one scenario of tasks')
        parse(self.plan)
        if self.shrink and not self.plan:
            raise UsageError('--shrink is about a plan', 'name it with --plan')
        try:
            re.compile(self.sign)
        except re.error as e:
            raise UsageError(f'--sign {self.sign}: {e}') from None
        for entry in steps:
            _order(self.order, entry)


def _order(order: str, entry: race.Entry) -> None:
    with open(entry.path, encoding='utf-8') as f:
        steps = names.table(f.read())
    letters = 'abcdefghijklmnopqrstuvwxyz'[:len(steps)]
    bad = set(order) - set(letters)
    if steps and bad:
        raise UsageError(f'--order {order}: there is no step {min(bad)}',
                         'the steps are ' + ', '.join(
                             f'{a} {s}' for a, s in zip(letters, steps)))


def run(ctx: Context, request: Request) -> int:
    """List the scenarios, search some, or report the hits."""
    if request.new is not None:
        return write_new(ctx, request.new, True)
    return command.Explore(ctx, request).main()
