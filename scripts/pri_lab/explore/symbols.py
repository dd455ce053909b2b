# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions and lines of a guest kernel, and what the machine needs of it."""

from __future__ import annotations

import bisect
import os
import re
import subprocess
import tempfile
from typing import Dict, FrozenSet, List, Optional, Set, Tuple

from ..core.errors import LabError
from ..linux import bugkernel

# Objects of the kernel's build, by the name that --focus takes
GROUPS = {
    'iommu': ('drivers/iommu',),
    'vfio': ('drivers/vfio',),
    'pci': ('drivers/pci',),
    'mm': ('mm/memory.o', 'mm/mmu_notifier.o', 'mm/mmap.o'),
    'workqueue': ('kernel/workqueue.o',),
}
RANGES = 512                    # that the machine takes
_LONGEST = 0x10000              # bytes of a function, more is a gap
_NOT_CODE = re.compile(r'^(__pfx_|asan\.|__asan|_sub_[ID])')
# Functions that take (a) a lock, try to (t), give it (r): the lock is their
# first argument
LOCKS = {
    'mutex_lock_nested': 'a', 'mutex_lock': 'a', 'mutex_unlock': 'r',
    'mutex_trylock': 't', 'down_read': 'a', 'up_read': 'r',
    'down_write': 'a', 'up_write': 'r', '_raw_spin_lock': 'a',
    '_raw_spin_unlock': 'r', '_raw_spin_lock_irqsave': 'a',
    '_raw_spin_unlock_irqrestore': 'r', '_raw_spin_lock_irq': 'a',
    '_raw_spin_unlock_irq': 'r', '_raw_spin_trylock': 't',
}


def _nm(*args: str) -> str:
    return subprocess.run(['nm', *args], capture_output=True,
                          encoding='utf-8', errors='replace',
                          check=False).stdout


class Symbols:
    """Of a vmlinux; build: the build of the kernel it came from, or None."""

    def __init__(self, vmlinux: str, build: Optional[str]):
        self.vmlinux = vmlinux
        self.build = build
        self._names: List[str] = []
        self._addrs: List[int] = []
        self._by: Dict[str, int] = {}
        self.data: Dict[str, int] = {}
        for line in _nm('-n', vmlinux).splitlines():
            words = line.split(None, 2)
            if len(words) != 3 or words[1] not in 'tTdDbB':
                continue
            if words[1] in 'tT':
                self._addrs.append(int(words[0], 16))
                self._names.append(words[2])
                self._by.setdefault(words[2], int(words[0], 16))
            else:
                self.data.setdefault(words[2], int(words[0], 16))
        self._owners: Optional[Dict[str, str]] = None
        self._lines: Dict[str, str] = {}
        if not self._addrs:
            raise LabError(f'{vmlinux} has no symbols', 'explore needs a '
                           'vmlinux, such as those that are built here')

    # -- addresses ------------------------------------------------------------

    def find(self, pc: int) -> Tuple[str, int]:
        """Function, offset in it."""
        i = bisect.bisect_right(self._addrs, pc) - 1
        return (self._names[i], pc - self._addrs[i]) if i >= 0 else ('?', pc)

    def text(self, pc: int) -> str:
        name, offset = self.find(pc)
        return f'{name}+0x{offset:x}'

    def address(self, name: str) -> Optional[int]:
        return self._by.get(name)

    # -- focus ----------------------------------------------------------------

    def owners(self) -> Dict[str, str]:
        """Functions of the kernel's own objects -> object, for GROUPS and
        whatever directory or object was asked for before."""
        if self._owners is None:
            self._owners = {}
        return self._owners

    def functions(self, word: str) -> Set[str]:
        """What a word of --focus means: one of GROUPS, a directory or an
        object of the build, or a function."""
        if word in self._by:
            return {word}
        names: Set[str] = set()
        for part in GROUPS.get(word, (word,)):
            for path in self._objects(part):
                mine = {w[2] for w in (x.split() for x in
                                       _nm(path).splitlines())
                        if len(w) == 3 and w[1] in 'tT'
                        and not _NOT_CODE.match(w[2])}
                for name in mine:
                    self.owners().setdefault(name, path)
                names |= mine
        if not names:
            raise LabError(f'--focus {word}: there is no such function, object '
                           'or directory in this kernel', 'groups: '
                           + ' '.join(sorted(GROUPS)))
        return names

    def _objects(self, part: str) -> List[str]:
        top = os.path.join(self.build or '', part)
        if os.path.isfile(top):
            return [top]
        out = []
        for d, _, files in os.walk(top):
            # a directory's own objects only: vmlinux.o, x.o of many are sums
            out += [os.path.join(d, f) for f in files if f.endswith('.o')
                    and os.path.exists(os.path.join(d, f'.{f}.cmd'))]
        return sorted(out)

    def named(self, words: List[str]) -> FrozenSet[str]:
        """All functions that words of --focus mean."""
        return frozenset().union(*(self.functions(w) for w in words))

    def ranges(self, words: List[str]) -> List[Tuple[int, int]]:
        """Text of what --focus names, at most RANGES pieces."""
        wanted = self.named(words)
        out: List[List[int]] = []
        for i, (start, name) in enumerate(zip(self._addrs[:-1], self._names)):
            end = self._addrs[i + 1]
            base = name.split('.')[0]           # .cold, .isra, .constprop
            if (name not in wanted and base not in wanted) or \
                    end - start > _LONGEST or end == start:
                continue
            if out and out[-1][1] == start:
                out[-1][1] = end
            else:
                out.append([start, end])
        while len(out) > RANGES:
            i = min(range(len(out) - 1),
                    key=lambda k: out[k + 1][0] - out[k][1])
            out[i][1] = out.pop(i + 1)[1]
        return [(a, b) for a, b in out]

    def locks(self) -> str:
        """The machine's property of that name."""
        return ','.join(f'{self._by[name]:x}={what}'
                        for name, what in LOCKS.items() if name in self._by)

    # -- tasks ----------------------------------------------------------------

    def tasks(self) -> str:
        """Where the machine finds the current task and its name: '' if the
        kernel does not tell."""
        current = self.data.get('current_task', self.data.get('pcpu_hot'))
        comm = self._offset('linux/sched.h', 'struct task_struct', 'comm')
        return '' if current is None or comm is None else \
            f'{current:x}:{comm:x}'

    def _offset(self, header: str, struct_: str, field: str
                ) -> Optional[int]:
        """Compiled as the kernel's own files are."""
        source = f'#include <{header}>\nunsigned long pri_lab_offset = ' \
            f'__builtin_offsetof({struct_}, {field});\n'
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'offset.c')
            with open(path, 'w', encoding='utf-8') as f:
                f.write(source)
            out = self._compile('kernel/fork.o', path, '-S', d)
            if not out:
                return None
            with open(out, encoding='utf-8') as f:
                m = re.search(r'pri_lab_offset:\s*\.quad\s+(\d+)', f.read())
        return int(m.group(1)) if m else None

    def _compile(self, obj: str, source: str, flag: str, out: str) -> str:
        """The command that made an object, for a file and with a flag more;
        the path of what it made, '' if there is no such command."""
        d, name = os.path.split(os.path.join(self.build or '', obj))
        record = os.path.join(d, f'.{name}.cmd')
        if not os.path.isfile(record):
            return ''
        with open(record, encoding='utf-8', errors='replace') as f:
            command = bugkernel.recorded(f.read())
        command = command.split(' ; ')[0]
        made = os.path.join(out, 'made')
        m = re.match(r'(.*) -o \S+ (\S+)\s*$', command)
        if not m:
            return ''
        source = source or m.group(2)
        line = f'{m.group(1)} {flag} -o {made} {source}'
        line = re.sub(r'-Wp,-MMD,\S+', '', line)
        done = subprocess.run(['sh', '-c', line], cwd=self.build,
                              capture_output=True, check=False)
        return made if not done.returncode else ''

    # -- lines ----------------------------------------------------------------

    def line(self, pc: int) -> str:
        """file:line, '' if nobody knows: by vmlinux, or by its object compiled
        again with -g, which does not change the code."""
        name, offset = self.find(pc)
        text = self._addr2line([self.vmlinux], pc)
        if text:
            return text
        obj = self.owners().get(name.split('.')[0])
        if not obj or not self.build:
            return ''
        if obj not in self._lines:
            d = tempfile.mkdtemp(prefix='pri-lab-lines-')
            self._lines[obj] = self._compile(
                os.path.relpath(obj, self.build), '', '-g', d)
        made = self._lines[obj]
        for x in _nm(made).splitlines() if made else ():
            words = x.split()
            if len(words) == 3 and words[2] == name:
                return self._addr2line(['-j', '.text', made],
                                       int(words[0], 16) + offset)
        return ''

    def _addr2line(self, where: List[str], pc: int) -> str:
        out = subprocess.run(
            ['addr2line', f'0x{pc:x}', *where[:-1], '-e', where[-1]],
            capture_output=True, text=True, check=False).stdout.strip()
        m = re.match(r'(.*?):(\d+)', out)
        if not m or m.group(1) in ('??', '') or m.group(2) == '0':
            return ''
        source = os.path.realpath(os.path.join(self.build or '', 'source'))
        path = os.path.normpath(m.group(1))
        if path.startswith(source + os.sep):
            path = os.path.relpath(path, source)
        return f'{path}:{m.group(2)}'
