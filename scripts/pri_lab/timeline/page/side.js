/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is selected, and what the side says of it */
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
      `${laneName(i)}: ${label(i)}`;
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
  const lanes = laneName(i) + (toOf(i) >= 0 ? ' \u2192 ' + L.names[toOf(i)] : '');
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
  if (folds.has(i)) {
    const f = folds.get(i);
    s.append(element('p', `${f.count} times, the last ${span(D.events[f.last][TIME] - e[TIME])} later`));
  }
  s.append(...rulerLines(i));
  if (twins.has(i)) { s.append(...list('in the other recording', [twins.get(i)], e[TIME])); }
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
