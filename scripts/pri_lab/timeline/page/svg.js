/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 2D canvas that writes SVG: the methods that draw.js uses, and no others.
 * measure(text, font) is the width of a text in pixels.
 */
class SvgCanvas {
  constructor(width, height, measure) {
    this.width = width;
    this.height = height;
    this.measure = measure;
    this.out = [];
    this.path = '';
    this.dash = [];
    this.at = [0, 0];
    this.stack = [];
    Object.assign(this, { fillStyle: '#000', strokeStyle: '#000', lineWidth: 1, lineJoin: 'miter',
      globalAlpha: 1, font: '11px sans-serif', textAlign: 'left', textBaseline: 'alphabetic' });
  }

  static number(x) { return String(Math.round(x * 100) / 100); }
  static quote(s) {
    return String(s).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd')
      .replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
  }

  point(x, y) { return `${SvgCanvas.number(x + this.at[0])} ${SvgCanvas.number(y + this.at[1])}`; }
  save() { this.stack.push([...this.at]); }
  restore() { this.at = this.stack.pop() || [0, 0]; }
  translate(x, y) { this.at = [this.at[0] + x, this.at[1] + y]; }
  setLineDash(dash) { this.dash = dash; }
  beginPath() { this.path = ''; }
  moveTo(x, y) { this.path += `M${this.point(x, y)}`; }
  lineTo(x, y) { this.path += `L${this.point(x, y)}`; }
  closePath() { this.path += 'Z'; }
  arc(x, y, r) {                        // always all of it
    const n = SvgCanvas.number;
    this.path += `M${this.point(x - r, y)}a${n(r)} ${n(r)} 0 1 0 ${n(2 * r)} 0` +
      `a${n(r)} ${n(r)} 0 1 0 ${n(-2 * r)} 0Z`;
  }
  roundRect(x, y, w, h, r) {
    const n = SvgCanvas.number, c = (dx, dy) => `a${n(r)} ${n(r)} 0 0 1 ${n(dx)} ${n(dy)}`;
    this.path += `M${this.point(x + r, y)}h${n(w - 2 * r)}${c(r, r)}v${n(h - 2 * r)}${c(-r, r)}` +
      `h${n(2 * r - w)}${c(-r, -r)}v${n(2 * r - h)}${c(r, -r)}Z`;
  }

  alpha() { return this.globalAlpha < 1 ? ` opacity="${SvgCanvas.number(this.globalAlpha)}"` : ''; }
  pen() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(' ')}"` : '';
    return ` stroke="${SvgCanvas.quote(this.strokeStyle)}" stroke-width="` +
      `${SvgCanvas.number(this.lineWidth)}"${dash}`;
  }
  fill() {
    this.out.push(`<path d="${this.path}" fill="${SvgCanvas.quote(this.fillStyle)}"${this.alpha()}/>`);
  }
  stroke() { this.out.push(`<path d="${this.path}" fill="none"${this.pen()}${this.alpha()}/>`); }
  fillRect(x, y, w, h) {
    const n = SvgCanvas.number;
    this.out.push(`<rect x="${n(x + this.at[0])}" y="${n(y + this.at[1])}" width="${n(w)}" ` +
      `height="${n(h)}" fill="${SvgCanvas.quote(this.fillStyle)}"${this.alpha()}/>`);
  }

  measureText(text) { return { width: this.measure(text, this.font) }; }
  text(t, x, y, paint, max) {
    const anchor = { left: 'start', center: 'middle', right: 'end' }[this.textAlign];
    const base = this.textBaseline === 'middle' ? ' dominant-baseline="central"' : '';
    const [, weight, size, family] = /^(?:(\d+) )?([\d.]+px) (.*)$/.exec(this.font);
    const wide = max !== undefined && this.measureText(t).width > max ?
      ` textLength="${SvgCanvas.number(max)}" lengthAdjust="spacingAndGlyphs"` : '';
    const [px, py] = this.point(x, y).split(' ');
    this.out.push(`<text x="${px}" y="${py}" text-anchor="${anchor}"${base} font-family="` +
      `${SvgCanvas.quote(family)}" font-size="${size}"${weight ? ` font-weight="${weight}"` : ''}` +
      `${wide}${paint}${this.alpha()}>${SvgCanvas.quote(t)}</text>`);
  }
  fillText(t, x, y, max) { this.text(t, x, y, ` fill="${SvgCanvas.quote(this.fillStyle)}"`, max); }
  strokeText(t, x, y) { this.text(t, x, y, ` fill="none" stroke-linejoin="round"${this.pen()}`); }

  toString() {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" ` +
      `viewBox="0 0 ${this.width} ${this.height}">\n${this.out.join('\n')}\n</svg>\n`;
  }
}
