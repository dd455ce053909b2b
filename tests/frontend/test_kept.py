# SPDX-License-Identifier: GPL-2.0-or-later
"""Booted machines on disk: taken, kept, and the oldest goes."""
import os
import tempfile
import unittest
from unittest import mock

from pri_lab.machine import kept


class Kept(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.top = os.path.join(d.name, 'booted')
        self.s = mock.Mock(logdir=os.path.join(d.name, 'log'))
        self.s.image = os.path.join(self.s.logdir, 'state.qcow2')
        self.s.keep_image = False

    def write(self, text):
        os.makedirs(self.s.logdir, exist_ok=True)
        with open(self.s.image, 'w', encoding='utf-8') as f:
            f.write(text)

    def test_there_is_none(self):
        self.assertIsNone(kept.Kept(self.top, 'a').take(self.s))
        self.assertFalse(self.s.keep_image)

    def test_one_that_another_command_removes(self):
        self.write('state')
        k = kept.Kept(self.top, 'a')
        k.keep(self.s, '7.3.4')
        with mock.patch('shutil.copyfile', side_effect=FileNotFoundError):
            self.assertIsNone(k.take(self.s))
        self.assertFalse(self.s.keep_image)

    def test_what_is_kept_is_given(self):
        self.write('state')
        kept.Kept(self.top, 'a').keep(self.s, '7.3.4')
        self.s.qmp.command.assert_called_with('stop')
        self.write('')
        self.assertEqual(kept.Kept(self.top, 'a').take(self.s), '7.3.4')
        self.assertTrue(self.s.keep_image)
        with open(self.s.image, encoding='utf-8') as f:
            self.assertEqual(f.read(), 'state')
        self.assertIsNone(kept.Kept(self.top, 'b').take(self.s))

    def test_a_copy_that_is_interrupted_leaves_nothing(self):
        self.write('state')

        def interrupted(_source, target):
            with open(target, 'w', encoding='utf-8') as f:
                f.write('half')
            raise KeyboardInterrupt
        with mock.patch('shutil.copyfile', interrupted), \
                self.assertRaises(KeyboardInterrupt):
            kept.Kept(self.top, 'a').keep(self.s, 'r')
        self.assertEqual(os.listdir(self.top), [])

    def test_the_oldest_goes(self):
        self.write('state')
        for n in range(kept.BOOTS + 1):
            k = kept.Kept(self.top, f'k{n}')
            k.keep(self.s, 'r')
            os.utime(k.path, (n, n))
        self.assertIsNone(kept.Kept(self.top, 'k0').take(self.s))
        self.assertEqual(kept.Kept(self.top, 'k1').take(self.s), 'r')
        self.assertEqual(len(os.listdir(self.top)), 2 * kept.BOOTS)


if __name__ == '__main__':
    unittest.main()
