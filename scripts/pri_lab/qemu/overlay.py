# SPDX-License-Identifier: GPL-2.0-or-later
"""Lay our patches and files over a pristine QEMU tree.

The wanted contents of every touched file are computed first (pristine file,
patched in a staging directory, replaced or extended by ours), then written
where they differ.  So a patch that does not apply leaves the tree as it was,
a second run writes nothing, and ninja rebuilds only what changed.

Mapping from the repository:
    patches/SERIES/*.patch      applied in order of their names; which series,
                                the source's version says (series.py)
    accel/ hw/ include/ target/ docs/specs/  same place in QEMU's tree
    tests/qtest/                tests/qtest/pri-lab/
    */trace-events              appended to QEMU's file of that directory
"""

from __future__ import annotations

import os
import re
import shutil
from typing import Dict, Optional, Set

from ..core import cache, proc
from ..core.errors import LabError
from .qemusrc import Source

ROOTS = ('accel', 'hw', 'include', 'target', 'docs/specs', 'tests/qtest')


def touched_by(patch: str) -> Set[str]:
    """Paths a patch names, new and deleted files included."""
    out = set()
    for m in re.finditer(r'^(?:---|\+\+\+) (?:[ab]/)?(\S+)', patch, re.M):
        if m.group(1) != '/dev/null':
            out.add(m.group(1))
    return out


def target_of(rel: str) -> str:
    """Where a repository file goes in QEMU's tree."""
    prefix = 'tests/qtest/'
    if rel.startswith(prefix):
        return prefix + 'pri-lab/' + rel[len(prefix):]
    return rel


def our_files(repo: str) -> Dict[str, str]:
    """QEMU path -> our file, for everything that is laid over."""
    out = {}
    for top in ROOTS:
        for path in cache.files_under(os.path.join(repo, top)):
            out[target_of(os.path.relpath(path, repo))] = path
    return out


def _read(path: str) -> Optional[bytes]:
    try:
        with open(path, 'rb') as f:
            return f.read()
    except FileNotFoundError:
        return None


class Overlay:
    """The overlaid tree of one clone.

    State beside the tree: `qemu.pristine/` holds the original of every file
    ever touched; `qemu.stamp` says which source the tree is from;
    `qemu.overlay` lists the paths that differ from pristine now.
    """

    def __init__(self, paths: cache.Paths, source: Source, log: proc.Log, ui):
        self.paths = paths
        self.source = source
        self.log = log
        self.ui = ui
        self.tree = paths.qemu_src
        self.saved = paths.qemu_src + '.pristine'
        self.stamp = cache.Stamp(paths.qemu_src + '.stamp')
        self.state = cache.Stamp(paths.qemu_src + '.overlay')

    def apply(self) -> int:
        """Bring the tree to the wanted state; number of files written."""
        with self.ui.step('Patch QEMU') as step:
            if not self._intact():
                step.note = 'unpacking'
                self._unpack()
            wanted = self._patched()
            for target, path in our_files(self.paths.repo).items():
                wanted[target] = self._ours(target, path, wanted)
            changed = self._write(wanted)
            step.done(f'{changed} files changed' if changed else 'up to date')
        return changed

    # -- pristine -------------------------------------------------------------

    def _intact(self) -> bool:
        return (self.stamp.valid(self.source.key)
                and os.path.isdir(self.saved))

    def _unpack(self) -> None:
        cache.need_space(self.paths.root, 1.5, 'QEMU\'s source and build')
        self.stamp.clear()
        self.state.clear()
        cache.remove(self.saved)
        with cache.fresh_tree(self.tree) as part:
            self.source.unpack(part, self.log, self.ui)
        os.makedirs(self.saved)
        self.stamp.write(self.source.key,
                         [os.path.join(self.tree, 'VERSION')])

    def _pristine(self, rel: str) -> Optional[bytes]:
        """A file as QEMU ships it, None if QEMU has no such file.

        Saved before its first change; a file that is not saved and not in
        the state list has never been touched.
        """
        saved = os.path.join(self.saved, rel)
        if os.path.exists(saved):
            return _read(saved)
        if rel in self.state.read().get('paths', []):
            return None                 # ours alone
        data = _read(os.path.join(self.tree, rel))
        if data is not None:
            cache.write_atomic(saved, data)
            shutil.copymode(os.path.join(self.tree, rel), saved)
        return data

    # -- wanted ---------------------------------------------------------------

    def _patched(self) -> Dict[str, Optional[bytes]]:
        """Contents of every file the patches touch, None where deleted."""
        patches = self.source.series.files(self.paths.repo)
        touched: Set[str] = set()
        for p in patches:
            with open(p, encoding='utf-8', errors='replace') as f:
                touched |= touched_by(f.read())
        stage = self.tree + '.stage'
        cache.remove(stage)
        os.makedirs(stage)
        try:
            for rel in sorted(touched):
                self._inside(rel)
                data = self._pristine(rel)
                if data is not None:
                    cache.write_atomic(os.path.join(stage, rel), data)
            for p in patches:
                self._apply_one(p, stage)
            return {rel: _read(os.path.join(stage, rel)) for rel in touched}
        finally:
            cache.remove(stage)

    @staticmethod
    def _inside(rel: str) -> None:
        if os.path.isabs(rel) or '..' in rel.split('/'):
            raise LabError(f'a patch names a path outside the tree: {rel}')

    def _apply_one(self, patch: str, stage: str) -> None:
        name = os.path.basename(patch)
        try:
            proc.run(['patch', '-p1', '--batch', '--forward',
                      '--no-backup-if-mismatch', '--fuzz=0', '-i', patch],
                     f'applying {name}', self.log, ui=self.ui, cwd=stage)
        except LabError as e:
            hunks = [x for x in e.tail if 'FAILED' in x or 'No file' in x
                     or 'malformed' in x]
            raise LabError(
                f'{self.source.series.path}/{name} does not apply to {self.source.label}',
                'is the source an unchanged QEMU '
                'and the patch for this version?', self.log.path,
                hunks or e.tail) from None

    def _ours(self, target: str, path: str,
              wanted: Dict[str, Optional[bytes]]) -> bytes:
        """What a file of ours becomes in the tree."""
        data = _read(path) or b''
        if os.path.basename(target) != 'trace-events':
            return data
        base = wanted.get(target)
        if base is None:
            base = self._pristine(target) or b''
        return base + data

    # -- write ----------------------------------------------------------------

    def _write(self, wanted: Dict[str, Optional[bytes]]) -> int:
        """Make the tree match; files no longer wanted become pristine."""
        before = set(self.state.read().get('paths', []))
        pristine = {rel: self._pristine(rel) for rel in wanted}
        for rel in before - set(wanted):
            wanted[rel] = self._pristine(rel)
        # listed first: after a crash every changed path is known
        self.state.write('overlay', paths=sorted(before | set(wanted)))
        changed = 0
        for rel, data in sorted(wanted.items()):
            path = os.path.join(self.tree, rel)
            if data is None:
                if os.path.exists(path):
                    os.unlink(path)
                    changed += 1
            else:
                changed += cache.write_if_changed(path, data,
                                                  self._mode(rel))
        keep = [rel for rel, data in wanted.items()
                if rel in pristine and data != pristine[rel]]
        self.state.write('overlay', paths=sorted(keep))
        return changed

    def _mode(self, rel: str) -> int:
        try:
            return os.stat(os.path.join(self.saved, rel)).st_mode & 0o777
        except FileNotFoundError:
            return 0o644
