# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import os
import subprocess
import tempfile
import threading
import unittest
import unittest.mock

from pri_lab.bench import boots
from pri_lab.core.errors import LabError
from pri_lab.machine import vm

MEASURED = '''\
[    0.000000] tsc: Fast TSC calibration using PIT
[    0.000000] tsc: Fast TSC calibration failed
[    0.000000] tsc: Unable to calibrate against PIT
[    0.000000] tsc: PIT calibration deviates from HPET: 61516 2596162
[    0.000000] tsc: PIT calibration matches HPET. 1 loops
[    0.000000] tsc: using HPET reference calibration
[    0.000000] tsc: Using PIT calibration value
[    2.000000][   T10] tsc: Refined TSC clocksource calibration: 2000.0 MHz
[    0.000000] Calibrating delay loop... 4999.99 BogoMIPS (lpj=2499998)
[    0.000000] Calibrating delay using timer specific routine.. 1.9 BogoMIPS
[    0.000000] calibrate_delay_direct() failed to get a good estimate
[    0.000000] ... calibrating APIC timer ...
[    0.000000] APIC calibration not consistent with PM-Timer: 0ms
[    0.000000] APIC frequency too slow, disabling apic timer
[    1.000000] tsc: Marking TSC unstable due to clocksource watchdog
[    1.000000] clocksource:  'tsc' skewed 1 ns: skew is too large
'''
TOLD = '''\
[    0.000000] tsc: Detected 1000.000 MHz processor
[    0.000000] lapic timer already calibrated 4000000
[    0.000000] Calibrating delay loop (skipped), value calculated using timer
[    0.000000] Calibrating delay loop (skipped) preset value.. 2000.00 BogoMIPS
[    0.000000] clocksource: tsc-early: mask: 0xffffffffffffffff
[    0.000000] clocksource: Switched to clocksource tsc
[    0.000000] APIC: Switch to symmetric I/O mode setup
'''


class Measured(unittest.TestCase):
    def test_every_way_to_measure(self):
        for line in MEASURED.splitlines():
            self.assertEqual(len(boots.measured(line)), 1, line)

    def test_stamps_are_cut_off(self):
        self.assertEqual(
            boots.measured('[    2.000000][   T10] tsc: Refined TSC '
                           'clocksource calibration: 1 MHz\r\n'),
            ['tsc: Refined TSC clocksource calibration: 1 MHz'])

    def test_what_was_told(self):
        self.assertEqual(boots.measured(TOLD), [])


class Tally(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.path = os.path.join(d.name, 'boots.json')

    def test_stored_at_once_and_resumed(self):
        a = boots.Tally(self.path, 'k load 14')
        a.add(boots.Boot(10.0, 5.0, '', [], 14.0))
        b = boots.Tally(self.path, 'k load 14')
        self.assertEqual(b.resume(), 1)
        self.assertEqual(b.boots, a.boots)

    def test_of_another_load(self):
        boots.Tally(self.path, 'k load 14').add(
            boots.Boot(1.0, 1.0, '', [], 14.0))
        with self.assertRaisesRegex(LabError, 'another QEMU, kernel or load'):
            boots.Tally(self.path, 'k load 2').resume()

    def test_report(self):
        t = boots.Tally(self.path, 'k')
        self.assertFalse(t.good)                # of no boot
        t.add(boots.Boot(10.0, 5.0, '', [], 14.0))
        t.add(boots.Boot(30.0, 7.0, '', [], 14.0))
        self.assertTrue(t.good)
        self.assertEqual(t.lines()[0],
                         '2 boots, 0 failed, 0 calibrated by measurement')
        self.assertEqual(t.lines()[1],
                         'seconds: 10.0 min, 20.0 median, 30.0 max')
        t.add(boots.Boot(900.0, 900.0, 'no end', ['tsc: is 12 MHz'], 14.0))
        t.add(boots.Boot(20.0, 6.0, '', ['tsc: is 13 MHz'], 14.0))
        self.assertFalse(t.good)
        self.assertEqual(t.lines()[:3], [
            '4 boots, 1 failed, 2 calibrated by measurement',
            'boot 3: no end', 'in 2 of them: tsc: is N MHz'])

    def test_a_measurement_alone_is_no_success(self):
        t = boots.Tally(self.path, 'k')
        t.add(boots.Boot(10.0, 5.0, '', ['x'], 14.0))
        self.assertFalse(t.good)


class Command(unittest.TestCase):
    def run_it(self, d, one, **options):
        ctx = argparse.Namespace(
            paths=argparse.Namespace(work=d), logdir=d, log=None,
            ui=unittest.mock.MagicMock())
        with unittest.mock.patch.object(boots, 'one', one), \
                unittest.mock.patch.object(boots, 'key', lambda m, n: 'k'):
            return boots.run(ctx, argparse.Namespace(**{
                'runs': 3, 'load': 0, 'jobs': 0, 'resume': False,
                **options}), None, 1.0), [
                    c.args[0] for c in ctx.ui.result.call_args_list]

    def test_an_interrupted_one_is_resumed(self):
        made = []

        def one(machine, logdir, log, timeout, load):
            made.append(logdir)
            if len(made) == 2:
                raise KeyboardInterrupt
            return boots.Boot(1.0, 1.0, '', [], 14.0)

        with tempfile.TemporaryDirectory() as d:
            with self.assertRaises(KeyboardInterrupt):
                self.run_it(d, one)
            status, said = self.run_it(d, one, resume=True)
        self.assertEqual(status, 0)
        self.assertEqual(len(made), 4)
        self.assertIn('3 boots, 0 failed', said[0])

    def test_one_bad_boot_fails_the_command(self):
        with tempfile.TemporaryDirectory() as d:
            status, said = self.run_it(
                d, lambda *a: boots.Boot(1.0, 1.0, 'bad', [], 14.0))
        self.assertEqual(status, 1)

    def test_so_many_at_once(self):
        """-j 3: three boots side by side."""
        together = threading.Barrier(3)

        def one(machine, logdir, log, timeout, load):
            together.wait()
            return boots.Boot(1.0, 1.0, '', [], 4.0)

        with tempfile.TemporaryDirectory() as d:
            status, said = self.run_it(d, one, runs=6, jobs=3)
        self.assertEqual(status, 0)
        self.assertIn('6 boots, 0 failed', said[0])


class Load(unittest.TestCase):
    def loops(self):
        return len(subprocess.run(
            ['pgrep', '-P', str(os.getpid())], check=False,
            stdout=subprocess.PIPE).stdout.split())

    def host(self, others):
        """A host on which so many threads run that are not ours."""
        p = unittest.mock.patch.object(boots, 'runnable', lambda: others)
        p.start()
        self.addCleanup(p.stop)

    def test_busy_loops_end_with_it(self):
        before = self.loops()
        self.host(0)
        with boots.Load(2):
            self.assertEqual(self.loops() - before, 2)
        self.assertEqual(self.loops() - before, 0)

    def test_what_others_do_counts(self):
        self.host(3)
        with boots.Load(4) as load:
            self.assertEqual(len(load.loops), 1)

    def test_it_follows_the_host(self):
        load = boots.Load(2)
        self.addCleanup(lambda: [load.end() for _ in list(load.loops)])
        seen = []
        for x in (0.0, 1.0, 2.0, 2.4, 9.0, 9.0, 9.0):
            load.steer(x)
            seen.append(len(load.loops))
        self.assertEqual(seen, [1, 2, 2, 2, 1, 0, 0])
        self.assertEqual(load.mean(4), 9.0)


class Frequencies(unittest.TestCase):
    """What the guest is told instead of what it would measure."""

    def test_tcg(self):
        args = vm.Machine('q', 'tcg', 'k', 'i').args('')
        cpu = args[args.index('-cpu') + 1].split(',')
        self.assertIn('tsc-frequency=1000000000', cpu)
        self.assertIn('vendor=GenuineIntel', cpu)   # others do not look
        self.assertIn('tsc=reliable', args[args.index('-append') + 1].split())

    def test_kvm_has_those_of_the_host(self):
        args = vm.Machine('q', 'kvm', 'k', 'i').args('')
        self.assertNotIn('tsc-frequency', args[args.index('-cpu') + 1])


if __name__ == '__main__':
    unittest.main()
