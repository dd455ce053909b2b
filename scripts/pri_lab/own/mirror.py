# SPDX-License-Identifier: GPL-2.0-or-later
"""A copy of a source tree in the cache, brought up to date by content.

Kbuild refuses to build outside of a tree that has a configuration or a build in
it, and nobody wants the tree he works in to be cleaned.  So the copy is built.
A file that says the same as before keeps its time, so that make does only what
changed, from commit to commit, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Dict, List, Optional, Tuple

from ..core import cache, proc
from ..core.errors import LabError

# what no x86 guest is built from
_LEFT_OUT = ('Documentation/',)
_INDEX = '.index.json'
Identity = Tuple[int, int, int]         # size, time in ns, mode


def is_git(src: str) -> bool:
    return git(src, ['rev-parse', '--show-toplevel']).strip() == \
        os.path.realpath(src)


def git(src: str, args: List[str]) -> str:
    """Output of git about a tree, '' if it fails."""
    return proc.git(src, *args)


def wanted(rel: str) -> bool:
    if os.path.basename(rel).startswith(('Kconfig', 'Makefile', 'Kbuild')):
        return True             # each is read by another one, of any arch
    if rel.startswith('arch/'):
        return rel.startswith('arch/x86/')
    return not rel.startswith(_LEFT_OUT)


def files(src: str) -> List[str]:
    """What belongs to the source: tracked, and new files that git does not
    ignore."""
    out = git(src, ['ls-files', '-z', '--cached', '--others',
                    '--exclude-standard'])
    return sorted({f for f in out.split('\0') if f and wanted(f)})


def content_key(src: str) -> str:
    """Of what would be built: the commit's tree, and what differs from it."""
    tree = git(src, ['rev-parse', 'HEAD^{tree}']).strip()
    changed = git(src, ['diff', '--binary', 'HEAD'])
    new = [f for f in git(src, ['ls-files', '-z', '--others',
                                '--exclude-standard']).split('\0')
           if f and wanted(f)]
    return cache.key_of(tree, changed, [
        (f, cache.file_digest(os.path.join(src, f))) for f in new
        if os.path.isfile(os.path.join(src, f))])


def describe(src: str) -> Dict[str, str]:
    """The commit of a tree, for a person and for a report."""
    return {'commit': git(src, ['rev-parse', 'HEAD']).strip(),
            'subject': git(src, ['log', '-1', '--format=%s']).strip(),
            'dirty': 'yes' if git(src, ['status', '--porcelain', '-uno'])
            else 'no'}


def _identity(path: str) -> Optional[Identity]:
    try:
        st = os.lstat(path)
    except OSError:
        return None
    return (st.st_size, st.st_mtime_ns, st.st_mode)


def _load(path: str) -> Dict[str, Identity]:
    try:
        with open(path, encoding='utf-8') as f:
            return {k: (v[0], v[1], v[2]) for k, v in json.load(f).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def sync(src: str, dest: str) -> int:
    """Make dest the source as it is now; number of files that changed."""
    index = _load(dest + _INDEX)
    cache.remove(dest + _INDEX)         # what is interrupted is done again
    now: Dict[str, Identity] = {}
    changed = 0
    names = files(src)
    if not os.path.isdir(dest):
        index = _copy(src, dest, names)
        changed = len(index)
    for rel in names:
        here = _identity(os.path.join(src, rel))
        if here is None:                # deleted, not yet committed
            continue
        now[rel] = here
        target = os.path.join(dest, rel)
        if index.get(rel) == here and os.path.lexists(target):
            continue
        changed += _one(os.path.join(src, rel), target)
    for rel in set(index) - set(now):
        changed += 1
        cache.remove(os.path.join(dest, rel))
    cache.write_atomic(dest + _INDEX, json.dumps(now).encode())
    return changed


def _copy(src: str, dest: str, names: List[str]) -> Dict[str, Identity]:
    """All of it at once, which tar does faster; the index of it."""
    index = {}
    for rel in names:
        here = _identity(os.path.join(src, rel))
        if here is not None and not os.path.isdir(os.path.join(src, rel)):
            index[rel] = here
    with cache.fresh_tree(dest) as part:
        pack = subprocess.Popen(
            ['tar', '-C', src, '--null', '--no-recursion', '-T', '-', '-cf',
             '-'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        unpack = subprocess.Popen(['tar', '-C', part, '-xmf', '-'],
                                  stdin=pack.stdout)
        assert pack.stdin and pack.stdout
        pack.stdout.close()
        pack.stdin.write(''.join(f'{n}\0' for n in index).encode())
        pack.stdin.close()
        if unpack.wait() or pack.wait():
            raise LabError(f'copying {src} failed')
    return index


def _one(path: str, target: str) -> bool:
    """Copy a file or a link; False: it says the same as before."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        if os.path.islink(target) and os.readlink(target) == \
                os.readlink(path):
            return False
        cache.remove(target)
        os.symlink(os.readlink(path), target)
        return True
    if not os.path.isfile(path):        # a submodule
        return False
    if os.path.isfile(target) and not os.path.islink(target) and \
            cache.file_digest(path) == cache.file_digest(target):
        shutil.copymode(path, target)
        return False
    cache.remove(target)
    shutil.copyfile(path, target)
    shutil.copymode(path, target)
    return True
