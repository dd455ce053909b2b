# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro --exact`: what the guest is told it is told while it stands, a run goes
on to a mark, and the hashes are counted."""

import json
import os
import tempfile
import unittest
from types import SimpleNamespace
from unittest import mock

from pri_lab import cli
from pri_lab.machine import jobs, schedule, session
from pri_lab.races import overdue, race
from pri_lab.races.race import NOT_REPRODUCED, REPRODUCED
from pri_lab.races.tally import Tally
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

    def __init__(self, ends):
        """ends: (event, report, console lines, port lines) of each run"""
        self.ends = list(ends)
        self.did = []
        self.out = session.Output()
        self.events = []
        self.report = {}
        self.qmp = SimpleNamespace(command=self.command, poll=self.poll)
        self.icount = True
        self.closed = False

    def command(self, name, **words):
        if name == 'qom-set':
            self.did.append(f'{words["property"]}: {words["value"]}')
        elif name == 'qom-get':
            return json.dumps(self.report)
        elif name == 'cont':
            event, self.report, console, ktap = self.ends.pop(0)
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

    def say(self, text):
        self.did.append(f'say {text.decode()!r}')

    def own_time(self):
        return SimpleNamespace(look=lambda: 0.0)

    taken = alive = lambda self: True
    read = stop = lambda self: None


def ended(state, digest, console=(), ktap=(race.DONE,)):
    return ('STOP', {'state': state, 'instructions': 77, 'hash': digest},
            list(console), list(ktap))


class Runs(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        patch = mock.patch.object(schedule, '_POLL', 0)
        patch.start()
        self.addCleanup(patch.stop)

    def runner(self, guest):
        made = exact.ExactRunner(SimpleNamespace(accel='tcg'), jobs.NONE, True,
                                 self.dir, mock.Mock())
        made.sessions = []

        def new(words, more, logdir, snapshots):
            made.sessions.append((words, more))
            os.makedirs(logdir, exist_ok=True)
            return guest
        made.session = new
        return made

    def test_the_next_race_begins_without_the_plan_of_the_one_before(self):
        guest = Guest([ended('end', 'ab')])
        r = self.runner(guest)
        r.once(entry(), guest, os.path.join(self.dir, 'run'))
        r._session, guest.did = guest, []
        self.assertIs(r.booted(), guest)
        self.assertEqual(guest.did, ['load booted', 'plan: '])

    def once(self, *ends, text=HEADER):
        guest = Guest(ends)
        made = self.runner(guest)
        out = [made.once(entry(text), guest, os.path.join(self.dir, 'run'))
               for _ in ends]
        return out, guest.did

    def test_it_is_told_before_it_goes_on(self):
        out, did = self.once(ended('end', 'a'))
        most = int(overdue.allowed(20) * 1e9) // session.NS
        self.assertEqual(did, ['load ready', f'plan: on limit={most}',
                               "say 'go \\n'", 'cont'])
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

    def test_a_cold_boot_is_told_nothing(self):
        guest = Guest([ended('end', 'c')])
        made = self.runner(guest)
        verdict, ran = made.cold_once(entry(), os.path.join(self.dir, 'cold'))
        (words, more), = made.sessions
        self.assertEqual(guest.did, ['start', 'plan: on', 'cont'])
        self.assertIn('pri_lab.job=races/c99 ', words)
        self.assertNotIn('pri_lab.go', words)
        self.assertIn(exact.END, words)
        self.assertEqual(more, schedule.OPTIONS)
        self.assertTrue(ran and guest.closed and 'hash c' in verdict.run)

    def test_one_that_boots_again_is_named_again(self):
        made = self.runner(Guest([]))
        with mock.patch.object(runner.Runner, 'cold_once',
                               lambda *a: ('theirs', True)):
            self.assertEqual(made.cold_once(
                entry(HEADER + 'race_reboot();'), self.dir)[0], 'theirs')


class Told(unittest.TestCase):
    def tally(self, runs):
        t = Tally(entry(), '7.3')
        t.snapshot = [race.Verdict(REPRODUCED, [], '', [], x) for x in runs]
        t.cold = [race.Verdict(REPRODUCED, [], '', [], 'c')]
        return t

    def test_hashes(self):
        t = self.tally(['a', 'a'])
        self.assertIn('REPRODUCED: 2/2 from a snapshot (one hash), 1/1 cold '
                      '(one hash)', t.lines()[1])
        self.assertEqual(t.record()['hashes'], [1, 1])
        t = self.tally(['a', 'b'])
        self.assertIn('2/2 from a snapshot (2 hashes)', t.lines()[1])
        t = self.tally(['', ''])
        self.assertIn('2/2 from a snapshot, 1/1', t.lines()[1])
        self.assertEqual(t.record()['hashes'], [0, 1])

    def job(self, *words, accel='tcg'):
        made = repro.Repro.__new__(repro.Repro)
        made.options = cli.parse(['repro', 'C-01', *words])
        made.accel = accel
        return made

    def test_only_when_asked_for(self):
        self.assertIs(self.job().kind(entry()), runner.Runner)
        self.assertIs(self.job('--exact').kind(entry()), exact.ExactRunner)

    def test_why_not(self):
        off = entry(HEADER.replace(' * Expect', ' * Icount: off\n * Expect'))
        self.assertIs(self.job('--exact').kind(off), runner.Runner)
        self.assertIn('Icount: off', self.job('--exact')._inexact(off))
        job = self.job('--exact', accel='kvm')
        self.assertIs(job.kind(entry()), runner.Runner)
        t = self.tally([''])
        t.inexact = job._inexact(entry())
        self.assertTrue(any('not exact: with --accel kvm' in x
                            for x in t.lines()))


if __name__ == '__main__':
    unittest.main()
