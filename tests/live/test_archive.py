# SPDX-License-Identifier: GPL-2.0-or-later
"""The distribution's kernels of guest/kernel/matrix, as the archive has them
today (P8): packages change their shape, and no copy of an index shows it."""

import os
import re
import tempfile
import unittest

from pri_lab.core import cache, proc, ui
from pri_lab.core.errors import LabError
from pri_lab.linux import distkernel, matrix

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
LEAST = 5_000_000               # bytes of a package that holds a kernel


class Step:
    note = ''


class Archive(unittest.TestCase):
    def look(self, entry):
        with tempfile.TemporaryDirectory() as d:
            log = proc.Log(os.path.join(d, 'log'))
            try:
                return distkernel.DistKernel(
                    cache.Paths(REPO), entry, log,
                    ui.UI(quiet=True))._locate(Step())
            except LabError as e:       # no network, no apt
                self.skipTest(e.what)
            finally:
                log.close()

    def check(self, name):
        archive, version, packages = self.look(matrix.load(REPO)[name])
        self.assertTrue(version)
        sizes = {}
        for package in packages:
            stanza = archive.show(package)
            self.assertIn('\nVersion: ', stanza, package)
            sizes[package] = int(re.search(r'^Size: (\d+)$', stanza,
                                           re.M).group(1))
        image = packages[0]
        release = image[len('linux-image-'):]
        self.assertIn(f'linux-headers-{release}', packages)
        for kind in ('headers-.*-common', 'kbuild-.*'):
            self.assertTrue([p for p in packages
                             if re.match(f'linux-{kind}$', p)], packages)
        self.assertGreater(max(sizes.get(image, 0), sizes.get(
            f'linux-binary-{release}', 0)), LEAST,
            f'none of these holds the image: {sizes}')

    def test_every_one_is_looked_at(self):
        stock = {e.name for e in matrix.load(REPO).values() if e.stock}
        tested = {n[len('test_'):].replace('_', '-') for n in dir(self)
                  if n.startswith('test_debian')}
        self.assertEqual(tested, stock)

    def test_debian(self):
        self.check('debian')

    def test_debian_12(self):
        self.check('debian-12')

    def test_debian_12_backports(self):
        self.check('debian-12-backports')

    def test_debian_13(self):
        self.check('debian-13')

    def test_debian_13_backports(self):
        self.check('debian-13-backports')


if __name__ == '__main__':
    unittest.main()
