# SPDX-License-Identifier: GPL-2.0-or-later
"""`kunit`: the KUnit tests of io-pgfault.c, on a kernel built for them."""

from __future__ import annotations

import argparse
import dataclasses
import re

from . import guest_run, shared
from ..check import check as suites
from ..core.context import Context
from ..core.errors import EXIT_CANNOT, EXIT_FAIL, EXIT_SKIP, UsageError
from ..inputs import check
from ..machine import kunitjob, ready, vm
from ..own import kunit
from ..results import junit
from ..results.ktap import FAIL, NOT_RUN, SKIP

NAME = 'kunit'
HELP = 'run KUnit tests of the kernel, those of I/O page faults'
TEXT = """\
Builds a small kernel with KUnit and the tests of drivers/iommu/io-pgfault.c
(contrib/kernel/io-pgfault-kunit.patch, if the source has none), boots it in the
lab's machine and prints the KTAP of its log. FILTER is a glob of SUITE or
SUITE.TEST. The kernel is a name of `kernel list`, with +PATCH, or a source
tree; --config adds tests (CONFIG_X_KUNIT_TEST=y) to tests/kunit/kunitconfig."""
EXAMPLES = """\
  ./pri-lab kunit
  ./pri-lab kunit 'iopf.iopf_remove*' --kernel ~/linux
  ./pri-lab kunit --kernel 7.3+C-18
  ./pri-lab kunit '*' --config more.config --json kunit.json"""

FILTER = re.compile(r'[\w*?.\[\]!-]+$')
VERDICT = {0: 'PASS', EXIT_FAIL: 'FAIL', EXIT_SKIP: 'SKIP',
           EXIT_CANNOT: 'CANNOT RUN'}


@dataclasses.dataclass(frozen=True)
class Request(shared.Json, shared.Junit, shared.Timeout, shared.Config,
              shared.Accel, shared.KernelName, shared.Qemu, shared.Request):
    filter: str

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('filter', nargs='?', default='', metavar='FILTER',
                       help='tests to run, as kunit.filter_glob (default: '
                       'all that are built in)')

    def check(self, repo: str, ui) -> None:
        if self.filter and not FILTER.match(self.filter):
            raise UsageError(f'{self.filter} is no glob of SUITE.TEST',
                             'as in iopf or \'iopf.iopf_remove*\'')
        kunit.check(repo, self.kernel)
        if kunit.of_the_lab(repo, self.kernel):
            check.kernel_given(repo, self.kernel, self.config, ui)


def run(ctx: Context, request: Request) -> int:
    chosen = ready.accel(ctx, request.accel)
    ctx.ui.plan(5 + kunit.STEPS)
    with ctx.clone_lock():
        build = ready.qemu(ctx, ready.tools(ctx), request.qemu_src)
    linux = kunit.have(ctx.paths, request.kernel, request, ctx.jobs, ctx.log,
                       ctx.ui)
    job = kunitjob.KunitJob(
        vm.Machine(build.binary, chosen, linux.image, ''), request.filter,
        ctx.logdir, ctx.log, guest_run.timeout(request.timeout, chosen))
    with ctx.ui.step(f'KUnit tests of {linux.release}') as step:
        out = job.run(lambda line, results: _ktap(ctx, line, results, step),
                      ctx.ui.output)
        step.done('done' if out.passed else 'FAILED')
    return _verdict(ctx, request, job, out)


def _ktap(ctx: Context, line: str, results, step) -> None:
    for r in results:
        step.note = r.name
    if line:
        ctx.ui.result(line)


def _verdict(ctx: Context, request: Request, job: vm.Job,
             out: vm.Outcome) -> int:
    """A test that did not come to its end, or to its turn, because the kernel
    died, has failed, as kunit.py has it."""
    for block in out.splats:
        ctx.ui.result('')
        for x in block:
            ctx.ui.result(x)
    for x in out.problems:
        ctx.ui.error(x)
    counts = out.reader.counts()
    ran = sum(counts.values()) - counts[SKIP]
    bad = counts[FAIL] or counts[NOT_RUN] or out.splats
    status = EXIT_FAIL if bad else EXIT_CANNOT if out.problems or not ran \
        and not counts[SKIP] else suites.exit_status(counts)
    if out.reader.plain_skip:
        ctx.ui.error(f'no test is called {request.filter or "anything"}')
        status = EXIT_CANNOT
    ctx.outcome.evidence = bool(out.splats)
    ctx.ui.result('')
    ctx.ui.result(f'{VERDICT[status]}  ' + suites.summary(counts))
    if status:
        ctx.ui.error(f'console: {job.console}')
    guest_run.store(ctx, request.kernel, request.junit, [junit.Suite(
        job.job, out.reader.results, out.seconds, '\n'.join(out.lines))])
    return status
