/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the filter shows, for the printer or for a mail: always in light colours */

const PAGE_ROWS = 34, PAGES = 60, PAGE_WIDTH = 1060;
const PICTURE_WIDTH = 1200, PICTURE_ROWS = 400;

/* Run f with the chart as it is on paper, then put all back */
function onPaper(f) {
  const root = document.documentElement;
  const old = { theme: root.dataset.theme, mode, rowHeight, gutter, selected };
  root.dataset.theme = 'light';
  colours();
  [rowHeight, gutter, selected] = [21, GUTTER, -1];
  if (mode !== 'order') { mode = 'order'; applyFilter(false); }
  try { return f(); } finally {
    if (old.theme === undefined) { delete root.dataset.theme; } else { root.dataset.theme = old.theme; }
    ({ mode, rowHeight, gutter, selected } = old);
    colours();
    if (old.mode !== 'order') { applyFilter(false); }
  }
}

/* Rows r0 to r1 with their head on a canvas of that width */
function paintRows(g, wide, high, r0, r1) {
  g.fillStyle = C.back;
  g.fillRect(0, 0, wide, high);
  g.save();
  g.translate(0, HEAD);
  drawBody(g, wide, high - HEAD, PAD + r0 * rowHeight - 6, r0, r1, true);
  g.restore();
  drawHead(g, wide);
}

/* Rows r0 to r1 as an image, twice as fine as a screen */
function paintedRows(wide, r0, r1) {
  const canvas = element('canvas'), high = HEAD + (r1 - r0 + 1) * rowHeight + 12;
  canvas.width = wide * 2;
  canvas.height = high * 2;
  const g = canvas.getContext('2d');
  g.scale(2, 2);
  paintRows(g, wide, high, r0, r1);
  return canvas;
}

function beforePrint() {
  const box = $('print');
  box.replaceChildren();
  onPaper(() => {
    for (let p = 0; p * PAGE_ROWS < vis.length && p < PAGES; p++) {
      const r0 = p * PAGE_ROWS, r1 = Math.min(vis.length, r0 + PAGE_ROWS) - 1;
      box.append(paintedRows(PAGE_WIDTH, r0, r1));
    }
    if (vis.length > PAGES * PAGE_ROWS) {
      box.append(element('p',
        `The first ${PAGES * PAGE_ROWS} of ${vis.length} rows; filter for fewer.`));
    }
  });
}

/* The rows that a picture has: from the first on the screen if they are many */
function pictureRows() {
  if (vis.length <= PICTURE_ROWS) { return [0, vis.length - 1]; }
  const r0 = Math.min(rowAt(scroll + PAD), vis.length - PICTURE_ROWS);
  return [r0, r0 + PICTURE_ROWS - 1];
}
const pictureWidth = () => Math.max(PICTURE_WIDTH, GUTTER + 80 * L.names.length);

function svgPicture() {
  const [r0, r1] = pictureRows(), pen = element('canvas').getContext('2d');
  return onPaper(() => {
    const high = HEAD + (r1 - r0 + 1) * rowHeight + 12;
    const g = new SvgCanvas(pictureWidth(), high, (text, font) => {
      pen.font = font;
      return pen.measureText(text).width;
    });
    paintRows(g, g.width, high, r0, r1);
    return g.toString();
  });
}

function pngPicture() {
  const [r0, r1] = pictureRows();
  return onPaper(() => paintedRows(pictureWidth(), r0, r1));
}

function download(blob, ending) {
  const a = element('a', undefined, { href: URL.createObjectURL(blob),
    download: (D.title.replace(/[^\w.-]+/g, '-').replace(/^-|-$/g, '') || 'timeline') + ending });
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}
const saveSvg = () => download(new Blob([svgPicture()], { type: 'image/svg+xml' }), '.svg');
const savePng = () => pngPicture().toBlob(blob => download(blob, '.png'), 'image/png');
