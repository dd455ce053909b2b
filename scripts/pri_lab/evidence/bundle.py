# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro --bundle FILE`: a race, its result and what it is of, in one archive
that `repro FILE` runs again on another machine."""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import Any, Dict, List

from . import mail, results
from ..core import cache
from ..core.errors import LabError, UsageError
from ..linux import bugkernel, kconfig
from ..races.tally import Tally

MANIFEST = 'manifest.json'
FORMAT = 'pri-lab-bundle-1'
SUFFIXES = ('.tar.gz', '.tgz')
LARGEST = 64 << 20              # bytes of one file of a bundle


def is_bundle(name: str) -> bool:
    return name.endswith(SUFFIXES)


def write(path: str, repo: str, tally: Tally, machine, document: Dict,
          configs: List[str]) -> None:
    """The archive.  machine: vm.Machine; document: what --json says."""
    entry = tally.entry
    files: Dict[str, bytes] = {}
    with open(entry.path, 'rb') as f:
        files[f'{entry.name}.c'] = f.read()
    for bug in tally.asked.split('+')[1:]:
        with open(os.path.join(repo, bugkernel.BUGS, f'{bug}.patch'),
                  'rb') as f:
            files[f'patches/{bug}.patch'] = f.read()
    for c in configs:
        with open(os.path.expanduser(c), 'rb') as f:
            files[f'config/{os.path.basename(c)}'] = f.read()
    if machine:
        files['kernel.config'] = (kconfig.config_near(machine.kernel)
                                  or '').encode()
    for d, _, names in os.walk(tally.logdir) if tally.logdir else []:
        for n in names:
            p = os.path.join(d, n)
            if os.path.getsize(p) <= LARGEST and not n.endswith('.qcow2'):
                with open(p, 'rb') as f:
                    files['logs/' + os.path.relpath(p, tally.logdir)] = \
                        f.read()
    command = f'./pri-lab repro {os.path.basename(path)}'
    files['report.txt'] = ('\n'.join(mail.text(
        repo, tally, machine, command)) + '\n').encode()
    files[MANIFEST] = (json.dumps({
        'format': FORMAT, 'race': entry.name, 'kernel': tally.asked,
        'own_kernel': tally.own, 'verdict': tally.verdict or 'DIFFERS',
        'config': sorted(n for n in files if n.startswith('config/')),
        'again': command, 'results': document}, indent=1) + '\n').encode()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w:gz') as tar:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(files[name]))
    cache.write_atomic(os.path.realpath(os.path.expanduser(path)),
                       data.getvalue())


def unpack(path: str, dest: str) -> Dict[str, Any]:
    """Unpack into a directory; the manifest.  Nothing of it can land
    elsewhere, whatever the archive says."""
    if not os.path.isfile(path):
        raise UsageError(f'{path}: there is no such file')
    try:
        with tarfile.open(path, 'r:gz') as tar:
            for member in tar:
                name = member.name
                if not member.isfile() or os.path.isabs(name) or \
                        '..' in name.split('/') or member.size > LARGEST:
                    raise UsageError(f'{path}: {name} has no place in a '
                                     'bundle')
                source = tar.extractfile(member)
                assert source is not None       # it is a file
                cache.write_atomic(os.path.join(dest, name), source.read())
        with open(os.path.join(dest, MANIFEST), encoding='utf-8') as f:
            manifest = json.load(f)
    except (tarfile.TarError, OSError, ValueError, EOFError) as e:
        raise UsageError(f'{path} is no bundle of `repro --bundle`: {e}'
                         ) from None
    if manifest.get('format') != FORMAT:
        raise UsageError(f'{path}: {manifest.get("format")} is not {FORMAT}',
                         'it was made by another version of the lab')
    return manifest


def kernel_of(manifest: Dict[str, Any]) -> str:
    """What --kernel shall be, if the user does not say it."""
    if manifest['own_kernel']:
        raise LabError(
            'the bundle is of a kernel of somebody\'s own: commit '
            + (commit_of(manifest) or 'unknown'),
            'build it with kernel.config of the bundle and say --kernel DIR')
    return manifest['kernel']


def commit_of(manifest: Dict[str, Any]) -> str:
    for r in manifest['results']['results']:
        if r.get('machine'):
            return r['machine']['kernel_commit']
    return ''


def differences(manifest: Dict[str, Any], found: List[Dict[str, Any]]
                ) -> List[str]:
    """What is not the same here as it was there: one line each."""
    there = next((r['machine'] for r in manifest['results']['results']
                  if r.get('machine')), None)
    here = next((r['machine'] for r in found if r.get('machine')), None)
    if not there or not here:
        return []
    return [f'{k}: {there[k]} there, {here[k]} here'
            for k in results.FIELDS['machine'] if there[k] != here[k]]
