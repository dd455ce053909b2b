# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache: where things live, stamps, locks, files that appear whole.

    $XDG_CACHE_HOME/pri-lab/
      apt/          private package lists
      downloads/    source archives, verified by their digest
      tools/        packages unpacked for us only (meson on Debian 12)
      linux/        kernel sources and builds, shared between clones
      qemu/         QEMUs as they were built, shared between clones
      resets/       results of `resets`, shared between clones
      stock/        unpatched QEMU for `bench`, shared between clones
      work/HASH/    one directory per clone: QEMU tree, builds, guest image
      logs/         one directory per command

Whatever a stamp does not vouch for is built again, so an interrupted or
damaged cache costs time only.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import glob
import hashlib
import json
import os
import re
import shutil
from typing import Dict, Iterable, List, Optional

from . import running
from .errors import LabError


NAME_MAX = 160                  # of file_name(); Linux takes 255


def root() -> str:
    base = os.environ.get('XDG_CACHE_HOME', '')
    if not os.path.isabs(base):         # the XDG rule: relative is invalid
        base = os.path.join(os.path.expanduser('~'), '.cache')
    return os.path.join(base, 'pri-lab')


class Paths:
    """All places in one object; nothing is created before it is needed."""

    def __init__(self, repo: str, cache: Optional[str] = None):
        self.repo = os.path.realpath(repo)
        self.root = cache or root()
        self.apt = os.path.join(self.root, 'apt')
        self.downloads = os.path.join(self.root, 'downloads')
        self.tools = os.path.join(self.root, 'tools')
        self.linux = os.path.join(self.root, 'linux')
        self.locks = os.path.join(self.root, 'locks')
        self.logs = os.path.join(self.root, 'logs')
        self.clone = digest(self.repo.encode())[:12]
        self.works = os.path.join(self.root, 'work')    # of all clones
        self.work = os.path.join(self.works, self.clone)
        self.build_in(self.work)
        self.guest = os.path.join(self.work, 'guest')
        # what the last complete check printed, test by test
        self.last_check = os.path.join(self.work, 'last-check.json')

    def build_in(self, work: str) -> None:
        """QEMU's tree and builds are in this clone's work directory, or for
        a while in that of another one (qemustore.py)."""
        self.tree = work
        self.qemu_src = os.path.join(work, 'qemu')
        self.firmware = os.path.join(work, 'firmware')

    def qemu_build(self, sanitize: bool) -> str:
        return os.path.join(self.tree,
                            'build-sanitize' if sanitize else 'build')

    def meson_build(self, sanitize: bool) -> str:
        return os.path.join(self.work,
                            'tests-sanitize' if sanitize else 'tests')


# -- digests ------------------------------------------------------------------

def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_digest(path: str) -> str:
    h = hashlib.sha256()
    with open(path, 'rb') as f:
        for block in iter(lambda: f.read(1 << 20), b''):
            h.update(block)
    return h.hexdigest()


@functools.lru_cache(maxsize=None)
def _content(path: str, _size: int, _mtime: int, _inode: int) -> str:
    return file_digest(path)


def content_digest(path: str) -> str:
    """file_digest(), read once for as long as the file is the same."""
    st = os.stat(path)
    return _content(path, st.st_size, st.st_mtime_ns, st.st_ino)


def file_name(text: str, other: str = '_') -> str:
    """The text as a part of a file's name, a directory's or a lock's: `other`
    for each character that may not be in one.  What is too long for a name
    with something before and behind it (a kernel with a dozen patches) ends
    with a digest, so that it is not another text's."""
    safe = re.sub(r'[^\w.+-]', other, text)
    return safe if len(safe) <= NAME_MAX else \
        f'{safe[:NAME_MAX - 13]}-{digest(text.encode())[:12]}'


def key_of(*parts) -> str:
    """One digest over anything JSON can say."""
    return digest(json.dumps(parts, sort_keys=True).encode())


def tree_key(paths: Iterable[str], base: str) -> str:
    """Digest over names (relative to base) and contents of files."""
    return key_of([(os.path.relpath(p, base), file_digest(p))
                   for p in sorted(paths)])


def files_under(top: str, suffixes: Optional[tuple] = None) -> List[str]:
    """All regular files below top, sorted; hidden and backup files not."""
    out = []
    for d, subdirs, names in os.walk(top):
        subdirs[:] = sorted(s for s in subdirs if not s.startswith('.')
                            and s != '__pycache__')
        for n in sorted(names):
            if n.startswith('.') or n.endswith(('~', '.orig', '.rej')):
                continue
            if suffixes and not n.endswith(suffixes):
                continue
            out.append(os.path.join(d, n))
    return out


# -- files that appear whole --------------------------------------------------

def write_atomic(path: str, data: bytes, mode: int = 0o644) -> None:
    """Write a file so that no reader and no crash ever sees half of it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    tmp = f'{path}.part{os.getpid()}'
    try:
        with open(tmp, 'wb') as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.chmod(tmp, mode)
        os.replace(tmp, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(tmp)
        raise


def write_if_changed(path: str, data: bytes, mode: int = 0o644) -> bool:
    """As write_atomic, but leaves an equal file (and its time) alone."""
    try:
        with open(path, 'rb') as f:
            if f.read() == data and not os.path.islink(path):
                return False
    except (FileNotFoundError, IsADirectoryError):
        pass
    write_atomic(path, data, mode)
    return True


def remove(path: str) -> None:
    """Remove a file or a tree; no error if it is not there."""
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)


@contextlib.contextmanager
def fresh_tree(path: str):
    """Build a directory beside its place and move it there when complete."""
    part = path + '.part'
    remove(part)
    os.makedirs(part)
    yield part
    remove(path)
    os.replace(part, path)


def prune(parent: str, prefix: str, keep: int, current: str) -> List[str]:
    """Keep the `keep` products of a kind that were used last; names removed.

    A product is a directory `prefix...` in parent with files beside it that
    start with its name; use is what `touch` notes.  What was used since a
    command that still runs has begun may be that command's, and stays.
    """
    if not os.path.isdir(parent):
        return []
    there = {n for n in os.listdir(parent) if n.startswith(prefix)
             and os.path.isdir(os.path.join(parent, n))}
    # a directory beside one, as its sources, is not a product
    names = [n for n in there if n != os.path.basename(current)
             and not any(n.startswith(m + '.') for m in there)]
    names.sort(key=lambda n: os.stat(os.path.join(parent, n)).st_mtime)
    begun = _oldest_command(parent)
    victims = [n for n in names[:max(0, len(names) - (keep - 1))]
               if os.stat(os.path.join(parent, n)).st_mtime < begun]
    for n in victims:
        for beside in glob.glob(glob.escape(os.path.join(parent, n)) + '*'):
            remove(beside)
    return victims


def _oldest_command(place: str) -> float:
    """When the oldest other command began that uses the cache of a place."""
    while not os.path.isdir(running.directory(place)):
        if place == os.path.dirname(place):
            return float('inf')
        place = os.path.dirname(place)
    return min((c.since for c in running.others(place)),
               default=float('inf'))


def touch(directory: str) -> None:
    """Note that a product was used now."""
    with contextlib.suppress(OSError):
        os.utime(directory)


# -- stamps -------------------------------------------------------------------

class Stamp:
    """Says that the products of a step match a key, and still exist."""

    def __init__(self, path: str):
        self.path = path

    def read(self) -> Dict:
        try:
            with open(self.path, encoding='utf-8') as f:
                data = json.load(f)
            return data if isinstance(data, dict) else {}
        except (OSError, ValueError):
            return {}

    @staticmethod
    def _identity(path: str):
        st = os.stat(path)
        return [st.st_size, st.st_mtime_ns]

    def valid(self, key: str) -> bool:
        data = self.read()
        if data.get('key') != key:
            return False
        try:
            return all(self._identity(p) == ident
                       for p, ident in data.get('files', {}).items())
        except OSError:
            return False

    def write(self, key: str, files: Iterable[str] = (), **more) -> None:
        data = {'key': key,
                'files': {p: self._identity(p) for p in files}, **more}
        write_atomic(self.path, json.dumps(data, indent=1).encode())

    def clear(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


# -- locks --------------------------------------------------------------------

# meson has one log of the tests of a build directory, so two cannot run there
_LOCKED = {'clone': 'this clone\'s builds',
           'check': 'this clone\'s tests; Ctrl-C gives up, and a git worktree '
                    'has its own'}


@contextlib.contextmanager
def lock(paths: Paths, name: str, ui):
    """Only one pri-lab at a time in here; others wait and say so."""
    os.makedirs(paths.locks, exist_ok=True)
    path = os.path.join(paths.locks, name)
    f = open(path, 'a+', encoding='ascii', errors='replace')
    try:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            f.seek(0)
            owner = f.read().strip() or '?'
            what = _LOCKED.get(name.split('-')[0], name)
            ui.say(f'waiting for {running.named(paths.root, owner)}: it is '
                   f'at work on {what}')
            fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        f.truncate()
        f.write(str(os.getpid()))
        f.flush()
        yield
    finally:
        f.close()               # closing releases the lock


def try_lock(paths: Paths, name: str):
    """The lock as an open file (closing it gives it up), or None: another
    has it."""
    os.makedirs(paths.locks, exist_ok=True)
    f = open(os.path.join(paths.locks, name), 'a+', encoding='ascii',
             errors='replace')
    try:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        f.close()
        return None
    f.truncate(0)
    f.write(str(os.getpid()))
    f.flush()
    return f


# -- disk ---------------------------------------------------------------------

def need_space(path: str, gigabytes: float, what: str) -> None:
    """Refuse before the work starts if the disk cannot hold its products."""
    probe = path
    while not os.path.isdir(probe):
        probe = os.path.dirname(probe)
    free = shutil.disk_usage(probe).free / 1e9
    if free < gigabytes:
        raise LabError(
            f'not enough disk space for {what}: {free:.1f} GB free under '
            f'{probe}, {gigabytes:.1f} GB needed',
            'free some space, or point XDG_CACHE_HOME to a larger disk')
