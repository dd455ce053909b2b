# SPDX-License-Identifier: GPL-2.0-or-later
"""Systems that are not Debian on x86-64 are told at once what to do (F15)."""

import os
import tempfile
import unittest
from unittest import mock

from pri_lab.core import cache, ui
from pri_lab.core.errors import LabError
from pri_lab.debian import apt, packages, systems

FEDORA = {'ID': 'fedora', 'PRETTY_NAME': 'Fedora Linux 42'}
ARCH = {'ID': 'endeavouros', 'ID_LIKE': 'arch'}
NIX = {'ID': 'nixos', 'PRETTY_NAME': 'NixOS 25.05'}
NOBLE = {'ID': 'ubuntu', 'VERSION_ID': '24.04',
         'PRETTY_NAME': 'Ubuntu 24.04 LTS'}


class Systems(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name

    def prepare(self, about, commands=(), machine='x86_64', meson='',
                have=None):
        """What packages.prepare() says with these commands alone on PATH."""
        for name in commands:
            path = os.path.join(self.dir, name)
            with open(path, 'w', encoding='ascii') as f:
                f.write('#!/bin/sh\n')
            os.chmod(path, 0o755)
        with mock.patch.dict(os.environ, {'PATH': self.dir}), \
                mock.patch.object(apt, 'os_release', lambda: about), \
                mock.patch('platform.machine', lambda: machine), \
                mock.patch.object(packages, 'installed',
                                  lambda: have or {'dpkg': '1'}), \
                mock.patch.object(packages, '_candidate', lambda _: meson), \
                mock.patch.object(packages, 'install') as install:
            packages.prepare(cache.Paths('/', self.dir), None,
                             ui.UI(quiet=True))
            return install

    def refused(self, *args, **kw):
        with self.assertRaises(LabError) as e:
            self.prepare(*args, **kw)
        return e.exception.what, e.exception.hint

    def test_fedora(self):
        what, hint = self.refused(FEDORA, ['gcc', 'make'])
        self.assertIn('Fedora Linux 42 is not Debian, and patch', what)
        self.assertNotIn('gcc,', what)
        first, *rest = hint.splitlines()
        self.assertTrue(first.startswith('dnf install '))
        self.assertIn('elfutils-libelf-devel', first)
        self.assertIn(systems.CONTAINER, rest)

    def test_one_like_arch(self):
        self.assertIn('pacman -S ', self.refused(ARCH)[1])

    def test_any_other_one(self):
        what, hint = self.refused(NIX)
        self.assertIn('NixOS 25.05', what)
        self.assertEqual(hint.splitlines()[-1], systems.CONTAINER)

    def test_with_all_tools_it_goes_on(self):
        self.assertFalse(self.prepare(FEDORA, systems.COMMANDS).called)

    def test_an_old_ubuntu(self):
        for meson in ('1.3.2-1ubuntu1', '(none)'):
            what, hint = self.refused(NOBLE, ['dpkg-query'], meson=meson)
            self.assertIn('Ubuntu 24.04 LTS has meson', what)
            self.assertIn(systems.CONTAINER, hint)

    def test_a_new_ubuntu_is_as_debian(self):
        new = dict(NOBLE, VERSION_ID='25.10')
        for meson in ('1.7.0-1', '(none)'):
            self.assertTrue(self.prepare(new, ['dpkg-query'],
                                         meson=meson).called)

    def test_another_processor(self):
        """M12"""
        what, hint = self.refused(dict(ID='debian'), ['dpkg-query'],
                                  machine='aarch64')
        self.assertIn('this is aarch64', what)
        self.assertIn('--platform linux/amd64', hint)

    def test_the_container_is_there(self):
        self.assertTrue(os.path.isfile(os.path.join(
            os.path.dirname(__file__), '..', '..', 'contrib',
            'Containerfile')))


if __name__ == '__main__':
    unittest.main()
