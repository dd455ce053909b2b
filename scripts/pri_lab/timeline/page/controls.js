/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The controls above the chart, and the address */
function flipTheme() {
  const dark = getComputedStyle(document.documentElement).colorScheme.includes('dark');
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  retint();
}
function retint() { colours(); mapDirty = true; draw(); }

function setFolding(on) {
  folding = on;
  $('fold').checked = on;
  applyFilter();
}

function setLanes(by) {
  arrange(by);
  $('lanes').value = lanesBy;
  mapDirty = true;
  applyFilter();
}

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
  if (anchor >= 0) { p.set('from', anchor); }
  if (folding) { p.set('fold', '1'); }
  if (lanesBy !== 'parts') { p.set('lanes', lanesBy); }
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
  folding = p.get('fold') === '1';
  $('fold').checked = folding;
  arrange(p.get('lanes') || 'parts');
  $('lanes').value = lanesBy;
  const from = Number(p.get('from') || -1);
  anchor = from >= 0 && from < N ? from : -1;
  $('ruler').setAttribute('aria-pressed', anchor >= 0);
  const at = Number(p.get('at') || -1);
  applyFilter(false);
  select(at >= 0 && at < N && row[at] >= 0 ? at : -1, true);
  if (p.get('mode') === 'time') { setMode('time'); }
  if (p.get('zoom') === 'fit') { fitAll(); }
}
