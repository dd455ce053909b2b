# SPDX-License-Identifier: GPL-2.0-or-later
import json
import math
import os
import sys
import tempfile
import unittest

from pri_lab import cli
from pri_lab.bench import bench, benchpri
from pri_lab.core import proc, ui
from pri_lab.core.errors import LabError
from pri_lab.linux import kconfig, kernel
from pri_lab.qemu import overlay, stock
from pri_lab.timeline import exchange

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


def comparison(stock_turns, ours_turns):
    c = bench.Comparison('work', 'a unit')
    for t in stock_turns:
        c.stock.add(t)
    for t in ours_turns:
        c.ours.add(t)
    return c


class Numbers(unittest.TestCase):
    def test_ratio_is_the_mean_of_pairs(self):
        c = comparison([[200, 100, 100], [90, 300, 80]],
                       [[125, 999, 125], [360]])
        self.assertAlmostEqual(c.ratio, (0.8 * 0.25) ** 0.5)

    def test_error(self):
        same = comparison([[100], [200]], [[100], [200]])
        self.assertAlmostEqual(same.error, 0)
        self.assertIsNone(comparison([[100]], [[1]]).error)
        # logarithms +-x: deviation x * sqrt(2), divided by sqrt(2), doubled
        c = comparison([[110], [100]], [[100], [110]])
        self.assertAlmostEqual(c.error, 2 * math.log(1.1))

    def test_target(self):
        self.assertEqual(comparison([[97]], [[100]]).verdict, 'met')
        self.assertEqual(comparison([[96.9]], [[100]]).verdict, 'missed')
        apart = comparison([[120], [75]], [[100], [100]])
        self.assertEqual(apart.verdict, 'open')
        self.assertIn('more --rounds', bench.target([apart]))
        near = comparison([[95], [94]], [[100], [100]])
        self.assertEqual(near.verdict, 'missed')

    def test_table(self):
        good = comparison([[100], [101]], [[100], [102]])
        bad = comparison([[100]], [[200]])
        series = bench.Series()
        series.add([5])
        out = bench.Results()
        self.assertEqual(out.lines(), ['nothing was measured'])
        out.comparisons = [good]
        out.alone['request'] = series
        text = '\n'.join(out.lines())
        self.assertIn('of stock: met', text)
        self.assertRegex(text, r'request +5\.0')
        out.comparisons.append(bad)
        self.assertIn('missed by work (0.500)', '\n'.join(out.lines()))

    def test_parts(self):
        parts = bench.Bench.chosen
        self.assertEqual(parts([]), list(bench.Bench.PARTS))
        self.assertEqual(parts(['faults', 'iq']), ['iq', 'faults'])
        self.assertEqual(bench.Bench.steps(['disk']), 2)
        for names, guest in ((['iq'], False), (['prq', 'functions'], False),
                             (['iq', 'disk'], True), (['faults'], True),
                             ([], True)):
            self.assertEqual(bench.Bench.boots_a_guest(names), guest, names)
        with self.assertRaisesRegex(LabError, 'no part fast'):
            parts(['fast'])

    def test_what_there_is_survives_a_failure(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        job = bench.Bench.__new__(bench.Bench)
        job.logdir, job.accel, job.rounds = tmp.name, 'tcg', 1
        said = []
        job.ui = ui.UI(quiet=True)
        job.ui.result = said.append
        job.ui.say = said.append

        def broken(out):
            raise LabError('no guest')
        job._iq = lambda out: out.comparisons.append(
            comparison([[100]], [[200]]))
        job._faults = broken
        with self.assertRaisesRegex(LabError, 'no guest'):
            job.run(['iq', 'faults'])
        self.assertIn('missed by work', '\n'.join(said))
        with open(os.path.join(tmp.name, bench.RESULT)) as f:
            self.assertEqual(json.load(f)['comparisons'][0]['name'], 'work')


class FakeGuest(unittest.TestCase):
    """DiskGuest against a shell script that talks like the guest."""

    def guest(self, script):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        log = proc.Log(os.path.join(tmp.name, 'log'))
        self.addCleanup(log.close)
        return bench.DiskGuest('g', ['sh', '-c', script], tmp.name, log)

    def test_talk(self):
        with self.guest('printf "# stat blk domain DMA\\n# stat blk ats 1\\n'
                        '# bench: ready\\n"; read x; '
                        'echo "# stat blk ns_per_read 123"; read x') as g:
            bench.Bench._check(FakeReady(g.ready()), 'on')
            self.assertEqual(g.measure(), 123.0)
            g.end()

    def test_trouble_is_an_error(self):
        for script in ('echo "# bench: error no disk"', 'exit 1'):
            with self.guest(script) as g, self.assertRaises(LabError):
                g.ready()
        with self.guest('echo "# bench: ready"; read x; exit 3') as g:
            g.ready()
            with self.assertRaises(LabError) as e:
                g.end()
            self.assertIn('status 3', e.exception.what)

    def test_guest_must_do_what_is_measured(self):
        for said in ({'domain': 'DMA-FQ', 'ats': '0'},
                     {'domain': 'identity', 'ats': '0'}, {},
                     {'domain': 'DMA', 'ats': '1'}):
            with self.assertRaises(LabError):
                bench.Bench._check(FakeReady(said), 'off')


class FakeReady:
    name = 'g'

    def __init__(self, said):
        self.said = said

    def ready(self):
        return self.said


class Faults(unittest.TestCase):
    """FaultBench with guests that answer at once."""

    class Fake:
        asked = []

        def __init__(self, name, cmd):
            self.side = name.split('-')[0]
            self.cmd = cmd

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            pass

        def ready(self):
            return {}

        def ask(self, command, answer):
            self.asked.append((self.side, command))
            return {'stock': 200.0, 'ours': 100.0}[self.side]

        def end(self):
            self.asked.append((self.side, 'end'))

    def bench(self):
        self.Fake.asked = []
        return benchpri.FaultBench(
            REPO, '', None, 'tcg', {'stock': 'q1', 'ours': 'q2'}, 'vmlinux',
            'initrd', self.Fake)

    def test_both_do_the_same_in_turn(self):
        faults = {name: bench.Comparison(name, unit)
                  for name, unit, _, _ in benchpri.workloads()}
        cached = {name: bench.Series() for name, _, _ in benchpri.alone()}
        self.bench().boot(0, faults, cached, lambda text: None)
        asked = self.Fake.asked
        for side in benchpri.SIDES:
            mine = [c for s, c in asked if s == side
                    and not c.startswith('bandwidth')]
            self.assertEqual(mine, [c for _, c in (
                [('', c) for _, _, c, _ in benchpri.workloads()]
                * (benchpri.SAMPLES + 1))] + ['end'])
        self.assertNotIn(('stock', f'bandwidth {benchpri.MS}'), asked)
        for c in faults.values():
            self.assertEqual([len(t) for t in c.ours.turns],
                             [benchpri.SAMPLES])
            self.assertEqual(c.ratio, 2.0)
        first = [s for s, c in asked if c.startswith('fault ')]
        self.assertEqual(first[:4], ['ours', 'stock', 'stock', 'ours'])

    def test_stock_gets_no_option_of_ours(self):
        b = self.bench()
        self.assertIn('svm=on', ' '.join(b.command('ours')))
        self.assertNotIn('svm=on', ' '.join(b.command('stock')))
        for side in benchpri.SIDES:
            self.assertIn('channels=32', ' '.join(b.command(side)))
            self.assertNotIn('pri-root-port', ' '.join(b.command(side)))
            self.assertIn('pri_lab.job=bench/pri', ' '.join(b.command(side)))

    def test_parts_add_up(self):
        body = [{'kind': kind, 't': n * n, 'text': ''}
                for n, (kind, _, _) in enumerate(exchange.STEPS)]
        count, parts = exchange.parts(body + body[:3] + body)
        self.assertEqual(count, 2)
        self.assertEqual(sum(p.ns for p in parts), body[-1]['t'])
        text = benchpri.parts_table(count, parts)
        self.assertIn('mean of 2', text[0])
        self.assertEqual(exchange.parts(body[:-1]), (0, []))
        twice = body[:5] + body[2:]             # it asked again
        self.assertEqual(exchange.parts(twice), (0, []))
        self.assertEqual(len(benchpri.parts_table(0, [])), 1)


class Stock(unittest.TestCase):
    def test_endpoint_is_all_that_comes_on_top(self):
        touched = overlay.touched_by(stock.endpoint_patch(REPO))
        self.assertEqual(sorted(touched), [
            'hw/i386/intel_iommu.c', 'hw/i386/intel_iommu_internal.h',
            'hw/misc/Kconfig', 'hw/misc/meson.build', 'hw/misc/pri-bench.c'])

    def test_only_hunks_for_blobs_go_in(self):
        patch = stock.blob_patch(REPO)
        touched = overlay.touched_by(patch)
        self.assertTrue(touched)
        self.assertTrue(all(p.startswith('pc-bios/') for p in touched))

    def test_hunks(self):
        one = 'diff --git a/x/1 b/x/1\n--- a/x/1\n+++ b/x/1\n@@ -1 +1 @@\n' \
            '-a\n+b\n'
        two = one.replace('x/1', 'y/1')
        self.assertEqual(stock.hunks_for('mail\n' + one + two, 'y/'), two)


class Fragment(unittest.TestCase):
    def test_changes_base_only_where_it_says_so(self):
        with open(os.path.join(REPO, kernel.BENCH), encoding='utf-8') as f:
            ours = kconfig.parse(f.read())
        with open(os.path.join(REPO, kernel.FRAGMENTS),
                  encoding='utf-8') as f:
            base = kconfig.parse(f.read())
        self.assertEqual(ours['CONFIG_VIRTIO_BLK'], 'y')
        for name, value in ours.items():
            if value == 'n':
                self.assertIn(name, base, 'disabled, but never enabled')


class Options(unittest.TestCase):
    def test_rounds(self):
        self.assertEqual(cli.parse(['bench', '--rounds', '3']).rounds, 3)
        self.assertEqual(cli.parse(['bench']).rounds, 0)


if __name__ == '__main__':
    sys.exit(unittest.main())
