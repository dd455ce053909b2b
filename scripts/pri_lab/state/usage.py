# SPDX-License-Identifier: GPL-2.0-or-later
"""`cache` and `clean --old`: what lies in the cache, and what nobody wants."""

from __future__ import annotations

import os
import time
from typing import List, NamedTuple

from . import logs
from ..core import cache, running
from ..qemu import qemustore

OLD_DAYS = 30
# directories of which every entry is a product of its own
_PRODUCTS = ('work', 'qemu', 'linux', 'stock')
_WHOLE = ('downloads', 'apt', 'tools', 'repro', 'resets', 'logs')


class Item(NamedTuple):
    path: str                   # relative to the cache
    size: int                   # bytes
    used: float                 # seconds of the epoch
    note: str

    @property
    def days(self) -> float:
        return (time.time() - self.used) / 86400


def clone_of(work: str) -> str:
    """The clone a work directory belongs to, '' if nobody noted it."""
    try:
        with open(os.path.join(work, qemustore.CLONE),
                  encoding='utf-8') as f:
            return f.read().strip()
    except OSError:
        return ''


def _used(path: str) -> float:
    """The last time something at the top of a product changed."""
    times = [os.stat(path).st_mtime]
    if os.path.isdir(path):
        with os.scandir(path) as it:
            times += [e.stat(follow_symlinks=False).st_mtime for e in it]
    return max(times)


def _note(top: str, path: str) -> str:
    if top == 'work':
        clone = clone_of(path)
        return 'of a clone nobody noted' if not clone else \
            f'of {clone}' + ('' if os.path.isdir(clone) else ', which is gone')
    return ''


def items(root: str) -> List[Item]:
    out = []
    for top in _PRODUCTS:
        here = os.path.join(root, top)
        for n in sorted(os.listdir(here)) if os.path.isdir(here) else []:
            path = os.path.join(here, n)
            if os.path.isdir(path):
                out.append(Item(os.path.join(top, n), logs.size(path),
                                _used(path), _note(top, path)))
    for top in _WHOLE:
        path = os.path.join(root, top)
        if os.path.isdir(path):
            out.append(Item(top, logs.size(path), _used(path), ''))
    return out


def table(paths: cache.Paths) -> List[str]:
    have = items(paths.root)
    out = [f'{i.size / 1e6:9,.0f} MB  {_age(i):>12}  {i.path}'
           + (f'  ({i.note})' if i.note else '') for i in have]
    out.append(f'{sum(i.size for i in have) / 1e6:9,.0f} MB  {"":12}  '
               f'{paths.root}')
    for c in running.others(paths.root):
        out.append(f'in use: {c}')
    return out


def _age(i: Item) -> str:
    return 'today' if i.days < 1 else f'{i.days:.0f} days ago'


def unwanted(root: str) -> List[str]:
    """Products that nobody used for long, and of clones that are gone; not
    results of races."""
    out = []
    for i in items(root):
        if not i.path.startswith(tuple(t + os.sep for t in _PRODUCTS)):
            continue
        if i.days > OLD_DAYS or i.note.endswith('which is gone'):
            out.append(os.path.join(root, i.path))
    return out


def remove_old(paths: cache.Paths, ui) -> int:
    """Not under a command that uses them."""
    for path in unwanted(paths.root):
        name = os.path.basename(path)
        lock = cache.try_lock(paths, f'clone-{name}')
        if lock is None:
            ui.say(f'{path} is in use')
            continue
        with lock:
            ui.say(f'removing {path}')
            for n in os.listdir(path):
                if n != 'repro':            # results stay
                    cache.remove(os.path.join(path, n))
            if not os.listdir(path):
                os.rmdir(path)
        for beside in ('.stamp', '.fragment'):
            cache.remove(path + beside)
    return 0
