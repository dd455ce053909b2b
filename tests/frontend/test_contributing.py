# SPDX-License-Identifier: GPL-2.0-or-later
"""CONTRIBUTING.md names what there is (issue 18, item 6)."""
import os
import re
import unittest

from pri_lab import cli
from pri_lab.inputs import names

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
RECIPES = ('knob', 'link action', 'register', 'race', 'scenario', 'kernel',
           'kind of machine', 'patch of QEMU', 'checklist item', 'trace event')


class Page(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(REPO, 'CONTRIBUTING.md'),
                  encoding='utf-8') as f:
            self.text = f.read()

    def test_every_recipe_has_its_proof_and_is_short(self):
        parts = re.split(r'^## A ', self.text, flags=re.M)[1:]
        self.assertEqual([p.split('\n')[0] for p in parts], list(RECIPES))
        for p in parts:
            self.assertIn('\nProof: `./pri-lab ', p)
            self.assertLessEqual(len(p.strip().split('\n')), 16, p[:20])

    def test_every_path_is_there(self):
        for path in re.findall(r'`((?:hw|include|tests|guest|scripts|docs|'
                               r'patches)/[\w./*-]+)`', self.text):
            if any(x in path for x in ('NAME', 'ID', '*')):
                path = os.path.dirname(path)
            self.assertTrue(os.path.exists(os.path.join(REPO, path)), path)

    def test_every_command_can_be_typed(self):
        have = names.check_names(REPO)
        for line in re.findall(r'`\./pri-lab ([^`&]*)', self.text):
            words = line.split()
            self.assertIn(words[0], cli.COMMANDS)
            if words[0] == 'check' and '--kernel' not in words:
                for w in words[1:]:
                    self.assertIn(w, have + ['TEST'])


if __name__ == '__main__':
    unittest.main()
