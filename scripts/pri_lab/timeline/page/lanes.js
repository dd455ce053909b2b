/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which lanes there are.  D.lanes are those of pri_lab/events.py, of one recording
 * or of two beside each other; what a process or a CPU of the guest did can have a
 * lane of its own instead.
 */
const ARRANGEMENTS = ['parts', 'tasks', 'cpus'];
const MOST_LANES = 8;                   // of tasks, of each recording

/*
 * d: the page's data; by: one of ARRANGEMENTS; get(i): fields of event i.
 * names, tint (a lane of d.lanes, whose colour it has), side: of each lane;
 * lane, to: of each event, to is -1 without a message; links, ends: lanes of
 * the link, and of the two that are at its ends; base: lane of d.lanes -> lane.
 */
function arrangement(d, by, get) {
  const own = new Map();                // name -> {side, base, first, events}
  const nameOf = i => {
    const base = d.events[i][1], part = d.parts[base], f = by === 'parts' ? null : get(i);
    if (by === 'tasks' && f.task && (part === 'process' || part === 'qi')) {
      return [base, f.task];
    }
    if (by === 'cpus' && f.cpu !== undefined) { return [base, 'CPU ' + f.cpu]; }
    return null;
  };
  const wanted = d.events.map((_, i) => {
    const n = nameOf(i);
    if (!n) { return ''; }
    const side = d.sides[n[0]], key = side + ' ' + n[1];
    if (!own.has(key)) { own.set(key, { side, base: n[0], name: n[1], first: i, events: 0 }); }
    own.get(key).events++;
    return key;
  });
  const kept = keepBusiest(own, by);
  const used = new Set(d.links);
  d.events.forEach((e, i) => {
    if (!kept.has(wanted[i])) { used.add(e[1]); }
    if (e[2] >= 0) { used.add(e[2]); }
  });
  const out = { names: [], tint: [], side: [], base: new Map(), of: new Map() };
  const add = (name, tint, side) => {
    out.names.push(name);
    out.tint.push(tint);
    out.side.push(side);
    return out.names.length - 1;
  };
  for (const side of new Set(d.sides)) {
    for (const [key, o] of kept) {
      if (o.side === side) { out.of.set(key, add(d.prefix[side] + o.name, o.base, side)); }
    }
    d.lanes.forEach((name, base) => {
      if (d.sides[base] === side && (by === 'parts' || used.has(base))) {
        out.base.set(base, add(name, base, side));
      }
    });
  }
  const at = base => out.base.has(base) ? out.base.get(base) : -1;
  return Object.assign(out, {
    links: d.links.map(at), ends: d.ends.map(at),
    lane: Int16Array.from(d.events, (e, i) => out.of.has(wanted[i]) ?
      out.of.get(wanted[i]) : at(e[1])),
    to: Int16Array.from(d.events, e => e[2] >= 0 ? at(e[2]) : -1),
  });
}

/* The lanes that get one of their own: in order of appearance, or of number */
function keepBusiest(own, by) {
  const busy = [...own].sort((a, b) => b[1].events - a[1].events);
  const count = new Map();
  const kept = busy.filter(([, o]) => {
    count.set(o.side, (count.get(o.side) || 0) + 1);
    return count.get(o.side) <= MOST_LANES;
  });
  const number = o => Number(o.name.slice(4));
  return new Map(kept.sort((a, b) => by === 'cpus' ? number(a[1]) - number(b[1]) :
    a[1].first - b[1].first));
}

/*
 * When at least one is at work on a lane: [lane, first, last], from d.spans of
 * single ones.  What a task does is on the task's lane.
 */
function atWork(d, l) {
  const all = d.spans.map(([base, a, b]) =>
    [d.events[a][1] === base ? l.lane[a] : l.base.get(base), a, b]);
  all.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const out = [];
  for (const [lane, a, b] of all) {
    const last = out[out.length - 1];
    if (last && last[0] === lane && a <= last[2]) {
      last[2] = Math.max(last[2], b);
    } else {
      out.push([lane, a, b]);
    }
  }
  return out;
}

let lanesBy = 'parts', L = arrangement(D, 'parts', fields), spans = atWork(D, L);
const laneOf = i => L.lane[i];
const toOf = i => L.to[i];
const laneName = i => L.names[L.lane[i]];

function arrange(by) {
  lanesBy = ARRANGEMENTS.includes(by) ? by : 'parts';
  L = arrangement(D, lanesBy, fields);
  spans = atWork(D, L);
  colours();
}
