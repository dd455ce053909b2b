# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of TAP 13/14 and KTAP 1, nested or flat.

What counts is the leaf: a test point that has test points of its own stands
for them, and counts itself only if it failed although none of them did.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional

PASS, FAIL, SKIP = 'passed', 'failed', 'skipped'
NOT_RUN = 'not run'             # planned, but its program ended before
MISSING = 'did not run'         # reason of such a test point
ALL = (PASS, FAIL, SKIP, NOT_RUN)


class Result(NamedTuple):
    name: str               # path of names, joined by '/'
    status: str             # of ALL
    reason: str             # of a skip or a failure, may be ''

    def line(self, number: int) -> str:
        """As a flat TAP test point."""
        word = 'not ok' if self.status in (FAIL, NOT_RUN) else 'ok'
        tail = ''
        if self.status == SKIP:
            tail = f' # SKIP {self.reason}'.rstrip()
        elif self.reason:
            tail = f' # {self.reason}'
        return f'{word} {number} - {self.name}{tail}'


_POINT = re.compile(
    r'(not )?ok\b\s*(\d+)?\s*(?:-\s+)?([^#]*?)\s*(?:#\s*(.*))?$')
_PLAN = re.compile(r'1\.\.(\d+)\s*(?:#\s*(.*))?$')
_SUBTEST = re.compile(r'#\s*Subtest:\s*(.*)$')
_BAIL = re.compile(r'Bail out!\s*(.*)$')
# a diagnostic line, unless it gives no reason or looks like a directive
_NOTE = re.compile(r'#\s*(?!stat |pri-lab:|starting QEMU|Start of |End of '
                   r'|skip|todo)(\S.*)$', re.I)


class _Level:
    """Test points seen at one indentation."""

    def __init__(self) -> None:
        self.plan: Optional[int] = None
        self.seen = 0
        self.failed = 0


class Reader:
    """Feed lines, get results as they become certain."""

    def __init__(self) -> None:
        self.results: List[Result] = []
        self.bailed: Optional[str] = None
        self.plain_skip = False         # '1..0 # SKIP'
        self._note = ''                 # the last since the last test point
        self._levels: Dict[int, _Level] = {}
        self._names: Dict[int, str] = {}

    def feed(self, line: str) -> List[Result]:
        """New results of one line (none for most lines)."""
        line = line.rstrip()
        indent = len(line) - len(line.lstrip(' '))
        body = line[indent:]
        out: List[Result] = []
        if (m := _SUBTEST.match(body)):
            # KTAP puts it inside the subtest, TAP 14 before or inside;
            # either way it names what is indented at least this much
            self._names[indent] = m.group(1).strip()
        elif (m := _BAIL.match(body)):
            self.bailed = m.group(1) or 'bailed out'
            out.append(Result(self._path(0, 'bail out'), FAIL, self.bailed))
        elif (m := _PLAN.match(body)):
            self._plan(indent, m, out)
        elif (m := _POINT.match(body)):
            self._point(indent, m, out)
            self._note = ''
        elif (m := _NOTE.match(body)):
            self._note = m.group(1)
        self.results += out
        return out

    def finish(self) -> List[Result]:
        """Results that only the end can tell: what was promised, not run."""
        out: List[Result] = []
        self._unfinished(list(self._levels), out)
        self._levels.clear()
        self.results += out
        return out

    def counts(self) -> Dict[str, int]:
        return {s: sum(1 for r in self.results if r.status == s)
                for s in ALL}

    # -- details --------------------------------------------------------------

    def _path(self, indent: int, name: str) -> str:
        above = [self._names[i] for i in sorted(self._names) if i < indent
                 or (i == indent and indent > 0)]
        return '/'.join([x for x in above if x != name] + [name])

    def _plan(self, indent: int, m, out: List[Result]) -> None:
        level = self._levels.setdefault(indent, _Level())
        level.plan = int(m.group(1))
        note = m.group(2) or ''
        if level.plan == 0 and indent == 0:
            self.plain_skip = True
            reason = re.sub(r'^skip\S*\s*', '', note, flags=re.I)
            out.append(Result('all', SKIP, reason))

    def _point(self, indent: int, m, out: List[Result]) -> None:
        level = self._levels.setdefault(indent, _Level())
        level.seen += 1
        inner = [i for i in self._levels if i > indent]
        failed_inside = sum(self._levels[i].failed for i in inner)
        self._unfinished(inner, out)
        failed_inside += sum(self._levels[i].failed for i in inner)
        had_inner = bool(inner)
        for i in inner:
            del self._levels[i]
        name = m.group(3).strip() or (m.group(2) or '?')
        for i in [i for i in self._names if i > indent
                  or (had_inner and self._names[i] == name)]:
            del self._names[i]
        result = self._judge(indent, name, m)
        bad = result.status in (FAIL, NOT_RUN)
        if bad:
            level.failed += 1
        if had_inner and not (bad and not failed_inside):
            return
        out.append(result)

    def _judge(self, indent: int, name: str, m) -> Result:
        status = FAIL if m.group(1) else PASS
        note = (m.group(4) or '').strip()
        word = note.split(' ', 1)[0].upper()
        reason = note
        if word.startswith('SKIP') and status == PASS:
            status = SKIP
            reason = note.partition(' ')[2]
        elif word.startswith('TODO') and status == FAIL:
            status = SKIP
            reason = note
        elif status == PASS:
            reason = ''
        elif note.startswith(MISSING):
            status = NOT_RUN
        else:
            reason = reason or self._note
        return Result(self._path(indent, name), status, reason)

    def _unfinished(self, indents: List[int], out: List[Result]) -> None:
        """What is missing at the levels that have just ended, the innermost
        first.  A test point whose own tests are missing is none more: they
        stand for it, as always."""
        inside = False
        for i in sorted(indents, reverse=True):
            level, before = self._levels[i], len(out)
            if inside and level.plan is not None and level.seen < level.plan:
                level.seen += 1
            self._missing(i, level, out)
            inside = inside or len(out) > before

    def _missing(self, indent: int, level: _Level,
                 out: List[Result]) -> None:
        if level.plan is None or level.seen >= level.plan or \
                (self.bailed and indent == 0):
            return
        missing = level.plan - level.seen
        level.failed += missing
        for i in range(missing):
            out.append(Result(
                self._path(indent, f'test {level.seen + i + 1}'), NOT_RUN,
                f'{MISSING}: {level.plan} planned, {level.seen} ran'))
        level.seen = level.plan


def read(text: str) -> Reader:
    """All results of a finished program's output."""
    r = Reader()
    for line in text.splitlines():
        r.feed(line)
    r.finish()
    return r
