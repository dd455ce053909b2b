# SPDX-License-Identifier: GPL-2.0-or-later
"""Sources of Linux, from Debian's archive, unpacked into the cache.

A series comes as a linux-source package (Debian's patches in it) or, for a
series that has no such package any more, as the upstream tarball of a source
package that the index still lists.  apt checks either against the signed
index.
"""

from __future__ import annotations

import glob
import os
from typing import Callable, List, Optional, Tuple

from . import apt, cache, matrix, proc
from .errors import NETWORK, LabError, Unavailable

SPACE_GB = 4.5                  # unpacked source and one build


class KernelSource:
    """The source tree of one entry of the matrix."""

    def __init__(self, paths: cache.Paths, entry: matrix.Entry,
                 log: proc.Log, ui):
        self.paths = paths
        self.entry = entry
        self.log = log
        self.ui = ui
        self.name = f'linux-source-{entry.name}'
        self.dir = os.path.join(paths.linux, self.name)
        self.stamp = cache.Stamp(self.dir + '.stamp')

    @property
    def version(self) -> str:
        """Debian's version of what is unpacked, '' if nothing is."""
        return self.stamp.read().get('version', '')

    def there(self) -> bool:
        return self.stamp.valid(self.name)

    def have(self) -> None:
        """Have the tree unpacked; one step."""
        with self.ui.step(f'Linux {self.entry.name} source') as step:
            if not self.there():
                with cache.lock(self.paths, self.name, self.ui):
                    if not self.there():
                        cache.need_space(self.paths.root, SPACE_GB,
                                         'the guest kernel\'s source and '
                                         'build')
                        self._fetch(step)
            step.done(self.version or '?')

    def _fetch(self, step) -> None:
        self.stamp.clear()
        version, download = self.locate(step)
        tmp = os.path.join(self.paths.downloads, self.name + '.d')
        cache.remove(tmp)
        try:
            step.note = f'downloading {version}'
            try:
                tar = download(tmp)
            except LabError as e:
                raise unavailable(e) from None
            step.note = f'unpacking {version}'
            with cache.fresh_tree(self.dir) as part:
                proc.run(['tar', '-xf', tar, '-C', part,
                          '--strip-components=1', '--no-same-owner'],
                         'unpacking ' + self.name, self.log, ui=self.ui)
        finally:
            cache.remove(tmp)
        self.stamp.write(self.name, [os.path.join(self.dir, 'Makefile')],
                         version=version)

    # -- where it is --

    def locate(self, step) -> Tuple[str, Callable[[str], str]]:
        """(version, how to get it): the latter fetches the tarball into a
        directory and returns its path."""
        failure: Optional[LabError] = None
        for source in self.entry.sources:
            step.note = f'package index of {source.suite}'
            kind = 'deb' if source.kind == 'deb' else 'deb-src'
            archive = apt.Archive(self.paths, source.suite, kind, self.log,
                                  self.ui)
            try:
                archive.update()
            except LabError as e:
                failure = e
                continue
            version = (self._deb_version if kind == 'deb'
                       else self._src_version)(archive, source)
            if version:
                get = self._get_deb if kind == 'deb' else self._get_src
                return version, lambda tmp: get(archive, source, version, tmp)
        if failure:
            raise unavailable(failure)
        raise Unavailable(
            f'the mirror has no source of Linux {self.entry.name} any more '
            f'(looked for {"; ".join(str(s) for s in self.entry.sources)})',
            'give a kernel of your own: --kernel DIR')

    @staticmethod
    def _deb_version(archive: apt.Archive, source: matrix.Source) -> str:
        return archive.version(source.name)

    @staticmethod
    def _src_version(archive: apt.Archive, source: matrix.Source) -> str:
        return newest(archive.source_versions('linux'), source.name)

    def _get_deb(self, archive: apt.Archive, source: matrix.Source,
                 version: str, tmp: str) -> str:
        deb = archive.download(source.name, version, tmp)
        proc.run(['dpkg', '-x', deb, tmp], f'unpacking {source.name}',
                 self.log, ui=self.ui)
        os.unlink(deb)
        return _tarball(os.path.join(tmp, 'usr', 'src', '*.tar.*'),
                        f'{source.name} {version}')

    def _get_src(self, archive: apt.Archive, source: matrix.Source,
                 version: str, tmp: str) -> str:
        archive.download_source('linux', version, tmp, tar_only=True)
        return _tarball(os.path.join(tmp, 'linux_*.orig.tar.*z'),
                        f'the source package linux {version}')


def unavailable(e: LabError) -> LabError:
    """The same error as Unavailable, if it is the network's or mirror's."""
    if NETWORK not in e.what:
        return e
    return Unavailable(e.what, e.hint, e.log, e.tail)


def _tarball(pattern: str, what: str) -> str:
    found = glob.glob(pattern)
    if not found:
        raise LabError(f'{what} holds no tarball')
    return found[0]


def newest(versions: List[str], series: str) -> str:
    """The highest version of a series ('6.18'), '' if there is none."""
    mine = [v for v in versions if v.startswith(series + '.')]
    return max(mine, key=matrix.version_key, default='')
