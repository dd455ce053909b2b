# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes of files and functions, and cycles between C files."""

import os
import tempfile
import unittest

from pri_lab.check import shape

LONG_C = 'int f(int a,\n      int b)\n{\n' + '    a++;\n' * 68 + '}\n'


class Tree(unittest.TestCase):
    def setUp(self) -> None:
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.repo = tmp.name
        for folder in shape.LEVELS:
            os.makedirs(os.path.join(self.repo, folder))
        self.write('tests/too-long.txt', '# nothing\n')

    def write(self, path: str, text: str) -> None:
        full = os.path.join(self.repo, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as f:
            f.write(text)


class TestSizes(Tree):
    def test_file(self) -> None:
        self.write('hw/pci/a.c', '\n' * 600)
        self.assertEqual(shape.check(self.repo), [])
        self.write('hw/pci/a.c', '\n' * 601)
        self.assertEqual(shape.check(self.repo),
                         ['hw/pci/a.c: 601 lines, at most 600: split it'])

    def test_function(self) -> None:
        self.write('hw/pci/a.c', LONG_C)
        self.assertEqual(shape.check(self.repo),
                         ['hw/pci/a.c:f: 72 lines, at most 70: split it'])
        self.write('hw/pci/a.c', LONG_C.replace('    a++;\n', '', 2))
        self.assertEqual(shape.check(self.repo), [])
        self.write('scripts/a.py', 'def f():\n' + '    pass\n' * 70)
        self.assertEqual(shape.check(self.repo),
                         ['scripts/a.py:f: 71 lines, at most 70: split it'])

    def test_listed(self) -> None:
        """What is listed may shrink; when it is good, its line goes."""
        self.write('tests/too-long.txt', '700 hw/pci/a.c\n')
        self.write('hw/pci/a.c', '\n' * 650)
        self.assertEqual(shape.check(self.repo), [])
        self.write('hw/pci/a.c', '\n' * 701)
        self.assertIn('at most 700', shape.check(self.repo)[0])
        self.write('hw/pci/a.c', '\n' * 600)
        self.assertIn('take its line out', shape.check(self.repo)[0])


class TestCycles(Tree):
    A = 'void a(void)\n{\n    b();\n}\n'
    B = 'void b(void)\n{\n    c();\n}\n'

    def test_none(self) -> None:
        self.write('hw/pci/a.c', self.A)
        self.write('hw/pci/b.c', self.B)
        # a name in a comment or a string is no call
        self.write('hw/pci/c.c', 'void c(void)\n{\n    /* a */ x("a");\n}\n')
        self.assertEqual(shape.check(self.repo), [])

    def test_cycle(self) -> None:
        self.write('hw/pci/a.c', self.A)
        self.write('hw/pci/b.c', self.B)
        self.write('hw/pci/c.c', 'void c(void)\n{\n    a();\n}\n')
        found = shape.check(self.repo)
        self.assertIn('hw/pci: 3 files call each other in a cycle: a.c b.c '
                      'c.c', found[0])
        self.assertEqual(found[1], '    a.c calls b.c: b')
        self.write('tests/too-long.txt', '3 cycle:hw/pci\n')
        self.assertEqual(shape.check(self.repo), [])
        os.unlink(os.path.join(self.repo, 'hw/pci/c.c'))
        self.assertIn('no cycle any more', shape.check(self.repo)[0])


if __name__ == '__main__':
    unittest.main()
