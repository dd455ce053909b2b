# SPDX-License-Identifier: GPL-2.0-or-later
import json
import os
import re
import tempfile
import unittest.mock

import fakestage
from pri_lab import cli
from pri_lab.core.errors import LabError, UsageError
from pri_lab.explore import (cover, found, hit, machine, oracle, plan, search,
                             show, straight, symbols, trace)
from pri_lab.explore.machine import Run
from pri_lab.explore.plan import Event, Plan, Point
from pri_lab.machine import schedule
from pri_lab.races import race

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
UAF = 'KASAN: slab-use-after-free in release'


def record(actor, pc, addr, write=False, n=1, kind=trace.ACCESS, **more):
    fields = dict(icount=n, pc=pc, addr=addr, phys=trace.UNKNOWN, value=0,
                  task=0, n=n, actor=actor, kind=kind, what=8,
                  flags=trace.WRITE if write else 0, more=0)
    return trace.Record(**{**fields, **more})


def ended(console='', ktap='# scene: end', end='end', stuck=()):
    return Run(Plan(), end, {}, [], console.splitlines(), ktap.splitlines(),
               list(stuck))


class Trace(unittest.TestCase):
    def test_records_and_one_cut_short(self):
        a = record(1, 0x10, 0x20, True, 3)
        data = trace.RECORD.pack(*a)
        self.assertEqual(len(data), 64)
        self.assertEqual(trace.parse(data + data[:40]), [a])

    def test_a_run_that_spins_does_not_fill_the_memory(self):
        with tempfile.NamedTemporaryFile() as f, \
                unittest.mock.patch.object(trace, 'MOST', 3):
            f.write(trace.RECORD.pack(*range(12)) * 5)
            f.flush()
            self.assertEqual(len(trace.read(f.name)), 3)

    def test_nothing_races_once_the_tasks_have_ended(self):
        a, b = record(0, 1, 8), record(1, 2, 8)
        mark = record(0, 0, 0, kind=trace.MARK, what=3, value=1)
        other = mark._replace(value=2)
        self.assertEqual(trace.racing([a, other, b]), [a, other, b])
        self.assertEqual(trace.racing([a, mark, b]), [a])

    def test_processor_and_device_share_physical_memory(self):
        cpu = record(0, 1, 0xffff888000001000, phys=0x1004)
        dev = record(trace.DEVICE, 0, 0, True, kind=trace.MEMORY, phys=0x1000,
                     what=plan.KINDS.index('prq'))
        self.assertEqual(cpu.place, dev.place)
        self.assertEqual(dev.site, 'prq')
        self.assertEqual(len(cover.hot([cpu, dev])), 1)


def planned(s, n):
    """The next n plans of a search that are not of random slices."""
    out = []
    while len(out) < n:
        p = s.next()
        if not straight.is_random(p):
            out.append(p)
    return out


class Searching(unittest.TestCase):
    def test_it_is_found_and_random_slices_are_no_match(self):
        at = [fakestage.hunt(fakestage.Stage(), seed)[0] for seed in range(10)]
        self.assertNotIn(None, at)
        self.assertLess(sorted(at)[5], 40)

    def test_without_the_bug_nothing_is(self):
        for seed in range(3):
            self.assertIsNone(fakestage.hunt(fakestage.Stage(fixed=True), seed)[0])

    def test_what_waits_for_the_iommu_is_held_in_the_natural_order_first(self):
        s = search.Search(4, 1, cover.Coverage())
        s._held = sorted(search.holds('prq') + search.holds('msi'))
        plans = [s._hold() for _ in range(len(s._held))]
        self.assertEqual([str(p) for p in plans if 'pd#1' in str(p)],
                         ['order=0123 prq=pd#1', 'order=0123 prq#1=pd#1',
                          'order=3210 prq=pd#1'])
        self.assertGreater(len({p.order for p in plans}), 2)

    def test_profiles_come_first_and_have_all_vcpus(self):
        s = search.Search(4, 1, cover.Coverage(), False)
        first = planned(s, search.ORDERS)
        self.assertEqual(first[0], Plan('0123'))
        self.assertEqual(first[1], Plan('3210'))
        self.assertTrue(all(sorted(p.order) == list('0123') and not p.points
                            for p in first))

    def test_every_conflicting_site_is_tried_and_no_plan_twice(self):
        stage = fakestage.Stage(fixed=True)
        s = search.Search(4, 3, cover.Coverage(), False)
        tried = []
        while s.systematic:
            p = s.next()
            tried.append(p)
            s.learn(p, stage.run(p))
            self.assertLess(len(tried), 300)
        self.assertEqual(len({p.key() for p in tried}), len(tried))
        self.assertEqual(set(s.sites), s.sites_done)
        self.assertTrue(s.sites)
        at = {(x.cpu, x.n) for p in tried for x in p.points}
        for (cpu, _), runs in s.sites.items():
            self.assertTrue(any((cpu, n) in at for _, n in runs))

    def test_nothing_systematic_is_left_out(self):
        """What was taken from the list is what is run."""
        s = search.Search(2, 1, cover.Coverage(), False)
        for _ in range(search.ORDERS):
            s.next()
        both = [r for i in range(60) for r in (
            record(0, 0x1000 + i, 8 * i, True, i + 1),
            record(1, 0x2000 + i, 8 * i, False, i + 1))]
        s.learn(Plan('01'), ended()._replace(records=both))
        at = set()
        while s.systematic:
            p = s.next()
            at |= {(x.cpu, x.n) for x in p.points}
        self.assertEqual(len(s.sites), 120)
        missed = [x for x in s.sites
                  if not any((x[0], n) in at for _, n in s.sites[x])]
        self.assertEqual(missed, [])

    def test_a_pair_is_turned_round(self):
        """The first one is stopped before it, the other one goes next."""
        s = search.Search(4, 1, cover.Coverage(), False)
        p = Plan('0123')
        run = ended()._replace(records=[
            record(0, 0x10, 0x800, False, 6), record(0, 0x20, 8, True, 7),
            record(1, 0x30, 8, False, 4)])
        s.learn(p, run)
        self.assertEqual(s.flips, {('30', '20'): search.Flip(
            p, Point(0, '', 6, 1))})
        self.assertEqual(s._flip(), Plan('0123', (Point(0, '', 6, 1),)))
        self.assertIsNone(s._flip())

    def test_points_extend_the_plan_that_they_were_found_in(self):
        s = search.Search(4, 1, cover.Coverage(), False)
        p = Plan('0123', (Point(1, '', 9),))
        s.learn(p, ended()._replace(records=[
            record(1, 0x10, 24, True, 9),
            record(1, 0x10, 16, True, 12), record(2, 0x20, 16, False, 14)]))
        self.assertEqual(s.sites, {(1, '10'): [(p, 12)],
                                   (2, '20'): [(p, 14)]})

    def test_each_kind_of_device_event_is_held(self):
        s = search.Search(2, 1, cover.Coverage(), True)
        planned(s, search.ORDERS)
        s.learn(Plan('01'), ended()._replace(report={'events': {
            'prq': {'sent': 3}, 'pd': {'sent': 1}, 'msi': {'sent': 0}}}))
        held = [p.events for p in planned(s, 4)]
        self.assertEqual(held[0], (Event('prq', 0, 'pd#1'),))
        self.assertEqual({e[0].kind for e in held}, {'prq'})
        # of several kinds, the likeliest way of each comes first
        two = search.Search(2, 1, cover.Coverage(), True)
        planned(two, search.ORDERS)
        two.learn(Plan('01'), ended()._replace(report={'events': {
            'inv': {'sent': 3}, 'prq': {'sent': 1}}}))
        first = planned(two, 4)
        self.assertEqual(first[0].events[0], Event('prq', 0, 'pd#1'))
        self.assertEqual({p.events[0] for p in first[1:]}, {
            Event('inv', 0, '+50000'), Event('prq', 0, '+50000'),
            Event('prq', 1, 'pd#1')})
        # nobody is idle while a CPU spins for an invalidation
        rest = [p.events[0] for p in planned(two, 3)]
        self.assertNotIn(Event('inv', 0, 'idle'), rest)
        self.assertIn(Event('prq', 0, 'idle'), rest)
        off = search.Search(2, 1, cover.Coverage(), False)
        off.learn(Plan('01'), ended()._replace(report={'events': {
            'prq': {'sent': 3}}}))
        self.assertEqual(off._held, [])

    def test_one_in_three_is_of_random_slices_and_teaches_no_plan(self):
        s = search.Search(4, 1, cover.Coverage(), True)
        kinds = [straight.is_random(s.next()) for _ in range(9)]
        self.assertEqual(kinds, 3 * [False, True, False])
        stage = fakestage.Stage(fixed=True)
        p = search.random_slices(7)
        self.assertGreater(s.learn(p, stage.run(p)), 0)
        self.assertEqual((s.profiles, dict(s.sites)), ([], {}))

    def test_an_event_comes_at_a_conflicting_access(self):
        s = search.Search(4, 1, cover.Coverage(), True)
        stage = fakestage.Stage(fixed=True)
        run = stage.run(Plan('0123'))
        run = run._replace(report=dict(run.report, events={
            'msi': {'sent': 2}, 'prq': {'sent': 3}}))
        s.learn(Plan('0123'), run)
        hot = {f'{a.cpu:x}:{a.n}' for a in s.profiles[0].hot}
        plans = [s._event_at() for _ in range(40)]
        self.assertEqual({p.events[0].kind for p in plans}, {'msi', 'prq'})
        self.assertLessEqual({p.events[0].when for p in plans}, hot)
        self.assertEqual({len(p.points) for p in plans}, {0, 1})
        for p in plans:
            self.assertEqual(plan.parse(str(p)).key(), p.key())
            if p.points:
                self.assertEqual(p.points[0].word(),
                                 f'at={p.events[0].when}')
        s.kinds = {'cpl': 2}        # a CPU spins for it
        self.assertEqual({s._event_at().events[0].n for _ in range(20)},
                         {1, 2})
        s.events = False
        self.assertIsNone(s._event_at())

    def test_the_same_seed_is_the_same_search(self):
        def plans(seed):
            stage = fakestage.Stage(fixed=True)
            s = search.Search(4, seed, cover.Coverage(), False)
            out = []
            for _ in range(60):
                out.append(str(s.next()))
                s.learn(plan.parse(out[-1]), stage.run(plan.parse(out[-1])))
            return out
        self.assertEqual(plans(5), plans(5))
        self.assertNotEqual(plans(5), plans(6))


class Oracle(unittest.TestCase):
    def signs(self, *args, **more):
        return [f.sign for f in oracle.findings(ended(*args, **more))]

    def test_nothing(self):
        self.assertEqual(self.signs('DMAR: fine'), [])

    def test_a_response_that_the_plan_keeps_is_on_its_way(self):
        run = ended('', '# race: sign not-drained: 3 of 4\n# scene: end')
        for words, signs in (('resp#1=idle', []),
                             ('prq=pd#1', ['sign not-drained'])):
            self.assertEqual([f.sign for f in oracle.findings(run._replace(
                plan=plan.parse(words)))], signs)

    def test_splats_by_their_function(self):
        for text, sign in (
                (fakestage.KASAN % ('iopf_x.isra.0', 'iopf_x'),
                 'KASAN: slab-use-after-free in iopf_x'),
                ('WARNING: drivers/iommu/io-pgfault.c:231 at '
                 'iommu_report_device_fault+0x18/0x900, CPU#0: irq/27/99',
                 'WARNING in iommu_report_device_fault'),
                ('ODEBUG: free active (active state 0) object: ffff88 object '
                 'type: work_struct hint: handle+0x0/0x10\nWARNING: lib/'
                 'debugobjects.c:612 at debug_print_object+0x1/0x2\nRIP: 0010:'
                 'debug_print_object+0x1/0x2\nCall Trace:\n <TASK>\n '
                 'debug_check_no_obj_freed+0x1/0x2\n ? stale+0x1/0x2\n '
                 'kfree+0x1/0x2\n iopf_free_group+0x41/0x50',
                 'ODEBUG: free active in iopf_free_group'),
                ('WARNING: x\nCall Trace:\n ? only_this+0x1/0x2',
                 'WARNING in only_this'),
                ('BUG: kernel NULL pointer dereference, address: 0\nRIP: 0010:'
                 'iommu_x+0x1/0x2', 'oops: NULL pointer dereference in '
                 'iommu_x'),
                ('Oops: general protection fault, probably for non-canonical\n'
                 'RIP: 0010:iommu_y.cold+0x1/0x2',
                 'oops: general protection fault in iommu_y')):
            with self.subTest(sign=sign):
                self.assertEqual(self.signs(text), [sign])

    def test_a_data_race_is_of_two_functions(self):
        run = ended('BUG: KCSAN: data-race in iopf_b.isra.0 / iopf_a\n\nwrite '
                    'to 0xffff888 of 8 bytes by task 60 on cpu 1:\n '
                    'iopf_b.isra.0+0x1/0x2\n\nread to 0xffff888 of 8 bytes '
                    'by task 61 on cpu 2:\n iopf_a+0x1/0x2\n' + 66 * '=')
        for ours, signs in (
                ((), ['KCSAN: data-race in iopf_a / iopf_b']),
                (('iopf_b',), ['KCSAN: data-race in iopf_a / iopf_b']),
                (('iopf_c',), [])):
            self.assertEqual([f.sign for f in oracle.findings(
                run._replace(ours=frozenset(ours)))], signs)

    def test_what_the_scenario_says(self):
        self.assertEqual(self.signs('', '# race: sign no-answer: 3 of 4\n'
                                    '# scene: end'), ['sign no-answer'])

    def test_a_stuck_processor_is_where_it_is(self):
        self.assertEqual(self.signs('', '', 'limit', [
            'pv_native_safe_halt+0xb', 'qi_submit_sync+0x200']),
            ['stuck CPU in qi_submit_sync'])

    def test_who_spins_for_what_the_plan_keeps_is_not_stuck(self):
        run = ended('', '', 'limit', ['qi_submit_sync+0x200'])
        for delivered, signs in ((3, ['stuck CPU in qi_submit_sync']),
                                 (2, [])):
            one = run._replace(plan=plan.parse('order=01 desc=0:56'), report={
                'events': {'desc': {'sent': 3, 'delivered': delivered},
                           'msi': {'sent': 2, 'delivered': 1}}})
            self.assertEqual([f.sign for f in oracle.findings(one)], signs)

    def test_a_hang_is_what_it_waits_in(self):
        log = '\n'.join(race.LOG + x for x in (
            'sysrq: Show Blocked State', 'task:drain-0 state:D',
            'Call Trace:', ' <TASK>', ' __schedule+0x1/0x2',
            ' schedule_timeout+0x1/0x2', ' wait_for_completion+0x1/0x2',
            ' intel_iommu_drain_pasid_prq+0x30/0x40'))
        self.assertEqual(
            self.signs('', log + '\n# race: stuck: no end after 8 seconds'),
            ['hang in intel_iommu_drain_pasid_prq'])

    def test_a_hang_of_a_cpu_that_spins_is_where_that_is(self):
        lines = ['DMAR: VT-d detected Invalidation Time-out Error: SID 100',
                 'sysrq: Show backtrace of all active CPUs',
                 'NMI backtrace for cpu 0', ' sysrq_handle_showall+0x1/0x2',
                 'Sending NMI from CPU 0 to CPUs 1-3:',
                 'NMI backtrace for cpu 3 skipped: idling at '
                 'default_idle+0x1/0x2',
                 'NMI backtrace for cpu 4',
                 'RIP: 0010:pv_native_safe_halt+0x1/0x2',
                 'NMI backtrace for cpu 1',
                 'RIP: 0010:smp_call_function+0x1/0x2', ' default_idle+0x9/0x10',
                 'NMI backtrace for cpu 2', ' ? qi_check_fault+0x1/0x2',
                 'RIP: 0010:kasan_check_range+0x1/0x2',
                 ' qi_submit_sync+0x7/0x1f', 'sysrq: Show Blocked State']
        stuck = '\n# race: stuck: no end after 8 seconds'
        waits = ['task:b state:D', ' __schedule+0x1/0x2', ' f_drain+0x1/0x2']
        for more, ours, want, told in (
                ([], (), 'smp_call_function', lines[8:14]),
                ([], ('qi_submit_sync', 'qi_check_fault'), 'qi_submit_sync',
                 lines[11:15]),
                ([], ('kasan_check_range', 'qi_submit_sync'),
                 'kasan_check_range', lines[11:15]),
                (waits, ('qi_submit_sync',), 'f_drain', lines[15:] + waits)):
            log = '\n'.join(race.LOG + x for x in lines + more)
            run = ended('', log + stuck, 'end')._replace(ours=frozenset(ours))
            found = oracle.findings(run)
            self.assertEqual([f.sign for f in found], [f'hang in {want}'])
            self.assertEqual(found[0].text[:len(told)], told)

    def test_an_early_end_is_said(self):
        self.assertEqual(self.signs('', '# scene.c:12: bind: busy\n'
                                    'not ok 1 x', 'off'),
                         ['ended early in scene.c:12: bind: busy'])

    def test_duplicates_are_one_and_similar_ones_are_told(self):
        text = fakestage.KASAN % ('f', 'f')
        self.assertEqual(len(self.signs(text + '\n' + text)), 1)
        self.assertTrue(oracle.similar('KASAN: x in f', 'oops: y in f'))
        self.assertFalse(oracle.similar('KASAN: x in f', 'KASAN: x in g'))
        self.assertFalse(oracle.similar('sign a', 'sign b'))


class Shown(unittest.TestCase):
    def test_registers_are_not_what_people_look_for(self):
        lines = ['CPU: 2 UID: 0 PID: 85', 'RIP: 0010:qi_submit_sync+0x245/0x1f',
                 'Code: 8e 69 1c', 'RSP: 0018:ffff88 EFLAGS: 00010082',
                 'RAX: 0000000000000000 RBX: 1', 'R09: ffffed1000a255a0',
                 'FS:  00007ff6294f1740(0000)', 'CR2: 00007ff6294ea000',
                 ' qi_submit_sync+0x7/0x1f', 'BUG: bad', 'DMAR: ab']
        self.assertEqual(show.shown(lines), lines[:2] + lines[8:])


class Files(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def hit(self, stage, text='order=0123 at=1:21'):
        p = plan.parse(text)
        run = stage.run(p)
        return hit.Hit(dict(
            scenario='close', kernel='7.3', sign=UAF, plan=text,
            points=[hit.describe(x, run, stage) for x in p.points],
            key=stage.key(), text=['BUG'], replay=[20, 20]))

    def test_stored_and_loaded(self):
        h = self.hit(fakestage.Stage())
        path = h.store(self.dir.name)
        self.assertTrue(hit.is_file(path))
        again = hit.load(path)
        self.assertEqual(again.plan, h.plan)
        self.assertEqual(again.points[0]['symbol'], 'release')
        self.assertEqual(again.points[0]['offset'], 4)
        self.assertEqual(again.points[0]['count'], 1)

    def test_each_has_a_file_of_its_own(self):
        """Also if the kernel has a long name, which ends in another patch."""
        h = self.hit(fakestage.Stage())
        paths = set()
        for end in ('', '+C-09-fix'):
            for sign in (UAF, 'sign no-answer'):
                h.fields.update(kernel='7.1.3' + '+O-A-fix' * 30 + end,
                                sign=sign)
                paths.add(h.store(self.dir.name))
        self.assertEqual(len(paths), 4)

    def test_what_is_no_hit_is_said(self):
        path = os.path.join(self.dir.name, 'x.hit')
        for text, said in (('{', 'x.hit'), ('[]', 'no hit'),
                           ('{"plan": ""}', 'no scenario')):
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
            with self.assertRaises(LabError) as e:
                hit.load(path)
            self.assertIn(said, e.exception.what)
        h = self.hit(fakestage.Stage())
        h.fields['format'] = 9
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(h.fields, f)
        with self.assertRaises(LabError) as e:
            hit.load(path)
        self.assertIn('format 9', e.exception.what)

    def test_the_same_bytes_take_the_plan_as_it_is(self):
        stage = fakestage.Stage()
        found = hit.again(self.hit(stage), stage)
        self.assertEqual((found.how, str(found.plan)),
                         ('as stored', 'order=0123 at=1:21'))

    def test_the_same_bytes_after_a_boot_that_was_not_alike(self):
        found = hit.again(self.hit(fakestage.Stage()),
                          fakestage.Stage(before=3))
        self.assertEqual(str(found.plan), 'order=0123 at=1:24')

    def test_another_kernel_has_the_point_elsewhere(self):
        """More accesses before it, and the text moved."""
        h = self.hit(fakestage.Stage())
        other = fakestage.Stage(before=5, shift=0x100000, key='other')
        found = hit.again(h, other)
        self.assertEqual(str(found.plan), 'order=0123 at=1:26')
        self.assertIn('symbol', found.how)

    def test_nearby_when_the_symbol_misses(self):
        h = self.hit(fakestage.Stage())
        h.points[0].update(symbol='work', offset=0x80, count=5)
        found = hit.again(h, fakestage.Stage(before=5, key='other'))
        self.assertIn('accesses from where it was', found.how)
        self.assertEqual(found.plan.points[0].n, 26)

    def test_nearby_between_two_instructions(self):
        h = self.hit(fakestage.Stage(), 'order=0123 at=i41')
        self.assertTrue(h.points[0]['before'])
        h.points[0].update(symbol='work', offset=0x80, count=5)
        found = hit.again(h, fakestage.Stage(before=5, key='other'))
        self.assertIn('+2 accesses from where it was', found.how)
        h = self.hit(fakestage.Stage(), 'order=0123 at=i41')
        self.assertIsNone(hit.again(h, fakestage.Stage(fixed=True, key='x')))

    def test_which_execution_of_a_site_counts(self):
        stage = fakestage.Stage()
        records = stage.run(Plan('0123')).records
        told = dict(symbol='work', offset=8, count=2, cpu=1, kind='')
        self.assertEqual(hit.locate(told, records, stage), (10, True))
        self.assertEqual(hit.locate(dict(told, count=9), records, stage),
                         (18, False))
        self.assertEqual(hit.locate(dict(told, symbol='gone'), records,
                                    stage), (None, False))

    def test_a_kernel_without_it_says_so(self):
        h = self.hit(fakestage.Stage())
        self.assertIsNone(hit.again(h, fakestage.Stage(fixed=True,
                                                       key='fixed')))

    def test_replay_counts(self):
        stage = fakestage.Stage()
        p = plan.parse('order=0123 at=1:21')
        self.assertEqual(hit.replay(stage, p, UAF, 20), (20, 1))
        self.assertEqual(hit.replay(stage, Plan('0123'), UAF, 5), (0, 1))

    def test_device_events_as_people_read_them(self):
        stage = fakestage.Stage()
        run = stage.run(Plan('0123'))
        for text, said in (
                ('cpl#1=+50000', 'Invalidate Completion 1 comes 50000 '
                 'instructions later (cpl#1=+50000)'),
                ('prq=pd#1', 'each "a request is written to the page request '
                 'queue" comes after "a wait with PD=1 begins to wait" 1 '
                 '(prq=pd#1)'),
                ('bh#2=idle', 'work of the device 2 comes when no CPU '
                 'can run (bh#2=idle)'),
                ('msi#1=1:21', 'MSI 1 comes when CPU 1 has been at '
                 'release+0x4, file.c:4 (execution 1) (msi#1=1:21)'),
                ('msi#1=1:999', 'MSI 1 comes when CPU 1 has reached 1:999 '
                 '(msi#1=1:999)')):
            event, = plan.parse(text).events
            self.assertEqual(show.event_text(
                hit.describe_event(event, run, stage)), said)
        h = self.hit(stage, 'order=0123 cpl#1=+5')
        self.assertIn('Invalidate Completion 1 comes 5 instructions later '
                      '(cpl#1=+5)', show.plan_text(h))
        h = self.hit(stage, 'order=0123')
        self.assertEqual(len(show.plan_text(h)), 1)
        self.assertIn('no point and no event', show.plan_text(h)[0])

    def test_an_event_comes_at_the_same_access_elsewhere(self):
        text = 'order=0123 at=1:21 msi#1=1:21'
        stage = fakestage.Stage()
        run = stage.run(plan.parse(text))
        h = self.hit(stage, text)
        h.fields['events'] = [hit.describe_event(e, run, stage)
                              for e in h.parsed.events]
        found = hit.again(h, fakestage.Stage(before=5, shift=0x100000,
                                             key='other'))
        self.assertEqual(str(found.plan), 'order=0123 at=1:26 msi#1=1:26')

    def test_a_hit_as_people_read_it(self):
        stage = fakestage.Stage()
        h = self.hit(stage)
        text = '\n'.join(show.hit_lines(h))
        self.assertIn('CPU 1 (close) goes last after its write at '
                      'release+0x4, file.c:4 (execution 1, at=1:21)', text)
        self.assertIn('replayed: 20 of 20, one hash', text)
        run = stage.run(h.parsed)
        self.assertEqual(show.race_text(run, h.points, stage), [
            'release+0x4 touches 3000; then CPU 2 reads it at destroy+0x4, '
            'file.c:4'])
        page = show.page([h], {h: 'X.hit'})
        for part in ('# ' + UAF, './pri-lab repro X.hit', '--plan \'order='):
            self.assertIn(part, page)

    def test_a_page_of_hits_with_one_sign(self):
        """One plan on two kernels; one of them is written up."""
        h = self.hit(fakestage.Stage())
        other = hit.Hit(dict(h.fields, kernel='7.1.3', page='F.md'))
        page = show.page([other, h], {h: 'X.hit', other: 'Y.hit'})
        self.assertIn('./pri-lab repro Y.hit', page)
        self.assertIn('Known: F.md, by what is seen in close on 7.1.3.', page)
        self.assertIn('./pri-lab repro X.hit',
                      show.page([h], {h: 'X.hit', other: 'Y.hit'}))
        listed = self.hit(fakestage.Stage(), 'slice=0123:5 slice=3210:9')
        page = show.page([listed, h], {h: 'X.hit', listed: 'Z.hit'})
        self.assertIn('./pri-lab repro X.hit', page)
        self.assertIn('CPUs in the order 3210, until one has executed 9',
                      show.page([listed], {listed: 'Z.hit'}))
        self.assertEqual([show.where(x) for x in (h, other)],
                         ['close on 7.3', 'close on 7.1.3 (known: F.md)'])


class Scenarios(unittest.TestCase):
    """Every file of tests/guest/scenarios."""

    def test_a_name_that_is_too_long_is_told_before_a_boot(self):
        with tempfile.TemporaryDirectory() as d:
            top = os.path.join(d, race.SCENARIOS)
            os.makedirs(top)
            for name in ('a' * 14, 'b' * 15):
                with open(os.path.join(top, f'{name}.c'), 'w',
                          encoding='utf-8') as f:
                    f.write('/*\n * Title: x\n * What: y\n */\n')
            cli.parse(['explore', 'a' * 14]).check(d, None)
            for words in (['b' * 15], ['--all']):
                with self.assertRaisesRegex(UsageError, 'at most 14 letters'):
                    cli.parse(['explore'] + words).check(d, None)

    def test_headers_and_names(self):
        entries = race.load(REPO, race.SCENARIOS)
        self.assertGreaterEqual(sum(not e.steps for e in entries), 12)
        for e in entries:
            with open(e.path, encoding='utf-8') as f:
                text = f.read()
            if e.steps:
                continue
            self.assertIn(f'.name = "{e.name}"', text)
            self.assertLess(text.count('\n'), 90, e.name)
            self.assertLessEqual(len(e.name), schedule.LETTERS, e.name)
            for name in re.findall(r'SCENE_(?:THREAD|PROCESS)\("([^"]*)"',
                                   text):
                self.assertLessEqual(len(name), 15, f'{e.name}: {name}')


class SymbolText(unittest.TestCase):
    def test_focus_merges_neighbours_and_knows_parts(self):
        s = symbols.Symbols.__new__(symbols.Symbols)
        s._addrs = [0x100, 0x200, 0x300, 0x400, 0x500]
        s._names = ['a', 'b.cold', 'c', 'd', 'end']
        s._by = dict(zip(s._names, s._addrs))
        s.functions = lambda word: {'a', 'b', 'd'}
        self.assertEqual(s.ranges(['x']), [(0x100, 0x300), (0x400, 0x500)])
        self.assertEqual(s.find(0x210), ('b.cold', 0x10))
        with unittest.mock.patch('pri_lab.explore.symbols.RANGES', 1):
            self.assertEqual(s.ranges(['x']), [(0x100, 0x500)])
