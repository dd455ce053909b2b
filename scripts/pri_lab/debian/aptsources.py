# SPDX-License-Identifier: GPL-2.0-or-later
"""Which Debian mirror does this machine use?  Reads apt's own sources.

Both formats are understood: one line per source (*.list) and deb822
(*.sources).  What is disabled or commented out does not count.
"""

from __future__ import annotations

import glob
import os
import re
from typing import Dict, Iterable, List, NamedTuple


class Source(NamedTuple):
    """One archive: URI without a trailing slash, suites, components."""
    uri: str
    suites: List[str]
    components: List[str]


def parse_list(text: str) -> List[Source]:
    """Sources of a one-line-per-source file."""
    out = []
    for line in text.splitlines():
        line = line.split('#', 1)[0].strip()
        m = re.match(r'deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s*(.*)$', line)
        if m:
            out.append(Source(m.group(1).rstrip('/'), [m.group(2)],
                              m.group(3).split()))
    return out


def _stanzas(text: str) -> Iterable[Dict[str, str]]:
    """Stanzas of a deb822 file: lower-case field -> folded value."""
    fields: Dict[str, str] = {}
    last = ''
    for line in text.splitlines() + ['']:
        if line.startswith('#'):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ''
        elif line[0] in ' \t':
            if last:
                fields[last] += ' ' + line.strip()
        elif ':' in line:
            name, value = line.split(':', 1)
            last = name.strip().lower()
            fields[last] = value.strip()


def parse_deb822(text: str) -> List[Source]:
    """Sources of a deb822 file; every URI of a stanza becomes one."""
    out = []
    for f in _stanzas(text):
        if f.get('enabled', 'yes').lower() in ('no', 'false', '0', 'off',
                                               'without', 'disable'):
            continue
        if 'deb' not in f.get('types', '').split():
            continue
        for uri in f.get('uris', '').split():
            out.append(Source(uri.rstrip('/'), f.get('suites', '').split(),
                              f.get('components', '').split()))
    return out


def read_host(etc: str = '/etc/apt') -> List[Source]:
    """All sources apt itself would read, in apt's order."""
    out: List[Source] = []
    names = [os.path.join(etc, 'sources.list')]
    names += sorted(glob.glob(os.path.join(etc, 'sources.list.d', '*.list')))
    names += sorted(glob.glob(os.path.join(etc, 'sources.list.d',
                                           '*.sources')))
    for name in names:
        try:
            with open(name, encoding='utf-8', errors='replace') as f:
                text = f.read()
        except OSError:
            continue
        out += (parse_deb822 if name.endswith('.sources')
                else parse_list)(text)
    return out


_SUITES = {'stable', 'oldstable', 'testing', 'unstable', 'sid'}


def mirrors(sources: List[Source], codename: str) -> List[str]:
    """URIs that carry a whole Debian archive, best first, each once.

    A security archive or a third party's repository has other suites and
    does not count.
    """
    wanted = _SUITES | {codename, codename + '-updates',
                        codename + '-backports'}
    out: List[str] = []
    for s in sources:
        scheme = s.uri.split(':', 1)[0]
        if scheme in ('cdrom', 'copy') or 'main' not in s.components:
            continue
        if any(x in wanted for x in s.suites) and s.uri not in out:
            out.append(s.uri)
    return out
