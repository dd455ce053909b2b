# SPDX-License-Identifier: GPL-2.0-or-later
"""The series of patches: which source takes which, and that each applies.

PRI_LAB_QEMU_SRC=DIR|TARBALL:... names sources to try besides the cache's.
"""
import importlib.util
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest

from pri_lab.core import cache
from pri_lab.core.errors import LabError
from pri_lab.qemu import overlay, qemusrc, qemustore, series, stock

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


def subject(path):
    """Of a patch, on one line."""
    with open(path, encoding='utf-8') as f:
        head = f.read().split('\n\n', 1)[0]
    return re.search(r'^Subject: \[PATCH[^]]*\] (.*(?:\n .*)*)', head,
                     re.M).group(1).replace('\n', '')


def load(name):
    """A tool of scripts/ whose name is not one of Python's."""
    spec = importlib.util.spec_from_file_location(
        name.replace('-', '_'), os.path.join(REPO, 'scripts', f'{name}.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


renumber = load('renumber-patches')


def sources():
    """Every source that is here without the network."""
    pinned = os.path.join(cache.root(), 'downloads', qemusrc.TARBALL)
    if os.path.isfile(pinned):
        yield qemusrc.Source(pinned, '', 'QEMU')
    for path in os.environ.get('PRI_LAB_QEMU_SRC', '').split(':'):
        if path:
            yield qemusrc.given(path)


def source_of(which):
    return next((s for s in sources() if s.series == which), None)


def pristine(src, names, dest):
    """The files named of a source, below dest; what is not in it is left
    out."""
    if os.path.isdir(src.path):
        for n in names:
            path = os.path.join(src.path, n)
            if os.path.isfile(path):
                os.makedirs(os.path.dirname(os.path.join(dest, n)),
                            exist_ok=True)
                shutil.copy(path, os.path.join(dest, n))
        return
    subprocess.run(['tar', '-xf', src.path, '-C', dest,
                    '--strip-components=1', '--no-same-owner', '--wildcards',
                    *(f'*/{n}' for n in names)], stderr=subprocess.DEVNULL)


# of one patch; the longest has as many
MOST_HUNKS = 20
# what only the overlay has: directories, headers, and the engines by name
OURS = re.compile(r"subdir\('(?:ats|pri-testdev|vtd|pri-lab)'\)"
                  r'|\b(?:ats_\w|AtsLink\b|VTDSvm\b|svm\.|pri_testdev)'
                  r'|\bpcie_sticky|\bvtd_(?:svm|prq|qi|devtlb|sm|smcache'
                  r'|sticky|pwc)_(?!supported)')


def ours_in(path):
    """Lines that a patch adds and that stock QEMU has no meaning for."""
    with open(path, encoding='utf-8') as f:
        return [line for line in f if line.startswith('+')
                and not line.startswith('+++') and OURS.search(line)]


class Which(unittest.TestCase):
    def test_a_version_has_one_series_or_none(self):
        for version, want in (('10.2.2', 'qemu-10.2'), ('10.2.1', None),
                              ('10.2.50', None), ('11.0.0', None),
                              ('11.0.50', None), ('11.0.92', 'qemu-11.1'),
                              ('11.1.0', 'qemu-11.1'), ('11.1.3', 'qemu-11.1'),
                              ('11.1.50', 'qemu-11.1'), ('11.2.0', None)):
            found = series.find(version)
            self.assertEqual(found and found.name, want, version)
            self.assertLessEqual(sum(bool(re.fullmatch(
                s.versions, version)) for s in series.ALL), 1)

    def test_what_there_is_none_for_is_refused(self):
        with self.assertRaises(LabError) as e:
            series.of('9.0.0', 'x.tar')
        self.assertEqual(e.exception.what, 'x.tar is QEMU 9.0.0; the overlay '
                         f'is for {series.told()}')
        for s in series.ALL:
            self.assertIn(s.told, e.exception.what)

    def test_of_a_tarball_the_version_is_inside(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'q.tar.xz')
            for version, want in (('11.1.2', 'qemu-11.1'), ('10.2.2',
                                                            'qemu-10.2')):
                with tarfile.open(path, 'w:xz') as tar:
                    for name, text in (('q/hw/VERSION', 'no'),
                                       ('q/VERSION', version + '\n')):
                        info = tarfile.TarInfo(name)
                        info.size = len(text)
                        tar.addfile(info, io.BytesIO(text.encode()))
                os.utime(path, ns=(0, len(version) + ord(version[3])))
                src = qemusrc.given(path)
                self.assertEqual((src.version, src.series.name),
                                 (version, want))
            with open(path, 'wb') as f:
                f.write(b'no tarball')
            with self.assertRaises(LabError) as e:
                qemusrc.given(path)
            self.assertIn('cannot be unpacked', e.exception.what)

    def test_a_build_knows_its_series(self):
        keys = {qemustore.key_of(REPO, qemusrc.Source(
            '/', 'x', '', version=v), False) for v in ('10.2.2', '11.1.0')}
        self.assertEqual(len(keys), 2)

    def test_bench_compares_with_the_pinned_one(self):
        stock.comparable(qemusrc.Source('/', 'x', ''))
        with self.assertRaises(LabError) as e:
            stock.comparable(qemusrc.Source('/', 'x', 's', version='11.1.0'))
        self.assertIn('bench compares with QEMU 10.2.2', e.exception.what)


class Renumber(unittest.TestCase):
    def test_what_is_a_reference(self):
        for text, want in (
                ('patch 0055 makes', ['0055']),
                ('Patches 0001, 0003 to 0005; 0009', ['0001', '0003',
                                                      '0005']),
                ('from its patches 0001 and\n * 0002;', ['0001', '0002']),
                ('at 0055 and 0x0055', []), ('patch 00555', [])):
            self.assertEqual([n for _, _, n in renumber.references(text)],
                             want, text)

    def test_gaps_are_closed_with_what_names_them(self):
        with tempfile.TemporaryDirectory() as d:
            for s in series.ALL:
                for n in ('0001-a', '0003-b', '0060-c'):
                    path = os.path.join(d, s.path, f'{n}.patch')
                    cache.write_atomic(path, n.encode())
            page = os.path.join(d, 'page.md')
            cache.write_atomic(page, b'Patch 0003; patches 0001 to 0060\n')
            subprocess.run(['git', 'init', '-q', d], check=True)
            subprocess.run(['git', '-C', d, 'add', '.'], check=True)
            self.assertEqual(len(renumber.gaps(d)), 2)
            self.assertEqual(renumber.renumber(d), (4, 2))
            self.assertEqual((renumber.gaps(d), renumber.dangling(d)),
                             ([], []))
            for s in series.ALL:
                self.assertEqual(
                    [os.path.basename(p) for p in s.files(d)],
                    ['0001-a.patch', '0002-b.patch', '0003-c.patch'])
            with open(page, encoding='utf-8') as f:
                self.assertEqual(f.read(), 'Patch 0002; patches 0001 to 0003\n')
            subprocess.run(['git', '-C', d, 'add', '.'], check=True)
            self.assertEqual(renumber.renumber(d), (0, 0))
            cache.write_atomic(page, b'patch 0009\n')
            self.assertEqual(renumber.dangling(d),
                             ['page.md:1: there is no patch 0009'])


class Patches(unittest.TestCase):
    def test_every_series_has_the_same_patches(self):
        want = {os.path.basename(p): subject(p)
                for p in series.PINNED.files(REPO)}
        self.assertGreater(len(want), 30)
        lacks = []
        for s in series.ALL:
            have = {os.path.basename(p): subject(p) for p in s.files(REPO)}
            self.assertLessEqual(have.items(), want.items(), s.name)
            lacks += [f'{s.name} lacks {n}' for n in set(want) - set(have)]
        if lacks:                       # not ported yet
            self.skipTest(', '.join(sorted(lacks)))

    def test_what_names_a_patch_names_one_that_is_there(self):
        self.assertEqual(renumber.dangling(REPO), [])
        named = sum(len(list(renumber.references(text)))
                    for _, text in renumber.texts(REPO))
        self.assertGreater(named, 10)

    def test_numbers_have_no_gap(self):
        wrong = renumber.gaps(REPO)
        if wrong and series.GAPS:
            self.skipTest(f'{len(wrong)} are not at their place, and '
                          'series.GAPS permits that')
        self.assertEqual(wrong, [])

    def test_each_has_its_reason(self):
        for s in series.ALL:
            for p in s.files(REPO):
                with open(p, encoding='utf-8') as f:
                    head, _, rest = f.read().partition('\n\n')
                body = rest.partition('\n---\n')[0]
                self.assertIn('\nSubject: [PATCH', head, p)
                self.assertLessEqual(len(subject(p)), 76, p)
                self.assertGreater(len(body), 60, f'{p}: why?')

    def test_fixes_of_qemu_come_first_and_need_nothing_of_ours(self):
        for s in series.ALL:
            paths = s.files(REPO)
            first = [os.path.basename(p)[5:] for p in paths].index(
                'build-compile-the-overlay.patch')
            self.assertGreater(first, 30)
            for p in paths[:first]:
                self.assertEqual(ours_in(p), [], p)
            self.assertTrue(ours_in(paths[first]), 'nothing is seen')
            self.assertTrue(any(ours_in(p) for p in paths[first + 1:]))

    def test_each_is_short_enough_to_be_reviewed(self):
        for s in series.ALL:
            for p in s.files(REPO):
                with open(p, encoding='utf-8') as f:
                    hunks = re.findall(r'^@@ -', f.read(), re.M)
                self.assertLessEqual(len(hunks), MOST_HUNKS,
                                     f'{p}: is that one topic?')

    @unittest.skipUnless(shutil.which('patch'), 'patch(1) is not installed')
    def applied(self, which):
        """The series on its source, hunk by hunk, without fuzz."""
        src = source_of(which)
        if src is None:
            self.skipTest(f'no source of QEMU {which.told} here: '
                          'PRI_LAB_QEMU_SRC=DIR|TARBALL names one')
        patches = which.files(REPO)
        touched = set()
        for p in patches:
            with open(p, encoding='utf-8') as f:
                touched |= overlay.touched_by(f.read())
        with tempfile.TemporaryDirectory() as d:
            pristine(src, touched, d)
            for p in patches:
                r = subprocess.run(
                    ['patch', '-p1', '--batch', '--forward', '--fuzz=0',
                     '--no-backup-if-mismatch', '-i', p], cwd=d,
                    stdout=subprocess.PIPE, text=True)
                self.assertEqual(r.returncode, 0, r.stdout)

    def test_the_pinned_series_applies(self):
        self.applied(series.PINNED)

    def test_the_series_for_11_1_applies(self):
        self.applied(series.find('11.1.0'))


if __name__ == '__main__':
    unittest.main()
