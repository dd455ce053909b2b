# SPDX-License-Identifier: GPL-2.0-or-later
"""`run`: boot the guest, run a program of tests/guest, say how it went."""

from __future__ import annotations

import argparse
import dataclasses

from . import guest_run, shared
from ..check import check as suites, kmatrix
from ..core import report, requests
from ..core.context import Context
from ..core.errors import EXIT_CANNOT, EXIT_FAIL, EXIT_SKIP
from ..inputs import check, names
from ..machine import debug, ready, record, share, vm
from ..results import junit
from ..results.ktap import FAIL

NAME = 'run'
HELP = 'run a job in a guest, building what is missing'
TEXT = """\
Boots the guest and runs JOB, a program of tests/guest (default: sva-basic;
all: every program). Prints its KTAP, a table and PASS or FAIL."""
EXAMPLES = """\
  ./pri-lab run
  ./pri-lab run all --kernel ~/linux
  ./pri-lab run sva-basic --args write,read -v
  ./pri-lab run --trace 'vtd_prq*' --trace 'ats_*'
  ./pri-lab run --gdb"""

# Without a name: SVA on memory never touched, all kinds of access
RUN_JOB = 'sva-basic'
VERDICT = {0: 'PASS', EXIT_FAIL: 'FAIL', EXIT_SKIP: 'SKIP',
           EXIT_CANNOT: 'CANNOT RUN'}


@dataclasses.dataclass(frozen=True)
class Request(shared.Add, shared.Share, shared.Record, shared.Debug,
              shared.Json, shared.Junit, shared.Append, shared.Timeout,
              shared.Args, shared.Iommu, shared.Platform, shared.Config,
              shared.Accel, shared.Kernel, shared.Qemu, shared.Request,
              requests.Machine):
    job: str
    list_tests: bool

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--list', action='store_true', dest='list_tests',
                       help='print the tests of JOB that --args can name, or '
                       'without a JOB the jobs')
        p.add_argument('job', nargs='?', default='', metavar='JOB')

    @property
    def reads_only(self) -> bool:
        return self.list_tests

    def check(self, repo: str, _ui) -> None:
        if not share.has(self.share, self.job):
            check.job(repo, self.job or (RUN_JOB if self.args else ''),
                      self.args, self.add_files)


def run(ctx: Context, request: Request) -> int:
    if request.list_tests:
        return _list(ctx, request.job)
    ctx.ui.plan(1)
    with ctx.clone_lock():
        lab = ready.lab(ctx, request, '' if share.has(
            request.share, request.job) else request.job)
    share.check_kernel(request.share, lab.ready.linux.image)
    machine, name = lab.ready.machine, request.job or RUN_JOB
    job = vm.Job(machine, name, ctx.logdir, ctx.log,
                 guest_run.timeout(request.timeout, machine.accel,
                                   request.gdb),
                 request.args, debug.wanted(request, lab.ready.linux,
                                            ctx.logdir, ctx.ui,
                                            bool(request.record))
                 + share.qemu_args(request.share),
                 wants=guest_run.wants(ctx, name, request.platform))
    job.words = ' '.join([job.words, share.kernel_words(request.share),
                          request.append])
    recording = job.record() if request.record else None
    with ctx.ui.step(f'Boot the guest, run {job.job}') as step:
        out = job.run(lambda line, results: _ktap(ctx, line, results, step),
                      ctx.ui.output)
        step.done('done' if out.passed else 'FAILED')
    _check_trace(ctx, request)
    status = _verdict(ctx, request, job, out)
    if recording:
        merged = recording.merge(ctx.paths.repo, {
            'job': name, 'args': request.args,
            'accel': machine.accel, 'verdict': VERDICT[status]})
        place = record.put(recording.log, request.record)
        ctx.ui.result(f'log: {place}')
        ctx.ui.say(record.summary(merged))
    return status


def _list(ctx: Context, job: str) -> int:
    repo = ctx.paths.repo
    for name in (names.tests_of(repo, job) or [] if job
                 else names.guest_jobs(repo)):
        ctx.ui.result(name)
    return 0


def _check_trace(ctx: Context, request: Request) -> None:
    """--trace with a name that QEMU does not have is no error to it."""
    if request.trace and not request.record and \
            not debug.traced(debug.trace_path(ctx.logdir)):
        ctx.ui.error('--trace: no such event happened; their names: '
                     './pri-lab qemu -trace help')


def _ktap(ctx: Context, line: str, results, step) -> None:
    """A line of the guest's results: shown, unless it is a number."""
    for r in results:
        step.note = r.name
    body = line.strip()
    if not body or body.startswith(('# stat ', '# pri-lab:')):
        return
    ctx.ui.result(line)


def _show(ctx: Context, out: vm.Outcome) -> None:
    """The table, splats, problems."""
    lines = report.table(out.lines)
    for block in [lines] * bool(lines) + list(out.splats):
        ctx.ui.result('')
        for x in block:
            ctx.ui.result(x)
    for page in out.known:
        ctx.ui.result(f'known bug of the kernel: {page}')
    for x in out.problems:
        ctx.ui.error(x)


def _verdict(ctx: Context, request: Request, job: vm.Job,
             out: vm.Outcome) -> int:
    _show(ctx, out)
    counts = out.reader.counts()
    ran = out.reader.results
    good = out.passed and not counts[FAIL] and bool(ran)
    status = suites.exit_status(counts) if good else EXIT_FAIL
    if not good and not ran and not out.splats:
        status = EXIT_CANNOT            # nothing was run
    ctx.outcome.evidence = bool(out.splats or out.known)
    ctx.ui.result('')
    ctx.ui.result(f'{VERDICT[status]}  ' + suites.summary(counts))
    if not good:
        ctx.ui.error(f'console: {job.console}')
    guest_run.store(ctx, request.kernel, request.junit, [junit.Suite(
        job.job, kmatrix.job_results(job.job, out), out.seconds,
        '\n'.join(out.lines))])
    return status
