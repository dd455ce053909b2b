# SPDX-License-Identifier: GPL-2.0-or-later
"""A test that fails leaves the machine as it was for those behind it."""

import os
import subprocess
import tempfile
import unittest

from lab import HERE, lab

PROGRAMS = os.path.join(os.path.dirname(HERE), 'guest')


class LeftTurned(unittest.TestCase):
    def test_knobs_are_put_back(self):
        with tempfile.TemporaryDirectory() as d:
            program = os.path.join(d, 'left-turned')
            subprocess.run(
                ['make', '-s', '-C', PROGRAMS, f'O={d}', 'one',
                 'FILE=' + os.path.join(HERE, 'left-turned.c'),
                 f'OUT={program}'], check=True)
            status, out = lab('run', 'left-turned', '--add', program)
        self.assertEqual(status, 1, out)
        self.assertIn('on purpose, ITE after 12345 ms, dma-delay 12345 us',
                      out)
        self.assertIn('2 knobs are put back', out)
        self.assertIn('keep_bindings is put back', out)
        self.assertIn('1 passed, 1 failed', out)


if __name__ == '__main__':
    unittest.main()
