# SPDX-License-Identifier: GPL-2.0-or-later
"""A source tree of one's own, built whatever state it is in (M1, M2, F14)."""
import os
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from pri_lab.core import cache, proc, requests, ui
from pri_lab.core.errors import LabError, UsageError
from pri_lab.guest import guest
from pri_lab.linux import kconfig, kernel
from pri_lab.linux.kernel import Kernel
from pri_lab.own import anykernel, mirror, tree

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
# what stands for Linux: a configuration, an image of two files, a release
MAKEFILE = '''\
ifneq ($(wildcard $(CURDIR)/.config),)
$(error the source tree is not clean)
endif
allnoconfig:
	@echo 'CONFIG_OK=y' > $(O)/.config
vmlinux: $(O)/a.o $(O)/b.o
	@cat $^ > $(O)/vmlinux; echo "CC=$(CC) LLVM=$(LLVM)" >> $(O)/vmlinux
$(O)/%.o: %.c
	@test "$$(cat $<)" != broken
	@cp $< $@; echo $* >> $(O)/compiled
modules:
	@mkdir -p $(O)/include/config; echo 1.2 > $(O)/include/config/kernel.release
.PHONY: vmlinux modules allnoconfig
'''


class Fixture(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = os.path.realpath(d.name)
        self.src = os.path.join(self.dir, 'linux')
        self.paths = cache.Paths(REPO, os.path.join(self.dir, 'cache'))
        self.log = proc.Log(os.path.join(self.dir, 'log'))
        self.addCleanup(self.log.close)
        for name, text in (('Makefile', MAKEFILE), ('Kconfig', ''),
                           ('a.c', 'a1\n'), ('b.c', 'b1\n'),
                           ('.gitignore', '*.o\n/vmlinux\n/.config\n'),
                           ('Documentation/x.rst', 'x\n')):
            self.put(name, text)
        self.git('init', '-q')
        self.commit()
        for target, value in ((kconfig, 'lacking'), (kconfig, 'lost')):
            p = mock.patch.object(target, value, lambda *a: [])
            p.start()
            self.addCleanup(p.stop)
        p = mock.patch.dict(os.environ, {}, clear=False)
        p.start()
        self.addCleanup(p.stop)
        for name in tree.PASSED:
            os.environ.pop(name, None)

    def put(self, name, text):
        cache.write_atomic(os.path.join(self.src, name), text.encode())

    def git(self, *args):
        return subprocess.run(
            ['git', '-C', self.src, '-c', 'user.name=a', '-c',
             'user.email=a@b', *args], check=True, text=True,
            stdout=subprocess.PIPE).stdout.strip()

    def commit(self):
        self.git('add', '-A')
        self.git('commit', '-qm', 'x')
        return self.git('rev-parse', 'HEAD')

    def build(self, *make):
        one = tree.OwnTree(self.paths, self.src, [], make, 1, self.log,
                           ui.UI(quiet=True))
        got = one.have()
        with open(got.image, encoding='utf-8') as f:
            return got, f.read().splitlines()

    def compiled(self, got):
        path = os.path.join(got.build, 'compiled')
        with open(path, encoding='utf-8') as f:
            out = f.read().split()
        os.truncate(path, 0)
        return out

class Tree(Fixture):
    def test_makefiles_of_another_architecture(self):
        """fs/hostfs of 7.3 includes one of arch/um, whatever is built."""
        for name, there in (('arch/um/scripts/Makefile.rules', True),
                            ('arch/arm/Kconfig', True),
                            ('arch/arm/kernel/setup.c', False),
                            ('arch/x86/kernel/setup.c', True),
                            ('Documentation/x.rst', False)):
            self.assertEqual(mirror.wanted(name), there, name)
        self.put('arch/um/scripts/Makefile.rules', 'RULES := yes\n')
        self.put('Makefile', 'include arch/um/scripts/Makefile.rules\n'
                 + MAKEFILE)
        self.commit()
        self.assertEqual(self.build()[1][:2], ['a1', 'b1'])

    def test_unbuilt(self):
        got, text = self.build()
        self.assertEqual((text[:2], got.release), (['a1', 'b1'], '1.2'))
        self.assertEqual(self.git('status', '--porcelain', '--ignored'), '')

    def test_configured_and_built_in_place(self):
        """F14: nobody has to clean his tree."""
        self.put('.config', 'CONFIG_MINE=y\n')
        self.put('vmlinux', 'mine')
        self.assertEqual(self.build()[1][:2], ['a1', 'b1'])
        with open(os.path.join(self.src, '.config'), encoding='utf-8') as f:
            self.assertEqual(f.read(), 'CONFIG_MINE=y\n')

    def test_dirty_with_new_and_without_old_files(self):
        self.put('a.c', 'a2\n')
        os.unlink(os.path.join(self.src, 'Documentation/x.rst'))
        got, text = self.build()
        self.assertEqual(text[:2], ['a2', 'b1'])
        self.put('new.h', 'x')
        self.assertNotEqual(self.build()[0].image, got.image)

    def test_only_what_changed_is_compiled(self):
        first = self.git('rev-parse', 'HEAD')
        got, _ = self.build()
        self.assertEqual(self.compiled(got), ['a', 'b'])
        time.sleep(0.02)
        self.put('b.c', 'b2\n')
        self.commit()
        os.utime(os.path.join(self.src, 'a.c'))     # its content is the same
        got, text = self.build()
        self.assertEqual((text[:2], self.compiled(got)), (['a1', 'b2'],
                                                          ['b']))
        self.git('checkout', '-q', first)
        self.assertEqual(self.build()[1][:2], ['a1', 'b1'])

    def test_a_commit_that_was_built_is_there(self):
        first = self.git('rev-parse', 'HEAD')
        got, _ = self.build()
        cache.write_atomic(guest.kept_driver(got.keep, REPO), b'module')
        self.put('b.c', 'b2\n')
        self.commit()
        self.build()
        self.compiled(got)
        self.git('checkout', '-q', first)
        again, text = self.build()
        self.assertEqual((again.image, text[:2], again.release),
                         (got.image, ['a1', 'b1'], '1.2'))
        self.assertEqual(self.compiled(again), [])

    def test_a_commit_that_does_not_build_and_the_next(self):
        self.build()
        self.put('b.c', 'broken\n')
        self.commit()
        with self.assertRaises(LabError) as e:
            self.build()
        self.assertEqual(e.exception.status, 3)
        self.put('b.c', 'b3\n')
        self.assertEqual(self.build()[1][:2], ['a1', 'b3'])

    def test_compiler(self):
        self.assertIn('CC=clang-16 ', self.build('CC=clang-16')[1][2])
        os.environ['LLVM'] = '1'
        with mock.patch('shutil.which', return_value=None):
            self.assertEqual(self.build()[1][2].split()[-1], 'LLVM=1')
        with mock.patch('shutil.which', lambda x: f'/bin/{x}'), \
                mock.patch('os.path.realpath', lambda x: x):
            self.assertEqual(tree.words([]), ['LLVM=1', 'CC=ccache clang'])
            self.assertEqual(tree.words(['CC=gcc-12']), ['CC=gcc-12',
                                                         'LLVM=1'])
        with self.assertRaisesRegex(UsageError, 'VARIABLE=VALUE'):
            tree.words(['gcc'])

    def test_called_by_git_bisect(self):
        os.environ.update(GIT_DIR='/nonexistent', GIT_INDEX_FILE='/none')
        try:
            self.assertTrue(mirror.is_git(self.src))
        finally:
            del os.environ['GIT_DIR'], os.environ['GIT_INDEX_FILE']

    def test_which_kernel_is_meant(self):
        how = requests.Config(config=[], make=[])
        self.assertTrue(anykernel.from_source(REPO, self.src, False))
        kernel.check(REPO, self.src, ui.UI(quiet=True), ['/dev/null'][:0])
        self.put('vmlinux', 'x')
        self.assertFalse(anykernel.from_source(REPO, self.src, False))
        self.assertTrue(anykernel.from_source(REPO, self.src, True))
        with mock.patch.object(tree.OwnTree, 'have') as have:
            have.return_value = Kernel(os.path.join(self.src, 'vmlinux'),
                                       self.src, '7.3')
            anykernel.have(self.paths, self.src, how, 1, self.log,
                           ui.UI(quiet=True), fresh=True)
        self.assertTrue(have.called)

    def test_no_git_tree(self):
        cache.remove(os.path.join(self.src, '.git'))
        self.assertEqual(self.build()[1][:2], ['a1', 'b1'])
        self.put('.config', 'x')
        with self.assertRaisesRegex(UsageError, 'mrproper|no git tree'):
            self.build()


# What stands for `pri-lab repro RACE --bisect --kernel .`: the tree is built as
# it is there, a run comes to what the image says
BISECT = '''\
import sys
sys.path.insert(0, sys.argv[1])
from pri_lab.core import cache, proc, ui
from pri_lab.core.errors import LabError
from pri_lab.linux import kconfig
from pri_lab.own import tree
from pri_lab.races import race
from pri_lab.races.tally import Tally, bisect_status
kconfig.lacking = kconfig.lost = lambda *a: []
t = Tally(race.from_file(sys.argv[3]), '.')
try:
    kernel = tree.OwnTree(cache.Paths(sys.argv[1], sys.argv[2]), '.', [], [], 1,
                          proc.Log(sys.argv[2] + '/log'), ui.UI(quiet=True)
                          ).have()
    with open(kernel.image) as f:
        word = race.WORDS['yes' if 'bug' in f.read() else 'no']
    t.snapshot = [race.Verdict(word, [], '', [])]
except LabError as e:
    t.unfit = e.what
sys.exit(bisect_status([t]))
'''


class Bisect(Fixture):
    """M1: with git itself, past a commit that does not build."""

    def test_the_commit_is_found(self):
        from test_repro import HEADER
        header = os.path.join(self.dir, 'a-race.c')
        cache.write_atomic(header, (HEADER + 'int a;\n').encode())
        good = self.git('rev-parse', 'HEAD')
        commits = []
        for n in range(8):
            self.put('b.c', 'broken\n' if n == 2 else
                     f'b{n}\n' + 'bug\n' * (n >= 4))
            commits.append(self.commit())
        self.put('.config', 'built in place\n')
        self.git('bisect', 'start', commits[-1], good)
        said = self.git('bisect', 'run', sys.executable, '-B', '-c', BISECT,
                        os.path.join(REPO, 'scripts'),
                        os.path.join(self.dir, 'cache'), header)
        self.assertIn(f'{commits[4]} is the first bad commit', said)
        self.git('bisect', 'reset')


if __name__ == '__main__':
    unittest.main()
