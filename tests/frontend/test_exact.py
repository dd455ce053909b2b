# SPDX-License-Identifier: GPL-2.0-or-later
"""Exact runs of `repro`: what the guest is told it is told at a mark, a run goes
on to one, and the hashes are counted."""

import json
import os
import tempfile
import unittest
from types import SimpleNamespace
from unittest import mock

from pri_lab import cli
from pri_lab.core.errors import EXIT_DIFFER, EXIT_GOOD
from pri_lab.machine import jobs, schedule, session
from pri_lab.races import overdue, race
from pri_lab.races.race import CANNOT_RUN, NOT_REPRODUCED, REPRODUCED
from pri_lab.races.tally import Tally, added
from pri_lab.reproduce import exact, repro, runner

HEADER = """/*
 * Race: C-99
 * Title: t
 * What: w
 * Loses: l
 * Order: o
 * Fix: f
 * Kernels: k
 * Sign: log /KASAN: x/
 * Sign: stuck
 * Expect: 7.3 yes
 */
RACE_MAIN("c99", fn, 20)
"""


def entry(text=HEADER):
    return race.Entry('/x/races/c99.c', text)


class Guest(session.Session):
    """A QEMU that does at `cont` what its plan leads to."""

    def __init__(self, legs):
        """legs: (event, report, console lines, port lines) of each time it
        goes on"""
        self.legs = list(legs)
        self.did = []
        self.out = session.Output()
        self.events = []
        self.report = {}
        self.qmp = SimpleNamespace(command=self.command, poll=self.poll)
        self.icount = True
        self.closed = self.keep_image = False
        self.image = ''

    def command(self, name, **words):
        if name == 'qom-set':
            self.did.append(f'{words["property"]}: {words["value"]}')
        elif name == 'qom-get':
            return json.dumps(self.report)
        elif name == 'cont':
            event, self.report, console, ktap = self.legs.pop(0)
            self.out.console += console
            self.out.ktap += ktap
            self.events = [event]
            self.did.append('cont')
        elif name == 'system_wakeup':
            self.did.append(name)
            self.events = ['STOP']
        return None

    def poll(self):
        events, self.events = self.events, []
        return events

    def start(self):
        self.did.append('start')

    def close(self):
        self.closed = True

    def load(self, name):
        self.out = session.Output()
        self.did.append(f'load {name}')

    def save(self, name):
        self.did.append(f'save {name}')

    def say(self, text):
        self.did.append(f'say {text.decode()!r}')

    def own_time(self):
        return SimpleNamespace(look=lambda: 0.0)

    fresh = lambda self: setattr(self, 'out', session.Output())
    taken = alive = lambda self: True
    read = stop = lambda self: None


def stands(state, digest, console=(), ktap=()):
    return ('STOP', {'state': state, 'instructions': 77, 'hash': digest},
            list(console), list(ktap))


def ended(state, digest, console=(), ktap=(race.DONE,)):
    return stands(state, digest, console, ktap)


ASKS = stands('ready', 'boot', ['Linux version 7.3.4-lab x'])
AT_RACE = stands('ready', 'race', (), [race.READY])
UP = ['plan: on', 'cont']           # to the mark, by a plan without a point
NAMED = ["say 'c99\\n'", *UP]


class Runs(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        for patch in (mock.patch.object(schedule, '_POLL', 0),
                      mock.patch.object(exact.ExactRunner, 'key',
                                        lambda self: 'k')):
            patch.start()
            self.addCleanup(patch.stop)

    def runner(self, guest, booted=''):
        made = exact.ExactRunner(SimpleNamespace(accel='tcg'), jobs.NONE, True,
                                 self.dir, mock.Mock(), booted=booted)
        made.sessions = []

        def new(words, more, logdir, snapshots):
            made.sessions.append((words, more, snapshots))
            os.makedirs(logdir, exist_ok=True)
            return guest
        made.session = new
        return made

    def ready(self, *legs, text=HEADER, booted=''):
        guest = Guest(legs)
        made = self.runner(guest, booted)
        return made, guest, made.ready(entry(text), self.dir, mock.Mock())

    def test_to_the_race_the_guest_is_told_while_it_stands(self):
        made, guest, (s, trouble) = self.ready(ASKS, AT_RACE)
        self.assertIsNone(trouble)
        self.assertIs(s, guest)
        self.assertEqual(guest.did, ['start', *UP, 'save booted', *NAMED,
                                     'save ready'])
        self.assertEqual(made.release, '7.3.4-lab')
        (words, more, snapshots), = made.sessions
        self.assertIn('pri_lab.job=race ', words)
        self.assertIn('pri_lab.go ', words)
        self.assertIn(exact.END, words)
        self.assertEqual((more, snapshots), (schedule.OPTIONS, True))

    def test_the_next_race_begins_at_the_first_mark(self):
        made, guest, _ = self.ready(ASKS, AT_RACE, AT_RACE)
        guest.did = []
        made.ready(entry(), self.dir, mock.Mock())
        self.assertEqual(guest.did, ['load booted', *NAMED, 'save ready'])

    def test_a_booted_machine_is_kept(self):
        top = os.path.join(self.dir, 'boots')
        image = os.path.join(self.dir, 'image')
        with open(image, 'w', encoding='utf-8') as f:
            f.write('state')
        for legs, did in (
                ((ASKS, AT_RACE), ['start', *UP, 'save booted',
                                   'load booted']),
                ((AT_RACE,), ['start', 'load booted'])):
            guest = Guest(legs)
            guest.image, guest.logdir = image, self.dir
            made = self.runner(guest, top)
            made.ready(entry(), self.dir, mock.Mock())
            self.assertEqual(guest.did, [*did, *NAMED, 'save ready'])
            self.assertEqual(made.release, '7.3.4-lab')

    def test_one_that_does_not_boot(self):
        _, guest, (s, trouble) = self.ready(
            ('GUEST_PANICKED', {}, ['Kernel panic - not syncing: no root'],
             []))
        self.assertIsNone(s)
        self.assertEqual((trouble.word, trouble.why),
                         (CANNOT_RUN, 'the guest does not boot: Kernel panic '
                          '- not syncing: no root'))
        self.assertTrue(guest.closed)

    def test_one_that_ends_before_the_race(self):
        _, _, (s, trouble) = self.ready(ASKS, ended(
            'end', 'x', (), ['ok 1 c99 # SKIP no VFIO',
                                '# pri-lab: exit 0']))
        self.assertIsNone(s)
        self.assertEqual((trouble.word, trouble.why),
                         (CANNOT_RUN, 'no VFIO'))

    def once(self, *legs, text=HEADER):
        guest = Guest(legs)
        made = self.runner(guest)
        out = []
        while guest.legs:
            out.append(made.once(entry(text), guest,
                                 os.path.join(self.dir, 'run')))
        return out, guest.did

    def test_it_is_told_before_it_goes_on(self):
        out, did = self.once(ended('end', 'a'))
        most = int(overdue.allowed(20) * 1e9) // session.NS
        self.assertEqual(did, ['load ready', "say 'go \\n'",
                               f'plan: on limit={most}', 'cont'])
        self.assertEqual((out[0].word, out[0].run),
                         (NOT_REPRODUCED, '77 instructions, hash a'))

    def test_a_sign_does_not_end_it(self):
        out, _ = self.once(ended('end', 'a', ['BUG: KASAN: x in f']))
        self.assertEqual(out[0].word, REPRODUCED)
        self.assertTrue(out[0].run)

    def test_a_guest_that_cannot_say_it_is_stuck(self):
        out, _ = self.once(ended('limit', 'a', (), ()))
        self.assertEqual((out[0].word, out[0].signs), (REPRODUCED, ['stuck']))

    def test_one_that_sleeps_is_woken(self):
        sleeps = ('SUSPEND',) + ended('end', 'a')[1:]
        out, did = self.once(sleeps)
        self.assertEqual(did[-1], 'system_wakeup')
        self.assertEqual(out[0].word, NOT_REPRODUCED)

    def test_a_panic_has_a_hash(self):
        panics = ('GUEST_PANICKED',) + ended('running', 'b')[1:]
        self.assertIn('hash b', self.once(panics)[0][0].run)

    def test_one_that_boots_again_is_told_its_name_at_the_mark(self):
        out, did = self.once(stands('ready', 'a'), ended('end', 'b'))
        self.assertEqual(len(out), 1)
        self.assertEqual(did[4], "say 'c99 2\\n'")
        self.assertEqual(out[0].run, '77 instructions, hash a; '
                         '77 instructions, hash b')

    def test_one_that_boots_for_ever_comes_to_an_end(self):
        guest = Guest([stands('ready', 'a')] * 20)
        verdict = self.runner(guest).once(entry(), guest, os.path.join(
            self.dir, 'run'))
        self.assertEqual(verdict.word, CANNOT_RUN)
        self.assertEqual(len(guest.legs), 20 - exact.MOST)

    def test_a_cold_boot_goes_the_same_way(self):
        guest = Guest([ASKS, AT_RACE, ended('end', 'c')])
        made = self.runner(guest)
        verdict, ran = made.cold_once(entry(), os.path.join(self.dir, 'cold'))
        self.assertEqual(guest.did[:6], ['start', *UP, *NAMED])
        self.assertEqual(guest.did[6], "say 'go \\n'")
        self.assertFalse(made.sessions[0][2])
        self.assertTrue(ran and guest.closed)
        self.assertEqual(verdict.run, '77 instructions, hash c')

    def test_the_port_takes_so_much_of_a_name(self):
        self.assertEqual(exact.named('reset-unmap-dpc'), 'reset-unmap-dp')
        self.assertEqual(exact.named('reset-unmap-dpc', 2), 'reset-unmap- 2')
        self.assertEqual(exact.named('c99', 2), 'c99 2')

    def test_races_differ_in_what_it_takes(self):
        names = [e.name for e in race.load(os.path.abspath(
            os.path.join(os.path.dirname(__file__), '..', '..')), race.RACES)]
        for name in names:
            short = exact.named(name)
            self.assertTrue(short == name or sum(
                n.startswith(short) for n in names) == 1, name)


class Told(unittest.TestCase):
    def tally(self, runs, cold=('a',)):
        t = Tally(entry(), '7.3')
        t.exact = True
        t.snapshot = [race.Verdict(REPRODUCED, [], '', [], x) for x in runs]
        t.cold = [race.Verdict(REPRODUCED, [], '', [], x) for x in cold]
        return t

    def test_one_hash(self):
        t = self.tally(['a', 'a'])
        self.assertIn('REPRODUCED: 2/2 from a snapshot, 1/1 cold, one hash '
                      '(as expected', t.lines()[1])
        self.assertEqual(t.record()['hashes'], ['a'])
        self.assertTrue(t.record()['exact'])
        self.assertEqual(t.status, EXIT_GOOD)

    def test_two_are_a_fault_of_the_lab(self):
        for t in self.tally(['a', 'b']), self.tally(['a', 'a'], ['b']):
            self.assertIn('2 hashes (as expected', t.lines()[1])
            self.assertIn('2 hashes: these runs should be one', t.lines()[2])
            self.assertEqual(t.status, EXIT_DIFFER)
            self.assertFalse(t.record()['exact'])

    def test_runs_before_count(self):
        t = self.tally(['b'], ())
        t.before = self.tally(['a']).record()
        self.assertEqual((t.several, t.status), (2, EXIT_DIFFER))
        both = added(t.record(), t.before)
        self.assertEqual((both['hashes'], both['exact']), (['a', 'b'], False))
        t.before = self.tally(['b'], ['b']).record()
        self.assertEqual((t.several, t.status), (0, EXIT_GOOD))
        self.assertTrue(added(t.record(), t.before)['exact'])

    def test_nothing_that_ran_is_not_exact(self):
        t = self.tally([], ())
        t.unfit = 'the kernel has no CONFIG_X'
        self.assertFalse(t.record()['exact'])

    def test_a_sample_has_none(self):
        t = self.tally(['', ''], [''])
        t.exact = False
        self.assertIn('2/2 from a snapshot, 1/1 cold (', t.lines()[1])
        self.assertEqual((t.record()['hashes'], t.record()['exact']),
                         ([], False))

    def job(self, *words, accel='tcg'):
        made = repro.Repro.__new__(repro.Repro)
        made.options = cli.parse(['repro', 'C-01', *words])
        made.accel = accel
        made.results = '/r'
        return made

    def test_exact_unless_told(self):
        job = self.job()
        self.assertIs(job.kind(entry()).func, exact.ExactRunner)
        self.assertEqual(job.counts(entry()), (2, 1))
        self.assertEqual(self.job('--bisect').counts(entry()), (1, 0))
        job = self.job('--sample')
        self.assertIs(job.kind(entry()), runner.Runner)
        self.assertEqual(job.counts(entry()), (10, 1))
        self.assertEqual(self.job('--sample', '--bisect').counts(entry()),
                         (3, 0))
        for word in '--gdb', '--record':
            self.assertIs(self.job(word).kind(entry()), runner.Runner)

    def test_why_not(self):
        off = entry(HEADER.replace(' * Expect', ' * Icount: off\n * Expect'))
        self.assertIs(self.job().kind(off), runner.Runner)
        self.assertEqual(self.job().counts(off), (10, 1))
        self.assertIn('Icount: off', self.job().inexact(off))
        job = self.job(accel='kvm')
        self.assertIs(job.kind(entry()), runner.Runner)
        t = self.tally([''])
        t.inexact = job.inexact(entry())
        self.assertTrue(any('not exact: with --accel kvm' in x
                            for x in t.lines()))
        self.assertIsNone(self.job('--sample').inexact(off))


if __name__ == '__main__':
    unittest.main()
