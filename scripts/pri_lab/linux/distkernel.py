# SPDX-License-Identifier: GPL-2.0-or-later
"""The distribution's own kernel: image and headers, unpacked in the cache.

Nothing is compiled but our module, against the headers; nothing is installed
on the host.  headers.py is about what they want of this release.
"""

from __future__ import annotations

import glob
import os
import re
from typing import List, NamedTuple, Tuple

from . import headers, ksource, matrix
from ..core import cache, proc
from ..core.errors import LabError, Unavailable
from ..debian import apt

KEEP = 2                        # versions kept of each
HOST = 'host'                   # stands for the suite of this machine
SPACE_GB = 1.2


class Dist(NamedTuple):
    image: str
    headers: str
    release: str
    words: Tuple[str, ...] = ()         # for make, when the driver is built


def depends(stanza: str) -> List[str]:
    """Names of the packages a stanza of the index depends on."""
    m = re.search(r'^Depends: (.*)$', stanza, re.M)
    if not m:
        return []
    return [re.split(r'[ (|]', x.strip(), maxsplit=1)[0]
            for x in m.group(1).split(',')]


class DistKernel:
    """One entry of the matrix with a `stock` source."""

    def __init__(self, paths: cache.Paths, entry: matrix.Entry,
                 log: proc.Log, ui):
        self.paths = paths
        self.entry = entry
        self.log = log
        self.ui = ui
        self.prefix = f'{entry.name}@'

    def _stamps(self) -> List[cache.Stamp]:
        """Of the versions that are here, the one used last first."""
        found = glob.glob(os.path.join(glob.escape(self.paths.linux),
                                       f'{self.prefix}*.stamp'))
        found.sort(key=os.path.getmtime, reverse=True)
        return [cache.Stamp(s) for s in found]

    @property
    def version(self) -> str:
        return next((s.read().get('version', '') for s in self._stamps()), '')

    def state(self) -> str:
        return 'built' if any(s.valid(self.entry.name)
                              for s in self._stamps()) else '-'

    def have(self) -> Dist:
        """Have it unpacked; two steps."""
        with self.ui.step(f'Kernel {self.entry.name}: index') as step:
            with cache.lock(self.paths, f'linux-{self.entry.name}', self.ui):
                archive, version, packages = self._locate(step)
            step.done(version)
        out = os.path.join(self.paths.linux, self.prefix + version)
        stamp = cache.Stamp(out + '.stamp')
        with self.ui.step(f'Kernel {self.entry.name}') as step:
            with cache.lock(self.paths, os.path.basename(out), self.ui):
                if not stamp.valid(self.entry.name):
                    self._fetch(archive, version, packages, out, step)
                    stamp.write(self.entry.name, [find(out).image],
                                version=version)
                self._programs(out, step)
            dist = find(out)
            step.done(dist.release)
        dist = dist._replace(words=headers.words(dist.headers, dist.release,
                                                 self.ui))
        cache.touch(out)
        return dist

    def _suite(self) -> str:
        suite = self.entry.sources[0].suite
        return apt.codename() if suite == HOST else suite

    def _locate(self, step) -> Tuple[apt.Archive, str, List[str]]:
        """(archive, version, packages) of the newest kernel of the suite."""
        step.note = f'package index of {self._suite()}'
        archive = apt.Archive(self.paths, self._suite(), 'deb', self.log,
                              self.ui)
        try:
            archive.update()
        except LabError as e:
            raise ksource.unavailable(e) from None
        names, version = [], ''
        for meta in ('linux-image-amd64', 'linux-headers-amd64'):
            real = next((d for d in depends(archive.show(meta))
                         if d.startswith(meta.rsplit('-', 1)[0])), '')
            if not real:
                raise Unavailable(f'{self._suite()} has no {meta}')
            names.append(real)
        version = archive.version(names[0])
        # since 7.3 the image is in a package of its own
        names += [d for d in depends(archive.show(names[0]))
                  if d.startswith('linux-binary-')]
        names += [d for d in depends(archive.show(names[1]))
                  if d.startswith(('linux-headers-', 'linux-kbuild-'))]
        return archive, version, names

    def _fetch(self, archive: apt.Archive, version: str,
               packages: List[str], out: str, step) -> None:
        cache.need_space(self.paths.root, SPACE_GB, 'this kernel')
        debs = os.path.join(self.paths.downloads, self.entry.name + '.d')
        cache.remove(debs)
        try:
            with cache.fresh_tree(out) as part:
                for package in packages:
                    step.note = package
                    deb = archive.download(package,
                                           archive.version(package), debs)
                    proc.run(['dpkg', '-x', deb, part],
                             f'unpacking {package}', self.log, ui=self.ui)
                    os.unlink(deb)
                keep_image(part)
                relocate(part, out)
        except LabError as e:
            raise ksource.unavailable(e) from None
        finally:
            cache.remove(debs)
        cache.prune(self.paths.linux, self.prefix, KEEP, out)

    def _programs(self, out: str, step) -> None:
        """Have the headers' programs run here."""
        programs = headers.too_new(out)
        if not programs:
            return
        step.note = f'C library of {self._suite()}'
        debs = os.path.join(self.paths.downloads, self.entry.name + '.d')
        try:
            archive = apt.Archive(self.paths, self._suite().split('-')[0],
                                  'deb', self.log, self.ui)
            archive.update()
            deb = archive.download('libc6', archive.version('libc6'), debs)
            with cache.fresh_tree(os.path.join(out, headers.LIBC)) as part:
                proc.run(['dpkg', '-x', deb, part], 'unpacking libc6',
                         self.log, ui=self.ui)
        except LabError as e:
            raise ksource.unavailable(LabError(
                'the headers have programs that this release is too old for, '
                f'and their C library is not available: {e.what}', e.hint,
                e.log, e.tail)) from None
        finally:
            cache.remove(debs)
        headers.with_libc(out, programs)


def keep_image(tree: str) -> None:
    """Have the image in boot/; the guest has no use for the modules."""
    for path in glob.glob(os.path.join(tree, 'usr', 'lib', 'modules', '*',
                                       'vmlinuz')):
        release = os.path.basename(os.path.dirname(path))
        os.makedirs(os.path.join(tree, 'boot'), exist_ok=True)
        os.replace(path, os.path.join(tree, 'boot', f'vmlinuz-{release}'))
    cache.remove(os.path.join(tree, 'lib', 'modules'))
    cache.remove(os.path.join(tree, 'usr', 'lib', 'modules'))


def relocate(tree: str, place: str) -> None:
    """Make the headers' own references hold in `place`, not in /."""
    for name in glob.glob(os.path.join(tree, 'usr', 'src', 'linux-headers-*',
                                       'Makefile')):
        with open(name, encoding='utf-8', errors='replace') as f:
            text = f.read()
        moved = re.sub(r'(?<![\w./])/usr/(src|lib)/linux-',
                       rf'{place}/usr/\1/linux-', text)
        if moved != text:
            cache.write_atomic(name, moved.encode())


def find(out: str) -> Dist:
    """Image and headers in an unpacked tree."""
    images = glob.glob(os.path.join(out, 'boot', 'vmlinuz-*'))
    if not images:
        raise LabError(f'{out} holds no kernel image')
    release = os.path.basename(images[0])[len('vmlinuz-'):]
    headers = os.path.join(out, 'usr', 'src', f'linux-headers-{release}')
    if not os.path.isdir(headers):
        raise LabError(f'{out} holds no headers of {release}')
    return Dist(images[0], headers, release)
