# SPDX-License-Identifier: GPL-2.0-or-later
"""pri-lab out of its Debian package: the QEMU is there, nothing builds one.

The package has the front end, the guest's sources and a built QEMU in one
directory, laid out as in the repository, with this file's MARK beside them.
"""

from __future__ import annotations

import os

from .errors import LabError

MARK = 'installed'              # a file at the top of the tree: the version
BINARY = os.path.join('bin', 'qemu-system-x86_64')
# commands that need the repository: why
REPOSITORY_ONLY = {
    'check': 'runs its tests', 'bench': 'builds two QEMUs',
    'conformance': 'writes its pages', 'kernel report': 'writes its pages',
    'package': 'packs it', 'repro --table': 'writes its pages',
    'resets --table': 'writes its pages',
}


class Qemu:
    """Stands for a QemuBuild whose binary came with the package."""

    dir = ''                    # there is no build directory

    def __init__(self, repo: str):
        self.binary = os.path.join(repo, BINARY)


def is_installed(repo: str) -> bool:
    return os.path.isfile(os.path.join(repo, MARK))


def refuse(command: str, why: str) -> LabError:
    return LabError(f'{command} needs the repository: it {why}; this is the '
                    'installed package',
                    'run, repro, explore, resets, kunit, shell, qemu, kernel '
                    'and check --kernel LIST work without it')
