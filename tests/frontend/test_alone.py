# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that need no QEMU do not build one."""
import os
import re
import tempfile
import unittest
from unittest import mock

from pri_lab.check import check
from pri_lab.commands import check as command
from pri_lab.core import cache
from pri_lab.machine import ready

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class Alone(unittest.TestCase):
    def test_names(self):
        for names, want in (([], True), (['frontend'], False),
                            (['docs', 'unit', 'test-ats-itag'], False),
                            (['style'], True), (['frontend', 'qtest'], True),
                            (['pri-vtd-wait-test'], True),
                            (['vmstate-shape'], True), (['guest'], True)):
            self.assertEqual(check.needs_qemu(names), want, names)

    def test_they_are_those_of_their_suites(self):
        with open(os.path.join(REPO, 'meson.build'), encoding='utf-8') as f:
            named = re.findall(r"^test\('([\w-]+)'.*?suite: '(\w+)'",
                               f.read(), re.M | re.S)
        self.assertEqual(
            {x for pair in named if pair[1] in ('docs', 'frontend')
             for x in pair} | {'unit'}, set(check.ALONE))

    def test_no_qemu_is_built(self):
        ctx = mock.Mock()
        with mock.patch.object(ready, 'tools', return_value='tools'), \
                mock.patch.object(ready, 'qemu', return_value='qemu') as qemu:
            for names, want in ((['docs'], None), (['qtest'], 'qemu')):
                got = command.for_tests(ctx, mock.Mock(names=names,
                                                       sanitize=False))
                self.assertEqual(got, ('tools', want))
            qemu.assert_called_once()

    def test_it_has_a_directory_of_its_own(self):
        with tempfile.TemporaryDirectory() as d:
            paths = cache.Paths(d, d)
            dirs = {check.Check(paths, None, qemu, 1, None, None).dir
                    for qemu in ('', '/qemu')}
        self.assertEqual({os.path.basename(x) for x in dirs},
                         {'tests', 'tests-alone'})


if __name__ == '__main__':
    unittest.main()
