/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chart on the screen, and the map: all of it at once */
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
  gutter = W < 700 ? NARROW : GUTTER;
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
    drawRuler(g);
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



let mapImage = null;
function paintMap() {
  const canvas = $('map'), g = fit(canvas);
  const w = canvas.clientWidth, h = canvas.clientHeight;
  if (mapDirty) {
    mapDirty = false;
    g.fillStyle = C.back;
    g.fillRect(0, 0, w, h);
    const total = height() || 1, drawn = new Set(), pitch = (w - 8) / L.names.length;
    const bad = [];
    for (let r = 0; r < vis.length; r++) {
      const e = D.events[vis[r]], lane = laneOf(vis[r]), y = Math.floor(yOfRow(r) / total * h);
      if (e[LEVEL]) { bad.push([y, e[LEVEL]]); }
      const key = y * 64 + lane;
      if (drawn.has(key)) { continue; }
      drawn.add(key);
      g.fillStyle = C.lanes[lane];
      g.globalAlpha = 0.7;
      g.fillRect(4 + lane * pitch, y, Math.max(1, pitch - 1), 1.5);
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
