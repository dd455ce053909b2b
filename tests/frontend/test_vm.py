# SPDX-License-Identifier: GPL-2.0-or-later
import os
import stat
import tempfile
import time
import unittest
import unittest.mock

from pri_lab.core import proc, report
from pri_lab.core.errors import LabError
from pri_lab.guest import cpio, guest
from pri_lab.machine import vm
from pri_lab.results import splat
from pri_lab.results.ktap import FAIL, NOT_RUN, PASS

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

LOCKDEP = '''\
[    1.000000] calling nothing
[    2.000000] ======================================================
[    2.000001] WARNING: possible circular locking dependency detected
[    2.000002] 7.3.4 #1 Not tainted
[    2.000003] a
[    2.000004] b
[    2.000005] c
[    2.000006] ======================================================
[    3.000000] fine again
'''


class Splat(unittest.TestCase):
    def kinds(self, text):
        return len(splat.find(text))

    def test_a_healthy_log(self):
        self.assertEqual(self.kinds(
            '[    0.000000] Command line: panic=-1 hung_task\n'
            '[    0.1] Debug: sleeping function check on\n'
            '[    0.10] pci 0000:00: bug fix applied\n'
            '[    0.20] rcu: Hierarchical RCU implementation.\n'
            '[    0.21] DMAR: IOMMU enabled\n'
            '[    0.22] kmemleak: Kernel memory leak detector initialized\n'
            '[    0.3] NMI watchdog: Enabled. soft lockup detection\n'
            '[    0.4] ACPI BIOS Warning (bug): x\n'
            '[    9.1] Kernel panic - not syncing: sysrq triggered crash\n'),
            0)

    def test_each_kind(self):
        for line in ('BUG: KASAN: slab-use-after-free in f+0x1/0x2',
                     'BUG: kernel NULL pointer dereference, address: 0',
                     'WARNING: CPU: 0 PID: 1 at drivers/iommu/x.c:1 f+0x1',
                     'WARNING: drivers/iommu/x.c:1 at f+0x1/0x2, CPU#0: a/1',
                     'INFO: task kworker/0:1:12 blocked for more than 30 s',
                     'watchdog: BUG: soft lockup - CPU#0 stuck for 26s!',
                     'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
                     'Oops: general protection fault, probably 1',
                     'Kernel panic - not syncing: Attempted to kill init!',
                     'kernel BUG at mm/slub.c:1!',
                     'kmemleak: 3 new suspected memory leaks (see /sys',
                     'BUG: workqueue lockup - pool cpus=0',
                     'ODEBUG: free active (active state 0)'):
            self.assertEqual(self.kinds(f'[    1.0] a\n[    2.0] {line}\n'),
                             1, line)

    def test_block_is_cut_out(self):
        blocks = splat.find(LOCKDEP)
        self.assertEqual(len(blocks), 1)
        self.assertIn('possible circular', blocks[0][0])
        self.assertNotIn('fine again', ' '.join(blocks[0]))
        self.assertIn('] c', ' '.join(blocks[0]))

    def test_a_line_that_is_printed_again(self):
        again = '** replaying previous printk message **\n'
        for cut in ('[    2.0] BUG: KASAN: s\n', '[    2.0] WARNING: driv\n'):
            blocks = splat.find(
                cut + again + '[    2.0] BUG: KASAN: slab-use-after-free in f\n'
                '[    2.1] Read of si\n' + again + '[    2.1] Read of size 4\n')
            self.assertEqual(blocks, [
                ['[    2.0] BUG: KASAN: slab-use-after-free in f',
                 '[    2.1] Read of size 4', '']])

    def test_thread_stamp_and_carriage_return(self):
        self.assertEqual(self.kinds(
            '[    2.0][  T12] BUG: KASAN: x\r\n[    2.1][  T12] y\r\n'), 1)


class Known(unittest.TestCase):
    BLOCK = ['[ 1.0] [ BUG: Invalid wait context ]', '[ 1.0] x',
             '[ 1.0] a/1 is trying to lock:', '[ 1.0] device_rbtree_find+0x1']

    def test_page(self):
        page = splat.known(self.BLOCK)
        self.assertTrue(os.path.isfile(os.path.join(REPO, page)), page)

    PCIEHP = """\
[ 1.0] WARNING: possible circular locking dependency detected
[ 1.0] irq/26-pciehp/50 is trying to acquire lock:
[ 1.0] ffff888008709ad8 (&ctrl->reset_lock){.+.+}-{4:4}, at: F+0x1c4/0x2b0
[ 1.0] but task is already holding lock:
[ 1.0] ffffffff82a7c5a0 (pci_rescan_remove_lock){+.+.}-{4:4}, at: F+0xd2/0x2b0
[ 1.0] -> #1 (pci_rescan_remove_lock){+.+.}-{4:4}:"""

    def test_a_lock_pair_whatever_function_takes_it(self):
        """P9: a card that is added takes them in another function."""
        page = 'docs/findings/pciehp-reset-lock.md'
        for function in ('pciehp_unconfigure_device',
                         'pciehp_configure_device', 'elsewhere'):
            block = self.PCIEHP.replace('F+', function + '+').split('\n')
            self.assertEqual(splat.known(block), page)
        turned = self.PCIEHP.replace('&ctrl->reset_lock', 'x').replace(
            'pci_rescan_remove_lock', '&ctrl->reset_lock').replace(
                'x)', 'pci_rescan_remove_lock#2)').split('\n')
        self.assertEqual(splat.known(turned), page)
        for a, b in (('&ctrl->reset_lock', '&other'),
                     ('pci_rescan_remove_lock', '&dev->mutex')):
            self.assertEqual(splat.known(
                self.PCIEHP.replace(a, b).split('\n')), '')

    def test_every_page_is_there(self):
        for k in splat._KNOWN:
            self.assertTrue(os.path.isfile(os.path.join(REPO, k.page)))
            self.assertTrue(k.locks or k.place)

    def test_another_lock(self):
        self.assertEqual(splat.known(self.BLOCK[:3]), '')

    def test_another_splat(self):
        self.assertEqual(
            splat.known(['BUG: KASAN: x', 'device_rbtree_find']), '')


class Report(unittest.TestCase):
    def test_table(self):
        lines = ['# stat write pages 256', '# stat write resp_success 1234',
                 '# stat write faults_per_second 99', 'ok 1 x',
                 '  # stat read pages 2']
        got = report.table(lines)
        self.assertEqual(got[0].split(), ['resp'])
        self.assertEqual(got[1].split(),
                         ['workload', 'pages', 'success', 'faults/s'])
        self.assertEqual(got[3].split(), ['write', '256', '1,234', '99'])
        self.assertEqual(got[4].split(), ['read', '2', '-', '-'])
        self.assertEqual(got[6].split(), ['all', '258', '1,234'])

    def test_nothing_reported(self):
        self.assertEqual(report.table(['ok 1 a', '# stats']), [])


class Cpio(unittest.TestCase):
    def read(self, data):
        out, at = {}, 0
        while True:
            self.assertEqual(data[at:at + 6], b'070701')
            f = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16)
                 for i in range(13)]
            name = data[at + 110:at + 110 + f[11] - 1].decode()
            at = (at + 110 + f[11] + 3) // 4 * 4
            if name == 'TRAILER!!!':
                return out
            out[name] = (f[1], data[at:at + f[6]], (f[9], f[10]))
            at = (at + f[6] + 3) // 4 * 4

    def test_round_trip(self):
        got = self.read(cpio.archive({
            'a/b/file': cpio.regular(b'12345', 0o755),
            'link': cpio.symlink('a/b/file'),
            'dev/console': cpio.chardev(5, 1)}))
        self.assertEqual(sorted(got), ['a', 'a/b', 'a/b/file', 'dev',
                                       'dev/console', 'link'])
        self.assertTrue(stat.S_ISDIR(got['a'][0]))
        self.assertEqual(got['a/b/file'][1], b'12345')
        self.assertEqual(got['a/b/file'][0], stat.S_IFREG | 0o755)
        self.assertEqual(got['dev/console'][2], (5, 1))

    def test_what_was_written_is_read_and_the_last_counts(self):
        first = {'a/f': cpio.regular(b'12345', 0o755), 'c': cpio.chardev(5, 1)}
        again = {'a/f': cpio.regular(b''), 'l': cpio.symlink('a/f')}
        got = cpio.entries(cpio.archive(first) + cpio.archive(again))
        self.assertEqual(got, {**first, **again, 'a': cpio.directory()})
        with self.assertRaises(ValueError):
            cpio.entries(b'070701')
        with self.assertRaises(ValueError):
            cpio.entries(b'no archive')

    def test_files_added_to_an_image(self):
        with tempfile.TemporaryDirectory() as d:
            for name in ('one', 'dir/a', 'dir/sub/b', 'base'):
                path = os.path.join(d, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, 'w', encoding='ascii') as f:
                    f.write(name)
            base, out = os.path.join(d, 'base'), os.path.join(d, 'out')
            self.assertEqual(guest.with_added(base, [], out), base)
            add = [os.path.join(d, 'one'), os.path.join(d, 'dir')]
            self.assertEqual(sorted(guest.added_files(add)),
                             ['tests/dir/a', 'tests/dir/sub/b', 'tests/one'])
            self.assertEqual(guest.with_added(base, add, out), out)
            with open(out, 'rb') as f:
                image = f.read()
            self.assertTrue(image.startswith(b'base070701'))
            for name in (b'tests/dir/sub/b\0', b'tests/one\0', b'TRAILER!!!'):
                self.assertIn(name, image)
            with self.assertRaisesRegex(LabError, 'there is no .*nothing'):
                guest.added_files([os.path.join(d, 'nothing')])

    def test_same_content_same_bytes(self):
        a = cpio.archive({'x': cpio.regular(b'1'), 'y': cpio.regular(b'2')})
        b = cpio.archive({'y': cpio.regular(b'2'), 'x': cpio.regular(b'1')})
        self.assertEqual(a, b)


# Stands in for QEMU: finds the files of the two serial ports in its
# arguments and plays a guest.
FAKE = '''#!/usr/bin/env python3
import sys, time
ports = [a[5:] for a in sys.argv if a.startswith('file:')]
def say(port, text):
    with open(ports[port], 'a') as f:
        f.write(text)
{body}
'''


# and a QEMU that answers on the monitor it was given
MONITOR = '''
import json, re, socket
fd = int(re.search(r'id=where,fd=(\\d+)', ' '.join(sys.argv)).group(1))
s = socket.socket(fileno=fd)
s.sendall(b'{"QMP": 1}\\n')
for line in s.makefile():
    s.sendall(json.dumps({"return": "CPU#0 RIP=ffffffff81000000 CPU#1 "
                          "RIP=ffffffff82000000"}).encode() + b'\\n')
'''


# and one whose guest sleeps until it is woken
SLEEPER = '''
import json, re, socket
fd = int(re.search(r'id=where,fd=(\\d+)', ' '.join(sys.argv)).group(1))
s = socket.socket(fileno=fd)
say(0, "[ 1.0] PM: suspend entry (deep)\\n")
s.sendall(b'{"QMP": 1}\\n')
asked = 0
for line in s.makefile():
    command = json.loads(line)["execute"]
    asked += command == "query-status"
    s.sendall(json.dumps({"return": {
        "status": "running" if asked < 3 else "suspended"}}).encode() + b'\\n')
    if command == "system_wakeup":
        assert asked == 3
        break
say(1, "1..1\\nok 1 a\\n# pri-lab: exit 0\\n")
'''


class Boot(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        self.log = proc.Log(os.path.join(self.dir, 'log'))
        self.addCleanup(self.log.close)

    def boot(self, body, timeout=20.0):
        fake = os.path.join(self.dir, 'qemu')
        with open(fake, 'w') as f:
            f.write(FAKE.replace('{body}', body))
        os.chmod(fake, 0o755)
        machine = vm.Machine(fake, 'tcg', 'vmlinux', 'initrd')
        self.seen = []
        return vm.Job(machine, 'job', self.dir, self.log, timeout).run(
            lambda line, results: self.seen.append(line))

    def test_good_job(self):
        out = self.boot('say(1, "KTAP version 1\\n1..1\\nok 1 a\\n'
                        '# pri-lab: exit 0\\n")')
        self.assertTrue(out.passed, out.problems)
        self.assertEqual(self.seen[2], 'ok 1 a')

    def test_failed_test(self):
        out = self.boot('say(1, "1..1\\nnot ok 1 a\\n# pri-lab: exit 1\\n")')
        self.assertFalse(out.passed)
        self.assertEqual(out.reader.counts()[FAIL], 1)

    def test_splat_fails_a_good_job(self):
        out = self.boot('say(0, "[ 1.0] BUG: KASAN: x\\n"); '
                        'say(1, "1..1\\nok 1 a\\n# pri-lab: exit 0\\n")')
        self.assertFalse(out.passed)
        self.assertEqual(out.reader.counts()[PASS], 1)
        self.assertIn('splat', out.problems[0])

    def test_guest_that_stops_early(self):
        out = self.boot('say(0, "last words\\n"); say(1, "1..2\\nok 1 a\\n")')
        self.assertFalse(out.passed)
        self.assertEqual(out.reader.counts()[NOT_RUN], 1)
        self.assertIn('last words', ' '.join(out.problems))

    def test_job_without_tests(self):
        out = self.boot('say(1, "# pri-lab: exit 0\\n")')
        self.assertFalse(out.passed)

    def test_time_out(self):
        with unittest.mock.patch.object(vm, 'WHERE', 0.5):
            out = self.boot('say(0, "stuck here\\n"); time.sleep(60)', 1.0)
        self.assertFalse(out.passed)
        self.assertIn('stuck here', ' '.join(out.problems))
        self.assertIn('timed out', self.stuck())
        self.assertLess(out.own, 15)

    def test_a_guest_that_sleeps_is_woken(self):
        out = self.boot(SLEEPER)
        self.assertTrue(out.passed, out.problems)

    def stuck(self):
        with open(os.path.join(self.dir, 'job.stuck'), encoding='utf-8') as f:
            return f.read()

    def test_time_out_says_where_the_processors_are(self):
        out = self.boot(MONITOR, 1.0)
        self.assertIn('CPUs at ffffffff81000000, ffffffff82000000',
                      ' '.join(out.problems))
        self.assertEqual(self.stuck().count('CPU#1'), 3)

    def test_a_busy_host_takes_nothing_of_the_time(self):
        class Busy(vm.OwnTime):
            """Runs for a tenth of the time."""
            def look(self, now=None):
                return super().look(now) / 10

        with unittest.mock.patch.object(vm, 'OwnTime', Busy):
            out = self.boot('time.sleep(3); say(1, "1..1\\nok 1 a\\n'
                            '# pri-lab: exit 0\\n")', 1.0)
        self.assertTrue(out.passed, out.problems)
        self.assertLess(out.own, 1.0)
        self.assertGreater(out.seconds, 3.0)

    def test_qemu_that_refuses(self):
        out = self.boot('sys.exit("qemu: no such device")')
        self.assertFalse(out.passed)
        self.assertIn('no such device', ' '.join(out.problems))
