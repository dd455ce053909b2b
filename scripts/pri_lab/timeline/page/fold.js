/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Repetition: what comes again and again is shown once, with how often */

const FOLD_PERIOD = 4, FOLD_LEAST = 3;

/*
 * seq: anything; sig(x): what makes two of them the same.  Stretches of one to
 * FOLD_PERIOD that come FOLD_LEAST times or more in a row, the longest first at
 * each place: [{at, period, count}] by place in seq, none over another.
 */
function foldRuns(seq, sig) {
  const s = seq.map(sig), out = [];
  for (let at = 0; at < s.length;) {
    let best = null;
    for (let period = 1; period <= FOLD_PERIOD; period++) {
      let end = at + period;
      while (end < s.length && s[end] === s[end - period]) { end++; }
      const count = Math.floor((end - at) / period);
      if (count >= FOLD_LEAST && (!best || count * period > best.count * best.period)) {
        best = { at, period, count };
      }
    }
    if (best) { out.push(best); at += best.period * best.count; } else { at++; }
  }
  return out;
}

/* Their own words say what these are */
const SAID = /^(test|mark|knob|violation|message-lost|kernel-log)$/;
function signature(i) {
  const e = D.events[i], kind = kindOf(i);
  return [e[LANE], e[TO], e[LEVEL], e[KIND], e[EVENT], laneOf(i),
    SAID.test(kind) ? e[LABEL] : fields(i).code].join(' ');
}

let folding = false;
const folds = new Map();                // event that is shown -> {count, last}

/*
 * The events that get a row.  row[] of one that is folded is the row of the one
 * that stands for it.
 */
function foldRows(events) {
  folds.clear();
  row.fill(-1);
  const out = [];
  const runs = folding ? foldRuns(events, signature) : [];
  let at = 0;
  for (const run of runs.concat({ at: events.length, period: 0, count: 0 })) {
    for (; at < run.at; at++) { row[events[at]] = out.length; out.push(events[at]); }
    const base = out.length;
    for (let k = 0; k < run.period * run.count; k++, at++) {
      row[events[at]] = base + k % run.period;
      if (k < run.period) { out.push(events[at]); }
    }
    for (let k = 0; k < run.period; k++) {
      folds.set(out[base + k], { count: run.count,
        last: events[run.at + run.period * (run.count - 1) + k] });
    }
  }
  return Int32Array.from(out);
}
