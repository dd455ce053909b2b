# SPDX-License-Identifier: GPL-2.0-or-later
"""`pri-lab kernel list` and `pri-lab kernel build`."""

from __future__ import annotations

import os
import re
from typing import Dict, Iterable, List, Tuple

from . import tree
from ..core import cache, proc
from ..core.errors import LabError
from ..linux import kbuild, kernel, matrix


def columns(rows: List[Tuple[str, ...]]) -> List[str]:
    """Rows as lines of text, columns lined up."""
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return ['  '.join(x.ljust(w) for x, w in zip(r, widths)).rstrip()
            for r in rows]


def rows(paths: cache.Paths, log: proc.Log, ui) -> List[Dict[str, str]]:
    """Every kernel of the matrix and every other released version that is
    here, with its state; no network."""
    out = []
    entries = matrix.load(paths.repo)
    names = [m.group(1) for m in (re.match(r'linux-source-(.+)\.stamp$', n)
                                  for n in sorted(_listdir(paths.linux))) if m]
    more = [matrix.lookup(entries, n) for n in names if n not in entries]
    for entry in [*entries.values(), *(e for e in more if e)]:
        b = kernel.builder(paths, entry, 1, log, ui)
        state = b.state()
        out.append({'name': entry.name, 'here': state,
                    'version': b.version or '-',
                    'from': str(entry.sources[0]), 'note': entry.note})
    return out


def listing(paths: cache.Paths, kernels: List[Dict[str, str]]) -> List[str]:
    """The same for a person, and the kernels built from the user's trees."""
    head = ('NAME', 'HERE', 'VERSION', 'FROM', 'NOTE')
    out = columns([head] + [tuple(k.values()) for k in kernels])
    own = sorted(n for n in _listdir(paths.linux) if n.startswith('own-')
                 and os.path.isfile(os.path.join(paths.linux, n, 'vmlinux')))
    for n in own:
        out.append(f'{os.path.join(paths.linux, n)}  (kernel build, '
                   f'{kbuild.release_of(os.path.join(paths.linux, n))})')
    return out


def _listdir(path: str) -> List[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def check(paths: cache.Paths, what: str, configs: Iterable[str]) -> None:
    """LabError if `build` can be seen to fail beforehand."""
    if kernel.named(paths.repo, what):
        kernel.check_configs(paths.repo, what, configs)
    elif not os.path.isdir(os.path.expanduser(what)):
        raise LabError(f'{what} is neither a kernel of the matrix nor a '
                       'directory', 'names: ./pri-lab kernel list')
    for c in configs:
        if not os.path.isfile(os.path.expanduser(c)):
            raise LabError(f'--config {c}: no such file')


def build(paths: cache.Paths, what: str, configs: Iterable[str],
          make: Iterable[str], jobs: int, log: proc.Log, ui
          ) -> kernel.Kernel:
    """Build a kernel of the matrix, or the source tree of the user's, with
    base.config and the fragments given on top."""
    more = kernel.fragments(configs)
    if kernel.named(paths.repo, what):
        return kernel.get(paths, what, jobs, log, ui, more)
    return tree.OwnTree(paths, what, [
        os.path.join(paths.repo, kbuild.FRAGMENTS), *more], make, jobs, log,
        ui).have()
