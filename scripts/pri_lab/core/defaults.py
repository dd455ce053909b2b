# SPDX-License-Identifier: GPL-2.0-or-later
"""A file of defaults: what a user would otherwise type each time.

$XDG_CONFIG_HOME/pri-lab/defaults (~/.config/pri-lab/defaults), a line an option:

    kernel = ~/linux
    config = ~/my.config
    accel = tcg
    jobs = 2

The command line wins.  A kernel is for the commands of KERNEL alone, and a
fragment goes with the kernel of the file: not with one that is named on the
command line.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List

from .errors import UsageError

OPTIONS = ('kernel', 'config', 'accel', 'jobs', 'qemu-src')
KERNEL = ('run', 'shell', 'qemu', 'repro', 'explore')


def path() -> str:
    home = os.environ.get('XDG_CONFIG_HOME') or \
        os.path.join(os.path.expanduser('~'), '.config')
    return os.path.join(home, 'pri-lab', 'defaults')


def _value(where: str, key: str, value: str) -> Any:
    if key == 'jobs':
        if not value.isdigit() or int(value) < 1:
            raise UsageError(f'{where}: jobs = {value}: not a whole number '
                             'of 1 or more')
        return int(value)
    if key == 'accel' and value not in ('tcg', 'kvm'):
        raise UsageError(f'{where}: accel = {value}: not tcg or kvm')
    return value


def read(name: str) -> Dict[str, Any]:
    """The file as options; {} if there is none.  UsageError: a line that is
    no option."""
    out: Dict[str, Any] = {}
    try:
        with open(name, encoding='utf-8') as f:
            lines = f.read().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    for n, line in enumerate(lines, 1):
        text = line.split('#', 1)[0].strip()
        if not text:
            continue
        key, equals, value = (x.strip() for x in text.partition('='))
        if not equals or not value or key not in OPTIONS:
            raise UsageError(f'{name}:{n}: {text}: not an option',
                             'OPTION = VALUE; options: ' + ' '.join(OPTIONS))
        value = _value(f'{name}:{n}', key, value)
        if key == 'config':
            out.setdefault(key, []).append(value)
        else:
            out[key.replace('-', '_')] = value
    return out


def used(command: str, given: List[str]) -> Dict[str, Any]:
    """Of the file, what a command takes; given: options that it was called
    with."""
    have = read(path())
    if command not in KERNEL or 'kernel' in given:
        have.pop('kernel', None)
        have.pop('config', None)
    return {k: v for k, v in have.items() if k not in given}
