/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events are shown, and in which row */
const ALIAS = { ch: 'channel', address: 'addr', cause: 'event' };
const hidden = new Set();               // kinds that are off
let vis = new Int32Array(0);            // events shown, in order
const row = new Int32Array(N).fill(-1); // event -> row, or -1
let before = new Int32Array(0);         // row -> row before it of that recording, or -1

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
  else if (t.key === 'lane') { have = laneName(i) + ' ' + D.lanes[D.events[i][LANE]]; }
  else if (t.key === 'event') { have = str(D.events[i][EVENT]); }
  else if (t.key === 'src') { have = str(D.events[i][SOURCE]); }
  else if (t.key === 'level') { have = D.events[i][LEVEL]; }
  else if (t.key === 'side') { have = D.prefix[sideOf(i)]; }
  else if (t.key === 'only') { have = twins.has(i) ? undefined : D.prefix[sideOf(i)]; }
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
  for (let i = 0; i < N; i++) {
    const on = hits[i] || whole.has(D.events[i][EXCHANGE]);
    if (on && !hidden.has(kindOf(i))) { out.push(i); }
  }
  setRows(out);
  $('status').textContent = (out.length === N ? `${N.toLocaleString('en')} events` :
    `${out.length.toLocaleString('en')} of ${N.toLocaleString('en')} events`) +
    (vis.length < out.length ? `, ${vis.length.toLocaleString('en')} rows` : '');
  if (selected >= 0 && row[selected] < 0) { select(-1); }
  saveHash();
  mapDirty = true;
  if (keep !== false && selected >= 0) { reveal(selected); }
  clampScroll();
  draw();
}

/* Two recordings beside each other are in the order of what is the same in both;
   true to time they have one clock */
function setRows(events) {
  if (D.prefix.length > 1 && mode === 'time') {
    events.sort((a, b) => D.events[a][TIME] - D.events[b][TIME] || a - b);
  }
  vis = foldRows(events);
  before = new Int32Array(vis.length).fill(-1);
  const last = [-1, -1];
  vis.forEach((i, r) => {
    before[r] = last[sideOf(i)];
    last[sideOf(i)] = r;
  });
}
