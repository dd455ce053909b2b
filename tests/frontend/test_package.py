# SPDX-License-Identifier: GPL-2.0-or-later
import gzip
import os
import shutil
import subprocess
import tempfile
import unittest

from pri_lab import cli
from pri_lab.core import cache, installed, proc, ui
from pri_lab.core.errors import LabError
from pri_lab.debian import packages
from pri_lab.dist import package
from pri_lab.qemu import qemubuild

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class FakeBuild:
    """A QEMU that is some small dynamic program."""

    binary = shutil.which('true') or '/bin/true'

    def __init__(self, roms):
        self.roms = roms


@unittest.skipIf(package.lacking(), 'no debhelper: apt-get install debhelper')
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.TemporaryDirectory()
        top = cls.tmp.name
        cls.paths = cache.Paths(REPO, os.path.join(top, 'cache'))
        roms = [os.path.join(cls.paths.firmware, r) for r in qemubuild.ROMS]
        for rom in roms:
            cache.write_atomic(rom, b'rom')
        log = proc.Log(os.path.join(top, 'log'))
        cls.real = (qemubuild.host_firmware, package.version)
        qemubuild.host_firmware = lambda: ['/usr/share/seabios/x.bin']
        package.version = lambda repo: ('10.2.2+git1-1', 1700000000)
        try:
            cls.debs = [package.build(
                cls.paths, FakeBuild(roms), cli.parser(),
                os.path.join(top, n), log, ui.UI(quiet=True))
                for n in ('one', 'two')]
        finally:
            qemubuild.host_firmware, package.version = cls.real
            log.close()
        cls.root = os.path.join(top, 'root')
        subprocess.run(['dpkg-deb', '-x', cls.debs[0], cls.root], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.tmp.cleanup()

    def run_installed(self, *words):
        env = {**os.environ, 'XDG_CACHE_HOME': self.tmp.name}
        return subprocess.run(
            [os.path.join(self.root, 'usr/bin/pri-lab'), *words], env=env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8',
            stdin=subprocess.DEVNULL, check=False)

    def test_same_bytes_again(self):
        with open(self.debs[0], 'rb') as a, open(self.debs[1], 'rb') as b:
            self.assertTrue(a.read() == b.read())

    def test_nothing_of_the_distributions(self):
        out = subprocess.run(['dpkg-deb', '-c', self.debs[0]], check=True,
                             stdout=subprocess.PIPE, encoding='utf-8').stdout
        names = [x.split()[5] for x in out.splitlines()]
        self.assertIn('./usr/lib/pri-lab/bin/qemu-system-x86_64', names)
        self.assertNotIn('./usr/bin/qemu-system-x86_64', names)
        for n in names:
            self.assertTrue(n.endswith('/') or 'pri-lab' in n, n)
        self.assertTrue(all(x.split()[1] == 'root/root'
                            for x in out.splitlines()))

    def test_control(self):
        def field(name):
            return subprocess.run(
                ['dpkg-deb', '-f', self.debs[0], name], check=True,
                stdout=subprocess.PIPE, encoding='utf-8').stdout.strip()
        self.assertEqual(field('Version'), '10.2.2+git1-1')
        self.assertIn('libc6', field('Depends'))
        self.assertIn('seabios', field('Depends'))
        self.assertGreater(int(field('Installed-Size')), 100)

    def test_firmware_is_where_qemu_looks(self):
        share = os.path.join(self.root, 'usr/lib/pri-lab/share/qemu')
        self.assertEqual(os.readlink(os.path.join(share, 'x.bin')),
                         '../../../../share/seabios/x.bin')
        self.assertTrue(os.path.isfile(os.path.join(share, 'pvh.bin')))

    def test_races_and_their_patches_go_along(self):
        out = self.run_installed('repro', 'no-such-race')
        self.assertIn('there is no race no-such-race', out.stderr)
        bugs = os.path.join('guest', 'kernel', 'bugs')
        self.assertEqual(
            sorted(os.listdir(os.path.join(self.root, package.LIB, bugs))),
            sorted(os.listdir(os.path.join(REPO, bugs))))
        out = self.run_installed('repro', '--table')
        self.assertIn('repro --table needs the repository', out.stderr)

    def test_front_end_runs_from_it(self):
        out = self.run_installed('kernel', 'list')
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn('7.3', out.stdout)
        self.assertIn('sva-basic', self.run_installed(
            'completion', 'words', 'jobs').stdout)
        self.assertEqual(self.run_installed(
            'build').stdout.strip(), os.path.join(
                self.root, 'usr/lib/pri-lab', installed.BINARY))

    def test_installed_it_is_in_the_path(self):
        """F28: a version, and nothing says to type what is not there."""
        self.assertEqual(self.run_installed('--version').stdout,
                         'pri-lab 10.2.2+git1-1\n')
        pages = {'help': self.run_installed('run', '--help').stdout,
                 'usage': self.run_installed('run', 'nosuch').stderr}
        for path in cache.files_under(os.path.join(
                self.root, package.LIB, 'scripts'), ('.py',)):
            with open(path, encoding='utf-8') as f:
                pages[path] = f.read()
        with gzip.open(os.path.join(
                self.root, 'usr/share/man/man1/pri-lab.1.gz'), 'rt') as f:
            pages['man'] = f.read().replace('\\-', '-')
        with open(os.path.join(self.root, package.DOC,
                               'docs/manual/pri-lab.md'),
                  encoding='utf-8') as f:
            pages['manual'] = f.read()
        for name, text in pages.items():
            self.assertNotIn('./pri-lab', text, name)

    def test_what_needs_the_repository_says_so(self):
        for words in (['check'], ['bench'], ['package'], ['conformance'],
                      ['kernel', 'report']):
            out = self.run_installed(*words)
            self.assertEqual(out.returncode, 3)
            self.assertIn('needs the repository', out.stderr)


class Parts(unittest.TestCase):
    def test_version_names_the_commit(self):
        with tempfile.TemporaryDirectory() as d:
            with self.assertRaises(LabError):
                package.version(d)
            for words in (['init', '-q'], ['add', '.'], [
                    '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit',
                    '-q', '--allow-empty', '-m', 'x']):
                subprocess.run(['git', '-C', d] + words, check=True)
            clean = package.version(d)[0]
            self.assertRegex(clean,
                             r'^10\.2\.2\+git\d{8}\.[0-9a-f]{10}-1$')
            open(os.path.join(d, 'x'), 'w').close()
            self.assertIn('+dirty', package.version(d)[0])

    def test_installed_needs_no_tools_of_qemus_build(self):
        want = packages.missing({}, qemu=False)
        self.assertIn('flex', want)
        self.assertNotIn('ninja-build', want)
        self.assertIn('ninja-build', packages.missing({}))
