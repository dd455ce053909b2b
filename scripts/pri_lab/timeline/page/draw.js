/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chart, on anything that has the methods of a 2D canvas (svg.js) */

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

function laneHead(g, name, x, w) {
  const cut = name.lastIndexOf(' ');
  g.font = `600 ${w < 84 ? 10 : 12}px ${FONT}`;
  if (cut > 0 && g.measureText(name).width > w - 6) {   // on two lines
    g.font = `600 9px ${FONT}`;
    g.fillText(name.slice(0, cut), x, 15, w - 4);
    g.fillText(name.slice(cut + 1), x, 26, w - 4);
  } else {
    g.fillText(name, x, 20.5, w - 6);
  }
}

function drawHead(g, width) {
  g.fillStyle = C.back;
  g.fillRect(0, 0, width, HEAD);
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  L.names.forEach((name, n) => {
    const x = laneX(n, width), w = Math.min(lanePitch(width) - 4, 112);
    g.beginPath();
    g.roundRect(x - w / 2, 6, w, 28, 6);
    g.fillStyle = C.panel;
    g.fill();
    g.strokeStyle = C.lanes[n];
    g.lineWidth = 1.5;
    g.stroke();
    g.fillStyle = C.lanes[n];
    laneHead(g, name, x, w);
  });
  g.font = `11px ${FONT}`;
  g.fillStyle = C.dim;
  g.textAlign = 'right';
  g.fillText('µs', timeX(), 21);
  if (mode === 'order' && wideGutter()) { g.fillText('step', gutter - 8, 21); }
  g.strokeStyle = C.line;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(0, HEAD - 0.5);
  g.lineTo(width, HEAD - 0.5);
  g.stroke();
}

function drawLifelines(v) {
  const { g } = v;
  g.lineWidth = 1;
  L.names.forEach((_, n) => {
    g.strokeStyle = C.line;
    g.setLineDash(L.links.includes(n) ? [2, 4] : []);
    g.beginPath();
    g.moveTo(Math.round(v.X(n)) + 0.5, 0);
    g.lineTo(Math.round(v.X(n)) + 0.5, v.high);
    g.stroke();
  });
  g.setLineDash([]);
  if (D.prefix.length > 1) {            // between two recordings
    const at = L.side.indexOf(1), x = (v.X(at) + v.X(at - 1)) / 2;
    g.strokeStyle = C.dim;
    g.beginPath();
    g.moveTo(x, 0);
    g.lineTo(x, v.high);
    g.stroke();
  }
}

/* Bars: something is at work */
function drawSpans(v) {
  const { g } = v, worked = new Float64Array(L.names.length).fill(-1e9);
  for (const [lane, a, b] of spans) {
    if (row[a] < 0 || row[b] < 0 || row[b] < v.r0 || row[a] > v.r1) { continue; }
    const y0 = yOf(a) - v.top, y1 = yOf(b) - v.top;
    if (v.dense && y1 - worked[lane] < 1) { continue; }
    worked[lane] = y1;
    g.globalAlpha = 0.22;
    g.fillStyle = C.lanes[lane];
    g.fillRect(v.X(lane) - 4, y0, 8, Math.max(1, y1 - y0));
    g.globalAlpha = 1;
  }
}

function drawPicked(v) {
  if (v.plain || mode !== 'order') { return; }
  for (const [i, c] of [[hovered, C.faint], [selected, C.pick]]) {
    if (i >= 0 && row[i] >= 0 && rowHeight > 3) {
      v.g.fillStyle = c;
      v.g.fillRect(0, yOf(i) - v.top - rowHeight / 2, v.width, rowHeight);
    }
  }
}

/* Cause and effect between kernel and IOMMU */
function drawCauses(v) {
  const { g } = v;
  for (const [a, b] of v.dense ? [] : D.pairs) {
    const ra = row[a], rb = row[b];
    if (ra < 0 || rb < 0 || ra === rb || Math.max(ra, rb) < v.r0 || Math.min(ra, rb) > v.r1) {
      continue;
    }
    const x0 = v.X(laneOf(a)), x1 = v.X(laneOf(b));
    if (x0 === x1) { continue; }
    const y0 = yOf(a) - v.top, y1 = yOf(b) - v.top;
    g.globalAlpha = v.pale && !(v.friends.has(a) && v.friends.has(b)) ? 0.15 :
      rowHeight < 4 ? 0.35 : 0.8;
    g.strokeStyle = g.fillStyle = colour(a);
    g.lineWidth = 1.1;
    g.setLineDash([5, 3]);
    g.beginPath();
    g.moveTo(x0, y0);
    g.lineTo(x1, y1);
    g.stroke();
    g.setLineDash([]);
    if (v.big || mode === 'time') { arrowHead(g, x1, y1, Math.atan2(y1 - y0, x1 - x0), 8); }
  }
  g.globalAlpha = 1;
}

/* What is behind an event's row: a pause, a test, something bad */
function drawBand(v, i, y, step) {
  const { g } = v, level = D.events[i][LEVEL], wide = v.width - gutter;
  if (step > 1e6) {                     // told in the gutter
    g.strokeStyle = C.line;
    g.setLineDash([1, 4]);
    g.beginPath();
    g.moveTo(gutter - 4, y - rowHeight / 2);
    g.lineTo(v.width, y - rowHeight / 2);
    g.stroke();
    g.setLineDash([]);
  }
  if (/^(test|reset)$/.test(kindOf(i))) {
    g.fillStyle = C.faint;
    g.fillRect(gutter, y - rowHeight / 2 + 2, wide, rowHeight - 4);
  }
  if (level) {
    g.fillStyle = level === 2 ? C['bad-back'] : C['warn-back'];
    g.fillRect(gutter, y - rowHeight / 2 + 1, wide, rowHeight - 2);
  }
}

function drawTime(v, i, r, y, step) {
  const { g } = v, e = D.events[i];
  if (y - v.lastTime < 15) { return; }
  v.lastTime = y;
  g.font = `11px ${MONO}`;
  g.textBaseline = 'middle';
  g.textAlign = 'right';
  g.fillStyle = e[LEVEL] === 2 ? C.bad : C.dim;
  g.fillText(stamp(e[TIME]), timeX(), y, timeX() - 2);
  if (before[r] >= 0 && mode === 'order' && !v.dense && wideGutter()) {
    g.fillStyle = step > 1e6 ? C.accent : C.dim;
    g.fillText('+' + span(step), gutter - 8, y);
  }
}

function drawMessage(v, i, x, y, alpha) {
  const { g } = v, x1 = v.X(toOf(i));
  if (v.dense) { g.globalAlpha = alpha * 0.3; }
  g.lineWidth = i === selected ? 2.6 : v.big ? 1.6 : 1;
  g.beginPath();
  g.moveTo(x, y);
  g.lineTo(x1 - Math.sign(x1 - x) * 5, y);
  g.stroke();
  if (v.big || rowHeight > 6 || mode === 'time') { arrowHead(g, x1, y, x1 > x ? 0 : Math.PI, 8); }
  if (v.big && L.ends.includes(laneOf(i)) && L.ends.includes(toOf(i))) {
    g.beginPath();                      // every one of these is on the link
    g.arc(v.X(L.links[sideOf(i)]), y, 2.6, 0, 7);
    g.fill();
  }
}

function drawPoint(v, i, x, y) {
  const { g } = v, level = D.events[i][LEVEL];
  if (!v.big && mode !== 'time') {
    g.fillRect(x - 3, y - 0.5, 6, Math.max(1, Math.min(rowHeight, 4)));
    if (level) { g.fillRect(gutter, y - 1, v.width - gutter, level === 2 ? 2 : 1); }
    return;
  }
  g.beginPath();
  if (level === 2) {                    // not by colour alone
    g.lineWidth = 2.5;
    g.moveTo(x - 5, y - 5); g.lineTo(x + 5, y + 5);
    g.moveTo(x + 5, y - 5); g.lineTo(x - 5, y + 5);
    g.stroke();
  } else if (level === 1) {
    g.moveTo(x, y - 6); g.lineTo(x + 6, y + 5); g.lineTo(x - 6, y + 5);
    g.closePath();
    g.fill();
  } else {
    g.arc(x, y, i === selected ? 5 : 3.6, 0, 7);
    g.fill();
  }
}

/* false: there is something at that place already */
function drawEvent(v, r) {
  const { g } = v, i = vis[r], e = D.events[i], y = yOfRow(r) - v.top;
  const step = before[r] >= 0 ? e[TIME] - D.events[vis[before[r]]][TIME] : 0;
  const message = toOf(i) >= 0, slot = laneOf(i) + (message ? L.names.length : 0);
  if (!v.big && !e[LEVEL] && i !== selected && y - v.last[slot] < 0.7) { return false; }
  v.last[slot] = y;
  const lineY = message && v.big ? y + rowHeight * 0.26 : y;
  const alpha = v.pale && !v.friends.has(i) ? (e[LEVEL] ? 0.75 : 0.28) : 1;
  g.globalAlpha = alpha;
  if (v.big) { drawBand(v, i, y, step); }
  drawTime(v, i, r, y, step);
  const x = v.X(laneOf(i));
  g.strokeStyle = g.fillStyle = colour(i);
  if (message) { drawMessage(v, i, x, lineY, alpha); } else { drawPoint(v, i, x, y); }
  if (v.big || mode === 'time') { v.later.push([i, x, y, lineY, alpha]); }
  return true;
}

/* Rows r0 to r1 with the top of the chart at y = -top */
function drawBody(g, width, high, top, r0, r1, plain) {
  const friends = new Set(!plain && selected >= 0 ? members(selected) : []);
  const v = {
    g, width, high, top, r0, r1, plain, friends, pale: friends.size > 1,
    X: n => laneX(n, width), big: mode === 'time' ? false : rowHeight >= 15,
    dense: mode === 'order' ? rowHeight < 3 : (r1 - r0) > 3 * high,
    later: [],                          // labels, above all lines
    lastTime: -1e9, last: new Float64Array(L.names.length * 2).fill(-1e9),
  };
  drawLifelines(v);
  drawSpans(v);
  drawPicked(v);
  drawCauses(v);
  for (let r = r0; r <= r1; r++) { drawEvent(v, r); }
  drawLabels(g, v.later, width, v.big);
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
  const text = label(i) + (folds.has(i) ? `  × ${folds.get(i).count}` : '');
  const wide = Math.min(g.measureText(text).width, width);
  if (toOf(i) >= 0) {
    const x1 = laneX(toOf(i), width);
    const middle = (x + x1) / 2;
    const at = Math.max(gutter + wide / 2, Math.min(middle, width - wide / 2 - 8));
    g.textAlign = 'center';
    const on = mode === 'order' && rowHeight < 20;      // no room above
    g.textBaseline = on ? 'middle' : 'alphabetic';
    words(g, text, at, on ? y : lineY - 4, width - gutter - 10, c);
    return;
  }
  g.textBaseline = 'middle';
  if (x + 10 + wide < width - 6 || x < width / 2) {
    g.textAlign = 'left';
    words(g, text, x + 10, y, width - x - 16, c);
  } else {
    g.textAlign = 'right';
    words(g, text, x - 10, y, x - 10 - gutter, c);
  }
}
