# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of `timeline` in a real browser, as a user's hands have it."""

import os
import re
import tempfile
import unittest
from xml.etree import ElementTree

import browser
import fakelog
from pri_lab.machine import record, tracelog
from pri_lab.timeline import beside, timeline

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
WHY = 'no Chromium here: apt-get install chromium'


def write(path, faults):
    qemu, guest = fakelog.run(faults)
    qemu.insert(12, '[1098000] pcie_pri_unexpected prgi 0 pasid 0x1 '
                'code 0x0')
    m = record.merge(tracelog.qemu_lines(qemu, tracelog.formats(REPO)),
                     tracelog.guest_lines(guest), {'job': 'fake'})
    chart = timeline.Chart(m, 'faults that <never> were')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(timeline.page(chart))
    return chart


@unittest.skipUnless(browser.find(), WHY)
class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.page = os.path.join(cls.dir.name, 'x.html')
        cls.chart = write(cls.page, 20)
        cls.b = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.b.close()
        cls.dir.cleanup()

    def setUp(self):
        self.b.open(self.page)

    def tearDown(self):
        self.assertEqual(self.b.errors, [])
        self.assertEqual([x for x in self.b.requests
                          if not x.startswith(('file:', 'about:', 'data:'))],
                         [])

    def text(self, name):
        return self.b.js(f'document.getElementById("{name}").textContent')

    def colours(self):
        """Number of different pixels of the chart."""
        self.b.frame()
        return self.b.js(
            '(() => { const c = document.getElementById("chart"); '
            'const d = new Uint32Array(c.getContext("2d").getImageData('
            '0, 0, c.width, c.height).data.buffer); '
            'return new Set(d).size; })()')

    def filter(self, text):
        self.b.js('document.getElementById("search").focus()')
        self.b.call('Input.insertText', text=text)
        self.b.wait('document.getElementById("status").textContent'
                    f'.includes(" of {len(self.chart.events)} ")')
        self.b.key('Escape')

    def test_it_draws(self):
        self.assertEqual(self.text('title'), 'faults that <never> were')
        self.assertEqual(self.text('status'),
                         f'{len(self.chart.events)} events')
        self.assertEqual(self.text('bad'), '1 violation')
        self.assertGreater(self.colours(), 30)

    def test_keys_walk_from_event_to_event(self):
        for key in ('ArrowDown', 'j', 'ArrowDown', 'k'):
            self.b.key(key)
        self.assertEqual(self.b.js('selected'), 1)
        self.assertIn('group PASID 1 PRGI 0', self.text('side'))
        self.assertIn('group PASID 1 PRGI 0', self.text('live'))
        self.b.key('ArrowRight')
        self.assertIn('Page Request PASID 1 PRGI 0', self.text('live'))
        self.b.key('Escape')
        self.assertEqual(self.b.js('selected'), -1)

    def test_n_finds_the_violation(self):
        self.b.key('n')
        self.assertIn('unexpected response', self.text('side'))
        self.assertIn('violation', self.text('side'))
        self.b.key('n')
        self.assertIn('no more', self.text('live'))

    def test_filter(self):
        self.filter('prgi:5')
        shown = self.b.js('Array.from(vis)')
        want = [n for n, _ in timeline.choose(self.chart, {'prgi': ['5']})]
        self.assertEqual(shown, want)
        self.assertIn('q=prgi%3A5', self.b.js('location.hash'))
        self.b.key('Escape')
        self.assertEqual(self.b.js('vis.length'), len(self.chart.events))

    def test_filter_of_several(self):
        self.filter('kind:page-request,prg-response -pasid:1')
        self.b.js('document.getElementById("whole").click()')
        want = [n for n, e in enumerate(self.chart.events)
                if e['kind'] in ('page-request', 'prg-response')
                and e.get('pasid') != 1]
        self.assertEqual(self.b.js('Array.from(vis)'), want)

    def test_kinds(self):
        self.b.js('document.querySelector('
                  '"#kind-list input[value=mm-fault]").click()')
        self.assertEqual(self.b.js('vis.length'), len(self.chart.events) - 20)

    def test_select_by_pasid(self):
        self.b.js('(() => { const s = document.getElementById("f-pasid"); '
                  's.value = "2"; s.onchange(); })()')
        self.assertGreater(self.b.js('vis.length'), 0)
        self.assertTrue(self.b.js(
            'Array.from(vis).every(i => (fields(i).pasid ?? 2) === 2)'))

    def test_hover_and_click(self):
        n = next(i for i, e in enumerate(self.chart.events)
                 if e['kind'] == 'page-request')
        x, y = self.b.js(
            '(() => { const r = document.getElementById("chart")'
            '.getBoundingClientRect(); '
            f'return [r.x + 400, r.y + HEAD + yOf({n}) - scroll]; }})()')
        self.b.mouse('mouseMoved', x, y)
        self.b.frame()
        self.assertFalse(self.b.js('document.getElementById("tip").hidden'))
        self.assertIn('ats_link_page_request', self.text('tip'))
        self.b.click(x, y)
        self.assertEqual(self.b.js('selected'), n)
        self.assertIn('exchange,', self.text('side'))

    def test_wheel_scrolls_and_zooms(self):
        self.b.mouse('mouseWheel', 400, 400, deltaX=0, deltaY=300)
        self.b.wait('scroll === 300')
        before = self.b.js('rowHeight')
        self.b.mouse('mouseWheel', 400, 400, deltaX=0, deltaY=300,
                     modifiers=2)
        self.b.wait(f'rowHeight < {before}')

    def test_zoom_keeps_what_is_selected_in_sight(self):
        self.b.js('select(60)')
        for key in '+++---0':
            self.b.key(key)
            self.b.frame()
        self.assertTrue(self.b.js('yOf(vis.length - 1) - scroll < view()'))
        self.b.key('t')
        self.assertEqual(self.b.js('mode'), 'time')
        self.assertTrue(self.b.js(
            'yOf(60) >= scroll && yOf(60) <= scroll + view()'))
        self.assertGreater(self.colours(), 20)

    def test_time_is_true(self):
        self.b.key('t')
        self.assertTrue(self.b.js(
            'Math.abs((yOf(40) - yOf(10)) / (D.events[40][0] - '
            'D.events[10][0]) - perNs) < 1e-9'))

    def test_dark_and_light(self):
        seen = set()
        for _ in range(2):
            self.b.key('d')
            self.b.frame()
            seen.add(self.b.js('getComputedStyle(document.body)'
                               '.backgroundColor'))
            self.assertGreater(self.colours(), 30)
        self.assertEqual(len(seen), 2)

    def test_the_address_brings_the_view_back(self):
        n = [n for n, _ in timeline.choose(self.chart, {'prgi': ['5']})][3]
        self.b.open(self.page, f'#q=prgi:5&at={n}&mode=time')
        self.assertEqual((self.b.js('mode'), self.b.js('selected')),
                         ('time', n))
        self.assertIn(' of ', self.text('status'))

    def test_help(self):
        self.b.key('?')
        self.assertTrue(self.b.js('document.getElementById("keys").open'))
        self.b.key('Escape')

    def test_ruler(self):
        """From one event to any other one, and the address keeps it."""
        self.b.js('select(10)')
        self.b.key('m')
        self.b.js('select(40)')
        want = self.chart.events[40]['t'] - self.chart.events[10]['t']
        self.assertEqual(self.b.js('rulerTime(40)'), want)
        self.assertIn(f'ruler: +{self.b.js(f"span({want})")}',
                      self.text('side'))
        self.assertIn('from=10', self.b.js('location.hash'))
        self.b.js('select(10)')
        self.b.key('m')
        self.assertEqual(self.b.js('anchor'), -1)

    def test_fold(self):
        before = self.b.js('vis.length')
        self.b.js('document.getElementById("f-pasid").value = "1"')
        self.filter('kind:page-request')
        self.b.js('document.getElementById("whole").click()')
        self.b.key('f')
        self.assertEqual(self.b.js('vis.length'), 1)
        first, last = self.b.js('[vis[0], folds.get(vis[0]).last]')
        n = self.b.js('folds.get(vis[0]).count')
        self.assertEqual(n, sum(e['kind'] == 'page-request' and
                                e['pasid'] == 1 for e in self.chart.events))
        self.assertEqual(self.b.js(f'[row[{first}], row[{last}]]'), [0, 0])
        self.assertGreater(self.colours(), 10)
        self.b.key('f')
        self.b.key('Escape')
        self.assertEqual(self.b.js('vis.length'), before)

    def test_lanes_of_tasks_and_cpus(self):
        self.b.key('l')
        self.assertEqual(self.b.js('lanesBy'), 'tasks')
        self.assertIn('kworker/u8:1-77', self.b.js('L.names'))
        self.assertGreater(self.colours(), 20)
        self.b.key('l')
        self.assertIn('CPU 1', self.b.js('L.names'))
        for n, e in enumerate(self.chart.events):
            if e['src'] == 'guest':
                self.assertEqual(self.b.js(f'laneName({n})'),
                                 f'CPU {e["cpu"]}')
                break
        self.b.open(self.page, '#lanes=cpus')
        self.assertEqual(self.b.js('lanesBy'), 'cpus')

    def test_a_picture_for_a_mail(self):
        """SVG that an XML parser takes, and a PNG, in light colours."""
        self.b.key('d')
        text = self.b.js('svgPicture()')
        root = ElementTree.fromstring(text)
        said = [t.text for t in root.iter(
            '{http://www.w3.org/2000/svg}text')]
        self.assertTrue(any('PRG Response PASID 1' in x for x in said))
        self.assertIn('endpoint', said)
        data = self.b.js('pngPicture().toDataURL()')
        self.assertTrue(data.startswith('data:image/png;base64,iVBOR'))
        light = self.b.js('C.back')
        self.b.key('d')
        self.assertNotEqual(light, self.b.js('C.back'))

    def test_a_phone(self):
        """390 px: nothing is cut, every button is within reach."""
        with browser.Browser(390, 844) as b:
            b.open(self.page)
            self.assertEqual(b.js('document.documentElement.scrollWidth'),
                             390)
            b.js('$("kinds").open = true')
            self.assertEqual(b.js(
                'Array.from(document.querySelectorAll("header button, '
                '#filter button, #filter select, #kind-list")).filter(e => { const r = '
                'e.getBoundingClientRect(); return r.right > 390 || r.left '
                '< 0 || !r.width; }).map(e => e.id)'), [])
            # the time column is in the picture
            self.assertGreater(b.js(
                '(() => { const g = $("chart").getContext("2d"); g.font = '
                '`11px ${MONO}`; return timeX() - g.measureText(stamp('
                'D.events[N - 1][TIME])).width; })()'), 0)
            self.assertGreater(b.js('view()'), 400)
            self.assertEqual(b.errors, [])

    def test_print(self):
        pdf = self.b.pdf()
        pages = len(re.findall(rb'/Type\s*/Page\b', pdf))
        rows = self.b.js('PAGE_ROWS')
        self.assertEqual(pages, -(-len(self.chart.events) // rows))
        self.assertEqual(self.b.js('mode'), 'order')


@unittest.skipUnless(browser.find(), WHY)
class Beside(unittest.TestCase):
    def test_two_recordings(self):
        with tempfile.TemporaryDirectory() as tmp:
            page = os.path.join(tmp, 'x.html')
            one, two = (timeline.Chart(fakelog.merged(REPO, n), 'x')
                        for n in (3, 4))
            both = beside.Beside(one, two, ('old', 'new'), 'both')
            with open(page, 'w', encoding='utf-8') as f:
                f.write(timeline.page(both))
            with browser.Browser() as b:
                b.open(page)
                self.assertEqual(b.js('vis.length'), len(both.events))
                self.assertEqual(b.js('L.names').count('new IOMMU'), 1)
                a, c = both.twins[0]
                b.js(f'select({a})')
                self.assertIn('in the other recording', b.js(
                    'document.getElementById("side").textContent'))
                self.assertEqual(b.js(f'row[{c}] - row[{a}]'), 1)
                b.js('$("search").value = "only:new"; $("whole").checked '
                     '= false; applyFilter()')
                self.assertEqual(b.js('vis.length'), both.ops.count('>'))
                b.js('$("search").value = ""; applyFilter(); '
                     'setMode("time")')
                self.assertTrue(b.js(
                    'vis.every((i, r) => !r || D.events[vis[r - 1]][TIME] '
                    '<= D.events[i][TIME])'))
                b.frame()
                self.assertEqual(b.errors, [])


@unittest.skipUnless(browser.find(), WHY)
class Large(unittest.TestCase):
    def test_fifty_thousand_events(self):
        with tempfile.TemporaryDirectory() as tmp:
            page = os.path.join(tmp, 'x.html')
            chart = write(page, 4000)
            self.assertGreater(len(chart.events), 50_000)
            with browser.Browser() as b:
                b.open(page)
                b.key('End')
                b.frame()
                self.assertGreater(b.js('scroll'), 1_000_000)
                b.key('ArrowDown')
                self.assertGreater(b.js('selected'), 51_000)
                b.key('0')
                b.frame()
                self.assertTrue(b.js('height() <= view() + 1'))
                self.assertEqual(b.errors, [])


if __name__ == '__main__':
    unittest.main()
