# SPDX-License-Identifier: GPL-2.0-or-later
"""A hit as people read it, and a page of it for docs/findings."""

from __future__ import annotations

import re
from typing import Dict, List, Sequence

from . import trace
from .hit import Hit
from .machine import Run, Stage
from .plan import Slice

SHOWN = 14                      # lines of a splat
EVENTS = 40                     # lines of a timeline
_REGISTERS = re.compile(r'\s*(Code: [0-9a-f]{2} |'
                        r'(?!RIP)[A-Z][A-Z0-9]{1,2}:  ?[0-9a-f]{4})')
_TEXT = {'pr': 'page request', 'resp': 'PRG Response',
         'inv': 'Invalidate Request', 'cpl': 'Invalidate Completion',
         'tr': 'Translation Completion', 'prq': 'a request is written to the '
         'page request queue', 'desc': 'a descriptor is executed',
         'wait': 'a wait descriptor reports', 'msi': 'MSI',
         'dma': 'DMA write', 'timer': 'timer', 'bh': 'work of the device',
         'pd': 'a wait with PD=1 begins to wait'}


def who(cpu: int, task: str = '') -> str:
    return f'CPU {cpu}' + (f' ({task})' if task else '')


def point_text(p: Dict) -> str:
    """CPU 1 (unbind) goes last after the read at f+0x12, list.h:175"""
    if 'symbol' not in p:
        return f'{p["word"]}'
    what = 'lock operation in' if p.get('kind') == 'l' else \
        ('write at' if p.get('write') else 'read at')
    line = f', {p["line"]}' if p.get('line') else ''
    to = p['word'].partition('>')[2]
    turn = f'CPU {to} goes next' if to else 'goes last'
    when = 'before' if p.get('before') or p.get('kind') == 'l' else 'after'
    return (f'{who(p["cpu"], p.get("task", ""))} {turn} {when} its {what} '
            f'{p["symbol"]}+0x{p["offset"]:x}{line} (execution {p["count"]}, '
            f'{p["word"]})')


def slice_text(s: Slice) -> str:
    return f'CPUs in the order {s.order}, until one has executed {s.n:,} ' \
        f'instructions in a row ({s.word()})'


def event_text(e: Dict) -> str:
    """each PRG Response comes 20000 instructions later (resp=+20000)"""
    name = _TEXT.get(e['kind'], e['kind'])
    which = f'{name} {e["n"]}' if e['n'] else f'each "{name}"'
    when = e['when']
    at = e.get('at')
    if when == 'now':
        text = 'at once'
    elif when.startswith('+'):
        text = f'{when[1:]} instructions later'
    elif when == 'idle':
        text = 'when no CPU can run'
    elif at and 'symbol' in at:
        line = f', {at["line"]}' if at.get('line') else ''
        text = f'when {who(at["cpu"], at.get("task", ""))} has been at ' \
            f'{at["symbol"]}+0x{at["offset"]:x}{line} (execution ' \
            f'{at["count"]})'
    elif at:
        text = f'when CPU {at["cpu"]} has reached {when}'
    else:
        kind, _, n = when.partition('#')
        text = f'after "{_TEXT.get(kind, kind)}" {n}'
    return f'{which} comes {text} ({e["word"]})'


def race_text(run: Run, points: List[Dict], stage: Stage) -> List[str]:
    """Accesses of others to the place that a point is about: the one before it
    and the first one after."""
    out = []
    touched = trace.touches(trace.racing(run.records))
    for p in points:
        here = next((i for i, r in enumerate(touched)
                     if r.actor == p['cpu'] and r.n == p['n']
                     and r.kind == trace.ACCESS), None)
        if here is None or p.get('kind') == 'l':
            continue
        mine = touched[here]
        later = next((r for r in touched[here + 1:] if r.place == mine.place
                      and r.actor != mine.actor
                      and (r.write or mine.write)), None)
        out.append(f'{p["symbol"]}+0x{p["offset"]:x} touches '
                   f'{mine.addr:x}' + (
                       f'; then {access_text(later, stage)}' if later else
                       '; nobody else does before the splat'))
    return out


def access_text(r: trace.Record, stage: Stage) -> str:
    verb = 'writes' if r.write else 'reads'
    if r.actor == trace.DEVICE:
        return f'the device {verb} it ({_TEXT.get(r.event, r.event)})'
    line = stage.symbols.line(r.pc)
    return f'CPU {r.actor} {verb} it at {stage.symbols.text(r.pc)}' + (
        f', {line}' if line else '')


def record_text(r: trace.Record, stage: Stage) -> str:
    """One record of a trace, whatever it is."""
    if r.kind == trace.MARK:
        what = f'mark {r.what} {r.value}'
    elif r.kind == trace.SWITCH:
        what = f'goes to CPU {r.actor}'
    elif r.kind == trace.LOCK:
        what = f'lock operation {chr(r.what)} at {stage.symbols.text(r.pc)}'
    elif r.kind in (trace.SENT, trace.DELIVERED):
        what = f'{_TEXT.get(r.event, r.event)} {r.n} ' + (
            'sent' if r.kind == trace.SENT else 'delivered')
    else:
        what = f'{"writes" if r.write else "reads"} {r.addr:x} ' \
            f'(physical {r.phys:x}, {r.more} bytes, value {r.value:x}) ' \
            f'as {r.event or "access"} {r.n}' + (
                '' if r.actor == trace.DEVICE else
                f' at {stage.symbols.text(r.pc)}')
    return f'{r.icount:>12,}  ' + (
        'device' if r.actor == trace.DEVICE else f'CPU {r.actor}') \
        + f'  task {r.task:x}  {what}'


def timeline(run: Run, stage: Stage) -> List[str]:
    """Switches and device events, with the function a vCPU was in."""
    out = []
    at: Dict[int, str] = {}
    cpu = -1
    for r in trace.racing(run.records):
        if r.kind == trace.ACCESS and r.actor != trace.DEVICE:
            name = stage.symbols.find(r.pc)[0]
            if r.actor != cpu or at.get(r.actor) is None:
                cpu = r.actor
                out.append(f'{r.icount:>12,}  CPU {cpu}  {name}')
            at[r.actor] = name
        elif r.kind in (trace.SENT, trace.DELIVERED) and \
                r.event in ('pr', 'resp', 'prq', 'pd', 'wait'):
            held = ', held' if r.flags & trace.HELD else ''
            word = 'sent' if r.kind == trace.SENT else 'delivered'
            out.append(f'{r.icount:>12,}  device {_TEXT[r.event]} {r.n} '
                       f'{word}{held}')
    if len(out) > EVENTS:
        half = EVENTS // 2
        out = out[:half] + [f'{"":12}  ... {len(out) - EVENTS} more ...'] + \
            out[-half:]
    return out


def plan_text(hit: Hit) -> List[str]:
    """Its slices, points and the device events it holds, in words."""
    out = [slice_text(s) for s in hit.parsed.slices]
    out += [point_text(p) for p in hit.points]
    told = hit.fields.get('events') or [
        dict(e._asdict(), word=e.word()) for e in hit.parsed.events]
    out += [event_text(e) for e in told]
    return out or [f'no point and no event held: `{hit.plan}` is enough']


def shown(text: Sequence[str]) -> List[str]:
    """The first lines of a splat, without the bytes and registers in it."""
    return [x for x in text if not _REGISTERS.match(x)][:SHOWN]


def hit_lines(hit: Hit) -> List[str]:
    """For the terminal."""
    f = hit.fields
    out = [f'{hit.scenario} on {hit.kernel}: {hit.sign}'
           + (f', known: {f["page"]}' if f.get('page') else '')]
    out.append(f'  plan: {hit.plan}')
    out += [f'  {x}' for x in plan_text(hit)]
    out += [f'  {x}' for x in f.get('races', ())]
    seen, of = f.get('replay', (0, 0))
    ways = f.get('ways', 1)
    out.append(f'  replayed: {seen} of {of}, '
               + ('one hash' if ways == 1 else f'{ways} hashes') + '; found at '
               f'schedule {f.get("found", "?")}, shrunk in '
               f'{f.get("shrunk", "?")} runs')
    out += ['    ' + x for x in shown(f.get('text', ()))]
    return out


def where(hit: Hit) -> str:
    """A sign may be written up for one scenario and new in another one."""
    known = hit.fields.get('page')
    return f'{hit.scenario} on {hit.kernel}' + (f' (known: {known})' if known
                                                else '')


def page(hits: List[Hit], path_of: Dict[Hit, str]) -> str:
    """One page of a distinct bug, from its hits in several scenarios."""
    first = min(hits, key=lambda h: (
        len(h.parsed.points + h.parsed.slices), len(h.plan)))
    f = first.fields
    out = [f'# {first.sign}', '',
           f'Found by `./pri-lab explore {first.scenario}` on Linux '
           f'{f.get("release") or first.kernel} ({first.kernel}), with '
           'nothing said about what to look for.', '']
    for text in sorted({h.fields['page'] for h in hits
                        if h.fields.get('page')}):
        out += [f'Known: {text}, by what is seen in '
                + ', '.join(sorted(f'{h.scenario} on {h.kernel}' for h in hits
                                   if h.fields.get('page') == text)) + '.',
                '']
    out += ['## To see it', '',
            f'    ./pri-lab repro {path_of[first]}', '',
            'or with the plan alone:', '',
            f'    ./pri-lab explore {first.scenario} --kernel {first.kernel} '
            f"--plan '{first.plan}'", '']
    out += ['## Order of events', '']
    out += [f'- {x}' for x in plan_text(first)]
    out += [f'- {x}' for x in f.get('races', ())]
    if f.get('timeline'):
        out += ['', '```', *f['timeline'], '```']
    out += ['', '## What the kernel says', '', '```', *f.get('text', ())[:40],
            '```', '', '## Seen in', '',
            '| scenario | kernel | plan | replayed |', '|---|---|---|---|']
    for h in sorted(hits, key=lambda h: (h.scenario, h.kernel)):
        seen, of = h.fields.get('replay', (0, 0))
        out.append(f'| {h.scenario} | {h.kernel} | `{h.plan}` | {seen} of '
                   f'{of} |')
    return '\n'.join(out) + '\n'
