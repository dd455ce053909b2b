/* SPDX-License-Identifier: GPL-2.0-or-later */
'use strict';
/*
 * What the chart is drawn from.  pri_lab/timeline.py says what an event's row is;
 * everything goes by the place of an event in D.events.
 */
const D = JSON.parse(document.getElementById('data').textContent);
const [TIME, LANE, TO, LEVEL, EXCHANGE, KIND, EVENT, SOURCE, LABEL, TEXT, FIELDS]
  = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const N = D.events.length;
const $ = id => document.getElementById(id);
const str = n => D.strings[n];
const kindOf = i => str(D.events[i][KIND]);
const label = i => str(D.events[i][LABEL]);
const sideOf = i => D.sides[D.events[i][LANE]];        // which recording
const NUMERIC = new Set(D.numbers);

function fields(i) {
  const e = D.events[i], out = {};
  for (let k = FIELDS; k < e.length; k += 2) {
    const name = D.fields[e[k]];
    out[name] = NUMERIC.has(name) ? e[k + 1] : str(e[k + 1]);
  }
  return out;
}


/* What belongs together */

const exchangeOf = new Map();           // exchange -> its events
const effects = new Map(), causes = new Map();
D.events.forEach((e, i) => {
  if (e[EXCHANGE] >= 0) {
    if (!exchangeOf.has(e[EXCHANGE])) { exchangeOf.set(e[EXCHANGE], []); }
    exchangeOf.get(e[EXCHANGE]).push(i);
  }
});
for (const [a, b] of D.pairs) { effects.set(a, b); causes.set(b, a); }
const twins = new Map();                // the same in two recordings
for (const [a, b] of D.twins) { twins.set(a, b); twins.set(b, a); }
const members = i => exchangeOf.get(D.events[i][EXCHANGE]) || [];


/* Time */

function span(ns) {
  const a = Math.abs(ns);
  if (a < 1e3) { return ns + ' ns'; }
  if (a < 1e6) { return (ns / 1e3).toFixed(a < 1e5 ? 2 : 1) + ' µs'; }
  if (a < 1e9) { return (ns / 1e6).toFixed(a < 1e8 ? 2 : 1) + ' ms'; }
  return (ns / 1e9).toFixed(2) + ' s';
}
const stamp = ns => (ns / 1e3).toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
