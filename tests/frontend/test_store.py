# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU built once serves every clone (F5); what lies in the cache (M13)."""
import os
import tempfile
import unittest
from unittest import mock

from pri_lab.core import cache, context
from pri_lab.machine import ready
from pri_lab.qemu import qemubuild, qemusrc, qemustore
from pri_lab.state import usage

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
SOURCE = qemusrc.Source('/src', 'source-key', 'QEMU')


class Store(unittest.TestCase):
    """Clones that share a cache; building is counted."""

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        self.root = os.path.join(d.name, 'cache')
        self.built = []
        for target, value in (
                ('pri_lab.qemu.qemusrc.find', lambda *a: SOURCE),
                ('pri_lab.qemu.overlay.Overlay', self.overlay),
                ('pri_lab.qemu.qemubuild.QemuBuild.build', self.build),
                ('pri_lab.core.cache.need_space', lambda *a: None)):
            p = mock.patch(target, value)
            p.start()
            self.addCleanup(p.stop)

    def clone(self, name, **files):
        repo = os.path.join(self.dir, name)
        for f, text in {'hw/pci/a.c': 'a', **files}.items():
            cache.write_atomic(os.path.join(repo, f), text.encode())
        return context.Context('', cache.Paths(repo, self.root),
                               mock.MagicMock(), None, 1, None, None,
                               context.Outcome())

    def overlay(self, paths, _source, _log, _ui):
        """Stands for the patched tree: our files alone."""
        def apply():
            for f in ('hw/pci/a.c', 'VERSION'):
                path = os.path.join(paths.repo, f)
                data = b''
                if os.path.exists(path):
                    with open(path, 'rb') as g:
                        data = g.read()
                cache.write_atomic(os.path.join(paths.qemu_src, f), data)
            cache.Stamp(paths.qemu_src + '.stamp').write(SOURCE.key)
        return mock.Mock(apply=apply)

    def build(self, qtests):
        made = self.made
        self.built.append(made.tree)
        out = made.qemu_build(False)
        for name in [qemubuild.BINARY] + ([
                f'tests/qtest/{t}' for t in qemubuild.UPSTREAM_QTESTS]
                if qtests else []):
            cache.write_atomic(os.path.join(out, name), b'made')
        rom = os.path.join(made.firmware, 'pvh.bin')
        cache.write_atomic(rom, b'rom')
        os.makedirs(os.path.join(out, qemubuild.BUNDLE), exist_ok=True)
        link = os.path.join(out, qemubuild.BUNDLE, 'pvh.bin')
        cache.remove(link)
        os.symlink(rom, link)
        nothing = os.path.join(out, qemubuild.BUNDLE, 'trace-events-all')
        cache.remove(nothing)
        os.symlink('/nonexistent', nothing)     # as meson does

    def qemu(self, one, qtests=False):
        self.made = one.paths
        with mock.patch.object(qemubuild.QemuBuild, 'products',
                               lambda s, q: [qemubuild.BINARY] + [
                                   f'tests/qtest/{t}' for t in
                                   qemubuild.UPSTREAM_QTESTS] * q):
            return ready.qemu(one, mock.Mock(python='p', python_path='p'),
                              '', qtests)

    def test_the_same_content_is_built_once(self):
        first = self.qemu(self.clone('one'))
        second = self.qemu(self.clone('two'))
        self.assertEqual((len(self.built), second.binary), (1, first.binary))
        with open(os.path.join(second.dir, qemubuild.BUNDLE, 'pvh.bin'),
                  'rb') as f:
            self.assertEqual(f.read(), b'rom')

    def test_a_file_that_changes_before_it_is_copied(self):
        """A `git pull` at that time: the QEMU is not kept as the old one."""
        changes = [b'new']

        def overlay(paths, *more):
            real = self.overlay(paths, *more)

            def apply():
                if changes:
                    cache.write_atomic(os.path.join(
                        paths.repo, 'hw/pci/a.c'), changes.pop())
                real.apply()
            return mock.Mock(apply=apply)
        with mock.patch('pri_lab.qemu.overlay.Overlay', overlay):
            first = self.qemu(self.clone('one'))
        new = self.qemu(self.clone('two', **{'hw/pci/a.c': 'new'}))
        self.assertEqual((new.binary, len(self.built)), (first.binary, 1))
        self.qemu(self.clone('three'))
        self.assertEqual(len(self.built), 2)

    def test_tests_are_those_of_the_tree_that_is_built(self):
        one = self.clone('one', **{'tests/qtest/x/a-test.c': 'a'})
        build = qemubuild.QemuBuild(one.paths, mock.Mock(
            python='p', python_path='p'), 'key', 1, None, None)
        cache.write_atomic(os.path.join(one.paths.repo, 'tests/qtest/b-test.c'),
                           b'b')
        self.assertEqual(
            [n for n in build.products(True) if 'pri-lab' in n],
            ['tests/qtest/pri-lab/a-test',
             'tests/qtest/pri-lab/' + qemubuild.BENCH])

    def test_the_compiler_cache_is_for_all_clones(self):
        builds = [qemubuild.QemuBuild(
            self.clone(n).paths, mock.Mock(
                python='p', python_path='p',
                env=lambda: {'PYTHONPATH': 'p'}),
            'key', 1, None, None) for n in ('one', 'two')]
        with mock.patch.dict(os.environ):
            os.environ.pop('CCACHE_BASEDIR', None)
            os.environ['CCACHE_NOHASHDIR'] = 'own'
            env = builds[0].env()
            self.assertEqual(env, builds[1].env())
        for build in builds:
            self.assertTrue(build.dir.startswith(env['CCACHE_BASEDIR'] + '/'))
        self.assertEqual((env['PYTHONPATH'], env.get('CCACHE_NOHASHDIR')),
                         ('p', None))

    def test_it_does_not_hang_on_the_clone_that_built_it(self):
        one = self.clone('one')
        got = self.qemu(one)
        cache.remove(one.paths.work)
        self.assertEqual(self.qemu(self.clone('two')).binary, got.binary)
        with open(got.binary, 'rb') as f:
            self.assertEqual(f.read(), b'made')
        self.assertTrue(os.path.isfile(os.path.join(
            got.dir, qemubuild.BUNDLE, 'pvh.bin')))

    def test_with_tests_it_is_another_matter(self):
        one = self.clone('one')
        self.qemu(one)
        self.qemu(one, True)
        self.qemu(one)
        self.qemu(one, True)
        self.assertEqual(len(self.built), 2)

    def test_a_slower_clone_takes_nothing_away(self):
        """Two build the same; the one that ends last has no tests."""
        one, two = self.clone('one'), self.clone('two')
        build = self.build

        def slow(qtests):
            if not self.built:
                self.built.append('slow')
                self.fast = self.qemu(one, True)
                self.made = two.paths
            build(qtests)
        with mock.patch('pri_lab.qemu.qemubuild.QemuBuild.build',
                        lambda s, q: slow(q)), \
                mock.patch.object(qemustore, 'NEAR', 0):
            self.qemu(two)
        self.assertTrue(self.fast.has(True))

    def test_an_edit_builds_in_the_nearest_tree(self):
        one = self.clone('one')
        old = self.qemu(one)
        two = self.clone('two', **{'hw/pci/a.c': 'changed'})
        new = self.qemu(two)
        self.assertNotEqual(new.binary, old.binary)
        self.assertEqual(self.built, [one.paths.work, one.paths.work])
        self.assertEqual(two.paths.tree, two.paths.work)    # given back
        self.assertTrue(old.has(False))     # and the old one is still there

    def test_not_in_one_that_is_in_use_or_far(self):
        one = self.clone('one')
        self.qemu(one)
        two = self.clone('two', **{'hw/pci/a.c': 'changed'})
        lock = cache.try_lock(one.paths, f'clone-{one.paths.clone}')
        with lock:
            self.assertIsNone(cache.try_lock(one.paths,
                                             f'clone-{one.paths.clone}'))
            self.qemu(two)
        self.assertEqual(self.built[-1], two.paths.work)
        with mock.patch.object(qemustore, 'NEAR', 0):
            three = self.clone('three', **{'hw/pci/a.c': 'third'})
            self.qemu(three)
        self.assertEqual(self.built[-1], three.paths.work)

    def test_every_input_is_in_the_key(self):
        keys = {qemustore.key_of(REPO, SOURCE, False),
                qemustore.key_of(REPO, SOURCE, True),
                qemustore.key_of(REPO, qemusrc.Source('/', 'x', ''), False)}
        one = self.clone('one')
        for text in ('1', '2'):
            cache.write_atomic(os.path.join(
                one.paths.repo, 'patches/qemu-10.2/1.patch'), text.encode())
            keys.add(qemustore.key_of(one.paths.repo, SOURCE, False))
        self.assertEqual(len(keys), 5)

    def test_what_lies_where_and_what_is_old(self):
        one, two = self.clone('one'), self.clone('two', **{'hw/pci/a.c': 'b'})
        self.qemu(one)
        os.makedirs(os.path.join(two.paths.work, 'repro'))
        cache.write_atomic(os.path.join(two.paths.work, 'build', 'x'), b'x')
        cache.write_atomic(os.path.join(two.paths.work, 'repro', 'r'), b'x')
        qemustore.note_clone(two.paths)
        cache.remove(two.paths.repo)
        text = '\n'.join(usage.table(one.paths))
        self.assertIn(f'work/{one.paths.clone}  (of {one.paths.repo})', text)
        self.assertIn(f'(of {two.paths.repo}, which is gone)', text)
        self.assertEqual(usage.unwanted(self.root), [two.paths.work])
        usage.remove_old(one.paths, mock.Mock())
        self.assertEqual(os.listdir(two.paths.work), ['repro'])
        self.assertTrue(os.path.isdir(os.path.join(one.paths.work, 'build')))
        with mock.patch.object(usage, 'OLD_DAYS', -1):
            self.assertIn(one.paths.work, usage.unwanted(self.root))


if __name__ == '__main__':
    unittest.main()
