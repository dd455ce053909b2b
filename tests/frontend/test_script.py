# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of the page's script that need no page, in Node."""

import json
import os
import shutil
import subprocess
import unittest
from xml.etree import ElementTree

from pri_lab.timeline import timeline

WHY = 'no Node here: apt-get install nodejs'


def part(name):
    with open(os.path.join(timeline.PAGE, name + '.js'),
              encoding='utf-8') as f:
        return f.read()


def node(*sources):
    """The value that the last one prints as JSON."""
    p = subprocess.run(['node', '-'], input='\n'.join(sources), text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       check=False)
    if p.returncode:
        raise AssertionError(p.stderr)
    return json.loads(p.stdout)


class Files(unittest.TestCase):
    def test_every_file_is_in_the_page(self):
        have = {x[:-3] for x in os.listdir(timeline.PAGE)
                if x.endswith('.js')}
        self.assertEqual(have, set(timeline.SCRIPTS))
        for name in have:
            self.assertLess(part(name).count('\n'), 600)


@unittest.skipUnless(shutil.which('node'), WHY)
class Fold(unittest.TestCase):
    def runs(self, text):
        body = part('fold').split('/* Their own words')[0]
        return [(r['at'], r['period'], r['count']) for r in node(
            body, f'console.log(JSON.stringify(foldRuns([...{json.dumps(text)}]'
            ', x => x)))')]

    def test_runs(self):
        for text, want in (
                ('', []), ('abc', []), ('aab', []),
                ('aaa', [(0, 1, 3)]),
                ('xaaaay', [(1, 1, 4)]),
                ('abababc', [(0, 2, 3)]),
                ('abcabcabcx', [(0, 3, 3)]),
                ('xabcdabcdabcdabcd', [(1, 4, 4)]),
                ('abcdeabcdeabcde', []),            # too long to be seen
                ('aaabbb', [(0, 1, 3), (3, 1, 3)])):
            self.assertEqual(self.runs(text), want, text)


@unittest.skipUnless(shutil.which('node'), WHY)
class Lanes(unittest.TestCase):
    # process and qi of a task, the IOMMU's answer; columns as data() has them
    DATA = {
        'lanes': ['process', 'QI submitter', 'IOMMU', 'link', 'endpoint'],
        'parts': ['process', 'qi', 'iommu', 'link', 'endpoint'],
        'sides': [0] * 5, 'prefix': [''], 'links': [3], 'ends': [2, 4],
        'events': [[0, 0, -1], [1, 1, -1], [2, 2, 4], [3, 1, -1],
                   [4, 4, 0], [5, 0, -1]],
        'spans': [[1, 1, 3], [2, 2, 4], [1, 0, 1]],
    }
    TASKS = [{'task': 'a-1', 'cpu': 1}, {'task': 'b-2', 'cpu': 0}, {},
             {'task': 'b-2', 'cpu': 1}, {}, {'task': 'a-1', 'cpu': 1}]

    def arranged(self, by):
        body = part('lanes').split('let lanesBy')[0]
        return node(body, f'const d = {json.dumps(self.DATA)}, '
                    f't = {json.dumps(self.TASKS)};',
                    f'const l = arrangement(d, "{by}", i => t[i]);',
                    'console.log(JSON.stringify({names: l.names, lane: '
                    '[...l.lane], to: [...l.to], links: l.links, ends: '
                    'l.ends, spans: atWork(d, l)}))')

    def test_parts(self):
        l = self.arranged('parts')
        self.assertEqual(l['names'], self.DATA['lanes'])
        self.assertEqual(l['lane'], [0, 1, 2, 1, 4, 0])
        self.assertEqual(l['to'], [-1, -1, 4, -1, 0, -1])
        self.assertEqual(l['spans'], [[1, 0, 3], [2, 2, 4]])

    def test_tasks(self):
        l = self.arranged('tasks')
        self.assertEqual(l['names'], ['a-1', 'b-2', 'process', 'IOMMU',
                                      'link', 'endpoint'])
        self.assertEqual(l['lane'], [0, 1, 3, 1, 5, 0])
        self.assertEqual(l['to'][4], 2)         # to whom is not known
        self.assertIn([1, 1, 3], l['spans'])    # on the lane of its task

    def test_cpus(self):
        l = self.arranged('cpus')
        self.assertEqual(l['names'][:2], ['CPU 0', 'CPU 1'])
        self.assertEqual([l['names'][n] for n in l['lane']],
                         ['CPU 1', 'CPU 0', 'IOMMU', 'CPU 1', 'endpoint',
                          'CPU 1'])


@unittest.skipUnless(shutil.which('node'), WHY)
class Svg(unittest.TestCase):
    def test_what_a_canvas_has(self):
        text = node(part('svg'), '''
const g = new SvgCanvas(200, 100, t => 6 * t.length);
g.fillRect(0, 0, 200, 100); g.save(); g.translate(10, 20); g.beginPath();
g.moveTo(1, 2); g.lineTo(3, 4); g.setLineDash([2, 4]); g.stroke();
g.arc(5, 5, 2, 0, 7); g.fill(); g.roundRect(1, 1, 20, 10, 3); g.restore();
g.textAlign = 'right'; g.globalAlpha = 0.5; g.fillText('<&>"\\u0001', 9, 8, 4);
console.log(JSON.stringify(g.toString()));''')
        root = ElementTree.fromstring(text)
        kinds = [x.tag.split('}')[1] for x in root]
        self.assertEqual(kinds, ['rect', 'path', 'path', 'text'])
        self.assertEqual(root[1].get('d'), 'M11 22L13 24')
        self.assertEqual(root[1].get('stroke-dasharray'), '2 4')
        self.assertEqual((root[3].get('text-anchor'), root[3].text,
                          root[3].get('textLength'), root[3].get('opacity')),
                         ('end', '<&>"\ufffd', '4', '0.5'))


if __name__ == '__main__':
    unittest.main()
