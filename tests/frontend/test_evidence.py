# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept and handed over (M3, M4, M5, M6, M7, M8, F26, F30)."""
import dataclasses
import io
import json
import os
import subprocess
import tarfile
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import cache, running
from pri_lab.core.errors import LabError, UsageError
from pri_lab.evidence import bundle, mail, new, results, show
from pri_lab.guest import guest
from pri_lab.machine import record, vm
from pri_lab.races import race
from pri_lab.races.race import REPRODUCED
from pri_lab.races.tally import Tally
from pri_lab.reproduce import evidence
from pri_lab.state import progress
from test_inputs import Front
from test_repro import HEADER

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
SPLAT = ('[ 1.0] BUG: KASAN: slab-use-after-free in iopf_x+0x1/0x2\n'
         '[ 1.0] Call Trace:\n[ 1.0]  iopf_x+0x1/0x2 '
         'drivers/iommu/io-pgfault.c\n[ 1.0] </TASK>\n')


class Kept(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        self.put('a-race.c', HEADER + 'int main;\n')
        self.put('vmlinux', 'image')
        self.put('.config', 'CONFIG_X=y\n')
        self.put('qemu', 'binary')
        self.put('logs/run-001.console', SPLAT)
        self.machine = vm.Machine(self.path('qemu'), 'tcg',
                                  self.path('vmlinux'), '')
        t = Tally(race.from_file(self.path('a-race.c')), '7.3')
        t.snapshot = [race.Verdict(REPRODUCED, ['wrong-data'], '',
                                   ['wrong-data: page 5 is bad'])]
        t.release, t.logdir = '7.3.4', self.path('logs')
        self.tally = t
        self.job = mock.Mock(tallies=[t], manifest={}, paths=cache.Paths(
            REPO, self.dir), outside=[], entries=[t.entry])
        self.job.machine = lambda name: self.machine
        self.job.options = cli.parse(['repro'])
        self.job.ctx.line = './pri-lab repro a-race'

    def options(self, **changed):
        self.job.options = dataclasses.replace(self.job.options, **changed)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def put(self, name, text):
        cache.write_atomic(self.path(name), text.encode())

    def made(self):
        self.options(bundle=self.path('x.tar.gz'))
        evidence.hand_over(self.job, 0)
        return self.job.options.bundle


class Json(Kept):
    """M3"""

    def test_the_page_has_every_field(self):
        with open(os.path.join(REPO, 'docs', 'manual', 'json.md'),
                  encoding='utf-8') as f:
            self.assertTrue(f.read().endswith(results.page()),
                            'the tables of docs/manual/json.md: '
                            'evidence/results.py, page()')

    def test_what_was_run_is_named_by_its_content(self):
        m = results.machine('7.3', self.machine, '7.3.4')
        self.assertEqual(m['kernel_sha256'], cache.digest(b'image'))
        self.assertEqual(m['qemu_sha256'], cache.digest(b'binary'))
        self.assertEqual(m['config_sha256'], cache.digest(b'CONFIG_X=y\n'))

    def test_a_field_too_many_or_too_few(self):
        with self.assertRaises(KeyError):
            results.checked('kernel', {'name': 'x'})
        with self.assertRaises(ValueError):
            results.checked('lab', {'commit': '', 'dirty': False, 'x': 1})

    def test_a_race(self):
        got = results.checked('repro', evidence._result(self.job, self.tally))
        self.assertEqual((got['verdict'], got['snapshot'], got['name']),
                         (REPRODUCED, [1, 1], 'a-race'))

    def test_a_check(self):
        from pri_lab.commands import guest_run
        from pri_lab.results import junit, ktap
        request = cli.parse(['check', '--json', self.path('out.json')])
        one = cli.Invocation(REPO, request, 'x', mock.Mock())
        guest_run.store(one.context, request.kernel, request.junit, [junit.Suite('unit/a', [
            ktap.Result('t', ktap.FAIL, 'why')])])
        one.end(1)
        with open(request.json, encoding='utf-8') as f:
            got = json.load(f)
        self.assertEqual(list(got), list(results.FIELDS['document']))
        self.assertEqual((got['status'], got['results'][0]['status'],
                          got['results'][0]['reason']), (1, 'failed', 'why'))


class Lists(Front):
    def test_kernels_as_json_and_nothing_else(self):
        status, said = self.main('kernel', 'list', '--json', '-')
        got = json.loads(said)
        self.assertEqual((status, got['schema']), (0, results.SCHEMA))
        self.assertIn('7.3', [k['name'] for k in got['results']])

    def test_show(self):
        """M4"""
        status, said = self.main('repro', '--show', 'O-A', 'C-04')
        self.assertEqual(status, 0)
        for text in ('What ', 'Order ', 'Loses ', 'iopf_group_alloc()',
                     'docs/findings/O-A-stale-partial.md',
                     'tests/guest/races/stale-partial.c',
                     'https://git.kernel.org/linus/c279e83953d9'):
            self.assertIn(text, said)
        self.assertEqual(os.listdir(self.dir), [])

    def test_the_list_has_a_legend_fixes_and_reasons(self):
        """F26"""
        said = ' '.join(self.main('repro')[1].split())
        self.assertIn('C-: a known bug; O-: an open one', said)
        self.assertIn('c279e83953d9', said)
        for x in race.left_out(REPO):
            self.assertIn(' '.join(x.why.split()), said)

    def test_status_of_a_campaign_in_another_terminal(self):
        """M8"""
        self.assertIn('no campaign runs',
                      self.main('repro', '--status')[1])
        root = cache.root()
        p = progress.Progress(running.progress_path(root, 1234567))
        p.plan(4, 40)
        p.entry('stale-partial on 7.3')
        p.run('run 3 of 10', 12)
        with mock.patch.object(running, 'others', lambda r: [running.Command(
                7, './pri-lab repro --all', 0.0, '/clone', p.data)]):
            said = self.main('repro', '--status')[1]
        self.assertIn('./pri-lab repro --all', said)
        self.assertIn('0 of 4 entries, 12 of 40 runs', said)
        self.assertIn('stale-partial on 7.3: run 3 of 10', said)


class Bundle(Kept):
    """M5"""

    def test_it_has_all_that_is_needed(self):
        with tarfile.open(self.made()) as tar:
            names = tar.getnames()
        for n in ('a-race.c', 'kernel.config', 'manifest.json', 'report.txt',
                  'logs/run-001.console'):
            self.assertIn(n, names)

    def test_it_runs_elsewhere(self):
        path = self.made()
        job = mock.Mock(entries=[], paths=self.job.paths)
        job.options = cli.parse(['repro', path])
        entry, = evidence.chosen(job, lambda: self.path('here'))
        self.assertEqual((entry.name, entry.outside, job.options.kernel,
                          job.options.expect),
                         ('a-race', True, '7.3', 'yes'))
        self.put('qemu', 'another')
        self.machine.qemu = self.path('qemu')
        found = [results.checked('repro', evidence._result(
            self.job, self.tally))]
        line, = bundle.differences(job.manifest, found)
        self.assertRegex(line, '^qemu_sha256: ')

    def test_the_same_run_gives_the_same_files(self):
        with tarfile.open(self.made()) as tar:
            self.assertEqual(tar.getnames(), sorted(tar.getnames()))

    def test_a_hostile_archive(self):
        for name in ('../x', '/abs', 'a/../../x'):
            path = self.path('bad.tar.gz')
            with tarfile.open(path, 'w:gz') as tar:
                info = tarfile.TarInfo(name)
                info.size = 1
                tar.addfile(info, io.BytesIO(b'x'))
            with self.assertRaisesRegex(UsageError, 'no place'):
                bundle.unpack(path, self.path('dest'))
        self.put('bad.tar.gz', 'no archive')
        with self.assertRaisesRegex(UsageError, 'no bundle'):
            bundle.unpack(self.path('bad.tar.gz'), self.path('dest'))

    def test_a_kernel_nobody_else_has(self):
        self.tally.own = True
        manifest = bundle.unpack(self.made(), self.path('d'))
        with self.assertRaisesRegex(LabError, 'own'):
            bundle.kernel_of(manifest)

    def test_nothing_was_run(self):
        self.tally.snapshot = []
        self.options(bundle=self.path('x.tar.gz'))
        with self.assertRaisesRegex(LabError, 'nothing was run'):
            evidence.hand_over(self.job, 0)


class Mail(Kept):
    """M6"""

    def text(self):
        return mail.text(REPO, self.tally, self.machine,
                         './pri-lab repro a-race')

    def test_a_report_is_plain_and_narrow(self):
        lines = self.text()
        self.assertTrue(lines[0].startswith('Subject: [BUG] a thing'))
        for text in ('    ./pri-lab repro a-race', 'Sign: wrong-data',
                     'wrong-data: page 5 is bad',
                     'BUG: KASAN: slab-use-after-free in iopf_x+0x1/0x2'):
            self.assertIn(text, lines)
        prose = [x for x in lines if 'iopf_x' not in x and 'sha256' not in x]
        self.assertLessEqual(max(map(len, prose)), mail.WIDTH)
        self.assertTrue(any(x.startswith('Reported-by:') for x in lines))

    def test_decoded_and_to_whom(self):
        src = self.path('source')
        for name, body in (('decode_stacktrace.sh',
                            'sed s/iopf_x+0x1/iopf_x-decoded+0x1/'),
                           ('get_maintainer.pl', 'echo iommu@lists.linux.dev')
                           ):
            cache.write_atomic(os.path.join(src, 'scripts', name),
                               f'#!/bin/sh\n{body}\n'.encode(), 0o755)
        self.put('source/drivers/iommu/io-pgfault.c', '')
        text = '\n'.join(self.text())
        self.assertIn('iopf_x-decoded+0x1', text)
        self.assertIn('To: iommu@lists.linux.dev', text)


class New(unittest.TestCase):
    """M7, W5"""

    def test_what_is_written_can_be_built_and_run(self):
        objects = os.path.join(REPO, 'tests', 'guest', 'lib')
        for scenario in (False, True):
            with tempfile.TemporaryDirectory() as d:
                path = new.write(REPO, d, 'my-race', scenario)
                self.assertEqual(os.path.dirname(path), d)
                with open(path, encoding='utf-8') as f:
                    text = f.read()
                entry = race.Entry(path, text, race._SCENARIO if scenario
                                   else race._NEEDED, outside=True)
                self.assertEqual(entry.job, 'races/my-race')
                self.assertEqual(entry.limit, None if scenario else 30)
                subprocess.run(
                    ['cc', '-fsyntax-only', '-std=gnu11', '-Wall', '-Wextra',
                     '-Werror', '-I', objects, '-I',
                     os.path.join(REPO, 'include'), '-I',
                     os.path.join(REPO, 'guest', 'driver'), path],
                    check=True)
                with self.assertRaisesRegex(UsageError, 'there already'):
                    new.write(REPO, d, 'my-race', scenario)
                with self.assertRaises(UsageError):
                    new.write(REPO, d, '../x', scenario)

    def test_a_scenario_whose_name_cannot_be_told_to_the_guest(self):
        with tempfile.TemporaryDirectory() as d:
            new.write(REPO, d, 'a' * 15, False)
            new.write(REPO, d, 'a' * 14, True)
            with self.assertRaisesRegex(UsageError, 'at most 14 letters'):
                new.write(REPO, d, 'b' * 15, True)
            self.assertEqual(len(os.listdir(d)), 2)

    def test_in_the_repository_it_is_where_the_others_are(self):
        with tempfile.TemporaryDirectory() as d:
            os.makedirs(os.path.join(d, 'docs'))
            self.assertEqual(new.write(d, os.path.join(d, 'docs'), 'x', False),
                             os.path.join(d, race.RACES, 'x.c'))

    def test_a_race_outside_comes_into_the_guest(self):
        with tempfile.TemporaryDirectory() as d:
            path = new.write(REPO, d, 'my-race', False)
            cache.write_atomic(os.path.join(d, 'image'), b'image')
            out = guest.with_files(os.path.join(d, 'image'),
                                   {'tests/races/my-race': path},
                                   os.path.join(d, 'out'))
            with open(out, 'rb') as f:
                data = f.read()
            self.assertTrue(data.startswith(b'image'))
            self.assertIn(b'tests/races/my-race\0', data)
            with self.assertRaisesRegex(UsageError, 'no header'):
                race.from_file(os.path.join(d, 'image'))


class Fields(unittest.TestCase):
    """W4"""

    def test_the_manual_has_every_field_of_a_header(self):
        with open(os.path.join(REPO, 'docs', 'manual', 'pri-lab.md'),
                  encoding='utf-8') as f:
            rows = [x.split('|')[1:3] for x in f if x.startswith('| `')]
        have = {w.strip(' `'): row[1].strip() for row in rows
                for w in row[0].split(',')}
        for field in race._KNOWN:
            self.assertEqual(have.get(field), 'needed' if field in
                             race._NEEDED else '', field)


class RecordTo(unittest.TestCase):
    """F3"""

    def test_a_file_or_a_flag(self):
        for words, want, job in (
                (['run', '--record', 'reset'], '-', 'reset'),
                (['run', 'reset', '--record'], '-', 'reset'),
                (['run', '--record', 'x.jsonl', 'reset'], 'x.jsonl', 'reset'),
                (['run', 'reset'], '', 'reset')):
            o = cli.parse(words)
            self.assertEqual((o.record, o.job), (want, job), words)

    def test_the_recording_is_where_it_was_wanted(self):
        with tempfile.TemporaryDirectory() as d:
            log, out = os.path.join(d, 'a.jsonl'), os.path.join(d, 'b.jsonl')
            cache.write_atomic(log, b'recorded')
            self.assertEqual(record.put(log, '-'), log)
            self.assertEqual(record.put(log, out), out)
            with open(out, 'rb') as f:
                self.assertEqual(f.read(), b'recorded')


class Show(unittest.TestCase):
    def test_every_race_can_be_shown(self):
        for e in race.load(REPO):
            lines = show.lines(REPO, e)
            self.assertIn('tests/guest/races', ' '.join(lines))
            self.assertLessEqual(max(len(x) for x in lines if ' ' in x), 79)


if __name__ == '__main__':
    unittest.main()
