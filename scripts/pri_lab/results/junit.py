# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as JUnit XML, for CI servers: `--junit FILE`.

A suite is a program (or a kernel and a program); a case is a test point.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Iterable, List, NamedTuple

from ..core import cache
from .ktap import FAIL, NOT_RUN, SKIP, Result

# what XML 1.0 cannot hold, not even escaped
_ILLEGAL = re.compile('[^\t\n\r\u0020-\ud7ff\ue000-\ufffd'
                      '\U00010000-\U0010ffff]')


class Suite(NamedTuple):
    name: str
    results: List[Result]
    seconds: float = 0.0        # of the whole program
    output: str = ''            # what it said; kept if something failed


def _clean(text: str) -> str:
    return _ILLEGAL.sub('?', text)


def tree(suites: Iterable[Suite]) -> ET.Element:
    top = ET.Element('testsuites', name='pri-lab')
    totals = {'tests': 0, 'failures': 0, 'skipped': 0}
    for s in suites:
        failed = sum(r.status == FAIL for r in s.results)
        # the format has no word for what was not run
        skipped = sum(r.status in (SKIP, NOT_RUN) for r in s.results)
        e = ET.SubElement(top, 'testsuite', name=_clean(s.name),
                          tests=str(len(s.results)), failures=str(failed),
                          errors='0', skipped=str(skipped),
                          time=f'{s.seconds:.3f}')
        for r in s.results:
            case = ET.SubElement(e, 'testcase', name=_clean(r.name),
                                 classname=_clean(s.name))
            if r.status == FAIL:
                ET.SubElement(case, 'failure',
                              message=_clean(r.reason or 'failed'))
            elif r.status in (SKIP, NOT_RUN):
                ET.SubElement(case, 'skipped', message=_clean(r.reason))
        if failed and s.output:
            ET.SubElement(e, 'system-out').text = _clean(s.output)
        totals['tests'] += len(s.results)
        totals['failures'] += failed
        totals['skipped'] += skipped
    for name, value in totals.items():
        top.set(name, str(value))
    return top


def write(path: str, suites: Iterable[Suite]) -> None:
    data = ET.tostring(tree(suites), encoding='utf-8', xml_declaration=True)
    cache.write_atomic(path, data + b'\n')
