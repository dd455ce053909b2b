# SPDX-License-Identifier: GPL-2.0-or-later
"""`run`, `shell` and the rest on a kernel with patches (P10, M14, W3, F21)."""
import os
import tempfile
import unittest
from unittest import mock

from pri_lab.core import cache, requests, ui
from pri_lab.linux.kernel import Kernel
from pri_lab.own import anykernel

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class Patched(unittest.TestCase):
    def have(self, value):
        self.image = os.path.abspath(__file__)  # of no configuration
        base = Kernel(self.image, '/k', '7.3.4')
        how = requests.Config(config=[], make=[])
        with tempfile.TemporaryDirectory() as d, \
                mock.patch('pri_lab.linux.kernel.get', return_value=base) as get, \
                mock.patch('pri_lab.linux.bugkernel.build', return_value=Kernel(
                    '/bug/vmlinux', '/k', '7.3.4+x')) as build:
            got = anykernel.have(cache.Paths(REPO, d), value, how, 1,
                                 None, ui.UI(quiet=True))
        return got, get, build

    def test_the_patches_are_built_on_the_kernel(self):
        got, get, build = self.have('7.3+C-18+C-01')
        self.assertEqual(get.call_args[0][1], '7.3')
        self.assertEqual(build.call_args[0][2], ['C-18', 'C-01'])
        # the patched one is booted, the driver is built against the other
        self.assertEqual((got.linux.image, got.base.image),
                         ('/bug/vmlinux', self.image))
        self.assertFalse(got.own)

    def test_without_a_patch_nothing_is_built_on_top(self):
        got, _, build = self.have('7.3')
        self.assertFalse(build.called)
        self.assertIs(got.linux, got.base)

    def test_a_path_with_a_plus_in_it_is_a_path(self):
        with tempfile.TemporaryDirectory(suffix='+x') as d:
            self.assertEqual(anykernel.split(d), (d, []))
        self.assertEqual(anykernel.split('7.3/plain+C-18'),
                         ('7.3/plain', ['C-18']))

    def test_a_step_more(self):
        self.assertEqual(anykernel.steps(REPO, '7.3+C-18'),
                         anykernel.steps(REPO, '7.3') + 1)


if __name__ == '__main__':
    unittest.main()
