# SPDX-License-Identifier: GPL-2.0-or-later
"""`clean`: what goes, and what must not be lost with it."""

from __future__ import annotations

import os
from typing import List

from ..core import cache

# results of races and resets, recordings, logs: what only time made
RESULTS = 'repro'
RESETS = 'resets'
KEPT = ('logs', RESULTS, RESETS, 'work', 'locks', 'running')


def victims(paths: cache.Paths, everything: bool, results: bool) -> List[str]:
    """Paths to remove: of this clone, or of the whole cache."""
    def below(top: str, kept) -> List[str]:
        return [os.path.join(top, n) for n in sorted(os.listdir(top))
                if n not in kept] if os.path.isdir(top) else []
    keep = () if results else (RESULTS,)
    if not everything:
        return below(paths.work, keep)
    out = below(paths.root, ('locks', 'running') if results else KEPT)
    if not results:
        top = paths.works
        for n in sorted(os.listdir(top)) if os.path.isdir(top) else []:
            out += below(os.path.join(top, n), keep)
    return out


def run(paths: cache.Paths, everything: bool, results: bool, ui) -> int:
    for v in victims(paths, everything, results):
        ui.say(f'removing {v}')
        cache.remove(v)
    if not results:
        ui.say('results of races and resets stay; --all --results removes '
               'them, too')
    return 0
