# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench`: page faults of a device, on our page-request path and QEMU's own.

QEMU's own is stock plus bench/qemu-10.2: a minimal endpoint with the registers
of pri-testdev, and the capability bits that Linux wants.  The same guest, the
same driver and the same program (tests/guest/bench/pri.c) do the same job on
both, in turns.
"""

from __future__ import annotations

import os
import re
from typing import Callable, Dict, List, Tuple

from ..core import proc
from ..core.errors import LabError
from ..iommu import kind
from ..machine import jobs, record, vm
from ..timeline import exchange, timeline

JOB = os.path.join('bench', 'pri')
SAMPLES = 3                     # of each workload in one boot
FAULTS = 100                    # single faults for one median
MS = 100                        # of the workloads that run for a time
RECORDED = 50                   # faults for where the time goes
CHANNELS = (1, 8, 32)
GROUPS = (1, 8, 32)
SIDES = ('stock', 'ours')
IOMMU = {'ours': kind.load().argument, 'stock': kind.load().stock}


def workloads() -> List[Tuple[str, str, str, str]]:
    """(name, unit, command of the guest program, its answer)"""
    out = [('fault', 'a fault', f'fault {FAULTS}', 'fault')]
    out += [(f'faults, {c} channels, groups of {g}', 'a page',
             f'faults {c} {g} {MS}', 'faults')
            for c in CHANNELS for g in GROUPS]
    return out + [('invalidate', 'an invalidation', f'invalidate {FAULTS}',
                   'invalidate')]


def alone() -> List[Tuple[str, str, str]]:
    """What the minimal endpoint cannot do: it has no cache."""
    return [('DMA with translations cached, a MiB', f'bandwidth {MS}',
             'bandwidth')]


class FaultBench:
    """binaries: side -> QEMU; start: a guest that is told what to do."""

    def __init__(self, repo: str, logdir: str, log: proc.Log, accel: str,
                 binaries: Dict[str, str], image: str, initrd: str,
                 start: Callable):
        self.logdir = logdir
        self.log = log
        self.binaries = binaries
        self.start = start
        self.wants = jobs.wants(repo, JOB)
        self.machine = {side: vm.Machine(binaries[side], accel, image, initrd)
                        for side in SIDES}

    def command(self, side: str) -> List[str]:
        """QEMU's command line, without serial ports: what both have."""
        args = self.machine[side].args(vm.job_words(JOB), self.wants)
        return [IOMMU[side] if x == IOMMU['ours'] else
                re.sub('^pri-root-port,', 'pcie-root-port,', x) for x in args]

    def boot(self, n: int, comparisons: Dict, ours_alone: Dict,
             note: Callable[[str], None]) -> None:
        """One guest of each side; every workload on both, in turn."""
        with self.start(f'stock-pri-{n}', self.command('stock')) as stock, \
                self.start(f'ours-pri-{n}', self.command('ours')) as ours:
            guests = {'stock': stock, 'ours': ours}
            for g in guests.values():
                g.ready()
            turns: Dict[Tuple[str, str], List[float]] = {}
            for sample in range(SAMPLES + 1):       # the first warms up
                for name, _, command, answer in workloads():
                    note(name)
                    for side in SIDES if sample % 2 else SIDES[::-1]:
                        value = guests[side].ask(command, answer)
                        if sample:
                            turns.setdefault((side, name), []).append(value)
                for name, command, answer in alone():
                    value = ours.ask(command, answer)
                    if sample:
                        turns.setdefault(('', name), []).append(value)
            for g in guests.values():
                g.end()
        for (side, name), turn in turns.items():
            series = getattr(comparisons[name], side) if side else \
                ours_alone[name]
            series.add(turn)

    def recorded(self, repo: str) -> List[str]:
        """Lines: where the time of single faults goes, from a recording."""
        job = vm.Job(self.machine['ours'], JOB, self.logdir, self.log, 900.0,
                     f'fault,{RECORDED}', wants=self.wants)
        recording = job.record()
        out = job.run(lambda line, results: None)
        if not out.passed:
            raise LabError(f'{JOB}: ' + '; '.join(out.problems), None,
                           job.console)
        merged = recording.merge(repo, {'job': JOB})
        return parts_table(*exchange.parts(merged.events)) + [
            '', record.summary(merged)]


def parts_table(count: int, parts: List[exchange.Part]) -> List[str]:
    if not parts:
        return ['where the time goes: no fault was recorded whole']
    total = sum(p.ns for p in parts)
    out = [f'where the time of a fault goes (mean of {count}, recorded: '
           'slower than above)']
    for who in ('guest', 'device', 'queue'):
        ns = sum(p.ns for p in parts if p.who == who)
        out.append(f'  {who:<8}{timeline.duration(ns):>10} {ns / total:6.1%}')
        out += [f'    {timeline.duration(p.ns):>14}         {p.what}'
                for p in parts if p.who == who]
    return out
