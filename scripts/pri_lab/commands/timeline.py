# SPDX-License-Identifier: GPL-2.0-or-later
"""`timeline`: a chart of a recorded run."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import Optional, Union

from . import shared
from ..core.context import Context
from ..core.errors import UsageError
from ..inputs import check
from ..machine import record
from ..timeline import chart

NAME = 'timeline'
HELP = 'draw a recorded run as a message sequence chart'
TEXT = """\
LOG is what `run --record` wrote, or a log of QEMU made with -msg vclock=on.
Writes one page that needs nothing else; with --text prints columns. With
values of PASID, PRGI and so on: those events, and the rest of their
exchanges."""
EXAMPLES = """\
  ./pri-lab run reset --args in-flight --record
  ./pri-lab timeline LOG -o race.html
  ./pri-lab timeline LOG --text --pasid 1 --prgi 5"""
_OF = {'pasid': 'PASIDs', 'prgi': 'PRG indices', 'itag': 'ITags',
       'kind': 'kinds of events (docs/manual/timeline.md)',
       'channel': 'DMA channels'}


def _since(text: str) -> Union[float, str]:
    return text if text == chart.RACE else float(text)


_since.__name__ = 'time'        # argparse prints it


@dataclasses.dataclass(frozen=True)
class Request(shared.Request):
    BUILDS = False

    log: str
    other: str
    names: str
    output: str
    text: bool
    list: bool
    title: str
    since: Union[float, str, None]
    until: Optional[float]
    pasid: str
    prgi: str
    itag: str
    kind: str
    channel: str

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('log', metavar='LOG', help='a file, or a log '
                       'directory with one recording')
        p.add_argument('--with', metavar='LOG', dest='other', default='',
                       help='a second recording, beside the first: what '
                       'happens in both is paired')
        p.add_argument('--names', metavar='A,B', default='',
                       help='with --with: what the two are called (default: '
                       'A,B)')
        p.add_argument('-o', '--output', metavar='FILE', default='',
                       help='the page (default: beside a log of the cache, '
                       'else in the current directory, .html); by the '
                       f'ending: {record.SUFFIX} the events that are asked '
                       'for as a log, .svg a picture of them, .json for '
                       'Perfetto and Chrome')
        p.add_argument('--text', action='store_true',
                       help='print columns instead')
        p.add_argument('--list', action='store_true',
                       help='print a short line an event instead')
        p.add_argument('--title', default='', help='of the chart (default: '
                       'job and arguments)')
        p.add_argument('--from', type=_since, metavar='MS|race', dest='since',
                       default=None, help='from this time on, as the chart '
                       'counts it, in milliseconds; `race`: from where a '
                       'race begins')
        p.add_argument('--to', type=float, metavar='MS', dest='until',
                       default=None, help='until this time')
        for name, what in _OF.items():
            p.add_argument(f'--{name}', default='', metavar='A,B',
                           help=f'only these {what}')

    @property
    def reads_only(self) -> bool:
        return True

    def check(self, _repo: str, _ui) -> None:
        if not os.path.exists(self.log):
            raise UsageError(f'{self.log}: there is no such file or '
                             'directory')
        check.place(self.output)


def run(ctx: Context, request: Request) -> int:
    return chart.run(request, ctx.paths.repo, ctx.ui)
