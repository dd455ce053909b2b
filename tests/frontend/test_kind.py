# SPDX-License-Identifier: GPL-2.0-or-later
"""Kinds of machine: VT-d's file, and one that is added as a file alone."""
import os
import tempfile
import unittest

from pri_lab.core.errors import LabError
from pri_lab.inputs import names
from pri_lab.iommu import kind
from pri_lab.machine import events, jobs, record, tracelog, vm

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
# What another IOMMU would bring: its device, words, log, events and tests
TRIAL = '''\
name = "Trial-IOMMU"
[qemu]
device = "trial-iommu"
options = "ats=on,pri=on"
plain = "ats=off"
ats = "ats=on"
only_ours = "pri=on"
platforms = ["permissive", "strict"]
qtests = ["trial-iommu-test"]
[qemu.cpu]
kvm = "host"
tcg = "max,vendor=AuthenticAMD"
[kernel]
append = "trial_iommu=on"
[kernel.accel]
kvm = ""
tcg = "nomodeset"
[kernel.needs]
CONFIG_TRIAL_IOMMU = "the IOMMU"
[log]
inv_timeout = "TRIAL: COMMAND_HARDWARE_ERROR"
fault = "TRIAL: IO_PAGE_FAULT"
[trace]
prefix = "trial_"
record = ["trial_ppr*"]
noise = ["trial_mmio_read"]
[trace.qemu]
trial_ppr = { kind = "prq-entry", lane = "iommu", to = "prq" }
trial_lost = { kind = "completion-lost", lane = "iommu", level = "violation" }
[trace.guest]
trial_ppr_log = { kind = "prq-report", lane = "prq" }
[tests]
qtest = ["pri-testdev-*"]
guest = ["sva-*"]
'''


class Kinds(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.path = os.path.join(os.path.realpath(d.name), 'trial.toml')

    def trial(self, text=TRIAL):
        with open(self.path, 'w') as f:
            f.write(text)
        kind._read.cache_clear()
        return kind.load(self.path)

    def wrong(self, old, new):
        self.assertIn(old, TRIAL)
        with self.assertRaises(LabError) as e:
            self.trial(TRIAL.replace(old, new, 1))
        self.assertTrue(e.exception.what.startswith(self.path + ': '),
                        e.exception.what)
        return e.exception.what[len(self.path) + 2:]

    def test_every_file_that_is_here_can_be_read(self):
        self.assertIn(kind.DEFAULT, kind.names())
        for name in kind.names():
            self.assertTrue(kind.load(name).platforms, name)
        self.assertIs(kind.load(), kind.load(kind.DEFAULT))

    def test_the_machine_is_the_files(self):
        self.trial()
        m = vm.Machine('qemu', 'tcg', 'k', 'i', '', self.path)
        args = m.args('x', jobs.NONE.on('strict'))
        self.assertIn('trial-iommu,ats=on,pri=on,platform=strict', args)
        self.assertIn('max,vendor=AuthenticAMD', args)
        words = args[args.index('-append') + 1].split()
        self.assertIn('trial_iommu=on', words)
        self.assertIn('nomodeset', words)
        text = ' '.join(args)
        for vtd in ('intel', 'tsc=reliable', 'Genuine'):
            self.assertNotIn(vtd, text)
        self.assertIn('pri-testdev,id=pt1', text)

    def test_a_platform_that_it_does_not_have_is_not_asked_for(self):
        self.trial()
        m = vm.Machine('qemu', 'tcg', 'k', 'i', '', self.path)
        self.assertIn('trial-iommu,ats=on,pri=on',
                      m.args('', jobs.NONE.on('spr')))

    def test_it_is_kept_with_the_machine(self):
        self.trial()
        work = os.path.dirname(self.path)
        vm.Machine('q', 'kvm', 'k', 'i', 'a', self.path).store(work)
        self.assertEqual(vm.Machine.load(work).kind.name, 'Trial-IOMMU')

    def test_stock_qemu_gets_what_it_knows(self):
        self.assertEqual(self.trial().stock, 'trial-iommu,ats=on')
        self.assertNotIn('svm=on', kind.load().stock)

    def test_its_events_and_no_others(self):
        trial = self.trial()
        lines = ['[1] trial_ppr sid 0x100', '[2] trial_mmio_read x 1',
                 '[3] trial_odd x 1', '[4] trial_lost x 1',
                 '[5] vtd_prq_deliver sid 0x100']
        m = record.merge(tracelog.qemu_lines(lines, {}), [], {}, trial)
        got = [(e['kind'], e['lane'], e.get('to', '')) for e in m.events]
        self.assertEqual(got, [
            ('prq-entry', 'iommu', 'prq'), ('trial-odd', 'iommu', ''),
            ('completion-lost', 'iommu', ''),
            ('vtd-prq-deliver', 'endpoint', '')])
        self.assertEqual(m.events[2]['level'], events.VIOLATION)
        args = record.Recording('stem', trial).qemu_args()
        self.assertIn('trial_ppr*', args)
        self.assertIn('ats_*', args)
        self.assertFalse([x for x in args if x.startswith('vtd_')])

    def test_its_log_and_tests(self):
        trial = self.trial()
        self.assertTrue(trial.fault.search('x TRIAL: IO_PAGE_FAULT y'))
        self.assertTrue(trial.has_qtest('pri-testdev-ats-test'))
        self.assertFalse(trial.has_qtest('pri-vtd-iq-test'))
        chosen, left = names.of_kind(REPO, [], trial)
        self.assertIn('pri-testdev-ats-test', chosen)
        self.assertIn('knobs-page', chosen)
        self.assertFalse([x for x in chosen if x.startswith(
            ('pri-vtd-', 'intel-iommu', 'guest-'))])
        self.assertGreater(left, 10)
        with self.assertRaises(LabError) as e:
            names.of_kind(REPO, ['pri-vtd-iq-test'], trial)
        self.assertIn('not for Trial-IOMMU', e.exception.what)
        self.assertEqual(names.of_kind(REPO, ['qtest'], kind.load()),
                         (['qtest'], 0))

    def test_an_error_names_file_and_key(self):
        for old, new, want in (
                ('device = "trial-iommu"', '', 'qemu.device: is missing'),
                ('device = "trial-iommu"', 'device = 1',
                 'qemu.device: must be a string'),
                ('platforms = [', 'platforms = [1, ',
                 'qemu.platforms: must be a list of strings'),
                ('fault = "TRIAL', 'fault = "(TRIAL',
                 'log.fault: is no regular expression'),
                ('lane = "prq"', 'lane = "queue"',
                 "trace.guest.trial_ppr_log.lane: 'queue' is none of"),
                ('level = "violation"', 'level = "bad"',
                 "trace.qemu.trial_lost.level: 'bad' is none of"),
                ('to = "prq"', 'too = "prq"',
                 'trace.qemu.trial_ppr.too: there is no such key'),
                ('append =', 'words = ""\nappend =',
                 'kernel.words: there is no such key'),
                ('[log]', '[log', 'not TOML: ')):
            with self.subTest(new=new):
                self.assertIn(want, self.wrong(old, new))

    def test_no_such_kind(self):
        with self.assertRaises(LabError) as e:
            kind.load('trial')
        self.assertIn('no such kind of machine', e.exception.what)
        self.assertIn('vtd', e.exception.hint)

    def test_nothing_of_vtd_is_written_down_elsewhere(self):
        """But for findings, decoders and texts for the user."""
        known = {'splat.py': 2, 'judge.py': 0}
        for d, _, files in os.walk(os.path.join(REPO, 'scripts', 'pri_lab')):
            for n in files:
                if not n.endswith('.py') or n == 'kind.py':
                    continue
                with open(os.path.join(d, n), encoding='utf-8') as f:
                    text = f.read()
                count = text.count('intel-iommu') + text.count('intel_iommu')
                self.assertLessEqual(count, known.get(n, 0), n)


if __name__ == '__main__':
    unittest.main()
