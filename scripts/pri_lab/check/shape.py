# SPDX-License-Identifier: GPL-2.0-or-later
"""`check shape`: how long files and functions are, and who calls whom.

A file of ours has at most 600 lines, a function at most 70, and the C files of
a folder call each other without a cycle.  What is over that today is listed in
tests/too-long.txt with its size: it may shrink, and not grow.
"""

from __future__ import annotations

import ast
import os
import re
from typing import Dict, Iterator, List, Set, Tuple

FILE_LINES = 600
FUNCTION_LINES = 70
_C = ('.c', '.h')
_TOPS = ('accel', 'hw', 'include', 'guest', 'scripts', 'tests', 'bench')
# folders whose C files are ours alone
LEVELS = ('hw/i386', 'hw/misc', 'hw/pci', 'guest/driver')

Functions = Iterator[Tuple[str, int, int]]      # name, its line, its lines


def _files(repo: str, suffixes: Tuple[str, ...]) -> Iterator[str]:
    for top in _TOPS:
        for base, dirs, names in os.walk(os.path.join(repo, top)):
            dirs[:] = sorted(d for d in dirs if d != '__pycache__')
            for name in sorted(names):
                if name.endswith(suffixes):
                    yield os.path.relpath(os.path.join(base, name), repo)


def _read(repo: str, path: str) -> str:
    with open(os.path.join(repo, path), encoding='utf-8') as f:
        return f.read()


# -- sizes ----------------------------------------------------------------------

_C_NAME = re.compile(r'(\w+)\(')


def c_functions(text: str) -> Functions:
    """From the line of the name to the brace in column 0."""
    lines = text.split('\n')
    start = -1
    for n, line in enumerate(lines):
        if line == '{':
            start = n
            while start and re.match(r'\s', lines[start - 1]):
                start -= 1
            start = max(start - 1, 0)
        elif line == '}' and start >= 0:
            name = _C_NAME.search(lines[start])
            if name:
                yield name.group(1), start + 1, n - start + 1
            start = -1


def python_functions(text: str) -> Functions:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield (node.name, node.lineno,
                   (node.end_lineno or node.lineno) - node.lineno + 1)


def sizes(repo: str) -> Dict[str, int]:
    """What is too long -> its lines; a function is FILE:NAME."""
    out = {}
    for path in _files(repo, _C + ('.py', '.js', '.sh')):
        text = _read(repo, path)
        lines = text.count('\n')
        if lines > FILE_LINES:
            out[path] = lines
        functions: Functions = iter(())
        if path.endswith(_C):
            functions = c_functions(text)
        elif path.endswith('.py'):
            functions = python_functions(text)
        for name, _, length in functions:
            if length > FUNCTION_LINES:
                out[f'{path}:{name}'] = length
    return out


# -- cycles ---------------------------------------------------------------------

_NOISE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
_DEFINED = re.compile(
    r'^(?!static|typedef|struct|enum|#)[\w \*]*?\b(\w+)'
    r'\((?:[^;{()]|\([^;{()]*\))*\)\n\{'
    r'|^(?:const )?\w+ (\w+)(?:\[\])? = \{', re.M)


def calls(repo: str, folder: str) -> Dict[str, Dict[str, Set[str]]]:
    """File -> files that it uses names of -> those names."""
    text = {}
    home: Dict[str, str] = {}
    for path in _files(repo, ('.c',)):
        if os.path.dirname(path) == folder or path.startswith(folder + '/'):
            text[path] = _NOISE.sub(' ', _read(repo, path))
            for m in _DEFINED.finditer(text[path]):
                home.setdefault(m.group(1) or m.group(2), path)
    out: Dict[str, Dict[str, Set[str]]] = {}
    for path, code in text.items():
        used = out.setdefault(path, {})
        for name in set(re.findall(r'\w+', code)):
            if home.get(name, path) != path:
                used.setdefault(home[name], set()).add(name)
    return out


def cycles(graph: Dict[str, Dict[str, Set[str]]]) -> List[List[str]]:
    """Files that reach each other, the groups sorted."""
    def reach(start: str) -> Set[str]:
        seen: Set[str] = set()
        todo = list(graph[start])
        while todo:
            path = todo.pop()
            if path not in seen:
                seen.add(path)
                todo += graph[path]
        return seen

    far = {path: reach(path) for path in graph}
    groups = {tuple(sorted(q for q in far[p] if p in far[q]))
              for p in graph if p in far[p]}
    return [list(g) for g in sorted(groups)]


# -- the check ------------------------------------------------------------------

def known(repo: str) -> Dict[str, int]:
    """What is too long today, from tests/too-long.txt."""
    out = {}
    for line in _read(repo, 'tests/too-long.txt').split('\n'):
        if line and not line.startswith('#'):
            lines, name = line.split()
            out[name] = int(lines)
    return out


def check(repo: str) -> List[str]:
    """Complaints, one a line."""
    out = []
    listed = known(repo)
    found = sizes(repo)
    for name, lines in sorted(found.items()):
        most = FUNCTION_LINES if ':' in name else FILE_LINES
        if lines > listed.get(name, most):
            out.append(f'{name}: {lines} lines, at most '
                       f'{listed.get(name, most)}: split it')
    for name in sorted(set(listed) - set(found)):
        if name.startswith('cycle:'):
            continue
        out.append(f'tests/too-long.txt: {name} is not too long any more: '
                   f'take its line out')
    for folder in LEVELS:
        graph = calls(repo, folder)
        size = listed.get(f'cycle:{folder}', 0)
        groups = cycles(graph)
        if size and not groups:
            out.append(f'tests/too-long.txt: {folder} has no cycle any more: '
                       'take its line out')
        for group in groups:
            if len(group) > size:
                out.append(f'{folder}: {len(group)} files call each other in '
                           f'a cycle: ' + ' '.join(os.path.basename(p)
                                                   for p in group))
                for p in group:
                    for q in sorted(set(graph[p]) & set(group)):
                        out.append(f'    {os.path.basename(p)} calls '
                                   f'{os.path.basename(q)}: '
                                   + ' '.join(sorted(graph[p][q])[:4]))
    return out


def listing(repo: str) -> List[str]:
    """What tests/too-long.txt would be without its comments."""
    out = [f'{lines} {name}' for name, lines in sizes(repo).items()]
    for folder in LEVELS:
        sizes_of = [len(g) for g in cycles(calls(repo, folder))]
        if sizes_of:
            out.append(f'{max(sizes_of)} cycle:{folder}')
    return sorted(out, key=lambda line: line.split()[1])


def main(argv: List[str], repo: str) -> int:
    if argv == ['--list']:
        print('\n'.join(listing(repo)))
        return 0
    found = check(repo)
    print('1..1')
    for line in found:
        print(f'# {line}')
    print('not ok 1 - shape' if found else 'ok 1 - shape')
    return 1 if found else 0
