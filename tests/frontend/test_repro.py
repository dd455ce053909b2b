# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import dataclasses
import os
import re
import signal
import socket
import struct
import tempfile
import threading
import unittest
import unittest.mock

import signals
from test_race import HEADER, entry
from pri_lab import cli
from pri_lab.core import proc, ui
from pri_lab.core.errors import Interrupted, LabError
from pri_lab.linux import bugkernel
from pri_lab.machine import disk, record, session, vm
from pri_lab.qemu import qmp
from pri_lab.races import overdue, race, racetable
from pri_lab.races.race import CANNOT_RUN, NOT_REPRODUCED, REPRODUCED
from pri_lab.races.tally import joined, so_far
from pri_lab.reproduce import boots, racerecord, repro, runner as runner_
from pri_lab.state import progress, runlogs

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Key(unittest.TestCase):
    def test_it_is_of_files_that_are_there(self):
        job = repro.Repro.__new__(repro.Repro)
        job.options, job.accel = cli.parse(['repro']), 'tcg'
        job.paths = unittest.mock.Mock(repo=REPO)
        machine = vm.Machine(__file__, 'tcg', __file__, '')
        one, two = (job.key(unittest.mock.Mock(program=x), machine) for x in 'ab')
        self.assertNotEqual(one, two)
        exact = one
        job.options = cli.parse(['repro', 'O-A', '--sample'])
        self.assertNotEqual(exact, job.key(unittest.mock.Mock(program='a'),
                                           machine))


class Machine(unittest.TestCase):
    def test_an_image_for_snapshots(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'x')
            disk.empty_qcow2(path)
            with open(path, 'rb') as f:
                data = f.read()
        magic, version = struct.unpack_from('>4sI', data)
        self.assertEqual((magic, version), (b'QFI\xfb', 3))
        bits, size = struct.unpack_from('>IQ', data, 20)
        l1_size, l1, refs = struct.unpack_from('>IQQ', data, 36)
        cluster = 1 << bits
        self.assertEqual(len(data) % cluster, 0)
        block, = struct.unpack_from('>Q', data, refs)
        counts = struct.unpack_from(f'>{len(data) // cluster}H', data, block)
        self.assertEqual(set(counts), {1})
        self.assertTrue(size and l1_size and l1 < len(data))

    def test_a_disk_of_the_guest(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'x')
            disk.empty_qcow2(path, disk.MAX)
            with open(path, 'rb') as f:
                data = f.read(64)
        self.assertEqual(struct.unpack_from('>Q', data, 24)[0], disk.MAX)
        self.assertEqual(struct.unpack_from('>I', data, 36)[0], 1)
        self.assertNotIn('-device', disk.args(path, False))
        self.assertIn('virtio-blk-pci,drive=state', disk.args(path, True))

    def test_the_command_of_an_object(self):
        for word in ('cmd_', 'savedcmd_'):
            self.assertEqual(bugkernel.recorded(
                f"{word}a/b.o := gcc -DX='$(pound)$$' -o a/b.o b.c\n\nx := y\n"),
                "gcc -DX='#$' -o a/b.o b.c")
        self.assertEqual(bugkernel.recorded('x := gcc\n'), '')

    def test_patches_change_c_files_only(self):
        for name in bugkernel.names(REPO):
            with open(os.path.join(REPO, bugkernel.BUGS, f'{name}.patch'),
                      encoding='utf-8') as f:
                files = bugkernel.changed(f.read())
            self.assertTrue(files, name)
            self.assertTrue(all(x.endswith('.c') for x in files), name)


    def test_bugs_share_a_kernel_unless_they_change_the_same_lines(self):
        with tempfile.TemporaryDirectory() as d:
            os.makedirs(os.path.join(d, bugkernel.BUGS))
            for name, file, line in (('A', 'x.c', 10), ('B', 'x.c', 16),
                                     ('C', 'x.c', 90), ('A-fix', 'y.c', 1),
                                     ('D', 'z.c', 1), ('S-1', 'w.c', 1)):
                with open(os.path.join(d, bugkernel.BUGS, f'{name}.patch'),
                          'w', encoding='utf-8') as f:
                    f.write('Not with: E, C (why)\n' if name == 'D' else '')
                    f.write(f'--- a/{file}\n+++ b/{file}\n'
                            f'@@ -{line},7 +{line},7 @@\n')
            got = bugkernel.share(d, ['7.3+A', '7.3+B', '7.3+C', '7.3+A-fix',
                                      '7.2+C', '7.3+A+C', '7.3+D',
                                      '7.3+S-1'])
        self.assertEqual(got, {'7.3+A': '7.3+A+C', '7.3+C': '7.3+A+C',
                               '7.3+B': '7.3+B+D', '7.3+D': '7.3+B+D',
                               '7.3+A-fix': '7.3+A-fix', '7.2+C': '7.2+C',
                               '7.3+S-1': '7.3+S-1'})


class Overdue(unittest.TestCase):
    """One run of a guest that executes instructions and says little."""

    LIMIT = 20
    SECOND = 10 ** 9 // session.NS

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.base = os.path.join(d.name, 'run')
        for what in ('_ASK', '_POLL'):
            patch = unittest.mock.patch.object(session, what, 0)
            patch.start()
            self.addCleanup(patch.stop)

    def session(self, counts, words):
        """counts: instructions at each question, the last one for ever;
        words: {number of the question: what the guest says then}."""
        port = os.path.join(os.path.dirname(self.base), 'port')
        guest, mine = open(port, 'wb', buffering=0), open(port, 'rb')
        self.asked = 0

        def command(name, **_):
            if name == 'stop':
                return None
            self.assertEqual(name, 'query-replay')
            self.asked += 1
            guest.write(words.get(self.asked, b''))
            count = counts[min(self.asked, len(counts)) - 1]
            if count is None:
                raise LabError('QEMU closed its monitor')
            return {'mode': 'none', 'icount': count}

        self.guest = guest
        s = session.Session.__new__(session.Session)
        s.icount = True
        s._port, s._console = mine, open(os.devnull, 'rb')
        s._said = os.open(os.devnull, os.O_WRONLY)
        self.addCleanup(os.close, s._said)
        s._port_lines, s._console_lines = session.Lines(), session.Lines()
        s._p = argparse.Namespace(poll=lambda: None, pid=os.getpid())
        s.qmp = argparse.Namespace(command=command, poll=lambda: [])
        s.out = session.Output()
        for f in (mine, guest, s._console):
            self.addCleanup(f.close)
        return s

    def run_one(self, sign, counts, words={}, limit=LIMIT, patience=20,
                **of_session):
        """The verdict of a race that the guest does not end."""
        text = HEADER.replace('wrong-data', sign)
        if limit:
            text += f'RACE_MAIN("other", fn, {limit})\n'
        runner = runner_.Runner.__new__(runner_.Runner)
        runner.machine = argparse.Namespace(accel='tcg')
        s = self.session(counts, words)
        s.__dict__.update(of_session)
        with unittest.mock.patch.dict(runner_.PATIENCE, tcg=patience):
            v = runner.race(entry(text), s, self.base)
        with open(self.base + '.ktap', encoding='utf-8') as f:
            self.log = f.read().splitlines()
        return v

    def late(self, first=0):
        """Instructions up to the moment when it is too much."""
        most = overdue.allowed(self.LIMIT)
        return [first, first + int(most * self.SECOND),
                first + int(most * self.SECOND) + 1]

    def test_a_silent_guest_is_stuck(self):
        v = self.run_one('stuck', self.late())
        self.assertEqual((v.word, v.signs), (REPRODUCED, ['stuck']))
        self.assertEqual(self.asked, 3)
        self.assertEqual(len(self.log), 1)
        self.assertTrue(self.log[0].startswith(race.STUCK))
        self.assertIn('host', self.log[0])

    def test_it_has_more_than_its_limit(self):
        self.assertGreater(overdue.allowed(2), 4)
        self.assertGreaterEqual(overdue.allowed(60), 90)

    def test_which_is_no_sign_of_every_race(self):
        v = self.run_one('lost', self.late())
        self.assertEqual(v.word, CANNOT_RUN)
        self.assertIn('the program is stuck: the host says so', v.why)

    def test_before_go_no_instruction_counts(self):
        self.run_one('stuck', self.late(first=10 ** 12))
        self.assertEqual(self.asked, 3)

    def test_a_guest_that_is_slow_is_not_stuck(self):
        v = self.run_one('stuck', self.late()[:2], patience=0.2)
        self.assertEqual((v.word, self.log), (CANNOT_RUN, []))
        self.assertIn('too slow', v.why)
        self.assertGreater(self.asked, 3)

    def test_the_last_word_is_the_guests(self):
        v = self.run_one('stuck', self.late(), {3: b'# race: done\n'})
        self.assertEqual((v.word, self.log),
                         (NOT_REPRODUCED, ['# race: done']))

    def test_a_guest_that_boots_again_is_told(self):
        heard, said = os.pipe()
        self.addCleanup(os.close, heard)
        which = boots.WHICH.encode() + b'\n'
        self.run_one('stuck', [0], {1: which, 2: which, 3: b'# race: done\n'},
                     _said=said)
        os.close(said)
        self.assertEqual(os.read(heard, 4096).decode().split('\n'),
                         ['go ', 'races/a-race 2', 'races/a-race 3', ''])

    def test_a_guest_that_sleeps_is_woken(self):
        asked = []
        events = iter([[], ['SUSPEND'], ['WAKEUP']])

        def command(name, **_):
            asked.append(name)
            if name == 'system_wakeup':
                self.guest.write(b'# race: done\n')

        v = self.run_one('stuck', [0], icount=False, qmp=argparse.Namespace(
            command=command, poll=lambda: next(events, [])))
        self.assertEqual(v.word, NOT_REPRODUCED)
        self.assertEqual(asked, ['system_wakeup', 'stop'])

    def test_nobody_asks_what_cannot_be_known(self):
        for how in ({'limit': None}, {'icount': False}):
            v = self.run_one('stuck', self.late(), patience=0.1, **how)
            self.assertEqual((v.word, self.asked), (CANNOT_RUN, 0), how)

    def test_instructions_are_counted_under_tcg(self):
        for accel, icount, counted in (('tcg', True, True),
                                       ('tcg', False, False),
                                       ('kvm', True, False)):
            machine = argparse.Namespace(
                accel=accel, args=lambda *_: ['qemu', '-accel', accel])
            s = session.Session(machine, '', None, [], icount, self.base,
                                None, False)
            self.assertEqual((s.icount, '-icount' in s.cmd),
                             (counted, counted), accel)

    def test_the_port_does_not_depend_on_who_reads(self):
        """A write to a socket or a pipe can be refused, and the guest sees
        that; a file takes all.  What is said to the guest waits for it."""
        machine = argparse.Namespace(accel='tcg', args=lambda *_: ['qemu'])
        logs = []
        s = session.Session(machine, '', None, [], True, self.base,
                            argparse.Namespace(write=logs.append), False)
        spawned = argparse.Namespace(poll=lambda: 0, pid=1)
        with unittest.mock.patch.object(session.proc, 'spawn',
                                        return_value=spawned), \
                unittest.mock.patch.object(session, 'Qmp'):
            s.start()
        port = re.search(r'-chardev file,id=port,path=(\S+),input-path=(\S+)',
                         logs[0])
        said = os.open(port.group(2), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, said)
        s.say(b'go\n')
        self.assertEqual(os.read(said, 9), b'go\n')
        with open(port.group(1), 'wb') as f:
            f.write(b'1..1\nok')
        self.assertTrue(s.read())
        self.assertEqual(s.out.ktap, ['1..1'])
        s.close()
        self.assertFalse(os.path.exists(port.group(2)))

    def test_a_short_run_does_not_pay(self):
        with unittest.mock.patch.object(session, '_ASK', 60):
            v = self.run_one('stuck', self.late(), patience=0.1)
        self.assertEqual((v.word, self.asked), (CANNOT_RUN, 0))

    def test_a_monitor_that_is_gone_is_no_stuck(self):
        v = self.run_one('stuck', [0, None], patience=0.1)
        self.assertEqual(v.word, CANNOT_RUN)


class Runs(unittest.TestCase):
    """Repro with machines that only say what they are told to say."""

    def repro(self, verdicts, **options):
        class Runner:
            release = '7.3.4'
            machine = None

            def from_snapshot(self, entry, runs, logdir, step, out, limit,
                              first=False):
                for n, v in enumerate(verdicts[:runs]):
                    if v is KeyboardInterrupt:
                        raise Interrupted(2)
                    out.append(race.Verdict(v, [], '', []))

            def cold(self, *args):
                self.from_snapshot(*args)

        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        job = repro.Repro.__new__(repro.Repro)
        job.options = dataclasses.replace(cli.parse(['repro']), **options)
        job.accel = 'tcg'
        job._configs, job._own = {}, {}
        job.progress = progress.Progress(os.path.join(d.name, 'progress'))
        job.said = []
        job.ui = ui.UI(quiet=True)
        job.ui.result = job.said.append
        job.results = os.path.join(d.name, 'results')
        job.runner = lambda name, e: Runner()
        job.new_logdir = lambda e, name: d.name
        job.key = lambda e, machine: 'k'
        return job

    def test_cold_runs_follow(self):
        job = self.repro([REPRODUCED] * 9)
        tally = job._one(entry(), '7.3', 3, 2)
        self.assertEqual((len(tally.snapshot), len(tally.cold)), (3, 2))
        self.assertIn('3/3 from a snapshot, 2/2 cold', '\n'.join(job.said))

    def test_a_kernel_without_what_the_signs_are_of(self):
        job = self.repro([NOT_REPRODUCED] * 9, config=['x/plain.config'])
        job._configs = {'7.3': {'CONFIG_KASAN': 'n'}}
        text = HEADER.replace(' * Sign: wrong-data\n', '').replace(
            ' * Sign: log /Queue Error/ x3 and stuck\n', '')
        tally = job._one(entry(text), '7.3', 3, 1)
        self.assertEqual((tally.verdict, len(tally.all), tally.good),
                         (CANNOT_RUN, 0, False))
        record, = racetable.load(job.results)
        self.assertEqual((record['kernel'], record['why']),
                         ('7.3/plain', 'the kernel has no CONFIG_KASAN'))
        self.assertEqual(job._one(entry(), '7.3', 3, 0).verdict,
                         NOT_REPRODUCED)

    def test_a_kernel_that_does_not_build_is_tried_once(self):
        job = self.repro([])
        job._machines, job._failed = {}, {}
        with unittest.mock.patch.object(
                job, '_machine', side_effect=LabError('no', 'do')) as build:
            for _ in range(3):
                with self.assertRaisesRegex(LabError, 'no'):
                    job.machine('7.3')
        self.assertEqual(build.call_count, 1)

    def test_no_cold_boot_of_what_cannot_run(self):
        tally = self.repro([CANNOT_RUN])._one(entry(), '7.3', 3, 2)
        self.assertEqual(tally.cold, [])

    def test_ctrl_c_keeps_what_there_is(self):
        job = self.repro([REPRODUCED, REPRODUCED, KeyboardInterrupt])
        with self.assertRaises(Interrupted):
            job._one(entry(), '7.3', 9, 2)
        record, = racetable.load(job.results)
        self.assertEqual((record['snapshot'], record['cold']),
                         ([2, 2], [0, 0]))
        self.assertIn('2/2 from a snapshot', '\n'.join(job.said))

    def test_a_second_ctrl_c_loses_nothing(self):
        signals.install(self)
        handler = signal.getsignal(signal.SIGINT)
        job = self.repro([REPRODUCED, REPRODUCED, KeyboardInterrupt])
        store = job._store

        def interrupted(tally):
            signal.raise_signal(signal.SIGINT)
            store(tally)
        job._store = interrupted
        with self.assertRaises(Interrupted):
            job._one(entry(), '7.3', 9, 2)
        record, = racetable.load(job.results)
        self.assertEqual(record['snapshot'], [2, 2])
        self.assertIn('2/2 from a snapshot', '\n'.join(job.said))
        self.assertIs(signal.getsignal(signal.SIGINT), handler)

    def test_ctrl_c_while_results_are_stored_is_obeyed(self):
        signals.install(self)
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            job = self.repro([REPRODUCED])
            job._store = lambda _tally: signal.raise_signal(signum)
            with self.assertRaises(Interrupted) as e:
                job._one(entry(), '7.3', 1, 0)
            self.assertEqual(e.exception.signum, signum)
            self.assertIn('1/1 from a snapshot', '\n'.join(job.said))

    def test_the_other_kind_of_runs_is_kept(self):
        old = {'key': 'k', 'verdict': REPRODUCED, 'snapshot': [9, 9],
               'cold': [1, 1], 'signs': ['a'], 'seconds': 3,
               'hashes': ['h'], 'exact': True}
        new = dict(old, snapshot=[0, 0], cold=[5, 5], signs=['b'], seconds=4)
        got = joined(new, old)
        self.assertEqual((got['snapshot'], got['cold'], got['signs'],
                          got['seconds'], got['verdict']),
                         ([9, 9], [5, 5], ['a', 'b'], 7, REPRODUCED))
        other = dict(old, verdict=NOT_REPRODUCED)
        self.assertEqual(joined(new, other)['verdict'], 'DIFFERS')
        self.assertEqual(joined(new, dict(old, key='x')), new)
        both = dict(old, snapshot=[2, 2])
        self.assertEqual(joined(both, old), both)

    def test_a_recorded_run_is_in_no_table(self):
        whole = record.Recording('x')
        merged = record.Merged({'clock': {'marks': 0}}, [])
        job = self.repro([])
        job.paths = argparse.Namespace(repo=REPO)
        runner = argparse.Namespace(
            release='7.3.4',
            machine=argparse.Namespace(accel='tcg'))
        job.runner = lambda name, e: runner
        came = race.Verdict(REPRODUCED, ['wrong-data'], '', []), whole
        with unittest.mock.patch.object(
                racerecord, 'recorded', return_value=came), \
                unittest.mock.patch.object(
                    record.Recording, 'merge', return_value=merged) as merge:
            self.assertTrue(racerecord.one(job, entry(), '7.3'))
        self.assertEqual(merge.call_args[0][1]['verdict'], REPRODUCED)
        self.assertIn('log: x.jsonl', job.said)
        self.assertFalse(os.path.exists(job.results))

    def test_a_part_of_a_recording(self):
        with tempfile.TemporaryDirectory() as d:
            whole = record.Recording(os.path.join(d, 'all'))
            for path in (whole.trace, whole.ftrace):
                with open(path, 'w') as f:
                    f.write('before\n')
            part = whole.part(os.path.join(d, 'run'))
            for path in (whole.trace, whole.ftrace):
                with open(path, 'a') as f:
                    f.write('mine\n')
            part.end()
            for path in (part.trace, part.ftrace):
                with open(path) as f:
                    self.assertEqual(f.read(), 'mine\n')

    def test_table_without_kernels_of_older_headers(self):
        job = self.repro([REPRODUCED] * 9)
        job.entries = [entry()]
        job.paths = argparse.Namespace(repo=job.results)
        races = os.path.join(job.results, race.RACES)
        os.makedirs(races)
        os.makedirs(os.path.join(job.results, 'docs'))
        open(os.path.join(races, 'left-out'), 'wb').close()
        job._shared = lambda: {'7.3+X-1-fix': '7.3+W+X-1-fix'}
        for kernel in ('7.2', '7.3+X-1-fix', '7.3+W+X-1-fix', '7.3+GONE'):
            job._one(entry(), kernel, 1, 0)
        self.assertEqual(job.write_table(quiet=True), 0)
        with open(os.path.join(job.results, racetable.PAGE)) as f:
            page = f.read()
        for kernel, there in (('7.2', True), ('7.3+X-1-fix', True),
                              ('7.3+W+X-1-fix', True), ('7.3+GONE', False)):
            self.assertEqual(f'| {kernel} (' in page, there, kernel)

    def test_resume_makes_what_is_lacking(self):
        job = self.repro([REPRODUCED] * 9)
        job._one(entry(), '7.3', 3, 1)
        job.options = dataclasses.replace(job.options, resume=True)
        tally = job._one(entry(), '7.3', 5, 2)
        self.assertEqual((len(tally.snapshot), len(tally.cold)), (2, 1))
        record, = racetable.load(job.results)
        self.assertEqual((record['snapshot'], record['cold'],
                          record['verdict']), ([5, 5], [2, 2], REPRODUCED))
        self.assertIn('5/5 from a snapshot, 2/2 cold', '\n'.join(job.said))
        tally = job._one(entry(), '7.3', 5, 2)
        self.assertEqual((tally.all, tally.good), ([], True))
        self.assertEqual(racetable.load(job.results), [record])

    def test_resume_is_for_the_same_program_and_kernel(self):
        job = self.repro([REPRODUCED] * 9)
        job._one(entry(), '7.3', 3, 1)
        job.options = dataclasses.replace(job.options, resume=True)
        job.key = lambda e, machine: 'other'
        self.assertEqual(len(job._one(entry(), '7.3', 3, 1).snapshot), 3)

    def test_prose_does_not_void_results(self):
        old = entry(HEADER + 'int a;\n').program
        for before, after, same in (
                ('Expect: 7.3 yes', 'Expect: 7.3 no', True),
                (' * Fix:', ' * Fix: yes:', True),
                (' * Sign: wrong-data', ' * Sign: wrong', False),
                (' * Race: ', ' * @iommu x=on\n * Race: ', False),
                (' * Race: ', ' * Icount: off\n * Race: ', False),
                (' * Race: ', ' * Needs: CONFIG_X\n * Race: ', False)):
            self.assertIn(before, HEADER)
            new = entry(HEADER.replace(before, after) + 'int a;\n').program
            self.assertEqual(new == old, same, after)
        self.assertNotEqual(entry(HEADER + 'int b;\n').program, old)

    def test_resume_tells_when_runs_differ(self):
        job = self.repro([REPRODUCED] * 9)
        job._one(entry(), '7.3', 3, 0)
        job.options = dataclasses.replace(job.options, resume=True)
        other = self.repro([NOT_REPRODUCED] * 9)
        job.runner = other.runner
        tally = job._one(entry(), '7.3', 5, 0)
        record, = racetable.load(job.results)
        self.assertEqual((record['verdict'], record['snapshot'], tally.good),
                         ('DIFFERS', [3, 5], False))
        self.assertEqual(job._one(entry(), '7.3', 5, 0).verdict, '')

    def test_progress(self):
        done = [race.Verdict(w, [], '', []) for w in
                (REPRODUCED, NOT_REPRODUCED, REPRODUCED)]
        self.assertEqual(so_far([], 0), '')
        self.assertRegex(so_far(done, 0), r'^, 2 REPRODUCED, 1 NOT '
                         r'REPRODUCED, [\d.]+ s each$')


class Logs(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.top = d.name
        patch = unittest.mock.patch.object(runlogs, 'KEEP', 2)
        patch.start()
        self.addCleanup(patch.stop)

    def made(self, *names, empty=False):
        for name in names:
            os.mkdir(os.path.join(self.top, name))
            if not empty:
                open(os.path.join(self.top, name, 'run-001.ktap'),
                     'wb').close()
        return list(names)

    def test_the_newest_of_an_entry_and_a_kernel_stays(self):
        gone = self.made('20260101-000000-a-b-7.3+C-02-fix-9',
                         '20260101-000001-a-7.3-10',
                         '20260101-000001-of-somebody-else')
        self.made('20260102-000000-a-7.3-5', '20260102-000001-a-6.12-5',
                  '20260102-000002-a-b-7.3+C-02-fix-1234',
                  '20260103-000000-c-7.3-1', '20260103-000001-c-7.3-1')
        self.assertEqual(runlogs.old(self.top), gone)

    def test_one_without_a_run_is_no_newest(self):
        kept, = self.made('20260101-000000-a-7.3-1')
        self.made('20260102-000000-a-7.3-2', empty=True)
        self.made('20260103-000000-b-7.3-1', '20260103-000001-b-7.3-1')
        self.assertEqual(runlogs.old(self.top), ['20260102-000000-a-7.3-2'])

    def test_a_new_one(self):
        gone, kept, *_ = self.made(
            '20260101-000000-a-7.3-1', '20260101-000001-a-7.3-1',
            '20260102-000000-b-7.3-1', '20260102-000001-b-7.3-1')
        path = runlogs.new(self.top, 'a', 'dir/of a-kernel')
        self.assertRegex(os.path.basename(path),
                         r'^\d{8}-\d{6}-a-dir_of_a-kernel-\d+$')
        self.assertEqual(len(os.listdir(self.top)), 4)
        self.assertNotIn(gone, os.listdir(self.top))
        self.assertIn(kept, os.listdir(self.top))


class QmpCase(unittest.TestCase):
    def serve(self, *answers):
        mine, theirs = socket.socketpair()

        def server():
            theirs.sendall(b'{"QMP": {}}\n')
            for text in ('{"return": {}}',) + answers:
                theirs.recv(4096)
                theirs.sendall(text.encode() + b'\n')
            theirs.close()
        thread = threading.Thread(target=server, daemon=True)
        thread.start()
        self.addCleanup(mine.close)
        self.addCleanup(thread.join)
        return qmp.Qmp(mine)

    def test_events_between_answers_are_kept(self):
        q = self.serve('{"event": "STOP"}\n{"return": 5}')
        self.assertEqual(q.command('x'), 5)
        self.assertEqual(q.poll(), ['STOP'])
        self.assertEqual(q.poll(), [])

    def test_errors(self):
        q = self.serve('{"error": {"class": "x", "desc": "no such"}}',
                       '{"return": "Error: bad\\r\\n"}')
        with self.assertRaisesRegex(LabError, 'no such'):
            q.command('x')
        with self.assertRaisesRegex(LabError, 'savevm.*bad'):
            q.hmp('savevm y')

    def test_qemu_goes_away(self):
        q = self.serve()
        with self.assertRaisesRegex(LabError, 'QEMU'):
            q.command('x')
