# SPDX-License-Identifier: GPL-2.0-or-later
"""`completion`: a script for the shell, and the words that it asks for."""

from __future__ import annotations

import argparse
import dataclasses

from . import shared
from ..core import near
from ..core.context import Context
from ..dist import completion

NAME = 'completion'
HELP = 'print a completion script for the shell'
TEXT = """\
Bash: . <(./pri-lab completion bash). Zsh: source <(./pri-lab completion zsh),
or save it as _pri-lab in a directory of $fpath."""
EXAMPLES = """\
  ./pri-lab completion bash > /etc/bash_completion.d/pri-lab
  ./pri-lab completion zsh > ~/.zfunc/_pri-lab"""

WORDS = 'words'


@dataclasses.dataclass(frozen=True)
class Request(shared.Request):
    BUILDS = False

    shell: str
    kind: str

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('shell', metavar='bash|zsh|fish')
        p.add_argument('kind', nargs='?', default='jobs',
                       choices=completion.KINDS, help=argparse.SUPPRESS)

    @property
    def reads_only(self) -> bool:
        return True

    def check(self, _repo: str, _ui) -> None:
        if self.shell != WORDS:         # what the scripts ask for
            near.need('completion for', [self.shell], completion.SHELLS)


def run(ctx: Context, request: Request) -> int:
    return completion.main(request.shell, request.kind, ctx.parser,
                           ctx.paths.repo)
