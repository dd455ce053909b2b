# SPDX-License-Identifier: GPL-2.0-or-later
"""Where QEMU's source comes from.

In this order: what the user gives (--qemu-src), the cache, Debian's source
package on the mirror apt uses, QEMU's own release.  The user's may be of any
version that has a series of patches (series.py).  Debian's tarball is the
release without firmware images and wheels; its digest is pinned.  The
release's digest is not known here, so its tree is compared with Debian's:
one pinned digest over every file the two have in common.
"""

from __future__ import annotations

import functools
import glob
import lzma
import os
import shutil
import tarfile
import zlib
from typing import List

from . import series
from ..core import cache, proc
from ..core.errors import NETWORK, LabError
from ..debian import apt

VERSION = '10.2.2'
DEBIAN_VERSION = '1:10.2.2+ds-1'
TARBALL = 'qemu_10.2.2+ds.orig.tar.xz'
SHA256 = 'be05230fe47a6937cd29f28f562932c8125f9c93c2a82c625198f7a4aa601dfb'
POOL = 'pool/main/q/qemu/' + TARBALL
RELEASE = f'https://download.qemu.org/qemu-{VERSION}.tar.xz'
# tree_digest() of the sources above
TREE_SHA256 = \
    '0ed6b3d7a98ff4cc716acfdbea1e135b0a8a93e0a36c50feb1943a1b73e60642'
# what Debian leaves out, in whole or in part
NOT_COMPARED = ('roms', 'python/wheels', 'subprojects')


def tree_digest(top: str) -> str:
    """Digest over names and contents of the tree's comparable files."""
    pairs = []
    for d, subdirs, names in os.walk(top):
        rel = os.path.relpath(d, top)
        subdirs[:] = [s for s in subdirs
                      if os.path.normpath(os.path.join(rel, s))
                      not in NOT_COMPARED and not s.startswith('.git')]
        if rel == 'pc-bios':            # images, but for one directory
            subdirs[:] = ['optionrom']
            continue
        for n in names:
            if n.startswith('.git'):
                continue
            path = os.path.join(d, n)
            if not os.path.islink(path):
                pairs.append((os.path.relpath(path, top),
                              cache.file_digest(path)))
    return cache.key_of(sorted(pairs))


class Source:
    """A QEMU source: its identity, and how to lay it out."""

    def __init__(self, path: str, key: str, label: str,
                 compare: bool = False, version: str = VERSION):
        self.path = path
        self.key = key
        self.label = label
        self.compare = compare          # check tree_digest after unpacking
        self.version = version
        self.series = series.of(version, label)

    def unpack(self, dest: str, log: proc.Log, ui) -> None:
        """Lay the pristine tree into the empty directory dest."""
        if os.path.isdir(self.path):
            _copy_tree(self.path, dest)
        else:
            if proc.run(['tar', '-xf', self.path, '-C', dest,
                         '--strip-components=1', '--no-same-owner'],
                        'unpacking QEMU', log, ui=ui, check=False):
                cache.need_space(dest, 0.2, 'QEMU\'s source')
                raise LabError(f'{self.path} cannot be unpacked: it is '
                               'damaged, or not a tarball', log=log.path)
        _version(dest, self.path)
        if self.compare and tree_digest(dest) != TREE_SHA256:
            cache.remove(self.path)
            raise LabError(
                f'{os.path.basename(self.path)} is not the QEMU {VERSION} '
                'this was written for: its files differ',
                'give a source you trust: --qemu-src FILE')


def _copy_tree(src: str, dest: str) -> None:
    def ignore(d: str, names: List[str]):
        # a build directory inside the tree, and the history, stay behind
        return [n for n in names if n in ('.git', '__pycache__') or
                os.path.isfile(os.path.join(d, n, 'config-host.mak'))]
    shutil.copytree(src, dest, symlinks=True, dirs_exist_ok=True,
                    ignore=ignore)


def _no_source(name: str) -> LabError:
    return LabError(f'{name} is not a QEMU source',
                    '--qemu-src wants a source directory or tarball of QEMU '
                    + series.told())


def _version(tree: str, name: str) -> str:
    try:
        with open(os.path.join(tree, 'VERSION'), encoding='ascii') as f:
            return f.read().strip()
    except (OSError, UnicodeDecodeError):
        raise _no_source(name) from None


@functools.lru_cache(maxsize=None)      # a command asks twice, xz is slow
def _version_in(path: str, _mtime_ns: int) -> str:
    """The same of a tarball, whose tree is in one directory."""
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.count('/') == 1 and \
                        member.name.endswith('/VERSION'):
                    f = tar.extractfile(member)
                    return f.read(64).decode('ascii').strip() if f else ''
    except (OSError, tarfile.TarError, lzma.LZMAError, EOFError, zlib.error,
            UnicodeDecodeError):
        raise LabError(f'{path} cannot be unpacked: it is damaged, or not a '
                       'tarball') from None
    raise _no_source(path)


def given(path: str) -> Source:
    """The user's own directory or tarball."""
    path = os.path.realpath(os.path.expanduser(path))
    if os.path.isdir(path):
        version = _version(path, path)
        listing = []
        for d, subdirs, names in os.walk(path):
            subdirs[:] = sorted(s for s in subdirs if s != '.git')
            for n in sorted(names):
                st = os.lstat(os.path.join(d, n))
                listing.append((os.path.join(d, n), st.st_size,
                                st.st_mtime_ns))
        return Source(path, cache.key_of('dir', listing), path,
                      version=version)
    if os.path.isfile(path):
        return Source(path, cache.key_of('tar', cache.file_digest(path)),
                      path, version=_version_in(path, os.stat(path).st_mtime_ns))
    raise LabError(f'--qemu-src {path}: no such file or directory')


def find(paths: cache.Paths, user: str, log: proc.Log, ui) -> Source:
    """The source to use, fetched if need be; one step."""
    with ui.step('QEMU source') as step:
        if user:
            src = given(user)
            step.done(f'{src.label}')
            return src
        pinned = os.path.join(paths.downloads, TARBALL)
        release = os.path.join(paths.downloads, os.path.basename(RELEASE))
        pinned_src = Source(pinned, cache.key_of('pinned', SHA256),
                            f'QEMU {VERSION}')
        release_src = Source(release, cache.key_of('release', TREE_SHA256),
                             f'QEMU {VERSION} (release)', compare=True)
        if _unpacked_from(paths, pinned_src) or _good(pinned, ui):
            step.done('in the cache')
            return pinned_src
        if _unpacked_from(paths, release_src) or os.path.exists(release):
            step.done('release, in the cache')
            return release_src
        cache.need_space(paths.root, 1.0, 'QEMU\'s source')
        os.makedirs(paths.downloads, exist_ok=True)
        if _from_debian(paths, pinned, log, ui, step):
            step.done('fetched and verified')
            return pinned_src
        _from_release(release, log, ui, step)
        step.done('fetched from QEMU\'s release')
        return release_src


def _unpacked_from(paths: cache.Paths, src: Source) -> bool:
    """True if the clone's tree was laid out from this source already."""
    stamp = cache.Stamp(paths.qemu_src + '.stamp')
    return stamp.read().get('key') == src.key and \
        os.path.isfile(os.path.join(paths.qemu_src, 'VERSION'))


def _good(path: str, ui) -> bool:
    if not os.path.exists(path):
        return False
    if cache.file_digest(path) == SHA256:
        return True
    ui.say(f'{path} is damaged; fetching it again')
    cache.remove(path)
    return False


def _from_debian(paths: cache.Paths, dest: str, log: proc.Log, ui,
                 step) -> bool:
    """Debian's source package, by the signed index or by its known place."""
    tmp = dest + '.d'
    failures: List[LabError] = []
    try:
        for way in (_by_index, _by_pool):
            cache.remove(tmp)
            os.makedirs(tmp)
            try:
                way(paths, tmp, log, ui, step)
            except LabError as e:
                failures.append(e)
                continue
            got = os.path.join(tmp, TARBALL)
            if not os.path.exists(got):
                continue
            if cache.file_digest(got) != SHA256:
                raise LabError(f'{TARBALL} from the mirror has a wrong '
                               'digest', 'the mirror is broken or hostile; '
                               'give the source yourself: --qemu-src FILE')
            os.replace(got, dest)
            return True
    finally:
        cache.remove(tmp)
    for failure in failures:
        if NETWORK not in failure.what:
            ui.say(f'Debian\'s QEMU source: {failure.what}')
    return False


def _by_index(paths: cache.Paths, tmp: str, log: proc.Log, ui, step) -> None:
    step.note = 'index of Debian\'s sources'
    archive = apt.Archive(paths, 'sid', 'deb-src', log, ui)
    archive.update()
    if DEBIAN_VERSION not in archive.source_versions('qemu'):
        raise LabError(f'the index no longer lists {DEBIAN_VERSION}')
    step.note = TARBALL
    archive.download_source('qemu', DEBIAN_VERSION, tmp)


def _by_pool(_paths: cache.Paths, tmp: str, log: proc.Log, ui, step) -> None:
    step.note = TARBALL
    last: LabError = LabError('no mirror')
    for mirror in apt.mirrors():
        try:
            apt.download_file(f'{mirror}/{POOL}',
                              os.path.join(tmp, TARBALL), SHA256, log, ui)
            return
        except LabError as e:
            last = e
            for old in glob.glob(os.path.join(tmp, '*')):
                cache.remove(old)
    raise last


def _from_release(dest: str, log: proc.Log, ui, step) -> None:
    step.note = 'QEMU\'s release'
    part = dest + '.part'
    try:
        apt.download_file(RELEASE, part, None, log, ui)
    except LabError as e:
        why = f': {NETWORK}' if NETWORK in e.what else ''
        raise LabError(
            'QEMU\'s source is not available, neither from Debian\'s mirror '
            f'nor from QEMU\'s release{why}',
            f'check the connection, or give the QEMU {VERSION} source '
            'yourself: --qemu-src FILE', e.log, e.tail) from None
    os.replace(part, dest)
