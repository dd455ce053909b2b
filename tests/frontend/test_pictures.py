# SPDX-License-Identifier: GPL-2.0-or-later
"""Other forms of a log: two beside each other, SVG, the Trace Event Format; and
the splat of a kernel in it."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock
from xml.etree import ElementTree

import fakelog
from pri_lab import cli
from pri_lab.core.errors import LabError, UsageError
from pri_lab.machine import events
from pri_lab.timeline import beside, chart, chrometrace, svg, timeline

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
SPLAT = ('BUG: KASAN: slab-use-after-free in iopf_handler+0x1/0x2',
         'Read of size 8 at addr ff11 by task race/66',
         'Call Trace:', ' <TASK>', ' iopf_handler+0x1/0x2', ' </TASK>')


def said(lines, ns=1_050_000):
    """The kernel's log as its trace event has it."""
    return [fakelog.guest(ns + n * 10, f'console: {x}', 'race', 66, 0)
            for n, x in enumerate(lines)]


def drawn(faults=4, lines=()):
    return timeline.Chart(fakelog.merged(REPO, faults, said(lines)), 'fake')


class Splat(unittest.TestCase):
    def test_it_is_in_the_chart(self):
        c = drawn(2, ('all is well',) + SPLAT + ('later',))
        log = [e for e in c.events if e['lane'] == events.LOG]
        self.assertEqual([e['kind'] for e in log],
                         ['kernel-log'] + ['splat'] * 6 + ['kernel-log'])
        self.assertEqual([e.get('level', 0) for e in log],
                         [0, events.VIOLATION] + [0] * 6)
        self.assertEqual((log[1]['task'], log[1]['cpu']), ('race-66', 0))
        self.assertEqual(timeline.label(log[1]), SPLAT[0])
        line = next(x for x in timeline.text(c) if 'KASAN' in x)
        self.assertIn(' X ', line)

    def test_one_that_is_written_up_is_a_warning(self):
        c = drawn(1, ('BUG: Invalid wait context', '7.3 #1',
                      ' device_rbtree_find+0x1/0x2', ' </TASK>'))
        self.assertEqual((c.count(events.WARNING),
                          c.count(events.VIOLATION)), (1, 0))

    def test_without_it_there_is_no_such_lane(self):
        self.assertNotIn(events.LOG, drawn(1).lanes)
        self.assertIn(events.LOG, drawn(1, ['x']).lanes)

    def test_the_recorder_asks_for_it(self):
        with open(os.path.join(REPO, 'tests/guest/record.c'),
                  encoding='utf-8') as f:
            self.assertIn('events/printk/console/enable', f.read())


class Beside(unittest.TestCase):
    def test_what_happens_in_both_is_paired(self):
        a, b = drawn(2), drawn(2)
        for e in b.events:                  # another time, another address
            e['t'] += 5_000_000
            if 'addr' in e:
                e['addr'] = '0x1000'
        extra = dict(b.events[4], kind='violation', level=2, text='bad')
        b = timeline.Chart(mock.Mock(head={}, events=b.events[:5] + [extra]
                                     + b.events[5:]), 'b')
        both = beside.Beside(a, b, ('a', 'b'), 't')
        self.assertEqual(both.ops.count('>'), 1)
        self.assertEqual(both.ops.count('='), len(a.events))
        self.assertEqual(len(both.events), len(a.events) + len(b.events))
        for x, y in both.twins:
            self.assertEqual(both.events[x]['kind'], both.events[y]['kind'])
            self.assertEqual((both.events[x]['side'],
                              both.events[y]['side']), (0, 1))
            self.assertEqual(both.events[x]['t'], both.events[y]['t'])
        lines = list(beside.listing(both))
        self.assertEqual(len(lines), len(b.events) + 1)
        self.assertEqual(sum('  > ' in x and 'X bad' in x for x in lines), 1)

    def test_places_are_those_in_both(self):
        both = beside.Beside(drawn(2), drawn(3), ('a', 'b'), 't')
        for x, y in both.pairs:
            self.assertEqual(both.events[x]['side'], both.events[y]['side'])
            self.assertIn((both.events[x]['kind'], both.events[y]['kind']),
                          {(c, e) for c, e, _ in beside.record.CAUSES})
        of = {}
        for e, x in zip(both.events, both.exchanges.of):
            if x >= 0:
                self.assertEqual(of.setdefault(x, e['side']), e['side'])
        for s in both.spans:
            self.assertLess(both.events[s.first]['t'],
                            both.events[s.last]['t'])

    def test_both_count_from_where_the_race_begins(self):
        a, b = drawn(3), drawn(3)
        for c, n in ((a, 5), (b, 9)):
            c.events.insert(n, dict(c.events[n], kind='mark',
                                    text=beside.BEGINS))
            c.exchanges.of.insert(n, -1)
        both = beside.Beside(a, b, ('a', 'b'), 't')
        self.assertEqual([e['t'] for e in both.events
                          if e.get('text') == beside.BEGINS], [0, 0])


class Svg(unittest.TestCase):
    def test_a_picture(self):
        c = drawn(2, SPLAT)
        root = ElementTree.fromstring(svg.text(c))
        texts = [t.text for t in root.iter(
            '{http://www.w3.org/2000/svg}text')]
        for e in c.events:
            self.assertIn(timeline.label(e), texts)
        self.assertIn('kernel log', texts)

    def test_a_log_cannot_break_it(self):
        c = drawn(1, ['BUG: </text><script>&\x1b[0m'])
        self.assertNotIn('<script>', svg.text(c))
        ElementTree.fromstring(svg.text(c))

    def test_too_many(self):
        with self.assertRaisesRegex(LabError, 'too many'):
            svg.text(drawn(400))


def breaches(trace):
    """What is wrong with a file in the Trace Event Format."""
    out, flows, open_, slices, named = [], {}, {}, {}, set()
    if set(trace) - {'traceEvents', 'displayTimeUnit', 'otherData'}:
        out.append('keys')
    if trace.get('displayTimeUnit') not in ('ms', 'ns'):
        out.append('unit')
    for e in trace['traceEvents']:
        where = (e['pid'], e['tid'])
        if not all(isinstance(x, int) for x in where) or e['ts'] < 0:
            out.append(('place', e))
        if e['ph'] == 'M':
            named.add((e['name'], *where))
            continue
        if ('thread_name', *where) not in named or \
                ('process_name', e['pid'], 0) not in named:
            out.append(('no name', e))
        if not e['name'] or not isinstance(e['cat'], str):
            out.append(('name', e))
        if e['ph'] == 'X':
            slices.setdefault(where, []).append((e['ts'],
                                                 e['ts'] + e['dur']))
            if e['dur'] < 0:
                out.append(('duration', e))
        elif e['ph'] == 'i':
            if e['s'] not in ('g', 'p', 't'):
                out.append(('scope', e))
        elif e['ph'] in 'be':
            key = (e['cat'], e['id'])
            if (e['ph'] == 'e') != (key in open_):
                out.append(('async', e))
            open_[key] = e
            if e['ph'] == 'e':
                del open_[key]
        elif e['ph'] in 'sf':
            flows.setdefault((e['cat'], e['name'], e['id']),
                             []).append((e['ph'], e['ts'], where))
            if e['ph'] == 'f' and e.get('bp') != 'e':
                out.append(('bp', e))
        else:
            out.append(('phase', e))
    out += [('open', e) for e in open_.values()]
    for key, ends in flows.items():
        if [ph for ph, _, _ in ends] != ['s', 'f'] or \
                ends[0][1] > ends[1][1]:
            out.append(('flow', key, ends))
        for _, ts, where in ends:           # each is within a slice
            if not any(a <= ts < b for a, b in slices.get(where, ())):
                out.append(('flow of nothing', key))
    for where, all_of in slices.items():    # of a thread, they nest
        stack = []
        for a, b in sorted(all_of, key=lambda x: (x[0], -x[1])):
            while stack and stack[-1] <= a + 1e-9:
                stack.pop()
            if stack and b > stack[-1] + 1e-9:
                out.append(('nesting', where, a, b))
            stack.append(b)
    return out


class TraceEvents(unittest.TestCase):
    def test_the_format_is_kept(self):
        c = drawn(6, SPLAT)
        trace = json.loads(chrometrace.text(c))
        self.assertEqual(breaches(trace), [])
        phases = [e['ph'] for e in trace['traceEvents']]
        self.assertEqual(phases.count('b'), 6)      # operations
        self.assertEqual(phases.count('s'), phases.count('f'))
        self.assertGreater(phases.count('s'), 12)
        splat, = (e for e in trace['traceEvents']
                  if e['ph'] == 'i' and e['s'] == 'g')
        self.assertEqual((splat['name'], splat['tid'], splat['pid']),
                         (SPLAT[0], 66, chrometrace.GUEST))

    def test_examples(self):
        for name in ('reset', 'overflow'):
            with tempfile.TemporaryDirectory() as tmp:
                out = os.path.join(tmp, 'x.json')
                chart.run(cli.parse(['timeline', os.path.join(
                    REPO, 'docs/examples', f'{name}.jsonl'), '-o', out]),
                    REPO, mock.Mock())
                with open(out, encoding='utf-8') as f:
                    self.assertEqual(breaches(json.load(f)), [])

    def test_every_event_is_there(self):
        c = drawn(3)
        trace = json.loads(chrometrace.text(c))
        texts = {e.get('args', {}).get('text')
                 for e in trace['traceEvents']}
        self.assertLessEqual({e['text'] for e in c.events
                              if 'start' not in e['event']
                              and 'end' not in e['event']
                              and 'done' not in e['event']}, texts)

    def test_a_breach_is_seen(self):
        good = json.loads(chrometrace.text(drawn(2)))
        for change in (lambda x: x.update(ph='E'),
                       lambda x: x.update(ts=-1),
                       lambda x: x.update(tid='one'),
                       lambda x: x.update(tid=4711)):
            bad = json.loads(json.dumps(good))
            change(bad['traceEvents'][-1])
            self.assertNotEqual(breaches(bad), [])
        bad = json.loads(json.dumps(good))
        bad['traceEvents'] = [e for e in bad['traceEvents']
                              if e['ph'] != 'f']
        self.assertNotEqual(breaches(bad), [])


class Command(unittest.TestCase):
    def run_it(self, *argv):
        chart.run(cli.parse(['timeline', *argv]), REPO, mock.Mock())

    def log(self, name):
        return os.path.join(REPO, 'docs/examples', name + '.jsonl')

    def test_what_cannot_be(self):
        for argv, said_ in (
                (['-o', 'x.png'], 'no PNG without a browser'),
                (['--names', 'a,b'], '--names without --with'),
                (['--with', self.log('reset'), '--names', 'a'], 'two names'),
                (['--with', self.log('reset'), '-o', 'x.json'],
                 'two recordings are no log')):
            with self.assertRaisesRegex(UsageError, said_):
                self.run_it(self.log('overflow'), *argv)

    def test_two_as_text_and_as_a_page(self):
        out = subprocess.run(
            [sys.executable, '-B', os.path.join(REPO, 'pri-lab'), 'timeline',
             self.log('reset'), '--with', self.log('reset'), '--names',
             'old,new', '--list'], stdout=subprocess.PIPE, text=True,
            check=True).stdout.splitlines()
        self.assertEqual(len(out), 413)
        self.assertFalse([x for x in out if '  < ' in x or '  > ' in x[28:32]])
        with tempfile.TemporaryDirectory() as tmp:
            page = os.path.join(tmp, 'x.html')
            self.run_it(self.log('reset'), '--with', self.log('overflow'),
                        '-o', page)
            with open(page, encoding='utf-8') as f:
                self.assertIn('B endpoint', f.read())


if __name__ == '__main__':
    unittest.main()
