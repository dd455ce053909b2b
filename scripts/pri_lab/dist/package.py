# SPDX-License-Identifier: GPL-2.0-or-later
"""`pri-lab package`: a .deb that stands beside the distribution's QEMU.

Everything is under /usr/lib/pri-lab, the QEMU too, with the firmware where
a relocated QEMU looks for it; /usr/bin has `pri-lab` and the QEMU under a
name of its own.  The same commit gives the same bytes on the same release.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
from typing import Dict, List, Tuple

from . import completion, manpage
from ..core import cache, installed, proc
from ..core.errors import LabError
from ..qemu import qemubuild, qemusrc, qemustore

NAME = 'pri-lab'
LIB = os.path.join('usr', 'lib', NAME)
DOC = os.path.join('usr', 'share', 'doc', NAME)
QEMU_NAME = 'qemu-system-x86_64-pri-lab'        # in /usr/bin
OVERRIDES = f'''\
# A package of one's own, not of the archive: no address unless DEBEMAIL gives
# one, and no bug that it closes
{NAME}: bogus-mail-host *
{NAME}: bogus-mail-host-in-debian-changelog *
{NAME}: initial-upload-closes-no-bugs *
# /init of the guest, which has busybox in /bin
{NAME}: unusual-interpreter * [usr/lib/{NAME}/guest/init/init]
'''
# what of the repository goes along, and how its files end
TREES = {
    'scripts/pri_lab': ('.py', '.html', '.css', '.js', '.toml'),
    'hw': ('trace-events',),
    'guest': ('.c', '.h', '.config', 'Kbuild', 'Makefile', 'init', 'matrix',
              '.patch'),
    'tests/guest': ('.c', '.h', 'Makefile', 'left-out'),
    'include': ('.h',),
}
DOCS = ('README.md', 'docs', 'guest/README.md')
DEPENDS = ['python3 (>= 3.11)', 'seabios', 'ipxe-qemu']
RECOMMENDS = ['build-essential', 'busybox-static', 'flex', 'bison', 'bc',
              'libelf-dev', 'libssl-dev', 'kmod', 'zstd']
DESCRIPTION = '''\
guests whose page faults come from a PCIe device (VT-d, ATS, PRI)
 A QEMU whose VT-d page-request path and ATS/PRI test device behave as the
 specifications say, and a front end that builds Linux kernels and boots them
 against it: a lab for code that handles I/O page faults, shared virtual
 addressing and resets.
 .
 It stands beside the distribution's QEMU and replaces nothing of it; its own
 is called qemu-system-x86_64-pri-lab.
'''


def here(data: bytes) -> bytes:
    """What the front end and its pages (also in roff) say to type, as it is
    when the command is in the PATH."""
    return re.sub(rb'\./(pri\\?-lab)', rb'\1', data)


class Tree:
    """Files of the package, put into a directory."""

    def __init__(self, top: str, mtime: int):
        self.top = top
        self.mtime = mtime

    def path(self, name: str) -> str:
        return os.path.join(self.top, name)

    def put(self, name: str, data: bytes, mode: int = 0o644) -> None:
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(data)
        os.chmod(path, mode)

    def copy(self, src: str, name: str) -> None:
        with open(src, 'rb') as f:
            data = f.read()
        # what is run carries the distribution's interpreter
        if data.startswith(b'#!/usr/bin/env python3'):
            data = data.replace(b'#!/usr/bin/env python3',
                                b'#!/usr/bin/python3', 1)
        self.put(name, here(data), 0o755 if os.access(src, os.X_OK) else 0o644)

    def gz(self, name: str, data: bytes) -> None:
        self.put(name + '.gz', gzip.compress(data, 9, mtime=0))

    def link(self, name: str, target: str) -> None:
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)

    def settle(self) -> None:
        """Modes and times that do not depend on the builder."""
        for d, subdirs, names in os.walk(self.top):
            for n in subdirs + names:
                path = os.path.join(d, n)
                if os.path.isdir(path) and not os.path.islink(path):
                    os.chmod(path, 0o755)
                os.utime(path, (self.mtime, self.mtime),
                         follow_symlinks=False)
        os.chmod(self.top, 0o755)

    def size(self) -> int:
        """Installed-Size, in KiB."""
        total = 0
        for d, subdirs, names in os.walk(self.top):
            total += len(subdirs)
            total += sum((os.lstat(os.path.join(d, n)).st_size + 1023) // 1024
                         for n in names)
        return total


def maintainer() -> str:
    """Who builds it, as Debian's tools have it."""
    return (f'{os.environ.get("DEBFULLNAME", "pri-lab maintainers")} '
            f'<{os.environ.get("DEBEMAIL", "pri-lab@localhost")}>')


def version(repo: str) -> Tuple[str, int]:
    """(version of the package, time of the commit)."""
    out = proc.output_of(['git', '-C', repo, 'log', '-1',
                          '--format=%ct %cd %h', '--date=format:%Y%m%d',
                          '--abbrev=10']).split()
    if len(out) != 3:
        raise LabError(f'{repo} is no git repository, so the package would '
                       'have no version', 'clone the repository')
    dirty = proc.output_of(['git', '-C', repo, 'status', '--porcelain'])
    return (f'{qemusrc.VERSION}+git{out[1]}.{out[2]}'
            + ('+dirty' if dirty.strip() else '') + '-1', int(out[0]))


def stage(tree: Tree, repo: str, top_parser, ver: str) -> None:
    """The repository's part: front end, guest sources, pages."""
    tree.copy(os.path.join(repo, 'pri-lab'), os.path.join(LIB, 'pri-lab'))
    for d, ends in TREES.items():
        for path in cache.files_under(os.path.join(repo, d), ends):
            tree.copy(path, os.path.join(LIB, os.path.relpath(path, repo)))
    tree.put(os.path.join(LIB, installed.MARK), f'{ver}\n'.encode())
    tree.link(f'usr/bin/{NAME}', f'../lib/{NAME}/pri-lab')
    for d in DOCS:
        src = os.path.join(repo, d)
        for path in cache.files_under(src, ('.md', '.rst')) \
                if os.path.isdir(src) else [src]:
            tree.copy(path, os.path.join(DOC, os.path.relpath(path, repo)))
    tree.gz(f'usr/share/man/man1/{NAME}.1',
            here(manpage.text(top_parser).encode()))
    tree.gz(f'usr/share/man/man1/{QEMU_NAME}.1',
            f'.so man1/{NAME}.1\n'.encode())
    tree.put(f'usr/share/lintian/overrides/{NAME}', OVERRIDES.encode())
    tree.put(f'usr/share/bash-completion/completions/{NAME}',
             completion.bash(top_parser).encode())
    tree.put(f'usr/share/zsh/vendor-completions/_{NAME}',
             completion.zsh(top_parser).encode())


def stage_qemu(tree: Tree, binary: str, roms: List[str],
               firmware: List[str]) -> None:
    """The binary, stripped, and its firmware: ours as files, the host's
    packages' as links."""
    dest = os.path.join(LIB, installed.BINARY)
    os.makedirs(os.path.dirname(tree.path(dest)), exist_ok=True)
    shutil.copyfile(binary, tree.path(dest))
    os.chmod(tree.path(dest), 0o755)
    tree.link(f'usr/bin/{QEMU_NAME}', f'../lib/{NAME}/{installed.BINARY}')
    # a relocated QEMU looks for its data in ../share/qemu
    share = os.path.join(LIB, 'share', 'qemu')
    for path in roms:
        tree.copy(path, os.path.join(share, os.path.basename(path)))
        os.chmod(tree.path(os.path.join(share, os.path.basename(path))),
                 0o644)
    for path in firmware:
        tree.link(os.path.join(share, os.path.basename(path)), os.path.relpath(
            path, '/' + share))


def copyright_text() -> str:
    return f'''\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pri-lab
Source: https://www.qemu.org/
Comment: QEMU {qemusrc.VERSION} with the overlay of pri-lab.

Files: *
Copyright: 2003-2026 the authors of QEMU and of pri-lab
License: GPL-2.0-or-later
Comment:
 The front end, the guest programs and what is added to QEMU are
 GPL-2.0-or-later; QEMU as a whole is GPL-2.0.

License: GPL-2.0-or-later
 This program is free software; you can redistribute it and/or modify it
 under the terms of the GNU General Public License as published by the Free
 Software Foundation; either version 2 of the License, or (at your option)
 any later version.
 .
 This program is distributed in the hope that it will be useful, but WITHOUT
 ANY WARRANTY; without even the implied warranty of MERCHANTABILITY or FITNESS
 FOR A PARTICULAR PURPOSE.  See the GNU General Public License for more
 details.
 .
 On Debian systems its text is in /usr/share/common-licenses/GPL-2.
'''


def changelog(ver: str, when: str) -> str:
    return f'''\
{NAME} ({ver}) unstable; urgency=medium

  * Built by `pri-lab package` from the commit in the version.

 -- {maintainer()}  {when}
'''


def control(ver: str, size: int, libraries: str) -> str:
    depends = ', '.join(([libraries] if libraries else []) + DEPENDS)
    return f'''\
Package: {NAME}
Version: {ver}
Architecture: amd64
Maintainer: {maintainer()}
Installed-Size: {size}
Depends: {depends}
Recommends: {", ".join(RECOMMENDS)}
Section: devel
Priority: optional
Description: {DESCRIPTION}'''


def md5sums(top: str) -> str:
    out = []
    for path in cache.files_under(top):
        rel = os.path.relpath(path, top)
        if not rel.startswith('DEBIAN/') and not os.path.islink(path):
            with open(path, 'rb') as f:
                out.append(f'{hashlib.md5(f.read()).hexdigest()}  {rel}\n')
    return ''.join(out)


def _libraries(tree: Tree, work: str, log: proc.Log) -> str:
    """Depends: for the shared libraries of the binary."""
    cache.write_atomic(os.path.join(work, 'debian', 'control'), (
        f'Source: {NAME}\nMaintainer: {maintainer()}\n\nPackage: {NAME}\n'
        'Architecture: amd64\nDescription: x\n').encode())
    out = proc.output_of(['dpkg-shlibdeps', '-O', tree.path(
        os.path.join(LIB, installed.BINARY))], cwd=work)
    m = re.search(r'shlibs:Depends=(.*)', out)
    if not m:
        raise LabError('dpkg-shlibdeps does not say which libraries QEMU '
                       'needs', 'apt-get install dpkg-dev', log.path)
    return m.group(1)


def build(paths: cache.Paths, qemu: qemustore.Stored, top_parser,
          output: str, log: proc.Log, ui) -> str:
    """Make the package; one step; its path."""
    with ui.step('Package') as step:
        ver, when = version(paths.repo)
        work = os.path.join(paths.work, 'package')
        cache.remove(work)
        tree = Tree(os.path.join(work, NAME), when)
        stage(tree, paths.repo, top_parser, ver)
        stage_qemu(tree, qemu.binary,
                   qemu.roms, qemubuild.host_firmware())
        proc.run(['strip', '--remove-section=.comment', '--strip-unneeded',
                  tree.path(os.path.join(LIB, installed.BINARY))],
                 'stripping QEMU', log, ui=ui)
        date = proc.output_of(['date', '-R', '-u', '-d', f'@{when}']).strip()
        tree.put(os.path.join(DOC, 'copyright'), copyright_text().encode())
        tree.gz(os.path.join(DOC, 'changelog.Debian'),
                changelog(ver, date).encode())
        libraries = _libraries(tree, work, log)
        size = tree.size()
        tree.put('DEBIAN/md5sums', md5sums(tree.top).encode())
        tree.put('DEBIAN/control', control(ver, size, libraries).encode())
        tree.settle()
        deb = os.path.join(output, f'{NAME}_{ver}_amd64.deb')
        os.makedirs(output, exist_ok=True)
        _dpkg_deb(tree, deb, when, log, ui)
        cache.remove(tree.top)
        step.done(f'{os.path.getsize(deb) / 1e6:.1f} MB')
    return deb


def _dpkg_deb(tree: Tree, deb: str, when: int, log: proc.Log, ui) -> None:
    env: Dict[str, str] = {'SOURCE_DATE_EPOCH': str(when)}
    proc.run(['dpkg-deb', '--root-owner-group', '-Zxz', '--build', tree.top,
              deb], 'dpkg-deb', log, ui=ui, env=env)
