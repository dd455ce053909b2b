# SPDX-License-Identifier: GPL-2.0-or-later
"""Every name and file of a command line, looked at before anything is done.

All of it is in the repository or on the disk, so this takes milliseconds,
where a build takes minutes.  What is wrong is a UsageError.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from typing import List, Optional

from . import names
from ..core import cache, host, installed, near, proc
from ..core.errors import LabError, UsageError
from ..evidence import bundle
from ..explore import hit
from ..explore.plan import parse
from ..guest import guest
from ..helptext import USES
from ..linux import bugkernel, kernel, matrix
from ..own import tree
from ..qemu import qemusrc
from ..races import race


# commands that build nothing
READERS = ('timeline', 'cache', 'clean', 'completion', 'conformance')


def check(o: argparse.Namespace, repo: str, ui) -> None:
    """UsageError if something can be seen to be wrong beforehand."""
    try:
        _common(o, repo, ui)
        by_command = globals().get('_' + o.command.replace('-', '_'))
        if by_command:
            by_command(o, repo, ui)
    except UsageError:
        raise
    except LabError as e:               # found by what uses it later
        raise UsageError(e.what, e.hint, e.log, e.tail) from None


def _no_spaces(repo: str) -> None:
    """Neither QEMU's nor the kernel's build copes with them."""
    for path, cure in ((cache.root(), 'point XDG_CACHE_HOME to another place'),
                       (repo, 'move the clone to another place')):
        if re.search(r'[\s:]', path):
            raise UsageError(f'{path}: nothing can be built in a path with '
                             'a space or a colon', cure)


def _common(o: argparse.Namespace, repo: str, ui) -> None:
    if o.command not in READERS:
        _no_spaces(repo)
    if o.qemu_src:
        qemusrc.given(o.qemu_src)
    tree.words(o.make)
    if o.accel == 'kvm':
        host.choose_accel('kvm')
    guest.added_files(o.add)
    for path in (o.junit, o.json, o.bundle, o.report, o.record):
        _place(path)
    if 'kernel' in USES.get(o.command, '').split() and \
            o.command != 'kernel':
        _kernels(o, repo, ui)


def _place(path: str) -> None:
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


def _kernels(o: argparse.Namespace, repo: str, ui) -> None:
    several = o.command in ('repro', 'check', 'explore')
    value = o.kernel
    if not several and ',' in value and not os.path.exists(value):
        raise UsageError(f'--kernel {value}: {o.command} takes one kernel',
                         'several are for repro, check and explore')
    for one in matrix.select(matrix.load(repo), value) if several \
            else [value]:
        kernel_given(repo, one, o.config, ui)
    if not value:
        kernel.check_configs(repo, '', o.config)


def kernel_given(repo: str, value: str, configs: List[str], ui) -> None:
    """One kernel of --kernel, with +PATCH after it."""
    if os.path.exists(os.path.expanduser(value)):
        base, bugs = value, []
    else:
        base, *bugs = value.split('+')
    near.need('patch (guest/kernel/bugs)', bugs, bugkernel.names(repo))
    entry = kernel.named(repo, base)
    if entry is None and '/' not in base and \
            not os.path.exists(os.path.expanduser(base)):
        raise near.unknown('kernel', base, matrix.load(repo))
    kernel.check(repo, base, ui, configs)
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
        near.need(f'test of {name}', args.split(','), tests)


# -- commands -----------------------------------------------------------------

def _run(o: argparse.Namespace, repo: str, _ui) -> None:
    job(repo, o.job or ('sva-basic' if o.args else ''), o.args, o.add)


_qemu = _guest_test = _run


def _check(o: argparse.Namespace, repo: str, _ui) -> None:
    kernels = matrix.split_list(o.kernel)
    have = names.check_names(repo)
    if kernels:
        have = [x for x in have if x.startswith('guest')] \
            + names.guest_jobs(repo)
    near.need('suite or test', o.names, have)


def _repro(o: argparse.Namespace, repo: str, _ui) -> None:
    entries = race.load(repo)
    if any(hit.is_file(x) for x in o.races):
        for path in o.races:
            hit.load(path)
    elif o.races:
        _races(o, entries, repo)
    elif not o.all:
        _only_with('repro', 'a RACE or --all', o, {
            'runs': -1, 'cold': -1, 'limit': 0, 'resume': False,
            'record': '', 'bisect': False, 'expect': '', 'show': False,
            'bundle': '', 'report': ''})
    if o.record not in ('', '-') and (len(o.races) != 1
                                      or ',' in o.kernel):
        raise UsageError('--record FILE is of one race on one kernel')
    if o.record and (o.runs >= 0 or o.cold >= 0 or o.resume):
        raise UsageError('--record makes one run, whatever --runs, --cold '
                         'or --resume say', 'leave them out')
    if o.runs == 0 and o.cold == 0:
        raise UsageError('nothing to run', 'give --runs or --cold a number '
                         'above 0')


def _races(o: argparse.Namespace, entries, repo: str) -> None:
    """Names, files of races, bundles."""
    for word in o.races:
        if bundle.is_bundle(word):
            with tempfile.TemporaryDirectory() as d:
                bundle.unpack(os.path.expanduser(word), d)
        elif word.endswith('.c'):
            race.from_file(word)
        else:
            race.find(entries, [word], race.left_out(repo))
    if o.bundle and not bundle.is_bundle(o.bundle):
        raise UsageError(f'--bundle {o.bundle}: the name must end with '
                         + ' or '.join(bundle.SUFFIXES))
    if (o.bundle or o.report) and (len(o.races) > 1 or ',' in o.kernel):
        raise UsageError('--bundle and --report are of one race on one '
                         'kernel')


def _explore(o: argparse.Namespace, repo: str, _ui) -> None:
    if o.pages:
        return
    if not (o.scenario or o.all):
        _only_with('explore', 'a SCENARIO or --all', o, {
            'runs': -1, 'depth': 0, 'order': '', 'budget': 0, 'plan': '',
            'measure': 0, 'resume': False, 'hits': 0})
        return
    entries = race.find(race.load(repo, race.SCENARIOS), o.scenario)
    steps = [e for e in entries if e.steps]
    if o.accel == 'kvm' and len(steps) < len(entries) + o.all:
        raise UsageError('explore needs TCG: with KVM nobody says which '
                         'processor runs')
    if steps and (len(steps) < len(entries) or o.all):
        raise UsageError(f'{steps[0].name} is of steps and runs in another '
                         'way', 'name it alone')
    if (o.order or o.depth) and not steps:
        raise UsageError('--order and --depth are for scenarios of steps')
    for name in ('plan', 'measure'):
        if getattr(o, name) and (len(entries) != 1 or steps):
            raise UsageError(f'--{name} is about one scenario of tasks')
    parse(o.plan)
    try:
        re.compile(o.sign)
    except re.error as e:
        raise UsageError(f'--sign {o.sign}: {e}') from None
    for entry in steps:
        _order(o.order, entry)


def _order(order: str, entry: race.Entry) -> None:
    with open(entry.path, encoding='utf-8') as f:
        steps = names.table(f.read())
    letters = 'abcdefghijklmnopqrstuvwxyz'[:len(steps)]
    bad = set(order) - set(letters)
    if steps and bad:
        raise UsageError(f'--order {order}: there is no step {min(bad)}',
                         'the steps are ' + ', '.join(
                             f'{a} {s}' for a, s in zip(letters, steps)))


def _only_with(command: str, what: str, o: argparse.Namespace,
               defaults: dict) -> None:
    """Options that mean nothing without a name are refused."""
    for name, default in defaults.items():
        if getattr(o, name, default) != default:
            raise UsageError(f'{command}: --{name} wants {what}')


def _bench(o: argparse.Namespace, _repo: str, _ui) -> None:
    from ..bench.bench import Bench
    near.need('part of bench', o.parts, [*Bench.PARTS, 'boots'])
    if 'boots' in o.parts and o.parts != ['boots']:
        raise UsageError('bench boots goes by itself',
                         'leave out the other parts')


def _kernel(o: argparse.Namespace, repo: str, ui) -> None:
    if o.action in ('list', 'report'):
        return
    what = o.what or o.kernel
    if o.what and o.kernel:
        raise UsageError('a kernel is named twice', 'leave out --kernel')
    for c in o.config:
        if not os.path.isfile(os.path.expanduser(c)):
            raise UsageError(f'--config {c}: no such file')
    path = os.path.expanduser(what)
    if o.action == 'build' and os.path.isdir(path) and \
            kernel.named(repo, what) is None:
        return
    kernel_given(repo, what, o.config, ui)


def _timeline(o: argparse.Namespace, _repo: str, _ui) -> None:
    if not os.path.exists(o.log):
        raise UsageError(f'{o.log}: there is no such file or directory')
    _place(o.output)


def _package(o: argparse.Namespace, repo: str, _ui) -> None:
    if not o.output:
        return
    top = os.path.realpath(o.output)
    if os.path.exists(top) and not os.path.isdir(top):
        raise UsageError(f'--output {o.output} is no directory')


def repository_only(o: argparse.Namespace, repo: str) -> None:
    """LabError if the installed package cannot do the command."""
    if not installed.is_installed(repo):
        return
    words = [o.command]
    if o.command == 'kernel' and o.action:
        words.append(f'kernel {o.action}')
    if getattr(o, 'table', False):
        words.append('repro --table')
    if o.command == 'check' and matrix.split_list(o.kernel):
        return
    for w in words:
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
    return proc.output_of(['git', '-C', repo, 'describe', '--always',
                           '--dirty', '--exclude=*']).strip() or None
