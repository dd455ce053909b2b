# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line as data, read from the argparse tree itself.

Shell completion and the manual page are made from it, so neither can forget
an option.
"""

from __future__ import annotations

import argparse
from typing import Any, Dict, List, NamedTuple, Tuple


class Option(NamedTuple):
    names: Tuple[str, ...]      # '-v', '--verbose'; empty: a positional
    value: str                  # what it takes ('FILE'), '' for a flag
    choices: Tuple[str, ...]
    help: str
    many: bool                  # may be given again and again

    @property
    def wants(self) -> str:
        """What the value is: 'kernel', 'file', 'dir' or ''."""
        if '--kernel' in self.names or self.value == 'NAME|DIR':
            return 'kernel'
        if any(w in self.value for w in ('FILE', 'TARBALL', 'FRAGMENT',
                                         'IMAGE', 'LOG')):
            return 'file'
        return 'dir' if 'DIR' in self.value else ''


class Command(NamedTuple):
    name: str
    line: str                   # what it does, one line
    text: str                   # the description, examples not in it
    examples: List[str]
    options: List[Option]       # common ones too
    positionals: List[Option]


def _option(a: argparse.Action) -> Option:
    takes = a.nargs != 0
    value = ''
    if takes:
        shown = a.metavar or a.dest.upper()
        value = ' '.join(shown) if isinstance(shown, tuple) else shown
    many = a.nargs in ('*', '+') or isinstance(a, argparse._AppendAction)
    return Option(tuple(a.option_strings), value,
                  tuple(str(c) for c in a.choices or ()),
                  a.help if a.help and a.help != argparse.SUPPRESS else '',
                  many)


def _split(p: argparse.ArgumentParser) -> Tuple[List[Option], List[Option]]:
    options: List[Option] = []
    positionals: List[Option] = []
    for a in p._actions:
        if not isinstance(a, argparse._SubParsersAction):
            (options if a.option_strings else positionals).append(_option(a))
    return options, positionals


def _subparsers(top: argparse.ArgumentParser) -> argparse._SubParsersAction:
    return next(a for a in top._actions
                if isinstance(a, argparse._SubParsersAction))


def words(top: argparse.ArgumentParser, command: str,
          values: Dict[str, Any]) -> List[str]:
    """The command line that gives a command's options these values; those
    that are as they are without it are left out."""
    out: List[str] = []
    for a in _subparsers(top).choices[command]._actions:
        if not a.option_strings or a.dest not in values:
            continue
        value = values[a.dest]
        if value == a.default or not value and a.default == argparse.SUPPRESS:
            continue
        name = a.option_strings[-1]
        if a.nargs == 0:
            out += [name] * bool(value)
        else:
            out += [f'{name}={v}' for v in (
                value if isinstance(value, list) else [value])]
    return out


def common(top: argparse.ArgumentParser) -> List[Option]:
    """Options that stand before any command."""
    return _split(top)[0]


def commands(top: argparse.ArgumentParser) -> List[Command]:
    """Every command that the help shows, in its order."""
    subs = _subparsers(top)
    out = []
    for shown in subs._choices_actions:
        p = subs.choices[shown.dest]
        options, positionals = _split(p)
        text = (p.description or '').partition('\n\n')[2]
        examples = [x.strip() for x in (p.epilog or '').splitlines()[1:]]
        out.append(Command(shown.dest, shown.help or '', text, examples,
                           options, positionals))
    return out
