# SPDX-License-Identifier: GPL-2.0-or-later
import os
import shutil
import tempfile
import unittest

from pri_lab.core import cache, proc, ui
from pri_lab.core.errors import LabError
from pri_lab.qemu import overlay, qemusrc

PATCH = '''\
From: nobody
Subject: say two

--- a/hw/pci/x.c
+++ b/hw/pci/x.c
@@ -1,3 +1,3 @@
 one
-2
+two
 three
--- /dev/null
+++ b/hw/pci/new.c
@@ -0,0 +1 @@
+new
'''


@unittest.skipUnless(shutil.which('patch'), 'patch(1) is not installed')
class Overlay(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.repo = os.path.join(d.name, 'repo')
        self.src = os.path.join(d.name, 'src')
        self.paths = cache.Paths(self.repo, os.path.join(d.name, 'cache'))
        self.put(self.src, 'VERSION', qemusrc.VERSION + '\n')
        self.put(self.src, 'hw/pci/x.c', 'one\n2\nthree\n')
        self.put(self.src, 'hw/pci/trace-events', '# qemu\n')
        self.put(self.src, 'hw/pci/other.c', 'other\n')
        self.put(self.repo, 'patches/qemu-10.2/0001-x.patch', PATCH)
        self.put(self.repo, 'hw/pci/ours.c', 'ours\n')
        self.put(self.repo, 'hw/pci/trace-events', 'ours(void) ""\n')
        self.put(self.repo, 'tests/qtest/our-test.c', 't\n')
        self.log = proc.Log(os.path.join(d.name, 'log'))
        self.addCleanup(self.log.close)

    @staticmethod
    def put(top, name, text):
        cache.write_atomic(os.path.join(top, name), text.encode())

    def got(self, name):
        try:
            with open(os.path.join(self.paths.qemu_src, name)) as f:
                return f.read()
        except FileNotFoundError:
            return None

    def apply(self):
        source = qemusrc.given(self.src)
        return overlay.Overlay(self.paths, source, self.log,
                               ui.UI(quiet=True)).apply()

    def test_everything_lands_where_it_belongs(self):
        self.apply()
        self.assertEqual(self.got('hw/pci/x.c'), 'one\ntwo\nthree\n')
        self.assertEqual(self.got('hw/pci/new.c'), 'new\n')
        self.assertEqual(self.got('hw/pci/ours.c'), 'ours\n')
        self.assertEqual(self.got('tests/qtest/pri-lab/our-test.c'), 't\n')
        self.assertEqual(self.got('hw/pci/trace-events'),
                         '# qemu\nours(void) ""\n')

    def test_second_run_writes_nothing(self):
        self.assertGreater(self.apply(), 0)
        self.assertEqual(self.apply(), 0)

    def test_only_what_changed_is_written(self):
        self.apply()
        before = os.stat(os.path.join(self.paths.qemu_src,
                                      'hw/pci/x.c')).st_mtime_ns
        self.put(self.repo, 'hw/pci/ours.c', 'better\n')
        self.assertEqual(self.apply(), 1)
        self.assertEqual(self.got('hw/pci/ours.c'), 'better\n')
        self.assertEqual(os.stat(os.path.join(
            self.paths.qemu_src, 'hw/pci/x.c')).st_mtime_ns, before)

    def test_changed_fragment_starts_from_pristine(self):
        self.apply()
        self.put(self.repo, 'hw/pci/trace-events', 'b(void) ""\n')
        self.apply()
        self.assertEqual(self.got('hw/pci/trace-events'),
                         '# qemu\nb(void) ""\n')

    def test_changed_patch_starts_from_pristine(self):
        self.apply()
        self.put(self.repo, 'patches/qemu-10.2/0001-x.patch',
                 PATCH.replace('+two', '+TWO'))
        self.apply()
        self.assertEqual(self.got('hw/pci/x.c'), 'one\nTWO\nthree\n')

    def test_what_is_gone_from_the_repository_is_gone(self):
        self.apply()
        os.unlink(os.path.join(self.repo, 'hw/pci/ours.c'))
        os.unlink(os.path.join(self.repo, 'hw/pci/trace-events'))
        os.unlink(os.path.join(self.repo, 'patches/qemu-10.2/0001-x.patch'))
        self.apply()
        self.assertIsNone(self.got('hw/pci/ours.c'))
        self.assertIsNone(self.got('hw/pci/new.c'))
        self.assertEqual(self.got('hw/pci/x.c'), 'one\n2\nthree\n')
        self.assertEqual(self.got('hw/pci/trace-events'), '# qemu\n')

    def test_patch_on_a_file_of_ours_is_patched_again(self):
        # a file both patched and later replaced goes back to patched
        self.put(self.repo, 'hw/pci/x.c', 'mine\n')
        self.apply()
        self.assertEqual(self.got('hw/pci/x.c'), 'mine\n')
        os.unlink(os.path.join(self.repo, 'hw/pci/x.c'))
        self.apply()
        self.assertEqual(self.got('hw/pci/x.c'), 'one\ntwo\nthree\n')

    def test_patch_that_does_not_apply_changes_nothing(self):
        self.apply()
        self.put(self.repo, 'patches/qemu-10.2/0001-x.patch',
                 PATCH.replace('-2', '-5'))
        with self.assertRaises(LabError) as e:
            self.apply()
        self.assertIn('0001-x.patch does not apply', e.exception.what)
        self.assertEqual(self.got('hw/pci/x.c'), 'one\ntwo\nthree\n')
        self.put(self.repo, 'patches/qemu-10.2/0001-x.patch', PATCH)
        self.assertEqual(self.apply(), 0)

    def test_patch_must_stay_inside(self):
        self.put(self.repo, 'patches/qemu-10.2/0001-x.patch',
                 PATCH.replace('/hw/pci/x.c', '/../../x.c'))
        with self.assertRaises(LabError):
            self.apply()

    def test_damaged_tree_is_laid_out_again(self):
        self.apply()
        os.unlink(os.path.join(self.paths.qemu_src, 'VERSION'))
        self.apply()
        self.assertEqual(self.got('hw/pci/x.c'), 'one\ntwo\nthree\n')

    def test_other_source_is_laid_out_anew(self):
        self.apply()
        self.put(self.src, 'hw/pci/other.c', 'changed\n')
        self.apply()
        self.assertEqual(self.got('hw/pci/other.c'), 'changed\n')

    def test_wrong_version_and_no_source(self):
        self.put(self.src, 'VERSION', '9.0.0\n')
        with self.assertRaises(LabError) as e:
            self.apply()
        self.assertIn('9.0.0', e.exception.what)
        os.unlink(os.path.join(self.src, 'VERSION'))
        with self.assertRaises(LabError):
            self.apply()
        with self.assertRaises(LabError):
            qemusrc.given('/no/such/place')


class TreeDigest(unittest.TestCase):
    def test_firmware_does_not_count_code_does(self):
        with tempfile.TemporaryDirectory() as d:
            def put(n, t):
                cache.write_atomic(os.path.join(d, n), t)
            put('hw/a.c', b'1')
            put('pc-bios/optionrom/pvh.S', b'1')
            one = qemusrc.tree_digest(d)
            put('pc-bios/bios.bin', b'x')
            put('roms/seabios/a.c', b'x')
            put('python/wheels/m.whl', b'x')
            self.assertEqual(qemusrc.tree_digest(d), one)
            put('pc-bios/optionrom/pvh.S', b'2')
            two = qemusrc.tree_digest(d)
            self.assertNotEqual(two, one)
            put('hw/a.c', b'2')
            self.assertNotEqual(qemusrc.tree_digest(d), two)
