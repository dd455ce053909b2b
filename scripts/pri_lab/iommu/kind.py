# SPDX-License-Identifier: GPL-2.0-or-later
"""A kind of machine is a file: its IOMMU's name, options, words, events, tests.

Each .toml here is one, called by its name without the ending (vtd).  A file of
the user's own is given by its path.  It is read and checked here and nowhere
else, so an error names the file and the key.  Every key must be there:

    name                what messages call it
    qemu.device         the IOMMU's -device
    qemu.options        its properties in every machine
    qemu.plain          those of a machine that `bench` compares with stock QEMU
    qemu.ats            what gives such a machine ATS
    qemu.only_ours      of the options, what stock QEMU does not know
    qemu.platforms      values of its property platform, permissive first
    qemu.qtests         QEMU's own tests of it
    qemu.cpu            kvm, tcg: -cpu
    kernel.append       words for the kernel command line that turn it on
    kernel.accel        kvm, tcg: words that go with the CPU
    kernel.needs        option of the configuration = what it is for
    log.inv_timeout     regular expression: an invalidation timed out
    log.fault           regular expression: a DMA was refused
    trace.prefix        how events of QEMU begin that have no row
    trace.record        patterns of events of QEMU that are recorded
    trace.noise         events of QEMU that are left out
    trace.qemu          event = { kind, lane, to, level }; to and level may lack
    trace.guest         the same of the guest's kernel
    tests.qtest         patterns of the qtests that are for it
    tests.guest         patterns of the guest's programs that are for it
"""

from __future__ import annotations

import fnmatch
import functools
import os
import re
import tomllib
from typing import Any, Dict, List, NamedTuple, Tuple

from ..core.errors import LabError

HERE = os.path.dirname(os.path.realpath(__file__))
ENDING = '.toml'
DEFAULT = 'vtd'
LANES = ('log', 'process', 'prq', 'fault', 'qi', 'iommu', 'link', 'endpoint')
LEVELS = ('normal', 'warning', 'violation')
ACCELS = ('kvm', 'tcg')


class Row(NamedTuple):
    """An event: its kind, its lane, where the message arrives, how bad."""

    kind: str
    lane: str
    to: str = ''
    level: int = 0


class Kind(NamedTuple):
    name: str
    device: str
    options: str
    plain: str
    ats: str
    only_ours: str
    platforms: Tuple[str, ...]
    qtests: Tuple[str, ...]
    cpu: Dict[str, str]
    append: str
    accel: Dict[str, str]
    needs: Dict[str, str]
    inv_timeout: re.Pattern
    fault: re.Pattern
    prefix: str
    record: Tuple[str, ...]
    noise: Tuple[str, ...]
    qemu_events: Dict[str, Row]
    guest_events: Dict[str, Row]
    our_qtests: Tuple[str, ...]
    guest_programs: Tuple[str, ...]

    @property
    def argument(self) -> str:
        """For -device."""
        return f'{self.device},{self.options}'

    @property
    def stock(self) -> str:
        """The same, as far as stock QEMU knows it."""
        mine = self.only_ours.split(',')
        return ','.join(x for x in self.argument.split(',') if x not in mine)

    def words(self, accel: str) -> str:
        """For the kernel command line."""
        return f'{self.append} {self.accel[accel]}'.strip()

    def has_qtest(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, p) for p in self.our_qtests)

    def has_program(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, p) for p in self.guest_programs)


class _Table:
    """A table of the file that takes its keys out one by one."""

    def __init__(self, path: str, data: Dict[str, Any], at: str = ''):
        self._path = path
        self._data = data
        self._at = at
        self._seen: List[str] = []
        self._below: List[_Table] = []

    def wrong(self, key: str, what: str) -> LabError:
        return LabError(f'{self._path}: {self._at}{key}: {what}',
                        'scripts/pri_lab/iommu/kind.py says what each key '
                        'means, vtd.toml is an example')

    def _take(self, key: str, kind: type, what: str) -> Any:
        self._seen.append(key)
        if key not in self._data:
            raise self.wrong(key, 'is missing')
        value = self._data[key]
        if not isinstance(value, kind):
            raise self.wrong(key, f'must be {what}')
        return value

    def text(self, key: str) -> str:
        return self._take(key, str, 'a string')

    def texts(self, key: str) -> Tuple[str, ...]:
        value = self._take(key, list, 'a list of strings')
        if not all(isinstance(x, str) for x in value):
            raise self.wrong(key, 'must be a list of strings')
        return tuple(value)

    def pattern(self, key: str) -> re.Pattern:
        try:
            return re.compile(self.text(key))
        except re.error as e:
            raise self.wrong(key, f'is no regular expression: {e}') from None

    def table(self, key: str) -> '_Table':
        below = _Table(self._path, self._take(key, dict, 'a table'),
                       f'{self._at}{key}.')
        self._below.append(below)
        return below

    def each(self) -> Dict[str, str]:
        """A table of strings under any names."""
        return {key: self.text(key) for key in self._data}

    def by_accel(self) -> Dict[str, str]:
        return {key: self.text(key) for key in ACCELS}

    def rows(self) -> Dict[str, Row]:
        return {key: self._row(key) for key in self._data}

    def _row(self, name: str) -> Row:
        t = self.table(name)
        lane, to = t.text('lane'), t.text('to') if 'to' in t._data else ''
        level = t.text('level') if 'level' in t._data else LEVELS[0]
        for key, value, known in (('lane', lane, LANES), ('to', to, LANES),
                                  ('level', level, LEVELS)):
            if value and value not in known:
                raise t.wrong(key, f'{value!r} is none of '
                              + ', '.join(known))
        return Row(t.text('kind'), lane, to, LEVELS.index(level))

    def done(self) -> None:
        """Nothing must be left over: it would be a word misspelt."""
        for key in self._data:
            if key not in self._seen:
                raise self.wrong(key, 'there is no such key')
        for t in self._below:
            t.done()


def parse(path: str, data: Dict[str, Any]) -> Kind:
    """The kind that a file describes; LabError names the key."""
    top = _Table(path, data)
    name = top.text('name')
    qemu, kernel = top.table('qemu'), top.table('kernel')
    said, trace, tests = (top.table(x) for x in ('log', 'trace', 'tests'))
    kind = Kind(
        name, qemu.text('device'), qemu.text('options'), qemu.text('plain'),
        qemu.text('ats'), qemu.text('only_ours'), qemu.texts('platforms'),
        qemu.texts('qtests'), qemu.table('cpu').by_accel(),
        kernel.text('append'), kernel.table('accel').by_accel(),
        kernel.table('needs').each(), said.pattern('inv_timeout'),
        said.pattern('fault'), trace.text('prefix'), trace.texts('record'),
        trace.texts('noise'), trace.table('qemu').rows(),
        trace.table('guest').rows(), tests.texts('qtest'),
        tests.texts('guest'))
    top.done()
    return kind


def names() -> List[str]:
    """Kinds that come with pri-lab."""
    return sorted(n[:-len(ENDING)] for n in os.listdir(HERE)
                  if n.endswith(ENDING))


def place(which: str) -> str:
    """The file of a kind: of a name, or the path itself; LabError if there is
    none."""
    path = os.path.join(HERE, which + ENDING)
    if which in names():
        return path
    path = os.path.realpath(os.path.expanduser(which))
    if os.path.isfile(path):
        return path
    raise LabError(f'--iommu {which}: there is no such kind of machine, and '
                   'no such file', f'there are: {", ".join(names())}')


@functools.lru_cache(maxsize=None)
def _read(path: str) -> Kind:
    try:
        with open(path, 'rb') as f:
            data = tomllib.load(f)
    except tomllib.TOMLDecodeError as e:
        raise LabError(f'{path}: not TOML: {e}') from None
    except OSError as e:
        raise LabError(f'{path}: {e.strerror}') from None
    return parse(path, data)


def load(which: str = '') -> Kind:
    """A kind by name or path; '' is DEFAULT."""
    return _read(place(which or DEFAULT))
