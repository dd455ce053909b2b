# SPDX-License-Identifier: GPL-2.0-or-later
"""`check`: drive `meson test`, show its progress as TAP, count sub-tests.

Meson prints each sub-test as it ends, which gives the live lines; what is
counted comes from its log of what every program really printed.
"""

from __future__ import annotations

import json
import os
import re
from typing import Dict, List, NamedTuple, Set

from . import watchdog
from ..core import cache, proc
from ..core.errors import EXIT_FAIL, EXIT_SKIP, LabError
from ..debian.packages import Host
from ..machine.jobs import own_machine
from ..qemu import qemubuild
from ..results import ktap
from ..results.ktap import ALL, FAIL, NOT_RUN, PASS, SKIP, Result

_SUB = re.compile(r'^\S+ +(\d+)/(\d+) (.*?) +'
                  r'(OK|FAIL|SKIP|EXPECTEDFAIL|UNEXPECTEDPASS|ERROR)\s*$')
_TEST = re.compile(r'^ *(\d+)/(\d+) (\S.*?) +(OK|FAIL|SKIP|TIMEOUT|ERROR|'
                   r'INTERRUPT|EXPECTEDFAIL|UNEXPECTEDPASS) +([\d.]+)s')
_RUNNING = re.compile(r'^ *(\d+)/(\d+) (\S.*?) +RUNNING\s*$')


BAD = ('FAIL', 'TIMEOUT', 'ERROR', 'INTERRUPT', 'UNEXPECTEDPASS')
WRAPPER = os.path.join('scripts', 'watch-test.py')
SUITES = ('style', 'frontend', 'docs', 'unit', 'upstream', 'qtest', 'guest')
# without QEMU: a new clone can run these in a minute or two
ALONE = ('frontend', 'docs', 'unit', 'knobs-page', 'registers-page',
         'findings-page', 'shape')


def needs_qemu(names: List[str]) -> bool:
    """Whether the tests named want a QEMU; unit tests are test-*."""
    return not names or not all(x in ALONE or x.startswith('test-')
                                for x in names)


def needs_guest(names: List[str]) -> bool:
    """Whether the tests named boot a guest; all of them, if none is."""
    return not names or any(x == 'guest' or x.startswith('guest-')
                            for x in names)


class Verdict(NamedTuple):
    """One meson test: its name and the results of its sub-tests."""
    name: str
    results: List[Result]
    output: str
    stderr: str
    seconds: float


def short_name(name: str) -> str:
    """'pri-lab:unit / atc' -> 'unit/atc'."""
    return re.sub(r'\s*/\s*', '/', name.split(':', 1)[-1]).strip()


def judge(record: Dict) -> Verdict:
    """The result that one record of testlog.json is.

    A program that speaks TAP is its sub-tests, and one failure more if it
    went wrong in another way (crash, time-out); any other is one test.
    """
    name = short_name(record['name'])
    stdout = record.get('stdout') or ''
    outcome = record.get('result', 'ERROR')
    results: List[Result] = []
    if re.search(r'^\s*(not )?ok\b|^\s*1\.\.\d', stdout, re.M):
        results = ktap.read(stdout).results
    bad = outcome in BAD
    if not results:
        status = FAIL if bad else SKIP if outcome == 'SKIP' else PASS
        reason = '' if status == PASS else _why(record)
        results = [Result(name, status, reason)]
    elif not any(r.status == FAIL for r in results) and (
            bad or any(r.status == NOT_RUN for r in results)):
        results.append(Result(name, FAIL, _why(record)))
    return Verdict(name, results, stdout, record.get('stderr') or '',
                   float(record.get('duration') or 0))


def _why(record: Dict) -> str:
    outcome = record.get('result', 'ERROR')
    m = re.search(r'^Bail out! (no progress.*)$', record.get('stdout') or '',
                  re.M)
    if m:
        return m.group(1)
    if outcome == 'TIMEOUT':            # somebody's own time-out of meson
        return f'no end after {record.get("duration", 0):.0f} s'
    if outcome not in BAD:
        return 'it ended before all its tests had run'
    code = record.get('returncode')
    if isinstance(code, int) and code < 0:
        return f'died of signal {-code}'
    return f'{outcome.lower()}, exit status {code}'


def _read(path: str) -> bytes:
    with open(path, 'rb') as f:
        return f.read()


def read_log(path: str) -> List[Verdict]:
    out = []
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            for line in f:
                try:
                    out.append(judge(json.loads(line)))
                except ValueError:
                    continue
    except OSError:
        pass
    return out


class Check:
    def __init__(self, paths: cache.Paths, host: Host, qemu_build: str,
                 jobs: int, log: proc.Log, ui, sanitize: bool = False):
        self.paths = paths
        self.host = host
        self.qemu_build = qemu_build
        self.jobs = jobs
        self.log = log
        self.ui = ui
        self.sanitize = sanitize
        self.dir = paths.meson_build(sanitize) + ('' if qemu_build
                                                  else '-alone')
        self.verdicts: List[Verdict] = []       # of run()
        self._number = 0                        # TAP points printed so far
        self._names: Dict[str, str] = {}        # meson's number -> name
        self._subs: Set[str] = set()            # those that had sub-tests
        self._over = False

    def build(self) -> None:
        """Set up the test project and compile the unit tests; one step."""
        with self.ui.step('Build the unit tests') as step:
            options = [f'-Dqemu_build_dir={self.qemu_build}',
                       f'-Dqemu_src_dir={self.paths.qemu_src}',
                       '-Dguest=' + ('false' if self.sanitize or
                                     not self.qemu_build else 'true'),
                       '-Db_sanitize=' + ('address,undefined'
                                          if self.sanitize else 'none')]
            # meson asks for the lists of tests when it is set up
            key = cache.key_of(options, self.host.python_path,
                               qemubuild.our_qtests(self.paths.repo),
                               own_machine(self.paths.repo))
            stamp = cache.Stamp(self.dir + '.stamp')
            if not stamp.valid(key):
                self._setup(options)
                stamp.write(key, [])
            ninja = ['ninja', '-C', self.dir, f'-j{self.jobs}']
            if proc.run(ninja, 'building the unit tests', self.log,
                        ui=self.ui, env=self.host.env(), check=False):
                # a damaged directory is set up again; a real error comes back
                self._setup(options)
                proc.run(ninja, 'building the unit tests', self.log,
                         ui=self.ui, env=self.host.env())
                stamp.write(key, [])
            step.done('ready')

    def _setup(self, options: List[str]) -> None:
        cache.remove(self.dir)
        proc.run(self.host.meson() + ['setup', self.dir, self.paths.repo]
                 + options, 'setting up the tests', self.log, ui=self.ui,
                 env=self.host.env())

    def run(self, names: List[str], patience: float,
            env: Dict[str, str]) -> int:
        """Run the tests; print TAP and the summary; exit status.

        patience: seconds of its own time that a test may take for a line of
        output (watchdog.py); env: more of the environment of the tests.
        """
        # meson names its log after the wrapper
        json_log = os.path.join(self.dir, 'meson-logs',
                                f'testlog-{os.path.basename(WRAPPER)}.json')
        cache.remove(json_log)
        cmd = self.host.meson() + [
            'test', '-C', self.dir, '--no-rebuild', '-v', '--num-processes',
            str(self.jobs), '--timeout-multiplier', '0', '--wrapper',
            os.path.join(self.paths.repo, WRAPPER)]
        cmd += self._selection(names)
        self.ui.result('TAP version 13')
        with self.ui.step('Tests') as step:
            proc.run(cmd, 'meson test', self.log,
                     env={**self.host.env(), **env,
                          watchdog.WATCHED: str(patience)},
                     on_line=lambda line: self._live(line, step),
                     check=False)
            self.verdicts = verdicts = read_log(json_log)
            counts = count(verdicts)
            step.done('FAILED' if counts[FAIL] else 'done')
        self.ui.result(f'1..{self._number}')
        self._explain(verdicts)
        if not verdicts or not sum(counts.values()):
            raise LabError('no test was run',
                           'suites: ' + ' '.join(SUITES) + '; tests: '
                           f'meson test -C {self.dir} --list',
                           self.log.path)
        if not names:
            cache.write_atomic(self.paths.last_check, _read(json_log))
        self.ui.result(summary(counts))
        return exit_status(counts)

    def _selection(self, names: List[str]) -> List[str]:
        """Suites and tests the user named, as meson wants them: it runs what
        is of a suite *and* named, so a suite beside a test is spelled out."""
        suites = [n for n in names if n in SUITES]
        if len(suites) == len(names):
            return [word for n in suites for word in ('--suite', n)]
        return list(dict.fromkeys(
            test for n in names
            for test in (self._tests_of(n) if n in SUITES else [n])))

    def _tests_of(self, suite: str) -> List[str]:
        with open(os.path.join(self.dir, 'meson-info', 'intro-tests.json'),
                  encoding='utf-8') as f:
            return [t['name'] for t in json.load(f)
                    if any(s.split(':')[-1] == suite for s in t['suite'])]

    def _live(self, line: str, step) -> None:
        """Turn a line of meson's into a line of TAP, if it is a result."""
        self._over |= line.startswith('Summary of Failures')
        if self._over:                  # it says everything a second time
            self.ui.output(line)
            return
        m = _RUNNING.match(line)
        if m:
            self._names[m.group(1)] = short_name(m.group(3))
            step.note = short_name(m.group(3))
            return
        m = _SUB.match(line)
        if m:
            name = f'{self._names.get(m.group(1), "?")}: {m.group(3)}'
            self._subs.add(m.group(1))
            self._point(name, m.group(4))
            return
        m = _TEST.match(line)
        if m and m.group(1) not in self._subs:
            self._point(short_name(m.group(3)), m.group(4))
        elif m and m.group(4) not in ('OK', 'SKIP'):
            self.ui.result(f'# {short_name(m.group(3))}: {m.group(4)} after '
                           f'{m.group(5)} s')
        elif m is None:
            self.ui.output(line)

    def _point(self, name: str, word: str) -> None:
        self._number += 1
        good = word in ('OK', 'SKIP', 'EXPECTEDFAIL')
        tail = ' # SKIP' if word == 'SKIP' else ''
        name = re.sub(r'^(\S+: )- ', r'\1', name).replace('#', ' ')
        self.ui.result(f'{"ok" if good else "not ok"} {self._number} - '
                       f'{name}{tail}')

    def _explain(self, verdicts: List[Verdict]) -> None:
        """After the list: why tests were skipped, what failed ones said."""
        for v in verdicts:
            for r in v.results:
                if r.status == SKIP:
                    self.ui.result(f'# skipped: {v.name}: {r.name} '
                                   f'({r.reason or "no reason given"})')
            bad = [r for r in v.results if r.status in (FAIL, NOT_RUN)]
            if not bad:
                continue
            self.ui.result(f'# ---- {v.name}')
            for text in failures(bad):
                self.ui.result(f'# failed: {text}')
            notes = [x for x in v.output.splitlines()
                     if x.lstrip().startswith('#')]
            for x in (notes + v.stderr.splitlines())[-40:]:
                self.ui.result(f'#   {x.strip()}')


def failures(bad: List[Result]) -> List[str]:
    """One line a failed test; those that never ran, together."""
    out: List[str] = []
    missing: Dict[str, List[str]] = {}
    for r in bad:
        if r.status == NOT_RUN:
            missing.setdefault(r.reason, []).append(r.name)
        else:
            out.append(r.name + (f' ({r.reason})' if r.reason else ''))
    for reason, names in missing.items():
        more = f' and {len(names) - 1} more' if len(names) > 1 else ''
        out.append(f'{names[0]}{more} ({reason})')
    return out


def count(verdicts: List[Verdict]) -> Dict[str, int]:
    out = dict.fromkeys(ALL, 0)
    for v in verdicts:
        for r in v.results:
            out[r.status] += 1
    return out


def summary(counts: Dict[str, int]) -> str:
    missing = counts.get(NOT_RUN, 0)
    return (f'{counts[PASS]} passed, {counts[FAIL]} failed, '
            f'{counts[SKIP]} skipped'
            + (f', {missing} not run' if missing else ''))


def exit_status(counts: Dict[str, int]) -> int:
    """0 good, 1 something failed or nothing ran, 4 all of it was skipped."""
    if counts[FAIL] or counts.get(NOT_RUN) or not sum(counts.values()):
        return EXIT_FAIL
    return 0 if counts[PASS] else EXIT_SKIP
