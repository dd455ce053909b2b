# SPDX-License-Identifier: GPL-2.0-or-later
import os
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import cache, proc, ui
from pri_lab.core.errors import NETWORK, LabError, Unavailable
from pri_lab.debian import apt
from pri_lab.linux import (kbuild, kconfig, kernel, ksource, kunit,
                           matrix)
from pri_lab.own import kernelcmd, tree

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
TEXT = '''
[6.1]
sources = deb bookworm linux-source-6.1
note = old
without = CONFIG_NEW: came with 6.5
[6.18]
sources = deb sid linux-source-6.18
    src trixie-backports 6.18
all = no
with = CONFIG_X=y: needed there
'''


class Matrix(unittest.TestCase):
    def test_parse(self):
        got = matrix.parse(TEXT)
        self.assertEqual(list(got), ['6.1', '6.18'])
        self.assertEqual(got['6.1'].without,
                         {'CONFIG_NEW': 'came with 6.5'})
        self.assertEqual(got['6.18'].sources[1],
                         matrix.Source('src', 'trixie-backports', '6.18'))
        self.assertEqual(got['6.18'].extra, {'CONFIG_X=y': 'needed there'})
        self.assertEqual((got['6.1'].in_all, got['6.18'].in_all),
                         (True, False))

    def test_what_is_wrong_is_named(self):
        for text, said in (
                ('[a]\n', 'no sources'),
                ('[a]\nsources = ftp x y\n', 'ftp x y'),
                ('[a]\nsources = deb x\n', 'deb x'),
                ('[a]\nsources = src x y\nsorces = z\n', 'sorces'),
                ('[a]\nsources = src x y\nall = perhaps\n', 'yes or no'),
                ('[a]\nsources = src x y\nwithout = CONFIG_X\n', 'CONFIG_X'),
                ('[a]\nsources = src x y\nwithout = CONFIG_X: \n',
                 'CONFIG_X'),
                ('[a]\nsources = src x y\nwith = CONFIG_X: r\n', 'CONFIG_X'),
                ('[a]\nsources = src x y\nmake = X: r\n', 'not `OPTION'),
                ('[a]\nsources = stock x\n src x y\n', 'mix'),
                ('[a]\nsources = src x y\nlacks = pri\n', 'lacks pri'),
                ('[a]\nx\n', 'guest/kernel/matrix')):
            with self.assertRaises(LabError) as e:
                matrix.parse(text)
            self.assertIn(said, e.exception.what)

    def test_selection(self):
        entries = matrix.parse(TEXT)
        self.assertEqual(matrix.select(entries, 'all'), ['6.1'])
        self.assertEqual(matrix.select(entries, '6.18,all,/x,6.18'),
                         ['6.18', '6.1', '/x'])

    def test_versions_in_order(self):
        versions = ['6.18.5-1', '6.18.15-1~bpo13+1', '6.18.15-1',
                    '6.19.1-1', '6.1.9-1', '6.18.9-1']
        self.assertEqual(ksource.of_series(versions, '6.18'),
                         ['6.18.15-1', '6.18.15-1~bpo13+1', '6.18.9-1',
                          '6.18.5-1'])
        self.assertEqual(ksource.of_series(versions, '6.1'), ['6.1.9-1'])
        self.assertEqual(ksource.of_series(versions, '7.0'), [])

    def test_a_released_version_is_one_of_its_series(self):
        entries = matrix.parse(TEXT)
        got = matrix.lookup(entries, '6.1.9')
        self.assertEqual((got.name, got.version, got.in_all),
                         ('6.1.9', '6.1.9', False))
        self.assertEqual(got.without, entries['6.1'].without)
        self.assertTrue(got.fits('6.1.9-1~bpo13+1'))
        self.assertFalse(got.fits('6.1.99-1'))
        self.assertTrue(entries['6.1'].fits('6.1.99-1'))
        for name in ('6.2.9', '6.1.', '6.1.9.1', './6.1.9', '6'):
            self.assertIsNone(matrix.lookup(entries, name), name)

    def test_what_a_version_lacks(self):
        entry = matrix.parse(
            '[6.18]\nsources = src x 6.18\nlacks = ite-retry '
            'iopf-dequeue(-6.18.43) sva(6.18.4-6.18.7)\n')['6.18']
        for version, lacks in (
                ('6.18.3-1', ['ite-retry', 'iopf-dequeue']),
                ('6.18.4-1~bpo13+1', ['ite-retry', 'iopf-dequeue', 'sva']),
                ('6.18.7', ['ite-retry', 'iopf-dequeue', 'sva']),
                ('6.18.43-1', ['ite-retry', 'iopf-dequeue']),
                ('6.18.44-1', ['ite-retry']), ('', ['ite-retry'])):
            self.assertEqual(entry.lacking(version), lacks, version)
        for text in ('sva(6.1', 'sva(6.1.2)', 'pri(1-2)', 'sva(a-b)'):
            with self.assertRaisesRegex(LabError, 'there is only'):
                matrix.parse(f'[a]\nsources = src x a\nlacks = {text}\n')

    def test_file_of_the_repository(self):
        entries = matrix.load(REPO)
        self.assertIn(kernel.SERIES, entries)
        self.assertTrue(entries[kernel.SERIES].in_all)
        base = kconfig.parse(kbuild.read(os.path.join(REPO,
                                                      kbuild.FRAGMENTS)))
        for e in entries.values():
            for option in e.without:
                self.assertTrue(option in base,
                                f'{e.name}: {option}: excuse for nothing')


class Config(unittest.TestCase):
    def test_excuses(self):
        fragment = {'CONFIG_A': 'y', 'CONFIG_B': 'y'}
        config = {'CONFIG_A': 'y'}
        kbuild.verify(config, fragment, {'CONFIG_B': 'why'})
        with self.assertRaises(LabError) as e:
            kbuild.verify(config, fragment, {'CONFIG_A': 'why'})
        self.assertIn('CONFIG_B=y (became n)', e.exception.what)

    def test_words_for_make(self):
        entry = matrix.parse(TEXT + 'make = K_a.o=n: why\n')['6.18']
        self.assertEqual(entry.make, {'K_a.o=n': 'why'})
        paths = cache.Paths(REPO, '/none')
        keys = set()
        for e in (entry, entry._replace(make={})):
            b = kbuild.Builder(paths, e, 1, None, None, [])
            with mock.patch.object(kbuild.ksource.KernelSource, 'version',
                                   '1'):
                keys.add(b.key())
        self.assertEqual(len(keys), 2)
        with mock.patch.object(kbuild.proc, 'run') as run:
            kbuild.Tree('/s', '/o', '', {}, 1, None, None,
                        entry.make).make(['vmlinux'], 'x')
        self.assertEqual(run.call_args[0][0][-2:], ['K_a.o=n', 'vmlinux'])

    def test_words_of_a_fragment(self):
        with tempfile.NamedTemporaryFile('w', suffix='.config') as f:
            f.write('# make: K=n\n#  make: no=word\n# make: none\n'
                    'CONFIG_A=y\n# make: K_a-b.o=y\n')
            f.flush()
            entry = matrix.parse(TEXT + 'make = K_c.o=n: why\n')['6.18']
            keys = []
            for files in ([], [f.name]):
                b = kbuild.Builder(cache.Paths(REPO, '/none'), entry, 1, None,
                                   None, files)
                with mock.patch.object(kbuild.ksource.KernelSource, 'version',
                                       '1'):
                    keys.append(b.key())
        self.assertEqual(b.words, ['K_c.o=n', 'K=n', 'K_a-b.o=y'])
        self.assertNotEqual(*keys)

    def test_words_of_a_fragment_for_a_tree_and_kunit(self):
        """What the user gives comes last, and wins."""
        paths = cache.Paths(REPO, '/none')
        with tempfile.NamedTemporaryFile('w', suffix='.config') as f:
            f.write('# make: K=n\n')
            f.flush()
            made = [kunit.Builder(paths, '/src', '', [], [f.name], 1, None,
                                  None, ['K=y'])]
            with mock.patch.object(tree, 'need_source'), \
                    mock.patch.object(tree.mirror, 'is_git'), \
                    mock.patch.object(tree, 'words', list):
                made.append(tree.OwnTree(paths, '/src', [f.name], ['K=y'], 1,
                                         None, None))
        self.assertEqual([m.words for m in made], [['K=n', 'K=y']] * 2)

    def test_words_alone_make_another_kernel(self):
        """They are no lines of the configuration."""
        keys = set()
        for word in ('K=n', 'K=y'):
            with tempfile.NamedTemporaryFile('w', suffix='.config') as f:
                f.write(f'# make: {word}\nCONFIG_A=y\n')
                f.flush()
                b = kbuild.Builder(cache.Paths(REPO, '/none'),
                                   matrix.parse(TEXT)['6.18'], 1, None, None,
                                   [f.name])
            with mock.patch.object(kbuild.ksource.KernelSource, 'version',
                                   '1'):
                keys.add(b.key())
        self.assertEqual(len(keys), 2)

    def test_additions_come_last(self):
        entry = matrix.parse(TEXT)['6.18']
        with tempfile.NamedTemporaryFile('w', suffix='.config') as f:
            f.write('# CONFIG_X is not set\n')
            f.flush()
            text = kbuild.fragment_text(entry, [f.name])
        self.assertEqual(kconfig.parse(text), {'CONFIG_X': 'y'})


class FakeArchive:
    """Stands in for apt.Archive: an index per suite and kind, and what the
    mirror says to a download."""

    index = {}
    answers = {}                # version -> error, if it is not there

    def __init__(self, _paths, suite, kind, _log, _ui):
        self.here = self.index.get((suite, kind))

    def update(self):
        if self.here is None:
            raise LabError('no network')

    def version(self, package):
        return self.here.get(package, '')

    def source_versions(self, package):
        return self.here.get(package, [])

    def download_source(self, _package, version, dest, tar_only):
        assert tar_only
        if version in self.answers:
            raise proc.command_failed('downloading', 100,
                                      [self.answers[version]], None)
        cache.write_atomic(os.path.join(
            dest, f'linux_{version.split("-")[0]}.orig.tar.xz'), b'')


class Locate(unittest.TestCase):
    def source(self, index, name='6.18', answers={}):
        FakeArchive.index = index
        FakeArchive.answers = answers
        p = mock.patch.object(ksource.apt, 'Archive', FakeArchive)
        p.start()
        self.addCleanup(p.stop)
        self.ui = mock.MagicMock()
        return ksource.KernelSource(
            cache.Paths('/', '/nowhere'),
            matrix.lookup(matrix.parse(TEXT), name), None, self.ui)

    def locate(self, index, name='6.18'):
        return next(self.source(index, name).candidates(Step())).version

    def download(self, versions, answers, name='6.18'):
        source = self.source({
            ('sid', 'deb'): {},
            ('trixie-backports', 'deb-src'): {'linux': versions}},
            name, answers)
        with tempfile.TemporaryDirectory() as d:
            return source._download(Step(), os.path.join(d, 'x'))[0]

    GONE = ('E: Failed to fetch http://m.example/linux_6.18.9.orig.tar.xz  '
            '404  Not Found [IP: 1.2.3.4 80]')
    NO_NETWORK = ('E: Failed to fetch http://m.example/x  Could not resolve '
                  "'m.example'")

    def test_next_older_one_when_the_mirror_has_lost_it(self):
        self.assertEqual(self.download(
            ['6.18.5-1', '6.18.9-1', '6.18.12-1'],
            {'6.18.12-1': self.GONE, '6.18.9-1': self.GONE}), '6.18.5-1')
        self.assertEqual(
            [c.args[0] for c in self.ui.say.call_args_list],
            ['Linux 6.18.12-1: listed, but gone from the mirror',
             'Linux 6.18.9-1: listed, but gone from the mirror'])

    def test_all_gone_is_not_no_network(self):
        with self.assertRaises(Unavailable) as e:
            self.download(['6.18.9-1'], {'6.18.9-1': self.GONE})
        self.assertIn('has lost every source of Linux 6.18', e.exception.what)
        self.assertIn('6.18.9-1', e.exception.what)
        self.assertNotIn(NETWORK, e.exception.what)

    def test_no_network_is_said_at_once(self):
        with self.assertRaises(Unavailable) as e:
            self.download(['6.18.9-1', '6.18.5-1'],
                          {'6.18.9-1': self.NO_NETWORK})
        self.assertIn(NETWORK, e.exception.what)

    def test_another_failure_stays_what_it_is(self):
        with self.assertRaises(LabError) as e:
            self.download(['6.18.9-1', '6.18.5-1'],
                          {'6.18.9-1': 'E: No space left on device'})
        self.assertNotIsInstance(e.exception, Unavailable)

    def test_one_version_alone(self):
        versions = ['6.18.5-1', '6.18.9-1', '6.18.55-1']
        self.assertEqual(self.download(versions, {}, '6.18.5'), '6.18.5-1')
        with self.assertRaises(Unavailable) as e:
            self.download(versions, {'6.18.5-1': self.GONE}, '6.18.5')
        self.assertIn('6.18.5', e.exception.what)
        with self.assertRaises(Unavailable) as e:
            self.download(versions, {}, '6.18.7')
        self.assertIn('6.18.5, 6.18.9, 6.18.55', e.exception.hint)

    def test_first_hit_wins(self):
        self.assertEqual(self.locate(
            {('sid', 'deb'): {'linux-source-6.18': '6.18.1-1'},
             ('trixie-backports', 'deb-src'): {'linux': ['6.18.9-1']}}),
            '6.18.1-1')

    def test_next_source(self):
        for sid in ({}, None):
            self.assertEqual(self.locate(
                {('sid', 'deb'): sid, ('trixie-backports', 'deb-src'):
                 {'linux': ['6.18.9-1', '6.19.1-1']}}), '6.18.9-1')

    def test_gone_from_the_mirror(self):
        with self.assertRaises(LabError) as e:
            self.locate({('sid', 'deb'): {},
                         ('trixie-backports', 'deb-src'):
                         {'linux': ['6.19.1-1']}})
        self.assertIn('lists no source of Linux 6.18', e.exception.what)
        self.assertIn('trixie-backports', e.exception.what)


class Step:
    note = ''


class Own(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        self.paths = cache.Paths(REPO, os.path.join(d.name, 'cache'))
        self.log = proc.Log(os.path.join(d.name, 'log'))
        self.addCleanup(self.log.close)
        self.ui = ui.UI(quiet=True)
        self.src = os.path.join(d.name, 'linux')
        cache.write_atomic(os.path.join(self.src, 'Kconfig'), b'')
        # a Makefile that makes what a kernel's would
        cache.write_atomic(os.path.join(self.src, 'Makefile'), (
            'allnoconfig:\n\tcp $(KCONFIG_ALLCONFIG) $(O)/.config\n'
            'modules: ;\nvmlinux:\n\techo x >> $(O)/vmlinux\n').encode())

    def build(self, *configs):
        kernelcmd.check(self.paths, self.src, configs)
        with mock.patch.object(kconfig, 'lacking', lambda *a: []):
            return kernelcmd.build(self.paths, self.src, configs, [], 1,
                                   self.log, self.ui)

    def test_out_of_tree_and_again(self):
        one = self.build()
        self.assertTrue(one.image.startswith(self.paths.linux))
        self.assertEqual(sorted(os.listdir(self.src)),
                         ['Kconfig', 'Makefile'])
        self.assertEqual(self.build().image, one.image)
        self.assertEqual(kbuild.read(one.image), 'x\nx\n')   # make decides

    def test_fragment_on_top(self):
        more = os.path.join(self.dir, 'more')
        cache.write_atomic(more, b'CONFIG_MINE=y\n')
        one = self.build(more)
        self.assertNotEqual(one.build, self.build().build)
        config = kconfig.parse(kbuild.read(os.path.join(one.build,
                                                        '.config')))
        self.assertEqual(config['CONFIG_MINE'], 'y')
        self.assertEqual(config['CONFIG_PCI_ATS'], 'y')

    def test_refusals(self):
        with self.assertRaises(LabError) as e:
            self.build('/no/such/fragment')
        self.assertIn('/no/such/fragment', e.exception.what)
        cache.write_atomic(os.path.join(self.src, '.config'), b'')
        with self.assertRaises(LabError) as e:
            self.build()
        self.assertIn('mrproper', e.exception.hint)
        with self.assertRaises(LabError):
            kernelcmd.check(self.paths, '/no/such/tree', [])

    def test_listing_needs_nothing(self):
        cache.write_atomic(os.path.join(
            self.paths.linux, 'linux-source-7.1.5.stamp'), b'{}')
        text = '\n'.join(kernelcmd.listing(self.paths, kernelcmd.rows(
            self.paths, self.log, self.ui)))
        self.assertIn('\n7.1.5 ', text)
        for name in matrix.load(REPO):
            self.assertIn(f'\n{name} ', text)


class Fragments(unittest.TestCase):
    def test_plain_only_takes_away(self):
        def config(name):
            return kconfig.parse(kbuild.read(os.path.join(
                REPO, 'guest', 'kernel', name)))
        base = config('base.config')
        for name, value in config('plain.config').items():
            if name != 'CONFIG_LOCALVERSION':
                self.assertEqual(value, 'n')
                self.assertTrue(name in base, f'{name} is never enabled')

    def test_no_fragment_for_what_is_built_already(self):
        plain = os.path.join(REPO, 'guest', 'kernel', 'plain.config')
        kernel.check_configs(REPO, '7.3', [plain])
        for value, configs in (('/boot/x', [plain]), ('7.3', ['/none'])):
            with self.assertRaises(LabError):
                kernel.check_configs(REPO, value, configs)


class Options(unittest.TestCase):
    def test_kernel_command(self):
        o = cli.parse(['kernel', 'build', '6.12', '--config', 'a',
                       '--config', 'b'])
        self.assertEqual((o.action, o.what, o.config),
                         ('build', '6.12', ['a', 'b']))
        self.assertIsNone(cli.parse(['kernel']).action)

    def test_names_and_paths(self):
        self.assertEqual(kernel.named(REPO, '6.12').name, '6.12')
        self.assertEqual(kernel.named(REPO, '').name, kernel.SERIES)
        self.assertIsNone(kernel.named(REPO, './6.12'))
        self.assertEqual(kernel.steps(REPO, '7.2'), 2)
        self.assertEqual(kernel.words(REPO, '6.12'),
                         'pri_lab.lacks=sva,small-pasid-table')
        self.assertEqual(kernel.words(REPO, '6.12', '6.12.57-1'),
                         'pri_lab.lacks=small-pasid-table')
        self.assertEqual(kernel.words(REPO, '6.12.57', '6.12.57-1'),
                         'pri_lab.lacks=ite-retry,small-pasid-table')
        self.assertEqual(kernel.words(REPO, '7.1.5', '7.1.5-1'),
                         'pri_lab.lacks=iopf-dequeue')
        self.assertEqual(kernel.words(REPO, '7.2'), '')
        self.assertEqual(kernel.words(REPO, '/boot/x'), '')
        self.assertEqual(kernel.steps(REPO, '/boot/vmlinuz'), 1)

    def test_a_fragment_in_the_name(self):
        self.assertEqual(kernel.named(REPO, '7.1.3/plain').name, '7.1.3')
        for value in ('6.12/plain', '6.12/voluntary/plain'):
            self.assertEqual(kernel.named(REPO, value).name, '6.12')
        self.assertEqual(kernel.words(REPO, '6.12/plain'),
                         'pri_lab.lacks=sva,small-pasid-table')
        for value in ('6.99/plain', 'debian-12/plain', './6.12/plain'):
            self.assertIsNone(kernel.named(REPO, value))
        with self.assertRaisesRegex(LabError, 'no guest/kernel/x.config'):
            kernel.named(REPO, '6.12/x')
        with self.assertRaises(LabError) as caught:
            kernel.named(REPO, '6.12/plain/x')
        there = sorted(n[:-len('.config')] for n in os.listdir(
            os.path.join(REPO, 'guest', 'kernel'))
            if n.endswith('.config') and n != 'base.config')
        self.assertIn('plain', there)
        self.assertEqual(caught.exception.hint,
                         'there are: ' + ' '.join(there))

    def test_a_fragment_in_the_name_is_built(self):
        asked = []

        class Builder:
            words = ['K=n']

            def have(self):
                return '/out'

        def builder(_paths, _entry, _jobs, _log, _ui, more):
            asked.append(more)
            return Builder()

        with mock.patch.object(kernel, 'builder', builder), \
                mock.patch.object(kernel, 'release_of', lambda _: 'x'):
            made = kernel.get(cache.Paths(REPO, '/none'), '6.12/plain', 1,
                              None, None, ('more',))
        self.assertEqual(made.words, ['K=n'])
        self.assertEqual(asked, [('guest/kernel/plain.config', 'more')])
