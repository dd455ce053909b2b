# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of `explore` that have a page already."""
import os
import re
import unittest

from pri_lab.explore import campaign, oracle
from pri_lab.races import race

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Known(unittest.TestCase):
    TEXT = '# comment\n7.3  ^KASAN: .* in f$  docs/findings/F.md\n'

    def test_by_kernel(self):
        f = oracle.Finding('KASAN: x', 'f', [], '')
        for kernel, page in (('7.3', 'docs/findings/F.md'),
                             ('7.3/plain+C-08', 'docs/findings/F.md'),
                             ('7.2', ''), ('/tmp/linux', '')):
            self.assertEqual(campaign.Known(self.TEXT, kernel).page(f), page)

    def test_a_line_of_two_series(self):
        f = oracle.Finding('KASAN: x', 'f', [], '')
        text = self.TEXT.replace('7.3  ', '7.1.3|7.3  ')
        for kernel, page in (('7.3', 'docs/findings/F.md'),
                             ('7.1.3+C-08', 'docs/findings/F.md'),
                             ('7.1', ''), ('7.1.3|7.3', '')):
            self.assertEqual(campaign.Known(text, kernel).page(f), page)

    def test_by_scenario(self):
        f = oracle.Finding('sign', 'late', [], '')
        text = '7.3  ^sign late$  docs/findings/F.md  unbind-.*|other\n'
        for scenario, page in (('unbind-late', 'docs/findings/F.md'),
                               ('other', 'docs/findings/F.md'),
                               ('unbind', ''), ('an-other', '')):
            self.assertEqual(campaign.Known(text, '7.3', scenario).page(f),
                             page, scenario)

    def test_what_the_kernel_has_a_fix_of_is_not_known_there(self):
        f = oracle.Finding('WARNING', 'f', [], '')
        text = '7.3  ^WARNING in f$  docs/findings/O-G-late.md\n'
        page = 'docs/findings/O-G-late.md'
        for kernel, want in (('7.3+O-G-fix', ''), ('7.3+C-08+O-G-fix+C-09', ''),
                             ('7.3+O-H-fix', page), ('7.3+O-G', page),
                             ('7.3+O-G-late-fix', '')):
            self.assertEqual(campaign.Known(text, kernel).page(f), want, kernel)
        late = text.replace('O-G', 'S-04')
        self.assertTrue(campaign.Known(late, '7.3+S-0-fix').page(f))
        entry = '7.1.3  ^WARNING in f$  docs/races.md#C-09\n'
        for kernel, want in (('7.1.3', 'docs/races.md#C-09'),
                             ('7.1.3+C-0-fix', 'docs/races.md#C-09'),
                             ('7.1.3+C-09-fix', '')):
            self.assertEqual(campaign.Known(entry, kernel).page(f), want)
        text = text.replace('O-G-late', 'fault-dump-release')
        self.assertEqual(campaign.Known(text, '7.3+fault-dump-fix').page(f), '')

    def test_the_file_of_this_clone_names_pages_that_exist(self):
        with open(os.path.join(REPO, campaign.KNOWN), encoding='utf-8') as f:
            lines = [re.split(r' {2,}', x.strip()) for x in f
                     if not x.startswith('#')]
        scenarios = [e.name for e in race.load(REPO, race.SCENARIOS)]
        self.assertTrue(lines)
        for words in lines:
            self.assertIn(len(words), (3, 4), words)
            re.compile(words[1])
            path, _, entry = words[2].partition('#')
            with open(os.path.join(REPO, path), encoding='utf-8') as f:
                self.assertIn(f'**{entry}**' if entry else '', f.read())
            self.assertTrue(len(words) == 3 or any(
                re.fullmatch(words[3], x) for x in scenarios), words)


if __name__ == '__main__':
    unittest.main()
