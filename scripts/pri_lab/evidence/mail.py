# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro --report FILE`: a report ready to send: plain text, 75 columns."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from typing import List

from . import results, show
from ..core import proc
from ..races.race import REPRODUCED
from ..races.tally import Tally
from ..results import splat

WIDTH = 75
_FILE = re.compile(r'\b((?:drivers|kernel|mm|include|arch|lib|fs|net|block)/'
                   r'[\w./-]+\.[ch])\b')


def _wrapped(text: str) -> List[str]:
    return textwrap.wrap(text, WIDTH)


def console(tally: Tally) -> List[str]:
    """The log of the first run with the verdict."""
    names = sorted(n for n in os.listdir(tally.logdir)
                   if n.endswith('.console')) if tally.logdir else []
    for name in names:
        with open(os.path.join(tally.logdir, name), encoding='utf-8',
                  errors='replace') as f:
            text = f.read()
        if splat.find(text) or name == names[-1]:
            return text.split('\n')
    return []


def decoded(block: List[str], image: str, source: str) -> List[str]:
    """A splat with files and lines, by the kernel's own script; as it is, if
    the image has no debug information or the script is not there."""
    script = os.path.join(source, 'scripts', 'decode_stacktrace.sh')
    if not os.path.isfile(script):
        return block
    p = subprocess.run([script, image, source], text=True, errors='replace',
                       input='\n'.join(block), stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, env=proc.child_env(),
                       check=False)
    got = p.stdout.split('\n')
    return got if p.returncode == 0 and len(got) >= len(block) else block


def recipients(source: str, files: List[str]) -> List[str]:
    """Whom the kernel's MAINTAINERS names for these files."""
    script = os.path.join(source, 'scripts', 'get_maintainer.pl')
    there = [f for f in files if os.path.isfile(os.path.join(source, f))]
    if not there or not os.path.isfile(script):
        return []
    out = proc.output_of([script, '--nogit', '--nogit-fallback',
                          '--norolestats', '-f', *there], cwd=source)
    return [x for x in out.split('\n') if x.strip()]


def text(repo: str, tally: Tally, machine, command: str) -> List[str]:
    """The report.  machine: vm.Machine that it ran on, or None."""
    e = tally.entry
    source = ''
    if machine:
        source = os.path.realpath(os.path.join(
            os.path.dirname(machine.kernel), 'source'))
    blocks = splat.find('\n'.join(console(tally)))
    files = list(dict.fromkeys(_FILE.findall(
        ' '.join(e.fields.values()) + '\n'.join(sum(blocks, [])))))
    out = [f'Subject: [BUG] {e.title}'[:WIDTH]]
    out += [f'To: {x}' for x in recipients(source, files)] + ['']
    for field in ('What', 'Order', 'Loses'):
        if field in e.fields:
            out += _wrapped(e.fields[field]) + ['']
    out += _wrapped(f'Seen on Linux {tally.release or tally.kernel}: '
                    f'{tally.counts()}: '
                    f'{tally.verdict or "different results"}.') + ['']
    out += ['To see it again, on any x86-64 machine:', '',
            f'    {command}', '']
    if machine:
        m = results.machine(tally.kernel, machine, tally.release)
        out += [f'{k}: {m[k]}' for k in ('kernel_commit', 'config_sha256',
                                         'qemu_version') if m[k]] + ['']
    for sign in sorted({s for v in tally.all for s in v.signs}):
        out += _wrapped(f'Sign: {sign}')
    for fact in sorted({f for v in tally.all for f in v.facts}):
        out += _wrapped(fact)
    for block in blocks:
        out += [''] + [splat.strip_stamp(x) for x in decoded(
            block, machine.kernel if machine else '', source)]
    fixes = show.commits(e)
    out += [''] + [f'Fixed upstream by: {c}' for c in fixes]
    if tally.verdict == REPRODUCED and not fixes:
        out += ['Fixes: (the commit that brought it in)',
                'Reported-by: (your name and address)']
    return out
