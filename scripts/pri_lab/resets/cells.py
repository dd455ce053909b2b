# SPDX-License-Identifier: GPL-2.0-or-later
"""The cells of the table of resets: methods, works, who; and which make no sense.

The names are those of tests/guest/lib/cell-method.c, cell-work.c and cell.c, which the
front-end tests compare.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Set

from ..core import near
from ..core.errors import UsageError

# name -> what it is
METHODS: Dict[str, str] = {
    'flr': 'Function Level Reset (PCIe 6.2 6.6.2)',
    'af-flr': 'FLR of the Advanced Features capability',
    'd3hot': 'D3hot and back, without No_Soft_Reset',
    'bus': 'Secondary Bus Reset',
    'rst': 'the firmware\'s _RST',
    'slot': 'all functions of a slot at once (reset_subordinate of the port: a '
            'Secondary Bus Reset)',
    'cxl': 'Secondary Bus Reset below a CXL root port (CXL 3.1 8.1.5.2)',
    'quirk': 'a reset that the kernel has for an identity '
             '(8086:0953, delay_250ms_after_flr)',
    'device': 'a reset that only the function\'s driver knows of (VT-d 7.9)',
    'dpc': 'Downstream Port Containment, and recovery',
    'surprise': 'the cable is pulled, and in again',
    'unplug': 'slot power off, and on again',
    'link': 'the link goes down and comes up',
    's3': 'the whole machine sleeps (suspend to RAM), and wakes up',
    'vfio': 'VFIO_DEVICE_RESET',
    'vfio-hot': 'VFIO_DEVICE_PCI_HOT_RESET',
}
WORKS: Dict[str, str] = {
    'idle': 'a process is bound, nothing is at work',
    'unmap': 'memory is mapped, touched and unmapped without a pause',
    'groups': 'page request groups are outstanding',
    'partial': 'a group is there without its last request',
    'held': 'user space holds a group, and answers it after the reset',
    'exit': 'the process is killed in the reset, with groups outstanding',
    'stop': 'the process ends in the reset: its PASID is stopped',
    'binds': 'another process binds and unbinds without a pause',
    'invalidation': 'an invalidation is outstanding when the reset begins',
    'silent': 'the function answers no invalidation any more, until the reset '
              'is over',
    'attach': 'VFIO attaches a PASID in the reset; in a group of two the RID '
              'of the other function',
    'replace': 'VFIO replaces the page table of a PASID, or of the group, in '
               'the reset',
    'detach': 'VFIO detaches a PASID, or both functions of a group, in the '
              'reset',
    'release': 'the process that has the functions by VFIO ends in the reset',
}
WHO: Dict[str, str] = {
    'function': 'one function, which is reset and works',
    'pf': 'a Physical Function is reset, a Virtual Function works',
    'fails': 'one function; every allocation of the reset fails in turn',
    'neighbour': 'function 0 of a device is reset, function 1 works '
                 '(a group each)',
    'group': 'the same in one IOMMU group, for want of ACS',
    'alias': 'the same, and function 0 has the requester ID of 1 as an alias '
             '(quirk)',
    'bridge': 'two conventional functions, which have the requester ID of the '
              'bridge above them',
    'vf': 'a Virtual Function is reset and works',
    'switch': 'a function below a switch',
    'rmrr': 'a function with a reserved region (RMRR)',
    'few-pasids': 'a function with three PASIDs, all of them in use',
}
_SYSFS = ('flr', 'af-flr', 'd3hot', 'bus', 'rst')
_PORT = ('slot',)                       # by the port above
_OTHER = ('quirk', 'cxl', 'dpc')        # of a function of its own
_GONE = ('surprise', 'unplug', 'link')
_VFIO_METHODS = ('vfio', 'vfio-hot')
_VFIO_WORKS = ('attach', 'replace', 'detach', 'release')
_NO_SVA = ('group', 'alias', 'bridge')
_PAIRS = ('neighbour', *_NO_SVA)
_ONE = ('function', 'fails')            # has every method


def _lacks(method: str, who: str) -> bool:
    """The function has no such method: the kernel refuses, whatever is at
    work."""
    if who == 'bridge':
        return method in ('flr', 'bus', 'rst')
    return (method in ('af-flr', 'rst') and who not in _ONE) or \
        (method == 'd3hot' and who == 'vf') or \
        (method == 'bus' and who in _PAIRS)


class Cell(NamedTuple):
    method: str
    work: str
    who: str

    @property
    def name(self) -> str:
        return f'{self.method}/{self.work}/{self.who}'


def senseless(cell: Cell) -> str:
    """Why a cell makes no sense, or ''."""
    method, work, who = cell
    if who != 'function':
        if method == 's3' and who != 'vf':
            return 'the whole machine sleeps, as with `function`'
        if method in _OTHER:
            return 'the function of this method has no other beside it'
        if method in _GONE and who != 'rmrr':
            return 'its users are gone as well, as with `function`'
        if (method in _VFIO_METHODS or work in _VFIO_WORKS) and \
                who not in _NO_SVA:
            return 'VFIO has the first function, or both of a group, alone'
    if method in _PORT and who in _NO_SVA and work == 'unmap':
        return 'the other function is reset as well, and gives no channel'
    if _lacks(method, who) and work != 'idle':
        return 'the function has not this method, as `idle` shows'
    if who in _NO_SVA and work not in ('idle', 'unmap') + _VFIO_WORKS:
        return 'Linux binds no PASID in a group of several devices'
    if who == 'fails' and (method not in _SYSFS or work != 'idle'):
        return 'every allocation is a reset of its own, with nothing beside'
    if method in _VFIO_METHODS and work not in ('idle', 'unmap') + _VFIO_WORKS:
        return 'the function is VFIO\'s, no process is bound'
    if work == 'release' and method in _VFIO_METHODS:
        return 'nobody is left who could ask for the reset'
    if work in _VFIO_WORKS and method in _OTHER:
        return 'VFIO has another function than this method is of'
    if work in _VFIO_WORKS and method == 's3':
        return 'every process is frozen before the machine sleeps'
    if work in _VFIO_WORKS and \
            method not in _SYSFS + _PORT + _VFIO_METHODS:
        return 'the method needs the driver of the function, VFIO has it'
    if work == 'held' and method in _GONE:
        return 'the file that holds the group is that of the driver, gone'
    return ''


def every() -> List[Cell]:
    """All cells that make sense, what is of most use first."""
    return [c for who in WHO for work in WORKS for method in METHODS
            for c in (Cell(method, work, who),) if not senseless(c)]


def words(only: str) -> List[str]:
    """Of --only."""
    return [x for x in only.split(',') if x]


def select(words: Sequence[str]) -> List[Cell]:
    """Those of --only: METHOD, WORK and WHO, any of them, joined by '/'; a
    cell counts if one word has nothing against it."""
    out: List[Cell] = []
    kinds = (METHODS, WORKS, WHO)
    for word in words:
        want: List[Set[str]] = [set(), set(), set()]
        for part in word.split('/'):
            hits = [w for w, kind in zip(want, kinds) if part in kind]
            if not hits:
                raise near.unknown('method, work or who', part,
                                   [n for k in kinds for n in k])
            for w in hits:
                w.add(part)
        out += [c for c in every() if c not in out and all(
            not w or c[i] in w for i, w in enumerate(want))]
    if words and not out:
        raise UsageError(f'--only {",".join(words)}: no such cell makes sense',
                         'docs/results/resets.md says which do not, and why')
    return out if words else every()
