# SPDX-License-Identifier: GPL-2.0-or-later
"""The modules of the front end and its packages stand on each other: no cycle.

A package is a folder of scripts/pri_lab; a module beside them (cli.py) counts
as a package of its own.
"""

import ast
import os
import re
import tempfile
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
TOP = os.path.join(REPO, 'scripts', 'pri_lab')


def modules(top):
    """Dotted name below top -> path; of a package that of its __init__.py."""
    out = {}
    for d, _, names in os.walk(top):
        for n in names:
            if n.endswith('.py'):
                path = os.path.join(d, n)
                name = os.path.relpath(path, top)[:-3].replace(os.sep, '.')
                out[name.replace('.__init__', '')] = path
    return out


def _target(name, path, node):
    """The dotted name of what `from X import` reads from."""
    package = name.split('.')
    if not path.endswith('__init__.py'):
        package.pop()
    up = node.level - 1
    return package[:len(package) - up] + (
        node.module.split('.') if node.module else [])


def imports(top):
    """Module -> modules that it imports, in functions too."""
    have = modules(top)
    edges = {}
    for name, path in have.items():
        with open(path, encoding='utf-8') as f:
            tree = ast.parse(f.read())
        out = edges.setdefault(name, set())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = _target(name, path, node)
                for what in node.names:
                    full = '.'.join(base + [what.name])
                    out |= {full if full in have else '.'.join(base)} & \
                        set(have)
    return edges


def by_package(edges):
    """The same of packages."""
    out = {}
    for name, to in edges.items():
        me = name.split('.')[0]
        out.setdefault(me, set()).update(
            {t.split('.')[0] for t in to} - {me})
    return out


def cycle(edges):
    """The nodes of a cycle, or []."""
    state = {}

    def visit(node, path):
        if state.get(node) == 1:
            return path[path.index(node):] + [node]
        if node in state:
            return []
        state[node] = 1
        for n in sorted(edges.get(node, ())):
            found = visit(n, path + [node])
            if found:
                return found
        state[node] = 2
        return []

    for node in sorted(edges):
        found = visit(node, [])
        if found:
            return found
    return []


class Imports(unittest.TestCase):
    def test_no_cycle_of_modules(self):
        self.assertEqual(cycle(imports(TOP)), [])

    def test_no_cycle_of_packages(self):
        self.assertEqual(cycle(by_package(imports(TOP))), [])

    def test_the_page_has_their_order(self):
        """Packages of docs/internals.md import from those above them."""
        with open(os.path.join(REPO, 'docs', 'internals.md'),
                  encoding='utf-8') as f:
            text = f.read().split('## The front end', 1)[1].split('\n## ')[0]
        above, edges = set(), by_package(imports(TOP))
        packages = {n for n in edges
                    if os.path.isdir(os.path.join(TOP, n))}
        for line in re.findall(r'^\| (`.*?) \|', text, re.M):
            for name in re.findall(r'`(\w+)`', line):
                self.assertLessEqual(edges[name] & packages, above, name)
            above |= set(re.findall(r'`(\w+)`', line))
        self.assertEqual(above, packages - {'__init__', ''})

    def test_a_cycle_is_seen(self):
        with tempfile.TemporaryDirectory() as top:
            for name, text in (('a/__init__.py', ''), ('b/__init__.py', ''),
                               ('a/x.py', 'from ..b import y\n'),
                               ('a/z.py', 'A = 1\n'),
                               ('b/y.py', 'def f():\n'
                                          '    from ..a.z import A\n')):
                path = os.path.join(top, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, 'w', encoding='utf-8') as f:
                    f.write(text)
            edges = imports(top)
            self.assertEqual(edges['b.y'], {'a.z'})
            self.assertEqual(cycle(edges), [])
            self.assertEqual(cycle(by_package(edges)), ['a', 'b', 'a'])


if __name__ == '__main__':
    unittest.main()
