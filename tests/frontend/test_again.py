# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro FILE.hit`: the command as a whole, with a machine that is none"""

import json
import os
import tempfile
import unittest
from types import SimpleNamespace
from unittest import mock

import fakestage
from pri_lab import cli
from pri_lab.core.errors import LabError
from pri_lab.explore import again, hit, machine, plan
from pri_lab.machine import record

UAF = 'KASAN: slab-use-after-free in release'


class Again(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        self.focus = []             # of each stage that was made
        self.colds = []             # logs of cold boots
        self.said = []

    def stored(self, focus='iommu', text='order=0123 at=1:21'):
        stage = fakestage.Stage()
        p = plan.parse(text)
        run = stage.run(p)
        return hit.Hit(dict(
            scenario='queue-close', kernel='7.3', sign=UAF, plan=text,
            points=[hit.describe(x, run, stage) for x in p.points],
            focus=focus, key=stage.key(), text=['BUG'], replay=[20, 20]
        )).store(self.dir)

    def repro(self, path, stage, *words):
        """The status of the command."""
        def made(job, which, entry, focus, logdir, log, recording):
            self.focus.append(focus)
            stage.recording = recording
            stage.boot = lambda step, boots: None
            stage.logdir = logdir
            return stage
        request = cli.parse(['repro', path, *words])
        ctx = mock.Mock()
        ctx.paths.work = self.dir
        ctx.paths.repo = os.path.dirname(os.path.dirname(os.path.dirname(
            os.path.realpath(__file__))))
        ctx.ui.result = self.said.append
        ctx.ui.step.return_value.__enter__ = lambda s: mock.Mock()
        ctx.ui.step.return_value.__exit__ = lambda *a: None
        job = mock.Mock(ctx=ctx, ui=ctx.ui, paths=ctx.paths, entries=[SimpleNamespace(
            name='queue-close', id='queue-close', ids=['queue-close'],
            fields={})])
        job.new_logdir.return_value = self.dir
        with mock.patch.object(again, 'Machines', return_value=job), \
                mock.patch.object(machine, 'stage', made), \
                mock.patch.object(again.found, 'again') as self.object:
            return again.Again(ctx, request).run(path)

    def cold(self, differs):
        stage = fakestage.Stage()

        def run(p, logdir, _step):
            self.colds.append(os.path.basename(logdir))
            got = stage.run(p)
            if differs:
                got.report['hash'] = 'another'
            return got
        stage.cold = run
        return stage

    def test_on_the_same_kernel(self):
        self.assertEqual(self.repro(self.stored(), fakestage.Stage()), 0)
        self.assertEqual(self.said[0], f'queue-close on 7.3: REPRODUCED 20 '
                         f'of 20, 1 hash(es): {UAF}')
        self.assertIn('as stored', self.said[1])

    def test_its_points_are_of_its_focus(self):
        self.repro(self.stored('vfio,drivers/iommu/iommu-sva.o'),
                   fakestage.Stage())
        self.assertEqual(self.focus, [['vfio',
                                       'drivers/iommu/iommu-sva.o']])

    def test_a_file_from_before_that_was_kept(self):
        h = hit.load(self.stored())
        del h.fields['focus']
        self.repro(h.store(self.dir), fakestage.Stage())
        self.assertEqual(self.focus, [['iommu']])

    def test_on_others(self):
        status = self.repro(self.stored(), fakestage.Stage(
            before=5, shift=0x100000, key='other'), '--kernel', '7.2,7.1',
            '--runs', '3')
        self.assertEqual(status, 0)
        self.assertEqual(len(self.focus), 2)
        self.assertIn('found by symbol', '\n'.join(self.said))
        self.assertIn('REPRODUCED 3 of 3', self.said[0])

    def test_a_fix(self):
        self.assertEqual(self.repro(self.stored(), fakestage.Stage(
            fixed=True, key='other')), 1)
        self.assertIn('NOT REPRODUCED', self.said[0])

    def test_cold_boots(self):
        status = self.repro(self.stored(), self.cold(False), '--cold', '2')
        self.assertEqual((status, self.colds), (0, ['cold-01', 'cold-02']))
        self.assertIn('  from a cold boot: 2 of 2 the same, to the '
                      'instruction', self.said)

    def test_a_cold_boot_that_differs(self):
        self.assertEqual(self.repro(self.stored(), self.cold(True), '--cold',
                                    '1'), 1)
        self.assertIn('0 of 1', '\n'.join(self.said))

    def test_recorded(self):
        stage = fakestage.Stage()
        line = '0.000000500: vtd_prq_entry rid 0x100'
        plain = stage.run

        def run(p, traced=True):
            with open(stage.recording.trace, 'a', encoding='utf-8') as f:
                f.write(f'{line}\n' if traced else f'{line} 1\n')
            return plain(p, traced)
        stage.run = run
        out = os.path.join(self.dir, 'out.jsonl')
        self.assertEqual(self.repro(self.stored(), stage, '--record', out), 0)
        self.assertIn('REPRODUCED 1 of 1', self.said[0])
        self.assertIn(f'log: {out}', self.said)
        with open(out, encoding='utf-8') as f:
            self.assertEqual(json.loads(f.readline())['plan'],
                             'order=0123 at=1:21')
        with open(os.path.join(self.dir, 'queue-close.trace'),
                  encoding='utf-8') as f:
            self.assertEqual(f.read(), f'{line} 1\n')

    def test_what_is_recorded_is_of_qemu_alone(self):
        mine = record.Recording('/x', guest=False).qemu_args()
        self.assertNotIn('-device', mine)
        self.assertEqual(mine, record.Recording('/x').qemu_args()[
            :len(mine)])

    def test_no_such_scenario(self):
        h = hit.load(self.stored())
        h.fields['scenario'] = 'gone'
        with self.assertRaises((LabError, SystemExit)):
            self.repro(h.store(self.dir), fakestage.Stage())


if __name__ == '__main__':
    unittest.main()
