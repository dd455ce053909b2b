# SPDX-License-Identifier: GPL-2.0-or-later
import os
import tempfile
import unittest

from pri_lab.debian import aptsources, packages


class Mirrors(unittest.TestCase):
    def test_one_line_format(self):
        got = aptsources.parse_list(
            '# deb http://off.example/debian bookworm main\n'
            'deb [arch=amd64 signed-by=/k.gpg] http://m.example/debian/ '
            'bookworm main contrib # note\n'
            'deb-src http://m.example/debian bookworm main\n'
            'deb cdrom:[Debian]/ bookworm main\n')
        self.assertEqual(got[0], aptsources.Source(
            'http://m.example/debian', ['bookworm'], ['main', 'contrib']))
        self.assertEqual(aptsources.mirrors(got, 'bookworm'),
                         ['http://m.example/debian'])

    def test_deb822(self):
        got = aptsources.parse_deb822(
            '# a comment\n'
            'Types: deb deb-src\nURIs: http://a.example/debian/\n'
            ' http://b.example/debian\n'
            '# inside\nSuites: trixie\n trixie-updates\nComponents: main\n'
            '\n\nTypes: deb\nEnabled: no\nURIs: http://off.example/debian\n'
            'Suites: trixie\nComponents: main\n\n'
            'Types: deb-src\nURIs: http://src.example/debian\n'
            'Suites: trixie\nComponents: main\n')
        self.assertEqual(aptsources.mirrors(got, 'trixie'),
                         ['http://a.example/debian',
                          'http://b.example/debian'])

    def test_security_and_third_parties_do_not_count(self):
        got = aptsources.parse_deb822(
            'Types: deb\nURIs: http://s.example/debian-security\n'
            'Suites: bookworm-security\nComponents: main\n\n'
            'Types: deb\nURIs: http://x.example/apt\nSuites: nodistro\n'
            'Components: main\n')
        self.assertEqual(aptsources.mirrors(got, 'bookworm'), [])

    def test_reads_both_kinds_of_file(self):
        with tempfile.TemporaryDirectory() as d:
            os.mkdir(os.path.join(d, 'sources.list.d'))
            for name, text in (
                    ('sources.list', 'deb http://1.example/d sid main\n'),
                    ('sources.list.d/a.list',
                     'deb http://2.example/d sid main\n'),
                    ('sources.list.d/b.sources',
                     'Types: deb\nURIs: http://3.example/d\nSuites: sid\n'
                     'Components: main\n'),
                    ('sources.list.d/c.sources.disabled',
                     'Types: deb\nURIs: http://4.example/d\nSuites: sid\n'
                     'Components: main\n')):
                with open(os.path.join(d, name), 'w') as f:
                    f.write(text)
            self.assertEqual(
                aptsources.mirrors(aptsources.read_host(d), 'sid'),
                [f'http://{i}.example/d' for i in (1, 2, 3)])


class Versions(unittest.TestCase):
    def test_version_tuple(self):
        self.assertEqual(packages.version_tuple('1.7.0-1~bpo12+1'), (1, 7, 0))
        self.assertEqual(packages.version_tuple('1:10.2.2+ds-1'), (10, 2, 2))
        self.assertEqual(packages.version_tuple('(none)'), ())
        self.assertLess(packages.version_tuple('1.0.1-5'),
                        packages.MESON_MINIMUM)

    def test_missing_names_what_is_not_there(self):
        have = {p: '1' for p in packages.NEEDED}
        self.assertEqual(packages.missing(have), [])
        del have['bison']
        self.assertEqual(packages.missing(have), ['bison'])


class Meson(unittest.TestCase):
    def wanted(self, candidate, release):
        real = packages._candidate, packages.apt.os_release
        try:
            packages._candidate = lambda p: candidate
            packages.apt.os_release = lambda: {'VERSION_ID': release}
            want = ['gcc']
            return packages._from_release(want, None), want
        finally:
            packages._candidate, packages.apt.os_release = real

    def test_old_release_takes_it_from_backports(self):
        for candidate in ('1.0.1-5', '', '(none)'):
            self.assertEqual(self.wanted(candidate, '12'), (False, ['gcc']))

    def test_new_release_installs_its_own(self):
        for candidate in ('1.7.0-1', '(none)'):
            self.assertEqual(self.wanted(candidate, '13'),
                             (True, ['gcc'] + list(packages.MESON)))

    def test_meson_without_pycotap_is_not_enough(self):
        self.assertFalse(packages._meson_ok({'meson': '1.7.0-1'}))
        self.assertFalse(packages._meson_ok({'meson': '1.0.1-5',
                                             'python3-pycotap': '1'}))
        self.assertTrue(packages._meson_ok({'meson': '1.7.0-1',
                                            'python3-pycotap': '1'}))
