# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of defaults (M11)."""

import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import defaults
from pri_lab.core.errors import EXIT_USAGE, UsageError


class Defaults(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        p = mock.patch.dict(os.environ, {'XDG_CONFIG_HOME': d.name})
        p.start()
        self.addCleanup(p.stop)

    def put(self, text):
        os.makedirs(os.path.dirname(defaults.path()), exist_ok=True)
        with open(defaults.path(), 'w', encoding='utf-8') as f:
            f.write(text)

    def test_without_a_file(self):
        r = cli.parse(['run'])
        self.assertEqual((r.kernel, r.jobs, r.accel, r.config),
                         ('', 0, '', []))

    def test_of_a_file(self):
        self.put('# mine\nkernel = ~/linux   # and what I work on\n\n'
                 'config = a.config\nconfig = b.config\njobs=3\naccel = tcg\n')
        r = cli.parse(['run'])
        self.assertEqual((r.kernel, r.jobs, r.accel, r.config),
                         ('~/linux', 3, 'tcg', ['a.config', 'b.config']))

    def test_the_command_line_wins(self):
        self.put('kernel = ~/linux\nconfig = a.config\njobs = 3\n')
        r = cli.parse(['-j', '1', 'repro', 'O-A', '--kernel', '7.3'])
        self.assertEqual((r.kernel, r.jobs, r.config), ('7.3', 1, []))
        r = cli.parse(['repro', 'O-A', '--config', 'c.config'])
        self.assertEqual((r.kernel, r.config), ('~/linux', ['c.config']))

    def test_a_check_is_of_the_labs_own_kernel(self):
        self.put('kernel = ~/linux\nconfig = a.config\njobs = 3\n')
        r = cli.parse(['check', 'unit'])
        self.assertEqual((r.kernel, r.config, r.jobs), ('', [], 3))

    def test_what_is_no_option_is_said(self):
        for text, said in (('kernel\n', ':1: kernel: not an option'),
                           ('\nspeed = 9\n', ':2: speed = 9: not an option'),
                           ('jobs = 0\n', ':1: jobs = 0: not a whole'),
                           ('accel = hax\n', 'not tcg or kvm')):
            self.put(text)
            with self.assertRaisesRegex(UsageError, said):
                cli.parse(['run'])
            err = io.StringIO()
            with contextlib.redirect_stderr(err):
                self.assertEqual(cli.main(['run'], '/'), EXIT_USAGE)
            self.assertIn(defaults.path(), err.getvalue())


if __name__ == '__main__':
    unittest.main()
