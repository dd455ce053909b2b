# SPDX-License-Identifier: GPL-2.0-or-later
import gzip
import lzma
import os
import subprocess
import tempfile
import unittest

from pri_lab.core import cache, ui
from pri_lab.core.errors import LabError
from pri_lab.guest import guest
from pri_lab.iommu import kind
from pri_lab.linux import kbuild, kconfig, kernel

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
GOOD = ''.join(f'{names[0]}=y\n' for names, _ in kconfig.REQUIRED) + \
    'CONFIG_PVH=y\n'


def image(config):
    """Something that looks like a vmlinux with CONFIG_IKCONFIG."""
    return (b'\x7fELF' + b'\0' * 0x400 + b'Linux version 7.3' + b'IKCFG_ST'
            + gzip.compress(config.encode()) + b'IKCFG_ED' + b'\0' * 64)


def bzimage(payload):
    head = bytearray(0x1000)
    head[0x202:0x206] = b'HdrS'
    head[0x20e:0x210] = (0x400).to_bytes(2, 'little')
    head[0x600:0x615] = b'7.3.4-test (x@y) #1\0\0'
    return bytes(head) + payload + b'\0' * 100


class Nearest(unittest.TestCase):
    """What a build of another configuration begins with."""

    BASE = 'CONFIG_A=y\nCONFIG_B=y\n'

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.top = d.name

    def build(self, name, fragment, version='7.3.4'):
        out = os.path.join(self.top, name)
        os.makedirs(os.path.join(out, 'tools'))
        for path, text in ((f'{out}.fragment', fragment),
                           (f'{out}/vmlinux', 'x'),
                           (f'{out}/tools/.a.o.cmd', f'cmd := {out}/a.c')):
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
        cache.Stamp(f'{out}.stamp').write(name, [f'{out}/vmlinux'],
                                          version=version)
        return out

    def nearest(self, fragment):
        return kbuild.nearest(self.top, '7.3', '7.3.4', fragment)

    def test_fewest_other_lines(self):
        self.assertEqual(self.nearest(self.BASE), '')
        far = self.build('7.3-1', '# CONFIG_A is not set\nCONFIG_Z=y\n')
        near = self.build('7.3-2', self.BASE)
        self.build('7.3-3', self.BASE + 'CONFIG_C=y\n', '7.3.3')
        self.build('7.1-4', self.BASE + 'CONFIG_C=y\n')
        self.assertEqual(self.nearest(self.BASE + 'CONFIG_C=y\n'), near)
        os.remove(f'{near}/vmlinux')            # not whole any more
        self.assertEqual(self.nearest(self.BASE + 'CONFIG_C=y\n'), far)

    def test_copy_has_its_own_name(self):
        build, to = self.build('7.3-1', self.BASE), f'{self.top}/7.3-2'
        kbuild.copy(build, f'{to}.copy',
                    lambda cmd, what: subprocess.run(cmd, check=True), to)
        with open(f'{to}.copy/tools/.a.o.cmd', encoding='utf-8') as f:
            self.assertEqual(f.read(), f'cmd := {to}/a.c')


class Config(unittest.TestCase):
    def test_parse_and_lost(self):
        frag = kconfig.parse('CONFIG_A=y\n# CONFIG_B is not set\n'
                             '# words\nCONFIG_C="x"\n')
        self.assertEqual(frag, {'CONFIG_A': 'y', 'CONFIG_B': 'n',
                                'CONFIG_C': '"x"'})
        self.assertEqual(kconfig.lost(frag, frag), [])
        self.assertEqual(kconfig.lost(frag, {'CONFIG_B': 'y',
                                             'CONFIG_C': '"x"'}),
                         ['CONFIG_A=y (became n)', 'CONFIG_B=n (became y)'])

    def test_lacking_names_the_options(self):
        self.assertEqual(kconfig.lacking(kconfig.parse(GOOD), True), [])
        less = GOOD.replace('CONFIG_PVH=y\n', '').replace('CONFIG_PCI_PRI=y',
                                                   'CONFIG_PCI_PRI=m')
        got = ' '.join(kconfig.lacking(kconfig.parse(less), True))
        for name in ('CONFIG_PVH', 'CONFIG_PCI_PRI'):
            self.assertIn(name, got)
        self.assertNotIn('CONFIG_PVH', ' '.join(
            kconfig.lacking(kconfig.parse(less), False)))

    def test_old_name_of_sva(self):
        old = GOOD.replace('CONFIG_IOMMU_SVA=', 'CONFIG_IOMMU_SVA_LIB=')
        self.assertEqual(kconfig.lacking(kconfig.parse(old), True), [])

    def test_config_out_of_images(self):
        self.assertEqual(kconfig.from_image(image(GOOD)), GOOD)
        big = image(GOOD) + os.urandom(1 << 21)
        for pack in (gzip.compress, lzma.compress):
            self.assertEqual(kconfig.from_image(bzimage(pack(big))), GOOD)
        self.assertIsNone(kconfig.from_image(b'\x7fELF' + b'\0' * 100))

    def test_release_of_bzimage(self):
        self.assertEqual(kconfig.release_of_bzimage(bzimage(b'')),
                         '7.3.4-test')
        self.assertEqual(kconfig.release_of_bzimage(b'\0' * 0x1000), '')

    def test_own_fragment_has_what_we_ask_of_others(self):
        here = os.path.dirname(os.path.realpath(__file__))
        path = os.path.join(here, '..', '..', kernel.FRAGMENTS)
        with open(path) as f:
            config = kconfig.parse(f.read())
        # options without a prompt come from others and are not in it
        selected = {'CONFIG_IOMMU_SVA'}
        for line in kconfig.lacking(config, True):
            self.assertIn(line.split()[0], selected)


    def test_what_the_iommu_needs(self):
        vtd = kind.load()
        self.assertEqual(kconfig.lacking_of(kconfig.parse(
            'CONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_SVM=y\n'), vtd), [])
        self.assertEqual(kconfig.lacking_of(kconfig.parse(
            'CONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_SVM=m\n'), vtd),
            ['CONFIG_INTEL_IOMMU_SVM (SVA on VT-d)'])
        with self.assertRaises(LabError) as e, tempfile.TemporaryDirectory() \
                as d:
            path = os.path.join(d, 'vmlinux')
            with open(path, 'wb') as f:
                f.write(image(GOOD))
            kernel.check(REPO, path, ui.UI(quiet=True))
        self.assertIn('lacks CONFIG_INTEL_IOMMU (VT-d)', e.exception.what)


class Given(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = os.path.realpath(d.name)

    def put(self, name, data):
        path = os.path.join(self.dir, name)
        cache.write_atomic(path, data)
        return path

    def given(self, name=''):
        return kernel.given(os.path.join(self.dir, name), ui.UI(quiet=True))

    def test_build_directory(self):
        self.put('vmlinux', image(GOOD))
        self.put('include/config/kernel.release', b'7.3.4\n')
        k = self.given()
        self.assertEqual((k.build, k.release), (self.dir, '7.3.4'))
        self.assertEqual(self.given('vmlinux').build, self.dir)

    def test_bzimage_in_its_tree(self):
        self.put('arch/x86/boot/bzImage', bzimage(b''))
        self.put('.config', GOOD.encode())
        self.put('include/config/kernel.release', b'7.3.4\n')
        self.assertEqual(self.given('arch/x86/boot/bzImage').build, self.dir)

    def test_missing_option_is_named(self):
        self.put('vmlinux', image(GOOD.replace('CONFIG_PCI_ATS=y\n', '')))
        with self.assertRaises(LabError) as e:
            self.given()
        self.assertIn('CONFIG_PCI_ATS (ATS)', e.exception.what)

    def test_what_is_no_kernel(self):
        with self.assertRaises(LabError):
            self.given('nowhere')
        with self.assertRaises(LabError):
            self.given()                # an empty directory
        self.put('Kconfig', b'')
        with self.assertRaises(LabError) as e:
            self.given()
        self.assertIn('not been built', e.exception.what)
        self.put('text', b'\x7fELF hello')
        with self.assertRaises(LabError) as e:
            self.given('text')
        self.assertIn('neither', e.exception.what)


class Mirror(unittest.TestCase):
    def test_copy_follows_the_source_and_keeps_objects(self):
        with tempfile.TemporaryDirectory() as d:
            src, out = os.path.join(d, 'src'), os.path.join(d, 'out')
            for n in ('Kbuild', 'a.c', 'b.c', 'a.h'):
                cache.write_atomic(os.path.join(src, n), b'1')
            guest._mirror(src, out)
            for n in ('a.o', 'pri_testdev.mod.c'):
                cache.write_atomic(os.path.join(out, n), b'made')
            os.utime(os.path.join(out, 'a.c'), (1, 1))
            os.unlink(os.path.join(src, 'b.c'))
            cache.write_atomic(os.path.join(src, 'a.h'), b'2')
            guest._mirror(src, out)
            self.assertEqual(sorted(os.listdir(out)),
                             ['Kbuild', 'a.c', 'a.h', 'a.o',
                              'pri_testdev.mod.c'])
            self.assertEqual(os.stat(os.path.join(out, 'a.c')).st_mtime, 1)
            with open(os.path.join(out, 'a.h')) as f:
                self.assertEqual(f.read(), '2')
