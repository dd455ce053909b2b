# SPDX-License-Identifier: GPL-2.0-or-later
"""Is anything wrong with a run?  Nobody says what to look for.

A splat of the kernel, a hang, a CPU that is stuck, and what the scenario
found that must not be: signs, race_sign() in tests/guest/lib/race.h.
"""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, List, NamedTuple, Tuple

from ..races import race
from ..results import splat
from .machine import Run

NOT_DRAINED = 'not-drained'     # of tests/guest/lib/scene.c
END = '# scene: end'
STUCK = 'stuck CPU'             # at the limit of a run
# Functions that report or wait, not those that a splat is about
_GENERIC = re.compile(
    r'^(dump_stack|print_|kasan_|__kasan_|__asan_|check_region|report_bug|'
    r'__warn|warn_|debug_print_object|debug_check|__debug_|refcount_warn|'
    r'__list_(add|del)_|handle_bug|exc_|asm_exc_|show_|__schedule|schedule|'
    r'__switch_to|context_switch|mutex_lock|__mutex|wait_for_|'
    r'__wait_for_common|do_wait_for_common|rwsem_|down_|lock_acquire|'
    r'__lock_acquire|check_noncircular|validate_chain|_raw_|sysvec_|'
    r'die|oops_|page_fault_oops|kfree|kmem_cache_free|slab_free|'
    r'__pfx_|preempt_schedule|io_schedule|mark_lock|rcu_)')
_FRAME = re.compile(r'^\s*(\? )?([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x')
_CPU = re.compile(r'NMI backtrace for cpu \d')
_IDLE = re.compile(r'(pv_native|default_idle|acpi_|native_(safe_)?halt|cpu_idle)')
_RIP = re.compile(r'RIP: \w+:([A-Za-z_][\w.]*)\+0x')
_RACING = re.compile(r'KCSAN: data-race in ([\w.]+)(?: / ([\w.]+))?')
_IN = re.compile(r' (?:in|at) ([A-Za-z_][\w.]*)\+0x')


class Finding(NamedTuple):
    kind: str                   # KASAN: slab-use-after-free, WARNING, sign
    function: str               # that it is in, or the sign's name
    text: List[str]             # what was printed
    page: str                   # where it is written up, ''

    @property
    def sign(self) -> str:
        """Groups duplicates, and is what a smaller plan must keep."""
        return f'{self.kind} in {self.function}' if self.kind != 'sign' \
            else f'sign {self.function}'


def _kind(lines: List[str]) -> str:
    head = '\n'.join(lines[:6])
    for pattern, word in (
            (r'KASAN: ([\w-]+)', 'KASAN: {}'),
            (r'KCSAN: ([\w-]+)', 'KCSAN: {}'),
            (r'ODEBUG: ([a-z]+ [a-z]+)', 'ODEBUG: {}'),
            (r'refcount_t: ([\w -]+)', 'refcount: {}'),
            (r'(list_(?:add|del) corruption)', '{}'),
            (r'(possible [\w ]+ detected|Invalid wait context|'
             r'inconsistent lock state|held lock freed|bad unlock balance)',
             'lockdep: {}'),
            (r'(rcu\w*): .*(?:stall|self-detected)', '{} stall'),
            (r'INFO: task .* blocked', 'hung task'),
            (r'soft lockup', 'soft lockup'), (r'hard LOCKUP', 'hard lockup'),
            (r'(NULL pointer dereference|general protection fault|'
             r'unable to handle page fault)', 'oops: {}'),
            (r'kernel BUG at (\S+?):\d+', 'BUG {}'),
            (r'scheduling while atomic|sleeping function called',
             'sleeping while atomic'),
            (r'memory leak|unreferenced object', 'leak'),
            (r'WARNING: ', 'WARNING')):
        m = re.search(pattern, head)
        if m:
            return word.format(*m.groups())
    return splat.strip_stamp(lines[0]).strip()[:60]


def _racing(lines: List[str]) -> List[str]:
    """The functions of a data race that KCSAN reports; else none."""
    m = _RACING.search('\n'.join(lines[:4]))
    return [_plain(x) for x in m.groups() if x] if m else []


def _elsewhere(lines: List[str], ours: FrozenSet[str]) -> bool:
    """A data race of functions that nobody asked for: the kernel has many
    that are meant, and the search is not about them."""
    racing = _racing(lines)
    return bool(racing and ours and not ours.intersection(racing))


def _function(lines: List[str]) -> str:
    """The first one that the splat is about."""
    bare = [splat.strip_stamp(x).strip() for x in lines]
    if racing := _racing(lines):
        return ' / '.join(sorted(racing))
    for line in bare[:4]:
        m = _IN.search(line)
        if m and not _GENERIC.match(m.group(1)):
            return _plain(m.group(1))
    doubtful = ''
    for line in bare:
        m = _RIP.search(line)
        name = m.group(1) if m else ''
        if not name and (m := _FRAME.match(line)):
            name = m.group(2)
            if m.group(1) and not _GENERIC.match(name):
                doubtful = doubtful or name     # `? f`: left on the stack
                continue
        if name and not _GENERIC.match(name):
            return _plain(name)
    if doubtful:
        return _plain(doubtful)
    return '?'


def _plain(name: str) -> str:
    """Without what the compiler adds: .cold, .isra.0, .constprop.1"""
    return name.split('.')[0]


def of_splat(lines: List[str]) -> Finding:
    return Finding(_kind(lines), _function(lines),
                   [splat.strip_stamp(x) for x in lines], splat.known(lines))


def _kept_back(run: Run) -> bool:
    """The plan still keeps a device event back: a CPU that spins for it
    is the plan's doing, hardware is not that slow."""
    kinds = {e.kind for e in run.plan.events}
    return any(n.get('sent', 0) > n.get('delivered', 0)
               for kind, n in run.report.get('events', {}).items()
               if kind in kinds)


def _on_its_way(name: str, run: Run) -> bool:
    """A PRG Response that the plan keeps has been sent: that the function has
    not got it yet when a detach returns is no fault of the kernel.  One that
    was not sent at all shows without such a plan."""
    return name == NOT_DRAINED and any(e.kind == 'resp'
                                       for e in run.plan.events)


def _hang(run: Run) -> List[Finding]:
    """No end in the time that the scenario has, or none at all."""
    log = [x[len(race.LOG):] for x in run.ktap if x.startswith(race.LOG)]
    if run.end == 'limit' and not _kept_back(run):
        where = next((x.split('+')[0] for x in run.stuck
                      if not _IDLE.match(x)), '?')
        return [Finding(STUCK, _plain(where), run.stuck, '')]
    if any(x.startswith(race.STUCK) for x in run.ktap):
        return [Finding('hang', *_waits_in(log, run.ours), '')]
    return []


def _waits_in(log: List[str], ours: FrozenSet[str]) -> Tuple[str, List[str]]:
    """The function that a hang is in, and the lines that say so: of a task that
    cannot be interrupted; if there is none, of a CPU that runs, but for the one
    that asks: at best one of the focus, as others may spin for that CPU's
    answer."""
    blocked = next((i for i, x in enumerate(log)
                    if 'Show Blocked State' in x), len(log))
    others = next((i for i, x in enumerate(log[:blocked])
                   if 'Sending NMI from CPU' in x), blocked)
    name = _function(log[blocked:])
    if name != '?':
        return name, log[blocked:]
    cpus = _cpus(log[others:blocked])
    for lines in cpus:
        for name in map(_at, lines):
            if name in ours:
                return name, lines
    running = [line for lines in cpus for line in lines]
    return _function(running), running or log


def _cpus(log: List[str]) -> List[List[str]]:
    """The trace of each CPU that is not idle."""
    out: List[List[str]] = []
    for line in log:
        if _CPU.match(splat.strip_stamp(line).strip()):
            out.append([])
        if out:
            out[-1].append(line)
    return [x for x in out if ' skipped: idling at ' not in x[0] and
            not any(_IDLE.match(m.group(1)) for m in map(_RIP.search, x) if m)]


def _at(line: str) -> str:
    """The function that a line of a trace names; '': none for sure."""
    line = splat.strip_stamp(line).strip()
    m = _RIP.search(line)
    if m:
        return _plain(m.group(1))
    m = _FRAME.match(line)
    return _plain(m.group(2)) if m and not m.group(1) else ''


def findings(run: Run) -> List[Finding]:
    """All of a run, splats first, as they came; duplicates once."""
    out = []
    lines = race.log(run.console, run.ktap)
    for block in splat.find('\n'.join(lines)):
        if not any('sysrq: Show' in x for x in block[:2]) and \
                not _elsewhere(block, run.ours):
            out.append(of_splat(block))
    out += [Finding('sign', name, [text], '')
            for name, text in race.said(run.ktap).items()
            if not _on_its_way(name, run)]
    out += _hang(run)
    if not out and run.end in ('end', 'off', 'panic') and \
            END not in [x.strip() for x in run.ktap]:
        out.append(Finding('ended early', race.no_end(run.ktap, run.end)[:80],
                           run.ktap[-8:], ''))
    first: Dict[str, Finding] = {}
    for f in out:
        first.setdefault(f.sign, f)
    return list(first.values())


def similar(a: str, b: str) -> bool:
    """Is it the same bug by its signs?  On another kernel, say: the function is
    what counts, and a use after free may be an oops there."""
    return a == b or (' in ' in a and ' in ' in b and
                      a.rsplit(' in ', 1)[1] == b.rsplit(' in ', 1)[1])
