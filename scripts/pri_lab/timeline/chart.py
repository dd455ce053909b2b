# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `timeline`: which log, which events, page or text."""

from __future__ import annotations

import os
import sys
from typing import Dict, Iterable, List, Optional, Set

from . import beside, chrometrace, svg, timeline
from ..core import cache, near
from ..core.errors import LabError, UsageError
from ..machine import events, record

RACE = 'race'                   # --from


def _find(path: str) -> str:
    if not os.path.isdir(path):
        return path
    logs = [x for x in sorted(os.listdir(path))
            if x.endswith(record.SUFFIX)]
    if len(logs) != 1:
        raise UsageError(f'{path}: {len(logs) or "no"} recordings in it',
                         'name the file' if logs else
                         'record one: ./pri-lab run JOB --record')
    return os.path.join(path, logs[0])


def _beside(path: str) -> str:
    """Where the page of a log goes: the cache is ours to write, nothing else
    but the current directory."""
    page = os.path.splitext(os.path.realpath(path))[0] + '.html'
    if page.startswith(os.path.realpath(cache.root()) + os.sep):
        return page
    return os.path.basename(page)


def _title(merged: record.Merged) -> str:
    words = [str(merged.head.get(k, '')) for k in ('job', 'args')]
    text = ' '.join(x for x in words if x) or 'timeline'
    verdict = merged.head.get('verdict')
    return f'{text} \u2013 {verdict}' if verdict else text


def _begins(merged: record.Merged) -> float:
    """When the race begins, in ms after the first event."""
    for e in merged.events:
        if e['kind'] == 'mark' and e.get('text') == beside.BEGINS:
            return (e['t'] - merged.events[0]['t']) / 1e6
    raise LabError('there is no race in this log',
                   'record one: ./pri-lab repro NAME --record')


def _during(merged: record.Merged, since: Optional[float],
            until: Optional[float]) -> record.Merged:
    """The part between two times in ms after the first event."""
    if (since is None and until is None) or not merged.events:
        return merged
    start = merged.events[0]['t']
    low = start + (since or 0) * 1e6
    high = start + until * 1e6 if until is not None else float('inf')
    body = [e for e in merged.events if low <= e['t'] <= high]
    if not body:
        last = (merged.events[-1]['t'] - start) / 1e6
        raise LabError(f'there is no event in that time: the log ends after '
                       f'{last:,.3f} ms')
    return record.Merged(merged.head, body)


def _there(merged: record.Merged, key: str) -> str:
    """What --KEY could have been, for this log."""
    values: Set[str] = set()
    for e in merged.events:
        have = e.get(key)
        values.update(str(x) for x in
                      (have if isinstance(have, list) else [have])
                      if x is not None)
    names = sorted(values, key=lambda v: (len(v), v))
    return f'--{key} of this log: ' + \
        (' '.join(near.some(names)) or 'no event has one')


def _only(merged: record.Merged, wanted: Dict[str, List[str]],
          title: str) -> timeline.Chart:
    chart = timeline.Chart(merged, title)
    if not wanted:
        return chart
    # one that the log lacks may be in another log
    near.need('kind of event', wanted.get('kind', []),
              events.kinds() + [e['kind'] for e in merged.events])
    body = [e for _, e in timeline.choose(chart, wanted)]
    if not body:
        raise LabError('no event matches ' + ' '.join(
            f'--{k} {",".join(v)}' for k, v in wanted.items()),
            '\n'.join(_there(merged, key) for key in wanted))
    return timeline.Chart(record.Merged(merged.head, body), title)


def _load(opts, path: str, repo: str) -> timeline.Chart:
    """What is asked for of a recording."""
    merged = record.load(_find(path), repo)
    since = _begins(merged) if opts.since == RACE else opts.since
    merged = _during(merged, since, opts.until)
    wanted = {k: getattr(opts, k).split(',') for k in timeline.FILTERS
              if getattr(opts, k)}
    return _only(merged, wanted, opts.title or _title(merged))


def _both(opts, chart: timeline.Chart, repo: str
          ) -> beside.Beside:
    names = (opts.names or 'A,B').split(',')
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise UsageError(f'--names {opts.names}: two names are wanted',
                         'as in --names 7.3,7.3+fix')
    other = _load(opts, opts.other, repo)
    title = opts.title or f'{chart.title} | {other.title}'
    return beside.Beside(chart, other, (names[0], names[1]), title)


def _print(lines: Iterable[str]) -> None:
    try:
        for line in lines:
            sys.stdout.write(line + '\n')
        sys.stdout.flush()
    except BrokenPipeError:             # | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lines(opts, chart: timeline.Chart) -> Iterable[str]:
    if isinstance(chart, beside.Beside):
        return beside.listing(chart)
    return timeline.listing(chart) if opts.list else timeline.text(chart)


def _file(chart: timeline.Chart, out: str) -> str:
    """The text of a file with that ending."""
    if isinstance(chart, beside.Beside) and \
            out.endswith((record.SUFFIX, '.json')):
        raise UsageError(f'-o {out}: two recordings are no log',
                         'a page, .svg, --text or --list shows them')
    if out.endswith(record.SUFFIX):
        head = dict(chart.head, events=len(chart.events))
        return ''.join(x + '\n' for x in record.Merged(
            head, chart.events).lines())
    if out.endswith('.json'):
        return chrometrace.text(chart)
    if out.endswith('.svg'):
        return svg.text(chart)
    if out.endswith('.png'):
        raise UsageError(f'-o {out}: no PNG without a browser',
                         'write an .svg; or draw the page and press P in it')
    return timeline.page(chart)


def run(opts, repo: str, ui) -> int:
    """opts: the request of the command."""
    path = _find(opts.log)
    if opts.names and not opts.other:
        raise UsageError('--names without --with',
                         'name the second recording: --with LOG')
    chart = _load(opts, path, repo)
    if opts.other:
        chart = _both(opts, chart, repo)
    if opts.text or opts.list:
        _print(_lines(opts, chart))
        return 0
    out = opts.output or _beside(path)
    cache.write_atomic(os.path.abspath(out), _file(chart, out).encode())
    ui.result(out)
    for line in chart.summary():
        ui.say(line)
    return 0
