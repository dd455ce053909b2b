# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without a guest whose bug takes two points and a lock: two
CPUs bind one object and let it go.  The one that makes it shares it with
the other under a lock, and stores into it once it has given the lock; the other
one reads that before it takes the lock to let go, and uses it after that."""

import hashlib
from types import SimpleNamespace

import fakestage
from pri_lab.explore import trace
from pri_lab.explore.machine import Run

USERS, DEV, OWN = 0x1000, 0x2000, 0x5000
LOCK = 0x9000


class Stage:
    """fixed: it stores before it gives the lock."""

    def __init__(self, fixed=False, shift=0, key='k', noise=10):
        self.symbols = fakestage.Symbols(['bind', 'unbind', 'work'], shift)
        self.fixed = fixed
        self.noise = noise
        self.events = False
        self.key = lambda: key
        self.s = SimpleNamespace(alive=lambda: True)

    def _task(self, cpu, state):
        for i in range(self.noise):
            yield 'w', 'work', 8 * (i % 8), OWN + 0x1000 * cpu + 8 * i
        yield 'a', 'bind', 0x8, LOCK
        yield 'r', 'bind', 0x10, USERS
        state['users'] += 1
        maker = state['users'] == 1
        yield 'w', 'bind', 0x18, USERS
        for what in (('dev', 'give') if self.fixed else ('give', 'dev')):
            if what == 'give':
                yield 'g', 'bind', 0x20, LOCK
            elif maker:
                yield 'w', 'bind', 0x28, DEV
                state['dev'] = True
        yield 'r', 'unbind', 0x8, DEV
        seen = state['dev']
        yield 'a', 'unbind', 0x10, LOCK
        yield 'w', 'unbind', 0x18, USERS
        state['users'] -= 1
        if not state['users']:
            if not seen:
                state['console'] = (fakestage.KASAN % ('unbind', 'unbind')
                                    ).splitlines()
            state['dev'] = False
        yield 'g', 'unbind', 0x20, LOCK

    def run(self, plan, traced=True):
        state = dict(users=0, dev=False, console=[])
        order = [int(c, 16) for c in plan.order or '0123']
        tasks = {c: self._task(c, state) for c in (1, 2)}
        op = {c: next(t) for c, t in tasks.items()}
        count = {(c, k): 0 for c in tasks for k in ('', 'l')}
        holder, steps, told = None, 0, set()
        records, points, report = [], [], []

        def reached(cpu, test):
            for p in plan.points:
                if p not in points and test(p):
                    points.append(p)
                    report.append({'word': p.word(), 'cpu': cpu})
                    order.append(order.pop(order.index(cpu)))
                    if p.to is not None:
                        order.insert(0, order.pop(order.index(p.to)))
                    return True
            return False

        while op:
            cpu = next(c for c in order if c in op and not (
                op[c][0] == 'a' and holder not in (None, c) and c in told))
            what, name, offset, addr = op[cpu]
            pc = self.symbols.address(name) + offset
            if reached(cpu, lambda p: p.where == f'i{steps}'):
                continue
            if what in 'ag' and cpu not in told:
                told.add(cpu)               # about to do it
                count[cpu, 'l'] += 1
                n = count[cpu, 'l']
                records.append(trace.Record(
                    steps, pc, addr, trace.UNKNOWN, 0, 0, n, cpu, trace.LOCK,
                    ord('r' if what == 'g' else 'a'), 0, 0))
                reached(cpu, lambda p: (p.cpu, p.kind, p.n) == (cpu, 'l', n))
                continue
            steps += 1
            if what in 'ag':
                told.discard(cpu)
                holder = cpu if what == 'a' else None
            else:
                count[cpu, ''] += 1
                records.append(trace.Record(
                    steps, pc, addr, trace.UNKNOWN, 0, 0, count[cpu, ''], cpu,
                    trace.ACCESS, 8, trace.WRITE if what == 'w' else 0, 0))
            op[cpu] = next(tasks[cpu], None)
            if op[cpu] is None:
                del op[cpu]
            if what in 'rw':
                n = count[cpu, '']
                reached(cpu, lambda p: (p.cpu, p.kind, p.n, p.where)
                        == (cpu, '', n, ''))
        digest = hashlib.sha256(repr(records).encode()).hexdigest()[:16]
        return Run(plan, 'end', {'instructions': steps, 'hash': digest,
                                 'state': 'end', 'events': {}, 'points': report},
                   records if traced else [], state['console'],
                   ['# scene: end'], [])
