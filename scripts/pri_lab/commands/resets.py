# SPDX-License-Identifier: GPL-2.0-or-later
"""`resets`: the table of resets of a kernel."""

from __future__ import annotations

import argparse
import dataclasses
from typing import ClassVar, List

from . import shared
from ..core import requests
from ..core.context import Context
from ..resets import cells, command

NAME = 'resets'
HELP = 'judge every reset of a function that is at work'
TEXT = """\
Boots a machine with a function of every kind, and runs each cell of the table
from one snapshot: METHOD of reset, what is at WORK meanwhile, WHO is reset
and who works. A cell is OK, hangs, splat, DMA error, data wrong or refused;
what makes no sense is not run. -j guests run side by side. Exit status 0:
every cell is OK or refused; 1: one is not."""
EXAMPLES = """\
  ./pri-lab resets --list
  ./pri-lab resets --only flr/unmap/function
  ./pri-lab resets --only pf,bus/idle -j 1
  ./pri-lab resets --kernel 7.3,7.1.3 --resume --table
  ./pri-lab resets --kernel 7.3+S-08-blocked --only unmap"""


@dataclasses.dataclass(frozen=True)
class Request(shared.Json, shared.Config, shared.Accel, shared.Kernels,
              shared.Qemu, shared.Request, requests.Resets):
    INTERRUPTED: ClassVar[str] = (
        'interrupted; the cells that were run are kept: add --resume to the '
        'same command to continue')

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--only', default='', metavar='CELL,CELL',
                       help='only these cells, by METHOD, WORK and WHO or some '
                       'of the three: flr/unmap/pf, unmap')
        p.add_argument('--resume', action='store_true',
                       help='leave out cells that were run with the same '
                       'program, QEMU and kernel')
        p.add_argument('--table', action='store_true',
                       help='write docs/results/resets.md from all results so '
                       'far')
        p.add_argument('--list', action='store_true', dest='list_cells',
                       help='print the cells, run nothing')

    @property
    def reads_only(self) -> bool:
        return self.list_cells

    @property
    def called(self) -> List[str]:
        return ['resets --table'] if self.table else [self.command]

    def check(self, _repo: str, _ui) -> None:
        cells.select(cells.words(self.only))


def run(ctx: Context, request: Request) -> int:
    return command.Resets(ctx, request).main()
