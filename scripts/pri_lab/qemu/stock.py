# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock QEMU to compare with: same source, same options, no overlay.

Of our patches only the hunks for pc-bios/ go in: without them Debian's
source, which lacks firmware blobs, cannot be configured.  bench/qemu-10.2 goes
in as well, an endpoint for QEMU's own page-request code, and the header with
its registers; nothing else that is measured uses them.  The binary and its
firmware are kept in the cache, shared between clones, and named by
everything that goes into them; source and objects go once it is built.
"""

from __future__ import annotations

import os
import re
import shutil

from . import qemubuild, qemusrc, series
from ..core import cache, proc
from ..core.errors import LabError
from ..debian.packages import Host

KEEP = 2                        # stock builds kept
HEADER = 'include/hw/misc/pri-testdev-regs.h'
BLOBS = 'pc-bios/'              # the part of our patches that goes in


def comparable(source: qemusrc.Source) -> None:
    """LabError: there is no endpoint for this QEMU's own page requests."""
    if source.series != series.PINNED:
        raise LabError(f'bench compares with QEMU {series.PINNED.told}, and '
                       f'{source.label} is {source.version}',
                       f'give QEMU {series.PINNED.told} to --qemu-src, or '
                       'none')


def hunks_for(patch: str, prefix: str) -> str:
    """The parts of a git patch that touch files below prefix."""
    parts = re.split(r'^(?=diff --git )', patch, flags=re.M)[1:]
    return ''.join(p for p in parts
                   if p.startswith(f'diff --git a/{prefix}'))


def blob_patch(repo: str) -> str:
    """What of our patches a source without firmware blobs needs."""
    out = ''
    for path in series.PINNED.files(repo):
        with open(path, encoding='utf-8') as f:
            # the mail's signature would be taken for part of the last hunk
            out += hunks_for(re.sub(r'^-- \n.*\Z', '', f.read(),
                                    flags=re.M | re.S), BLOBS)
    return out


def endpoint_patch(repo: str) -> str:
    """The endpoint that page faults are measured with."""
    out = ''
    for path in cache.files_under(os.path.join(repo, 'bench'), ('.patch',)):
        with open(path, encoding='utf-8') as f:
            out += f.read()
    return out


class StockPaths(cache.Paths):
    """A clone's places, but for the directory everything is built in."""

    def __init__(self, paths: cache.Paths, work: str):
        super().__init__(paths.repo, paths.root)
        self.work = work
        self.build_in(work)


class StockQemu:
    """binary: stock qemu-system-x86_64, after build()."""

    def __init__(self, paths: cache.Paths, host: Host,
                 source: qemusrc.Source, jobs: int, log: proc.Log, ui):
        self.host = host
        self.source = source
        self.jobs = jobs
        self.log = log
        self.ui = ui
        self.patch = blob_patch(paths.repo) + endpoint_patch(paths.repo)
        self.header = os.path.join(paths.repo, HEADER)
        cc = proc.output_of(['cc', '--version']).splitlines()[:1]
        with open(self.header, 'rb') as f:
            header = cache.digest(f.read())
        self.key = cache.key_of(source.key, self.patch, header,
                                qemubuild.CONFIGURE, cc)
        self.parent = os.path.join(paths.root, 'stock')
        self.paths = StockPaths(paths, os.path.join(self.parent,
                                                    self.key[:12]))
        self.binary = os.path.join(self.paths.work, qemubuild.BINARY)
        self.stamp = cache.Stamp(self.paths.work + '.stamp')

    def build(self) -> None:
        """Have the binary; one step."""
        top = self.paths.work
        with self.ui.step('Stock QEMU') as step:
            if self.stamp.valid(self.key):
                step.done('up to date')
            else:
                self.stamp.clear()
                self._source(step)
                build = qemubuild.QemuBuild(
                    self.paths, self.host, self.key, self.jobs, self.log,
                    self.ui)
                build.build_in(step, False)
                self._keep(build)
                step.done('built')
        cache.touch(top)
        cache.prune(self.parent, '', KEEP, top)

    def _source(self, step) -> None:
        tree = self.paths.qemu_src
        stamp = cache.Stamp(tree + '.stamp')
        if stamp.valid(self.key):
            return
        cache.need_space(self.paths.root, 2.0, 'stock QEMU')
        step.note = 'unpacking'
        if not os.path.exists(self.source.path):    # the archive has gone
            self.source = qemusrc.find(self.paths, '', self.log, self.ui)
        with cache.fresh_tree(tree) as part:
            self.source.unpack(part, self.log, self.ui)
            diff = tree + '.patch'
            cache.write_atomic(diff, self.patch.encode())
            proc.run(['patch', '-p1', '--batch', '--forward', '--fuzz=0',
                      '-i', diff], 'patching stock QEMU', self.log,
                     ui=self.ui, cwd=part)
            shutil.copy(self.header, os.path.join(part, HEADER))
        stamp.write(self.key, [os.path.join(tree, 'VERSION')])

    def _keep(self, build: qemubuild.QemuBuild) -> None:
        """Binary and firmware stay, source and objects go."""
        bundle = os.path.join(self.paths.work, qemubuild.BUNDLE)
        cache.remove(bundle)
        os.makedirs(bundle)
        for name in os.listdir(os.path.join(build.dir, qemubuild.BUNDLE)):
            path = os.path.join(build.dir, qemubuild.BUNDLE, name)
            if os.path.isfile(path):
                shutil.copy(path, os.path.join(bundle, name))
        os.replace(build.binary, self.binary)
        self.stamp.write(self.key, [self.binary])
        for p in (build.dir, build.dir + '.configured', self.paths.qemu_src,
                  self.paths.qemu_src + '.stamp',
                  self.paths.qemu_src + '.patch', self.paths.firmware,
                  self.paths.firmware + '.stamp'):
            cache.remove(p)
