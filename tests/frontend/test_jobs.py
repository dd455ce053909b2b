# SPDX-License-Identifier: GPL-2.0-or-later
import os
import tempfile
import unittest

from pri_lab.check import check
from pri_lab.core.errors import LabError
from pri_lab.machine import jobs, vm

HEAD = '''\
/*
 * A test
 *
 * @device pcie-flr=off
 * @device.1 af-flr=on,no-soft-reset=off
 * @port hotplug=off
 * @iommu ite-timeout-ms=200
 * @bridge x3130-upstream,id=up0,bus=rp0
 * @bridge xio3130-downstream,id=dn0,bus=up0
 * @qemu -global 'a.b=c d' -device edu
 * @append iommu.strict=0
 * @append quiet
 */
/*
 * @device beyond=the-first-comment
 */
'''


class Jobs(unittest.TestCase):
    def setUp(self):
        self.wants = jobs.parse(HEAD, 'x.c')

    def test_what_is_wanted(self):
        w = self.wants
        self.assertEqual(w.device(0), ',pcie-flr=off')
        self.assertEqual(w.device(1),
                         ',pcie-flr=off,af-flr=on,no-soft-reset=off')
        self.assertEqual(w.port(0), ',hotplug=off')
        self.assertEqual(w.iommu(), ',ite-timeout-ms=200')
        self.assertEqual(w.qemu(), ['-global', 'a.b=c d', '-device', 'edu'])
        self.assertEqual(w.append(), 'iommu.strict=0 quiet')
        self.assertTrue(w)
        self.assertFalse(jobs.NONE)

    def test_platform(self):
        w = jobs.parse('/*\n * @platform strict\n * @iommu pwc=off\n */', 'x.c')
        self.assertEqual(w.iommu(), ',platform=strict,pwc=off')
        self.assertEqual(w.device(1), ',platform=strict')
        self.assertEqual(w.on('').key(), w.key())
        spr = w.on('spr')               # the command line wins
        self.assertEqual(spr.iommu(), ',platform=spr,pwc=off')
        self.assertEqual(spr.device(0), '')
        self.assertNotEqual(spr.key(), w.key())
        self.assertEqual(jobs.NONE.on('strict').device(0), ',platform=strict')
        with self.assertRaises(LabError) as e:
            jobs.parse('/*\n * @platform harsh\n */', 'x.c')
        self.assertIn('x.c:2: @platform harsh', e.exception.what)
        self.assertIn('strict', e.exception.hint)

    def test_on_the_command_line(self):
        plain = vm.Machine('q', 'tcg', 'k', 'i')
        args = plain.args('pri_lab.job=x', self.wants)
        text = ' '.join(args)
        self.assertIn('pri-testdev,id=pt0,bus=rp0,pcie-flr=off ', text)
        self.assertIn('bus=rp1,pcie-flr=off,af-flr=on,no-soft-reset=off',
                      text)
        self.assertIn('svm=on,ite-timeout-ms=200', text)
        self.assertIn('slot=1,hotplug=off', text)
        self.assertIn(' iommu.strict=0 quiet pri_lab.job=x', text)
        self.assertEqual(args[-2:], ['-device', 'edu'])
        # a device must come behind the bus that it is on
        where = [text.index(x) for x in ('id=rp0', 'id=rp1', 'id=up0', 'id=dn0',
                                         'id=pt0', 'id=pt1', '-device edu')]
        self.assertEqual(where, sorted(where))
        self.assertNotIn('pcie-flr', ' '.join(plain.args('')))

    def test_mistakes_are_named(self):
        for line, what in ((' * @devcie a=b', 'x.c:2: @devcie: there is no'),
                           (' * @device', 'x.c:2: @device: there is nothing'),
                           (' * @device.x a=b', 'there is no such key')):
            with self.assertRaises(LabError) as e:
                jobs.parse(f'/*\n{line}\n */\n', 'x.c')
            self.assertIn(what, e.exception.what)
            self.assertIn('@device.N', e.exception.hint)

    def test_programs(self):
        with tempfile.TemporaryDirectory() as repo:
            self.assertEqual(jobs.own_machine(repo), [])
            top = os.path.join(repo, 'tests', 'guest', 'machines')
            os.makedirs(top)
            for name in ('b.c', 'a.c', 'a.h'):
                with open(os.path.join(top, name), 'w',
                          encoding='utf-8') as f:
                    f.write(HEAD)
            self.assertEqual(jobs.own_machine(repo),
                             ['machines/a', 'machines/b'])
            self.assertTrue(jobs.wants(repo, 'machines/a'))
            self.assertFalse(jobs.wants(repo, 'all'))

    def test_a_test_of_its_own_needs_the_guest(self):
        self.assertTrue(check.needs_guest(['guest-reset-methods']))
        self.assertFalse(check.needs_guest(['unit', 'qtest']))
