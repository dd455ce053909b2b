# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest is told over its port has arrived before it continues, however
busy the host is."""

import os
import tempfile
import unittest
import unittest.mock
from types import SimpleNamespace

from pri_lab.core.errors import LabError
from pri_lab.explore import machine
from pri_lab.machine import schedule
from pri_lab.machine.session import Session


class Port(unittest.TestCase):
    """A QEMU that takes bytes when the test says so."""

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.s = Session.__new__(Session)
        self.s.logdir = tmp.name
        self.fifo = self.s._fifo()
        self.addCleanup(os.close, self.s._said)
        self.qemu = os.open(self.fifo, os.O_RDONLY)
        self.addCleanup(os.close, self.qemu)
        self.asked = []             # what was left in the FIFO at a command
        self.s.qmp = SimpleNamespace(command=self.command)
        self.s.complaint = lambda: ''
        self.s.own_time = lambda: SimpleNamespace(look=lambda: 1.0)

    def command(self, name):
        self.asked.append((name, self.s.taken()))

    def test_taken_is_all_of_it(self):
        self.assertTrue(self.s.taken())
        self.s.say(b'name\n')
        self.assertFalse(self.s.taken())
        os.read(self.qemu, 4)
        self.assertFalse(self.s.taken())
        os.read(self.qemu, 1)
        self.assertTrue(self.s.taken())

    def choose(self, takes):
        stage = machine.Stage.__new__(machine.Stage)
        stage.entry = SimpleNamespace(name='two-binds', path='')
        stage.s = self.s
        stage.schedule = schedule.Schedule(self.s)
        naps = []

        def sleep(seconds):
            naps.append(seconds)
            if len(naps) > 50 and takes:
                os.read(self.qemu, 1)       # one byte at a time, and late
        with unittest.mock.patch('time.sleep', sleep), \
                unittest.mock.patch.object(schedule, '_TAKE',
                                           60 if takes else 0):
            stage._choose()

    def test_a_slow_host(self):
        self.choose(True)
        self.assertEqual(self.asked, [('query-status', True)])

    def test_a_host_that_does_nothing(self):
        with self.assertRaisesRegex(LabError, 'does not take what the guest'):
            self.choose(False)


class Patience(unittest.TestCase):
    """A run ends by QEMU's own time, not by the clock on the wall."""

    def follow(self, own, seconds=240.0):
        """own: what QEMU has used at each look; then it stops."""
        looks = iter(own)
        left = [len(own)]

        def look():
            left[0] -= 1
            return next(looks)
        stage = machine.Stage.__new__(machine.Stage)
        stage.s = SimpleNamespace(
            own_time=lambda: SimpleNamespace(look=look), alive=lambda: True,
            read=lambda: None, qmp=SimpleNamespace(
                poll=lambda: [] if left[0] else ['STOP']))
        stage.schedule = schedule.Schedule(stage.s)
        with unittest.mock.patch.object(schedule, '_LOOK', -1.0), \
                unittest.mock.patch('time.sleep'):
            return stage._follow(seconds)

    def test_a_starved_run_goes_on(self):
        self.assertEqual(self.follow([1.0] * 400), 'stop')

    def test_one_that_uses_its_time_ends(self):
        self.assertIn('no end within 240 s', self.follow([1.0, 241.0, 0.0]))


if __name__ == '__main__':
    unittest.main()
