# SPDX-License-Identifier: GPL-2.0-or-later
"""The checklist's IDs: all are known to the page, none stands in a test alone."""
import glob
import importlib.util
import os
import re
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


def generator():
    spec = importlib.util.spec_from_file_location(
        'gen', os.path.join(REPO, 'scripts', 'gen-conformance.py'))
    out = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(out)
    return out


class Ids(unittest.TestCase):
    def setUp(self):
        gen = generator()
        self.lines = gen.items(REPO)
        self.pattern = gen.ids(self.lines)
        self.ids = {x.split('|')[0].strip() for x in self.lines
                    if not x.startswith('#')}

    def test_each_is_found_in_a_name(self):
        for item in self.ids:
            self.assertEqual(self.pattern.findall(f'/vtd/{item}/x'), [item])

    def test_each_of_a_test_is_in_the_checklist(self):
        for path in glob.glob(os.path.join(REPO, 'tests', '*', '*.[ch]')):
            with open(path, encoding='utf-8') as f:
                named = re.findall(r'"[^"\n]*/([A-Z]+-\d+)[/"]', f.read())
            for item in named:
                if self.pattern.fullmatch(item):
                    self.assertIn(item, self.ids, path)


if __name__ == '__main__':
    unittest.main()
