# SPDX-License-Identifier: GPL-2.0-or-later
"""`clean`: this clone's builds, what is old, or the whole cache."""

from __future__ import annotations

import argparse
import dataclasses

from . import shared
from ..core.context import Context
from ..core.errors import UsageError
from ..state import clean, usage

NAME = 'clean'
HELP = "remove this clone's builds from the cache"
TEXT = """\
Kernels and downloads are shared and stay, unless --all. Results of races and
resets, recordings and logs stay in any case, unless --results."""
EXAMPLES = """\
  ./pri-lab clean
  ./pri-lab clean --old
  ./pri-lab clean --all"""


@dataclasses.dataclass(frozen=True)
class Request(shared.Request):
    BUILDS = False

    all: bool
    old: bool
    results: bool

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--all', action='store_true',
                       help='the whole cache, except results of races and '
                       'resets, recordings and logs; refused while others '
                       'use it')
        p.add_argument('--old', action='store_true',
                       help='what nobody used for 30 days, and builds of '
                       'clones that are gone')
        p.add_argument('--results', action='store_true',
                       help='with --all: results, recordings and logs, too')

    @property
    def cleans(self) -> bool:
        return self.all

    def check(self, _repo: str, _ui) -> None:
        if self.results and not self.all:
            raise UsageError('--results goes with --all',
                             'alone it would remove builds and no result')


def run(ctx: Context, request: Request) -> int:
    with ctx.clone_lock():
        if request.old:
            return usage.remove_old(ctx.paths, ctx.ui)
        return clean.run(ctx.paths, request.all, request.results, ctx.ui)
