# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/manual/pri-lab.1, made from the command line as argparse has it."""

from __future__ import annotations

import argparse
import os
import re
from typing import List

from ..core import options
from ..core.errors import STATUSES

PAGE = os.path.join('docs', 'manual', 'pri-lab.1')

_HEAD = r'''.\" SPDX-License-Identifier: GPL-2.0-or-later
.\" Written by scripts/gen-man.py from the command line; do not edit.
.TH PRI\-LAB 1 "" "pri\-lab" "User Commands"
.SH NAME
pri\-lab \- boot Linux guests whose page faults come from a device
.SH SYNOPSIS
.B pri\-lab
.RI [ option ...]
.I command
.RI [ option ...]
.RI [ argument ...]
.SH DESCRIPTION
'''

_TAIL = r'''.PP
.B qemu
and
.B shell
end with QEMU's own status.
.SH ENVIRONMENT
.TP
.B XDG_CACHE_HOME
Where the cache is,
.I $XDG_CACHE_HOME/pri\-lab
(default
.IR ~/.cache/pri\-lab ):
downloads, builds, logs.
.TP
.BR http_proxy ", " https_proxy
For downloads; apt's own settings count, too.
.SH FILES
.TP
.I guest/kernel/matrix
The kernels that
.B \-\-kernel
knows by name.
.TP
.I guest/kernel/base.config
The configuration of the guest kernel.
.TP
.I docs/manual/pri\-lab.md
The long form of this page.
.SH SEE ALSO
.BR qemu\-system\-x86_64 (1),
.BR gdb (1),
.BR vng (1)
'''


def _esc(text: str) -> str:
    """Text for roff: backslashes, hyphens, and no dot at the line's start."""
    text = text.replace('\\', r'\e').replace('-', r'\-').replace("'", r'\(aq')
    return re.sub(r'^([.\'])', r'\\&\1', text, flags=re.M)


def _para(text: str) -> str:
    """Prose: lines as they come, `word` bold."""
    text = _esc(re.sub(r'\s*\n\s*', ' ', text.strip()))
    text = re.sub(r'`([^`]+)`', r'\\fB\1\\fR', text)
    # one sentence a line, as roff likes it
    return re.sub(r'([.:])  +', r'\1\n', text)


def _option(o: options.Option) -> List[str]:
    value = f' \\fI{_esc(o.value)}\\fR' if o.value and not o.choices else ''
    if o.choices:
        value = ' ' + '|'.join(f'\\fI{_esc(c)}\\fR' for c in o.choices)
    names = ', '.join(f'\\fB{_esc(n)}\\fR' for n in o.names)
    return ['.TP', names + value, _para(_sentence(o.help))]


def _sentence(text: str) -> str:
    text = text.rstrip('.')
    return f'{text[:1].upper()}{text[1:]}.' if text else ''


def _synopsis(c: options.Command) -> str:
    words = [f'\\fB{c.name}\\fR']
    for p in c.positionals:
        value = f'\\fI{_esc(p.value)}\\fR'
        words.append(f'[{value}]' + ('...' if p.many else ''))
    return ' '.join(words)


def text(top: argparse.ArgumentParser) -> str:
    common = {o.names for o in options.common(top)}
    out = [_HEAD.rstrip('\n'), _para(top.description or ''), '.SH OPTIONS',
           'They stand before or after the command.']
    for o in options.common(top):
        out += _option(o)
    out.append('.SH COMMANDS')
    for c in options.commands(top):
        out += ['.SS ' + _synopsis(c), _para(_sentence(c.line))]
        if c.text:
            out += ['.PP', _para(c.text)]
        for o in c.options:
            if o.names not in common:
                out += _option(o)
        if c.examples:
            out += ['.PP', '.nf', '.RS 4'] + [_esc(x) for x in c.examples] \
                + ['.RE', '.fi']
    out.append('.SH EXIT STATUS')
    for number, why in STATUSES.items():
        out += ['.TP', f'.B {number}', _para(_sentence(why))]
    return '\n'.join(out) + '\n' + _TAIL
