# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages without touching the host's apt configuration.

An Archive is one suite on the mirror the host already uses, with lists,
cache and sources of our own below the cache directory.  Every file that
comes from it is checked by apt against the signed index.
"""

from __future__ import annotations

import glob
import os
import time
from typing import List, Optional

from . import aptsources
from ..core import cache, proc
from ..core.errors import LabError

KEYRINGS = ('/usr/share/keyrings/debian-archive-keyring.gpg',
            '/usr/share/keyrings/debian-archive-keyring.pgp')
LISTS_FRESH = 6 * 3600          # seconds an index is good for


def os_release() -> dict:
    """/etc/os-release as a dictionary; empty if there is none."""
    out = {}
    try:
        with open('/etc/os-release', encoding='utf-8') as f:
            for line in f:
                if '=' in line:
                    name, value = line.rstrip('\n').split('=', 1)
                    out[name] = value.strip('"\'')
    except OSError:
        pass
    return out


def codename() -> str:
    rel = os_release()
    return rel.get('VERSION_CODENAME', '') or \
        ('sid' if rel.get('ID') == 'debian' else '')


def keyring() -> str:
    for k in KEYRINGS:
        if os.path.exists(k):
            return k
    raise LabError('the Debian archive keyring is missing',
                   'apt-get install debian-archive-keyring')


def mirrors() -> List[str]:
    found = aptsources.mirrors(aptsources.read_host(), codename())
    if not found:
        raise LabError(
            'no Debian mirror in the apt sources of this machine',
            'give the sources yourself: --qemu-src FILE and --kernel DIR')
    return found


def _base_options() -> List[str]:
    opts = ['Acquire::Retries=3', 'Acquire::Languages=none',
            'Acquire::PDiffs=false', 'Acquire::http::Timeout=30',
            'Acquire::https::Timeout=30',
            'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
            'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false',
            'APT::Get::List-Cleanup=false', 'Dpkg::Use-Pty=0']
    if os.geteuid() == 0:
        # our directories are ours alone: apt's own download user has no
        # business there
        opts.append('APT::Sandbox::User=root')
    return [x for o in opts for x in ('-o', o)]


def _apt_missing() -> LabError:
    return LabError('this needs apt-get, which this machine does not have',
                    'give the sources yourself: --qemu-src FILE and '
                    '--kernel DIR')


class Archive:
    """One suite of the Debian archive, binary or source packages."""

    def __init__(self, paths: cache.Paths, suite: str, kind: str,
                 log: proc.Log, ui):
        """kind: 'deb' for binary packages, 'deb-src' for sources."""
        self.suite = suite
        self.kind = kind
        self.log = log
        self.ui = ui
        self.dir = os.path.join(paths.apt, f'{suite}-{kind}')
        self.mirrors = mirrors()

    def _options(self) -> List[str]:
        d = self.dir
        opts = [f'Dir::Etc::sourcelist={d}/sources.list',
                'Dir::Etc::sourceparts=-', 'Dir::Etc::preferences=-',
                'Dir::Etc::preferencesparts=-',
                f'Dir::State::status={d}/status', 'APT::Default-Release=',
                f'Dir::State::lists={d}/lists', f'Dir::Cache={d}/cache',
                f'Dir::Cache::archives={d}/cache/archives']
        return [x for o in opts for x in ('-o', o)] + _base_options()

    def _run(self, args: List[str], what: str,
             cwd: Optional[str] = None) -> None:
        proc.run(['apt-get', '-q'] + self._options() + args, what, self.log,
                 ui=self.ui, cwd=cwd)

    def update(self, force: bool = False) -> None:
        """Fetch the index if ours is missing, old or of another mirror."""
        if not proc.output_of(['apt-get', '--version']):
            raise _apt_missing()
        text = ''.join(f'{self.kind} [signed-by={keyring()}] {m} '
                       f'{self.suite} main\n' for m in self.mirrors)
        stamp = cache.Stamp(os.path.join(self.dir, 'stamp'))
        self._nothing_installed()
        indexes = glob.glob(os.path.join(self.dir, 'lists', '*_dists_*'))
        age = time.time() - stamp.read().get('time', 0)
        if (indexes and not force and 0 <= age < LISTS_FRESH
                and stamp.valid(cache.key_of(text))):
            return
        stamp.clear()
        cache.remove(os.path.join(self.dir, 'lists'))
        for sub in ('lists/partial', 'cache/archives/partial'):
            os.makedirs(os.path.join(self.dir, sub), exist_ok=True)
        cache.write_atomic(os.path.join(self.dir, 'sources.list'),
                           text.encode())
        # without Error-Mode=any a missing network is only a warning
        self._run(['-o', 'APT::Update::Error-Mode=any', 'update'],
                  f'reading the package index of {self.suite}')
        stamp.write(cache.key_of(text), time=time.time())

    def _nothing_installed(self) -> None:
        """A package that the host has, of another suite perhaps, would be
        shown instead of ours."""
        status = os.path.join(self.dir, 'status')
        if not os.path.exists(status):
            cache.write_atomic(status, b'')

    def _apt_cache(self, args: List[str]) -> str:
        return proc.output_of(['apt-cache'] + self._options() + args)

    def version(self, package: str) -> str:
        """Version of a binary package in this suite, '' if it has none."""
        for line in self._apt_cache(['madison', package]).splitlines():
            f = [x.strip() for x in line.split('|')]
            if len(f) == 3 and f[0] == package and 'Sources' not in f[2]:
                return f[1]
        return ''

    def show(self, package: str) -> str:
        """The index' stanza of the newest version, '' if there is none."""
        return self._apt_cache(['show', '--no-all-versions', package])

    def source_versions(self, package: str) -> List[str]:
        out = self._apt_cache(['showsrc', '--only-source', package])
        return [line.split(':', 1)[1].strip() for line in out.splitlines()
                if line.startswith('Version:')]

    def download(self, package: str, version: str, dest: str) -> str:
        """Fetch one .deb into the directory dest; its path."""
        os.makedirs(dest, exist_ok=True)
        self._run(['download', f'{package}={version}'],
                  f'downloading {package} {version}', cwd=dest)
        debs = glob.glob(os.path.join(dest, f'{package}_*.deb'))
        if not debs:
            raise LabError(f'apt-get did not deliver {package} {version}',
                           log=self.log.path)
        return debs[0]

    def download_source(self, package: str, version: str, dest: str,
                        tar_only: bool = False) -> None:
        """Fetch a source package's files into dest, not unpacked.

        tar_only: the upstream tarball alone, which mirrors keep for longer
        than Debian's changes to it.
        """
        os.makedirs(dest, exist_ok=True)
        self._run(['source', '--download-only', '--only-source']
                  + (['--tar-only'] if tar_only else [])
                  + [f'{package}={version}'],
                  f'downloading the source of {package} {version}', cwd=dest)


def download_file(uri: str, dest: str, sha256: Optional[str],
                  log: proc.Log, ui) -> None:
    """Fetch one file by URI through apt's own transport (proxies included).

    sha256: checked by apt while it downloads; None to check it later.
    """
    helper = '/usr/lib/apt/apt-helper'
    if not os.path.exists(helper):
        raise _apt_missing()
    cmd = [helper] + _base_options() + ['download-file', uri, dest]
    if sha256:
        cmd.append(f'SHA256:{sha256}')
    proc.run(cmd, f'downloading {os.path.basename(uri)}', log, ui=ui)
