# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts of a kernel of one's own (F1, F2, F6, F7)."""
import dataclasses
import json
import os
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import cache, ui
from pri_lab.core.errors import LabError
from pri_lab.machine import vm
from pri_lab.races import race, racetable
from pri_lab.races.race import CANNOT_RUN, NOT_REPRODUCED, REPRODUCED
from pri_lab.races.tally import Tally, bisect_status, summary
from pri_lab.reproduce import repro, runner as runner_
from pri_lab.state import progress
from test_repro import HEADER

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


def verdict(word):
    return race.Verdict(word, [], '', [])


class OneKernel(unittest.TestCase):
    """The command, with runs that come to what the image says."""

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        self.ran = 0
        self.image = os.path.join(self.dir, 'vmlinux')
        self.entry = race.Entry('/x/races/a-race.c', HEADER)
        self.job = job = repro.Repro.__new__(repro.Repro)
        job.options, job.accel = cli.parse(['repro']), 'tcg'
        job.said = []
        job.ui = ui.UI(quiet=True)
        job.ui.result = job.said.append
        job.paths = cache.Paths(REPO, self.dir)
        job.results = os.path.join(self.dir, 'results')
        job.progress = progress.Progress(os.path.join(self.dir, 'progress'))
        job._configs, job._own = {}, {self.image: True}
        job.runner = lambda name, e: self.runner(name)

    def runner(self, name):
        case = self

        class Runner:
            release = '7.3'
            machine = vm.Machine(case.image, 'tcg', name, '')

            def from_snapshot(self, _e, runs, _d, _s, out, _l, _first):
                case.ran += runs
                with open(name, encoding='utf-8') as f:
                    out += [verdict(f.read())] * runs
            cold = None
        return Runner()

    def build(self, word):
        cache.write_atomic(self.image, word.encode())
        os.utime(self.image, (1, 1))        # neither time nor size tells

    def one(self, runs=2):
        return self.job._one(self.entry, self.image, runs, 0)

    def test_another_kernel_in_the_same_place(self):
        """F1: the second command must not give the first one's verdict."""
        self.job.options = cli.parse(['repro', 'O-A', '--resume'])
        self.build('NOT REPRODUCED')
        self.assertEqual(self.one().verdict, NOT_REPRODUCED)
        self.build('REPRODUCED    '.strip().ljust(14).strip())
        self.assertEqual((self.one().verdict, self.ran), (REPRODUCED, 4))
        self.build('NOT REPRODUCED')        # and back: what is known counts
        self.assertEqual((self.one().verdict, self.ran), (NOT_REPRODUCED, 4))

    def test_it_is_in_no_table_of_the_lab(self):
        self.build('REPRODUCED')
        self.one()
        self.assertEqual(racetable.load(self.job.results), [])

    def test_two_trees_are_two_results(self):
        self.build('REPRODUCED')
        paths = set()
        for name in ('/a b/vmlinux', '/a_b/vmlinux'):
            t = Tally(self.entry, name)
            t.own, t.key = True, cache.key_of(name)
            paths.add(self.job._path(t))
        self.assertEqual(len(paths), 2)

    def test_the_whole_key_is_content(self):
        self.build('REPRODUCED')
        other = os.path.join(self.dir, 'copy')
        cache.write_atomic(other, b'REPRODUCED')
        keys = {self.job.key(self.entry, vm.Machine(self.image, 'tcg', k, ''))
                for k in (self.image, other)}
        self.assertEqual(len(keys), 1)

    def test_nothing_left_to_do_says_so(self):
        """F7"""
        self.build('REPRODUCED')
        self.one()
        before = sorted(os.listdir(os.path.join(self.dir, 'repro')))
        self.job.options = cli.parse(['repro', 'O-A', '--resume'])
        self.job.said.clear()
        self.one()
        said = '\n'.join(self.job.said)
        self.assertIn('REPRODUCED: nothing left to run', said)
        self.assertIn('logs: none', said)
        self.assertIn('with the runs before: 2/2 from a snapshot', said)
        self.assertEqual(sorted(os.listdir(os.path.join(
            self.dir, 'repro'))), before)

    def test_what_did_not_run_is_no_result(self):
        """F4: 'CANNOT RUN: 1/1 from a snapshot', though nothing ran."""
        self.job.runner = mock.Mock(side_effect=LabError('does not build'))
        tally = self.one()
        self.assertEqual((tally.status, tally.verdict), (3, CANNOT_RUN))
        self.assertNotIn('snapshot', '\n'.join(self.job.said))
        self.assertIn('CANNOT RUN: does not build', '\n'.join(self.job.said))


class Status(unittest.TestCase):
    """F2"""

    def tally(self, kernel, expect, *words):
        t = Tally(race.Entry('/x/races/a-race.c', HEADER), kernel, expect)
        t.snapshot = [verdict(w) for w in words]
        return t

    def test_each_outcome_has_its_own(self):
        for kernel, expect, words, status in (
                ('/my', '', [REPRODUCED], 0), ('/my', 'yes', [REPRODUCED], 0),
                ('/my', 'no', [REPRODUCED], 1),
                ('/my', 'yes', [NOT_REPRODUCED], 1),
                ('7.3', '', [NOT_REPRODUCED], 1),
                ('7.3', 'no', [NOT_REPRODUCED], 0),
                ('/my', '', [CANNOT_RUN], 3),
                ('/my', '', [REPRODUCED, NOT_REPRODUCED], 5)):
            self.assertEqual(self.tally(kernel, expect, *words).status,
                             status, (kernel, expect, words))

    def test_for_git_bisect(self):
        for words, status in (
                ([REPRODUCED], 1), ([NOT_REPRODUCED], 0), ([CANNOT_RUN], 125),
                ([CANNOT_RUN, REPRODUCED], 1),
                ([CANNOT_RUN, NOT_REPRODUCED], 125),
                ([NOT_REPRODUCED, NOT_REPRODUCED], 0)):
            self.assertEqual(bisect_status(
                [self.tally('/my', '', *words)]), status, words)

    def test_what_nobody_expects_is_not_as_expected(self):
        tallies = [self.tally('/my', '', REPRODUCED),
                   self.tally('7.3', '', REPRODUCED),
                   self.tally('7.3', 'no', REPRODUCED)]
        self.assertEqual(summary(tallies), '1 as expected, 1 not, 1 without '
                         'an expectation')

    def test_the_first_yes_is_enough_for_it(self):
        runner = runner_.Runner.__new__(runner_.Runner)
        session = mock.Mock()
        runner.ready = lambda *a: (session, None)
        runner.race = lambda *a: verdict(REPRODUCED)
        out = []
        runner.from_snapshot(None, 9, '', mock.Mock(), out, 99.0, True)
        self.assertEqual(len(out), 1)

    def test_shares_are_told_of_it(self):
        """Whatever is not of the whole is an option of each share."""
        made = repro.Repro.__new__(repro.Repro)
        made.accel, made.ctx = 'tcg', mock.Mock(parser=cli.parser())
        words = ['--qemu-src', '/q', '--config', 'a', '--config', 'b',
                 '--make', 'LLVM=1', '--platform', 'strict', '--limit', '9',
                 '--resume', '--bisect', '--expect', 'yes', '--sample']
        made.options = cli.parse(['repro', 'O-A', '--table', *words])
        got = cli.parse(['repro', 'O-A', *made.share_words()])
        self.assertEqual(dataclasses.replace(
            made.options, accel='tcg', table=False), got)
        fields = {f.name for f in dataclasses.fields(made.options)}
        self.assertLessEqual(set(repro.OF_ALL), fields)


class Platform(unittest.TestCase):
    """The races on the strict platform: issue 16, 3"""

    HEADER = HEADER.replace(' *\n * @device', ' * Strict: 7.3 no: the function '
                            'loses it\n *   there, too\n *\n * @device')

    def record(self, kernel, word, header=None):
        t = Tally(race.Entry('/x/races/a-race.c', header or self.HEADER),
                  kernel)
        t.snapshot = [verdict(word)] * 3
        return t

    def test_what_is_expected_there(self):
        e = race.Entry('/x/races/a-race.c', self.HEADER)
        for kernel, word in (('7.3', REPRODUCED), ('7.3@spr', REPRODUCED),
                             ('7.3@strict', NOT_REPRODUCED),
                             ('7.3+X-1-fix@strict', NOT_REPRODUCED),
                             ('6.12@strict', NOT_REPRODUCED),
                             ('9.9@strict', None)):
            self.assertEqual(e.expected(kernel), word, kernel)
        self.assertEqual(e.why_strict, 'the function loses it there, too')
        self.assertTrue(self.record('7.3@strict', NOT_REPRODUCED).good)
        self.assertFalse(self.record('7.3@strict', REPRODUCED).good)
        for text in ('7.3 no', 'maybe: so', '7.3 perhaps: so'):
            with self.assertRaisesRegex(ValueError, 'Strict|Expect'):
                race.Entry('/x/races/a-race.c', self.HEADER.replace(
                    '7.3 no: the function loses it', text).replace(
                        ' *   there, too\n', ''))

    def test_the_page(self):
        e = race.Entry('/x/races/a-race.c', self.HEADER)
        text = racetable.platform_page(
            [e], [self.record('7.3@strict', NOT_REPRODUCED).record(),
                  self.record('7.3+X-1-fix@strict', REPRODUCED).record()],
            'strict')
        self.assertIn('| X-1 | `a-race` | 7.3 | yes | no 3/3 |\n', text)
        self.assertIn('| X-1 | `a-race` | 7.3+X-1-fix | no | **yes 3/3** |\n',
                      text)
        self.assertIn('`a-race`: the function loses it there, too\n', text)
        text = racetable.platform_page([e], [], 'strict')
        self.assertIn('| X-1 | `a-race` | | | not run |\n', text)
        self.assertNotIn('What ran came out', text)
        same = race.Entry('/x/races/a-race.c', HEADER)
        self.assertIn('What ran came out as its header', racetable.
                      platform_page([same], [], 'strict'))

    def test_each_page_has_its_own_results(self):
        with tempfile.TemporaryDirectory() as d:
            results = os.path.join(d, 'results')
            entries = [race.Entry('/x/races/a-race.c', self.HEADER)]

            def write(platform):
                return racetable.write(d, results, entries, set(), platform)
            os.makedirs(os.path.join(d, 'docs'))
            for kernel, word in (('7.3', REPRODUCED),
                                 ('7.3@strict', NOT_REPRODUCED)):
                cache.write_atomic(
                    os.path.join(results, f'a-race@{kernel}.json'),
                    json.dumps(self.record(kernel, word).record()).encode())
            with mock.patch.object(racetable, 'left_out', return_value=[]):
                for platform, name in (('', 'races'),
                                       ('strict', 'races-strict')):
                    path = os.path.join(d, 'docs', f'{name}.md')
                    self.assertEqual(write(platform), path)
                    with open(path, encoding='utf-8') as f:
                        text = f.read()
                    self.assertEqual('yes 3/3' in text, not platform)
                    self.assertEqual('| no 3/3' in text, bool(platform))
                self.assertIsNone(write('spr'))

    def test_a_kernel_that_has_no_place_on_the_page_is_named(self):
        entries = [race.Entry('/x/races/a-race.c', self.HEADER)]
        with tempfile.TemporaryDirectory() as d:
            for kernel in ('7.3', '7.3+X-1', '7.3+X-1+X-2', '7.3+Y@strict'):
                cache.write_atomic(
                    os.path.join(d, f'a-race@{kernel}.json'),
                    json.dumps(self.record(kernel, REPRODUCED).record())
                    .encode())
            mine, other = racetable.of_page(d, entries, {'7.3+X-1'}, '')
        self.assertEqual({r['kernel'] for r in mine}, {'7.3', '7.3+X-1'})
        self.assertEqual(other, ['7.3+X-1+X-2'])


class Interrupted(unittest.TestCase):
    """F6"""

    def test_it_says_what_goes_on(self):
        for words, said, not_said in (
                (['repro', 'O-A'], 'add --resume', 'continues'),
                (['build'], 'continues', '--resume')):
            text = cli.parse(words).INTERRUPTED
            self.assertIn(said, text)
            self.assertNotIn(not_said, text)


if __name__ == '__main__':
    unittest.main()
