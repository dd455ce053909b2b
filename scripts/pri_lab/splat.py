# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a guest console log show that the kernel is unwell?

A splat is what the kernel prints when one of its own checks fires.  Each is
cut out of the log as a block of lines, ready to be shown.
"""

from __future__ import annotations

import re
from typing import List

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
                       r'|NMI watchdog|hung_task|panic=|Command line:')


# Splats of bugs that are written up: the kernel's, and no fault of a run.
# (what its first lines say, something further down, where it is written up)
_KNOWN = (
    ('BUG: Invalid wait context', 'device_rbtree_find',
     'docs/findings/ite-lock-nesting.md'),
    ('possible circular locking dependency detected',
     '(&ctrl->reset_lock){.+.+}-{4:4}, at: pciehp_unconfigure_device',
     'docs/findings/pciehp-reset-lock.md'),
    ('possible circular locking dependency detected',
     'vfio_pci_mmap_page_fault', 'docs/findings/vfio-reset-lock.md'),
    # of 6.18.15 alone, by the line
    ('WARNING: ', 'drivers/iommu/intel/iommu.c:1226 '
     'intel_iommu_release_device', 'docs/findings/linux-6.18.md'),
)


def known(block: List[str]) -> str:
    """The page that explains this splat, or ''."""
    head, body = '\n'.join(block[:3]), '\n'.join(block)
    for first, further, page in _KNOWN:
        if first in head and further in body:
            return page
    return ''


def strip_stamp(line: str) -> str:
    return _STAMP.sub('', line.rstrip('\r\n'))


def find(text: str) -> List[List[str]]:
    """Splats of a console log, each a list of lines as they were printed."""
    out: List[List[str]] = []
    block: List[str] = []
    for line in text.replace('\r', '').split('\n'):
        bare = strip_stamp(line)
        if not block:
            if _START.search(bare) and not _HARMLESS.search(bare):
                block = [line]
            continue
        block.append(line)
        rule = re.match(r'^={20,}$', bare)
        # a rule closes a report only once its body has been seen
        if (_END.search(bare) and not (rule and len(block) < 6)) \
                or len(block) >= _MAX:
            out.append(block)
            block = []
    if block:
        out.append(block)
    return out
