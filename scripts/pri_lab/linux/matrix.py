# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernels the lab knows by name: guest/kernel/matrix, read and checked.

The file says what the words mean; this module turns a section into an Entry
and complains about anything it does not understand, with the line's section.
"""

from __future__ import annotations

import configparser
import os
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ..core.errors import LabError

FILE = os.path.join('guest', 'kernel', 'matrix')
_KINDS = {'deb': 3, 'src': 3, 'stock': 2}       # words of a source line
_KEYS = ('sources', 'note', 'lacks', 'all', 'without', 'with',
         'make')
# what a kernel may lack; tests/guest/lib/pt.c says what each means, but the
# last one, which is the host's (reproduce/runner.py): it needs more memory
LACKS = ('sva', 'iopf-dequeue', 'ite-retry', 'small-pasid-table')


_VERSION = re.compile(r'(\d+\.\d+)\.\d+$')
_LACK = re.compile(r'([a-z-]+)(?:\((\d[\d.]*)?-(\d[\d.]*)?\))?$')


class Lack(NamedTuple):
    """What kernels from version `first` to `last` have not; '' is no end."""
    what: str
    first: str = ''
    last: str = ''

    def holds(self, version: str) -> bool:
        """version: upstream or Debian's; '': the newest, whichever that is."""
        if not version:
            return not self.last
        v = version_key(version.split('-')[0])
        return not (self.first and v < version_key(self.first) or
                    self.last and v > version_key(self.last))


class Source(NamedTuple):
    kind: str               # deb, src or stock
    suite: str              # of the Debian archive
    name: str               # package, or series; '' for stock

    def __str__(self) -> str:
        package = {'deb': self.name, 'src': f'linux {self.name}',
                   'stock': 'linux-image'}[self.kind]
        return f'{package} in {self.suite}'


class Entry(NamedTuple):
    name: str
    sources: List[Source]
    note: str
    in_all: bool
    without: Dict[str, str]         # CONFIG_X -> why it may be lost
    extra: Dict[str, str]           # 'CONFIG_X=y' -> why it is added
    make: Dict[str, str]            # 'VARIABLE=x' for make -> why
    lacks: List[Lack]
    version: str = ''               # this one of the series alone: '7.1.3'

    def fits(self, version: str) -> bool:
        """Whether a Debian version of the series is what is wanted."""
        return not self.version or \
            version.split('-')[0] == self.version

    def lacking(self, version: str) -> List[str]:
        """What a version of it lacks, of LACKS."""
        return [x.what for x in self.lacks if x.holds(version)]

    @property
    def stock(self) -> bool:
        return self.sources[0].kind == 'stock'


def _bad(section: str, what: str) -> LabError:
    return LabError(f'{FILE}: [{section}]: {what}')


def _sources(section: str, text: str) -> List[Source]:
    out = []
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if _KINDS.get(words[0]) != len(words):
            raise _bad(section, f'no source: {line.strip()}')
        out.append(Source(*(words + [''])[:3]))
    if not out:
        raise _bad(section, 'no sources')
    if len({s.kind == 'stock' for s in out}) != 1:
        raise _bad(section, 'stock and built sources do not mix')
    return out


def _reasons(section: str, text: str, pattern: str) -> Dict[str, str]:
    """Lines `WORD: reason`, WORD of a certain shape."""
    out = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        word, _, reason = line.strip().partition(': ')
        if not re.fullmatch(pattern, word) or not reason.strip():
            raise _bad(section, f'not `OPTION: reason`: {line.strip()}')
        out[word] = reason.strip()
    return out


def parse(text: str) -> Dict[str, Entry]:
    """Name -> entry, in the order of the file; LabError if it is wrong."""
    p = configparser.ConfigParser(interpolation=None, delimiters=('=',))
    try:
        p.read_string(text)
    except configparser.Error as e:
        raise LabError(f'{FILE}: {str(e).splitlines()[0]}') from None
    out = {}
    for name in p.sections():
        s = p[name]
        for key in s:
            if key not in _KEYS:
                raise _bad(name, f'unknown word {key}')
        if s.get('all', 'yes') not in ('yes', 'no'):
            raise _bad(name, 'all is yes or no')
        out[name] = Entry(
            name, _sources(name, s.get('sources', '')),
            ' '.join(s.get('note', '').split()), s.get('all', 'yes') == 'yes',
            _reasons(name, s.get('without', ''), r'CONFIG_\w+'),
            _reasons(name, s.get('with', ''), r'CONFIG_\w+=\S+'),
            _reasons(name, s.get('make', ''), r'[\w.]+=\S+'),
            [_lack(name, x) for x in s.get('lacks', '').split()],
            name if _VERSION.match(name) else '')
    return out


def _lack(section: str, text: str) -> Lack:
    m = _LACK.match(text)
    if not m or m.group(1) not in LACKS:
        raise _bad(section, f'lacks {text}: there is only '
                   + ', '.join(LACKS) + ', each with (FROM-TO) or without')
    return Lack(m.group(1), m.group(2) or '', m.group(3) or '')


def lookup(entries: Dict[str, Entry], name: str) -> Optional[Entry]:
    """The entry of that name; of a released version ('7.1.5') that has no
    section the one of its series, for that version alone."""
    m = _VERSION.match(name)
    if name in entries or not m or m.group(1) not in entries:
        return entries.get(name)
    return entries[m.group(1)]._replace(name=name, version=name, in_all=False)


def load(repo: str) -> Dict[str, Entry]:
    with open(os.path.join(repo, FILE), encoding='utf-8') as f:
        return parse(f.read())


def select(entries: Dict[str, Entry], words: str) -> List[str]:
    """Names that `all` or `6.12,7.3` stands for; what is no name of ours
    (a path) stays as it is."""
    out: List[str] = []
    for word in words.split(','):
        for name in ([e.name for e in entries.values() if e.in_all]
                     if word == 'all' else [word]):
            if name and name not in out:
                out.append(name)
    return out


def split_list(value: str) -> bool:
    """Whether --kernel names several kernels."""
    return value == 'all' or ',' in value


def version_key(version: str) -> Tuple:
    """Sort key of a Debian version: numbers by value, ~ before the end."""
    parts = re.findall(r'\d+|~|[^\d~]+', version)
    return tuple((0, 0, '') if p == '~' else (3, int(p), '')
                 if p.isdigit() else (2, 0, p) for p in parts) + ((1, 0, ''),)
