/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are, and their colours */
const ROW = 26, HEAD = 40, PAD = 14;
let mode = 'order', rowHeight = ROW, perNs = 1e-4, scroll = 0;
let selected = -1, hovered = -1;
const GUTTER = 176, NARROW = 76;        // with times and steps; with times alone
let W = 0, H = 0, gutter = GUTTER;

const first = () => vis.length ? D.events[vis[0]][TIME] : 0;
const yOfRow = r => mode === 'order' ? PAD + (r + 0.5) * rowHeight :
  PAD + (D.events[vis[r]][TIME] - first()) * perNs;
const yOf = i => yOfRow(row[i]);
const height = () => vis.length ? yOfRow(vis.length - 1) + PAD +
  (mode === 'order' ? rowHeight / 2 : 12) : 0;
const view = () => H - HEAD;
function clampScroll() {
  scroll = Math.max(0, Math.min(scroll, height() - view()));
}
const lanePitch = width => (width - gutter - 20) / L.names.length;
const wideGutter = () => gutter > NARROW;
const timeX = () => wideGutter() ? gutter - 84 : gutter - 6;
const laneX = (lane, width) => gutter + lanePitch(width) * (lane + 0.5);

/* The first row at or below y, y from the top of the whole chart */
function rowAt(y) {
  if (mode === 'order') { return Math.max(0, Math.floor((y - PAD) / rowHeight)); }
  let a = 0, b = vis.length;
  while (a < b) {
    const m = (a + b) >> 1;
    if (yOfRow(m) < y) { a = m + 1; } else { b = m; }
  }
  return a;
}



let C = {};
function colours() {
  const s = getComputedStyle(document.documentElement), out = {};
  for (const name of ['back', 'panel', 'line', 'text', 'dim', 'faint', 'accent',
    'pick', 'bad', 'bad-back', 'warn', 'warn-back', 'request', 'response',
    'invalidate', 'complete', 'dma', 'translate']) {
    out[name] = s.getPropertyValue('--' + name).trim();
  }
  out.lanes = L.tint.map(n => s.getPropertyValue('--lane-' + D.parts[n]).trim());
  C = out;
}
const FAMILY = [
  [/page-request|stop-marker|^prq|^group|dma-fault|fault$|mm-fault/, 'request'],
  [/response/, 'response'],
  [/completion|devtlb-done|wait-done/, 'complete'],
  [/inv|flush|qi-|devtlb|wait/, 'invalidate'],
  [/dma|test|memory|task|interrupt/, 'dma'],
  [/translation|atc|knob/, 'translate'],
];
const familyOf = new Map();
function colour(i) {
  const e = D.events[i];
  if (e[LEVEL] === 2) { return C.bad; }
  if (e[LEVEL] === 1) { return C.warn; }
  if (!familyOf.has(e[KIND])) {
    const hit = FAMILY.find(([re]) => re.test(str(e[KIND])));
    familyOf.set(e[KIND], hit ? hit[1] : '');
  }
  const family = familyOf.get(e[KIND]);
  return family ? C[family] : C.lanes[laneOf(i)];
}
