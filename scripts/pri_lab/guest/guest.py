# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's user space: driver, test programs, initramfs."""

from __future__ import annotations

import os
import re
from typing import Dict, List, Sequence

from . import cpio
from ..core import cache, proc
from ..core.errors import LabError
from ..linux.kernel import Kernel

KEEP = 6                        # images kept, one a kernel
# what is said of this machine, which has not built the kernel, is not of ours
WARNING = re.compile(
    r'warning:(?! the compiler differs| pahole version differs)', re.I)
BUSYBOX = ('/bin/busybox', '/usr/bin/busybox')


def _busybox() -> bytes:
    for path in BUSYBOX:
        try:
            with open(path, 'rb') as f:
                return f.read()
        except FileNotFoundError:
            continue
    raise LabError('there is no busybox',
                   'apt-get install busybox-static')


def _read(path: str) -> bytes:
    with open(path, 'rb') as f:
        return f.read()


def _libraries() -> Dict[str, bytes]:
    """What the programs are linked with: file name -> content.

    One C library for all of them: with it in each, the image has ten times the
    size, and every boot and snapshot pays for that.
    """
    out = {}
    for name in ('ld-linux-x86-64.so.2', 'libc.so.6'):
        path = proc.output_of(['cc', f'-print-file-name={name}']).strip()
        if not os.path.isabs(path):         # cc says the name: not found
            raise LabError(f'there is no {name}', 'apt-get install libc6-dev')
        out[name] = _read(path)
    return out


def _mirror(src: str, dest: str) -> None:
    """Copy the files of src to dest, equal ones untouched, others gone.

    Only files that have a counterpart in src, or that no build makes, are
    removed: objects stay, so that make does only what is new.
    """
    wanted = {os.path.relpath(p, src): p for p in cache.files_under(src)}
    for rel, path in wanted.items():
        cache.write_if_changed(os.path.join(dest, rel), _read(path))
    for path in cache.files_under(dest, ('.c', '.h', 'Kbuild', 'Makefile')):
        rel = os.path.relpath(path, dest)
        if rel not in wanted and not rel.endswith('.mod.c'):
            os.unlink(path)


def added_files(added: Sequence[str]) -> Dict[str, str]:
    """Where --add puts each file in the guest -> the file.

    A file becomes /tests/NAME, a directory /tests/NAME with all below it.
    """
    out: Dict[str, str] = {}
    for path in added:
        path = os.path.abspath(os.path.expanduser(path))
        name = os.path.basename(path)
        if os.path.isdir(path):
            out.update({f'tests/{name}/{os.path.relpath(p, path)}': p
                        for p in cache.files_under(path)})
        elif os.path.isfile(path):
            out[f'tests/{name}'] = path
        else:
            raise LabError(f'--add: there is no {path}')
    return out


def with_added(initrd: str, added: List[str], out: str) -> str:
    """An image of `initrd` and more files, written to `out`; the kernel
    unpacks one archive after the other.  Its path."""
    return with_files(initrd, added_files(added), out)


def with_files(initrd: str, files: Dict[str, str], out: str) -> str:
    """The same with files by their names in the guest."""
    if not files:
        return initrd
    entries = {d: cpio.directory() for d in sorted(
        {os.path.dirname(n) for n in files} - {'tests', ''})}
    entries.update({name: cpio.regular(_read(p), 0o755)
                    for name, p in files.items()})
    cache.write_atomic(out, _read(initrd) + cpio.archive(entries))
    return out


def kept_driver(directory: str, repo: str) -> str:
    """Where a kernel's module of these sources is kept; '': nowhere."""
    if not directory:
        return ''
    sources = [p for top in ('guest/driver', 'include')
               for p in cache.files_under(os.path.join(repo, top))]
    return os.path.join(directory, 'pri_testdev-'
                        + cache.tree_key(sources, repo)[:12] + '.ko')


class Guest:
    def __init__(self, paths: cache.Paths, kernel: Kernel, jobs: int,
                 log: proc.Log, ui):
        self.paths = paths
        self.kernel = kernel
        self.jobs = jobs
        self.log = log
        self.ui = ui
        self.dir = os.path.join(paths.guest, kernel.key[:12])
        self.initrd = os.path.join(self.dir, 'initramfs.cpio')
        self._made = os.path.join(paths.work, 'programs')
        self._warned = os.path.join(self.dir, 'driver.warnings')

    @property
    def warnings(self) -> List[str]:
        """What the compiler and modpost said about the driver."""
        with open(self._warned, encoding='utf-8') as f:
            return f.read().splitlines()

    def build(self) -> None:
        """Driver, programs and image; one step."""
        with self.ui.step('Guest driver and programs') as step:
            repo = self.paths.repo
            sources: List[str] = []
            for top in ('guest/driver', 'guest/init', 'tests/guest',
                        'include'):
                sources += cache.files_under(os.path.join(repo, top))
            busybox = _busybox()
            libraries = _libraries()
            cache.touch(self.dir)
            cache.prune(self.paths.guest, '', KEEP, self.dir)
            key = cache.key_of(cache.tree_key(sources, repo),
                               self.kernel.key, cache.digest(busybox),
                               *map(cache.digest, libraries.values()))
            stamp = cache.Stamp(self.initrd + '.stamp')
            if stamp.valid(key):
                step.done('up to date')
                return
            step.note = 'driver'
            module = self._driver()
            step.note = 'programs'
            programs = self._programs()
            image = self._image(busybox, libraries, module, programs)
            cache.write_atomic(self.initrd, image)
            stamp.write(key, [self.initrd, self._warned])
            step.done(f'{len(programs)} programs, '
                      f'image {len(image) / 1e6:.1f} MB')

    def check_job(self, job: str, added: Sequence[str] = ()) -> None:
        """LabError unless the image, or what is added to it, has a program
        of that name."""
        top = os.path.join(self._made, 'tests')
        names = [os.path.relpath(p, top) for p in cache.files_under(top)]
        names += [x[len('tests/'):] for x in added_files(added)]
        if job not in names + ['all', 'shell']:
            raise LabError(f'there is no guest program {job}',
                           'there are: all ' + ' '.join(names))

    def _driver(self) -> bytes:
        """pri_testdev.ko against the kernel: kept with it, or built."""
        kept = kept_driver(self.kernel.keep, self.paths.repo)
        if kept and os.path.isfile(kept):
            cache.write_atomic(self._warned, b'')
            return _read(kept)
        module = self._built_driver()
        if kept and not self.warnings:
            cache.write_atomic(kept, module)
        return module

    def _built_driver(self) -> bytes:
        """The same, built in a copy."""
        build = self.kernel.build
        if not build:
            raise LabError(
                f'{self.kernel.image}: no kernel build tree for it, so '
                'pri_testdev.ko cannot be built',
                'give the build directory: --kernel DIR')
        out = os.path.join(self.dir, 'driver')
        _mirror(os.path.join(self.paths.repo, 'guest', 'driver'), out)
        said: List[str] = []
        proc.run(['make', '-C', build, f'M={out}', f'-j{self.jobs}',
                  f'PT_INCLUDE={self.paths.repo}/include',
                  *self.kernel.words, 'modules'],
                 'building pri_testdev.ko', self.log, ui=self.ui,
                 on_line=said.append)
        module = _read(os.path.join(out, 'pri_testdev.ko'))
        bad = [x for x in said if WARNING.search(x)]
        cache.write_atomic(self._warned, '\n'.join(bad).encode())
        if bad:         # only what is compiled again would say it again
            cache.remove(out)
        return module

    def _programs(self) -> List[str]:
        """The programs, which are the same for every kernel: what changed is
        built, what has no source any more goes."""
        make = ['make', '-C', os.path.join(self.paths.repo, 'tests', 'guest'),
                f'O={self._made}', f'-j{self.jobs}']
        proc.run(make, 'building the guest programs', self.log, ui=self.ui)
        wanted = set(proc.output_of(make + ['--no-print-directory', 'list']
                                    ).split())
        out = []
        for path in cache.files_under(self._made):
            if path in wanted:
                out.append(path)
            elif os.sep + 'obj' + os.sep not in path:
                os.unlink(path)
        return out

    def outside(self, source: str) -> str:
        """Build a program of the user's with the library of tests/guest;
        its path.  After build()."""
        name = os.path.splitext(os.path.basename(source))[0]
        out = os.path.join(self.dir, 'outside', name)
        os.makedirs(os.path.dirname(out), exist_ok=True)
        proc.run(['make', '-C', os.path.join(self.paths.repo, 'tests',
                                             'guest'), f'O={self._made}',
                  f'FILE={source}', f'OUT={out}', 'one'],
                 f'building {source}', self.log, ui=self.ui)
        return out

    def _image(self, busybox: bytes, libraries: Dict[str, bytes],
               module: bytes, programs: List[str]) -> bytes:
        entries = {
            'bin/busybox': cpio.regular(busybox, 0o755),
            'init': cpio.regular(_read(os.path.join(
                self.paths.repo, 'guest', 'init', 'init')), 0o755),
            'lib/pri_testdev.ko': cpio.regular(module),
            'dev/console': cpio.chardev(5, 1),
            'dev/null': cpio.chardev(1, 3, 0o666),
            # the loader's path is lib64, the library is looked for in either
            'lib64': cpio.symlink('lib'),
        }
        entries.update({f'lib/{name}': cpio.regular(data, 0o755)
                        for name, data in libraries.items()})
        top = self._made
        names = {os.path.relpath(p, top): p for p in programs}
        for d in ('proc', 'sys', 'tmp', 'dev', 'root', 'tests',
                  *sorted({os.path.dirname(x) for x in names} - {'tests'})):
            entries[d] = cpio.directory()
        for name, p in names.items():
            entries[name] = cpio.regular(_read(p), 0o755)
        return cpio.archive(entries)
