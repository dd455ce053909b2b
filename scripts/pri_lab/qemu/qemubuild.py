# SPDX-License-Identifier: GPL-2.0-or-later
"""Configure and build QEMU (x86_64 only), its qtests and its option ROMs."""

from __future__ import annotations

import glob
import os
import re
import shutil
from typing import Dict, List

from ..core import cache, proc
from ..core.errors import LabError
from ..debian.packages import Host
from ..iommu import kind

BINARY = 'qemu-system-x86_64'
# QEMU's own tests of what we patch; they must keep passing
UPSTREAM_QTESTS = list(kind.load().qtests)
# what `./pri-lab bench` runs over qtest
BENCH = 'pri-bench'
# Debian's packages of the firmware that its QEMU tarball lacks
# (Debian 13 moved the boot ROMs)
FIRMWARE = {'seabios': ('/usr/share/seabios/*.bin',),
            'ipxe-qemu': ('/usr/lib/ipxe/qemu/*.rom',
                          '/usr/share/qemu/*.rom')}
BUNDLE = os.path.join('qemu-bundle', 'usr', 'local', 'share', 'qemu')
ROMS = ['pvh.bin', 'linuxboot_dma.bin', 'kvmvapic.bin']
CONFIGURE = [
    '--target-list=x86_64-softmmu', '--without-default-features',
    '--enable-system', '--enable-tcg', '--enable-kvm', '--enable-fdt=system',
    '--enable-pixman', '--enable-virtfs', '--enable-attr',
    '--disable-install-blobs', '--disable-docs',
    '--enable-trace-backends=log', '--disable-tools', '--disable-werror',
    '--disable-download',
]
SANITIZE = ['--enable-asan', '--enable-ubsan']


def our_qtests(repo: str) -> List[str]:
    """Names of our qtest binaries: one a source called *-test.c in a
    folder of tests/qtest."""
    return sorted(os.path.basename(p)[:-2] for p in glob.glob(
        os.path.join(repo, 'tests', 'qtest', '**', '*-test.c'),
        recursive=True))


# What tools say of files that are damaged or missing in a build directory
_DAMAGE = re.compile(
    r'^ninja: (?:error|fatal):|file truncated|malformed archive'
    r'|file (?:format )?not recognized|Build data file .* corrupt'
    r'|is not a (?:valid )?build directory|config-host\.mak: No such file',
    re.M)


def host_firmware() -> List[str]:
    """Firmware images of the host's packages; LabError names what lacks."""
    images: List[str] = []
    for package, patterns in FIRMWARE.items():
        found = [f for p in patterns for f in sorted(glob.glob(p))]
        if not found:
            raise LabError(f'{package}: the firmware is missing',
                           f'apt-get install {package}')
        images += found
    return images


class QemuBuild:
    def __init__(self, paths: cache.Paths, host: Host, source_key: str,
                 jobs: int, log: proc.Log, ui, sanitize: bool = False):
        self.paths = paths
        self.host = host
        self.jobs = jobs
        self.log = log
        self.ui = ui
        self.sanitize = sanitize
        self.dir = paths.qemu_build(sanitize)
        self.binary = os.path.join(self.dir, BINARY)
        self.args = ['--python=' + host.python] + CONFIGURE + \
            (SANITIZE if sanitize else [])
        self.key = cache.key_of(source_key, paths.qemu_src, self.args,
                                host.python_path)
        self.stamp = cache.Stamp(self.dir + '.configured')
        self.old = False                # the directory is not of this run
        # of the tree that is built, whatever becomes of the repository
        self.tests = our_qtests(paths.repo)

    def env(self) -> Dict[str, str]:
        """What a tool of the build has in its environment besides ours.

        meson uses ccache if there is one.  It is told that the directories of
        clones differ in their names alone, else no clone would find what
        another one has compiled.
        """
        env = dict(self.host.env())
        for name, value in (('CCACHE_BASEDIR', self.paths.works),
                            ('CCACHE_NOHASHDIR', '1')):
            if name not in os.environ:
                env[name] = value
        return env

    def build(self, qtests: bool) -> None:
        """Everything a command needs; one step.

        qtests: build the test binaries too.
        """
        title = 'Build QEMU' + (' (sanitizers)' if self.sanitize else '')
        with self.ui.step(title) as step:
            built = self.build_in(step, qtests)
            # QEMU's version header is looked at every time
            step.done(f'{built} objects' if built > 1 else 'up to date')

    def build_in(self, step, qtests: bool) -> int:
        """The same as part of the caller's step; number of things built."""
        host_firmware()                 # before the long part
        linked = cache.Stamp(self.dir + '.linked')
        if linked.read() and not linked.valid('binary'):
            cache.remove(self.binary)   # ninja would believe its date
        self.old = self.stamp.valid(self.key)
        if not self.old:
            self._configure(step)
        try:
            built = self._ninja(step, qtests)
        except LabError:
            if not self.old or not self._looks_broken():
                raise
            self.ui.say('QEMU\'s build directory is damaged; building afresh')
            self._configure(step)
            built = self._ninja(step, qtests)
        linked.write('binary', [self.binary])
        self._firmware(step)
        self._install_firmware()
        return built

    def _configure(self, step) -> None:
        step.note = 'configure'
        self.stamp.clear()
        cache.remove(self.dir)
        os.makedirs(self.dir)
        proc.run([os.path.join(self.paths.qemu_src, 'configure')] + self.args,
                 'configuring QEMU', self.log, ui=self.ui, cwd=self.dir,
                 env=self.env())
        self.stamp.write(self.key,
                         [os.path.join(self.dir, 'config-host.mak')])

    def products(self, qtests: bool) -> List[str]:
        """What commands use of it, relative to the directory."""
        return self._targets(qtests)

    def _targets(self, qtests: bool) -> List[str]:
        if not qtests:
            return [BINARY]
        return [BINARY] + [f'tests/qtest/{t}' for t in UPSTREAM_QTESTS] + \
            [f'tests/qtest/pri-lab/{t}' for t in self.tests + [BENCH]]

    def _ninja(self, step, qtests: bool) -> int:
        done = 0

        def progress(line: str) -> None:
            nonlocal done
            m = re.match(r'\[(\d+)/(\d+)\]', line)
            if m:
                done += 1
                step.note = f'{m.group(1)} of {m.group(2)}'

        step.note = ''
        ninja = shutil.which('ninja') or 'ninja'
        proc.run([ninja, '-C', self.dir, f'-j{self.jobs}']
                 + self._targets(qtests), 'building QEMU', self.log,
                 ui=self.ui, env=self.env(), on_line=progress)
        if not os.access(self.binary, os.X_OK):
            raise LabError('building QEMU left no ' + BINARY,
                           log=self.log.path)
        return done

    def _looks_broken(self) -> bool:
        """True if the failure is the directory's and not the source's.

        A compiler's error is the source's; so is a ninja that somebody
        stopped from outside.
        """
        try:
            with open(self.log.path, encoding='utf-8', errors='replace') as f:
                return bool(_DAMAGE.search(f.read()))
        except OSError:
            return False

    def _firmware(self, step) -> None:
        """Option ROMs from QEMU's own source; Debian's tarball has none."""
        src = os.path.join(self.paths.qemu_src, 'pc-bios', 'optionrom')
        key = cache.key_of(cache.tree_key(cache.files_under(src), src),
                           'roms')
        dest = self.paths.firmware
        roms = [os.path.join(dest, r) for r in ROMS]
        stamp = cache.Stamp(dest + '.stamp')
        if stamp.valid(key) and all(map(os.path.exists, roms)):
            return
        step.note = 'option ROMs'
        with cache.fresh_tree(dest) as part:
            cache.write_atomic(os.path.join(part, 'config.mak'), (
                f'TOPSRC_DIR={self.paths.qemu_src}\nCC=cc\nOBJCOPY=objcopy\n'
                f'PYTHON={self.host.python}\nEXTRA_CFLAGS=\n'
                'TARGET_DIR=\n').encode())
            proc.run(['make', '-C', part, '-f', os.path.join(src, 'Makefile')]
                     + ROMS, 'building the option ROMs', self.log, ui=self.ui)
            for n in os.listdir(part):
                if n not in ROMS:
                    cache.remove(os.path.join(part, n))
        stamp.write(key, roms)

    def _install_firmware(self) -> None:
        """Put the images where a binary in its build directory looks."""
        bundle = os.path.join(self.dir, BUNDLE)
        os.makedirs(bundle, exist_ok=True)
        for image in host_firmware() + [
                os.path.join(self.paths.firmware, r) for r in ROMS]:
            link = os.path.join(bundle, os.path.basename(image))
            if not os.path.islink(link) or os.readlink(link) != image:
                cache.remove(link)
                os.symlink(image, link)
