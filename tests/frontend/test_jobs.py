# SPDX-License-Identifier: GPL-2.0-or-later
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

from pri_lab.check import check
from pri_lab.core.errors import LabError
from pri_lab.machine import jobs, ownimage, vm

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
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


def vmlinux(contents):
    """A kernel with a segment of eight bytes, and what is not loaded."""
    segment = struct.pack('<IIQQQQQQ', 1, 5, 0x1000, 0, 0, 8, 16, 0)
    head = b'\x7fELF\x02' + bytes(27) + struct.pack(
        '<QQIHHHHHH', 64, 0x2000, 0, 64, 56, 1, 64, 40, 39)
    return (head + segment).ljust(0x1000, b'\0') + contents + b'rest'


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

    def test_disk_and_image(self):
        w = jobs.parse('/*\n * @disk 256M\n * @image kernel\n */', 'x.c')
        self.assertEqual((w.disk, w.kernel), (256 << 20, True))
        self.assertEqual((jobs.NONE.disk, jobs.NONE.kernel), (0, False))
        for line in ('@disk 513M', '@disk 0M', '@disk 1G', '@image driver'):
            with self.assertRaises(LabError) as e:
                jobs.parse(f'/*\n * {line}\n */', 'x.c')
            self.assertIn(f'x.c:2: {line}', e.exception.what)

    def test_the_kernel_in_the_guest(self):
        elf = vmlinux(b'contents')
        wants = jobs.parse('/*\n * @image kernel\n */', 'x.c')
        with tempfile.TemporaryDirectory() as d:
            kernel, image = (os.path.join(d, x) for x in ('vmlinux', 'image'))
            for path, data in ((kernel, elf), (image, b'user space')):
                with open(path, 'wb') as f:
                    f.write(data)
            machine = vm.Machine('q', 'tcg', kernel, image)
            self.assertIn(image, machine.args(''))
            args = machine.args('', wants)
            made = args[args.index('-initrd') + 1]
            with open(made, 'rb') as f:
                data = f.read()
            self.assertTrue(data.startswith(b'user space'))
            self.assertIn(b'lib/vmlinux', data)
            inside = data[data.index(b'\x7fELF'):]
            self.assertEqual(inside[0x1000:0x1008], b'contents')
            self.assertNotIn(b'rest', inside)
            self.assertEqual(struct.unpack_from('<Q', inside, 40), (0,))
            older = os.path.join(d, 'older')
            with open(older, 'wb') as f:
                f.write(elf.replace(b'contents', b'CONTENTS'))
            os.utime(older, ns=(0, 0))
            args = vm.Machine('q', 'tcg', older, image).args('', wants)
            with open(args[args.index('-initrd') + 1], 'rb') as f:
                self.assertTrue(b'CONTENTS' in f.read())
            args = machine.args('', wants)
            self.assertEqual(args[args.index('-initrd') + 1], made)
            with open(kernel, 'wb') as f:
                f.write(b'MZ a bzImage')
            os.utime(kernel, ns=(2 ** 62, 2 ** 62))
            with self.assertRaises(LabError) as e:
                machine.args('', wants)
            self.assertIn('no 64-bit ELF file', e.exception.what)

    def test_images_with_a_kernel_that_are_kept(self):
        with tempfile.TemporaryDirectory() as d:
            kernel, image = (os.path.join(d, x) for x in ('vmlinux', 'image'))
            made = []
            for n in range(ownimage.KEEP + 2):
                for path, data in ((kernel, vmlinux(b'kernel %d' % n)),
                                   (image, b'user space')):
                    with open(path, 'wb') as f:
                        f.write(data)
                made.append(ownimage.initrd(kernel, image))
                os.utime(made[-1], (n, n))
                if n == ownimage.KEEP - 1:
                    # used again: another one is the oldest
                    os.utime(made[0], (2 ** 30, 2 ** 30))
            self.assertEqual([os.path.exists(p) for p in made],
                             [True, False, False] + [True] *
                             (ownimage.KEEP - 1))

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


class SameBytes(unittest.TestCase):
    """Programs are the same whatever the clone is called: the numbers of a
    plan of explore hold for the bytes of the guest."""

    def test_two_clones(self):
        made = []
        with tempfile.TemporaryDirectory() as top:
            for name in ('one', 'another-one'):
                clone = os.path.join(top, name)
                for part in ('tests/guest', 'include', 'guest/driver'):
                    shutil.copytree(os.path.join(REPO, part),
                                    os.path.join(clone, part))
                out = os.path.join(clone, 'out')
                done = subprocess.run(
                    ['make', '-s', '-C', os.path.join(clone, 'tests/guest'),
                     f'O={out}', 'CFLAGS=-O0',
                     os.path.join(out, 'tests/scenarios/queue-close')],
                    capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                with open(os.path.join(out, 'tests/scenarios/queue-close'),
                          'rb') as f:
                    made.append(f.read())
        self.assertNotIn(b'another-one', made[1])
        self.assertEqual(made[0], made[1])


class Places(unittest.TestCase):
    """W6: the lines of the manual about switches, functions, bridges and
    reserved memory are a machine, whose buses are there."""

    def machines(self):
        with open(os.path.join(REPO, 'docs', 'manual', 'pri-lab.md'),
                  encoding='utf-8') as f:
            text = f.read()
        section = text[text.index('\n## The machine'):
                       text.index('\n## Your own program')]
        return [re.findall(r'^    (@.*)$', block, re.M)
                for block in section.split('\n\n')
                if re.search('^    @', block, re.M)]

    def args(self, lines):
        text = '/*\n' + ''.join(f' * {x}\n' for x in lines) + ' */'
        return vm.Machine('q', 'tcg', 'k', 'i').args(
            '', jobs.parse(text, 'the manual'))

    def test_every_bus_has_a_bridge_before_it(self):
        machines = self.machines()
        self.assertGreaterEqual(len(machines), 3)
        for lines in machines:
            ids = {'pcie.0'}
            args = self.args(lines)
            for word, device in zip(args, args[1:]):
                if word != '-device':
                    continue
                where = re.findall(r'\bbus=([\w.]+)', device)
                # a key may come several times, the last one counts
                self.assertLessEqual(set(where[-1:]), ids, device)
                for name in re.findall(r'\bid=(\w+)', device):
                    self.assertNotIn(name, ids)
                    ids.add(name)

    def test_what_they_are_about(self):
        args = '\n'.join(' '.join(self.args(m)) for m in self.machines())
        for what in ('x3130-upstream', 'xio3130-downstream', 'acs=on',
                     'multifunction=on', 'pcie-pci-bridge'):
            self.assertIn(what, args)
        self.assertIn('rmrr=pt0:', ' '.join(self.args(
            ['@iommu rmrr=pt0:80000000-8000ffff'])))


if __name__ == '__main__':
    unittest.main()
