# SPDX-License-Identifier: GPL-2.0-or-later
"""--share DIR: a directory of the host in the guest (M10)."""

import os
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import cache, ui
from pri_lab.core.errors import LabError, UsageError
from pri_lab.inputs import check
from pri_lab.linux import kbuild, kconfig
from pri_lab.machine import share

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class Share(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.top = os.path.realpath(d.name)
        self.mine = os.path.join(self.top, 'mine')
        cache.write_atomic(os.path.join(self.mine, 'bin', 'prog'), b'#!',
                           0o755)
        cache.write_atomic(os.path.join(self.mine, 'text'), b'x', 0o644)

    def test_qemu_and_the_guest_have_the_same_names(self):
        words = [self.mine, self.top + ':ro']
        args = ' '.join(share.qemu_args(words))
        for name, path in share.shared(words).items():
            self.assertIn(f'path={path},', args)
            self.assertIn(f'mount_tag={name}', args)
            self.assertIn(name, share.kernel_words(words))
        self.assertEqual(args.count('readonly=on'), 1)
        self.assertIn(f'path={self.top},security_model=none,multidevs=remap,'
                      'readonly=on', args)
        self.assertEqual((share.qemu_args([]), share.kernel_words([])),
                         ([], ''))

    def test_a_job_in_it(self):
        self.assertTrue(share.has([self.mine], 'mine/bin/prog'))
        for job in ('mine', 'mine/text', 'mine/none', 'other/bin/prog', ''):
            self.assertFalse(share.has([self.mine], job), job)

    def bad(self, *words):
        with self.assertRaises(UsageError) as e:
            check.check(cli.parse(['run', *words]), REPO, ui.UI(quiet=True))
        return e.exception.what

    def test_what_cannot_be_shared(self):
        self.assertIn('there is no directory',
                      self.bad('--share', '/nonexistent'))
        self.assertIn('no name', self.bad('--share', '/'))
        self.assertIn('two directories', self.bad(
            '--share', self.mine, '--share', self.mine + ':ro'))
        self.assertIn('no guest program mine/none', self.bad(
            'mine/none', '--share', self.mine))

    def test_a_kernel_without_9p(self):
        with mock.patch.object(kconfig, 'config_near', return_value=
                               'CONFIG_9P_FS=m\nCONFIG_VIRTIO_PCI=y\n'):
            share.check_kernel([], '/k')
            with self.assertRaises(LabError) as e:
                share.check_kernel([self.mine], '/k')
        self.assertIn('lacks CONFIG_9P_FS, CONFIG_NET_9P_VIRTIO',
                      e.exception.what)
        self.assertIn('--add', e.exception.hint)

    def test_the_labs_kernel_has_it(self):
        with open(os.path.join(REPO, kbuild.FRAGMENTS),
                  encoding='utf-8') as f:
            config = kconfig.parse(f.read())
        for name in share.NEEDED:
            self.assertEqual(config[name], 'y')


if __name__ == '__main__':
    unittest.main()
