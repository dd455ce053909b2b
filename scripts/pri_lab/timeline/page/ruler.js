/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ruler: the time from one event to any other one, of whatever exchange */

let anchor = -1;                        // the event it is held to, or -1

const rulerEnd = () => hovered >= 0 && hovered !== anchor ? hovered : selected;
const signed = ns => (ns < 0 ? '\u2212' : '+') + span(Math.abs(ns));
const rulerTime = i => D.events[i][TIME] - D.events[anchor][TIME];

function setAnchor(i) {
  anchor = i === anchor ? -1 : i;
  $('ruler').setAttribute('aria-pressed', anchor >= 0);
  $('live').textContent = anchor < 0 ? 'ruler away' : `ruler at ${label(anchor)}`;
  side();
  saveHash();
  draw();
}

/* A bracket in front of the lanes, with the time on it */
function drawRuler(g) {
  const end = rulerEnd();
  if (anchor < 0 || row[anchor] < 0) { return; }
  const y0 = yOf(anchor) - scroll, x = gutter - 2;
  g.strokeStyle = g.fillStyle = C.accent;
  g.lineWidth = 2;
  g.beginPath();
  g.moveTo(x, y0);
  g.lineTo(x + 8, y0);
  if (end >= 0 && row[end] >= 0) {
    const y1 = yOf(end) - scroll;
    g.moveTo(x, y0);
    g.lineTo(x, y1);
    g.lineTo(x + 8, y1);
    g.stroke();
    g.font = `600 12px ${FONT}`;
    g.textAlign = 'left';
    g.textBaseline = 'middle';
    const y = Math.max(12, Math.min(view() - 12, (y0 + y1) / 2));
    words(g, signed(rulerTime(end)), x + 12, y, 200, C.accent);
    return;
  }
  g.stroke();
}

/* What the side says of it */
function rulerLines(i) {
  if (anchor < 0 || anchor === i) { return []; }
  return [element('h3', `ruler: ${signed(rulerTime(i))}`), element('p', `from ${label(anchor)}`)];
}
