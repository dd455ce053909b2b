# SPDX-License-Identifier: GPL-2.0-or-later
"""`check style`: tools that are missing are skips, complaints are failures."""
import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

from pri_lab.check import stylecheck
from pri_lab.core import cache
from pri_lab.inputs import names

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
MAX_LINES, MAX_FUNCTION = 600, 70


class Checks(unittest.TestCase):
    def run_one(self, name, repo=REPO):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = stylecheck.main([name], repo)
        return status, out.getvalue()

    def test_a_tool_that_is_not_here_is_a_skip_with_a_reason(self):
        with mock.patch('shutil.which', return_value=None):
            for name in ('mypy', 'shellcheck', 'codespell'):
                status, said = self.run_one(name)
                self.assertEqual(status, 0)
                self.assertRegex(said, r'^1\.\.1\nok 1 - \w+ # SKIP there is '
                                 r'no \w+: apt-get install')

    def test_a_complaint_is_a_failure(self):
        with tempfile.TemporaryDirectory() as d:
            tool = os.path.join(d, 'perl')
            cache.write_atomic(tool, (
                '#!/bin/sh\necho "hw/x.c:3: ERROR: bad"\n'
                'echo "hw/x.c:4: ERROR: Macros with complex values should '
                'be enclosed in parenthesis"\n'
                'echo "total: 2 errors"\n').encode(), 0o755)
            with mock.patch('shutil.which', return_value=tool), \
                    mock.patch.object(stylecheck, 'qemus_checkpatch',
                                      lambda src: '/x'):
                status, said = self.run_one('checkpatch')
        self.assertEqual(status, 1)
        self.assertEqual(said, '1..1\n# hw/x.c:3: ERROR: bad\n'
                         'not ok 1 - checkpatch\n')

    def test_a_checkpatch_that_did_not_run_is_a_failure(self):
        with mock.patch('shutil.which', return_value='/bin/false'), \
                mock.patch.object(stylecheck, 'qemus_checkpatch',
                                  lambda src: '/x'):
            self.assertEqual(self.run_one('checkpatch')[0], 1)

    def test_what_is_looked_at(self):
        files = stylecheck.sources(REPO, stylecheck.QEMU_C, ('.c', '.h'))
        self.assertIn('hw/pci/pcie_pri.c', files)
        self.assertIn('tests/guest/lib/race.c', files)
        found = stylecheck.scripts(REPO)
        for script in ('scripts/run-qtest.sh', 'scripts/vng-run.sh'):
            self.assertIn(script, found)

    def test_every_check_is_a_test_of_the_suite(self):
        self.assertEqual(names.suites(REPO)['style'],
                         [f'style-{n}' for n in stylecheck.CHECKS])


class House(unittest.TestCase):
    """One idea a file."""

    def modules(self):
        top = os.path.join(REPO, 'scripts', 'pri_lab')
        for path in cache.files_under(top, ('.py',)):
            with open(path, encoding='utf-8') as f:
                yield os.path.relpath(path, top), f.read()

    def test_no_file_is_long(self):
        for name, text in self.modules():
            self.assertLessEqual(text.count('\n'), MAX_LINES, name)


if __name__ == '__main__':
    unittest.main()
