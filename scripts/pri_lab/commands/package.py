# SPDX-License-Identifier: GPL-2.0-or-later
"""`package`: a .deb of QEMU and the front end."""

from __future__ import annotations

import argparse
import dataclasses
import os

from . import shared
from ..core.context import Context
from ..core.errors import UsageError
from ..dist import package
from ..inputs import check
from ..machine import ready

NAME = 'package'
HELP = 'build a Debian package'
TEXT = """\
It stands beside the distribution's QEMU: everything is in /usr/lib/pri-lab,
/usr/bin gets pri-lab and qemu-system-x86_64-pri-lab. Prints the path of the
.deb, which is for the release it was built on."""
EXAMPLES = """\
  ./pri-lab package
  ./pri-lab package --output /tmp"""


@dataclasses.dataclass(frozen=True)
class Request(shared.Qemu, shared.Request):
    output: str

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--output', default='', metavar='DIR',
                       help='where to put it (default: in the cache)')

    def check(self, _repo: str, _ui) -> None:
        top = os.path.realpath(os.path.expanduser(self.output))
        if self.output and os.path.exists(top) and not os.path.isdir(top):
            raise UsageError(f'--output {self.output} is no directory')
        if self.output:
            check.place(os.path.join(top, 'x.deb') if os.path.isdir(top)
                        else top)
        if package.lacking():
            raise UsageError('the package is made by debhelper, which is not '
                             f'here: no {", ".join(package.lacking())}',
                             'apt-get install debhelper dpkg-dev')


def run(ctx: Context, request: Request) -> int:
    ctx.ui.plan(5)
    output = request.output or os.path.join(ctx.paths.work, 'package')
    with ctx.clone_lock():
        qemu = ready.qemu(ctx, ready.tools(ctx), request.qemu_src)
        deb = package.build(ctx.paths, qemu, ctx.parser,
                            os.path.realpath(os.path.expanduser(output)),
                            ctx.log, ctx.ui)
    ctx.ui.result(deb)
    return 0
