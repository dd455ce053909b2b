# SPDX-License-Identifier: GPL-2.0-or-later
"""`kunit`: the KTAP of a kernel's log, the source with patches, the words."""

import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.commands import kunit as command
from pri_lab.core import cache, proc, ui
from pri_lab.core.errors import (EXIT_CANNOT, EXIT_FAIL, EXIT_GOOD, EXIT_SKIP,
                                 LabError, UsageError)
from pri_lab.linux import kconfig, kunit, patchtree
from pri_lab.machine import kunitjob, vm
from pri_lab.results.ktap import FAIL, NOT_RUN, PASS, SKIP

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
# as a kernel says it, with what else it says in between
LOG = '''\
[    0.000000] Linux version 7.3.4-pri-lab-kunit
[    0.100000] 1..2
[    0.400000] ok 1 not a result yet
[    0.500000] KTAP version 1
[    0.500100] 1..1
[    0.501000]     KTAP version 1
[    0.501100]     # Subtest: iopf
[    0.501200]     1..3
[    0.600000]     ok 1 iopf_single
[    0.650000] clocksource: tsc: mask
[    0.700000]     # iopf_partial_waits: EXPECTATION FAILED at x.c:1
[    0.700001]     Expected ctx->nr_resp == 0, but
[    0.700002]         ctx->nr_resp == 1 (0x1)
[    0.710000]     not ok 2 iopf_partial_waits
[    0.720000]     ok 3 iopf_flush_waits # SKIP no queue
[    0.730000] # iopf: pass:1 fail:1 skip:1 total:3
[    0.740000] not ok 1 iopf
[    0.750000] reboot: Restarting system
'''


def heard(log):
    """What a job makes of a log."""
    with tempfile.TemporaryDirectory() as d:
        job = kunitjob.KunitJob(vm.Machine('q', 'tcg', 'k', ''), '', d,
                                proc.Log(os.path.join(d, 'log')), 1.0)
        out = vm.Outcome()
        for line in log.splitlines():
            job._heard(line, out, lambda line, results: None)
        if job.over:                    # as _follow() does, which ends it
            out.problems.append(job.over)
        out.reader.finish()
        with open(job.console, 'w', encoding='utf-8') as f:
            f.write(log)
        open(job.stderr, 'w', encoding='utf-8').close()
        job._judge(0, out)
    return out


def status_of(log, *words):
    """(exit status, what is said) of a kernel with that log."""
    said = io.StringIO()
    screen = mock.Mock()
    for say in (screen.result, screen.error):
        say.side_effect = lambda x: said.write(x + '\n')
    ctx = mock.Mock(ui=screen)
    ctx.outcome.found = []
    out = heard(log)
    job = mock.Mock(console='/c', job='kunit')
    status = command._verdict(ctx, cli.parse(['kunit', *words]), job, out)
    return status, said.getvalue(), ctx.outcome.found


class Log(unittest.TestCase):
    def test_ktap_of_a_log(self):
        out = heard(LOG)
        self.assertEqual([(r.name, r.status) for r in out.reader.results], [
            ('iopf/iopf_single', PASS), ('iopf/iopf_partial_waits', FAIL),
            ('iopf/iopf_flush_waits', SKIP)])
        self.assertEqual((out.exit, out.problems), (0, []))
        self.assertIn('EXPECTATION FAILED', out.reader.results[1].reason)
        self.assertNotIn('clocksource', '\n'.join(out.lines))

    def test_status(self):
        status, said, found = status_of(LOG)
        self.assertEqual(status, EXIT_FAIL)
        self.assertIn('FAIL  1 passed, 1 failed, 1 skipped', said)
        self.assertEqual([f['name'] for f in found][0], 'iopf/iopf_single')
        good = LOG.replace('not ok', 'ok')
        self.assertEqual(status_of(good)[0], EXIT_GOOD)
        skipped = '\n'.join(x + ' # SKIP' if '    ok ' in x and 'SKIP' not in x
                            else x for x in good.splitlines())
        self.assertEqual(status_of(skipped)[0], EXIT_SKIP)

    def test_a_kernel_that_dies(self):
        """What it did not come to has not run, and the command failed."""
        log = LOG[:LOG.index('[    0.700000]')] + \
            '[    0.7] BUG: kernel NULL pointer dereference\n[    0.8] a\n'
        status, said, found = status_of(log)
        self.assertEqual(status, EXIT_FAIL)
        self.assertIn('1 passed, 0 failed, 0 skipped', said)
        self.assertIn('not run', said)
        self.assertIn(NOT_RUN, {f['status'] for f in found})

    def test_a_kernel_that_stops_without_a_splat(self):
        log = LOG[:LOG.index('[    0.700000]')] + \
            '[    0.750000] reboot: Restarting system\n'
        status, said, _ = status_of(log)
        self.assertEqual(status, EXIT_FAIL)
        self.assertRegex(said, '1 passed, 0 failed, 0 skipped, 2 not run')

    def test_a_kernel_that_hangs_says_so(self):
        """A lockup, or reports without an end: more of it tells nothing."""
        begun = LOG[:LOG.index('[    0.700000]')]
        report = '[    0.7] WARNING: lib/list_debug.c:54\n[    0.7] a\n'
        for more, over in (
                ('[   21.0] rcu: INFO: rcu_preempt self-detected stall on '
                 'CPU\n', True),
                ('[   22.0] watchdog: BUG: soft lockup - CPU#0 stuck for '
                 '22s!\n', True),
                (report * kunitjob.REPORTS, True),
                (report * (kunitjob.REPORTS - 1), False),
                (report * (kunitjob.REPORTS - 1)
                 + '[    0.7]     ok 2 iopf_partial_waits\n' + report, False)):
            out = heard(begun + more)
            self.assertEqual('no end' in ' '.join(out.problems), over,
                             more[-80:])
            self.assertFalse(any('QEMU' in x for x in out.problems))

    def test_a_kernel_that_does_not_boot(self):
        status, said, _ = status_of('[    0.0] Linux version\n')
        self.assertEqual(status, EXIT_CANNOT)
        self.assertIn('CANNOT RUN', said)

    def test_a_filter_that_fits_nothing(self):
        status, said, _ = status_of(
            '[    0.5] KTAP version 1\n[    0.5] 1..0\n'
            '[    0.7] reboot: Restarting system\n', 'nosuch')
        self.assertEqual(status, EXIT_CANNOT)
        self.assertIn('no test is called nosuch', said)


class Words(unittest.TestCase):
    def bad(self, *words):
        with self.assertRaises((UsageError, LabError)) as e:
            request = cli.parse(['kunit', *words])
            from pri_lab.inputs import check
            check.check(request, REPO, ui.UI(quiet=True))
        return e.exception.what

    def test_wrong_ones_are_found_first(self):
        self.assertIn('no glob', self.bad('a b'))
        self.assertIn('neither', self.bad('--kernel', '/nonexistent'))
        self.assertIn('built already', self.bad('--kernel', 'debian-13'))
        self.assertIn('fragments', self.bad('--kernel', '7.3/plain'))
        self.assertIn('no patch', self.bad('--kernel', '7.3+C-81'))
        self.assertIn('no such file', self.bad('--config', '/nonexistent'))

    def test_the_kernels_command_line(self):
        with tempfile.TemporaryDirectory() as d:
            machine = vm.Machine('q', 'tcg', '/k/vmlinux', '')
            job = kunitjob.KunitJob(machine, 'iopf.iopf_r*', d, None, 1.0)
            words = ' '.join(machine.args(job.words))
        self.assertIn('kunit.filter_glob=iopf.iopf_r*', words)
        # neither is on in a kernel that comes from allnoconfig
        for word in ('kunit.enable=1', 'kunit.autorun=1'):
            self.assertIn(word, words)
        self.assertIn('-kernel /k/vmlinux -append', words)
        self.assertNotIn('-initrd', words)

    def test_in_the_help(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit):
            cli.main(['kunit', '--help'], REPO)
        self.assertIn('contrib/kernel/io-pgfault-kunit.patch',
                      ' '.join(out.getvalue().split()))


class Source(unittest.TestCase):
    """A tree with patches: files are new to make if they say something
    else."""

    PATCH = '''\
--- a/drivers/iommu/a.c
+++ b/drivers/iommu/a.c
@@ -1 +1,2 @@
 one
+two
--- /dev/null
+++ b/drivers/iommu/new-kunit.c
@@ -0,0 +1 @@
+new
'''

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.top = d.name
        self.src = os.path.join(d.name, 'src')
        for name in ('Makefile', 'drivers/iommu/a.c', 'drivers/iommu/b.c',
                     'drivers/iommu/intel/c.c', 'drivers/pci/d.c',
                     'mm/e.c'):
            cache.write_atomic(os.path.join(self.src, name), b'one\n')
            os.utime(os.path.join(self.src, name), (1000, 1000))
        self.patch = os.path.join(d.name, 'x.patch')
        cache.write_atomic(self.patch, self.PATCH.encode())
        self.log = proc.Log(os.path.join(d.name, 'log'))
        self.addCleanup(self.log.close)
        self.dest = os.path.join(d.name, 'dest')

    def make(self, *patches):
        patchtree.make(self.src, self.dest, patches, self.log,
                       ui.UI(quiet=True))

    def age(self, name):
        return os.stat(os.path.join(self.dest, name)).st_mtime

    def read(self, name):
        with open(os.path.join(self.dest, name), encoding='utf-8') as f:
            return f.read()

    def test_the_source_is_not_touched(self):
        self.make(self.patch)
        self.assertEqual(self.read('drivers/iommu/a.c'), 'one\ntwo\n')
        self.assertEqual(self.read('drivers/iommu/new-kunit.c'), 'new\n')
        self.assertEqual(sorted(os.listdir(os.path.join(
            self.src, 'drivers/iommu'))), ['a.c', 'b.c', 'intel'])
        with open(os.path.join(self.src, 'drivers/iommu/a.c'),
                  encoding='utf-8') as f:
            self.assertEqual(f.read(), 'one\n')
        for name in ('mm', 'Makefile', 'drivers/pci', 'drivers/iommu/intel'):
            self.assertTrue(os.path.islink(os.path.join(self.dest, name)),
                            name)
        self.assertEqual(self.read('drivers/iommu/intel/c.c'), 'one\n')

    def test_what_says_the_same_is_as_old_as_before(self):
        self.make(self.patch)
        for name in ('drivers/iommu/a.c', 'drivers/iommu/new-kunit.c'):
            os.utime(os.path.join(self.dest, name), (2000, 2000))
        self.make(self.patch)
        self.assertEqual(self.age('drivers/iommu/a.c'), 2000)
        self.assertEqual(self.age('drivers/iommu/b.c'), 1000)

    def test_a_file_that_is_not_patched_any_more_is_new(self):
        """Its own time is that of the source, before the object's."""
        self.make(self.patch)
        other = os.path.join(self.top, 'y.patch')
        cache.write_atomic(other, self.PATCH.replace('a.c', 'b.c').encode())
        self.make(other)
        self.assertEqual(self.read('drivers/iommu/a.c'), 'one\n')
        self.assertGreater(self.age('drivers/iommu/a.c'), 2000)

    def test_a_patch_that_does_not_fit(self):
        self.make(self.patch)
        bad = os.path.join(self.top, 'bad.patch')
        cache.write_atomic(bad, self.PATCH.replace(
            '+1,2 @@\n one', '+1 @@\n-x').encode())
        with self.assertRaises(LabError) as e:
            self.make(bad)
        self.assertIn('applying bad.patch', e.exception.what)
        self.assertEqual(self.read('drivers/iommu/a.c'), 'one\ntwo\n')

    def test_a_tree_that_has_the_tests(self):
        self.assertEqual(kunit.patches(REPO, self.src, ['C-18']), [
            os.path.join(REPO, kunit.PATCH),
            os.path.join(REPO, 'guest/kernel/bugs/C-18.patch')])
        cache.write_atomic(os.path.join(
            self.src, 'drivers/iommu/io-pgfault-kunit.c'), b'')
        self.assertEqual(kunit.patches(REPO, self.src, []), [])


class Files(unittest.TestCase):
    def test_the_patch_brings_its_option(self):
        with open(os.path.join(REPO, kunit.PATCH), encoding='utf-8') as f:
            patch = f.read()
        with open(os.path.join(REPO, kunit.CONFIG), encoding='utf-8') as f:
            config = kconfig.parse(f.read())
        self.assertTrue(os.path.isfile(os.path.join(
            REPO, 'tests/kunit/kasan.config')))
        self.assertIn('+config IOMMU_IOPF_KUNIT_TEST', patch)
        for name in kunit.NEEDED + ('CONFIG_IOMMU_IOPF_KUNIT_TEST',):
            self.assertEqual(config[name], 'y')

    def test_a_directory_beside_a_product_is_no_product(self):
        with tempfile.TemporaryDirectory() as d:
            for n, name in enumerate(('t-1.src', 't-1', 't-2.src', 't-2',
                                      't-3.src', 't-3')):
                os.mkdir(os.path.join(d, name))
                os.utime(os.path.join(d, name), (n, n))
            gone = cache.prune(d, 't-', 2, os.path.join(d, 't-3'))
            self.assertEqual(gone, ['t-1'])
            self.assertEqual(sorted(os.listdir(d)), [
                't-2', 't-2.src', 't-3', 't-3.src'])


if __name__ == '__main__':
    unittest.main()
