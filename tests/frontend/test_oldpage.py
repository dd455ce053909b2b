# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/races.md keeps what was run in another clone."""
import json
import os
import tempfile
import unittest
from unittest import mock

from pri_lab.races import oldpage, racetable
from pri_lab.races.race import CANNOT_RUN, NOT_REPRODUCED, REPRODUCED
from test_race import HEADER, REPO, entry


def record(kernel, verdict=REPRODUCED, snapshot=(2, 2), cold=(1, 1), **more):
    return {'name': 'a-race', 'kernel': kernel, 'release': '7.3.4',
            'verdict': verdict, 'snapshot': list(snapshot),
            'cold': list(cold), 'why': '', 'seconds': 60.0, **more}


ALL = [record('7.3'), record('6.12', NOT_REPRODUCED, cold=(0, 0)),
       record('6.18/plain', CANNOT_RUN, (0, 0), (0, 0), why='no KASAN'),
       record('6.1', 'DIFFERS', (1, 2)), record('7.3+X-1-fix', NOT_REPRODUCED)]


class OldPage(unittest.TestCase):
    def test_a_page_says_all_but_the_seconds(self):
        got = {r['kernel']: r for r in oldpage.records(
            racetable.page([entry()], ALL))}
        self.assertEqual(len(got), len(ALL))
        for r in ALL:
            seconds = 60.0 if '+' in r['kernel'] else None
            self.assertEqual(got[r['kernel']], {**r, 'seconds': seconds})

    def test_the_page_of_the_repository_stays(self):
        with open(os.path.join(REPO, racetable.PAGE), encoding='utf-8') as f:
            text = f.read()
        got = oldpage.records(text)
        self.assertGreater(len(got), 150)
        self.assertGreater(len({r['name'] for r in got}), 40)

    def test_so_does_the_page_of_a_platform(self):
        on_it = [dict(r, kernel=r['kernel'] + '@strict') for r in ALL]
        text = racetable.platform_page([entry()], on_it, 'strict')
        got = {r['kernel']: r for r in oldpage.records(text, 'strict')}
        self.assertEqual(got, {r['kernel']: dict(r, seconds=None)
                               for r in on_it})
        mine = [record('7.3@strict', NOT_REPRODUCED)]
        got = oldpage.joined(mine, text, [entry()], 'strict')
        self.assertEqual(len(got), len(ALL))
        self.assertEqual(got[0]['verdict'], NOT_REPRODUCED)

    def test_what_was_run_here_goes_before(self):
        text = racetable.page([entry()], ALL)
        mine = [record('7.3', NOT_REPRODUCED)]
        got = oldpage.joined(mine, text, [entry()])
        self.assertEqual([r['verdict'] for r in got if r['kernel'] == '7.3'],
                         [NOT_REPRODUCED])
        self.assertEqual(len(got), len(ALL))

    def test_the_same_answer_with_more_patches_is_there_once(self):
        header = HEADER.replace('7.3+X-1-fix no', '7.3+X-1-fix no, 7.3+X-1 yes')
        text = racetable.page([entry(header)], ALL + [record('7.3+X-1')])
        got = oldpage.joined([record('7.3+O-fix+X-1-fix')], text,
                             [entry(header)])
        self.assertEqual(sorted(r['kernel'] for r in got if '+' in r['kernel']),
                         ['7.3+O-fix+X-1-fix', '7.3+X-1'])

    def test_the_command_keeps_what_the_page_has(self):
        with tempfile.TemporaryDirectory() as d:
            results = os.path.join(d, 'results')
            os.makedirs(os.path.join(d, 'docs'))
            os.makedirs(results)
            page = os.path.join(d, racetable.PAGE)
            with open(page, 'w', encoding='utf-8') as f:
                f.write(racetable.page([entry()], ALL))
            with open(os.path.join(results, 'a-race@7.3.json'), 'w',
                      encoding='utf-8') as f:
                json.dump(record('7.3', snapshot=(9, 9)), f)
            with mock.patch.object(racetable, 'left_out', lambda _: []):
                self.assertEqual(racetable.write(d, results, [entry()],
                                                 {'7.3'}, ''), page)
            with open(page, encoding='utf-8') as f:
                text = f.read()
        self.assertIn('yes 9/9 + 1/1', text)
        self.assertIn('| 7.3+X-1-fix (7.3.4) | no 2/2 + 1/1 | 60 |', text)
        self.assertNotIn('The seconds', text)      # of two in five
        self.assertIn('- 6.18/plain: no KASAN', text)

    def test_a_page_is_written_anew_without_a_result(self):
        with tempfile.TemporaryDirectory() as d:
            os.makedirs(os.path.join(d, 'docs'))
            page = os.path.join(d, racetable.PAGE)
            with mock.patch.object(racetable, 'left_out', lambda _: []):
                def write():
                    return racetable.write(d, d, [entry()], set(), '')
                self.assertIsNone(write())
                with open(page, 'w', encoding='utf-8') as f:
                    f.write(racetable.page([entry()], ALL[:1]))
                self.assertEqual(write(), page)


if __name__ == '__main__':
    unittest.main()
