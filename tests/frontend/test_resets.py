# SPDX-License-Identifier: GPL-2.0-or-later
"""`resets`: cells, verdicts, the campaign on a fake machine, the page."""
import argparse
import os
import re
import tempfile
import threading
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import ui
from pri_lab.core.errors import LabError, UsageError
from pri_lab.evidence import results
from pri_lab.guest import cpio
from pri_lab.machine import vm
from pri_lab.resets import (campaign, cells, command, judge, known, page,
                            store)
from pri_lab.resets.cells import Cell

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
SETUP = ['# cell: at setup']
METHOD = SETUP + ['# cell: at method']
DONE = METHOD + ['# cell: ms 131', '# cell: at end', '# cell: at check',
                 '# cell: at done', '# race: done', 'ok 1 table']
ITE = ['[    5.1] DMAR: VT-d detected Invalidation Time-out Error: SID 100']
WARN = ['[    5.1] WARNING: CPU: 0 PID: 7 at drivers/iommu/iommu.c:4192 '
        'pci_dev_reset_iommu_done+0x1/0x2']


def table_of(name, struct):
    with open(os.path.join(REPO, 'tests', 'guest', 'lib', name),
              encoding='utf-8') as f:
        text = f.read()
    body = re.search(r'struct %s \w+\[\] = \{(.*?)\n\};' % struct, text, re.S)
    return re.findall(r'^    \{ "([\w-]+)"', body.group(1), re.M)


class Cells(unittest.TestCase):
    def test_names_are_those_of_the_program(self):
        self.assertEqual(set(cells.METHODS),
                         set(table_of('cell-method.c', 'cell_method')))
        self.assertEqual(set(cells.WORKS),
                         set(table_of('cell-work.c', 'cell_work')))
        self.assertEqual(set(cells.WHO), set(table_of('cell.c', 'cell_who')))

    def test_every_cell_once_and_fits_the_line(self):
        names = [c.name for c in cells.every()]
        self.assertEqual(len(names), len(set(names)))
        for c in cells.every():     # RACE_ORDER, with 'go ' and the new line
            self.assertLess(len(' '.join(c)) + 5, 64, c)

    def test_senseless_says_why(self):
        self.assertIn('PASID', cells.senseless(Cell('flr', 'held', 'group')))
        self.assertEqual(cells.senseless(Cell('flr', 'held', 'pf')), '')
        self.assertTrue(cells.senseless(Cell('dpc', 'idle', 'pf')))
        self.assertTrue(cells.senseless(Cell('vfio', 'groups', 'function')))
        self.assertTrue(cells.senseless(Cell('flr', 'unmap', 'fails')))
        self.assertTrue(cells.senseless(Cell('s3', 'idle', 'neighbour')))
        self.assertEqual(cells.senseless(Cell('s3', 'idle', 'vf')), '')
        self.assertTrue(cells.senseless(Cell('cxl', 'idle', 'vf')))
        self.assertTrue(cells.senseless(Cell('s3', 'attach', 'function')))
        self.assertTrue(cells.senseless(Cell('flr', 'attach', 'pf')))
        for who in ('group', 'alias'):      # VFIO has both functions
            for work in ('attach', 'replace', 'detach'):
                self.assertEqual(cells.senseless(Cell('flr', work, who)), '')
            self.assertEqual(cells.senseless(Cell('vfio', 'idle', who)), '')
            self.assertTrue(cells.senseless(Cell('bus', 'attach', who)))
            self.assertTrue(cells.senseless(Cell('device', 'attach', who)))
        # conventional PCI has another FLR than PCI Express
        for method, why in (('af-flr', False), ('d3hot', False),
                            ('flr', True), ('rst', True)):
            for work in ('unmap', 'attach'):
                self.assertEqual(bool(cells.senseless(
                    Cell(method, work, 'bridge'))), why, method)
        self.assertTrue(cells.senseless(Cell('bus', 'attach', 'bridge')))
        self.assertTrue(cells.senseless(Cell('af-flr', 'groups', 'bridge')))
        self.assertEqual(cells.senseless(Cell('slot', 'attach', 'bridge')), '')
        self.assertEqual(cells.senseless(Cell('slot', 'idle', 'pf')), '')
        self.assertTrue(cells.senseless(Cell('slot', 'idle', 'fails')))
        self.assertTrue(cells.senseless(Cell('slot', 'unmap', 'group')))
        self.assertEqual(cells.senseless(Cell('slot', 'unmap', 'pf')), '')
        self.assertEqual(cells.senseless(Cell('rst', 'idle', 'pf')), '')
        self.assertTrue(cells.senseless(Cell('rst', 'unmap', 'pf')))
        self.assertTrue(cells.senseless(Cell('bus', 'unmap', 'group')))
        self.assertEqual(cells.senseless(Cell('bus', 'unmap', 'pf')), '')

    def test_only(self):
        self.assertEqual(cells.select(['flr/unmap/pf']),
                         [Cell('flr', 'unmap', 'pf')])
        self.assertEqual({c.who for c in cells.select(['pf', 'vf'])},
                         {'pf', 'vf'})
        self.assertEqual(cells.select([]), cells.every())
        with self.assertRaises(UsageError):
            cells.select(['flr/unmaps'])
        with self.assertRaises(UsageError):
            cells.select(['dpc/pf'])


class Judge(unittest.TestCase):
    def word(self, console, ktap, end='done'):
        return judge.judge(console, ktap, end).verdict

    def test_ok(self):
        got = judge.judge([], DONE, 'done')
        self.assertEqual((got.verdict, got.why), ('OK', ''))
        self.assertIn('131 ms', got.facts)

    def test_each_verdict(self):
        stuck = METHOD + ['# race: stuck: no end after 30 seconds']
        for console, ktap, word in (
                (ITE, DONE, 'hangs'),
                ([], stuck, 'hangs'),
                (WARN, DONE, 'splat'),
                (WARN + ITE, stuck, 'splat'),
                ([], DONE + ['# cell: lost DMA ends with abort'],
                 'DMA error'),
                ([], DONE + ['# cell: data DMA is done'], 'data wrong'),
                ([], DONE + ['# cell: refused Invalid argument'], 'refused'),
                ([], METHOD + ['# cell.c:9: no recovery', 'not ok 1 table'],
                 'DMA error'),
                ([], METHOD + ['# pt-mem.c:9: byte 3 is 0x0'], 'data wrong'),
                (['DMAR: [DMA Write NO_PASID] Request device [02:00.0] fault '
                  'addr 0x0 [fault reason 0x58]'], DONE, 'DMA error'),
                ([], SETUP + ['# cell.c:9: no function'], 'cannot run'),
                ([], [], 'cannot run'),
                ([], SETUP + ['ok 1 table # SKIP no SVA'], 'refused')):
            self.assertEqual(self.word(console, ktap), word, (console, ktap))

    def test_a_time_out_of_the_works_own_doing(self):
        said = DONE + ['# cell: timeouts 1']
        self.assertEqual(self.word(ITE, said), 'OK')
        got = judge.judge(ITE * 3, said, 'done')
        self.assertEqual(got.text, 'hangs: 2 invalidations timed out')

    def test_no_end_is_waited_for_after_so_many(self):
        out = mock.Mock(console=ITE * judge.ENOUGH, ktap=METHOD)
        self.assertTrue(campaign.enough(out))
        got = judge.judge(out.console, METHOD, 'done')
        self.assertEqual(got.verdict, 'hangs')
        self.assertIn('at method; 30 invalidations timed out', got.why)
        out.console.pop()
        self.assertFalse(campaign.enough(out))

    def test_a_cpu_that_takes_no_interrupts_is_not_waited_for(self):
        locked = ['[   40.1] watchdog: CPU0: Watchdog detected hard LOCKUP on '
                  'cpu 1', '[   40.1] ---[ end trace ]---']
        out = mock.Mock(console=ITE + locked, ktap=METHOD)
        self.assertTrue(campaign.enough(out))
        got = judge.judge(out.console, METHOD, 'done')
        self.assertEqual(got.verdict, 'hangs')
        self.assertIn('hard LOCKUP on cpu 1, at method; 1 invalidation timed',
                      got.why)
        self.assertEqual(self.word(ITE + locked + WARN, METHOD), 'splat')
        self.assertFalse(campaign.enough(mock.Mock(
            console=ITE + ['[ 1.0] rcu: INFO: rcu_preempt detected stalls on '
                           'CPUs/tasks:'], ktap=METHOD)))

    def test_a_fault_that_is_wanted_is_no_sign(self):
        fault = ['DMAR: [DMA Write PASID 0x6] Request device [01:00.0] fault '
                 'addr 0x0 [fault reason 0x59]']
        self.assertEqual(self.word(fault, DONE), 'DMA error')
        self.assertEqual(self.word(fault, DONE + ['# cell: faults wanted']),
                         'OK')

    def test_a_splat_before_the_method_is_no_verdict_on_it(self):
        self.assertEqual(self.word(WARN, SETUP), 'cannot run')

    def test_a_known_splat_is_a_fact(self):
        block = ['[    1.0] BUG: Invalid wait context ]', '[ 1.0] a',
                 '[    1.0] device_rbtree_find+0x1/0x2']
        got = judge.judge(block, DONE, 'done')
        self.assertEqual(got.verdict, 'OK')
        self.assertIn('known: docs/findings/ite-lock-nesting.md', got.facts)

    def test_how_often_it_timed_out_is_told_with_any_verdict(self):
        got = judge.judge(ITE * 3, DONE + ['# cell: lost x'], 'done')
        self.assertEqual(got.verdict, 'DMA error')
        self.assertIn('3 invalidations timed out', got.facts)


class FakeWorker:
    """A machine that has everything but an end for what it is told."""

    release = '7.3.4'

    def __init__(self, said, lost=()):
        self.said, self.lost, self.ran = said, lost, []

    def boot(self, step):
        step.note = 'booting'

    def run(self, cell, base):
        if cell.name in self.lost:
            raise LabError('QEMU is gone')
        self.ran.append(cell)
        return judge.judge([], self.said.get(cell.name, DONE), 'done')

    def cpu(self):
        return 2.5 * len(self.ran)

    def close(self):
        self.closed = True


class Command(unittest.TestCase):
    """The command, on fake machines."""

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.dir = d.name
        self.image = os.path.join(self.dir, 'vmlinux')
        for name in ('vmlinux', 'qemu'):
            with open(os.path.join(self.dir, name), 'w',
                      encoding='utf-8') as f:
                f.write(name)
        self.image_of({f'tests/{campaign.JOB}': b'table'})
        self.said, self.lost, self.workers = {}, (), []
        patch = mock.patch.object(campaign, 'Worker', self.worker)
        patch.start()
        self.addCleanup(patch.stop)

    def image_of(self, files):
        with open(os.path.join(self.dir, 'initrd'), 'wb') as f:
            f.write(cpio.archive({n: cpio.regular(x)
                                  for n, x in files.items()}))

    def worker(self, _repo, _machine, _logdir, _log, _boots):
        self.workers.append(FakeWorker(self.said, self.lost))
        return self.workers[-1]

    def resets(self, only='', resume=False, jobs=1, json=''):
        machine = vm.Machine(os.path.join(self.dir, 'qemu'), 'tcg',
                             self.image, os.path.join(self.dir, 'initrd'))
        r = command.Resets.__new__(command.Resets)
        r.top = os.path.join(self.dir, 'results')
        r.options = cli.parse(
            ['resets', '--kernel', '7.3', '--only', only, '--json', json]
            + ['--resume'] * resume)
        r.ui = ui.UI(quiet=True)
        r.out = []
        r.ui.result = r.out.append
        r.ctx = mock.Mock(jobs=jobs)
        r.ctx.paths.work = self.dir
        r.ctx.outcome.found = []
        r.ctx.paths.repo, r.ctx.logdir = REPO, self.dir
        r.job = mock.Mock(machine=lambda _name: machine)
        return r

    def ran(self):
        return [c.name for w in self.workers for c in w.ran]

    def test_good_and_bad(self):
        self.assertEqual(self.resets('flr/idle').main(), 0)
        self.said['flr/idle/pf'] = DONE + ['# cell: lost DMA']
        r = self.resets('flr/idle')
        self.assertEqual(r.main(), 1)
        self.assertTrue(any('DMA error: DMA' in x for x in r.out))

    def test_refused_is_an_answer_and_no_run_is_none(self):
        self.said['flr/idle/pf'] = DONE + ['# cell: refused no']
        self.assertEqual(self.resets('flr/idle/pf').main(), 0)
        self.said['flr/idle/pf'] = SETUP
        self.assertEqual(self.resets('flr/idle/pf').main(), 3)

    def test_resume_runs_what_is_left(self):
        self.said['flr/idle/pf'] = SETUP
        self.resets('flr/idle').main()
        first = self.ran()
        self.workers.clear()
        self.resets('flr/idle', resume=True).main()
        self.assertEqual(self.ran(), ['flr/idle/pf'])
        self.assertGreater(len(first), 5)

    def test_another_kernel_begins_anew(self):
        self.resets('flr/idle').main()
        first = self.ran()
        self.workers.clear()
        with open(self.image, 'a', encoding='utf-8') as f:
            f.write('other')
        self.resets('flr/idle', resume=True).main()
        self.assertEqual(self.ran(), first)

    def test_what_another_kernel_came_to_stays_until_it_is_run(self):
        self.resets('flr/idle').main()
        with open(self.image, 'a', encoding='utf-8') as f:
            f.write('other')
        r = self.resets('flr/idle/pf')
        self.assertEqual(r.main(), 0)
        self.assertTrue(any('1 of 1 cells' in x for x in r.out))
        found, = store.everything(os.path.join(self.dir, 'results'))
        self.assertEqual(len(found['cells']),
                         len(cells.select(['flr/idle'])))

    def again(self, **files):
        """What --resume runs after flr/idle, in another clone with these files of
        the guest beside its program."""
        self.resets('flr/idle').main()
        self.workers.clear()
        self.image_of({f'tests/{campaign.JOB}': b'table', **files})
        r = self.resets('flr/idle', resume=True)
        r.ctx.paths.work = '/elsewhere'
        r.main()
        return self.ran()

    def test_another_clone_goes_on_where_this_one_ended(self):
        self.assertEqual(self.again(), [])

    def test_a_program_that_no_cell_runs_is_no_other_content(self):
        self.assertEqual(self.again(**{'tests/races/other': b'x'}), [])

    def test_another_program_is_another_content(self):
        self.assertTrue(self.again(**{f'tests/{campaign.JOB}': b'more'}))

    def test_what_every_program_needs_is_part_of_the_content(self):
        self.assertTrue(self.again(**{'lib/pri_testdev.ko': b'x'}))

    def test_two_commands_at_once_lose_nothing(self):
        a, b = (store.Results(self.dir, '7.3', 'c') for _ in range(2))
        a.load()
        b.load()
        for r, who in ((a, 'pf'), (b, 'vf')):
            r.put(Cell('flr', 'idle', who), {'verdict': 'OK', 'why': ''})
        found, = store.everything(self.dir)
        self.assertEqual(set(found['cells']), {'flr/idle/pf', 'flr/idle/vf'})

    def test_of_two_contents_the_last_run_counts(self):
        for content, word in (('a', 'OK'), ('b', 'hangs')):
            r = store.Results(self.dir, '7.3', content)
            r.put(Cell('flr', 'idle', 'pf'), {'verdict': word, 'why': ''})
        found, = store.everything(self.dir)
        self.assertEqual(found['cells']['flr/idle/pf']['verdict'], 'hangs')

    def test_a_lost_guest_is_booted_again(self):
        self.lost = ('flr/idle/fails',)
        patch = mock.patch.object(campaign, 'LOST', 0.0)
        patch.start()
        self.addCleanup(patch.stop)
        r = self.resets('flr/idle')
        self.assertEqual(r.main(), 3)
        self.assertEqual(len(self.workers), 2)
        self.assertEqual(len(self.ran()) + 1,
                         len(cells.select(['flr/idle'])))
        self.assertTrue(any('cannot run: QEMU is gone' in x for x in r.out))
        self.assertTrue(all(w.closed for w in self.workers))

    def test_side_by_side(self):
        self.assertEqual(self.resets('flr', jobs=3).main(), 0)
        self.assertEqual(len(self.workers), 3)
        self.assertEqual(sorted(self.ran()),
                         sorted(c.name for c in cells.select(['flr'])))

    def test_interrupt_keeps_results(self):
        event = threading.Event()

        def interrupted(_self, of):
            event.wait(5)
            raise KeyboardInterrupt

        run = FakeWorker.run

        def slow(w, cell, base):
            event.set()
            return run(w, cell, base)
        with mock.patch.object(campaign.Campaign, 'note', interrupted), \
                mock.patch.object(FakeWorker, 'run', slow):
            with self.assertRaises(KeyboardInterrupt):
                self.resets('flr').main()
        found = store.everything(os.path.join(self.dir, 'results'))
        self.assertTrue(found[0]['cells'])

    def test_a_guest_that_an_interrupt_ends_is_no_verdict(self):
        work = campaign.Campaign(lambda _n: self.worker(0, 0, 0, 0, 0),
                                 mock.Mock(), self.dir, 1, mock.Mock())
        work._stop.set()
        worker = FakeWorker({}, ('flr/idle/pf',))
        self.assertFalse(work._cell(worker, Cell('flr', 'idle', 'pf')))
        work.results.put.assert_not_called()

    def test_json(self):
        r = self.resets('flr/idle/pf', json='x')
        with mock.patch.object(results, 'machine', lambda *_: {}):
            r.main()
        self.assertEqual(r.ctx.outcome.found[0]['verdict'], 'OK')
        self.assertEqual(r.ctx.outcome.found[0]['cpu'], 2.5)
        self.assertEqual(set(r.ctx.outcome.found[0]), set(results.FIELDS['reset']))


def of(kernel, verdicts):
    return {'kernel': kernel, 'release': '7.3.4', 'cells': {
        cell: {'verdict': word, 'why': why, 'seconds': 1.0}
        for cell, (word, why) in verdicts.items()}}


class Page(unittest.TestCase):
    def test_marks(self):
        found = [of('7.3', {'flr/idle/pf': ('OK', ''),
                            'bus/idle/pf': ('hangs', 'twice'),
                            'bus/unmap/pf': ('hangs', 'twice'),
                            'rst/idle/pf': ('refused', 'no')})]
        text = page.text(found)
        self.assertIn('| flr | OK | . |', text)
        self.assertIn('| bus | **hangs** | **hangs** |', text)
        self.assertIn('| rst | refused |', text)
        self.assertIn('- bus/idle, bus/unmap: hangs: twice', text)
        self.assertNotIn('### vf', text)
        for what in cells.METHODS:
            self.assertIn(f'`{what}`', text)

    def test_a_cell_that_makes_no_sense_any_more_is_left_out(self):
        text = page.text([of('7.3', {'rst/idle/pf': ('refused', 'no'),
                                     'rst/unmap/pf': ('refused', 'no')})])
        self.assertIn('- rst/idle: refused: no', text)
        self.assertIn(': 1 cells, 1 refused', text)

    def test_cpu_seconds_of_those_that_know_them(self):
        found = of('7.3', {f'flr/{w}/pf': ('OK', '')
                           for w in ('idle', 'unmap', 'groups')})
        found['cells']['flr/idle/pf']['cpu'] = 30.0
        found['cells']['flr/unmap/pf']['cpu'] = 90.0
        self.assertIn('CPU seconds of 2 of them: 90 (median), 90 at most, 120 '
                      'in all.', page.text([found]))

    def test_what_is_written_up_is_named(self):
        rules = known.rules('# x\n7.3  bus/.*  hangs: tw  docs/findings/a.md\n')
        found = [of('7.3', {'bus/idle/pf': ('hangs', 'twice'),
                            'bus/idle/vf': ('hangs', 'once'),
                            'flr/idle/pf': ('hangs', 'twice')})]
        text = page.text(found, rules)
        self.assertIn('- bus/idle: hangs: twice ([a](../findings/a.md))', text)
        self.assertIn('- bus/idle: hangs: once\n', text)
        self.assertIn('- flr/idle: hangs: twice\n', text)

    def test_a_version_is_of_its_series(self):
        rules = known.rules('7.1.3  flr/idle/pf  OK  of the version\n'
                            '7\\.[0-2]  flr/.*  OK  of the series\n')
        for kernel, cell, want in (
                ('7.1.3', 'idle', 'of the version'),
                ('7.1.3+C-01', 'unmap', 'of the series'),
                ('7.1.3/plain', 'unmap', 'of the series'),
                ('7.1', 'idle', 'of the series'), ('7.3', 'idle', '')):
            self.assertEqual(known.what(rules, kernel, f'flr/{cell}/pf', 'OK'),
                             want, kernel)

    def test_numbers_do_not_make_a_reason_another_one(self):
        text = page.text([of('7.3', {
            'bus/idle/pf': ('hangs', '3 invalidations timed out'),
            'rst/idle/pf': ('hangs', '5 invalidations timed out'),
            'flr/idle/pf': ('hangs', 'no end')})])
        self.assertIn('- bus/idle, rst/idle: hangs: 3 inv', text)
        self.assertIn('- flr/idle: hangs: no end', text)

    def test_kernels_side_by_side(self):
        found = [of('7.3', {'bus/idle/pf': ('OK', '')}),
                 of('6.12', {'bus/idle/pf': ('hangs', 'x'),
                             'flr/idle/pf': ('cannot run', 'x')}),
                 of('7.3+X', {'bus/idle/pf': ('hangs', 'x')})]
        text = page.text(found)
        self.assertIn('| kernel | OK | hangs |', text)
        self.assertRegex(text, r'\n\| 7.3 \| 1 \| 0 \|.* 0 \|\n'
                         r'\| 6.12 \| 0 \| 1 \|.* 1 \|\n')
        self.assertNotIn('## Kernels\n', page.text(found[:1]))

    def test_a_kernel_with_a_patch_has_its_rows_beside_it(self):
        text = page.text([of('7.3', {'bus/idle/pf': ('OK', '')}),
                          of('7.3+S-08', {'bus/idle/pf': ('hangs', 'twice'),
                                          'flr/idle/pf': ('OK', '')})])
        self.assertNotIn('## 7.3+S-08', text)
        self.assertIn('| 7.3+S-08 | bus/idle/pf | hangs: twice | OK |', text)
        self.assertIn('| 7.3+S-08 | flr/idle/pf | OK | not run |', text)

    def test_the_rules_of_the_repository(self):
        for rule in known.load(REPO):
            if rule.what.endswith('.md'):
                self.assertTrue(os.path.exists(
                    os.path.join(REPO, rule.what)), rule)
            self.assertTrue(any(re.fullmatch(rule.cell, c.name)
                                for c in cells.every()), rule)
        with self.assertRaises(ValueError):
            known.rules('7.3  only  three')

    def test_it_keeps_what_was_run_elsewhere(self):
        mine = of('7.3', {'bus/idle/pf': ('OK', ''), 'flr/idle/vf': ('OK', '')})
        for got in mine['cells'].values():
            got.update(when=1, logs='/somewhere')
        later = of('7.3', {'flr/idle/vf': ('hangs', 'later')})
        later['cells']['flr/idle/vf']['when'] = 2
        with tempfile.TemporaryDirectory() as d, \
                mock.patch.object(known, 'load', lambda repo: []):
            page.write(d, [mine])
            page.write(d, [later])
            page.write(d, [mine])
            with open(os.path.join(d, page.PAGE), encoding='utf-8') as f:
                text = f.read()
            self.assertIn('2 cells, 1 OK, 1 hangs', text)
            with open(os.path.join(d, page.DATA), encoding='utf-8') as f:
                self.assertNotIn('/somewhere', f.read())

    def test_a_vf_that_nobody_restored_is_not_the_queues(self):
        rules = known.load(REPO)
        for why, page_ in (('afterwards ends with not-enabled', 'O-Y'),
                           ('has no end within 3000 ms', 'O-P')):
            got = known.what(rules, '7.3', 's3/exit/vf', f'DMA error: DMA {why}')
            self.assertIn(f'/{page_}-', got)
        self.assertIn('/O-P-', known.what(
            rules, '7.3', 's3/exit/function', 'DMA error: ends with not-enabled'))

    def test_it_is_written_from_results_alone(self):
        with open(os.path.join(REPO, page.PAGE), encoding='utf-8') as f:
            have = f.read()
        self.assertEqual(page.text([]).split('\n## ')[0].rstrip(),
                         have.split('\n## ')[0].rstrip())


if __name__ == '__main__':
    unittest.main()
