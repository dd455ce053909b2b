# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything up to a machine that boots: packages, QEMU, kernel, guest.

Each is built if it is not there.
"""

from __future__ import annotations

import os
from typing import Any, List, NamedTuple

from . import vm
from ..core import cache, host, installed, requests
from ..core.context import Context
from ..debian import packages
from ..guest import guest
from ..iommu import kind
from ..linux.kernel import Kernel
from ..own import anykernel
from ..qemu import overlay, qemubuild, qemusrc, qemustore

FIRST_BUILD_GB = 6.0


class Ready(NamedTuple):
    machine: vm.Machine
    linux: Kernel               # the one that boots
    warnings: List[str]         # of the driver's build


class Lab(NamedTuple):
    """A machine, and what it was made with."""

    ready: Ready
    tools: packages.Host
    build: Any                  # its QEMU: qemustore.Stored, installed.Qemu


def tools(ctx: Context) -> packages.Host:
    """The packages; one step."""
    with cache.lock(ctx.paths, 'packages', ctx.ui):
        return packages.prepare(ctx.paths, ctx.log, ctx.ui,
                                not ctx.installed)


def source(ctx: Context, qemu_src: str) -> qemusrc.Source:
    """QEMU's; one step."""
    if not os.path.isdir(ctx.paths.work):
        cache.need_space(ctx.paths.root, FIRST_BUILD_GB,
                         'everything a first run builds')
    with cache.lock(ctx.paths, 'downloads', ctx.ui):
        return qemusrc.find(ctx.paths, qemu_src, ctx.log, ctx.ui)


def qemu(ctx: Context, host_tools: packages.Host, qemu_src: str,
         qtests: bool = False, sanitize: bool = False):
    """Source, overlay, build: three steps, none if it is installed, and one
    less if the same was built before, by whatever clone."""
    if ctx.installed:
        return installed.Qemu(ctx.paths.repo)
    src = source(ctx, qemu_src)
    return built(ctx, host_tools, src, qtests, sanitize)


def built(ctx: Context, host_tools: packages.Host, src: qemusrc.Source,
          qtests: bool, sanitize: bool = False) -> qemustore.Stored:
    """QEMU out of this source."""
    qemustore.note_clone(ctx.paths)
    key = qemustore.key_of(ctx.paths.repo, src, sanitize)
    stored = qemustore.Stored(ctx.paths, key)
    if stored.has(qtests):
        with ctx.ui.step('QEMU') as step:
            step.done('built before')
        return stored.use()
    with qemustore.lent(ctx.paths, src) as other:
        if other:
            ctx.ui.say(f'building in {other}, which is near')
        while True:
            overlay.Overlay(ctx.paths, src, ctx.log, ctx.ui).apply()
            key = qemustore.key_of(ctx.paths.repo, src, sanitize)
            if key == stored.key:
                break
            # a file was changed before it was copied: build what there is now
            stored = qemustore.Stored(ctx.paths, key)
        build = qemubuild.QemuBuild(ctx.paths, host_tools, src.key, ctx.jobs,
                                    ctx.log, ctx.ui, sanitize)
        build.build(qtests)
        return stored.take(build, qtests)


def accel(ctx: Context, wanted: str) -> str:
    """The accelerator of --accel, or the best that works."""
    chosen, note = host.choose_accel(wanted)
    if note:
        ctx.ui.output(note)
    return chosen


def kernel(ctx: Context, which: str, request: requests.Config, binary: str,
           chosen: str, names: List[str]) -> Ready:
    """A machine with the kernel that --kernel WHICH means, whose guest must
    have the programs named.  Steps: the kernel's, and one.

    --iommu and --add of the request count, if it has them.
    """
    iommu = kind_of(request)
    ready = anykernel.have(ctx.paths, which, request, ctx.jobs, ctx.log,
                           ctx.ui, iommu=iommu)
    user = guest.Guest(ctx.paths, ready.base, ctx.jobs, ctx.log, ctx.ui)
    user.build()
    added = added_files(request)
    for name in names:
        if name:
            user.check_job(name, added)
    initrd = user.initrd
    if added:
        initrd = guest.with_added(initrd, added, os.path.join(
            ctx.logdir, 'initramfs.cpio'))
    return Ready(vm.Machine(binary, chosen, ready.linux.image, initrd,
                            ready.words, iommu), ready.linux,
                 user.warnings)


def kind_of(request: object) -> str:
    """--iommu as it stays true wherever it is read."""
    which = request.iommu if isinstance(request, requests.Iommu) else ''
    return kind.place(which) if which else ''


def added_files(request: object) -> List[str]:
    """--add."""
    return request.add_files if isinstance(request, requests.Add) else []


def lab(ctx: Context, request: requests.Machine, job: str = '',
        qtests: bool = False) -> Lab:
    """Everything."""
    chosen = accel(ctx, request.accel)
    ctx.ui.plan(5 + anykernel.steps(ctx.paths.repo, request.kernel))
    have = tools(ctx)
    build = qemu(ctx, have, request.qemu_src, qtests)
    ready = kernel(ctx, request.kernel, request, build.binary, chosen, [job])
    if not added_files(request):        # it would outlast what was added
        ready.machine.store(ctx.paths.work)
    return Lab(ready, have, build)
