# SPDX-License-Identifier: GPL-2.0-or-later
import os
import socket
import tempfile
import unittest

from pri_lab import cli
from pri_lab.core import ui
from pri_lab.core.errors import LabError, UsageError
from pri_lab.inputs import check
from pri_lab.linux import kbuild, kconfig
from pri_lab.linux.kernel import Kernel
from pri_lab.machine import debug

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class Arguments(unittest.TestCase):
    def test_qemu_arg(self):
        self.assertEqual(debug.qemu_args(["-device 'edu,a=b c'", '-S']),
                         ['-device', 'edu,a=b c', '-S'])
        with self.assertRaises(LabError) as e:
            debug.qemu_args(["-device 'edu"])
        self.assertIn('--qemu-arg', e.exception.what)

    def test_trace(self):
        self.assertEqual(debug.trace_args(['a*', 'b'], '/l'),
                         ['-D', '/l', '-trace', 'a*', '-trace', 'b'])
        self.assertEqual(debug.trace_args([], '/l'), [])

    def test_nothing_traced(self):
        with tempfile.TemporaryDirectory() as d:
            log = os.path.join(d, 'qemu.trace')
            self.assertFalse(debug.traced(log))
            open(log, 'wb').close()
            self.assertFalse(debug.traced(log))
            with open(log, 'w', encoding='utf-8') as f:
                f.write('vtd_prq_deliver\n')
            self.assertTrue(debug.traced(log))

    def test_options(self):
        o = cli.parse(['run', '--gdb', '--trace', 'a', '--trace', 'b',
                       '--qemu-arg=-S'])
        self.assertEqual((o.gdb, o.trace, o.qemu_arg),
                         (True, ['a', 'b'], ['-S']))
        self.assertFalse(hasattr(cli.parse(['check']), 'gdb'))


class InARace(unittest.TestCase):
    def check(self, *words):
        request = cli.parse(['repro', *words])
        check.check(request, REPO, ui.UI(quiet=True))
        return request

    def test_one_run_of_one_race(self):
        """P10: what cannot be held for gdb is said first."""
        self.assertTrue(self.check('O-A', '--gdb').gdb)
        for words, what in (
                (['O-A', 'O-B'], 'one race on one kernel'),
                ([], 'one race on one kernel'),
                (['O-A', '--kernel', '7.3,7.2'], 'one race on one kernel'),
                (['O-A', '--runs', '2'], 'one run'),
                (['O-A', '--bisect'], 'one run'),
                (['O-A', '--record'], 'one run'),
                (['S-07'], 'several entries')):
            with self.assertRaises(UsageError) as e:
                self.check(*words, '--gdb')
            self.assertIn(what, e.exception.what, words)


class Gdb(unittest.TestCase):
    def test_port_that_is_taken(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen()
            taken = s.getsockname()[1]
            port = debug.free_port(taken)
        self.assertNotIn(port, (0, taken))

    def test_symbols(self):
        with tempfile.TemporaryDirectory() as d:
            image = os.path.join(d, 'arch', 'bzImage')
            self.assertIsNone(debug.symbols(Kernel(image, None, '7.3')))
            self.assertIsNone(debug.symbols(Kernel(image, d, '7.3')))
            self.assertIn('no symbols', '\n'.join(debug.gdb_help(
                Kernel(image, d, '7.3'), 7)))
            vmlinux = os.path.join(d, 'vmlinux')
            open(vmlinux, 'w').close()
            for kernel in (Kernel(image, d, '7.3'),
                           Kernel(vmlinux, None, '7.3')):
                self.assertEqual(debug.symbols(kernel), vmlinux)
                self.assertIn(f"gdb {vmlinux} -ex 'target remote "
                              "127.0.0.1:7'", debug.gdb_help(kernel, 7)[1])

    def test_fragment_undoes_what_base_says(self):
        text = kbuild.fragment_text(None, [os.path.join(
            REPO, 'guest', 'kernel', 'gdb.config')])
        self.assertEqual(kconfig.parse(text)['CONFIG_DEBUG_INFO_NONE'], 'n')
