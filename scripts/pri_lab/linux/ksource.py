# SPDX-License-Identifier: GPL-2.0-or-later
"""Sources of Linux, from Debian's archive, unpacked into the cache.

A series comes as a linux-source package (Debian's patches in it) or, for a
series that has no such package any more, as the upstream tarball of a source
package that the index still lists.  apt checks either against the signed
index.  The index lists more than the mirror has: what is gone is passed over
for the next older version, and said.
"""

from __future__ import annotations

import glob
import os
from typing import Iterator, List, NamedTuple, Optional, Tuple

from . import matrix
from ..core import cache, proc
from ..core.errors import GONE, NETWORK, LabError, Unavailable
from ..debian import apt

SPACE_GB = 4.5                  # unpacked source and one build


class Found(NamedTuple):
    """A version that an index lists."""
    archive: apt.Archive
    source: matrix.Source
    version: str                # Debian's


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
        tmp = os.path.join(self.paths.downloads, self.name + '.d')
        try:
            version, tar = self._download(step, tmp)
            step.note = f'unpacking {version}'
            with cache.fresh_tree(self.dir) as part:
                proc.run(['tar', '-xf', tar, '-C', part,
                          '--strip-components=1', '--no-same-owner'],
                         'unpacking ' + self.name, self.log, ui=self.ui)
        finally:
            cache.remove(tmp)
        self.stamp.write(self.name, [os.path.join(self.dir, 'Makefile')],
                         version=version)

    def _download(self, step, tmp: str) -> Tuple[str, str]:
        """(version, path of its tarball) of the first that can be had."""
        gone: List[str] = []
        for found in self.candidates(step):
            cache.remove(tmp)
            step.note = f'downloading {found.version}'
            try:
                get = self._get_deb if found.source.kind == 'deb' \
                    else self._get_src
                tar = get(found, tmp)
            except LabError as e:
                if GONE not in e.what:
                    raise unavailable(e) from None
                gone.append(found.version)
                self.ui.say(f'Linux {found.version}: listed, but gone from '
                            'the mirror')
                continue
            return found.version, tar
        raise Unavailable(
            f'the mirror has lost every source of Linux {self.entry.name} '
            f'that its index lists: {", ".join(gone)}',
            'give a kernel of your own: --kernel DIR')

    # -- where it is --

    def candidates(self, step) -> Iterator[Found]:
        """What the indexes list of it: source by source, the newest version
        first.  LabError if nothing is listed."""
        failure: Optional[LabError] = None
        listed: List[str] = []
        some = False
        for source in self.entry.sources:
            step.note = f'package index of {source.suite}'
            archive = apt.Archive(
                self.paths, source.suite,
                'deb' if source.kind == 'deb' else 'deb-src', self.log,
                self.ui)
            try:
                archive.update()
            except LabError as e:
                failure = failure or e
                continue
            versions = versions_of(archive, source)
            listed += versions
            for version in versions:
                if self.entry.fits(version):
                    some = True
                    yield Found(archive, source, version)
        if not some:
            raise self._nothing(failure, listed)

    def _nothing(self, failure: Optional[LabError],
                 listed: List[str]) -> LabError:
        """The error when no index lists what is wanted."""
        if failure:
            return unavailable(failure)
        there = sorted({v.split('-')[0] for v in listed},
                       key=matrix.version_key)
        return Unavailable(
            f'the mirror lists no source of Linux {self.entry.name} '
            f'(looked for {"; ".join(str(s) for s in self.entry.sources)})',
            (f'of its series there are {", ".join(there)}; ' if there else '')
            + 'or give a kernel of your own: --kernel DIR')

    def _get_deb(self, found: Found, tmp: str) -> str:
        name = found.source.name
        deb = found.archive.download(name, found.version, tmp)
        proc.run(['dpkg', '-x', deb, tmp], f'unpacking {name}', self.log,
                 ui=self.ui)
        os.unlink(deb)
        return _tarball(os.path.join(tmp, 'usr', 'src', '*.tar.*'),
                        f'{name} {found.version}')

    @staticmethod
    def _get_src(found: Found, tmp: str) -> str:
        found.archive.download_source('linux', found.version, tmp,
                                      tar_only=True)
        return _tarball(os.path.join(tmp, 'linux_*.orig.tar.*z'),
                        f'the source package linux {found.version}')


def versions_of(archive: apt.Archive, source: matrix.Source) -> List[str]:
    """Debian versions that a source has of its series, newest first."""
    if source.kind == 'deb':
        version = archive.version(source.name)
        return [version] if version else []
    return of_series(archive.source_versions('linux'), source.name)


def unavailable(e: LabError) -> LabError:
    """The same error as Unavailable, if it is the network's or mirror's."""
    if NETWORK not in e.what and GONE not in e.what:
        return e
    return Unavailable(e.what, e.hint, e.log, e.tail)


def _tarball(pattern: str, what: str) -> str:
    found = glob.glob(pattern)
    if not found:
        raise LabError(f'{what} holds no tarball')
    return found[0]


def of_series(versions: List[str], series: str) -> List[str]:
    """Those of a series ('6.18'), the highest first."""
    return sorted((v for v in set(versions) if v.startswith(series + '.')),
                  key=matrix.version_key, reverse=True)
