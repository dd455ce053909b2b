# SPDX-License-Identifier: GPL-2.0-or-later
import multiprocessing
import os
import tempfile
import unittest
from unittest import mock

from pri_lab.core import cache, running
from pri_lab.core.errors import LabError


class Silent:
    def __init__(self, then=lambda: None):
        self.said = []
        self.then = then

    def say(self, text):
        self.said.append(text)
        self.then()


def _hold(root, started, enough):
    paths = cache.Paths('/', root)
    with cache.lock(paths, 'x', Silent()):
        started.set()
        enough.wait()


class Cache(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def test_root_follows_xdg(self):
        old = os.environ.get('XDG_CACHE_HOME')
        try:
            os.environ['XDG_CACHE_HOME'] = '/some/where'
            self.assertEqual(cache.root(), '/some/where/pri-lab')
            os.environ['XDG_CACHE_HOME'] = 'relative'
            self.assertTrue(cache.root().endswith('/.cache/pri-lab'))
        finally:
            os.environ.pop('XDG_CACHE_HOME')
            if old is not None:
                os.environ['XDG_CACHE_HOME'] = old

    def test_clones_do_not_share_work(self):
        a, b = cache.Paths('/a', self.dir), cache.Paths('/b', self.dir)
        self.assertNotEqual(a.work, b.work)
        self.assertEqual(a.linux, b.linux)

    def test_names_of_files(self):
        self.assertEqual(cache.file_name("7.3/kcsan+C-21"), "7.3_kcsan+C-21")
        self.assertEqual(cache.file_name("KASAN: x in f", "-"), "KASAN--x-in-f")
        long = "7.1.3" + "+O-A-fix" * 40
        names = {cache.file_name(long + end) for end in ("", "+C-09", "+C-11")}
        self.assertEqual(len(names), 3)
        for name in names:
            self.assertLessEqual(len(name), cache.NAME_MAX)
            self.assertTrue(name.startswith("7.1.3+O-A-fix+"))

    def test_stamp_knows_key_and_products(self):
        product = self.path('out')
        cache.write_atomic(product, b'12345')
        stamp = cache.Stamp(self.path('stamp'))
        self.assertFalse(stamp.valid('k'))
        stamp.write('k', [product])
        self.assertTrue(stamp.valid('k'))
        self.assertFalse(stamp.valid('other'))
        with open(product, 'wb') as f:
            f.write(b'1')               # truncated behind our back
        self.assertFalse(stamp.valid('k'))
        os.unlink(product)
        self.assertFalse(stamp.valid('k'))

    def test_damaged_stamp_is_no_stamp(self):
        for text in ('', '{', '[]', '\0\0'):
            with open(self.path('stamp'), 'w') as f:
                f.write(text)
            self.assertFalse(cache.Stamp(self.path('stamp')).valid('k'))

    def test_write_if_changed_keeps_time(self):
        p = self.path('a', 'b')
        self.assertTrue(cache.write_if_changed(p, b'x'))
        os.utime(p, (1, 1))
        self.assertFalse(cache.write_if_changed(p, b'x'))
        self.assertEqual(os.stat(p).st_mtime, 1)
        self.assertTrue(cache.write_if_changed(p, b'y'))

    def test_no_half_written_file(self):
        with self.assertRaises(TypeError):
            cache.write_atomic(self.path('f'), 'text is not bytes')
        self.assertEqual(os.listdir(self.dir), [])

    def test_fresh_tree_appears_whole(self):
        top = self.path('tree')
        with self.assertRaises(RuntimeError):
            with cache.fresh_tree(top) as part:
                cache.write_atomic(os.path.join(part, 'x'), b'')
                raise RuntimeError
        self.assertFalse(os.path.exists(top))
        with cache.fresh_tree(top) as part:
            cache.write_atomic(os.path.join(part, 'y'), b'')
        self.assertEqual(os.listdir(top), ['y'])

    def test_lock_makes_the_second_wait_and_say_so(self):
        started, enough = multiprocessing.Event(), multiprocessing.Event()
        p = multiprocessing.Process(target=_hold,
                                    args=(self.dir, started, enough))
        p.start()
        started.wait()
        ui = Silent(enough.set)         # it lets go when that was said
        with cache.lock(cache.Paths('/', self.dir), 'x', ui):
            self.assertTrue(enough.is_set())
        p.join()
        self.assertIn(str(p.pid), ui.said[0])

    def test_disk_space_is_refused_beforehand(self):
        with self.assertRaises(LabError) as e:
            cache.need_space(self.path('not', 'there'), 1e9, 'a test')
        self.assertIn('disk space', e.exception.what)
        cache.need_space(self.dir, 0, 'a test')

    def test_prune_keeps_what_was_used_last(self):
        for i, n in enumerate(('k-a', 'k-b', 'k-c', 'x-d')):
            os.mkdir(self.path(n))
            cache.write_atomic(self.path(n + '.stamp'), b'')
            os.utime(self.path(n), (i, i))
        cache.touch(self.path('k-b'))
        self.assertEqual(cache.prune(self.dir, 'k-', 2, self.path('k-a')),
                         ['k-c'])
        self.assertEqual(sorted(os.listdir(self.dir)),
                         ['k-a', 'k-a.stamp', 'k-b', 'k-b.stamp', 'x-d',
                          'x-d.stamp'])

    def test_prune_spares_what_a_command_may_use(self):
        os.mkdir(self.path('running'))
        os.mkdir(self.path('qemu'))
        for i, n in enumerate(('old', 'used', 'new')):
            os.mkdir(self.path('qemu', n))
            os.utime(self.path('qemu', n), (i, i))
        with mock.patch.object(running, 'others', lambda root: [
                running.Command(1, 'x', 5.0, '/', {}),
                running.Command(2, 'x', 0.5, '/', {})]):
            self.assertEqual(cache.prune(self.path('qemu'), '', 1,
                                         self.path('qemu', 'new')), ['old'])
        self.assertEqual(cache.prune(self.path('qemu'), '', 1,
                                     self.path('qemu', 'new')), ['used'])

    def test_files_under_skips_droppings(self):
        for n in ('a.c', 'a.c~', '.hidden', 'a.c.orig', 'd/b.h'):
            cache.write_atomic(self.path(n), b'')
        self.assertEqual([os.path.relpath(p, self.dir)
                          for p in cache.files_under(self.dir)],
                         ['a.c', 'd/b.h'])
