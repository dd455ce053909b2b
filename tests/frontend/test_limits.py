# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits are of a process' own time: a busy host decides nothing (F9)."""

import os
import socket
import subprocess
import sys
import unittest
import unittest.mock

from pri_lab.core import owntime
from pri_lab.core.errors import LabError
from pri_lab.qemu import qmp


class Cpu(unittest.TestCase):
    def test_what_a_process_used_and_no_process(self):
        before = owntime.cpu(os.getpid())
        while owntime.cpu(os.getpid()) < before + 0.05:
            sum(range(1000))
        with subprocess.Popen(['true']) as p:
            p.wait()
        self.assertEqual(owntime.cpu(p.pid), 0.0)


class Monitor(unittest.TestCase):
    """An answer of QEMU that is late because the host is busy."""

    def ask(self, pid, own):
        mine, theirs = socket.socketpair()
        self.addCleanup(mine.close)
        self.addCleanup(theirs.close)
        theirs.sendall(b'{"QMP": {}}\n{"return": {}}\n')
        with unittest.mock.patch.object(qmp, '_LOOK', 0.05), \
                unittest.mock.patch.object(qmp, 'OwnTime') as time:
            looks = []

            def look():
                looks.append(0)
                if len(looks) == 5:
                    theirs.sendall(b'{"return": "late"}\n')
                return own * len(looks)
            time.return_value.look = look
            return qmp.Qmp(mine, 0.1, pid).command('x')

    def test_the_time_that_it_waited_does_not_count(self):
        self.assertEqual(self.ask(1, 0.01), 'late')

    def test_its_own_time_does(self):
        with self.assertRaisesRegex(LabError, 'no answer'):
            self.ask(1, 0.06)

    def test_without_a_process_the_clock_counts(self):
        with self.assertRaisesRegex(LabError, 'no answer'):
            self.ask(0, 0)


class Commands(unittest.TestCase):
    def said(self, code, seconds, own):
        """own: seconds of it that each look finds."""
        with unittest.mock.patch.object(owntime, '_LOOK', 0.1), \
                unittest.mock.patch.object(owntime, 'OwnTime') as time:
            looks = iter(range(1, 10000))
            time.return_value.look = lambda: own * next(looks)
            return owntime.said([sys.executable, '-c', code], seconds,
                                encoding='utf-8')

    def test_a_starved_command_comes_to_its_end(self):
        p = self.said('import time; time.sleep(1); print("here")', 0.3, 0.001)
        self.assertEqual((p.returncode, p.stdout), (0, 'here\n'))

    def test_one_that_hangs_is_ended(self):
        self.assertIsNone(self.said('import time; time.sleep(600)', 0.3, 0.1))


if __name__ == '__main__':
    unittest.main()
