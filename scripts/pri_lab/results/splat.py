# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a guest console log show that the kernel is unwell?

A splat is what the kernel prints when one of its own checks fires.  Each is
cut out of the log as a block of lines, ready to be shown.
"""

from __future__ import annotations

import re
from typing import FrozenSet, List, NamedTuple, Tuple

_STAMP = re.compile(r'^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[[^\]]*\])?\s?')

# What starts a splat.  Matched against the line without its time stamp.
_START = re.compile(
    r'(?:^|\s)BUG: '                        # BUG:, KASAN, NULL pointer, ...
    r'|^kernel BUG at '
    r'|^WARNING: '                          # WARN_ON, lockdep's headings
    r'|^KASAN: |^UBSAN: |^KFENCE: |^KCSAN: '
    r'|possible (?:circular locking|recursive locking|irq lock inversion)'
    r'|inconsistent lock state|bad unlock balance'
    r'|INFO: (?:task .* blocked|rcu\S* (?:self-)?detected|trying to register'
    r'|lockdep is turned off)'
    r'|\brcu\S*: INFO: .*detected|RCU stall'
    r'|soft lockup|hard LOCKUP|workqueue lockup'
    r'|^Oops|general protection fault|unable to handle'
    r'|Kernel panic'
    r'|kmemleak: \d+ new suspected memory leaks'
    r'|refcount_t: |list_(?:add|del) corruption'
    r'|ODEBUG: |DEBUG_LOCKS_WARN_ON|scheduling while atomic'
    r'|sleeping function called from invalid context'
    r'|Bad page (?:state|map)|unregister_netdevice: waiting')
# What ends it.  A splat without an end is cut after _MAX lines.
_END = re.compile(r'^---\[ end (?:trace|Kernel panic)|^ ?</TASK>$'
                  r'|^={20,}$|^Kernel Offset')
_MAX = 60
# A line that belongs to what the kernel says about itself, not to a fault.
_HARMLESS = re.compile(r'lockdep is turned off|lockup detector'
                       r'|NMI watchdog|hung_task|panic=|Command line:'
                       # a program asked for it (kdump)
                       r'|Kernel panic - not syncing: sysrq triggered crash')


class Known(NamedTuple):
    """A bug that is written up, the kernel's and no fault of a run: what the
    splat is, not which function happened to print it.

    report: in the first lines; locks: names of those that lockdep is about,
    in any order; place: a source line, or what its calls go through, if the
    report is about a place.
    """
    report: str
    page: str
    locks: FrozenSet[str] = frozenset()
    place: str = ''


_LOCKDEP = 'possible circular locking dependency detected'
_KNOWN = (
    Known('BUG: Invalid wait context', 'docs/findings/ite-lock-nesting.md',
          place='device_rbtree_find'),
    Known(_LOCKDEP, 'docs/findings/pciehp-reset-lock.md',
          locks=frozenset(('&ctrl->reset_lock', 'pci_rescan_remove_lock'))),
    Known(_LOCKDEP, 'docs/findings/vfio-reset-lock.md',
          place='vfio_pci_mmap_page_fault'),
    # of 6.18.15 alone, by the line
    Known('WARNING: ', 'docs/findings/linux-6.18.md',
          place='drivers/iommu/intel/iommu.c:1226 '
          'intel_iommu_release_device'),
)
# '... (&ctrl->reset_lock){.+.+}-{4:4}, at: function+0x1c4/0x2b0'
_LOCK = re.compile(r'^\s*[0-9a-f]{8,16} \((.+?)\)\{[^}]*\}')


def locks(block: List[str]) -> FrozenSet[str]:
    """The two locks that a report of lockdep is about: the one that is
    wanted, and the one that is held."""
    out = set()
    lines = [strip_stamp(x) for x in block]
    for n, line in enumerate(lines[:-1]):
        if line.endswith(('trying to acquire lock:',
                          'already holding lock:')):
            m = _LOCK.match(lines[n + 1])
            if m:
                # a subclass is the same lock: "&x->lock/1"
                out.add(re.sub(r'(/\d+|#\d+)+$', '', m.group(1)))
    return frozenset(out)


def known(block: List[str]) -> str:
    """The page that explains this splat, or ''."""
    head, body = '\n'.join(block[:3]), '\n'.join(block)
    for k in _KNOWN:
        if k.report not in head or k.place not in body:
            continue
        if not k.locks or k.locks == locks(block):
            return k.page
    return ''


# One CPU took the console from another one in the middle of a line.
_REPLAYED = '** replaying previous printk message **'


def strip_stamp(line: str) -> str:
    return _STAMP.sub('', line.rstrip('\r\n'))


def _is_cut(lines: List[str], n: int) -> bool:
    """The line is not all of it, and comes again behind the next one, which
    says so."""
    return n + 1 < len(lines) and _REPLAYED in lines[n + 1]


def spans(lines: List[str]) -> List[Tuple[int, int]]:
    """(first, last) of each splat in the lines of a log."""
    out: List[Tuple[int, int]] = []
    first = -1
    for n, line in enumerate(lines):
        bare = strip_stamp(line)
        if first < 0:
            if _START.search(bare) and not _HARMLESS.search(bare) \
                    and not _is_cut(lines, n):
                first = n
            continue
        length = n - first + 1
        rule = re.match(r'^={20,}$', bare)
        # a rule closes a report only once its body has been seen
        if (_END.search(bare) and not (rule and length < 6)) \
                or length >= _MAX:
            out.append((first, n))
            first = -1
    if first >= 0:
        out.append((first, len(lines) - 1))
    return out


def find(text: str) -> List[List[str]]:
    """Splats of a console log, each a list of lines as they were printed, and
    each line once."""
    lines = text.replace('\r', '').split('\n')
    return [[lines[n] for n in range(a, b + 1)
             if not _is_cut(lines, n) and _REPLAYED not in lines[n]]
            for a, b in spans(lines)]
