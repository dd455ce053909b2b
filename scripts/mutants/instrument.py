# SPDX-License-Identifier: GPL-2.0-or-later
"""Put every mutant of a C file into the file, each behind a number.

One build then holds all mutants: PRI_MUTANT in the environment chooses one
(0 or nothing: none), so that a mutant costs a run of its tests and no build.
The text is changed at places that libclang names; lines keep their numbers.

What is changed, in the bodies of functions:
    relation     < <= > >= == !=    the boundary, or the opposite
    arithmetic   + - & | << >>      the counterpart, on integers
    operand      of && and ||       as if it did not matter
    condition    of if and ?:       the opposite
A mutant is met where its value differs from the one that is meant.
Left alone: what a macro expands to, constant expressions, loop conditions
(their opposite is a hang more often than a fault).
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

from clang.cindex import Cursor, CursorKind, Index, TranslationUnit, TypeKind

RELATION = {'<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=',
            '!=': '=='}
ARITHMETIC = {'+': '-', '-': '+', '&': '|', '|': '&', '<<': '>>',
              '>>': '<<'}
_INTEGERS = {TypeKind.BOOL, TypeKind.CHAR_U, TypeKind.UCHAR, TypeKind.USHORT,
             TypeKind.UINT, TypeKind.ULONG, TypeKind.ULONGLONG,
             TypeKind.CHAR_S, TypeKind.SCHAR, TypeKind.SHORT, TypeKind.INT,
             TypeKind.LONG, TypeKind.LONGLONG, TypeKind.ENUM}
_MUTATED = (CursorKind.BINARY_OPERATOR, CursorKind.IF_STMT,
            CursorKind.CONDITIONAL_OPERATOR)
_NOISE = re.compile(rb'/\*.*?\*/|//[^\n]*|\s', re.S)

HEADER = '''\
/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRI_MUTANT_H
#define PRI_MUTANT_H
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
__attribute__((weak)) unsigned pri_mutant;
__attribute__((weak)) unsigned char *pri_mutant_seen;
/* A file of one byte a mutant, shared by all processes: which are met */
__attribute__((constructor)) static void pri_mutant_start(void)
{
    const char *n = getenv("PRI_MUTANT"), *f = getenv("PRI_MUTANT_SEEN");
    int fd = f ? open(f, O_RDWR) : -1;

    pri_mutant = n ? atoi(n) : 0;
    if (fd >= 0 && !pri_mutant_seen) {
        void *p = mmap(NULL, COUNT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        pri_mutant_seen = p == MAP_FAILED ? NULL : p;
        close(fd);
    }
}
/* Here the mutant would make a difference: a test that never gets to that
 * cannot tell it from the code that is meant. */
#define PRI_MUTANT_DIFFERS(n, differs) \\
    ((void)(pri_mutant_seen && (differs) && (pri_mutant_seen[n] = 1)))
#define PRI_MUTANT(n) __builtin_expect(pri_mutant == (n), 0)
static inline _Bool pri_mutant_is(unsigned n, _Bool forced, _Bool value)
{
    PRI_MUTANT_DIFFERS(n, value != forced);
    return PRI_MUTANT(n) ? forced : value;
}
#endif
'''


class Mutant(NamedTuple):
    number: int
    file: str
    line: int
    kind: str
    what: str               # "a < b: <=" as a person reads it
    function: str


def header(count: int) -> str:
    """The header that every instrumented file includes first."""
    return HEADER.replace('COUNT', str(count))


class File:
    """One source file: its mutants, and its text with them in it."""

    def __init__(self, path: str, name: str, args: List[str], first: int):
        with open(path, 'rb') as f:
            self.text = f.read()
        self.name = name
        self.next = first
        self.mutants: List[Mutant] = []
        self._visited: Set[Tuple[CursorKind, Tuple[int, int]]] = set()
        # offset -> texts to put there; a deeper node's lie further in
        self._open: Dict[int, List[bytes]] = {}
        self._close: Dict[int, List[bytes]] = {}
        self._replace: Dict[int, Tuple[int, bytes]] = {}
        unit = Index.create().parse(
            path, args,
            options=TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)
        bad = [d for d in unit.diagnostics if d.severity >= 3]
        if bad:
            raise SystemExit(f'{path}: {bad[0]}')
        self.path = path
        self.macros = [self._extent(c) for c in unit.cursor.get_children()
                       if c.kind == CursorKind.MACRO_INSTANTIATION
                       and self._here(c)]
        for c in unit.cursor.get_children():
            if c.kind == CursorKind.FUNCTION_DECL and c.is_definition() \
                    and self._here(c):
                self.function = c.spelling
                for child in c.get_children():
                    if child.kind == CursorKind.COMPOUND_STMT:
                        self._visit(child)

    # -- places ----------------------------------------------------------------

    def _here(self, c: Cursor) -> bool:
        f = c.extent.start.file
        return f is not None and f.name == self.path

    @staticmethod
    def _extent(c: Cursor) -> Tuple[int, int]:
        return c.extent.start.offset, c.extent.end.offset

    def _plain(self, parent: Cursor, *parts: Cursor) -> bool:
        """Whether a node's text is its own and not what a macro expands to,
        and its parts begin and end where macros do, if they have any."""
        if any(self._extent(parent) == m for m in self.macros):
            return False        # all that a macro expands to has its extent
        for c in (parent, *parts):
            a, b = self._extent(c)
            if not self._here(c) or b <= a or any(
                    m[0] < a < m[1] or m[0] < b < m[1]
                    or a == m[0] and b < m[1] for m in self.macros):
                return False
        return True

    def _operator(self, left: Cursor, right: Cursor) -> Tuple[int, int, str]:
        """Where the operator between two operands stands, and which."""
        a, b = self._extent(left)[1], self._extent(right)[0]
        gap = self.text[a:b]
        op = _NOISE.sub(b'', gap)
        at = gap.find(op) if op else -1
        return a + at, a + at + len(op), op.decode() if at >= 0 else ''

    # -- walk --------------------------------------------------------------------

    def _visit(self, c: Cursor) -> None:
        children = list(c.get_children())
        if c.kind in _MUTATED:
            # libclang shows what is in front of a ?: without a middle twice
            if (c.kind, self._extent(c)) in self._visited:
                return
            self._visited.add((c.kind, self._extent(c)))
        if c.kind == CursorKind.CASE_STMT:
            children = children[1:]
        elif c.kind == CursorKind.VAR_DECL and \
                'static' in [t.spelling for t in _first(c, 2)]:
            return
        elif c.kind == CursorKind.BINARY_OPERATOR and len(children) == 2:
            self._binary(c, *children)
        elif c.kind == CursorKind.IF_STMT and children:
            self._condition(c, children[0])
        elif c.kind == CursorKind.CONDITIONAL_OPERATOR and children:
            self._condition(c, children[0])
        for child in children:
            self._visit(child)

    def _binary(self, c: Cursor, left: Cursor, right: Cursor) -> None:
        if not self._plain(c, left, right):
            return
        start, end, op = self._operator(left, right)
        if op in ('&&', '||'):
            for side in (left, right):
                n = self._mutant(side, 'operand',
                                 f'{self._words(side)}: '
                                 f'{"true" if op == "&&" else "false"}')
                self._wrap(side, f'pri_mutant_is({n}, {int(op == "&&")}, !!(',
                           '))')
        elif op in RELATION:
            self._twice(c, left, right, (start, end), op, RELATION[op],
                        'relation')
        elif op in ARITHMETIC and all(
                x.type.get_canonical().kind in _INTEGERS
                for x in (left, right)):
            self._twice(c, left, right, (start, end), op, ARITHMETIC[op],
                        'arithmetic')

    def _twice(self, c, left, right, at, op, other, kind) -> None:
        n = self._mutant(c, kind, f'{self._words(c)}: {other}')
        # + 0 takes a bit field; a pointer may be to a type not known here
        cast = '(uintptr_t)' if TypeKind.POINTER in (
            x.type.get_canonical().kind for x in (left, right)) else ''
        self._wrap(c, f'({{ __auto_type pm_a{n} = {cast}(',
                   f') + 0; __auto_type pm_c{n} = pm_a{n} {op} pm_b{n}; '
                   f'__auto_type pm_d{n} = pm_a{n} {other} pm_b{n}; '
                   f'PRI_MUTANT_DIFFERS({n}, pm_c{n} != pm_d{n}); '
                   f'PRI_MUTANT({n}) ? pm_d{n} : pm_c{n}; }})')
        self._replace[at[0]] = (
            at[1], f') + 0; __auto_type pm_b{n} = {cast}('.encode())

    def _condition(self, parent: Cursor, c: Cursor) -> None:
        inner = c
        while inner.kind in (CursorKind.UNEXPOSED_EXPR,
                             CursorKind.PAREN_EXPR):
            kids = list(inner.get_children())
            if len(kids) != 1:
                break
            inner = kids[0]
        if inner.kind == CursorKind.BINARY_OPERATOR:
            kids = list(inner.get_children())
            if len(kids) == 2 and self._operator(*kids)[2] in ('==', '!='):
                return                  # the relation's mutant is the same
        if self._plain(parent, c):
            n = self._mutant(c, 'condition', f'!({self._words(c)})')
            self._wrap(c, f'(PRI_MUTANT_DIFFERS({n}, 1), '
                       f'PRI_MUTANT({n}) ^ !!(', '))')

    # -- text --------------------------------------------------------------------

    def _words(self, c: Cursor) -> str:
        a, b = self._extent(c)
        return ' '.join(self.text[a:b].decode(errors='replace').split())

    def _mutant(self, c: Cursor, kind: str, what: str) -> int:
        n = self.next
        self.next += 1
        self.mutants.append(Mutant(n, self.name, c.extent.start.line, kind,
                                   what, self.function))
        return n

    def _wrap(self, c: Cursor, before: str, after: str) -> None:
        a, b = self._extent(c)
        self._open.setdefault(a, []).append(before.encode())
        self._close.setdefault(b, []).insert(0, after.encode())

    def _pieces(self) -> Iterator[bytes]:
        last = 0
        places = sorted(set(self._open) | set(self._close)
                        | set(self._replace))
        for p in places:
            yield self.text[last:p]
            yield b''.join(self._close.get(p, []))
            if p in self._replace:
                end, new = self._replace[p]
                yield new + b'\n' * self.text.count(b'\n', p, end)
                last = end
            else:
                last = p
            yield b''.join(self._open.get(p, []))
        yield self.text[last:]

    def instrumented(self) -> bytes:
        text = b''.join(self._pieces())
        return re.sub(rb'(#include "qemu/osdep\.h"[^\n]*)',
                      rb'\1 \n#include "pri-mutant.h"\n#line %d'
                      % (self._osdep_line() + 1), text, count=1)

    def _osdep_line(self) -> int:
        at = self.text.find(b'#include "qemu/osdep.h"')
        if at < 0:
            raise SystemExit(f'{self.name}: does not include qemu/osdep.h')
        return self.text.count(b'\n', 0, at) + 1


def _first(c: Cursor, n: int) -> List:
    out = []
    for t in c.get_tokens():
        out.append(t)
        if len(out) == n:
            break
    return out
