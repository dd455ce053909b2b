# SPDX-License-Identifier: GPL-2.0-or-later
import json
import os
import tempfile
import unittest

from pri_lab.check import check
from pri_lab.results import ktap
from pri_lab.results.ktap import FAIL, NOT_RUN, PASS, SKIP


def leaves(text):
    return [(r.name, r.status) for r in ktap.read(text).results]


class Reader(unittest.TestCase):
    def test_flat_tap(self):
        self.assertEqual(leaves(
            'TAP version 13\n1..4\nok 1 /a/b\nnot ok 2 - /a/c\n'
            'ok 3 /a/d # SKIP no device\nnot ok 4 x # TODO later\n'),
            [('/a/b', PASS), ('/a/c', FAIL), ('/a/d', SKIP), ('x', SKIP)])

    def test_nested_ktap_counts_leaves(self):
        self.assertEqual(leaves(
            'KTAP version 1\n1..2\n'
            '  KTAP version 1\n  # Subtest: sva\n  1..2\n'
            '  ok 1 write\n  not ok 2 read\nnot ok 1 sva\n'
            'ok 2 plain\n'),
            [('sva/write', PASS), ('sva/read', FAIL), ('plain', PASS)])

    def test_subtest_named_before_it_is_indented(self):
        self.assertEqual(leaves(
            'KTAP version 1\n1..2\n# Subtest: a\n  1..1\n  ok 1 x\n'
            'ok 1 a\n# Subtest: b\n  1..1\n  ok 1 y\nok 2 b\n'),
            [('a/x', PASS), ('b/y', PASS)])

    def test_parent_that_fails_by_itself_counts(self):
        self.assertEqual(leaves('1..1\n  1..1\n  ok 1 x\nnot ok 1 a\n'),
                         [('x', PASS), ('a', FAIL)])

    def test_promised_and_not_run_is_not_run(self):
        r = ktap.read('1..3\nok 1 a\n')
        self.assertEqual(r.counts(), {PASS: 1, FAIL: 0, SKIP: 0, NOT_RUN: 2})

    def test_inner_plan_not_kept_is_not_run(self):
        r = ktap.read('1..1\n  1..3\n  ok 1 a\nok 1 outer\n')
        self.assertEqual(r.counts(), {PASS: 1, FAIL: 0, SKIP: 0, NOT_RUN: 2})

    def test_guest_that_dies_in_the_middle(self):
        r = ktap.read('KTAP version 1\n1..2\n# Subtest: a\n  1..2\n'
                      '  ok 1 x\n')
        self.assertEqual(r.counts(), {PASS: 1, FAIL: 0, SKIP: 0, NOT_RUN: 2})
        self.assertEqual([x.name for x in r.results],
                         ['a/x', 'a/test 2', 'test 2'])

    def test_guest_that_dies_behind_the_last_inner_test(self):
        r = ktap.read('1..2\n# Subtest: a\n  1..1\n  ok 1 x\n')
        self.assertEqual(r.counts(), {PASS: 1, FAIL: 0, SKIP: 0, NOT_RUN: 2})

    def test_three_levels_that_are_not_finished(self):
        r = ktap.read('1..1\n    # Subtest: a\n    1..1\n'
                      '        # Subtest: b\n        1..2\n'
                      '        ok 1 x\n')
        self.assertEqual([(x.name, x.status) for x in r.results],
                         [('a/b/x', PASS), ('a/b/test 2', NOT_RUN)])

    def test_bail_out(self):
        r = ktap.read('1..5\nok 1 a\nBail out! no device\n')
        self.assertEqual(r.bailed, 'no device')
        self.assertEqual(r.counts()[FAIL], 1)

    def test_skip_all(self):
        r = ktap.read('1..0 # SKIP no KVM\n')
        self.assertEqual(r.counts(), {PASS: 0, FAIL: 0, SKIP: 1, NOT_RUN: 0})
        self.assertEqual(r.results[0].reason, 'no KVM')

    def test_other_output_is_not_a_result(self):
        self.assertEqual(leaves('okay\n# ok 1 no\nnothing\n'), [])

    def test_last_remark_is_why_it_failed(self):
        r = ktap.read('# x.c:9: early\n# x.c:10: status is 1, not 10\n'
                      'not ok 1 a\nnot ok 2 b\n# all is well\nok 3 c\n'
                      '# todo one day\n# stat own faults 9\nnot ok 4 d\n')
        self.assertEqual([x.reason for x in r.results],
                         ['x.c:10: status is 1, not 10', '', '', ''])
        self.assertEqual([x.status for x in r.results],
                         [FAIL, FAIL, PASS, FAIL])

    def test_line_round_trip(self):
        for r in (ktap.Result('a/b', PASS, ''), ktap.Result('a', SKIP, 'x'),
                  ktap.Result('c', FAIL, '')):
            back = ktap.read(r.line(1)).results[0]
            self.assertEqual((back.name, back.status), (r.name, r.status))


def record(**kw):
    base = {'name': 'pri-lab:unit / atc', 'stdout': '', 'result': 'OK',
            'duration': 1.0, 'returncode': 0}
    return {**base, **kw}


class Judge(unittest.TestCase):
    def status(self, **kw):
        return [r.status for r in check.judge(record(**kw)).results]

    def test_tap_program_counts_its_points(self):
        self.assertEqual(self.status(stdout='1..2\nok 1 a\nok 2 b\n'),
                         [PASS, PASS])

    def test_crash_after_good_points_is_a_failure(self):
        self.assertEqual(self.status(stdout='1..1\nok 1 a\n', result='FAIL',
                                     returncode=-6), [PASS, FAIL])

    def test_crash_in_the_middle(self):
        self.assertEqual(self.status(stdout='1..2\nok 1 a\n', result='ERROR',
                                     returncode=-11), [PASS, NOT_RUN, FAIL])

    def test_time_out_without_output(self):
        v = check.judge(record(result='TIMEOUT', returncode=-15))
        self.assertEqual([r.status for r in v.results], [FAIL])
        self.assertIn('no end', v.results[0].reason)

    def test_plain_program_is_one_test(self):
        self.assertEqual(self.status(), [PASS])
        self.assertEqual(self.status(result='SKIP', returncode=77), [SKIP])
        self.assertEqual(self.status(result='FAIL', returncode=1), [FAIL])

    def test_tap_program_that_prints_nothing(self):
        # meson calls it an error; it must not pass silently
        self.assertEqual(self.status(result='ERROR', returncode=0), [FAIL])

    def test_names_and_summary(self):
        self.assertEqual(check.short_name('pri-lab:unit / atc'), 'unit/atc')
        v = [check.judge(record(stdout='1..1\nok 1 a\n')),
             check.judge(record(result='FAIL', returncode=1))]
        self.assertEqual(check.summary(check.count(v)),
                         '1 passed, 1 failed, 0 skipped')


class Selection(unittest.TestCase):
    """What is named is run: meson would run what two names have in common."""
    TESTS = (('test-pcie-pri', 'unit'), ('test-pcie-atc', 'unit'),
             ('pri-x-test', 'qtest'))

    def words(self, *names):
        one = check.Check.__new__(check.Check)
        with tempfile.TemporaryDirectory() as one.dir:
            os.makedirs(os.path.join(one.dir, 'meson-info'))
            with open(os.path.join(one.dir, 'meson-info', 'intro-tests.json'),
                      'w', encoding='utf-8') as f:
                json.dump([{'name': name, 'suite': [f'pri-lab:{suite}']}
                           for name, suite in self.TESTS], f)
            return one._selection(list(names))

    def test_suites_and_tests(self):
        self.assertEqual(self.words(), [])
        self.assertEqual(self.words('unit', 'docs'),
                         ['--suite', 'unit', '--suite', 'docs'])
        self.assertEqual(self.words('pri-x-test'), ['pri-x-test'])
        self.assertEqual(self.words('unit', 'pri-x-test', 'test-pcie-pri'),
                         ['test-pcie-pri', 'test-pcie-atc', 'pri-x-test'])
