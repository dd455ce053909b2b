# SPDX-License-Identifier: GPL-2.0-or-later
"""What the host needs: checked with dpkg, installed with apt-get.

On Debian 12 QEMU's configure needs a newer meson than the release has; it is
taken from the release's backports and unpacked below the cache, so that the
host keeps its own.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys
from typing import Dict, List, Optional, Tuple

from . import apt, systems
from ..core import cache, proc
from ..core.errors import LabError

# Package -> what it is for.  The order is the order of the message.
NEEDED: Dict[str, str] = {
    'build-essential': 'compiling',
    'patch': 'our changes to QEMU',
    'pkg-config': 'configuring QEMU',
    'ninja-build': 'building QEMU',
    'python3-venv': 'configuring QEMU',
    'libglib2.0-dev': 'QEMU',
    'libpixman-1-dev': 'QEMU',
    'zlib1g-dev': 'QEMU',
    'libfdt-dev': 'QEMU',
    'libattr1-dev': 'QEMU',
    'seabios': 'the guest\'s firmware',
    'ipxe-qemu': 'the firmware of QEMU\'s default network card',
    'flex': 'the guest kernel',
    'bison': 'the guest kernel',
    'bc': 'the guest kernel',
    'libelf-dev': 'the guest kernel',
    'libssl-dev': 'the guest kernel',
    'kmod': 'the guest kernel',
    'xz-utils': 'unpacking sources',
    'bzip2': 'unpacking sources',
    'zstd': 'compressed kernels',
    'busybox-static': 'the guest\'s user space',
    'ca-certificates': 'downloads',
}
MESON = ('meson', 'python3-pycotap')
MESON_MINIMUM = (1, 5)


def version_tuple(text: str) -> Tuple[int, ...]:
    """'1.7.0-1~bpo12+1' -> (1, 7, 0)."""
    m = re.match(r'(?:\d+:)?(\d+(?:\.\d+)*)', text)
    return tuple(int(x) for x in m.group(1).split('.')) if m else ()


def installed() -> Dict[str, str]:
    """Installed packages with their versions."""
    out = proc.output_of(['dpkg-query', '-W', '-f',
                          '${db:Status-Status} ${Package} ${Version}\\n'])
    have = {}
    for line in out.splitlines():
        f = line.split()
        if len(f) == 3 and f[0] == 'installed':
            have[f[1]] = f[2]
    return have


def _candidate(package: str) -> str:
    for line in proc.output_of(['apt-cache', 'policy', package]).splitlines():
        if line.strip().startswith('Candidate:'):
            return line.split(':', 1)[1].strip()
    return ''


def _meson_ok(have: Dict[str, str]) -> bool:
    return (version_tuple(have.get('meson', '')) >= MESON_MINIMUM
            and 'python3-pycotap' in have)


def missing(have: Dict[str, str], qemu: bool = True) -> List[str]:
    """Packages of NEEDED that are not there; without qemu, those that no
    build of QEMU is for."""
    return [p for p, purpose in NEEDED.items() if p not in have
            and (qemu or 'QEMU' not in purpose)]


class Host:
    """The host's tools, after `prepare`."""

    def __init__(self, paths: cache.Paths):
        self.paths = paths
        self.python_path = ''           # PYTHONPATH of a private meson

    @property
    def python(self) -> str:
        """The distribution's own interpreter, which sees its packages."""
        return '/usr/bin/python3' if os.path.exists('/usr/bin/python3') \
            else sys.executable

    def env(self) -> Dict[str, str]:
        return {'PYTHONPATH': self.python_path} if self.python_path else {}

    def meson(self) -> List[str]:
        """The command that is meson."""
        if self.python_path:
            return [self.python,
                    os.path.join(self.paths.tools, 'usr', 'bin', 'meson')]
        return [shutil.which('meson', path='/usr/bin') or 'meson']


def prepare(paths: cache.Paths, log: proc.Log, ui,
            qemu: bool = True) -> Host:
    """Install what is missing and find meson; one step.

    qemu: QEMU will be built.
    """
    host = Host(paths)
    systems.machine()
    with ui.step('Packages') as step:
        if not shutil.which('dpkg-query'):
            systems.foreign()
            step.done('not a Debian system, taking the tools as they are')
            return host
        have = installed()
        if not have:
            raise LabError('dpkg-query does not say what is installed')
        want = missing(have, qemu)
        private = False
        if qemu and not _meson_ok(have):
            private = not _from_release(want, ui)
            if private:
                systems.ubuntu(_candidate('meson'))
        if want:
            install(want, log, ui, step)
            step.done(f'installed {len(want)}')
        else:
            step.done('all there')
        if private:
            _private_meson(paths, host, log, ui, step)
    return host


def _from_release(want: List[str], ui) -> bool:
    """True if the release itself has a meson that is new enough."""
    candidate = _candidate('meson')
    if candidate in ('', '(none)'):
        # no package index yet: the release's name tells
        rel = apt.os_release()
        first = (25,) if rel.get('ID') == 'ubuntu' else (13,)
        fresh = version_tuple(rel.get('VERSION_ID', '99')) >= first
    else:
        fresh = version_tuple(candidate) >= MESON_MINIMUM
    if fresh:
        want += MESON
    return fresh


def install(want: List[str], log: proc.Log, ui, step) -> None:
    """apt-get install, saying what and asking nothing."""
    command = 'apt-get install --no-install-recommends ' + ' '.join(want)
    if os.geteuid() != 0:
        raise LabError(f'missing packages: {" ".join(want)}',
                       f'run: sudo {command}')
    ui.say('installing: ' + ' '.join(want))
    env = {'DEBIAN_FRONTEND': 'noninteractive', 'DEBCONF_NONINTERACTIVE_SEEN':
           'true', 'NEEDRESTART_MODE': 'l'}
    common = ['-o', 'DPkg::Lock::Timeout=600', '-o', 'Acquire::Retries=3',
              '-o', 'Dpkg::Use-Pty=0']

    def progress(line: str) -> None:
        m = re.match(r'(Get:\d+|Unpacking|Setting up)\s+(.*)', line)
        if m:
            step.note = line[:60]

    if proc.output_of(['dpkg', '--audit']).strip():
        proc.run(['dpkg', '--configure', '-a'],
                 'completing an interrupted package installation', log, ui=ui,
                 env=env, gentle=True)
    step.note = 'reading the package index'
    # one broken source of many is no reason to stop; if nothing can be
    # installed then, the index is what failed
    stale: Optional[LabError] = None
    try:
        proc.run(['apt-get', '-q'] + common
                 + ['-o', 'APT::Update::Error-Mode=any', 'update'],
                 'reading the package index', log, ui=ui, env=env)
    except LabError as e:
        stale = e
    try:
        proc.run(['apt-get', '-q', '-y', '--no-install-recommends',
                  '-o', 'Dpkg::Options::=--force-confdef',
                  '-o', 'Dpkg::Options::=--force-confold'] + common
                 + ['install'] + want, 'installing packages', log, ui=ui,
                 env=env, on_line=progress, gentle=True)
    except LabError as e:
        raise stale or e from None
    left = [p for p in want if p not in installed()]
    if left:
        raise LabError(f'apt-get did not install: {" ".join(left)}',
                       log=log.path)


def _private_meson(paths: cache.Paths, host: Host, log: proc.Log, ui,
                   step) -> None:
    """meson and pycotap from backports, unpacked below the cache."""
    top = paths.tools
    stamp = cache.Stamp(os.path.join(top, 'stamp'))
    lib = os.path.join(top, 'usr', 'lib', 'python3', 'dist-packages')
    files = [os.path.join(top, 'usr', 'bin', 'meson'),
             os.path.join(lib, 'mesonbuild', '__init__.py'),
             os.path.join(lib, 'pycotap', '__init__.py')]
    key = cache.key_of('tools', apt.codename())
    if not stamp.valid(key):
        step.note = 'meson from backports'
        archive = apt.Archive(paths, apt.codename() + '-backports', 'deb',
                              log, ui)
        archive.update()
        with cache.fresh_tree(top) as part:
            for package in MESON:
                _unpack(archive, package, part, log, ui)
        stamp.write(key, files)
        ui.say('meson and python3-pycotap: unpacked from backports below '
               'the cache, the host keeps its own')
    host.python_path = lib


def _unpack(archive: apt.Archive, package: str, dest: str, log: proc.Log,
            ui) -> None:
    version = archive.version(package)
    if not version:
        raise LabError(f'{archive.suite} has no {package}',
                       f'install {package} yourself')
    debs = os.path.join(dest, 'debs')
    deb = archive.download(package, version, debs)
    proc.run(['dpkg', '-x', deb, dest], f'unpacking {package}', log, ui=ui)
    for old in glob.glob(os.path.join(debs, '*')):
        os.unlink(old)
