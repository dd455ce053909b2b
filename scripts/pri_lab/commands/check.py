# SPDX-License-Identifier: GPL-2.0-or-later
"""`check`: the suites of tests, or guest programs on a list of kernels."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
from typing import List

from . import guest_run, shared
from ..check import check, kmatrix, watchdog
from ..core import cache, near, requests
from ..core.context import Context
from ..core.errors import LabError, Unavailable
from ..inputs import names
from ..iommu import kind
from ..linux import kernel, matrix
from ..machine import ready, vm
from ..own import anykernel
from ..results import junit
from ..results.ktap import FAIL, SKIP

NAME = 'check'
HELP = 'run all tests, or the suites and tests named'
TEXT = """\
Suites: style, unit, qtest, upstream (QEMU's own VT-d test), guest, frontend,
docs. Builds QEMU unless only frontend, docs and unit are named. Prints TAP and,
last, `N passed, N failed, N skipped`. With a list of kernels (--kernel all, or
names with commas) the guest's programs, or those named, run on each of them,
and a table says what each kernel did with each test."""
EXAMPLES = """\
  ./pri-lab check
  ./pri-lab check unit qtest
  ./pri-lab check --sanitize
  ./pri-lab check --kernel all
  ./pri-lab check --kernel 6.12,7.3 sva-basic
  ./pri-lab check --kernel all --config guest/kernel/plain.config"""

SANITIZED = 3                   # times as slow as without


@dataclasses.dataclass(frozen=True)
class Request(shared.Json, shared.Junit, shared.Sanitize, shared.Timeout,
              shared.Iommu, shared.Config, shared.Accel, shared.Kernels,
              shared.Qemu, shared.Request, requests.Machine):
    names: List[str]

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('names', nargs='*', metavar='SUITE|TEST')

    @property
    def called(self) -> List[str]:
        return [] if matrix.split_list(self.kernel) else [self.command]

    def check(self, repo: str, _ui) -> None:
        have = names.check_names(repo)
        if matrix.split_list(self.kernel):
            have = [x for x in have if x.startswith('guest')] \
                + names.guest_jobs(repo)
        near.need('suite or test', self.names, have)


def run(ctx: Context, request: Request) -> int:
    """All tests; with sanitizers those that need no guest."""
    if matrix.split_list(request.kernel):
        return _kernels(ctx, request)
    sanitize = request.sanitize
    chosen, left = names.of_kind(ctx.paths.repo, request.names,
                                 kind.load(request.iommu))
    if left:
        ctx.ui.say(f'{left} tests are for another kind of machine')
    ctx.ui.plan(2)
    with cache.lock(ctx.paths, f'check-{ctx.paths.clone}', ctx.ui):
        with ctx.clone_lock():          # not while the tests run
            tools, build = for_tests(ctx, request)
            tested = _tested(ctx, build, sanitize) if build else ''
            tests = check.Check(ctx.paths, tools, tested, ctx.jobs, ctx.log,
                                ctx.ui, sanitize)
            tests.build()
        try:
            status = tests.run(chosen, watchdog.PATIENCE * (
                SANITIZED if sanitize else 1), {guest_run.LOGS: ctx.logdir})
        finally:
            vm.Machine.release(ctx.logdir)
        guest_run.store(ctx, request.kernel, request.junit, [
            junit.Suite(v.name, v.results, v.seconds, v.output + v.stderr)
            for v in tests.verdicts])
        return status


def for_tests(ctx: Context, request: Request):
    """What the tests named want: tools, QEMU (or None), the guest."""
    if not check.needs_qemu(request.names):
        ctx.ui.plan(1)
        return ready.tools(ctx), None
    if not request.sanitize and check.needs_guest(request.names):
        lab = ready.lab(ctx, request, qtests=True)
        lab.ready.machine.fixed(ctx.logdir).store(ctx.logdir)
        return lab.tools, lab.build
    ctx.ui.plan(4)
    tools = ready.tools(ctx)
    return tools, ready.qemu(ctx, tools, request.qemu_src, True,
                             request.sanitize)


def _tested(ctx: Context, build, sanitize: bool) -> str:
    """The QEMU under test by a name that stays, so that the tests need not
    be set up again for each."""
    link = os.path.join(ctx.paths.work, 'tested'
                        + ('-sanitize' if sanitize else ''))
    cache.remove(link)
    os.makedirs(ctx.paths.work, exist_ok=True)
    os.symlink(build.dir, link)
    return link


# -- several kernels ----------------------------------------------------------

def _kernels(ctx: Context, request: Request) -> int:
    """The guest jobs on each kernel of a list, as one table."""
    repo = ctx.paths.repo
    which = matrix.select(matrix.load(repo), request.kernel)
    jobs = kmatrix.guest_jobs(repo, request.names)
    accel = ready.accel(ctx, request.accel)
    ctx.ui.plan(4 + sum(anykernel.steps(repo, w) + 1 + len(jobs)
                        for w in which))
    with ctx.clone_lock():
        qemu = ready.qemu(ctx, ready.tools(ctx), request.qemu_src)
    cols = []
    for w in which:             # each is kept at once: a matrix takes long
        cols.append(column(ctx, request, w, jobs, qemu.binary, accel))
        kmatrix.store(ctx.paths.work, cols[-1:])
    for line in kmatrix.text(cols):
        ctx.ui.result(line)
    counts = {s: sum(c.counts[s] for c in cols) for s in kmatrix.WORD}
    guest_run.store(ctx, request.kernel, request.junit, kmatrix.suites(cols))
    ctx.ui.result('')
    ctx.ui.result(check.summary(counts))
    return check.exit_status(counts)


def column(ctx: Context, request: Request, which: str, jobs: List[str],
           binary: str, accel: str) -> kmatrix.Column:
    """Run the jobs on one kernel; whatever happens, a column."""
    repo = ctx.paths.repo
    try:
        with ctx.clone_lock():
            have = ready.kernel(ctx, which, request, binary, accel, jobs)
    except Unavailable as e:
        ctx.ui.error(f'kernel {which}: {e.what}')
        return kmatrix.without_kernel(which, SKIP, e.what, repo)
    except LabError as e:
        for line in e.tail:
            ctx.ui.say('  ' + line)
        ctx.ui.error(f'kernel {which}: {e.what}')
        return kmatrix.without_kernel(which, FAIL, e.what, repo)
    results = [kmatrix.driver_result(have.warnings)]
    for name in jobs:
        results += _job(ctx, request, which, have, name)
    version = kernel.version_of(ctx.paths, which, ctx.log, ctx.ui)
    return kmatrix.Column(which, have.linux.release, version,
                          kmatrix.commit_of(repo), kmatrix.today(), '',
                          results, kmatrix.config_names(request.config))


def _job(ctx: Context, request: Request, which: str, have: ready.Ready,
         name: str):
    """Results of one job on one kernel."""
    logdir = os.path.join(ctx.logdir, which.replace('/', '_'))
    os.makedirs(logdir, exist_ok=True)
    job = vm.Job(have.machine, name, logdir, ctx.log,
                 guest_run.timeout(request.timeout, have.machine.accel),
                 wants=guest_run.wants(ctx, name))
    with ctx.ui.step(f'Linux {have.linux.release}: {name}') as step:
        out = job.run(functools.partial(_note, step), ctx.ui.output)
        step.done('done' if out.passed else 'FAILED')
    return kmatrix.job_results(name, out)


def _note(step, _line: str, got) -> None:
    for r in got:
        step.note = r.name
