# SPDX-License-Identifier: GPL-2.0-or-later
"""A search on one scenario and kernel, from the boot to its end, kept on disk.

What is kept (state.json, search.pickle, hits/*.hit) is enough for --resume, which
makes the schedules that the search would have made: coverage, what it has learnt,
plans that were tried, how often each sign was seen, and what was under way.
"""

from __future__ import annotations

import os
import re
import threading
import time
from typing import Dict, List, Optional, Tuple

from . import cover, hit, machine, oracle, search, show, shrink, straight, trace
from ..core import cache, proc, requests
from ..core.context import Context
from ..core.errors import LabError
from ..machine import vm
from ..races import race
from ..reproduce.machines import Machines
from .machine import Run, Stage
from .plan import Plan, parse
from .state import Left, State

RUNS = 1000                     # of a scenario, unless told
STORE = 20                      # runs between two stores of the state
LOST = 5                        # runs in a row without a result: give up
ELSEWHERE = 8                   # runs that execute nothing of the focus
NAMED = 12                      # functions, in one line
KNOWN = os.path.join('docs', 'findings', 'known-signs')


class Known:
    """Signs that are written up: lines `SERIES|SERIES REGEX PAGE`, or with the
    SCENARIOS (a regular expression) that have the sign for that reason.  What
    the kernel has a fix of (+O-G-fix) it has another reason for."""

    def __init__(self, text: str, kernel: str, scenario: str = ''):
        series = re.split(r'[/+]', kernel)[0]
        fixed = re.findall(r'\+([\w-]+?)-fix(?=\+|$)', kernel)
        self.rules = []
        for line in text.splitlines():
            words = [w.strip() for w in line.split('  ') if w.strip()]
            if len(words) in (3, 4) and line[0] != '#' and \
                    series in words[0].split('|') and \
                    (len(words) == 3 or re.fullmatch(words[3], scenario)) \
                    and not any(_is_of(words[2], x) for x in fixed):
                self.rules.append((re.compile(words[1]), words[2]))

    def page(self, finding: oracle.Finding) -> str:
        return finding.page or self.page_of(finding.sign)

    def page_of(self, sign: str) -> str:
        """Empty: it is written up nowhere."""
        return next((p for r, p in self.rules if r.search(sign)), '')


def _is_of(page: str, name: str) -> bool:
    """docs/findings/O-G-late-request.md is of O-G, and not of O;
    docs/races.md#C-09 is of C-09."""
    path, _, entry = page.partition('#')
    return entry == name or not entry and re.match(
        re.escape(name) + r'(?![^-.])', os.path.basename(path)) is not None


def known(repo: str, kernel: str, scenario: str) -> Known:
    path = os.path.join(repo, KNOWN)
    text = ''
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            text = f.read()
    return Known(text, kernel, scenario)


class Campaign:
    """only: no search, the hit of this plan is shrunk, whatever it is."""

    def __init__(self, ctx: Context, options: requests.Explore,
                 job: Machines, which: str, entry: race.Entry,
                 only: Optional[Plan] = None):
        self.ctx = ctx
        self.job = job
        self.options = options
        self.ui = ctx.ui
        self.which = which
        self.entry = entry
        self.top = directory(ctx.paths, entry.name, which,
                             'one' if only else '')
        self.state = State(self.top)
        self.known = known(ctx.paths.repo, which, entry.name)
        self.hits: List[hit.Hit] = []
        self.files: List[str] = []      # of the hits
        self.machine: Optional[vm.Machine] = None
        self.release = ''
        self.logdir = ''
        self.lost = 0
        self.again = [only] if only else []     # plans that were under way
        self.unshrunk: List[Left] = []  # before --resume
        self.before = 0                 # hits there were then
        self.start = time.monotonic()
        self.stop = False
        self.ended = False
        self.trouble: Optional[BaseException] = None
        self.search: Optional[search.Search] = None
        self._lock = threading.RLock()
        self._stages: List[Stage] = []

    # -- life -----------------------------------------------------------------

    def run(self) -> List[hit.Hit]:
        """Hits that are new; LabError if the scenario cannot run."""
        title = f'{self.entry.name} on {self.which}'
        self.logdir = logdir = self.job.new_logdir(
            self.entry, f'explore-{self.which}')
        stage = machine.stage(self.job, self.which, self.entry,
                              self.options.focus.split(','), logdir,
                              self.ctx.log)
        self._stages.append(stage)
        self.machine = stage.machine
        if self._complete(stage):
            self.ui.say(f'{title}: {self.summary()}; nothing is left to do')
            return self.hits
        self.ui.plan(2)
        try:
            with self.ui.step(f'Boot {title}') as step:
                stage.boot(step, boots(self.ctx.paths))
                stage.events = stage.holds_events()
                step.done(f'at the mark, hash {stage.boot_hash}')
            self.release = stage.release
            self._begin(stage)
            with self.ui.step(f'Explore {title}') as step:
                self._workers(stage, logdir, step)
                step.done(self.summary())
        finally:
            self.stop = True
            for s in self._stages:
                s.close()
            if self.search is not None:
                with proc.undisturbed(), self._lock:
                    self.state.seconds = self.spent()
                    self.ended = True
                    self.store()
        return self.hits

    def _complete(self, stage: Stage) -> bool:
        """--resume of what has come to its end, which needs no boot."""
        s = self.state
        if not (self.options.resume and self.wanted and s.load(stage.key())
                and s.runs >= self.wanted and not s.open and not s.left):
            return False
        self.before, self.ended = len(s.hits), True
        return True

    def _begin(self, stage: Stage) -> None:
        self.state.key = stage.key()
        resumed = self.options.resume and self.state.load(self.state.key)
        self.search = search.Search(
            machine.CPUS, self.options.seed + self.state.runs,
            self.state.coverage, stage.events)
        if resumed:
            self._resume()
        if not stage.events:
            self.ui.say('this machine cannot hold device events yet: '
                        'CPUs alone are explored')
        self.start = time.monotonic()

    def _resume(self) -> None:
        """Go on with what was under way, and then where the search was."""
        assert self.search is not None
        s = self.state
        whole = s.teach(self.search, self.options.seed)
        self.again, s.open = [parse(x) for x in s.open], []
        self.unshrunk = list(s.left)
        self.ui.say(f'continues from {s.runs} schedules, {s.coverage}'
                    + ('' if whole else '; another search made them, so it '
                       'looks at some orders again'))
        self.before = len(s.hits)
        for name in s.hits:
            self.ui.say(f'  a hit of before: {os.path.join(self.top, name)}')

    def _learn_limit(self, stage: Stage) -> None:
        if self.state.runs:
            stage.learn_limit(self.state.longest)

    def store(self) -> None:
        self.state.store(self.search, self.options.seed)

    @property
    def under_way(self) -> int:
        return len(self.state.open)

    def _workers(self, stage: Stage, logdir: str, step) -> None:
        others = [stage.clone(os.path.join(logdir, f'qemu-{n + 2}'))
                  for n in range(self.ctx.jobs - 1)]
        self._stages += others
        threads = [threading.Thread(target=self._work, args=(s,), daemon=True)
                   for s in others]
        threads.append(threading.Thread(target=self._work, args=(stage,),
                                        daemon=True))
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            step.note = self.progress()
            for t in threads:
                t.join(0.2)
        if self.trouble is not None:
            raise self.trouble

    def _work(self, stage: Stage) -> None:
        try:
            while True:
                with self._lock:
                    left = self.unshrunk.pop(0) if self.unshrunk else None
                    plan = None if left else self._next()
                if left is not None:
                    self._shrink_left(left, stage)
                elif plan is not None:
                    self.account(plan, stage.run(plan), stage)
                else:
                    return
        except BaseException as e:      # to the main thread, unless it stops
            if not self.stop:
                self.trouble = e
                self.stop = True

    def _next(self) -> Optional[Plan]:
        """None: that is all."""
        assert self.search is not None
        if self.over():
            return None
        plan = self.again.pop(0) if self.again else self.search.next()
        self.state.open.append(str(plan))
        return plan

    # -- its end --------------------------------------------------------------

    @property
    def wanted(self) -> int:
        return self.options.runs if self.options.runs > 0 else \
            (0 if self.options.budget else RUNS)

    def over(self) -> bool:
        o = self.options
        if self.stop or (self.wanted and
                         self.state.runs + self.under_way >= self.wanted):
            return True
        if o.budget and time.monotonic() - self.start > o.budget * 60:
            return True
        if o.hits and len(self.hits) >= o.hits:
            return True
        if o.sign and any(re.search(o.sign, h.sign) for h in self.hits):
            return True
        # so many that were asked for are made, as controls need them
        return o.runs <= 0 and (self.flat() or self.elsewhere())

    def flat(self) -> bool:
        """Nothing new comes any more."""
        return self.search is not None and \
            not self.search.systematic and \
            self.state.coverage.flat(search.WINDOW)

    def elsewhere(self) -> bool:
        """No code of the focus is executed here: there is nothing to steer."""
        return self.state.runs >= ELSEWHERE and \
            not self.state.coverage.code

    def spent(self) -> float:
        """Seconds, those before --resume included."""
        return self.state.seconds + (0 if self.ended else
                                     time.monotonic() - self.start)

    def progress(self) -> str:
        with self._lock:
            n, c = self.state.runs, self.state.coverage
            spent = time.monotonic() - self.start
            rate = 60 * c.runs / max(self.spent(), 1)
            left = ''
            if self.wanted and rate:
                left = f', {max(0, self.wanted - n) / rate:.0f} min left'
            elif self.options.budget:
                left = f', {self.options.budget - spent / 60:.0f} min left'
            return f'{n} schedules, {rate:.0f} a minute, {c}, ' \
                f'{self.told()}{left}'

    def functions(self) -> Tuple[List[str], List[str]]:
        """Of the focus: those that were executed, and the others.  What is
        inlined counts as the function that it is in."""
        if not self._stages:
            return [], []
        stage = self._stages[0]
        names = {stage.symbols.find(pc)[0] for pc in self.state.coverage.code}
        ran = (names | {n.split('.')[0] for n in names}) & stage.ours
        return sorted(ran), sorted(stage.ours - ran)

    def focused(self) -> str:
        """How much of the focus the runs were in."""
        ran, others = self.functions()
        return f'{len(ran)} of {len(ran + others)} functions of the focus ' \
            'executed' + (': never ' + ', '.join(others)
                          if 0 < len(others) <= NAMED else '')

    def told(self) -> str:
        return f'{len(self.hits)} new hits' + (
            f', {self.before} of before' if self.before else '')

    def summary(self) -> str:
        end = 'none of the focus is executed' if self.elsewhere() else \
            'flat' if self.flat() else 'at the end of what it may take'
        return f'{self.state.runs} schedules, {self.state.coverage}, ' \
            f'{self.told()}; {end}'

    # -- runs -----------------------------------------------------------------

    def account(self, plan: Plan, run: Run, stage: Stage) -> None:
        whole = self._to_its_end(plan, run, stage)
        with self._lock:
            lost = 'lost' in (run.end, whole and whole.end)
            if lost and self.stop:
                return                  # Ctrl-C: --resume runs it
            self.state.open.remove(str(plan))
            if lost:
                self.lost += 1
                if self.lost >= LOST or not stage.s.alive():
                    raise LabError(f'{self.entry.name}: runs have no result: '
                                   + ' '.join(run.stuck), log=stage.logdir)
                return
            self.lost = 0
            self.state.runs += 1
            if run.end == 'end':
                self.state.longest = max(self.state.longest,
                                         run.report.get('instructions', 0))
            self._learn_limit(stage)
            assert self.search is not None
            self.search.learn(plan, run)
            self.state.tried.append(str(plan))
            found = oracle.findings(run)
            lead = self.leading(found)
            if whole is not None:
                plan, more = whole.plan, oracle.findings(whole)
                lead = self.leading(more)
                found = [f for f in found if f.kind == oracle.STUCK] + more
                self.state.led.append(found[0].sign)
            finding = self._first(found, lead)
            if finding is not None:
                left = Left(str(plan), finding.sign, self.state.runs,
                            finding.page)
                self.state.left.append(left)
            if finding is not None or self.state.runs % STORE == 0:
                self.store()
        if finding is not None:
            self._hit(plan, finding, left, stage)

    def leading(self, found: List[oracle.Finding]
                ) -> Optional[oracle.Finding]:
        """The first one, which the others may follow from.  What lockdep says
        changes nothing, so what is known of it hides none of the others."""
        return next((f for f in found if not (
            f.kind.startswith('lockdep') and self.known.page(f))),
            found[0] if found else None)

    def _to_its_end(self, plan: Plan, run: Run, stage: Stage
                    ) -> Optional[Run]:
        """With all the time that a scenario has: where a stuck CPU is at the
        limit differs from plan to plan, but then the scenario's own watch says
        who waits, or that it was only slow.  Once for each such place; None:
        it is no better."""
        lead = self.leading(oracle.findings(run))
        if lead is None or lead.kind != oracle.STUCK or plan.limited or \
                stage.limit >= machine.FIRST or lead.sign in self.state.led:
            return None
        whole = stage.run(plan._replace(
            rest=plan.rest + (f'limit={machine.FIRST}',)))
        return None if whole.end == 'limit' else whole

    def _first(self, found: List[oracle.Finding],
               lead: Optional[oracle.Finding]) -> Optional[oracle.Finding]:
        """Count the signs of a run; lead, which the others may follow from,
        if it has not been the first one before."""
        new = None
        for f in found:
            page = self.known.page(f)
            seen = self.state.signs.setdefault(
                f.sign, [0, self.state.runs, page])
            seen[0] += 1
            if f is lead and f.sign not in self.state.led:
                self.state.led.append(f.sign)
                if not page or self._wants(f.sign):
                    new = f._replace(page=page)
        return new

    def _wants(self, sign: str) -> bool:
        """Of what is written up: --known, and with --sign that one."""
        return self.options.known and re.search(self.options.sign,
                                                sign) is not None

    def _shrink_left(self, left: Left, stage: Stage) -> None:
        """A hit whose shrinking Ctrl-C has ended."""
        self._learn_limit(stage)
        plan = parse(left.plan)
        lead = self.leading(oracle.findings(stage.run(plan)))
        if lead is not None and lead.sign == left.sign:
            self._hit(plan, lead._replace(page=left.page), left, stage)
            return
        with self._lock:
            self.state.left.remove(left)
            self.ui.say(f'{left.sign}: not seen again with {left.plan}')

    def _hit(self, plan: Plan, finding: oracle.Finding, left: Left,
             stage: Stage) -> None:
        """Others may run while this one shrinks."""
        tried = 0

        def test(smaller: Plan) -> bool:
            nonlocal tried
            tried += 1
            run = stage.run(smaller)
            if run.end == 'lost':       # that says nothing of the plan
                raise LabError(f'{self.entry.name}: QEMU is gone while '
                               f'{finding.sign} is shrunk',
                               'continue with --resume', stage.logdir)
            lead = self.leading(oracle.findings(run))
            return lead is not None and lead.sign == finding.sign

        if straight.is_random(plan):
            plan = straight.straighten(plan, machine.CPUS, stage.run, test)
        small = shrink.shrink(plan, machine.CPUS, test)
        last = stage.run(small)
        replays = self.options.replays
        seen, ways = hit.replay(stage, small, finding.sign, replays)
        points = [hit.describe(p, last, stage) for p in small.points]
        found = hit.Hit(dict(
            scenario=self.entry.name, kernel=self.which,
            release=stage.release, sign=finding.sign, page=finding.page,
            plan=str(small), points=points, events=[
                hit.describe_event(e, last, stage) for e in small.events],
            key=self.state.key, focus=self.options.focus,
            text=finding.text[:60], found=left.number, shrunk=tried,
            seed=self.options.seed, replay=[seen, replays], ways=ways,
            instructions=last.report.get('instructions'),
            hash=last.report.get('hash'), boot=stage.boot_hash,
            races=show.race_text(last, points, stage),
            timeline=show.timeline(last, stage)))
        path = found.store(os.path.join(self.top, 'hits'))
        with self._lock:
            self.hits.append(found)
            self.files.append(path)
            self.state.left.remove(left)
            name = os.path.relpath(path, self.top)
            if name not in self.state.hits:
                self.state.hits.append(name)
            self.store()
            for line in show.hit_lines(found):
                self.ui.result(line)
            self.ui.result(f'  again: ./pri-lab repro {path}')


def boots(paths: cache.Paths) -> str:
    return os.path.join(paths.work, 'explore', 'boots')


def directory(paths: cache.Paths, scenario: str, kernel: str,
              part: str = '') -> str:
    safe = cache.file_name(kernel)
    path = os.path.join(paths.work, 'explore', f'{scenario}@{safe}', part)
    os.makedirs(os.path.join(path, 'hits'), exist_ok=True)
    return path


def one(stage: Stage, plan: Plan, out) -> bool:
    """Run one plan and say what came of it; False: something is wrong."""
    run = stage.run(plan)
    found = oracle.findings(run)
    r = run.report
    out(f'plan: {plan}')
    out(f'  end: {run.end}, {r.get("instructions", 0):,} instructions, hash '
        f'{r.get("hash")}')
    for p in plan.points:
        out('  ' + show.point_text(hit.describe(p, run, stage)))
    for line in show.timeline(run, stage):
        out('  ' + line)
    for f in found:
        out(f'  {f.sign}')
        for line in show.shown(f.text):
            out('    ' + line)
    if not found:
        out('  nothing is wrong')
    out(f'  {len(trace.racing(run.records))} records, '
        f'{len(cover.contended(trace.racing(run.records)))} conflicting '
        'accesses')
    return not found
