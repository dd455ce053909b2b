# SPDX-License-Identifier: GPL-2.0-or-later
"""Reproducers: what their header comments say, and the verdict of a run.

docs/manual/pri-lab.md has the fields for those who write one.

A reproducer is one C file of tests/guest/races.  Its first comment holds
fields, `Name: text`, whose text continues up to the next field or a blank line:

    Race     the ID in the catalogue; S-01 ... S-12 are the scenarios that every
             IOMMU driver argues about: REPRODUCED means that a promise of the
             specification or of the kernel's documentation is broken.
             Further IDs after it are those of races with the same order, and of
             patches in Expect
    Title    one line
    What     what the race is            Loses   who loses by it
    Order    order of events             Fix     if there is one
    Kernels  which ones have it
    Sign     what proves it; one of several such fields is enough.  Parts joined
             by ` and ` must all be seen:
                 log /RE/         a line of the kernel's log matches
                 log /RE/ xN      N lines do
                 stuck            the run does not end in time, RACE_MAIN(); the
                                  log has what every CPU is at.  If the
                                  guest cannot say so, the host does when the
                                  guest's time is well over (overdue.py), but
                                  not with Icount: off or KVM
                 NAME             the program says so, race_sign() in race.h
    Expect   KERNEL yes|no, ...  where KERNEL is a series; /FRAGMENT means that
             configuration of guest/kernel on top, and +PATCH the patch of
             that name in guest/kernel/bugs
    Elsewhere  the same of kernels that `--all` leaves out unless it is told
    Strict   KERNEL yes|no, ...: why; what is expected of them instead on the
             platform strict, the least forgiving legal machine
    Needs    CONFIG_X, ... of the kernel; without one of them, or without the
             checkers that all signs are of, the verdict is CANNOT RUN
    Icount   off: CPUs of the guest on a thread each.  Otherwise they share
             one, and the guest's time is a count of its instructions, so that
             a busy host does not change a race

Lines that begin with @ are about the machine, see jobs.py.

A scenario is such a file of tests/guest/scenarios, for `explore`: tasks or steps
without an order.  It needs Title and What only.
"""

from __future__ import annotations

import os
import re
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..core import cache, near
from ..core.errors import LabError, UsageError
from ..results import splat

REPRODUCED = 'REPRODUCED'
NOT_REPRODUCED = 'NOT REPRODUCED'
CANNOT_RUN = 'CANNOT RUN'
WORDS = {'yes': REPRODUCED, 'no': NOT_REPRODUCED}      # as headers say it

RACES = os.path.join('tests', 'guest', 'races')
SCENARIOS = os.path.join('tests', 'guest', 'scenarios')
READY = '# race: ready'
STEPS = '# race: steps '
DONE = '# race: done'
STUCK = '# race: stuck'
LOG = '# log: '               # a line of the kernel's log follows

# Beginnings of lines of the log, and what prints them
_CHECKERS = (('KASAN: ', 'CONFIG_KASAN'), ('ODEBUG: ', 'CONFIG_DEBUG_OBJECTS'))

_NEEDED = ('Race', 'Title', 'What', 'Loses', 'Order', 'Fix', 'Kernels',
           'Sign', 'Expect')
_SCENARIO = ('Title', 'What')
_DECIDES = ('Sign', 'Needs', 'Icount')
_KNOWN = _NEEDED + ('Needs', 'Icount', 'Elsewhere', 'Strict')
_FIELD = re.compile(r'^ \* ([A-Z][A-Za-z]*): *(.*)$')
_LOG = re.compile(r'^log /(.+)/(?: x([1-9]\d*))?$')
_SIGN = re.compile(r'^# race: sign ([\w-]+): ?(.*)$')
_LIMIT = re.compile(r'^RACE_MAIN\(\s*"[^"]*",\s*\w+,\s*(\d+)\)', re.M)


class Part(NamedTuple):
    """One thing that must be seen: in the log, from the program, or no end."""
    kind: str                   # 'log', 'program', 'stuck'
    what: str                   # regular expression or name
    times: int = 1              # lines of the log

    def seen(self, console: List[str], said: Dict[str, str],
             stuck: bool) -> bool:
        if self.kind == 'stuck':
            return stuck
        if self.kind == 'program':
            return self.what in said
        return sum(1 for x in console
                   if re.search(self.what, x)) >= self.times


class Sign(NamedTuple):
    text: str                   # as in the header
    parts: List[Part]


def parse_sign(text: str) -> Sign:
    """ValueError says what is wrong with it."""
    parts = []
    for word in text.split(' and '):
        m = _LOG.match(word)
        if m:
            re.compile(m.group(1))
            parts.append(Part('log', m.group(1), int(m.group(2) or 1)))
        elif word == 'stuck':
            parts.append(Part('stuck', ''))
        elif re.match(r'^[a-z][\w-]*$', word):
            parts.append(Part('program', word))
        else:
            raise ValueError(f'not a sign: {word}')
    return Sign(text, parts)


class Entry:
    """One reproducer, as its header describes it."""

    def __init__(self, path: str, text: str,
                 needed: Tuple[str, ...] = _NEEDED, outside: bool = False):
        """outside: a file of the user's, not of tests/guest."""
        self.path = path
        self.outside = outside
        self.name = os.path.splitext(os.path.basename(path))[0]
        top = os.path.basename(os.path.dirname(path))
        self.job = f'{"races" if outside else top}/{self.name}'
        fields = _fields(text)
        missing = [f for f in needed if f not in fields]
        if missing:
            raise ValueError('no ' + ', '.join(missing))
        self.fields = {k: ' '.join(v) for k, v in fields.items()}
        self.ids = self.fields.get('Race', self.name).replace(
            ',', ' ').split()
        self.id = self.ids[0]
        self.title = self.fields['Title']
        self.signs = [parse_sign(x) for x in fields.get('Sign', ())]
        self.expect, self.elsewhere = (
            _expect(self.fields[x]) if x in fields else {}
            for x in ('Expect', 'Elsewhere'))
        strict, _, self.why_strict = self.fields.get('Strict', '').partition(
            ': ')
        if strict and not self.why_strict:
            raise ValueError('Strict: it does not say why')
        self.strict = _expect(strict) if strict else {}
        self.needs = self.fields.get('Needs', '').replace(',', ' ').split()
        self.icount = self.fields.get('Icount', '') != 'off'
        self.program = _program(text, fields)
        # of a scenario: steps that are put in order, not tasks
        self.steps = 'race_steps(' in text
        limit = _LIMIT.search(text)
        # seconds of the guest's time that the race may take, if known
        self.limit = int(limit.group(1)) if limit else None

    def lacking(self, config: Dict[str, str]) -> List[str]:
        """Options without which a kernel of this configuration cannot show
        the race: those of Needs, and checkers that all signs depend on."""
        missing = {o for o in self.needs if config.get(o, 'n') == 'n'}
        unseen = [{option for word, option in _CHECKERS for p in s.parts
                   if p.kind == 'log' and word in p.what
                   and config.get(option, 'n') == 'n'} for s in self.signs]
        if all(unseen):
            missing.update(*unseen)
        return sorted(missing)

    def expected(self, kernel: str) -> Optional[str]:
        """The verdict that the header expects on a kernel, or None.

        A kernel with several patches is as the one with those of them that
        the header names; so it is with fragments of configuration.  On a
        platform (7.3@strict) the same is expected, but for what the header
        says of it.
        """
        kernel, _, platform = kernel.partition('@')
        series, more, bugs = _parts(kernel)
        all_ = {**self.elsewhere, **self.expect,
                **(self.strict if platform == 'strict' else {})}
        fits = [k for k in all_ for s, m, b in (_parts(k),)
                if s == series and m <= more and b <= bugs]
        if not fits:
            return None
        have = all_[max(
            fits, key=lambda k: (k.count('/'), k.count('+')))]
        return WORDS[have]

    def id_on(self, kernel: str) -> str:
        """Which of its races a kernel with patches is about."""
        bugs = kernel.split('@')[0].split('+')
        return next((x for x in self.ids if x in bugs), self.id)

    def affected(self, name: str = '') -> Optional[str]:
        """A kernel that has the race (or that one of them, if `name` is one
        of the IDs), ours rather than another."""
        yes = [k for k, v in self.expect.items() if v == 'yes']
        mine = [k for k in yes if name.upper() in k.split('+')
                and name.upper() in self.ids]
        yes = mine or yes
        return next((k for k in yes if k.startswith('7.3')),
                    yes[0] if yes else None)


def _parts(kernel: str) -> Tuple[str, Set[str], Set[str]]:
    """Series, fragments of configuration and patches of a kernel's name."""
    base, *bugs = kernel.split('+')
    series, *more = base.split('/')
    return series, set(more), set(bugs)


def _fields(text: str) -> Dict[str, List[str]]:
    """Fields of the first comment; ValueError names what is wrong."""
    m = re.match(r'\s*/\*\n(.*?)\n \*/', text, re.S)
    if not m:
        raise ValueError('no header comment')
    out: Dict[str, List[str]] = {}
    current: Optional[List[str]] = None
    for line in m.group(1).split('\n'):
        field = _FIELD.match(line)
        if field and field.group(1) in _KNOWN:
            current = out.setdefault(field.group(1), [])
            if current and field.group(1) != 'Sign':
                raise ValueError(f'{field.group(1)} twice')
            current.append(field.group(2))
        elif field and current is None:
            raise ValueError(f'unknown field {field.group(1)}')
        elif not line.strip(' *') or line.startswith(' * @'):
            current = None
        elif current is not None:
            current[-1] = (current[-1] + ' ' + line.strip(' *')).strip()
    return out


def _program(text: str, fields: Dict[str, List[str]]) -> str:
    """What of the text decides about a verdict: all but the header's prose."""
    header, body = text.split('\n */', 1)
    kept = [f'{k}: {x}' for k in _DECIDES for x in fields.get(k, [])]
    kept += [x for x in header.split('\n') if x.startswith(' * @')]
    return '\n'.join(kept) + body


def from_file(path: str) -> Entry:
    """A race that is a file of the user's."""
    try:
        with open(path, encoding='utf-8') as f:
            return Entry(os.path.realpath(path), f.read(), outside=True)
    except OSError as e:
        raise UsageError(f'{path}: {e.strerror}', '`./pri-lab repro --new '
                         'NAME` writes one to start from') from None
    except (ValueError, re.error) as e:
        raise UsageError(f'{path}: {e}', 'docs/manual/pri-lab.md, "A race of '
                         'your own", says what the header must hold'
                         ) from None


def _expect(text: str) -> Dict[str, str]:
    out = {}
    for item in text.split(','):
        words = item.split()
        if len(words) != 2 or words[1] not in ('yes', 'no'):
            raise ValueError(f'Expect: {item.strip()}: not KERNEL yes|no')
        out[words[0]] = words[1]
    return out


def load(repo: str, top: str = RACES) -> List[Entry]:
    """All reproducers, in the order of the catalogue; or all SCENARIOS."""
    out = []
    needed = _SCENARIO if top == SCENARIOS else _NEEDED
    for path in cache.files_under(os.path.join(repo, top), ('.c',)):
        with open(path, encoding='utf-8') as f:
            text = f.read()
        try:
            out.append(Entry(path, text, needed))
        except (ValueError, re.error) as e:
            raise LabError(f'{os.path.relpath(path, repo)}: {e}',
                           'scripts/pri_lab/races/race.py says what the header '
                           'must hold') from None
    return sorted(out, key=lambda e: (_order(e.id), e.name))


class LeftOut(NamedTuple):
    """A race of the catalogue without an entry."""
    id: str
    title: str
    why: str


def left_out(repo: str) -> List[LeftOut]:
    """Those of tests/guest/races/left-out."""
    out: List[LeftOut] = []
    with open(os.path.join(repo, RACES, 'left-out'), encoding='utf-8') as f:
        lines = [x.rstrip() for x in f if x.strip() and x[0] != '#']
    for line in lines:
        if line[0] == ' ':
            last = out.pop()
            out.append(last._replace(why=f'{last.why} {line.strip()}'.strip()))
        else:
            name, title = line.split(None, 1)
            out.append(LeftOut(name, title, ''))
    return out


def _order(race: str):
    """C-02 before C-10 before O-A before S-03."""
    m = re.match(r'^(C|O|S)-(\d+|\w)', race)
    if not m:
        return (9, 0, race)
    rank = {'C': 0, 'O': 1, 'S': 2}[m.group(1)]
    number = int(m.group(2)) if m.group(2).isdigit() else 0
    return (rank, number, race)


def find(entries: List[Entry], names: List[str],
         without: Sequence[LeftOut] = ()) -> List[Entry]:
    """Those with these names or IDs, in the order given; commas separate
    names, too, and the beginning of a name will do if it is one's alone."""
    out: List[Entry] = []
    for name in [n for x in names for n in x.split(',') if n]:
        for x in without:
            if name.lower() == x.id.lower():
                raise UsageError(f'{x.id} cannot run here: {x.title}', x.why)
        out += [h for h in _hits(entries, name) if h not in out]
    return out


def _hits(entries: List[Entry], name: str) -> List[Entry]:
    low = name.lower()
    hits = [e for e in entries if low in
            [e.name.lower()] + [x.lower() for x in e.ids]]
    if hits:
        return hits
    begin = [e for e in entries if e.name.lower().startswith(low)]
    if len(begin) == 1:
        return begin
    kind = 'race' if any('Race' in e.fields for e in entries) else 'scenario'
    raise near.unknown(kind, name, [e.name for e in entries]
                       + [x for e in entries for x in e.ids])


# -- verdicts -----------------------------------------------------------------

class Verdict(NamedTuple):
    word: str                   # REPRODUCED, NOT REPRODUCED, CANNOT RUN
    signs: List[str]            # those of the header that were seen
    why: str                    # of CANNOT RUN
    facts: List[str]            # what the program said with its signs
    run: str = ''               # equal for runs that were the same, if known


def said(ktap: List[str]) -> Dict[str, str]:
    """Signs that the program gave, with their text."""
    out = {}
    for line in ktap:
        m = _SIGN.match(line.strip())
        if m:
            out[m.group(1)] = m.group(2)
    return out


def log(console: List[str], ktap: List[str]) -> List[str]:
    """The kernel's log: of the console, and what the program passed on."""
    return console + [x[len(LOG):] for x in ktap if x.startswith(LOG)]


def signs_seen(entry: Entry, console: List[str], ktap: List[str]
               ) -> List[str]:
    names = said(ktap)
    console = log(console, ktap)
    stuck = any(x.startswith(STUCK) for x in ktap)
    return [s.text for s in entry.signs
            if all(p.seen(console, names, stuck) for p in s.parts)]


def _further(entry: Entry, lines: List[str]) -> List[str]:
    """First lines of splats that no sign of the header is about."""
    patterns = [p.what for s in entry.signs for p in s.parts
                if p.kind == 'log']
    return [splat.strip_stamp(b[0]).strip() for b in splat.find(
        '\n'.join(lines)) if not splat.known(b) and not any(
            re.search(x, line) for x in patterns for line in b[:3])]


def judge(entry: Entry, console: List[str], ktap: List[str], end: str
          ) -> Verdict:
    """The verdict of a run.

    end: how it ended: 'done' (the program said so or ended), 'limit' (of the
    host's patience), 'over' (its own time), or what became of the guest.
    """
    signs = signs_seen(entry, console, ktap)
    names = said(ktap)
    facts = [f'{k}: {v}' for k, v in names.items()]
    if signs:
        facts += [f'also in the log: {x}' for x in _further(
            entry, log(console, ktap))]
        return Verdict(REPRODUCED, signs, '', facts)
    stray = [n for n in names if not any(
        p.kind == 'program' and p.what == n
        for s in entry.signs for p in s.parts)]
    splats = [b for b in splat.find('\n'.join(log(console, ktap))) if not splat.known(b)]
    why = ''
    if stray:
        why = f'sign {stray[0]} is not in the header'
    elif splats:
        why = 'the kernel printed something that is no sign of this race: ' \
            + splat.strip_stamp(splats[0][0]).strip()
    elif any(x.strip() == DONE for x in ktap):
        return Verdict(NOT_REPRODUCED, [], '', facts)
    else:
        why = no_end(ktap, end)
    return Verdict(CANNOT_RUN, [], why, facts)


def no_end(ktap: List[str], end: str) -> str:
    """Why the program did not come to its end."""
    lines = [x.strip() for x in ktap]
    for x in lines:
        m = re.match(r'^ok \d+ .*# SKIP (.*)', x)
        if m:
            return m.group(1)
        if x.startswith('Bail out!'):
            return x[9:].strip()
    notes = [x[2:] for x in lines if re.match(r'# [\w-]+\.c:\d+: ', x)
             or x.startswith(('# no end after', '# ended by signal'))]
    if notes:
        return notes[-1]
    for x in lines:
        if x.startswith(STUCK):
            return 'the program is stuck' + x[len(STUCK):]
    if end == 'limit':
        return 'the guest did not come to an end; it may be too slow here'
    return f'the guest ended before the program: {end}'
