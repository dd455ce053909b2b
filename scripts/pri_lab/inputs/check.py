# SPDX-License-Identifier: GPL-2.0-or-later
"""Every name and file of a command line, looked at before anything is done.

All of it is in the repository or on the disk, so this takes milliseconds,
where a build takes minutes.  What is wrong is a UsageError.  What is asked of
one command's options is in its module (commands/), as check() of its Request.
"""

from __future__ import annotations

import os
import re
from typing import List, Optional

from . import names
from ..core import cache, installed, near, proc
from ..core.errors import LabError, UsageError
from ..guest import guest
from ..linux import bugkernel, kernel, matrix


def check(request, repo: str, ui) -> None:
    """UsageError if something can be seen to be wrong beforehand."""
    try:
        if request.BUILDS:
            no_spaces(repo)
        for group in type(request).__mro__[::-1]:
            if 'check' in vars(group):
                vars(group)['check'](request, repo, ui)
    except UsageError:
        raise
    except LabError as e:               # found by what uses it later
        raise UsageError(e.what, e.hint, e.log, e.tail) from None


def no_spaces(repo: str) -> None:
    """Neither QEMU's nor the kernel's build copes with them."""
    for path, cure in ((cache.root(), 'point XDG_CACHE_HOME to another place'),
                       (repo, 'move the clone to another place')):
        if re.search(r'[\s:]', path):
            raise UsageError(f'{path}: nothing can be built in a path with '
                             'a space or a colon', cure)


def place(path: str) -> None:
    """Where a file shall go must be there, and ours to write."""
    if not path or path == '-':
        return
    top = os.path.dirname(os.path.realpath(os.path.expanduser(path)))
    if not os.path.isdir(top):
        raise UsageError(f'{path}: there is no directory {top}')
    if os.path.isdir(path):
        raise UsageError(f'{path} is a directory', 'give the name of a file')
    if not os.access(top, os.W_OK):
        raise UsageError(f'{path}: {top} may not be written to')


def kernel_given(repo: str, value: str, configs: List[str], ui,
                 iommu: str = '') -> None:
    """One kernel of --kernel, with +PATCH after it."""
    if os.path.exists(os.path.expanduser(value)):
        base, bugs = value, []
    else:
        base, *bugs = value.split('+')
    near.need('patch', bugs, bugkernel.names(repo),
              ' in guest/kernel/bugs')
    entry = kernel.named(repo, base)
    if entry is None and '/' not in base and \
            not os.path.exists(os.path.expanduser(base)):
        raise near.unknown('kernel', base, matrix.load(repo))
    kernel.check(repo, base, ui, configs, iommu)
    if bugs and entry is not None and entry.stock:
        raise UsageError(f'--kernel {value}: {base} is built already, it '
                         'cannot be patched', 'name a kernel with a source: '
                         './pri-lab kernel list')


def job(repo: str, name: str, args: str, added: List[str]) -> None:
    """A program of tests/guest or of --add, and the tests that --args
    names."""
    mine = [x[len('tests/'):] for x in guest.added_files(added)]
    if not name or name in mine:
        return
    near.need('guest program', [name], names.guest_jobs(repo)
              + list(names.NO_SOURCE) + mine)
    tests = names.tests_of(repo, name)
    if tests and args:
        values = names.values_of(repo, name)
        near.need('test', (x for x in args.split(',')
                           if x.partition('=')[0] not in values
                           or '=' not in x), tests
                  + [f'{v}=' for v in values], f' of {name}')


def only_with(command: str, what: str, request, defaults: dict) -> None:
    """Options that mean nothing without a name are refused."""
    for name, default in defaults.items():
        if getattr(request, name, default) != default:
            raise UsageError(f'{command}: --{name} wants {what}')


def repository_only(request, repo: str) -> None:
    """LabError if the installed package cannot do the command."""
    if not installed.is_installed(repo):
        return
    for w in request.called:
        if w in installed.REPOSITORY_ONLY:
            raise installed.refuse(w, installed.REPOSITORY_ONLY[w])


def version(repo: str) -> str:
    """What `--version` says: of the clone its commit, of a package its own."""
    mark = os.path.join(repo, installed.MARK)
    if os.path.isfile(mark):
        with open(mark, encoding='utf-8') as f:
            return f.read().strip() or '?'
    return commit(repo) or '?'


def commit(repo: str) -> Optional[str]:
    return proc.git(repo, 'describe', '--always', '--dirty',
                    '--exclude=*').strip() or None
