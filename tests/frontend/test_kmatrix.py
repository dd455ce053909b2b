# SPDX-License-Identifier: GPL-2.0-or-later
import os
import tempfile
import unittest
import xml.etree.ElementTree as ET
from unittest import mock

from pri_lab import cli
from pri_lab.check import check, kmatrix
from pri_lab.commands import check as command
from pri_lab.core.errors import LabError, Unavailable
from pri_lab.linux import matrix
from pri_lab.machine import jobs, ready, vm
from pri_lab.results import junit
from pri_lab.results.ktap import FAIL, NOT_RUN, PASS, SKIP, Reader, Result

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


def column(kernel, *results, **more):
    c = kmatrix.Column(kernel, f'{kernel}.1', f'{kernel}.1-1', 'abc',
                       '2026-01-01', '', [Result(*r) for r in results])
    return c._replace(**more)


OLD = column('6.1', ('sva/write', SKIP, 'no SVA'),
             ('sva/read', SKIP, 'no SVA'), ('raw/a', PASS, ''),
             (f'all: {vm.ENDED}', PASS, ''))
NEW = column('7.3', ('sva/write', PASS, ''), ('sva/read', FAIL, 'boom'),
             ('raw/a', PASS, ''), ('machines/x/t', PASS, ''),
             (f'all: {vm.ENDED}', PASS, ''))


class Table(unittest.TestCase):
    def test_rows(self):
        rows = {r[0]: r[1:] for r in kmatrix.rows([OLD, NEW])}
        self.assertEqual(rows['sva'], ('2 skip', '1 ok, 1 FAIL'))
        self.assertEqual(rows['  write'], ('skip', 'ok'))
        self.assertEqual(rows['  read'], ('skip', 'FAIL'))
        self.assertEqual(rows['raw'], ('1 ok', '1 ok'))
        self.assertNotIn('  a', rows)           # ok everywhere
        self.assertEqual(rows['machines/x'], ('-', '1 ok'))
        self.assertEqual(rows['  t'], ('-', 'ok'))

    def test_reasons_are_below(self):
        lines = kmatrix.text([OLD, NEW])
        self.assertIn('6.1: skip: no SVA: sva/write, sva/read', lines)
        self.assertIn('7.3: FAIL: boom: sva/read', lines)

    def test_warnings_of_the_driver_count(self):
        from pri_lab.guest import guest
        self.assertEqual(kmatrix.driver_result([]).status, PASS)
        bad = kmatrix.driver_result(['x.c:1: warning: unused', 'y'])
        self.assertEqual((bad.status, bad.reason),
                         (FAIL, 'x.c:1: warning: unused'))
        for line, hit in (('pci.c:3:4: warning: unused variable', True),
                          ('WARNING: modpost: missing MODULE_LICENSE', True),
                          ('warning: the compiler differs from the one', False),
                          ('warning: pahole version differs from the one',
                           False),
                          ('  CC [M]  pci.o', False)):
            self.assertEqual(bool(guest.WARNING.search(line)), hit, line)

    def test_worst_of_two_runs_of_a_test_counts(self):
        twice = column('x', ('a/b', FAIL, ''), ('a/b', PASS, ''))
        self.assertEqual(kmatrix.cells([twice])['a/b'], {'x': 'FAIL'})

    def test_total_is_last_and_counts_everything(self):
        self.assertEqual(kmatrix.rows([OLD, NEW])[-1],
                         ('total', '2 ok, 2 skip', '4 ok, 1 FAIL'))

    def test_page(self):
        page = kmatrix.page([OLD._replace(config='plain'), NEW],
                            {'6.1': 'an old one', '7.3': '', '7.2': ''})
        self.assertIn('| 6.1 | 6.1.1 | 6.1.1-1 | base + plain | 2026-01-01, '
                      'abc | 2 | 0 | 2 | an old one |', page)
        self.assertIn('| 7.3 | 7.3.1 | 7.3.1-1 | base | 2026', page)
        self.assertIn('| **sva** | 2 skip | 1 ok, 1 FAIL |', page)
        self.assertIn('- 7.3: FAIL: boom: sva/read', page)
        self.assertIn('Not run by it: 7.2.\n', page)

    def test_kept_beside_older_ones(self):
        with tempfile.TemporaryDirectory() as d:
            kmatrix.store(d, [OLD, NEW])
            again = OLD._replace(results=[Result('raw/a', PASS, '')])
            kmatrix.store(d, [again])
            got = kmatrix.load(d)
        self.assertEqual(got, {'6.1': again, '7.3': NEW})

    def report(self, repo, *cols):
        """The page that a new clone writes that has run these."""
        with tempfile.TemporaryDirectory() as work:
            if cols:
                kmatrix.store(work, list(cols))
            path = kmatrix.write_page(repo, work)
        if not path:
            return ''
        with open(path, encoding='utf-8') as f:
            return f.read()

    def test_a_new_clone_adds_to_the_page(self):
        with tempfile.TemporaryDirectory() as repo, \
                mock.patch.object(matrix, 'load', return_value={}):
            self.assertEqual(self.report(repo), '')
            self.report(repo, OLD._replace(config='plain'))
            both = self.report(repo, NEW)
            self.assertEqual(both, kmatrix.page(
                [OLD._replace(config='plain'), NEW], {}))
            # of two runs of a kernel the later one
            self.assertEqual(self.report(repo, NEW._replace(
                date='2025-12-31', results=[])), both)
            later = NEW._replace(date='2026-01-02', results=[])
            self.assertIn('| 2026-01-02, abc | 0 | 0 | 0 |',
                          self.report(repo, later))
            self.assertEqual(list(kmatrix.of_page(repo)), ['6.1', '7.3'])

    def test_results_are_the_same_when_read_again(self):
        odd = column('x', ('all: it ends', NOT_RUN, 'no: # reason'),
                     ('a/b', FAIL, ''), problem='why')
        with tempfile.TemporaryDirectory() as repo, \
                mock.patch.object(matrix, 'load', return_value={}):
            self.report(repo, odd, NEW)
            self.assertEqual(kmatrix.of_page(repo), {'x': odd, '7.3': NEW})

    def test_page_is_that_of_its_data(self):
        entries = matrix.load(REPO)
        with open(os.path.join(REPO, kmatrix.PAGE), encoding='utf-8') as f:
            self.assertEqual(f.read(), kmatrix.page(
                kmatrix.ordered(kmatrix.of_page(REPO), entries),
                {e.name: e.note for e in entries.values()}))

    def test_order_of_the_file_then_the_users_own(self):
        cols = {n: column(n) for n in ('/home/x', '7.3', '6.12', '6.1')}
        self.assertEqual(
            [c.kernel for c in kmatrix.ordered(cols, matrix.load(REPO))],
            ['6.1', '6.12', '7.3', '/home/x'])


class Jobs(unittest.TestCase):
    def test_names(self):
        every = ['all'] + jobs.own_machine(REPO)
        self.assertEqual(kmatrix.guest_jobs(REPO, []), every)
        self.assertEqual(kmatrix.guest_jobs(REPO, ['guest']), every)
        self.assertEqual(kmatrix.guest_jobs(REPO, ['sva-basic']),
                         ['sva-basic'])
        for job in jobs.own_machine(REPO):
            self.assertEqual(kmatrix.guest_jobs(
                REPO, ['guest-' + os.path.basename(job)]), [job])

    def outcome(self, text, problems=(), status=0):
        out = vm.Outcome()
        out.reader = Reader()
        for line in text.splitlines():
            out.reader.feed(line)
        out.reader.finish()
        out.exit = status
        out.problems = list(problems)
        return out

    def test_a_boot_that_went_wrong_is_a_failure(self):
        got = kmatrix.job_results('all', self.outcome('1..1\nok 1 a\n',
                                                      ['no end after 9 s']))
        self.assertEqual([r.status for r in got], [PASS, FAIL])
        self.assertEqual(got[1].reason, 'no end after 9 s')

    def test_a_failed_test_is_not_told_twice(self):
        got = kmatrix.job_results('sva', self.outcome(
            '1..1\nnot ok 1 a\n', ['the job ended with status 1'], 1))
        self.assertEqual([(r.name, r.status) for r in got], [
            ('sva/a', FAIL), (f'sva: {vm.ENDED}', PASS)])


class Columns(unittest.TestCase):
    """The column of a kernel that is not available or cannot be built."""

    def column(self, error):
        ctx = mock.MagicMock()
        ctx.paths.repo = REPO
        with mock.patch.object(ready, 'kernel', side_effect=error):
            return command.column(ctx, None, '6.1', ['all'], '', 'tcg')

    def test_gone_from_the_mirror_is_a_skip(self):
        got = self.column(Unavailable('gone'))
        self.assertEqual(got.results, [Result('kernel', SKIP, 'gone')])

    def test_does_not_build_is_a_failure(self):
        got = self.column(LabError('it does not build'))
        self.assertEqual(got.results[0].status, FAIL)

    def test_exit_status(self):
        for counts, status in (((1, 0, 0), 0), ((1, 1, 1), 1), ((0, 0, 0), 1),
                               ((0, 0, 2), 4), ((2, 0, 2), 0)):
            self.assertEqual(check.exit_status(
                dict(zip((PASS, FAIL, SKIP), counts))), status)


class Junit(unittest.TestCase):
    def test_what_a_server_reads(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'x.xml')
            junit.write(path, [
                junit.Suite('a', [Result('one', PASS, ''),
                                  Result('two', FAIL, 'it <broke>\x01'),
                                  Result('three', SKIP, 'no device')],
                            1.5, 'said \x1b[1m'),
                junit.Suite('b', [Result('one', PASS, '')], 0, 'quiet')])
            top = ET.parse(path).getroot()
        self.assertEqual((top.get('tests'), top.get('failures'),
                          top.get('skipped')), ('4', '1', '1'))
        a, b = top
        self.assertEqual(a.get('time'), '1.500')
        cases = {c.get('name'): c for c in a.iter('testcase')}
        self.assertEqual(cases['two'].find('failure').get('message'),
                         'it <broke>?')
        self.assertEqual(cases['three'].find('skipped').get('message'),
                         'no device')
        self.assertEqual(a.find('system-out').text, 'said ?[1m')
        self.assertIsNone(b.find('system-out'))     # nothing failed

    def test_suite_is_a_kernel_and_a_program(self):
        cols = [kmatrix.Column(k, '', '', '', '', '', [
            Result('own/a', PASS, ''), Result('own/b', FAIL, 'no'),
            Result('driver/x', PASS, '')]) for k in ('6.1', '7.3')]
        self.assertEqual(
            [(s.name, len(s.results)) for s in kmatrix.suites(cols)],
            [('6.1/own', 2), ('6.1/driver', 1),
             ('7.3/own', 2), ('7.3/driver', 1)])

    def test_option(self):
        self.assertEqual(cli.parse(['check', '--junit', 'x']).junit, 'x')
        self.assertEqual(cli.parse(['run', '--junit', 'x']).junit, 'x')
