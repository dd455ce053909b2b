# SPDX-License-Identifier: GPL-2.0-or-later
"""`kernel`: the matrix of guest kernels, and one of them."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import List, Optional

from . import shared
from ..check import kmatrix
from ..core.context import Context
from ..core.errors import LabError, UsageError
from ..evidence import results
from ..inputs import check
from ..linux import kernel
from ..machine import ready
from ..own import kernelcmd, tree

NAME = 'kernel'
HELP = 'list the guest kernels, or fetch and build one'
TEXT = """\
list shows the kernels of guest/kernel/matrix and which are built; build makes
one of them, or the source tree in a directory, with guest/kernel/base.config
and the fragments of --config on top, and prints the path of the image, which
--kernel takes. Without either it is the default kernel, or checks the one of
--kernel. report writes docs/kernels.md from the last `check --kernel all`."""
EXAMPLES = """\
  ./pri-lab kernel list
  ./pri-lab kernel build 6.12
  ./pri-lab kernel build ~/linux --config my.config
  ./pri-lab run --kernel 6.12"""


@dataclasses.dataclass(frozen=True)
class Request(shared.Json, shared.Config, shared.KernelName, shared.Request):
    action: Optional[str]
    what: str

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('action', nargs='?', default=None,
                       choices=('list', 'build', 'report'),
                       metavar='list|build|report')
        p.add_argument('what', nargs='?', default='', metavar='NAME|DIR')

    @property
    def reads_only(self) -> bool:
        return self.action == 'list'

    @property
    def called(self) -> List[str]:
        return [f'kernel {self.action}']

    def check(self, repo: str, ui) -> None:
        if self.action in ('list', 'report'):
            return
        what = self.what or self.kernel
        if self.what and self.kernel:
            raise UsageError('a kernel is named twice', 'leave out --kernel')
        for c in self.config:
            if not os.path.isfile(os.path.expanduser(c)):
                raise UsageError(f'--config {c}: no such file')
        path = os.path.expanduser(what)
        if self.action == 'build' and os.path.isdir(path) and \
                kernel.named(repo, what) is None:
            tree.need_source(path)
            return
        check.kernel_given(repo, what, self.config, ui)


def run(ctx: Context, request: Request) -> int:
    if request.action == 'list':
        return _list(ctx, request)
    if request.action == 'report':
        return _report(ctx)
    what = request.what or request.kernel
    if request.action == 'build':
        kernelcmd.check(ctx.paths, what, request.config)
    ctx.ui.plan(1 + kernel.steps(ctx.paths.repo, what))
    ready.tools(ctx)
    if request.action == 'build':
        linux = kernelcmd.build(ctx.paths, what, request.config, request.make,
                                ctx.jobs, ctx.log, ctx.ui)
    else:
        kernel.check_configs(ctx.paths.repo, what, request.config)
        linux = kernel.get(ctx.paths, what, ctx.jobs, ctx.log, ctx.ui,
                           kernel.fragments(request.config))
    ctx.ui.result(linux.image)
    return 0


def _list(ctx: Context, request: Request) -> int:
    rows = kernelcmd.rows(ctx.paths, ctx.log, ctx.ui)
    ctx.outcome.found += [results.checked('kernel', r) for r in rows]
    if request.json != '-':
        for line in kernelcmd.listing(ctx.paths, rows):
            ctx.ui.result(line)
    return 0


def _report(ctx: Context) -> int:
    page = kmatrix.write_page(ctx.paths.repo, ctx.paths.work)
    if not page:
        raise LabError('there are no results yet',
                       'run ./pri-lab check --kernel all first')
    ctx.ui.result(page)
    return 0
