# SPDX-License-Identifier: GPL-2.0-or-later
"""`--json FILE`: what a command found, and of what, for programs to read.

docs/manual/json.md describes it; FIELDS below is what the page and the tests are
checked against.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from typing import Any, Dict, List

from ..core import cache, proc
from ..linux import kconfig
from ..machine import vm
from ..own import mirror
from ..qemu import qemusrc

SCHEMA = 'pri-lab-results-1'
# kind of object -> its fields, and what each is
FIELDS: Dict[str, Dict[str, str]] = {
    'document': {
        'schema': f'"{SCHEMA}"', 'command': 'run, repro, check, ...',
        'argv': 'the command line', 'date': 'when it ended, ISO 8601, UTC',
        'status': 'exit status', 'lab': 'object', 'host': 'object',
        'results': 'list of objects, one kind for each command'},
    'lab': {'commit': 'of this repository, "" if it is not known',
            'dirty': 'true: there were changes that are not committed'},
    'host': {'machine': 'x86_64', 'kernel': 'uname -r',
             'python': 'version'},
    'machine': {
        'accel': 'tcg or kvm', 'qemu_version': 'of QEMU',
        'qemu_sha256': 'of the binary', 'kernel': 'as --kernel names it',
        'kernel_release': 'uname -r in the guest, "" if it did not boot',
        'kernel_sha256': 'of the image',
        'kernel_commit': 'of the source tree, "" if it is not known',
        'config_sha256': 'of its configuration, "" if it is not known'},
    'repro': {
        'race': 'ID', 'name': 'of the entry', 'machine': 'object, or null if '
        'there was no kernel to run', 'verdict': 'REPRODUCED, NOT '
        'REPRODUCED, CANNOT RUN or DIFFERS', 'expected': 'a verdict or null',
        'snapshot': '[runs with the verdict, all] from a snapshot',
        'cold': 'the same from cold boots', 'exact': 'true: all runs were the '
        'same one, to the instruction', 'hashes': 'different ones of these '
        'runs, empty without a plan', 'signs': 'those that were seen',
        'facts': 'what the program said with them', 'why': 'of CANNOT RUN',
        'seconds': 'it took', 'logs': 'directory of consoles and results'},
    'explore': {
        'scenario': 'name', 'machine': 'object, or null if it could not run',
        'focus': 'code whose accesses are points', 'seed': 'of the choices',
        'schedules': 'that were run, those before --resume counted',
        'seconds': 'they took, those before --resume counted',
        'pairs': '[ordered pairs that were seen, all that are known]',
        'instructions': 'of the focus that were executed and touch memory',
        'functions': 'of the focus that were executed',
        'flat': 'true: nothing new came any more',
        'signs': 'list of objects, sign', 'hits': 'list of objects, hit, that '
        'are new', 'why': 'it could not run, or ""', 'logs': 'directory'},
    'sign': {'sign': 'kind and function', 'schedules': 'that had it',
             'first': 'schedule that had it', 'page': 'where it is written up, '
             'or ""'},
    'hit': {'sign': 'kind and function', 'page': 'where it is written up, or '
            '""', 'plan': 'the smallest one',
            'points': 'its points and the device events it holds, in words',
            'replay': '[runs that had the sign, all]',
            'hashes': 'different ones of these runs, 1 if they were the same',
            'found': 'at that schedule', 'shrunk': 'in so many runs',
            'file': 'for repro'},
    'again': {'scenario': 'name of a file that repro was given',
              'machine': 'object', 'sign': 'that was looked for',
              'verdict': 'REPRODUCED or NOT REPRODUCED',
              'how': 'the plan was found', 'plan': 'that had it, or ""',
              'replay': '[runs that had the sign, all]',
              'hashes': 'different ones of these runs',
              'cold': '[cold boots that had the same hash, all]'},
    'measure': {'scenario': 'name of explore --measure', 'machine': 'object',
                'sign': 'that counts, or "": any',
                'strategy': 'search, random slices or round robin',
                'cap': 'schedules of a seed at most',
                'first': 'schedule of the hit by seed, or null',
                'schedules': 'of all seeds', 'seconds': 'they took'},
    'same': {'scenario': 'name of explore --determinism', 'machine': 'object',
             'plan': 'that was run', 'runs': 'of it', 'ways': '[end, '
             'instructions, hash, runs] of each way that they went'},
    'steps': {
        'scenario': 'name of one that is made of steps', 'machine': 'object',
        'seed': 'of random orders', 'depth': 'steps of an order',
        'orders': 'that were tried', 'order': 'the one that went wrong, or ""',
        'verdict': 'of that one', 'signs': 'those that were seen',
        'logs': 'directory'},
    'reset': {
        'method': 'of the cell', 'work': 'what was at work', 'who': 'who was '
        'reset and who worked', 'machine': 'object', 'verdict': 'OK, hangs, '
        'splat, DMA error, data wrong, refused or cannot run', 'why': 'of all '
        'but OK', 'facts': 'what decides nothing', 'seconds': 'it took',
        'cpu': 'CPU seconds of QEMU',
        'logs': 'path of console and results, without .console and .ktap'},
    'test': {'suite': 'program', 'name': 'of the test',
             'status': 'passed, failed, skipped or not run',
             'reason': 'of what is not passed',
             'kernel': 'with several of them, else ""'},
    'kernel': {'name': 'as --kernel takes it', 'here': 'built, source or -',
               'version': 'of the source', 'from': 'where it comes from',
               'note': 'of guest/kernel/matrix'},
}


def checked(kind: str, fields: Dict[str, Any]) -> Dict[str, Any]:
    """An object with the fields of its kind, in their order; KeyError if one
    is missing, ValueError if there is one more."""
    more = set(fields) - set(FIELDS[kind])
    if more:
        raise ValueError(f'{kind} has no {more.pop()}')
    return {name: fields[name] for name in FIELDS[kind]}


def _commit(repo: str) -> Dict[str, Any]:
    commit = proc.git(repo, 'rev-parse', 'HEAD').strip()
    dirty = bool(proc.git(repo, 'status', '--porcelain').strip())
    return checked('lab', {'commit': commit, 'dirty': dirty})


def _qemu_version(binary: str) -> str:
    """As the binary says it: it may be of the user's own source."""
    said = proc.output_of([binary, '--version']).split()
    return said[3] if said[:3] == ['QEMU', 'emulator', 'version'] else ''


def machine(kernel: str, m: vm.Machine, release: str) -> Dict[str, Any]:
    """What was run: QEMU and kernel by their content."""
    config = kconfig.config_near(m.kernel) or ''
    stamp = cache.Stamp(os.path.dirname(m.kernel) + '.stamp').read()
    commit = stamp.get('commit', '')
    path = os.path.expanduser(kernel)
    if not commit and os.path.isdir(path) and mirror.is_git(path):
        commit = mirror.describe(path)['commit']
    return checked('machine', {
        'accel': m.accel, 'qemu_version': _qemu_version(m.qemu),
        'qemu_sha256': cache.content_digest(m.qemu), 'kernel': kernel,
        'kernel_release': release,
        'kernel_sha256': cache.content_digest(m.kernel),
        'kernel_commit': commit,
        'config_sha256': cache.digest(config.encode()) if config else ''})


def document(command: str, argv: str, repo: str, status: int,
             found: List[Dict[str, Any]]) -> Dict[str, Any]:
    return checked('document', {
        'schema': SCHEMA, 'command': command, 'argv': argv,
        'date': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
        'status': status, 'lab': _commit(repo),
        'host': checked('host', {'machine': platform.machine(),
                                 'kernel': platform.release(),
                                 'python': platform.python_version()}),
        'results': found})


def write(path: str, what: Dict[str, Any]) -> None:
    """To a file, or `-`: standard output."""
    text = json.dumps(what, indent=1) + '\n'
    if path == '-':
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        cache.write_atomic(os.path.realpath(os.path.expanduser(path)),
                           text.encode())


def page() -> str:
    """The tables of docs/manual/json.md."""
    out = []
    for kind, fields in FIELDS.items():
        out += [f'### {kind}', '', '| field | |', '|---|---|']
        out += [f'| `{name}` | {what} |' for name, what in fields.items()]
        out.append('')
    return '\n'.join(out)
