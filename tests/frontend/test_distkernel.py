# SPDX-License-Identifier: GPL-2.0-or-later
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

from pri_lab.core import cache, proc, ui
from pri_lab.core.errors import NETWORK, LabError, Unavailable
from pri_lab.debian import apt
from pri_lab.linux import distkernel, headers, kernel, matrix

RELEASE = '6.1.0-9-amd64'
HEADERS = f'usr/src/linux-headers-{RELEASE}'


def make_deb(top, name, files):
    """A .deb with files (path -> text); its path."""
    tree = os.path.join(top, name)
    for path, text in files.items():
        cache.write_atomic(os.path.join(tree, path), text.encode(), 0o755)
    cache.write_atomic(os.path.join(tree, 'DEBIAN', 'control'), (
        f'Package: {name}\nVersion: 6.1.9-1\nArchitecture: all\n'
        'Maintainer: a <a@b>\nDescription: x\n').encode())
    deb = os.path.join(top, f'{name}_6.1.9-1_all.deb')
    subprocess.run(['dpkg-deb', '--root-owner-group', '-b', tree, deb],
                   check=True, stdout=subprocess.DEVNULL)
    return deb


@unittest.skipUnless(shutil.which('apt-get'), 'no apt-get here')
class OfTheHost(unittest.TestCase):
    """What the host has installed or prefers is not of our suite."""

    HOST = ('Package: x\nStatus: install ok installed\nVersion: 7\n'
            'Architecture: all\nMaintainer: a <a@b>\nDescription: x\n')

    def repository(self, top):
        """A flat archive that holds x, version 6.1.9-1."""
        deb = make_deb(top, 'x', {})
        with open(deb, 'rb') as f:
            data = f.read()
        cache.write_atomic(os.path.join(top, 'Packages'), (
            'Package: x\nVersion: 6.1.9-1\nArchitecture: all\n'
            'Maintainer: a <a@b>\nDescription: x\n'
            f'Filename: ./{os.path.basename(deb)}\nSize: {len(data)}\n'
            f'SHA256: {hashlib.sha256(data).hexdigest()}\n').encode())

    def test_neither_packages_nor_default_release(self):
        with tempfile.TemporaryDirectory() as top:
            self.repository(top)
            cache.write_atomic(f'{top}/host', self.HOST.encode())
            cache.write_atomic(f'{top}/apt.conf', (
                f'Dir::State::status "{top}/host";\n'
                'APT::Default-Release "nowhere";\n').encode())
            log = proc.Log(f'{top}/log')
            self.addCleanup(log.close)
            with mock.patch.dict(os.environ, APT_CONFIG=f'{top}/apt.conf'), \
                    mock.patch.object(apt, 'mirrors', list), \
                    mock.patch.object(apt, 'keyring', lambda: '-'), \
                    mock.patch.dict(os.environ, XDG_CACHE_HOME=top):
                archive = apt.Archive(cache.Paths(top), 'bookworm', 'deb',
                                      log, ui.UI(quiet=True))
                archive.mirrors = []
                archive.update()
                cache.write_atomic(
                    os.path.join(archive.dir, 'sources.list'),
                    f'deb [trusted=yes] file:{top} ./\n'.encode())
                archive._run(['update'], 'index')
                self.assertEqual(archive.version('x'), '6.1.9-1')
                self.assertIn('\nVersion: 6.1.9-1\n', archive.show('x'))
                self.assertEqual(os.path.basename(archive.download(
                    'x', '6.1.9-1', f'{top}/debs')), 'x_6.1.9-1_all.deb')


class FakeArchive:
    """An archive with one kernel; counts what is downloaded."""

    debs = {}
    fetched = []
    shows = {
        'linux-image-amd64': f'Depends: linux-image-{RELEASE} (= 6.1.9-1)\n',
        'linux-headers-amd64': f'Depends: linux-headers-{RELEASE}\n',
        f'linux-headers-{RELEASE}':
            'Depends: linux-headers-6.1.0-9-common (= 6.1.9-1), '
            'linux-kbuild-6.1 (>= 6.1.9-1), linux-compiler-gcc-12-x86\n',
    }

    def __init__(self, _paths, suite, _kind, _log, _ui):
        self.suite = suite

    def update(self):
        if self.suite != 'bookworm':
            raise LabError('reading failed: the network or the package '
                           'mirror could not be reached')

    def show(self, package):
        return self.shows.get(package, '')

    @staticmethod
    def version(_package):
        return '6.1.9-1'

    def download(self, package, _version, dest):
        self.fetched.append(package)
        os.makedirs(dest, exist_ok=True)
        out = os.path.join(dest, package + '.deb')
        os.link(self.debs[package], out)
        return out


class Stock(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        top = os.path.realpath(d.name)
        self.paths = cache.Paths('/', os.path.join(top, 'cache'))
        self.log = proc.Log(os.path.join(top, 'log'))
        self.addCleanup(self.log.close)
        real = apt.Archive
        self.addCleanup(lambda: setattr(apt, 'Archive', real))
        apt.Archive = FakeArchive
        FakeArchive.fetched = []
        FakeArchive.debs = {n: make_deb(top, n, files) for n, files in {
            f'linux-image-{RELEASE}': {
                f'boot/vmlinuz-{RELEASE}': 'image',
                f'lib/modules/{RELEASE}/big.ko': 'module'},
            f'linux-headers-{RELEASE}': {
                f'{HEADERS}/Makefile':
                    'include /usr/src/linux-headers-6.1.0-9-common/Makefile',
                f'{HEADERS}/scripts/mod/modpost': '#!/bin/sh\nexit 1\n'},
            'linux-headers-6.1.0-9-common': {
                'usr/src/linux-headers-6.1.0-9-common/Makefile': '#\n'},
            'linux-kbuild-6.1': {'usr/lib/linux-kbuild-6.1/x': '#\n'},
        }.items()}

    def dist(self, suite='bookworm', name='debian-12'):
        entry = matrix.parse(f'[{name}]\nsources = stock {suite}\n')[name]
        return distkernel.DistKernel(self.paths, entry, self.log,
                                     ui.UI(quiet=True))

    def test_unpacked_and_relocated(self):
        got = self.dist().have()
        self.assertEqual(got.release, RELEASE)
        self.assertTrue(got.image.startswith(self.paths.linux))
        with open(os.path.join(got.headers, 'Makefile')) as f:
            included = f.read().split()[1]
        self.assertTrue(os.path.isfile(included), included)
        self.assertFalse(os.path.exists(os.path.join(
            os.path.dirname(os.path.dirname(got.image)), 'lib', 'modules')))

    def test_second_time_nothing_is_fetched(self):
        self.dist().have()
        self.assertEqual(len(FakeArchive.fetched), 4)
        self.dist().have()
        self.assertEqual(len(FakeArchive.fetched), 4)
        self.assertEqual((self.dist().state(), self.dist().version),
                         ('built', '6.1.9-1'))
        # a name that begins the same is another kernel
        self.assertEqual(self.dist(name='debian').state(), '-')

    def test_mirror_out_of_reach_is_unavailable(self):
        with self.assertRaises(Unavailable):
            self.dist(suite='trixie').have()

    def newer(self, libc):
        """Headers with a program of a release to come, and its C library
        (None: the archive has it not); what is made of them."""
        top = os.path.dirname(self.log.path)
        name = f'linux-headers-{RELEASE}'
        deb = make_deb(top, name, {f'{HEADERS}/Makefile': '#\n'})
        program = os.path.join(top, name, HEADERS, 'scripts', 'mod', 'modpost')
        with open('/bin/true', 'rb') as f:
            data = f.read()
        wants = max(re.findall(rb'GLIBC_2\.\d\d\0', data))
        cache.write_atomic(program, data.replace(wants, b'GLIBC_2.99\0'),
                           0o755)
        subprocess.run(['dpkg-deb', '--root-owner-group', '-b', os.path.join(
            top, name), deb], check=True, stdout=subprocess.DEVNULL)
        FakeArchive.debs[name] = deb
        if libc is not None:
            FakeArchive.debs['libc6'] = make_deb(top, 'libc6', {
                headers._LOADER: libc})
        return self.dist().have()

    def test_headers_of_a_newer_release(self):
        """P8: their programs are run with its C library."""
        got = self.newer('#!/bin/sh\nshift 2; echo "loads ${1##*/} $2"\n')
        self.assertIn('libc6', FakeArchive.fetched)
        for _ in range(2):
            p = subprocess.run([os.path.join(
                got.headers, 'scripts', 'mod', 'modpost'), 'word'],
                check=False, stdout=subprocess.PIPE, encoding='utf-8')
            self.assertEqual(p.stdout, 'loads modpost.elf word\n')
            got = self.dist().have()
        self.assertEqual(FakeArchive.fetched.count('libc6'), 1)

    def test_no_c_library_for_them(self):
        def gone(_self, package, _version, _dest):
            raise LabError(f'downloading {package}: {NETWORK}')
        real = FakeArchive.download
        with mock.patch.object(
                FakeArchive, 'download', lambda self, package, *more: (
                    gone if package == 'libc6' else real)(
                        self, package, *more)):
            with self.assertRaisesRegex(Unavailable, 'too old for'):
                self.newer(None)

    def test_headers_that_want_another_compiler(self):
        """P8: what is here is used, less what it does not know, and that is
        said."""
        top = os.path.dirname(self.log.path)
        name = f'linux-headers-{RELEASE}'
        option = 'CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT'
        FakeArchive.debs[name] = make_deb(top, name, {
            f'{HEADERS}/include/config/auto.conf': f'{option}=y\n',
            f'{HEADERS}/.kernelvariables': 'CC = gcc-99\n'})
        one = self.dist()
        said = []
        one.ui.say = said.append
        for knows in (False, True):
            with mock.patch.object(headers, '_knows', lambda _c, _f,
                                   k=knows: k):
                words = one.have().words
            self.assertEqual(words[0], 'CC=gcc')
            self.assertEqual(f'{option}=' in words, not knows)
        self.assertIn('gcc-99', said[0])
        with mock.patch('shutil.which', return_value=None):
            with self.assertRaisesRegex(Unavailable, 'gcc-99'):
                one.have()

    def test_a_flag_of_the_compiler(self):
        self.assertTrue(headers._knows('gcc', '-fno-common'))
        self.assertFalse(headers._knows('gcc', '-fno-such-flag=16'))

    def test_image_in_a_package_of_its_own(self):
        """P8: since 7.3 linux-image-... is empty and depends on it."""
        top = os.path.join(os.path.dirname(self.log.path), 'split')
        shows = dict(FakeArchive.shows)
        self.addCleanup(lambda: setattr(FakeArchive, 'shows', shows))
        image, binary = f'linux-image-{RELEASE}', f'linux-binary-{RELEASE}'
        FakeArchive.shows = {**shows, image:
                             f'Package: {image}\nDepends: kmod, {binary} '
                             '(= 6.1.9-1)\n'}
        FakeArchive.debs[image] = make_deb(top, image, {
            f'usr/share/doc/{image}/copyright': 'x'})
        FakeArchive.debs[binary] = make_deb(top, binary, {
            f'usr/lib/modules/{RELEASE}/vmlinuz': 'image',
            f'usr/lib/modules/{RELEASE}/big.ko': 'module'})
        got = self.dist().have()
        with open(got.image, encoding='utf-8') as f:
            self.assertEqual(f.read(), 'image')
        self.assertEqual(got.release, RELEASE)
        self.assertFalse(os.path.exists(os.path.join(
            os.path.dirname(os.path.dirname(got.image)), 'usr', 'lib',
            'modules')))

    def test_no_such_kernel(self):
        cache.remove(self.paths.linux)
        shows = dict(FakeArchive.shows)
        self.addCleanup(lambda: setattr(FakeArchive, 'shows', shows))
        FakeArchive.shows = {}
        with self.assertRaises(Unavailable) as e:
            self.dist().have()
        self.assertIn('has no linux-image-amd64', e.exception.what)


class Depends(unittest.TestCase):
    def test_names(self):
        self.assertEqual(distkernel.depends(
            'Package: x\nDepends: a (>= 1), b | c, d\nSize: 1\n'),
            ['a', 'b', 'd'])
        self.assertEqual(distkernel.depends('Package: x\n'), [])

    def test_entries_of_the_repository(self):
        repo = os.path.dirname(os.path.dirname(os.path.dirname(
            os.path.realpath(__file__))))
        entry = matrix.load(repo)['debian']
        self.assertTrue(entry.stock)
        self.assertFalse(entry.in_all)
        self.assertEqual(kernel.steps(repo, 'debian'), 2)
