# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands: each is a row of steps, in the order a user sees them."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import subprocess
import sys
import termios
from typing import Dict, List

from .bench import bench, boots
from .check import check, guesttest, kmatrix, watchdog
from .core import cache, host, installed, proc, report
from .core.errors import (EXIT_CANNOT, EXIT_FAIL, EXIT_SKIP, LabError,
                          Unavailable)
from .debian import packages
from .dist import package
from .evidence import command, new, results
from .explore import command as explore, hit
from .guest import guest
from .inputs import names
from .linux import kernel, matrix
from .machine import debug, jobs, record, vm
from .own import anykernel, kernelcmd
from .qemu import overlay, qemubuild, qemusrc, qemustore, stock
from .races import racetable
from .reproduce import racerecord, repro
from .results import junit
from .results.ktap import FAIL, PASS, SKIP
from .state import clean, logs, usage
from .timeline import chart

# The job of `run`: SVA on memory never touched, all kinds of access
RUN_JOB = 'sva-basic'
TIMEOUT = {'tcg': 900.0, 'kvm': 300.0}
FIRST_BUILD_GB = 6.0
VERDICT = {0: 'PASS', EXIT_FAIL: 'FAIL', EXIT_SKIP: 'SKIP',
           EXIT_CANNOT: 'CANNOT RUN'}
SANITIZED = 3                   # times as slow as without
GUEST_LOGS = 'PRI_LAB_LOGS'     # environment of guest-test: where they go


class Lab:
    """One invocation: options, paths, log."""

    def __init__(self, repo: str, options, ui, line: str = ''):
        self.options = options
        self.ui = ui
        self.line = line                # the command line, for the log
        self.paths = cache.Paths(repo)
        self._logdir = ''
        self.log = proc.Log(lambda: os.path.join(self.logdir, 'log'))
        self.evidence = False           # a splat was seen
        self.found: List[Dict] = []     # results, for --json
        self.installed = installed.is_installed(self.paths.repo)
        self.jobs = options.jobs or len(os.sched_getaffinity(0))

    @property
    def logdir(self) -> str:
        """This command's, made when it is first asked for: one that only
        shows what there is leaves nothing behind."""
        if not self._logdir:
            self._logdir = logs.new(self.paths.logs, self.options.command)
        return self._logdir

    def end(self, status: int) -> None:
        """What came of the command, beside its logs and for --json."""
        self.log.close()
        if self.options.json:
            results.write(self.options.json, results.document(
                self.options.command, self.line, self.paths.repo, status,
                self.found))
        if self._logdir:
            logs.note(self._logdir, self.evidence or status != 0,
                      command=self.line, status=status)

    # -- building blocks ------------------------------------------------------

    def _packages(self) -> packages.Host:
        with cache.lock(self.paths, 'packages', self.ui):
            return packages.prepare(self.paths, self.log, self.ui,
                                    not self.installed)

    def _qemu(self, tools: packages.Host, qtests: bool,
              sanitize: bool = False):
        """Source, overlay, build: three steps, none if it is installed, and
        one if the same was built before, by whatever clone."""
        if self.installed:
            return installed.Qemu(self.paths.repo)
        if not os.path.isdir(self.paths.work):
            cache.need_space(self.paths.root, FIRST_BUILD_GB,
                             'everything a first run builds')
        with cache.lock(self.paths, 'downloads', self.ui):
            source = qemusrc.find(self.paths, self.options.qemu_src,
                                  self.log, self.ui)
        self.source = source
        qemustore.note_clone(self.paths)
        key = qemustore.key_of(self.paths.repo, source, sanitize)
        stored = qemustore.Stored(self.paths, key)
        if stored.has(qtests):
            with self.ui.step('QEMU') as step:
                step.done('built before')
            return stored.use()
        with qemustore.lent(self.paths, source) as other:
            if other:
                self.ui.say(f'building in {other}, which is near')
            overlay.Overlay(self.paths, source, self.log, self.ui).apply()
            build = qemubuild.QemuBuild(self.paths, tools, source.key,
                                        self.jobs, self.log, self.ui,
                                        sanitize)
            build.build(qtests)
            return stored.take(build, qtests)

    def _machine(self, qtests: bool = False) -> vm.Machine:
        """Everything up to a machine that boots."""
        accel = self._accel()
        self.ui.plan(5 + anykernel.steps(self.paths.repo,
                                         self.options.kernel))
        tools = self._packages()
        self.tools = tools
        self.build = self._qemu(tools, qtests)
        machine, self.linux = self._guest(self.options.kernel, accel,
                                          [self.options.job])
        if not self.options.add:        # it would outlast what was added
            machine.store(self.paths.work)
        return machine

    def _accel(self) -> str:
        accel, note = host.choose_accel(self.options.accel)
        if note:
            self.ui.output(note)
        return accel

    def _guest(self, which: str, accel: str, names: List[str]):
        """(machine, kernel) with the kernel that --kernel WHICH means; it
        must have the programs named.  Steps: the kernel's, and one."""
        ready = anykernel.have(self.paths, which, self.options, self.jobs,
                               self.log, self.ui)
        user = guest.Guest(self.paths, ready.base, self.jobs, self.log,
                           self.ui)
        user.build()
        self.warnings = user.warnings
        for name in names:
            if name:
                user.check_job(name, self.options.add)
        initrd = guest.with_added(user.initrd, self.options.add,
                                  os.path.join(self.logdir, 'initramfs.cpio'))
        return vm.Machine(self.build.binary, accel, ready.linux.image, initrd,
                          ready.words), ready.linux

    def clone_lock(self):
        return cache.lock(self.paths, f'clone-{self.paths.clone}', self.ui)

    def _wants(self, job: str) -> jobs.Wants:
        """What a job wants of its machine."""
        return jobs.wants(self.paths.repo, job).on(self.options.platform)

    def _timeout(self, machine: vm.Machine) -> float:
        if self.options.timeout:
            return self.options.timeout
        if self.options.gdb or os.environ.get(watchdog.WATCHED):
            return float('inf')         # somebody else looks after it
        return TIMEOUT[machine.accel]

    # -- commands -------------------------------------------------------------

    def cmd_packages(self) -> int:
        self.ui.plan(1)
        self._packages()
        return 0

    def cmd_build(self) -> int:
        self.ui.plan(4)
        with self.clone_lock():
            build = self._qemu(self._packages(), True, self.options.sanitize)
        self.ui.result(build.binary)
        return 0

    def cmd_kernel(self) -> int:
        """list: the matrix; build, or nothing: build one, print its path."""
        o = self.options
        if o.action == 'list':
            rows = kernelcmd.rows(self.paths, self.log, self.ui)
            self.found = [results.checked('kernel', r) for r in rows]
            if o.json != '-':
                for line in kernelcmd.listing(self.paths, rows):
                    self.ui.result(line)
            return 0
        if o.action == 'report':
            page = kmatrix.write_page(self.paths.repo, self.paths.work)
            if not page:
                raise LabError('there are no results yet',
                               'run ./pri-lab check --kernel all first')
            self.ui.result(page)
            return 0
        what = o.what or o.kernel
        if o.action == 'build':
            kernelcmd.check(self.paths, what, o.config)
        self.ui.plan(1 + kernel.steps(self.paths.repo, what))
        self._packages()
        if o.action == 'build':
            linux = kernelcmd.build(self.paths, what, o.config, o.make,
                                    self.jobs, self.log, self.ui)
        else:
            kernel.check_configs(self.paths.repo, what, o.config)
            linux = kernel.get(self.paths, what, self.jobs, self.log, self.ui,
                               kernel.fragments(o.config))
        self.ui.result(linux.image)
        return 0

    def _list_tests(self) -> int:
        job, repo = self.options.job, self.paths.repo
        for name in (names.tests_of(repo, job) or [] if job
                     else names.guest_jobs(repo)):
            self.ui.result(name)
        return 0

    def cmd_run(self) -> int:
        if self.options.list_tests:
            return self._list_tests()
        self.ui.plan(1)
        with self.clone_lock():
            machine = self._machine()
        name = self.options.job or RUN_JOB
        job = vm.Job(machine, name, self.logdir, self.log,
                     self._timeout(machine), self.options.args,
                     self._debug_args(), wants=self._wants(name))
        job.words = f'{job.words} {self.options.append}'.strip()
        recording = job.record() if self.options.record else None
        with self.ui.step(f'Boot the guest, run {job.job}') as step:
            out = job.run(lambda line, results: self._ktap(line, results,
                                                           step),
                          self.ui.output)
            step.done('done' if out.passed else 'FAILED')
        self._check_trace()
        status = self._verdict(job, out)
        if recording:
            merged = recording.merge(self.paths.repo, {
                'job': name, 'args': self.options.args,
                'accel': machine.accel, 'verdict': VERDICT[status]})
            place = record.put(recording.log, self.options.record)
            self.ui.result(f'log: {place}')
            self.ui.say(record.summary(merged))
        return status

    def _trace_path(self) -> str:
        return os.path.join(self.logdir, 'qemu.trace')

    def _check_trace(self) -> None:
        """--trace with a name that QEMU does not have is no error to it."""
        if self.options.trace and not self.options.record and \
                not debug.traced(self._trace_path()):
            self.ui.error('--trace: no such event happened; their names: '
                          './pri-lab qemu -trace help')

    def _debug_args(self) -> List[str]:
        """QEMU arguments of --gdb, --trace and --qemu-arg; says what the
        user has to know about them."""
        o = self.options
        extra = debug.qemu_args(o.qemu_arg)
        if o.record:                    # they go into the recording
            extra += [x for p in o.trace for x in ('-trace', p)]
        elif o.trace:
            path = self._trace_path()
            self.ui.say(f'QEMU\'s trace: {path}')
            extra += debug.trace_args(o.trace, path)
        if o.gdb:
            port = debug.free_port()
            for line in debug.gdb_help(self.linux, port):
                self.ui.say(line)
            extra += debug.gdb_args(port)
        return extra

    def _ktap(self, line: str, results, step) -> None:
        """A line of the guest's results: shown, unless it is a number."""
        for r in results:
            step.note = r.name
        body = line.strip()
        if not body or body.startswith(('# stat ', '# pri-lab:')):
            return
        self.ui.result(line)

    def _verdict(self, job: vm.Job, out: vm.Outcome) -> int:
        lines = report.table(out.lines)
        if lines:
            self.ui.result('')
            for x in lines:
                self.ui.result(x)
        for block in out.splats:
            self.ui.result('')
            for x in block:
                self.ui.result(x)
        for page in out.known:
            self.ui.result(f'known bug of the kernel: {page}')
        counts = out.reader.counts()
        ran = out.reader.results
        for x in out.problems:
            self.ui.error(x)
        good = out.passed and not counts[FAIL] and bool(ran)
        status = check.exit_status(counts) if good else EXIT_FAIL
        if not good and not ran and not out.splats:
            status = EXIT_CANNOT        # it did not come to run anything
        self.evidence = bool(out.splats or out.known)
        self.ui.result('')
        self.ui.result(f'{VERDICT[status]}  ' + check.summary(counts))
        if not good:
            self.ui.error(f'console: {job.console}')
        self._junit([junit.Suite(job.job, kmatrix.job_results(job.job, out),
                                 out.seconds, '\n'.join(out.lines))])
        return status

    def cmd_check(self) -> int:
        """All tests; with sanitizers those that need no guest."""
        if matrix.split_list(self.options.kernel):
            return self._check_kernels()
        sanitize = self.options.sanitize
        self.ui.plan(2)
        with cache.lock(self.paths, f'check-{self.paths.clone}', self.ui):
            with self.clone_lock():     # not while the tests run
                tools, build = self._for_tests(sanitize)
                tests = check.Check(self.paths, tools,
                                    self._tested(build, sanitize), self.jobs,
                                    self.log, self.ui, sanitize)
                tests.build()
            try:
                status = tests.run(
                    self.options.names, watchdog.PATIENCE * (
                        SANITIZED if sanitize else 1),
                    {GUEST_LOGS: self.logdir})
            finally:
                vm.Machine.release(self.logdir)
            self._junit([junit.Suite(v.name, v.results, v.seconds,
                                     v.output + v.stderr)
                         for v in tests.verdicts])
            return status

    def _tested(self, build, sanitize: bool) -> str:
        """The QEMU under test by a name that stays, so that the tests need
        not be set up anew for each."""
        link = os.path.join(self.paths.work, 'tested'
                            + ('-sanitize' if sanitize else ''))
        cache.remove(link)
        os.makedirs(self.paths.work, exist_ok=True)
        os.symlink(build.dir, link)
        return link

    def _for_tests(self, sanitize: bool):
        """What the tests named want: tools, QEMU, the guest."""
        if not sanitize and check.needs_guest(self.options.names):
            machine = self._machine(qtests=True)
            machine.fixed(self.logdir).store(self.logdir)
            return self.tools, self.build
        self.ui.plan(4)
        tools = self._packages()
        return tools, self._qemu(tools, True, sanitize)

    def _check_kernels(self) -> int:
        """The guest jobs on each kernel of a list, as one table."""
        entries = matrix.load(self.paths.repo)
        which = matrix.select(entries, self.options.kernel)
        jobs_ = kmatrix.guest_jobs(self.paths.repo, self.options.names)
        accel = self._accel()
        self.ui.plan(4 + sum(anykernel.steps(self.paths.repo, w) + 1
                             + len(jobs_) for w in which))
        with self.clone_lock():
            self.build = self._qemu(self._packages(), False)
        cols = []
        for w in which:         # each is kept at once: a matrix takes long
            cols.append(self._kernel_column(w, accel, jobs_))
            kmatrix.store(self.paths.work, cols[-1:])
        for line in kmatrix.text(cols):
            self.ui.result(line)
        counts = {s: sum(c.counts[s] for c in cols) for s in kmatrix.WORD}
        self._junit(kmatrix.suites(cols))
        self.ui.result('')
        self.ui.result(check.summary(counts))
        return check.exit_status(counts)

    def _kernel_column(self, which: str, accel: str,
                       jobs_: List[str]) -> kmatrix.Column:
        """Run the jobs on one kernel; whatever happens, a column."""
        repo = self.paths.repo
        try:
            with self.clone_lock():
                machine, linux = self._guest(which, accel, jobs_)
        except Unavailable as e:
            self.ui.error(f'kernel {which}: {e.what}')
            return kmatrix.without_kernel(which, SKIP, e.what, repo)
        except LabError as e:
            for line in e.tail:
                self.ui.say('  ' + line)
            self.ui.error(f'kernel {which}: {e.what}')
            return kmatrix.without_kernel(which, FAIL, e.what, repo)
        results = [kmatrix.driver_result(self.warnings)]
        for name in jobs_:
            logdir = os.path.join(self.logdir, which.replace('/', '_'))
            os.makedirs(logdir, exist_ok=True)
            job = vm.Job(machine, name, logdir, self.log,
                         self._timeout(machine), wants=self._wants(name))
            with self.ui.step(f'Linux {linux.release}: {name}') as step:
                out = job.run(functools.partial(_note, step),
                              self.ui.output)
                results += kmatrix.job_results(name, out)
                step.done('done' if out.passed else 'FAILED')
        version = kernel.version_of(self.paths, which, self.log, self.ui)
        return kmatrix.Column(which, linux.release, version,
                              kmatrix.commit_of(repo), kmatrix.today(), '',
                              results, kmatrix.config_names(
                                  self.options.config))

    def _junit(self, suites: List[junit.Suite]) -> None:
        self.found += [results.checked('test', {
            'suite': s.name, 'name': r.name, 'status': r.status,
            'reason': r.reason, 'kernel': self.options.kernel})
            for s in suites for r in s.results]
        if self.options.junit:
            junit.write(os.path.realpath(self.options.junit), suites)

    def cmd_qemu(self) -> int:
        with self.clone_lock():
            machine = self._machine()
        extra = self.options.qemu_args
        words = vm.job_words(self.options.job or 'shell', self.options.args)
        cmd = machine.args(f'{words} {self.options.append}'.strip(),
                           self._wants(self.options.job))
        if not _uses_stdio(extra):
            cmd += ['-serial', 'mon:stdio']
        else:
            cmd += ['-serial', 'file:' + os.path.join(self.logdir, 'console')]
        cmd += ['-serial', 'file:' + os.path.join(self.logdir, 'ktap')]
        return self._foreground(cmd + extra)

    def cmd_shell(self) -> int:
        if not sys.stdin.isatty():
            raise LabError('the guest shell needs a terminal',
                           'run a program of tests/guest with ./pri-lab run')
        with self.clone_lock():
            machine = self._machine()
        self.ui.say('leave the guest with `exit`, or stop it with Ctrl-A x')
        words = vm.job_words('shell', '')
        cmd = machine.args(f'{words} {self.options.append}'.strip()) + [
            '-serial', 'mon:stdio', '-serial',
            'file:' + os.path.join(self.logdir, 'ktap')]
        return self._foreground(cmd + self._debug_args())

    def _foreground(self, cmd: List[str]) -> int:
        """Hand the terminal to QEMU; its exit status is ours."""
        self.log.write('$ ' + shlex.join(cmd))
        if self.options.verbose:
            self.ui.say(shlex.join(cmd))
        self.ui.close()
        terminal = termios.tcgetattr(0) if sys.stdin.isatty() else None
        p = subprocess.Popen(cmd)
        try:
            rc = p.wait()
            return rc if rc >= 0 else 128 - rc
        except BaseException:
            p.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                p.wait(5)
            if p.poll() is None:
                p.kill()
            raise
        finally:
            if terminal is not None:    # QEMU may have died in raw mode
                termios.tcsetattr(0, termios.TCSADRAIN, terminal)

    def cmd_guest_test(self) -> int:
        """For `meson test`: boot one job of what is built, speak TAP."""
        logdir = os.environ.get(GUEST_LOGS, '')
        if not os.path.isdir(logdir):
            logdir = self.logdir
        mine = os.path.isfile(os.path.join(logdir, vm.STATE))
        machine = vm.Machine.load(logdir if mine else self.paths.work)
        return guesttest.run(vm.Job(
            machine, self.options.job, logdir, self.log,
            self._timeout(machine), self.options.args,
            wants=self._wants(self.options.job)))

    def cmd_bench(self) -> int:
        """Ours and stock QEMU in one run; docs/performance.md."""
        if self.options.parts == ['boots']:
            return self._bench_boots()
        accel = self._accel()
        self.ui.plan(6 + kernel.steps(self.paths.repo, self.options.kernel)
                     + bench.Bench.steps(self.options.parts))
        with self.clone_lock():
            tools = self._packages()
            ours = self._qemu(tools, True)
            plain = stock.StockQemu(self.paths, tools, self.source,
                                    self.jobs, self.log, self.ui)
            with cache.lock(self.paths, 'stock', self.ui):
                plain.build()
            linux = kernel.get(self.paths, self.options.kernel, self.jobs,
                               self.log, self.ui, (kernel.BENCH,))
            user = guest.Guest(self.paths, linux, self.jobs, self.log,
                               self.ui)
            user.build()
            driver = os.path.join(ours.dir, 'tests', 'qtest', 'pri-lab',
                                  qemubuild.BENCH)
            return bench.Bench(
                self.paths, self.logdir, self.log, self.ui, accel,
                plain.binary, ours.binary, driver, linux.image,
                self.options.rounds or bench.ROUNDS, user.initrd).run(
                    self.options.parts)

    def _bench_boots(self) -> int:
        with self.clone_lock():
            machine = self._machine()
        self.ui.plan(1)
        return boots.run(self, machine, self._timeout(machine))

    def cmd_package(self) -> int:
        """A .deb of QEMU and the front end; prints its path."""
        self.ui.plan(5)
        output = self.options.output or os.path.join(self.paths.work,
                                                     'package')
        with self.clone_lock():
            build = self._qemu(self._packages(), False)
            deb = package.build(self.paths, build, self.options.parser,
                                os.path.realpath(output), self.log, self.ui)
        self.ui.result(deb)
        return 0

    def cmd_timeline(self) -> int:
        return chart.run(self.options, self.paths.repo, self.ui)

    def cmd_repro(self) -> int:
        """List the races, reproduce some, or write the table of results."""
        if any(hit.is_file(x) for x in self.options.races):
            return max([explore.Explore(self).repro(x)
                        for x in self.options.races])
        o = self.options
        if o.new:
            return self._new(o.new, False)
        if o.status:
            for line in command.status(self.paths.root):
                self.ui.result(line)
            return 0
        job = repro.Repro(self)
        if o.show or not o.races and not o.all:
            return racetable.write(job) if o.table else job.list()
        entries = command.chosen(job, lambda: self.logdir)
        if o.record:
            return racerecord.run(job, entries)
        status = job.run(entries)
        command.hand_over(job, status)
        if o.table:
            racetable.write(job)
        return status

    def _new(self, name: str, scenario: bool) -> int:
        self.ui.result(new.write(self.paths.repo, os.getcwd(), name,
                                 scenario))
        return 0

    def cmd_explore(self) -> int:
        """List the scenarios, search some, or report the hits."""
        if self.options.new:
            return self._new(self.options.new, True)
        return explore.Explore(self).main()

    def cmd_conformance(self) -> int:
        """Write docs/conformance.md from the last complete check."""
        if not os.path.exists(self.paths.last_check):
            raise LabError('there are no results of a complete check yet',
                           'run ./pri-lab check first')
        script = os.path.join(self.paths.repo, 'scripts', 'gen-conformance.py')
        return self._foreground([sys.executable, '-B', script,
                                 self.paths.repo, self.paths.last_check])

    def cmd_clean(self) -> int:
        """Remove this clone's builds, what is old, or the whole cache."""
        o = self.options
        with self.clone_lock():
            if o.old:
                return usage.remove_old(self.paths, self.ui)
            return clean.run(self.paths, o.all, o.results, self.ui)

    def cmd_cache(self) -> int:
        for line in usage.table(self.paths):
            self.ui.result(line)
        return 0


def _note(step, _line: str, got) -> None:
    for r in got:
        step.note = r.name


def _uses_stdio(extra: List[str]) -> bool:
    """True if the user's own arguments take QEMU's standard input."""
    words = ' '.join(extra)
    return 'stdio' in words or any(x in extra for x in (
        '-nographic', '-daemonize', '-serial', 'help')) or \
        words.endswith(('help', '?'))
