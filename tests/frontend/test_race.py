# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of races, what a run came to, and the tally of several"""
import os
import re
import tempfile
import unittest
import unittest.mock

from pri_lab.core.errors import LabError
from pri_lab.explore import steps
from pri_lab.linux import bugkernel
from pri_lab.machine import record
from pri_lab.races import race, racetable
from pri_lab.races.race import CANNOT_RUN, NOT_REPRODUCED, REPRODUCED
from pri_lab.races.tally import Tally
from pri_lab.reproduce import boots

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
HEADER = '''\
/*
 * Race: X-1
 * Title: a thing
 * What: it goes wrong
 *   in two lines
 * Loses: somebody
 * Order: a, b
 * Fix: none
 * Kernels: all
 * Sign: log /KASAN: .*iopf/
 * Sign: log /Queue Error/ x3 and stuck
 * Sign: wrong-data
 * Expect: 7.3 yes, 7.3+X-1-fix no, 6.12 no
 *
 * @device channels=2
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
'''


def entry(text=HEADER):
    return race.Entry('/x/races/a-race.c', text)


class Header(unittest.TestCase):
    def test_fields(self):
        e = entry()
        self.assertEqual((e.id, e.name, e.job),
                         ('X-1', 'a-race', 'races/a-race'))
        self.assertEqual(e.fields['What'], 'it goes wrong in two lines')
        self.assertEqual(e.expect, {'7.3': 'yes', '7.3+X-1-fix': 'no',
                                    '6.12': 'no'})
        self.assertTrue(e.icount)
        self.assertEqual(e.affected(), '7.3')

    def test_what_is_wrong_is_named(self):
        for old, new, said in (
                (' * Fix: none\n', '', 'no Fix'),
                ('Expect: 7.3 yes', 'Expect: 7.3 maybe', 'KERNEL yes|no'),
                ('Expect: 7.3 yes, 7.3+X-1-fix no, 6.12 no', 'Expect:',
                 'KERNEL yes|no'),
                ('Sign: wrong-data', 'Sign: log KASAN', 'not a sign'),
                ('Title: a thing', 'Title: a\n * Title: b', 'Title twice')):
            with self.assertRaisesRegex(ValueError, said.replace('|', r'\|')):
                entry(HEADER.replace(old, new))

    def test_a_bad_file_is_an_error_with_its_name(self):
        with tempfile.TemporaryDirectory() as d:
            os.makedirs(os.path.join(d, race.RACES))
            with open(os.path.join(d, race.RACES, 'b.c'), 'w') as f:
                f.write('int main;\n')
            with self.assertRaisesRegex(LabError, r'races/b\.c: no header'):
                race.load(d)

    def sources(self, path, seen=None):
        """A program and all that it is made of in tests/guest/lib, a text."""
        seen = {path} if seen is None else seen
        with open(path, encoding='utf-8') as f:
            text = f.read()
        for name in re.findall(r'^#include "([\w-]+)\.h"', text, re.M):
            lib = os.path.join(REPO, 'tests/guest/lib', name + '.c')
            if lib not in seen and os.path.exists(lib):
                seen.add(lib)
                text += self.sources(lib, seen)
        return text

    def test_those_of_the_repository(self):
        entries = race.load(REPO)
        scenarios = race.load(REPO, race.SCENARIOS)
        self.assertTrue(entries and scenarios)
        for e in entries + scenarios:
            for kernel in e.expect:
                for bug in kernel.split('+')[1:]:
                    self.assertIn(bug, bugkernel.names(REPO), e.name)
            self.assertTrue(e.limit or 'Sign' not in e.fields, e.name)
            text = self.sources(e.path)
            for s in e.signs:
                for p in s.parts:
                    if p.kind == 'program':
                        self.assertIn(f'"{p.what}"', text, e.name)
        self.assertEqual(race.find(entries, [entries[0].id.lower()])[0].id,
                         entries[0].id)
        with self.assertRaisesRegex(LabError, 'there is no race nothing'):
            race.find(entries, ['nothing'])

    def test_several_races_with_one_order(self):
        e = entry(HEADER.replace('X-1\n', 'X-1, Y-2\n').replace(
            '6.12 no', '6.12 no, 7.3+X-1-fix+Y-2 yes'))
        self.assertEqual((e.id, e.ids), ('X-1', ['X-1', 'Y-2']))
        self.assertEqual(race.find([e], ['y-2']), [e])
        self.assertEqual(e.affected(), '7.3')
        self.assertEqual(e.affected('y-2'), '7.3+X-1-fix+Y-2')
        self.assertEqual(e.id_on('7.3+X-1-fix'), 'X-1')
        self.assertEqual(e.id_on('7.3+X-1-fix+Y-2'), 'Y-2')

    def test_what_a_kernel_lacks(self):
        full = {'CONFIG_KASAN': 'y', 'CONFIG_DEBUG_OBJECTS': 'y',
                'CONFIG_X': 'm'}
        self.assertEqual(entry().lacking({}), [])       # wrong-data will do
        only = HEADER.replace(' * Sign: wrong-data\n', '').replace(
            'log /Queue Error/ x3 and stuck', 'log /ODEBUG: / and stuck')
        self.assertEqual(entry(only).lacking(full), [])
        self.assertEqual(entry(only).lacking(dict(full, CONFIG_KASAN='n')), [])
        self.assertEqual(entry(only).lacking({}),
                         ['CONFIG_DEBUG_OBJECTS', 'CONFIG_KASAN'])
        needs = entry(only.replace(' * Sign', ' * Needs: CONFIG_X, CONFIG_Y\n'
                                   ' * Sign', 1))
        self.assertEqual(needs.lacking(full), ['CONFIG_Y'])

    def test_the_limit(self):
        for text, limit in (
                ('RACE_MAIN("another-name", a_race, 40)\n', 40),
                ('RACE_MAIN("another-name",\n          a_race, 7)\n', 7),
                ('/* RACE_MAIN("x", y, 3) */\nRACE_MAIN("x", y, 4)\n', 4),
                ('RACE_MAIN("x", y, LIMIT)\n', None), ('', None)):
            self.assertEqual(entry(HEADER + text).limit, limit, text)

    def test_a_kernel_with_several_patches(self):
        e = entry()
        self.assertEqual(e.expected('7.3'), REPRODUCED)
        self.assertEqual(e.expected('7.3+Y'), REPRODUCED)
        self.assertEqual(e.expected('7.3+Y+X-1-fix'), NOT_REPRODUCED)
        self.assertEqual(e.expected('7.3/plain+X-1-fix'), NOT_REPRODUCED)
        self.assertIsNone(e.expected('7.2'))

    def test_kernels_that_all_leaves_out(self):
        e = entry(HEADER.replace('6.12 no\n', '6.12 no\n * Elsewhere: 6.1 yes,'
                                 ' 6.18 no\n'))
        self.assertEqual(e.expected('6.1'), REPRODUCED)
        self.assertEqual(e.expected('6.18/plain'), NOT_REPRODUCED)
        self.assertEqual(e.expected('6.12'), NOT_REPRODUCED)
        self.assertEqual(list(e.expect), ['7.3', '7.3+X-1-fix', '6.12'])
        self.assertEqual(entry().elsewhere, {})

    def test_a_kernel_with_fragments(self):
        e = entry(HEADER.replace('7.3+X-1-fix no', '7.3/f no, 7.3/f+Y yes'))
        for name, verdict in (
                ('7.3', REPRODUCED), ('7.3/g', REPRODUCED),
                ('7.3/f', NOT_REPRODUCED), ('7.3/g/f', NOT_REPRODUCED),
                ('7.3/g/f+Z', NOT_REPRODUCED), ('7.3/f+Y', REPRODUCED),
                ('7.3+Y', REPRODUCED), ('7.4/f', None)):
            self.assertEqual(e.expected(name), verdict, name)
        only = entry(HEADER.replace('7.3 yes, 7.3+X-1-fix no, 6.12 no',
                                    '6.1/f yes'))
        self.assertIsNone(only.expected('6.1'))
        self.assertEqual(only.affected(), '6.1/f')

    def test_every_race_of_the_catalogue_is_here_or_has_a_reason(self):
        without = race.left_out(REPO)
        have = [x for e in race.load(REPO) for x in e.ids]
        for x in without:
            self.assertNotIn(x.id, have)
            self.assertTrue(x.title and x.why, x.id)
        have += [x.id for x in without]
        for n in set(range(1, 25)) - {10, 22}:      # not in the catalogue
            self.assertIn(f'C-{n:02}', have)
        for c in 'ABDEFGHI':
            self.assertIn(f'O-{c}', have)
        with self.assertRaisesRegex(LabError, 'cannot run here'):
            race.find([], [without[0].id.lower()], without)
        self.assertIn(without[0].why, racetable.page([], [], without))

    def test_order(self):
        ids = ['S-12', 'O-B', 'C-10', 'C-02', 'S-02', 'O-A']
        self.assertEqual(sorted(ids, key=race._order),
                         ['C-02', 'C-10', 'O-A', 'O-B', 'S-02',
                          'S-12'])


class Explore(unittest.TestCase):
    def test_every_order_once_if_there_are_few(self):
        got = steps.orders(3, 2, 99, 1)
        self.assertEqual(sorted(got), ['ab', 'ac', 'ba', 'bc', 'ca', 'cb'])
        self.assertEqual(got, steps.orders(3, 2, 99, 2))

    def test_random_ones_if_there_are_many(self):
        got = steps.orders(8, 5, 20, 7)
        self.assertEqual((len(got), len(set(got))), (20, 20))
        self.assertTrue(all(len(set(x)) == 5 for x in got))
        self.assertEqual(got, steps.orders(8, 5, 20, 7))
        self.assertNotEqual(got, steps.orders(8, 5, 20, 8))

    def test_names(self):
        self.assertEqual(steps.names('ca', ['x', 'y', 'z']), 'z, x')


class Judge(unittest.TestCase):
    def word(self, console='', ktap='', end='done'):
        v = race.judge(entry(), console.splitlines(), ktap.splitlines(), end)
        return v.word, v.signs, v.why

    def test_any_sign_is_enough(self):
        self.assertEqual(self.word('[ 1.0] BUG: KASAN: uaf in iopf_x')[:2],
                         (REPRODUCED, ['log /KASAN: .*iopf/']))
        self.assertEqual(self.word('', '# race: sign wrong-data: 5')[0],
                         REPRODUCED)

    def test_all_parts_of_a_sign_must_be_seen(self):
        flood = 'x Queue Error\n' * 3
        stuck = '# race: stuck: no end after 4 seconds'
        self.assertEqual(self.word(flood, stuck)[0], REPRODUCED)
        self.assertEqual(self.word(flood, race.DONE)[0], NOT_REPRODUCED)
        self.assertEqual(self.word('Queue Error\n' * 2, stuck)[0],
                         CANNOT_RUN)
        self.assertEqual(self.word('', stuck)[2], 'the program is stuck: '
                         'no end after 4 seconds')

    def test_the_log_may_come_from_the_program(self):
        flood = '# log: x Queue Error\n' * 3
        stuck = '# race: stuck: no end after 4 seconds'
        self.assertEqual(self.word('', flood + stuck)[0], REPRODUCED)
        self.assertIn('KASAN: other', self.word(
            '', '# log: BUG: KASAN: other\n' + race.DONE)[2])

    def test_only_an_end_without_a_sign_is_no(self):
        self.assertEqual(self.word('', race.DONE)[0], NOT_REPRODUCED)
        self.assertEqual(self.word('', 'KTAP version 1')[0], CANNOT_RUN)
        self.assertIn('panic', self.word('', '', 'panic')[2])

    def test_never_a_guess(self):
        self.assertIn('KASAN: other', self.word('BUG: KASAN: other',
                                                race.DONE)[2])
        self.assertIn('not in the header', self.word(
            '', '# race: sign another: x\n' + race.DONE)[2])

    def test_why_it_cannot_run(self):
        self.assertEqual(self.word('', 'ok 1 a # SKIP no SVA')[2], 'no SVA')
        self.assertEqual(self.word('', 'Bail out! no program')[2],
                         'no program')
        self.assertEqual(self.word('', '# pt.c:12: bind: Operation not '
                                   'supported\nnot ok 1 a')[2],
                         'pt.c:12: bind: Operation not supported')


class TallyCase(unittest.TestCase):
    def tally(self, snapshot, cold, kernel='7.3'):
        t = Tally(entry(), kernel)
        t.snapshot = [race.Verdict(w, [], '', []) for w in snapshot]
        t.cold = [race.Verdict(w, [], '', []) for w in cold]
        return t

    def test_all_alike(self):
        t = self.tally([REPRODUCED] * 3, [REPRODUCED])
        self.assertTrue(t.good)
        self.assertEqual(t.counts(), '3/3 from a snapshot, 1/1 cold')

    def test_one_that_differs(self):
        t = self.tally([REPRODUCED, NOT_REPRODUCED], [])
        self.assertFalse(t.good)
        self.assertEqual(t.record()['snapshot'], [1, 2])
        self.assertEqual(t.record()['verdict'], 'DIFFERS')

    def test_not_as_expected(self):
        self.assertFalse(self.tally([NOT_REPRODUCED], []).good)
        self.assertTrue(self.tally([NOT_REPRODUCED], [], '6.12').good)
        self.assertTrue(self.tally([NOT_REPRODUCED], [], '9.9').good)
        self.assertFalse(self.tally([CANNOT_RUN], [], '9.9').good)

    def test_the_page(self):
        records = [self.tally([REPRODUCED] * 2, [REPRODUCED]).record(),
                   self.tally([REPRODUCED], [], '6.12').record()]
        text = racetable.page([entry()], records)
        self.assertIn('| yes 2/2 + 1/1 |', text)
        self.assertIn('| **yes 1/1** |', text)      # 6.12 is to be a no
        today = entry(HEADER.replace('6.12 no', '6.12 yes'))
        self.assertIn('| yes 1/1 |', racetable.page([today], records))
        cold = [self.tally([], [REPRODUCED]).record()]
        self.assertIn('| yes + 1/1 |', racetable.page([entry()], cold))
        self.assertIn('not run', racetable.page([entry()], []))

    def test_kernels_with_a_patch_are_listed_apart(self):
        records = [self.tally([word], [], kernel).record()
                   for word, kernel in ((REPRODUCED, '7.3'),
                                        (NOT_REPRODUCED, '6.12/plain'),
                                        (NOT_REPRODUCED, '7.3+X-1-fix'))]
        text = racetable.page([entry(HEADER.replace('X-1\n', 'X-1, Y-2\n'))],
                              records)
        self.assertIn('| race | entry | 7.3 | 6.12/plain |\n', text)
        self.assertIn('| X-1 | `a-race` | yes 1/1 | no 1/1 |\n', text)
        self.assertIn('| X-1 | `a-race` | 7.3+X-1-fix | no 1/1 | 0 |\n', text)

    def test_the_cost(self):
        records = []
        for kernel, seconds in (('7.3', 60), ('6.12', 120), ('7.3', 180)):
            records.append(self.tally([REPRODUCED] * 2, [REPRODUCED],
                                      kernel).record())
            records[-1]['seconds'] = seconds
        text = racetable.page([entry()], records)
        self.assertIn('boots included, are 6 minutes', text)
        self.assertIn('of 7.3 alone, 2 entries and 6 runs, 4 minutes', text)
