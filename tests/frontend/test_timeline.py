# SPDX-License-Identifier: GPL-2.0-or-later
"""Two traces become one log, and the log a page and columns of text."""

import glob
import json
import os
import re
import tempfile
import unittest
from unittest import mock

import fakelog
from pri_lab import cli
from pri_lab.core.errors import LabError
from pri_lab.iommu import kind
from pri_lab.machine import events, record, tracelog
from pri_lab.timeline import chart, exchange, timeline

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
FORMATS = tracelog.formats(REPO)
VTD = kind.load()


def merged(faults=8, extra_qemu=(), extra_guest=()):
    qemu, guest = fakelog.run(faults)
    qemu += extra_qemu
    qemu.sort(key=lambda x: int(x[1:x.index(']')]))
    return record.merge(tracelog.qemu_lines(qemu, FORMATS),
                        tracelog.guest_lines(guest + list(extra_guest)),
                        {'job': 'fake'})


def drawn(*args, **kw):
    return timeline.Chart(merged(*args, **kw), 'fake')


class Traces(unittest.TestCase):
    def test_every_format_of_ours_is_understood(self):
        for path in glob.glob(os.path.join(REPO, 'hw', '*',
                                           'trace-events')):
            with open(path, encoding='utf-8') as f:
                for line in f:
                    if line.strip() and not line.startswith('#'):
                        self.assertIn(line.split('(')[0], FORMATS)

    def test_format_turned_round(self):
        line, = tracelog.qemu_lines([
            '[12] ats_link_page_request 0100 pasid 0xffffffff addr 0x7000 '
            'prgi 5 R=0 W=1 L=1 priv=0 exec=0'], FORMATS)
        self.assertEqual(line.time, 12)
        self.assertEqual(line.fields['rid'], '0x0100')
        self.assertEqual(line.fields['w'], '1')
        e = events.from_qemu(line, VTD)
        self.assertEqual((e['rid'], e['prgi'], e['addr'], e['flags']),
                         ('0100', 5, '0x7000', '-w--l'))
        self.assertNotIn('pasid', e)

    def test_an_event_nobody_knows_is_kept(self):
        line, = tracelog.qemu_lines(['[7] vtd_new_thing pasid 0x3 addr=0x40'],
                                    FORMATS)
        e = events.from_qemu(line, VTD)
        self.assertEqual((e['lane'], e['kind'], e['pasid'], e['addr']),
                         ('iommu', 'vtd-new-thing', 3, '0x40'))

    def test_other_lines_of_the_log_are_left_out(self):
        self.assertEqual(list(tracelog.qemu_lines(
            ['qemu: warning: x', '', '[x] y', '[1] 2'], {})), [])

    def test_stop_marker(self):
        line, = tracelog.qemu_lines([
            '[12] ats_link_page_request 0100 pasid 0x2 addr 0x0 prgi 0 R=0 '
            'W=0 L=1 priv=1 exec=0'], FORMATS)
        self.assertEqual(events.from_qemu(line, VTD)['kind'], 'stop-marker')

    def test_itags_of_a_completion(self):
        for mask, want in (('0x00000004', 2), ('0x00000009', [0, 3])):
            line, = tracelog.qemu_lines([
                f'[1] ats_link_inv_completion 0100 itags {mask} cc 1'],
                FORMATS)
            self.assertEqual(events.from_qemu(line, VTD)['itag'], want)

    def test_ftrace_line(self):
        line, = tracelog.guest_lines([
            '  irq/24-dmar0-pr-50      [001] .....   5000040000: prq_report: '
            'dmar0/0000:01:00.0 seq# 3: rid=0x100 addr=0x7f12 -w--l '
            'pasid=0x1 index=0x1ff'])
        self.assertEqual((line.task, line.pid, line.cpu, line.time),
                         ('irq/24-dmar0-pr', 50, 1, 5000040000))
        e = events.from_guest(line, VTD)
        self.assertEqual((e['addr'], e['prgi'], e['pasid'], e['rid'],
                          e['lane'], e['flags']),
                         ('0x7f12000', 511, 1, '0100', 'prq', '-w--l'))

    def test_probe_line(self):
        line, = tracelog.guest_lines([
            ' sva-basic-70 [000] d.... 123: munmap: (__x64_sys_munmap+0x4/'
            '0x20) addr=0x7f0000 len=0x2000'])
        e = events.from_guest(line, VTD)
        self.assertEqual((e['addr'], e['len'], e['kind']),
                         ('0x7f0000', 0x2000, 'memory'))

    def test_descriptors(self):
        """VT-d 6.5.2.5, 6.5.2.6, 7.7.1"""
        def submit(text):
            line, = tracelog.guest_lines(
                [f' k-1 [000] d.... 9: qi_submit: {text}'])
            return events.from_guest(line, VTD)
        e = submit('page_grp_resp dmar0: 0x5010f1019 0x28 0x0 0x0')
        self.assertEqual((e['kind'], e['rid'], e['pasid'], e['prgi'],
                          e['code']),
                         ('qi-page-response', '010f', 5, 5, 1))
        e = submit('p_dev_tlb_inv dmar0: 0x301000008 0x7f0800 0x0 0x0')
        self.assertEqual((e['rid'], e['pasid'], e['addr']),
                         ('0100', 3, '0x7f0000'))
        e = submit('dev_tlb_inv dmar0: 0x10000000003 0x7f0001 0x0 0x0')
        self.assertEqual((e['rid'], e['addr']), ('0100', '0x7f0000'))
        self.assertNotIn('pasid', e)

    def test_every_probe_is_known(self):
        with open(os.path.join(REPO, 'tests', 'guest', 'record.c'),
                  encoding='utf-8') as f:
            text = f.read()
        names = re.findall(r'GROUP "/(\w+) \w', text) + \
            re.findall(r'SYSCALL\("(\w+)"\)', text)
        self.assertGreater(len(names), 15)
        for name in names:
            self.assertIn(name, {**events._GUEST, **VTD.guest_events})

    def test_rows_of_ours_are_events_of_ours(self):
        ours = ('vtd_prq', 'vtd_devtlb', 'vtd_ats', 'ats_', 'pcie_',
                'pri_testdev')
        for name in {**events._QEMU, **VTD.qemu_events}:
            if name.startswith(ours):
                self.assertIn(name, FORMATS)


class Clock(unittest.TestCase):
    def test_straight_lines_between_marks(self):
        c = tracelog.Clock([(90, 1000, 110), (190, 1100, 210),
                            (290, 1300, 310)])
        self.assertEqual([c.virtual(t) for t in (100, 150, 200, 250, 300)],
                         [1000, 1050, 1100, 1200, 1300])
        self.assertEqual((c.virtual(50), c.virtual(350)), (950, 1400))

    def test_a_wide_mark_is_not_used(self):
        c = tracelog.Clock([(90, 1000, 110), (150, 9999, 900),
                            (190, 1100, 210), (290, 1200, 310)])
        self.assertEqual(len(c.points), 3)
        self.assertEqual(c.virtual(150), 1050)
        self.assertEqual(c.error_ns, 10)

    def test_one_mark_is_none(self):
        self.assertFalse(tracelog.Clock([(1, 2, 3)]))
        self.assertFalse(tracelog.Clock([]))

    def test_large_numbers_stay_exact(self):
        t = 1 << 52
        c = tracelog.Clock([(t, 10 ** 12, t + 20),
                            (t + 10 ** 9, 10 ** 12 + 10 ** 9,
                             t + 10 ** 9 + 20)])
        self.assertEqual(c.virtual(t + 10 + 12345), 10 ** 12 + 12345)


class Merge(unittest.TestCase):
    def test_one_order(self):
        m = merged(3)
        times = [e['t'] for e in m.events]
        self.assertEqual(times, sorted(times))
        kinds = [e['kind'] for e in m.events]
        for before, after in (('dma-start', 'page-request'),
                              ('prq-entry', 'prq-report'),
                              ('prq-report', 'mm-fault'),
                              ('qi-page-response', 'page-group-response'),
                              ('page-group-response', 'prg-response')):
            self.assertLess(kinds.index(before), kinds.index(after))
        e = m.events[kinds.index('prq-report')]
        self.assertEqual(e['t'], 1_020_000)

    def test_the_head_says_how_good_the_clock_is(self):
        c = merged(60).head['clock']
        self.assertEqual((c['pairs'], c['inversions']), (120, 0))
        self.assertEqual(c['error_ns'], 200)
        self.assertEqual(c['min_to_guest_ns'], 19_100)
        self.assertEqual(c['min_to_qemu_ns'], 5_000)

    def test_an_effect_before_its_cause_is_told(self):
        _, guest = fakelog.fault(0, 0)
        early = next(x for x in guest if 'prq_report' in x)
        early = early.replace(str(fakelog.tsc(20_000)),
                              str(fakelog.tsc(300))).replace(
            'pasid=0x1 ', 'pasid=0x9 ')
        entry = ('[900] vtd_prq_deliver 0100 pasid 0x9 addr 0x7f0000000000 '
                 'prgi 0 at 0x40')
        c = merged(8, [entry], [early]).head['clock']
        self.assertEqual(c['inversions'], 1)
        self.assertEqual(c['worst_ns'], 600)

    def test_an_effect_long_before_is_not_of_this_cause(self):
        body = [{'kind': 'dma-start', 't': 0, 'channel': 1},
                {'kind': 'dma-command', 't': 10 ** 9, 'channel': 1},
                {'kind': 'dma-start', 't': 10 ** 9 - 5, 'channel': 1}]
        self.assertEqual(record.pairs(body), [(1, 2)])

    def test_without_marks_the_guest_is_left_out(self):
        qemu, guest = fakelog.run(2)
        guest = [x for x in guest if 'clock' not in x]
        m = record.merge(tracelog.qemu_lines(qemu, FORMATS),
                         tracelog.guest_lines(guest), {})
        self.assertEqual(m.head['clock']['left_out'], len(guest))
        self.assertEqual({e['src'] for e in m.events}, {'qemu'})
        self.assertIn('without the guest', record.summary(m))

    def test_log_and_back(self):
        m = merged(2)
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, 'x.jsonl')
            with open(path, 'w', encoding='utf-8') as f:
                f.writelines(x + '\n' for x in m.lines())
            again = record.load(path, REPO)
        self.assertEqual((again.head, again.events), (m.head, m.events))

    def test_a_log_of_qemu_alone(self):
        qemu, _ = fakelog.run(2)
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, 'q.log')
            with open(path, 'w', encoding='utf-8') as f:
                f.writelines(x + '\n' for x in qemu)
            self.assertEqual(len(record.load(path, REPO).events), len(qemu))

    def test_what_is_no_log_is_refused(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, 'x')
            for text, what in (('hello\n', 'neither a log'),
                               ('', 'neither a log'),
                               ('{"pri-lab-log": 99}\n', 'version 99'),
                               ('{"pri-lab-log": 1}\n{"t": 1}\n',
                                ':2: not an event')):
                with open(path, 'w', encoding='utf-8') as f:
                    f.write(text)
                with self.assertRaisesRegex(LabError, what):
                    record.load(path, REPO)
            with self.assertRaisesRegex(LabError, 'No such file'):
                record.load(path + 'y', REPO)


class Together(unittest.TestCase):
    def test_a_group_and_all_that_is_said_of_it(self):
        m = merged(4)
        x = exchange.Exchanges(m.events)
        self.assertEqual(x.count, 4)
        for n in range(4):
            kinds = [e['kind'] for i, e in enumerate(m.events)
                     if x.of[i] == n]
            self.assertEqual(kinds, [
                'group', 'page-request', 'prq-entry', 'prq-report',
                'mm-fault', 'qi-page-response', 'page-group-response',
                'prg-response'])

    def test_an_index_used_again_is_another_exchange(self):
        first = fakelog.fault(0, 1_000_000)[0]
        again = [x.replace('prgi 512', 'prgi 0')
                 for x in fakelog.fault(512, 2_000_000)[0]]
        m = record.merge(tracelog.qemu_lines(first + again, FORMATS), [], {})
        x = exchange.Exchanges(m.events)
        self.assertEqual(x.count, 2)
        self.assertEqual(len([n for n in x.of if n == 0]),
                         len([n for n in x.of if n == 1]))

    def test_round_trips(self):
        rounds = drawn(5).exchanges.rounds()
        self.assertEqual([(r.name, len(r.times), r.median) for r in rounds],
                         [('page request to its response', 5, 59_800)])

    def test_an_invalidation(self):
        lines = ['[10] vtd_devtlb_request 0100 pasid 0x1 addr 0x0 itag 3',
                 '[12] ats_link_inv_request 0100 pasid 0x1 addr 0x0 S=1 G=0 '
                 'itag 3',
                 '[20] pri_testdev_inv pt0: itag 3 reply 0 delay 0 us, 1 '
                 'completions of 1',
                 '[30] ats_link_inv_completion 0100 itags 0x00000008 cc 1',
                 '[31] vtd_devtlb_completion 0100 itag 3',
                 '[35] vtd_devtlb_completion_lost 0100 itags 0x00000008',
                 '[40] vtd_devtlb_request 0100 pasid 0x1 addr 0x0 itag 3']
        m = record.merge(tracelog.qemu_lines(lines, FORMATS), [], {})
        x = exchange.Exchanges(m.events)
        self.assertEqual(x.of, [0, 0, 0, 0, 0, -1, 1])
        self.assertEqual(x.rounds()[0].times, [21])

    def test_spans(self):
        m = merged(2)
        found = {(s.lane, m.events[s.first]['event'],
                  m.events[s.last]['event'])
                 for s in exchange.spans(m.events)}
        self.assertEqual(found, {
            ('fault', 'iopf_work', 'iopf_work_done'),
            ('endpoint', 'pri_testdev_start', 'pri_testdev_end')})


class Page(unittest.TestCase):
    def data(self, page):
        return json.loads(re.search(
            r'<script type="application/json" id="data">(.*?)</script>',
            page, re.S).group(1))

    def test_needs_nothing_else(self):
        page = timeline.page(drawn(3))
        self.assertFalse(re.findall(r'https?://(?!www\.w3\.org)', page))
        self.assertFalse(re.findall(
            r'@import|<link[^>]*href="(?!data:)|\bsrc=|\burl\(|fetch\(',
            page))
        self.assertNotIn('@DATA@', page)

    def test_data(self):
        c = drawn(5)
        d = self.data(timeline.page(c))
        self.assertEqual(len(d['events']), len(c.events))
        n = next(i for i, e in enumerate(c.events)
                 if e['kind'] == 'page-request')
        row = d['events'][n]
        self.assertEqual(row[0], c.events[n]['t'] - c.events[0]['t'])
        self.assertEqual((d['lanes'][row[1]], d['lanes'][row[2]]),
                         ('endpoint', 'IOMMU'))
        said = {d['fields'][row[k]]: row[k + 1]
                for k in range(10, len(row), 2)}
        self.assertEqual(said['prgi'], c.events[n]['prgi'])
        self.assertEqual(d['strings'][said['addr']], c.events[n]['addr'])
        self.assertEqual(d['pairs'], [list(p) for p in c.pairs])

    def test_a_log_cannot_end_the_script(self):
        line = '[5] ats_link_lost kind 1 rid 0100: </script><b>x'
        m = record.merge(tracelog.qemu_lines([line], FORMATS), [], {})
        page = timeline.page(timeline.Chart(m, '<i>&"'))
        self.assertNotIn('<b>x', page)
        self.assertNotIn('<i>&', page)
        self.assertTrue(any('</script><b>x' in x
                            for x in self.data(page)['strings']))

    def test_no_events(self):
        m = record.Merged({'clock': {'marks': 0}}, [])
        self.assertEqual(self.data(timeline.page(
            timeline.Chart(m, 'x')))['events'], [])


class Text(unittest.TestCase):
    def lines(self, c):
        return list(timeline.text(c))

    def test_arrows(self):
        out = self.lines(drawn(1))
        request = next(x for x in out if 'Page Request PASID' in x)
        response = next(x for x in out if 'PRG Response PASID' in x)
        self.assertRegex(request, r'<-+\+')
        self.assertRegex(response, r'\+-+>')
        self.assertIn('0x7f0000000000 WL', request)
        self.assertIn('Success', response)

    def test_a_violation_stands_out(self):
        c = drawn(1, ['[1000400] pcie_pri_unexpected prgi 7 pasid 0x1 '
                      'code 0x0'])
        self.assertEqual(c.count(events.VIOLATION), 1)
        line = next(x for x in self.lines(c) if 'unexpected' in x)
        self.assertIn(' X ', line)

    def test_a_list_has_a_line_an_event(self):
        c = drawn(1, ['[1000400] pcie_pri_unexpected prgi 7 pasid 0x1 '
                      'code 0x0'])
        out = list(timeline.listing(c))
        self.assertEqual(len(out), len(c.events))
        self.assertRegex('\n'.join(out), r'µs  endpoint > IOMMU +Page Request '
                         r'PASID 1 PRGI \d 0x7f0000000000 WL')
        self.assertEqual(sum(' X unexpected' in x for x in out), 1)
        # a process has a name
        c.events[0].update(lane=events.PROCESS, task='race-66')
        self.assertIn('[race-66]', next(timeline.listing(c)))

    def test_durations(self):
        self.assertEqual([timeline.duration(x) for x in
                          (5, 1500, 59_800, 34_150_900, 5.7e9)],
                         ['5 ns', '1.5 µs', '59.8 µs', '34.2 ms', '5.7 s'])

    def test_every_event_has_a_line(self):
        c = drawn(3)
        self.assertEqual(len(self.lines(c)),
                         len(c.events) + len(c.summary()) + 2)


class Filter(unittest.TestCase):
    def kinds(self, wanted):
        c = drawn(6)
        return [e['kind'] for _, e in timeline.choose(c, wanted)]

    def test_a_field_brings_its_exchange(self):
        kinds = self.kinds({'prgi': ['2']})
        self.assertEqual(kinds.count('page-request'), 1)
        self.assertEqual(kinds.count('mm-fault'), 1)    # has no PRGI itself

    def test_a_kind_brings_only_itself(self):
        self.assertEqual(set(self.kinds({'kind': ['mm-fault']})),
                         {'mm-fault'})

    def test_all_must_hold(self):
        self.assertEqual(self.kinds({'prgi': ['2'], 'pasid': ['1']}), [])


class Command(unittest.TestCase):
    class Screen:
        def __init__(self):
            self.out = []

        def result(self, text):
            self.out.append(text)

        say = result

    def run_it(self, *argv):
        screen = self.Screen()
        status = chart.run(cli.parse(['timeline', *argv]), REPO, screen)
        return status, screen.out

    def test_page_beside_a_log_of_the_cache(self):
        with tempfile.TemporaryDirectory() as tmp, mock.patch(
                'pri_lab.core.cache.root', lambda: tmp):
            log = os.path.join(tmp, 'job.jsonl')
            with open(log, 'w', encoding='utf-8') as f:
                f.writelines(x + '\n' for x in merged(2).lines())
            status, out = self.run_it(tmp)
            self.assertEqual((status, out[0]),
                             (0, os.path.realpath(os.path.join(
                                 tmp, 'job.html'))))
            self.assertTrue(os.path.exists(out[0]))
            other = os.path.join(tmp, 'other.html')
            self.assertEqual(self.run_it(log, '-o', other)[1][0], other)
            with self.assertRaisesRegex(LabError, 'no event matches') as e:
                self.run_it(log, '--pasid', '99', '--channel', 'x')
            self.assertIn('--pasid of this log: 1 2', e.exception.hint)
            self.assertIn('--channel of this log: 0 1', e.exception.hint)
            with self.assertRaisesRegex(LabError, 'no kind of event respons'):
                self.run_it(log, '--kind', 'respons')

    def test_a_part_of_it_as_a_log(self):
        with tempfile.TemporaryDirectory() as tmp:
            log = os.path.join(tmp, 'job.jsonl')
            cut = os.path.join(tmp, 'cut.jsonl')
            whole = merged(6)
            with open(log, 'w', encoding='utf-8') as f:
                f.writelines(x + '\n' for x in whole.lines())
            self.run_it(log, '--from', '0.15', '--to', '0.25', '-o', cut)
            part = record.load(cut, REPO).events
            start = whole.events[0]['t']
            self.assertEqual(part, [
                e for e in whole.events
                if 150_000 <= e['t'] - start <= 250_000])
            self.assertGreater(len(part), 5)
            with self.assertRaisesRegex(LabError, 'ends after'):
                self.run_it(log, '--from', '999')
            with self.assertRaisesRegex(LabError, 'no race in this log'):
                self.run_it(log, '--from', 'race')
            whole.events[5].update(kind='mark', text='race begins')
            with open(log, 'w', encoding='utf-8') as f:
                f.writelines(x + '\n' for x in whole.lines())
            self.run_it(log, '--from', 'race', '-o', cut)
            self.assertEqual(record.load(cut, REPO).events, whole.events[5:])

    def test_a_directory_without_a_recording(self):
        with tempfile.TemporaryDirectory() as tmp:
            with self.assertRaisesRegex(LabError, 'no recordings'):
                self.run_it(tmp)

    def test_the_recording_is_asked_for(self):
        self.assertTrue(cli.parse(['run', 'reset', '--record']).record)
        self.assertTrue(cli.parse(['repro', 'O-A', '--record']).record)
        self.assertFalse(cli.parse(['run']).record)


class Examples(unittest.TestCase):
    """docs/examples: real recordings, and what must be seen in them."""

    def load(self, name):
        return timeline.Chart(record.load(os.path.join(
            REPO, 'docs', 'examples', name), REPO), name)

    def test_overflow(self):
        c = self.load('overflow.jsonl')
        kinds = [e['kind'] for e in c.events]
        self.assertEqual(kinds.count('prq-overflow'), 65)
        n = kinds.index('auto-response')
        self.assertEqual((kinds[n - 1], kinds[n + 1]),
                         ('page-request', 'prg-response'))
        self.assertGreater(kinds.index('prq-thread'), n)

    def test_reset(self):
        c = self.load('reset.jsonl')
        kinds = [e.get('event') for e in c.events]
        self.assertLess(kinds.index('flr'), kinds.index('pri_testdev_reset'))
        self.assertLess(kinds.index('pri_testdev_reset'),
                        kinds.index('flr_done'))
        self.assertEqual(c.head['clock']['inversions'], 0)


class Manual(unittest.TestCase):
    def test_every_kind_is_in_it(self):
        with open(os.path.join(REPO, 'docs', 'manual', 'timeline.md'),
                  encoding='utf-8') as f:
            text = f.read()
        for kind in events.kinds():
            self.assertIn(f'`{kind}`', text)
        for lane in events.LANES:
            self.assertIn(f'`{lane}`', text)


if __name__ == '__main__':
    unittest.main()
