/* SPDX-License-Identifier: GPL-2.0-or-later */
'use strict';
/*
 * The message sequence chart.  pri_lab/timeline/timeline.py says what an event's row is;
 * everything here goes by the place of an event in D.events.
 */
const D = JSON.parse(document.getElementById('data').textContent);
const [TIME, LANE, TO, LEVEL, EXCHANGE, KIND, EVENT, SOURCE, LABEL, TEXT, FIELDS]
  = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const N = D.events.length;
const $ = id => document.getElementById(id);
const str = n => D.strings[n];
const kindOf = i => str(D.events[i][KIND]);
const label = i => str(D.events[i][LABEL]);
const NUMERIC = new Set(D.numbers);

function fields(i) {
  const e = D.events[i], out = {};
  for (let k = FIELDS; k < e.length; k += 2) {
    const name = D.fields[e[k]];
    out[name] = NUMERIC.has(name) ? e[k + 1] : str(e[k + 1]);
  }
  return out;
}

/* -- What belongs together ------------------------------------------------- */

const exchangeOf = new Map();           // exchange -> its events
const effects = new Map(), causes = new Map();
D.events.forEach((e, i) => {
  if (e[EXCHANGE] >= 0) {
    if (!exchangeOf.has(e[EXCHANGE])) { exchangeOf.set(e[EXCHANGE], []); }
    exchangeOf.get(e[EXCHANGE]).push(i);
  }
});
for (const [a, b] of D.pairs) { effects.set(a, b); causes.set(b, a); }
const members = i => exchangeOf.get(D.events[i][EXCHANGE]) || [];

/* -- Time ------------------------------------------------------------------ */

function span(ns) {
  const a = Math.abs(ns);
  if (a < 1e3) { return ns + ' ns'; }
  if (a < 1e6) { return (ns / 1e3).toFixed(a < 1e5 ? 2 : 1) + ' µs'; }
  if (a < 1e9) { return (ns / 1e6).toFixed(a < 1e8 ? 2 : 1) + ' ms'; }
  return (ns / 1e9).toFixed(2) + ' s';
}
const stamp = ns => (ns / 1e3).toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');

/* -- Filter ---------------------------------------------------------------- */

const ALIAS = { ch: 'channel', address: 'addr', cause: 'event' };
const hidden = new Set();               // kinds that are off
let vis = new Int32Array(0);            // events shown, in order
const row = new Int32Array(N).fill(-1); // event -> row, or -1

/* 'pasid:1,2 -kind:atc words' as a list of tests; all must hold */
function parse(text) {
  return text.trim().split(/\s+/).filter(x => x).map(word => {
    const m = /^(-?)(?:([a-z]+):)?(.+)$/.exec(word) || [0, '', '', word];
    const key = ALIAS[m[2]] || m[2];
    return { not: m[1] === '-', key, values: m[3].toLowerCase().split(',') };
  });
}

function holds(t, i, f) {
  let have;
  if (!t.key) {
    const all = (label(i) + ' ' + str(D.events[i][TEXT]) + ' ' +
                 str(D.events[i][EVENT]) + ' ' + kindOf(i)).toLowerCase();
    return t.values.some(v => all.includes(v)) !== t.not;
  }
  if (t.key === 'kind') { have = kindOf(i); }
  else if (t.key === 'lane') { have = D.lanes[D.events[i][LANE]]; }
  else if (t.key === 'event') { have = str(D.events[i][EVENT]); }
  else if (t.key === 'src') { have = str(D.events[i][SOURCE]); }
  else if (t.key === 'level') { have = D.events[i][LEVEL]; }
  else if (t.key === 'x') { have = D.events[i][EXCHANGE]; }
  else { have = f[t.key]; }
  if (have === undefined) { return t.not; }
  const words = String(have).toLowerCase();
  const hit = t.key === 'lane' ? t.values.some(v => words.includes(v)) :
    words.split(/[^\w-]+/).some(w => t.values.includes(w));
  return hit !== t.not;
}

function applyFilter(keep) {
  const tests = parse($('search').value);
  for (const key of ['pasid', 'prgi', 'itag']) {
    const v = $('f-' + key).value;
    if (v) { tests.push({ not: false, key, values: [v] }); }
  }
  const hits = new Uint8Array(N), whole = new Set();
  const widen = $('whole').checked && tests.some(t => !t.not);
  for (let i = 0; i < N; i++) {
    const f = tests.length ? fields(i) : null;
    hits[i] = tests.every(t => holds(t, i, f)) ? 1 : 0;
    if (hits[i] && widen && D.events[i][EXCHANGE] >= 0) {
      whole.add(D.events[i][EXCHANGE]);
    }
  }
  const out = [];
  row.fill(-1);
  for (let i = 0; i < N; i++) {
    const on = hits[i] || whole.has(D.events[i][EXCHANGE]);
    if (on && !hidden.has(kindOf(i))) { row[i] = out.length; out.push(i); }
  }
  vis = Int32Array.from(out);
  $('status').textContent = vis.length === N ?
    `${N.toLocaleString('en')} events` :
    `${vis.length.toLocaleString('en')} of ${N.toLocaleString('en')} events`;
  if (selected >= 0 && row[selected] < 0) { select(-1); }
  saveHash();
  mapDirty = true;
  if (keep !== false && selected >= 0) { reveal(selected); }
  clampScroll();
  draw();
}

/* -- Where things are ------------------------------------------------------ */

const ROW = 26, HEAD = 40, PAD = 14;
let mode = 'order', rowHeight = ROW, perNs = 1e-4, scroll = 0;
let selected = -1, hovered = -1;
const GUTTER = 176;
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
const lanePitch = width => (width - gutter - 20) / D.lanes.length;
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

/* -- Colours --------------------------------------------------------------- */

let C = {};
function colours() {
  const s = getComputedStyle(document.documentElement), out = {};
  for (const name of ['back', 'panel', 'line', 'text', 'dim', 'faint', 'accent',
    'pick', 'bad', 'bad-back', 'warn', 'warn-back', 'request', 'response',
    'invalidate', 'complete', 'dma', 'translate']) {
    out[name] = s.getPropertyValue('--' + name).trim();
  }
  out.lanes = D.lanes.map((_, n) => s.getPropertyValue('--lane-' + n).trim());
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
  return family ? C[family] : C.lanes[e[LANE]];
}

/* -- Drawing --------------------------------------------------------------- */

const FONT = '"DejaVu Sans", system-ui, sans-serif';
const MONO = 'ui-monospace, "DejaVu Sans Mono", monospace';

function arrowHead(g, x, y, angle, size) {
  g.beginPath();
  g.moveTo(x, y);
  g.lineTo(x - size * Math.cos(angle - 0.42), y - size * Math.sin(angle - 0.42));
  g.lineTo(x - size * Math.cos(angle + 0.42), y - size * Math.sin(angle + 0.42));
  g.closePath();
  g.fill();
}

/* Text that stays readable over lines */
function words(g, text, x, y, max, colour_) {
  let t = text;
  if (g.measureText(t).width > max) {
    while (t.length > 3 && g.measureText(t + '…').width > max) {
      t = t.slice(0, Math.max(3, Math.floor(t.length * 0.9)));
    }
    t += '…';
  }
  g.strokeStyle = C.back;
  g.lineWidth = 4;
  g.lineJoin = 'round';
  g.strokeText(t, x, y);
  g.fillStyle = colour_;
  g.fillText(t, x, y);
}

function drawHead(g, width) {
  g.fillStyle = C.back;
  g.fillRect(0, 0, width, HEAD);
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  D.lanes.forEach((name, n) => {
    const x = laneX(n, width), w = Math.min(lanePitch(width) - 8, 112);
    g.beginPath();
    g.roundRect(x - w / 2, 8, w, 24, 6);
    g.fillStyle = C.panel;
    g.fill();
    g.strokeStyle = C.lanes[n];
    g.lineWidth = 1.5;
    g.stroke();
    g.fillStyle = C.lanes[n];
    g.font = `600 ${w < 84 ? 10 : 12}px ${FONT}`;
    g.fillText(name, x, 20.5, w - 6);
  });
  g.font = `11px ${FONT}`;
  g.fillStyle = C.dim;
  g.textAlign = 'right';
  g.fillText('µs', gutter - 84, 21);
  if (mode === 'order') { g.fillText('step', gutter - 8, 21); }
  g.strokeStyle = C.line;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(0, HEAD - 0.5);
  g.lineTo(width, HEAD - 0.5);
  g.stroke();
}

/* Rows r0 to r1 with the top of the chart at y = -top */
function drawBody(g, width, high, top, r0, r1, plain) {
  const X = n => laneX(n, width), big = mode === 'time' ? false : rowHeight >= 15;
  const friends = new Set(!plain && selected >= 0 ? members(selected) : []);
  const pale = friends.size > 1;
  const dense = mode === 'order' ? rowHeight < 3 : (r1 - r0) > 3 * high;
  const later = [];                     // labels, above all lines

  // lifelines
  g.lineWidth = 1;
  D.lanes.forEach((_, n) => {
    g.strokeStyle = C.line;
    g.setLineDash(n === D.link ? [2, 4] : []);
    g.beginPath();
    g.moveTo(Math.round(X(n)) + 0.5, 0);
    g.lineTo(Math.round(X(n)) + 0.5, high);
    g.stroke();
  });
  g.setLineDash([]);

  // at work
  const worked = new Float64Array(D.lanes.length).fill(-1e9);
  for (const [lane, a, b] of D.spans) {
    if (row[a] < 0 || row[b] < 0 || row[b] < r0 || row[a] > r1) { continue; }
    const y0 = yOf(a) - top, y1 = yOf(b) - top;
    if (dense && y1 - worked[lane] < 1) { continue; }
    worked[lane] = y1;
    g.globalAlpha = 0.22;
    g.fillStyle = C.lanes[lane];
    g.fillRect(X(lane) - 4, y0, 8, Math.max(1, y1 - y0));
    g.globalAlpha = 1;
  }

  // selection
  if (!plain && mode === 'order') {
    for (const [i, c] of [[hovered, C.faint], [selected, C.pick]]) {
      if (i >= 0 && row[i] >= 0 && rowHeight > 3) {
        g.fillStyle = c;
        g.fillRect(0, yOf(i) - top - rowHeight / 2, width, rowHeight);
      }
    }
  }

  // cause and effect between kernel and IOMMU
  for (const [a, b] of dense ? [] : D.pairs) {
    const ra = row[a], rb = row[b];
    if (ra < 0 || rb < 0 || Math.max(ra, rb) < r0 || Math.min(ra, rb) > r1) {
      continue;
    }
    const x0 = X(D.events[a][LANE]), x1 = X(D.events[b][LANE]);
    if (x0 === x1) { continue; }
    const y0 = yOf(a) - top, y1 = yOf(b) - top;
    g.globalAlpha = pale && !(friends.has(a) && friends.has(b)) ? 0.15 :
      rowHeight < 4 ? 0.35 : 0.8;
    g.strokeStyle = g.fillStyle = colour(a);
    g.lineWidth = 1.1;
    g.setLineDash([5, 3]);
    g.beginPath();
    g.moveTo(x0, y0);
    g.lineTo(x1, y1);
    g.stroke();
    g.setLineDash([]);
    if (big || mode === 'time') { arrowHead(g, x1, y1, Math.atan2(y1 - y0, x1 - x0), 8); }
  }
  g.globalAlpha = 1;

  // events
  let lastGutter = -1e9, lastDrawn = new Float64Array(D.lanes.length * 2).fill(-1e9);
  for (let r = r0; r <= r1; r++) {
    const i = vis[r], e = D.events[i], y = yOfRow(r) - top;
    const step = r > 0 ? e[TIME] - D.events[vis[r - 1]][TIME] : 0;
    const slot = e[LANE] + (e[TO] >= 0 ? D.lanes.length : 0);
    if (!big && !e[LEVEL] && i !== selected && y - lastDrawn[slot] < 0.7) { continue; }
    lastDrawn[slot] = y;
    const lineY = e[TO] >= 0 && big ? y + rowHeight * 0.26 : y;
    const c = colour(i);
    const alpha = pale && !friends.has(i) ? (e[LEVEL] ? 0.75 : 0.28) : 1;
    g.globalAlpha = alpha;

    if (big && step > 1e6) {            // a pause, told in the gutter
      g.strokeStyle = C.line;
      g.setLineDash([1, 4]);
      g.beginPath();
      g.moveTo(gutter - 4, y - rowHeight / 2);
      g.lineTo(width, y - rowHeight / 2);
      g.stroke();
      g.setLineDash([]);
    }
    if (big && /^(test|reset)$/.test(kindOf(i))) {
      g.fillStyle = C.faint;
      g.fillRect(gutter, y - rowHeight / 2 + 2, width - gutter, rowHeight - 4);
    }
    if (big && e[LEVEL]) {
      g.fillStyle = e[LEVEL] === 2 ? C['bad-back'] : C['warn-back'];
      g.fillRect(gutter, y - rowHeight / 2 + 1, width - gutter, rowHeight - 2);
    }

    if (y - lastGutter >= 15) {
      lastGutter = y;
      g.font = `11px ${MONO}`;
      g.textBaseline = 'middle';
      g.textAlign = 'right';
      g.fillStyle = e[LEVEL] === 2 ? C.bad : C.dim;
      g.fillText(stamp(e[TIME]), gutter - 84, y);
      if (r > 0 && mode === 'order' && !dense) {
        g.fillStyle = step > 1e6 ? C.accent : C.dim;
        g.fillText('+' + span(step), gutter - 8, y);
      }
    }

    const x = X(e[LANE]);
    g.strokeStyle = g.fillStyle = c;
    if (e[TO] >= 0) {
      const x1 = X(e[TO]), across = X(D.link);
      if (dense) { g.globalAlpha = alpha * 0.3; }
      g.lineWidth = i === selected ? 2.6 : big ? 1.6 : 1;
      g.beginPath();
      g.moveTo(x, lineY);
      g.lineTo(x1 - Math.sign(x1 - x) * 5, lineY);
      g.stroke();
      if (big || rowHeight > 6 || mode === 'time') {
        arrowHead(g, x1, lineY, x1 > x ? 0 : Math.PI, 8);
      }
      if (big && D.ends.includes(e[LANE]) && D.ends.includes(e[TO])) {
        g.beginPath();                  // every one of these is on the link
        g.arc(across, lineY, 2.6, 0, 7);
        g.fill();
      }
    } else if (big || mode === 'time') {
      g.beginPath();
      if (e[LEVEL] === 2) {             // not by colour alone
        g.lineWidth = 2.5;
        g.moveTo(x - 5, y - 5); g.lineTo(x + 5, y + 5);
        g.moveTo(x + 5, y - 5); g.lineTo(x - 5, y + 5);
        g.stroke();
      } else if (e[LEVEL] === 1) {
        g.moveTo(x, y - 6); g.lineTo(x + 6, y + 5); g.lineTo(x - 6, y + 5);
        g.closePath();
        g.fill();
      } else {
        g.arc(x, y, i === selected ? 5 : 3.6, 0, 7);
        g.fill();
      }
    } else {
      g.fillRect(x - 3, y - 0.5, 6, Math.max(1, Math.min(rowHeight, 4)));
      if (e[LEVEL]) {
        g.fillRect(gutter, y - 1, width - gutter, e[LEVEL] === 2 ? 2 : 1);
      }
    }

    if (big || mode === 'time') { later.push([i, x, y, lineY, alpha]); }
  }
  drawLabels(g, later, width, big);
  g.globalAlpha = 1;
}

/* All of them, or true to time those for which there is room */
function drawLabels(g, labels, width, big) {
  const taken = [];
  if (!big) {                           // the important first
    const worth = i => i === selected ? 3 : D.events[i][LEVEL];
    labels.sort((p, q) => worth(q[0]) - worth(p[0]) || p[0] - q[0]);
    labels.length = Math.min(labels.length, 2000);
  }
  for (const [i, x, y, lineY, alpha] of labels) {
    const e = D.events[i];
    g.font = `${e[LEVEL] === 2 ? '600 ' : ''}11.5px ${FONT}`;
    if (!big) {
      if (taken.some(t => Math.abs(t - y) < 14)) { continue; }
      taken.push(y);
    }
    g.globalAlpha = alpha;
    drawLabel(g, i, x, y, lineY, width, e[LEVEL] ? colour(i) : C.text);
  }
}

function drawLabel(g, i, x, y, lineY, width, c) {
  const e = D.events[i], text = label(i);
  const wide = Math.min(g.measureText(text).width, width);
  if (e[TO] >= 0) {
    const x1 = laneX(e[TO], width);
    const middle = (x + x1) / 2;
    const at = Math.max(gutter + wide / 2, Math.min(middle, width - wide / 2 - 8));
    g.textAlign = 'center';
    const on = mode === 'order' && rowHeight < 20;      // no room above
    g.textBaseline = on ? 'middle' : 'alphabetic';
    words(g, text, at, on ? y : lineY - 4, width - gutter - 10, c);
    return;
  }
  g.textBaseline = 'middle';
  if (x + 10 + wide < width - 6) {
    g.textAlign = 'left';
    words(g, text, x + 10, y, width, c);
  } else {
    g.textAlign = 'right';
    words(g, text, x - 10, y, x - 10 - gutter, c);
  }
}

let frame = 0, mapDirty = true;
function draw() {
  if (!frame) { frame = requestAnimationFrame(() => { frame = 0; paint(); }); }
}

function fit(canvas) {
  const scale = window.devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * scale) || canvas.height !== Math.round(h * scale)) {
    canvas.width = Math.round(w * scale);
    canvas.height = Math.round(h * scale);
    mapDirty = true;
  }
  const g = canvas.getContext('2d');
  g.setTransform(scale, 0, 0, scale, 0, 0);
  return g;
}

function paint() {
  const g = fit($('chart'));
  W = $('chart').clientWidth;
  H = $('chart').clientHeight;
  gutter = W < 700 ? 96 : GUTTER;
  clampScroll();
  g.fillStyle = C.back;
  g.fillRect(0, 0, W, H);
  if (vis.length) {
    const r0 = Math.max(0, rowAt(scroll) - 1);
    const r1 = Math.min(vis.length - 1, rowAt(scroll + view()) + 1);
    g.save();
    g.translate(0, HEAD);
    g.beginPath();
    g.rect(0, 0, W, view());
    g.clip();
    drawBody(g, W, view(), scroll, r0, r1, false);
    g.restore();
  } else {
    g.fillStyle = C.dim;
    g.font = `13px ${FONT}`;
    g.textAlign = 'center';
    g.fillText('Nothing matches. Esc clears the filter.', W / 2, H / 2);
  }
  drawHead(g, W);
  paintMap();
}

/* -- The map: all of it at once -------------------------------------------- */

let mapImage = null;
function paintMap() {
  const canvas = $('map'), g = fit(canvas);
  const w = canvas.clientWidth, h = canvas.clientHeight;
  if (mapDirty) {
    mapDirty = false;
    g.fillStyle = C.back;
    g.fillRect(0, 0, w, h);
    const total = height() || 1, drawn = new Set(), pitch = (w - 8) / D.lanes.length;
    const bad = [];
    for (let r = 0; r < vis.length; r++) {
      const e = D.events[vis[r]], y = Math.floor(yOfRow(r) / total * h);
      if (e[LEVEL]) { bad.push([y, e[LEVEL]]); }
      const key = y * 8 + e[LANE];
      if (drawn.has(key)) { continue; }
      drawn.add(key);
      g.fillStyle = C.lanes[e[LANE]];
      g.globalAlpha = 0.7;
      g.fillRect(4 + e[LANE] * pitch, y, pitch - 1, 1.5);
    }
    g.globalAlpha = 1;
    for (const want of [1, 2]) {
      g.fillStyle = want === 2 ? C.bad : C.warn;
      for (const [y, level] of bad) {
        if (level === want) { g.fillRect(0, y - 0.5, w, 2); }
      }
    }
    mapImage = document.createElement('canvas');
    mapImage.width = canvas.width;
    mapImage.height = canvas.height;
    mapImage.getContext('2d').drawImage(canvas, 0, 0);
  } else {
    g.save();
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.drawImage(mapImage, 0, 0);
    g.restore();
  }
  const total = Math.max(height(), 1);
  const y = scroll / total * h, tall = Math.max(6, Math.min(h, view() / total * h));
  g.fillStyle = C.accent;
  g.globalAlpha = 0.16;
  g.fillRect(0, y, w, tall);
  g.globalAlpha = 1;
  g.strokeStyle = C.accent;
  g.lineWidth = 1;
  g.strokeRect(0.5, y + 0.5, w - 1, tall - 1);
}

/* -- Selection ------------------------------------------------------------- */

function reveal(i) {
  const y = yOf(i);
  if (y < scroll + 40 || y > scroll + view() - 40) { scroll = y - view() / 2; }
  clampScroll();
}

function select(i, quiet) {
  selected = i;
  if (i >= 0) {
    reveal(i);
    $('live').textContent = `${stamp(D.events[i][TIME])} microseconds, ` +
      `${D.lanes[D.events[i][LANE]]}: ${label(i)}`;
  }
  side();
  if (!quiet) { saveHash(); }
  draw();
}

function step(by) {
  if (!vis.length) { return; }
  const r = selected >= 0 ? row[selected] + by : rowAt(scroll + PAD);
  select(vis[Math.max(0, Math.min(vis.length - 1, r))]);
}

function stepExchange(by) {
  const all = selected >= 0 ? members(selected).filter(i => row[i] >= 0) : [];
  const at = all.indexOf(selected) + by;
  if (all[at] !== undefined) { select(all[at]); }
}

function nextBad(by) {
  let r = selected >= 0 ? row[selected] + by : by > 0 ? 0 : vis.length - 1;
  for (; r >= 0 && r < vis.length; r += by) {
    if (D.events[vis[r]][LEVEL]) { select(vis[r]); return; }
  }
  $('live').textContent = 'no more violations or warnings';
}

const NAMES = { pasid: 'PASID', prgi: 'PRGI', itag: 'ITag', addr: 'address',
  code: 'code', channel: 'channel', flags: 'flags', rid: 'requester',
  len: 'length', task: 'task', cpu: 'CPU' };

function element(name, text, props) {
  const e = document.createElement(name);
  if (text !== undefined) { e.textContent = text; }
  Object.assign(e, props || {});
  return e;
}

function table(rows) {
  const t = element('table');
  for (const [name, value] of rows) {
    const r = t.insertRow();
    r.insertCell().textContent = name;
    r.insertCell().textContent = value;
  }
  return t;
}

function rowsOf(i) {
  const e = D.events[i], f = fields(i);
  const lanes = D.lanes[e[LANE]] + (e[TO] >= 0 ? ' \u2192 ' + D.lanes[e[TO]] : '');
  const out = [['time', stamp(e[TIME]) + ' µs'], ['lane', lanes], ['kind', kindOf(i)]];
  for (const name of D.fields) {
    if (f[name] !== undefined) { out.push([NAMES[name], f[name]]); }
  }
  out.push(['event', `${str(e[EVENT])} (${str(e[SOURCE])})`]);
  return out;
}

function link(i, from) {
  const li = element('li'), b = element('button');
  const d = D.events[i][TIME] - from;
  b.append(element('span', (d < 0 ? '\u2212' : '+') + span(Math.abs(d)), { className: 'when' }));
  const e = D.events[i];
  b.append(element('span', label(i), { className: e[LEVEL] === 2 ? 'bad' : e[LEVEL] ? 'warn' : '' }));
  b.onclick = () => { if (row[i] < 0) { clearFilter(); } select(i); $('chart').focus(); };
  if (i === selected) { li.setAttribute('aria-current', 'true'); }
  li.append(b);
  return li;
}

function list(title, events, from) {
  const ol = element('ol');
  for (const i of events.slice(0, 200)) { ol.append(link(i, from)); }
  if (events.length > 200) { ol.append(element('li', `and ${events.length - 200} more`)); }
  return [element('h3', title), ol];
}

function side() {
  const s = $('side');
  s.replaceChildren();
  if (selected < 0) { overview(s); return; }
  const i = selected, e = D.events[i];
  const chip = e[LEVEL] === 2 ? ['violation', 'chip bad'] :
    e[LEVEL] === 1 ? ['warning', 'chip warn'] : null;
  s.append(element('h2', label(i)));
  if (chip) { s.append(element('span', chip[0], { className: chip[1] })); }
  s.append(table(rowsOf(i)));
  s.append(element('h3', 'as it was traced'), element('code', str(e[TEXT]) || '-'));
  if (causes.has(i)) { s.append(...list('caused by', [causes.get(i)], e[TIME])); }
  if (effects.has(i)) { s.append(...list('leads to', [effects.get(i)], e[TIME])); }
  const all = members(i);
  if (all.length > 1) {
    const total = D.events[all[all.length - 1]][TIME] - D.events[all[0]][TIME];
    s.append(...list(`exchange, ${span(total)}`, all, D.events[all[0]][TIME]));
  }
}

function overview(s) {
  s.append(element('h2', 'Nothing selected'));
  s.append(element('p', 'Click an event, or go there with the arrow keys. ' +
    'The exchange it is part of stays bright. ? shows all keys.'));
  s.append(element('h3', 'this run'));
  const about = Object.entries(D.head).filter(([k, v]) => typeof v !== 'object' && k !== 'pri-lab-log');
  s.append(table(about));
  for (const line of D.summary) { s.append(element('p', line)); }
  const c = D.head.clock || {};
  if (c.marks > 1) {
    s.append(element('h3', 'clock'));
    s.append(element('p', `The guest's events are on QEMU's virtual clock within ${c.error_ns} ns ` +
      `(${c.marks} marks); ${c.inversions} of ${c.pairs} effects come before their causes.`));
  }
  s.append(element('h3', 'colours'));
  const grid = element('div', undefined, { className: 'legend' });
  for (const [name, text] of [['request', 'page requests and faults'],
    ['response', 'responses'], ['invalidate', 'invalidations'],
    ['complete', 'completions'], ['dma', 'DMA, process'],
    ['translate', 'translations'], ['warn', '\u25B2 warning'], ['bad', '\u2715 violation']]) {
    const line = element('i');
    line.style.color = `var(--${name})`;
    grid.append(line, element('span', text));
  }
  s.append(grid);
}

/* -- Zoom, scroll ---------------------------------------------------------- */

function zoom(factor, at) {
  const y = at === undefined ? view() / 2 : at;
  const total = height(), where = total ? (scroll + y - PAD) / Math.max(1, total - 2 * PAD) : 0;
  if (mode === 'order') {
    rowHeight = Math.max(view() / Math.max(1, vis.length) / 1.2, Math.min(60, rowHeight * factor));
    rowHeight = Math.min(rowHeight, 60);
  } else {
    perNs = Math.max(1e-8, Math.min(1, perNs * factor));
  }
  scroll = where * Math.max(1, height() - 2 * PAD) + PAD - y;
  mapDirty = mapDirty || mode === 'time';
  clampScroll();
  draw();
}

function fitAll() {
  const room = view() - 2 * PAD - 12;
  if (mode === 'order') {
    rowHeight = Math.min(ROW, room / Math.max(1, vis.length));
  } else {
    perNs = room / Math.max(1, D.events[vis[vis.length - 1] || 0][TIME] - first());
  }
  scroll = 0;
  mapDirty = true;
  draw();
}

function setMode(m) {
  const keep = selected >= 0 && row[selected] >= 0 ? selected :
    vis[Math.min(vis.length - 1, rowAt(scroll + PAD))];
  if (m === 'time' && mode !== 'time' && vis.length) {
    // as many events on the screen as before, if they were evenly spread
    const shown = Math.max(10, view() / rowHeight);
    const a = Math.max(0, row[keep]), b = Math.min(vis.length - 1, a + Math.floor(shown));
    const ns = D.events[vis[b]][TIME] - D.events[vis[a]][TIME];
    perNs = view() / Math.max(1000, ns);
  }
  mode = m;
  $('mode-order').setAttribute('aria-pressed', m === 'order');
  $('mode-time').setAttribute('aria-pressed', m === 'time');
  if (keep !== undefined) { scroll = yOf(keep) - view() / 3; }
  mapDirty = true;
  clampScroll();
  saveHash();
  draw();
}

/* -- Mouse ----------------------------------------------------------------- */

/* The event at a point of the chart, or -1 */
function hit(x, y) {
  if (y < HEAD || !vis.length) { return -1; }
  const at = y - HEAD + scroll;
  if (mode === 'order') {
    const r = Math.floor((at - PAD) / rowHeight);
    return r >= 0 && r < vis.length ? vis[r] : -1;
  }
  let best = -1, score = 12;
  for (let r = rowAt(at - 8); r < vis.length && yOfRow(r) < at + 8; r++) {
    const e = D.events[vis[r]], x0 = laneX(e[LANE], W);
    const x1 = e[TO] >= 0 ? laneX(e[TO], W) : x0;
    const dx = Math.max(0, Math.min(x0, x1) - x, x - Math.max(x0, x1));
    const d = Math.abs(yOfRow(r) - at) + dx / 8;
    if (d < score) { score = d; best = vis[r]; }
  }
  return best;
}

function tip(i, x, y) {
  const t = $('tip');
  t.hidden = i < 0;
  if (i < 0) { return; }
  t.replaceChildren(element('b', label(i)), table(rowsOf(i)),
    element('small', str(D.events[i][TEXT])));
  const w = t.offsetWidth, h = t.offsetHeight;
  t.style.left = Math.max(4, Math.min(x + 16, W - w - 8)) + 'px';
  t.style.top = (y + 20 + h > H ? Math.max(4, y - h - 14) : y + 20) + 'px';
}

let drag = null;
function pointer() {
  const chart = $('chart'), map = $('map');
  chart.addEventListener('pointerdown', ev => {
    drag = { y: ev.offsetY, from: scroll, moved: false };
    chart.setPointerCapture(ev.pointerId);
  });
  chart.addEventListener('pointermove', ev => {
    if (drag) {
      if (Math.abs(ev.offsetY - drag.y) > 4) { drag.moved = true; }
      scroll = drag.from - (ev.offsetY - drag.y);
      tip(-1);
    } else {
      hovered = hit(ev.offsetX, ev.offsetY);
      tip(hovered, ev.offsetX, ev.offsetY);
    }
    draw();
  });
  chart.addEventListener('pointerup', ev => {
    if (drag && !drag.moved) { select(hit(ev.offsetX, ev.offsetY)); }
    drag = null;
  });
  chart.addEventListener('pointerleave', () => { hovered = -1; tip(-1); draw(); });
  $('stage').addEventListener('wheel', ev => {
    ev.preventDefault();
    tip(-1);
    if (ev.ctrlKey || ev.metaKey) {
      zoom(Math.exp(-ev.deltaY / 300), ev.offsetY - HEAD);
    } else {
      scroll += ev.deltaY * (ev.deltaMode === 1 ? 20 : 1);
      draw();
    }
  }, { passive: false });
  const jump = ev => {
    scroll = ev.offsetY / map.clientHeight * height() - view() / 2;
    clampScroll();
    draw();
  };
  map.addEventListener('pointerdown', ev => { map.setPointerCapture(ev.pointerId); jump(ev); });
  map.addEventListener('pointermove', ev => { if (ev.buttons) { jump(ev); } });
}

/* -- Keys ------------------------------------------------------------------ */

const KEYS = {
  ArrowDown: () => step(1), j: () => step(1), ArrowUp: () => step(-1), k: () => step(-1),
  ArrowRight: () => stepExchange(1), ArrowLeft: () => stepExchange(-1),
  PageDown: () => { scroll += view() * 0.9; draw(); },
  PageUp: () => { scroll -= view() * 0.9; draw(); },
  ' ': () => { scroll += view() * 0.9; draw(); },
  Home: () => { scroll = 0; draw(); }, End: () => { scroll = Infinity; clampScroll(); draw(); },
  '+': () => zoom(1.4), '=': () => zoom(1.4), '-': () => zoom(1 / 1.4), '0': fitAll,
  t: () => setMode(mode === 'order' ? 'time' : 'order'),
  n: () => nextBad(1), N: () => nextBad(-1), d: flipTheme,
  e: () => {
    if (selected >= 0 && D.events[selected][EXCHANGE] >= 0) {
      $('search').value = 'x:' + D.events[selected][EXCHANGE];
      applyFilter();
    }
  },
  '/': () => $('search').focus(), '?': () => $('keys').showModal(),
  Escape: () => { if (selected >= 0) { select(-1); } else { clearFilter(); } },
};

function keyboard() {
  document.addEventListener('keydown', ev => {
    const typing = /INPUT|SELECT/.test(ev.target.tagName) && ev.target.type !== 'checkbox';
    if ($('keys').open || ev.ctrlKey || ev.metaKey || ev.altKey) { return; }
    if (typing) {
      if (ev.key === 'Escape' || (ev.key === 'Enter' && ev.target === $('search'))) {
        $('chart').focus();
        ev.preventDefault();
      }
      return;
    }
    if (/BUTTON|SUMMARY|INPUT/.test(ev.target.tagName) && (ev.key === ' ' || ev.key === 'Enter')) { return; }
    if (KEYS[ev.key]) { ev.preventDefault(); KEYS[ev.key](); }
  });
}

/* -- Controls -------------------------------------------------------------- */

function flipTheme() {
  const dark = getComputedStyle(document.documentElement).colorScheme.includes('dark');
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  retint();
}
function retint() { colours(); mapDirty = true; draw(); }

function clearFilter() {
  $('search').value = '';
  for (const key of ['pasid', 'prgi', 'itag']) { $('f-' + key).value = ''; }
  hidden.clear();
  for (const box of $('kind-list').querySelectorAll('input')) { box.checked = true; }
  applyFilter();
}

function fillSelects() {
  const found = { pasid: new Set(), prgi: new Set(), itag: new Set() };
  for (let i = 0; i < N; i++) {
    const f = fields(i);
    for (const key in found) {
      if (f[key] !== undefined) {
        for (const v of String(f[key]).match(/\d+/g) || []) { found[key].add(Number(v)); }
      }
    }
  }
  for (const key in found) {
    const s = $('f-' + key);
    s.append(new Option('all', ''));
    for (const v of [...found[key]].sort((a, b) => a - b)) { s.append(new Option(v, v)); }
    s.disabled = !found[key].size;
    s.onchange = () => applyFilter();
  }
}

function fillKinds() {
  const count = new Map();
  for (let i = 0; i < N; i++) { count.set(kindOf(i), (count.get(kindOf(i)) || 0) + 1); }
  const all = $('kind-list'), buttons = element('p');
  for (const [text, on] of [['all', true], ['none', false]]) {
    const b = element('button', text, { type: 'button' });
    b.onclick = () => {
      hidden.clear();
      for (const box of all.querySelectorAll('input')) {
        box.checked = on;
        if (!on) { hidden.add(box.value); }
      }
      applyFilter();
    };
    buttons.append(b);
  }
  all.append(buttons);
  for (const kind of [...count.keys()].sort()) {
    const l = element('label');
    const box = element('input', undefined, { type: 'checkbox', checked: true, value: kind });
    box.onchange = () => {
      if (box.checked) { hidden.delete(kind); } else { hidden.add(kind); }
      applyFilter();
    };
    l.append(box, element('span', kind), element('span', count.get(kind).toLocaleString('en')));
    all.append(l);
  }
}

/* The address keeps the view: race.html#q=prgi:5&at=120&mode=time */
let ready = false;
function saveHash() {
  if (!ready) { return; }
  const p = new URLSearchParams();
  if ($('search').value) { p.set('q', $('search').value); }
  for (const key of ['pasid', 'prgi', 'itag']) {
    if ($('f-' + key).value) { p.set(key, $('f-' + key).value); }
  }
  if (hidden.size) { p.set('hide', [...hidden].join(',')); }
  if (!$('whole').checked) { p.set('whole', '0'); }
  if (selected >= 0) { p.set('at', selected); }
  if (mode !== 'order') { p.set('mode', mode); }
  const text = p.toString();
  try {
    history.replaceState(null, '', text ? '#' + text : location.pathname + location.search);
  } catch (e) { /* a page of a sandboxed frame has no history */ }
}

function loadHash() {
  const p = new URLSearchParams(location.hash.slice(1));
  $('search').value = p.get('q') || '';
  for (const key of ['pasid', 'prgi', 'itag']) { $('f-' + key).value = p.get(key) || ''; }
  hidden.clear();
  for (const kind of (p.get('hide') || '').split(',').filter(x => x)) { hidden.add(kind); }
  for (const box of $('kind-list').querySelectorAll('input')) { box.checked = !hidden.has(box.value); }
  $('whole').checked = p.get('whole') !== '0';
  if (p.get('theme')) { document.documentElement.dataset.theme = p.get('theme'); colours(); }
  const at = Number(p.get('at') || -1);
  applyFilter(false);
  select(at >= 0 && at < N && row[at] >= 0 ? at : -1, true);
  if (p.get('mode') === 'time') { setMode('time'); }
  if (p.get('zoom') === 'fit') { fitAll(); }
}

/* -- Print: pages of rows, always light ------------------------------------ */

const PAGE_ROWS = 34, PAGES = 60;
function beforePrint() {
  const box = $('print'), root = document.documentElement;
  const old = { theme: root.dataset.theme, mode, rowHeight, gutter };
  root.dataset.theme = 'light';
  colours();
  mode = 'order';
  rowHeight = 21;
  gutter = GUTTER;
  box.replaceChildren();
  for (let p = 0; p * PAGE_ROWS < vis.length && p < PAGES; p++) {
    const r0 = p * PAGE_ROWS, r1 = Math.min(vis.length, r0 + PAGE_ROWS) - 1;
    const canvas = element('canvas'), wide = 1060, high = HEAD + (r1 - r0 + 1) * rowHeight + 12;
    canvas.width = wide * 2;
    canvas.height = high * 2;
    const g = canvas.getContext('2d');
    g.scale(2, 2);
    g.fillStyle = C.back;
    g.fillRect(0, 0, wide, high);
    g.save();
    g.translate(0, HEAD);
    drawBody(g, wide, high - HEAD, PAD + r0 * rowHeight - 6, r0, r1, true);
    g.restore();
    drawHead(g, wide);
    box.append(canvas);
  }
  if (vis.length > PAGES * PAGE_ROWS) {
    box.append(element('p', `The first ${PAGES * PAGE_ROWS} of ${vis.length} events; filter for fewer.`));
  }
  if (old.theme === undefined) { delete root.dataset.theme; } else { root.dataset.theme = old.theme; }
  ({ mode, rowHeight, gutter } = old);
  colours();
}

/* -- Start ----------------------------------------------------------------- */

function start() {
  $('title').textContent = D.title;
  $('summary').textContent = D.summary.join(' \u00B7 ');
  const bad = D.events.filter(e => e[LEVEL] === 2).length;
  const warn = D.events.filter(e => e[LEVEL] === 1).length;
  $('bad').textContent = bad ? `${bad} violation${bad > 1 ? 's' : ''}` :
    `${warn} warning${warn === 1 ? '' : 's'}`;
  $('next-bad').className = bad ? 'has-bad' : warn ? 'has-warn' : '';
  $('next-bad').onclick = () => nextBad(1);
  $('previous-bad').onclick = () => nextBad(-1);
  $('mode-order').onclick = () => setMode('order');
  $('mode-time').onclick = () => setMode('time');
  $('mode-order').setAttribute('aria-pressed', 'true');
  $('zoom-in').onclick = () => zoom(1.4);
  $('zoom-out').onclick = () => zoom(1 / 1.4);
  $('zoom-fit').onclick = fitAll;
  $('theme').onclick = flipTheme;
  $('help').onclick = () => $('keys').showModal();
  $('clear').onclick = clearFilter;
  $('whole').onchange = () => applyFilter();
  $('filter').onsubmit = ev => ev.preventDefault();
  let typing = 0;
  $('search').oninput = () => { clearTimeout(typing); typing = setTimeout(applyFilter, 150); };
  document.addEventListener('click', ev => {
    if (!$('kinds').contains(ev.target)) { $('kinds').open = false; }
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', retint);
  new ResizeObserver(() => { mapDirty = true; paint(); }).observe($('stage'));
  window.addEventListener('beforeprint', beforePrint);
  window.addEventListener('afterprint', () => { $('print').replaceChildren(); draw(); });
  window.addEventListener('hashchange', loadHash);
  colours();
  fillSelects();
  fillKinds();
  pointer();
  keyboard();
  side();
  paint();
  loadHash();
  ready = true;
  document.documentElement.dataset.ready = 'yes';
}
start();
