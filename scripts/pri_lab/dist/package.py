# SPDX-License-Identifier: GPL-2.0-or-later
"""`pri-lab package`: a .deb that stands beside the distribution's QEMU.

Everything is under /usr/lib/pri-lab, the QEMU too, with the firmware where
a relocated QEMU looks for it; /usr/bin has `pri-lab` and the QEMU under a
name of its own.  What is in it is said here; the package is made of it by
debhelper, with debian/ of the repository.  The same commit gives the same bytes
on the same release.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import List, Tuple

from . import completion, manpage
from ..core import cache, installed, proc
from ..core.errors import LabError
from ..qemu import qemubuild, qemusrc, qemustore

NAME = 'pri-lab'
LIB = os.path.join('usr', 'lib', NAME)
DOC = os.path.join('usr', 'share', 'doc', NAME)
QEMU_NAME = 'qemu-system-x86_64-pri-lab'        # in /usr/bin
# what of the repository goes along, and how its files end
TREES = {
    'scripts/pri_lab': ('.py', '.html', '.css', '.js', '.toml'),
    'hw': ('trace-events',),
    'guest': ('.c', '.h', '.config', 'Kbuild', 'Makefile', 'init', 'matrix',
              '.patch'),
    'tests/guest': ('.c', '.h', 'Makefile', 'left-out'),
    'tests/kunit': ('kunitconfig', '.config'),
    'contrib/kernel': ('.patch',),
    'include': ('.h',),
}
DOCS = ('README.md', 'docs', 'guest/README.md')
DEBHELPER = ('dh', 'dpkg-buildpackage')         # programs that make it


def here(data: bytes) -> bytes:
    """What the front end and its pages (also in roff) say to type, as it is
    when the command is in the PATH."""
    return re.sub(rb'\./(pri\\?-lab)', rb'\1', data)


class Tree:
    """Files of the package, put into a directory."""

    def __init__(self, top: str):
        self.top = top

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

    def link(self, name: str, target: str) -> None:
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)


def maintainer() -> str:
    """Who builds it, as Debian's tools have it."""
    return (f'{os.environ.get("DEBFULLNAME", "pri-lab maintainers")} '
            f'<{os.environ.get("DEBEMAIL", "pri-lab@localhost")}>')


def version(repo: str) -> Tuple[str, int]:
    """(version of the package, time of the commit)."""
    out = proc.git(repo, 'log', '-1', '--format=%ct %cd %h',
                   '--date=format:%Y%m%d', '--abbrev=10').split()
    if len(out) != 3:
        raise LabError(f'{repo} is no git repository, so the package would '
                       'have no version', 'clone the repository')
    dirty = proc.git(repo, 'status', '--porcelain')
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
    tree.put(f'usr/share/man/man1/{NAME}.1',
             here(manpage.text(top_parser).encode()))
    tree.put(f'usr/share/man/man1/{QEMU_NAME}.1',
             f'.so man1/{NAME}.1\n'.encode())
    tree.put(f'usr/share/bash-completion/completions/{NAME}',
             completion.bash(top_parser).encode())
    tree.put(f'usr/share/zsh/vendor-completions/_{NAME}',
             completion.zsh(top_parser).encode())


def stage_qemu(tree: Tree, binary: str, roms: List[str],
               firmware: List[str]) -> None:
    """The binary and its firmware: ours as files, the host's
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


def changelog(ver: str, when: str) -> str:
    return f'''\
{NAME} ({ver}) unstable; urgency=medium

  * Built by `pri-lab package` from the commit in the version.

 -- {maintainer()}  {when}
'''


def lacking() -> List[str]:
    """Programs that are not here and make the package."""
    return [x for x in DEBHELPER if not shutil.which(x)]


def build(paths: cache.Paths, qemu: qemustore.Stored, top_parser,
          output: str, log: proc.Log, ui) -> str:
    """Make the package; one step; its path."""
    with ui.step('Package') as step:
        ver, when = version(paths.repo)
        work = os.path.join(paths.work, 'package', 'work')
        cache.remove(work)
        top = os.path.join(work, NAME)
        shutil.copytree(os.path.join(paths.repo, 'debian'),
                        os.path.join(top, 'debian'))
        tree = Tree(os.path.join(top, 'staging'))
        stage(tree, paths.repo, top_parser, ver)
        stage_qemu(tree, qemu.binary, qemu.roms, qemubuild.host_firmware())
        date = proc.output_of(['date', '-R', '-u', '-d', f'@{when}']).strip()
        cache.write_atomic(os.path.join(top, 'debian', 'changelog'),
                           changelog(ver, date).encode())
        proc.run(['dpkg-buildpackage', '--build=binary', '--no-sign',
                  '--no-check-builddeps'], 'making the package', log, ui=ui,
                 cwd=top, env={'SOURCE_DATE_EPOCH': str(when)})
        name = f'{NAME}_{ver}_amd64.deb'
        os.makedirs(output, exist_ok=True)
        deb = os.path.join(output, name)
        shutil.move(os.path.join(work, name), deb)
        cache.remove(work)
        step.done(f'{os.path.getsize(deb) / 1e6:.1f} MB')
    return deb
