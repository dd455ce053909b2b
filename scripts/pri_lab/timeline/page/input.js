/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zoom, mouse, keys */
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
  const again = m !== mode && D.prefix.length > 1;
  mode = m;
  if (again) { applyFilter(false); }
  $('mode-order').setAttribute('aria-pressed', m === 'order');
  $('mode-time').setAttribute('aria-pressed', m === 'time');
  if (keep !== undefined) { scroll = yOf(keep) - view() / 3; }
  mapDirty = true;
  clampScroll();
  saveHash();
  draw();
}



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
    const x0 = laneX(laneOf(vis[r]), W);
    const x1 = toOf(vis[r]) >= 0 ? laneX(toOf(vis[r]), W) : x0;
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
    if (drag && !drag.moved) {
      const i = hit(ev.offsetX, ev.offsetY);
      if (ev.shiftKey && i >= 0) { setAnchor(i); } else { select(i); }
    }
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
  m: () => { if (selected >= 0) { setAnchor(selected); } },
  f: () => setFolding(!folding), l: () => setLanes(ARRANGEMENTS[(ARRANGEMENTS.indexOf(lanesBy) + 1) % ARRANGEMENTS.length]),
  s: () => saveSvg(), p: () => savePng(),
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
