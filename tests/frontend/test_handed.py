# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages of races keep what was run in another clone."""
import json
import os
import tempfile
import unittest
from unittest import mock

from pri_lab.races import handed, racetable
from pri_lab.races.race import CANNOT_RUN, NOT_REPRODUCED, REPRODUCED
from test_race import HEADER, REPO, entry


def record(kernel, verdict=REPRODUCED, snapshot=(2, 2), cold=(1, 1), **more):
    return {'name': 'a-race', 'kernel': kernel, 'release': '7.3.4',
            'verdict': verdict, 'snapshot': list(snapshot),
            'cold': list(cold), 'why': '', 'seconds': 60.0, **more}


ALL = [record('7.3'), record('6.12', NOT_REPRODUCED, cold=(0, 0)),
       record('6.18/plain', CANNOT_RUN, (0, 0), (0, 0), why='no KASAN'),
       record('6.1', 'DIFFERS', (1, 2)), record('7.3+X-1-fix', NOT_REPRODUCED)]


class Handed(unittest.TestCase):
    def test_nothing_is_lost_in_the_file(self):
        with tempfile.TemporaryDirectory() as d:
            os.makedirs(os.path.join(d, 'docs', 'results'))
            self.assertEqual(handed.load(d), [])
            handed.store(d, [dict(r, log='/a/path') for r in ALL])
            self.assertEqual(sorted(handed.load(d), key=str),
                             sorted(ALL, key=str))

    def test_that_of_the_repository(self):
        got = handed.load(REPO)
        self.assertGreater(len(got), 200)
        self.assertGreater(len({r['name'] for r in got}), 40)
        self.assertLessEqual({'', 'strict'}, {handed.platform(r) for r in got})

    def test_what_was_run_here_goes_before(self):
        mine = [record('7.3', NOT_REPRODUCED)]
        got = handed.joined(mine, ALL, [entry()])
        self.assertEqual([r['verdict'] for r in got if r['kernel'] == '7.3'],
                         [NOT_REPRODUCED])
        self.assertEqual(len(got), len(ALL))

    def test_exact_runs_stand_beside_the_sample_of_before(self):
        mine = record('7.3', snapshot=(2, 2), cold=(0, 0), exact=True)
        old = record('7.3', snapshot=(100, 100), cold=(5, 5))
        got, = handed.joined([mine], [old], [entry()])
        self.assertEqual(racetable._cell(got, None),
                         'yes 2/2 =, sample 100/100 + 5/5')
        again, = handed.joined([mine], [got], [entry()])
        self.assertEqual(again['sample'], [[100, 100], [5, 5]])
        other = dict(old, verdict=NOT_REPRODUCED)
        for one, before in (mine, other), (record('7.3'), old):
            got, = handed.joined([one], [before], [entry()])
            self.assertNotIn('sample', got)

    def test_a_race_that_there_is_no_more(self):
        self.assertEqual(handed.joined([], [dict(ALL[0], name='gone')],
                                       [entry()]), [])

    def test_the_same_answer_with_more_patches_is_there_once(self):
        header = HEADER.replace('7.3+X-1-fix no', '7.3+X-1-fix no, 7.3+X-1 yes')
        got = handed.joined([record('7.3+O-fix+X-1-fix')],
                            ALL + [record('7.3+X-1')], [entry(header)])
        self.assertEqual(sorted(r['kernel'] for r in got if '+' in r['kernel']),
                         ['7.3+O-fix+X-1-fix', '7.3+X-1'])


class Pages(unittest.TestCase):
    """What `repro --table` writes."""

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        self.results = os.path.join(self.dir, 'results')
        os.makedirs(os.path.join(self.dir, 'docs', 'results'))
        os.makedirs(self.results)
        patch = mock.patch.object(racetable, 'left_out', lambda _: [])
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, platform='', kernels=('7.3',)):
        path = racetable.write(self.dir, self.results, [entry()],
                               set(kernels), platform)
        if not path:
            return ''
        with open(path, encoding='utf-8') as f:
            return f.read()

    def ran(self, r):
        name = f'{r["name"]}@{r["kernel"].replace("/", "_")}.json'
        with open(os.path.join(self.results, name), 'w',
                  encoding='utf-8') as f:
            json.dump(r, f)

    def test_another_clone_keeps_them(self):
        handed.store(self.dir, ALL)
        self.ran(record('7.3', snapshot=(9, 9), seconds=None))
        text = self.write()
        self.assertIn('yes 9/9 + 1/1', text)
        self.assertIn('| 7.3+X-1-fix (7.3.4) | no 2/2 + 1/1 | 60 |', text)
        self.assertNotIn('The seconds', text)      # of all but one
        self.assertIn('- 6.18/plain: no KASAN', text)
        os.remove(os.path.join(self.results, 'a-race@7.3.json'))
        self.assertEqual(self.write(), text)

    def test_a_platform_beside_the_usual_one(self):
        handed.store(self.dir, ALL)
        usual = self.write()
        self.ran(record('7.3@strict', snapshot=(3, 3)))
        self.assertIn('| yes 3/3 + 1/1 |', self.write('strict'))
        self.assertEqual(self.write(), usual)
        self.assertEqual(len(handed.load(self.dir)), len(ALL) + 1)

    def test_no_page_without_a_result(self):
        self.assertEqual(self.write(), '')


if __name__ == '__main__':
    unittest.main()
