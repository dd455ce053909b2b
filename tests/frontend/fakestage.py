# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without a guest, for tests of the search: vCPUs that run lists of
accesses by the rules of a plan, and a bug that is in their order."""

import hashlib
import tempfile
import unittest
from types import SimpleNamespace

from pri_lab.explore import campaign, cover, oracle, search, trace
from pri_lab.explore.machine import Run

TEXT = 0xffffffff81000000
FREE, USE, COUNT, OTHER = 0x1000, 0x2000, 0x3000, 0x4000

KASAN = '''\
BUG: KASAN: slab-use-after-free in %s+0x8/0x80
Read of size 8 at addr ffff888000001000 by task close/12
Call Trace:
 <TASK>
 %s+0x8/0x80
 </TASK>'''


class Symbols:
    """Functions of 0x100 bytes from TEXT on."""

    def __init__(self, names, shift=0):
        self.names = names
        self.shift = shift      # of the text, as another kernel has it

    def address(self, name):
        if name not in self.names:
            return None
        return TEXT + self.shift + 0x100 * self.names.index(name)

    def find(self, pc):
        i, offset = divmod(pc - TEXT - self.shift, 0x100)
        return self.names[i], offset

    def text(self, pc):
        name, offset = self.find(pc)
        return f'{name}+0x{offset:x}'

    def line(self, pc):
        return f'file.c:{pc & 0xff}'


class Stage:
    """Close of an object against its destruction: it is freed once its count
    is 0, and looked at after the count has gone.

    before: accesses of no concern that the closing side makes first, as
    another kernel might; fixed: it looks before; noise: of each vCPU.
    """

    def __init__(self, before=0, fixed=False, noise=20, shift=0, key='k'):
        self.symbols = Symbols(['release', 'destroy', 'work'], shift)
        self.before = before
        self.fixed = fixed
        self.noise = noise
        self.events = False
        self.release = 'fake'
        self.boot_hash = '0'
        self.runs = self.longest = self.limit = 0
        self.focus = ''
        self.logdir = '/nowhere'
        self.key = lambda: key
        self.s = SimpleNamespace(alive=lambda: True)
        self.recording = None

    def close(self):
        pass

    def learn_limit(self, longest):
        self.longest = longest

    # accesses: (function, offset, address, write)
    def _programs(self):
        work = [[('work', 8 * (i % 8), OTHER + 0x1000 * cpu + 8 * i, i % 2)
                 for i in range(self.noise)] for cpu in range(4)]
        release = [('work', 0x80, OTHER + 8 * i, False)
                   for i in range(self.before)]
        look = ('release', 0x8, FREE, False)
        drop = ('release', 0x4, COUNT, True)
        release += [look, drop] if self.fixed else [drop, look]
        destroy = [('destroy', 0x4, COUNT, False), ('destroy', 0x8, FREE, True)]
        return [work[0], work[1] + release, work[2] + destroy, work[3]]

    def run(self, plan, traced=True):
        self.runs += 1
        order = [int(c, 16) for c in plan.order or '0123']
        order += [c for c in range(4) if c not in order]
        programs = self._programs()
        done = [0] * 4
        freed = dropped = False
        console, records, points = [], [], []
        digest = hashlib.sha256()
        slices = list(plan.slices)
        steps = row = 0
        last = None
        if slices:
            order = [int(c, 16) for c in slices[0].order]
        while any(done[c] < len(programs[c]) for c in order):
            cpu = next(c for c in order if done[c] < len(programs[c]))
            name, offset, addr, write = programs[cpu][done[cpu]]
            if name == 'destroy' and addr == FREE and not dropped:
                done[cpu] = len(programs[cpu])      # busy: left alone
                continue
            done[cpu] += 1
            steps += 1
            row = row + 1 if cpu == last else 1
            last = cpu
            if slices and row >= slices[0].n:
                slices.pop(0)
                row = 0
                if slices:
                    order = [int(c, 16) for c in slices[0].order]
            if addr == COUNT and write:
                dropped = True
            if addr == FREE and write:
                freed = True
            elif addr == FREE and freed and not console:
                console = (KASAN % (name, name)).splitlines()
            pc = self.symbols.address(name) + offset
            records.append(trace.Record(
                steps, pc, addr, trace.UNKNOWN, 0, 0, done[cpu], cpu,
                trace.ACCESS, 8, trace.WRITE if write else 0, 0))
            digest.update(repr(records[-1]).encode())
            for p in plan.points:
                if (p.cpu, p.kind, p.n) == (cpu, '', done[cpu]) or \
                        p.where == f'i{steps}':
                    order.remove(cpu)
                    order.append(cpu)
                    if p.to is not None:
                        order.remove(p.to)
                        order.insert(0, p.to)
                    points.append({'word': p.word(), 'task': 'close',
                                   'cpu': cpu})
        report = {'instructions': steps, 'hash': digest.hexdigest()[:16],
                  'state': 'end', 'events': {}, 'points': points}
        return Run(plan, 'end', report, records if traced else [], console,
                   ['# scene: end'], [])


def hunt(stage, seed, most=200):
    """Schedule of the first hit, and its plan; None, the search."""
    s = search.Search(4, seed, cover.Coverage(), stage.events)
    for n in range(1, most + 1):
        p = s.next()
        run = stage.run(p)
        if oracle.findings(run):
            return n, p
        s.learn(p, run)
    return None, s


class Campaigns(unittest.TestCase):
    """Tests that search on it."""

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.said = []

    def campaign(self, only=None, **options):
        o = dict(seed=1, resume=False, runs=-1, budget=0, hits=0, known=False,
                 sign='', focus='iommu', jobs=1, replays=7)
        o.update(options)
        ctx = SimpleNamespace(
            ui=SimpleNamespace(result=self.said.append, say=self.said.append),
            paths=SimpleNamespace(work=self.dir.name, repo=self.dir.name))
        c = campaign.Campaign(ctx, SimpleNamespace(**o), None, '7.3',
                              SimpleNamespace(name='close'), only)
        return c

    def go(self, stage, **options):
        c = self.campaign(**options)
        c._begin(stage)
        c._work(stage)
        if c.trouble:
            c.store()
            raise c.trouble
        c.store()
        return c
