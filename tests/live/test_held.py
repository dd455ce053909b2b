# SPDX-License-Identifier: GPL-2.0-or-later
"""A race of a guest that boots: what no fake of one can show."""

import os
import re
import shutil
import subprocess
import unittest

from lab import HERE, LAB, lab


class Reboot(unittest.TestCase):
    @unittest.skipUnless(os.environ.get('PRI_LAB_LONG'),
                         'five boots, many minutes: PRI_LAB_LONG=1 runs it')
    def test_race_boots_again(self):
        """W2: from a snapshot, over and over, and from a cold boot."""
        status, out = lab('repro', os.path.join(HERE, 'reboot.c'), '--kernel',
                          '7.3', '--runs', '2', '--cold', '1', '--expect',
                          'yes')
        self.assertEqual(status, 0, out)
        self.assertIn('REPRODUCED: 2/2 from a snapshot, 1/1 cold', out)
        self.assertIn('this is boot 2', out)


class Gdb(unittest.TestCase):
    WAITS = re.compile(r"gdb (\S+vmlinux) -ex 'target remote (\S+)'")
    PAUSE = 5                       # seconds, of the host

    def test_breakpoint_in_a_race(self):
        """P10, M14: the race stops there, its time too, and comes to the
        same verdict."""
        if not shutil.which('gdb'):
            self.skipTest('gdb is not installed: apt-get install gdb')
        with subprocess.Popen(
                [LAB, 'repro', 'O-A', '--gdb', '--kernel', '7.3'],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, encoding='utf-8') as p:
            said = []
            for line in p.stdout:
                said.append(line)
                m = self.WAITS.search(line)
                if m:
                    seen = self.debug(m.group(1), m.group(2))
            said = ''.join(said)
        self.assertEqual(p.returncode, 0, said)
        self.assertIn('O-A', said)
        self.assertRegex(said, r'(?m)^ *REPRODUCED')
        hits = re.findall(r'^JIFFIES .*(0x[0-9a-f]+)$', seen, re.M)
        self.assertEqual(len(hits), 2, seen)
        self.assertRegex(seen, r'(?m)^#0 .*iommu_report_device_fault')
        self.assertRegex(seen, r'(?m)^#1 .*prq_event_thread')
        # 100 a second at least; between two requests of a race there are few
        passed = int(hits[1], 16) - int(hits[0], 16)
        self.assertLess(passed, 100 * self.PAUSE // 2)

    def debug(self, vmlinux, remote):
        """Two hits, a pause in between; what gdb said."""
        jiffies = ['-ex', 'printf "JIFFIES "', '-ex', 'x/gx &jiffies_64']
        return subprocess.run(
            ['gdb', '-nx', '-batch', vmlinux, '-ex', f'target remote {remote}',
             '-ex', 'hbreak iommu_report_device_fault',
             '-ex', 'continue', '-ex', 'backtrace 2', *jiffies,
             '-ex', f'shell sleep {self.PAUSE}',
             '-ex', 'continue', *jiffies,
             '-ex', 'delete', '-ex', 'detach'], check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding='utf-8').stdout


if __name__ == '__main__':
    unittest.main()
