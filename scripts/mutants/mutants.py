#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which changes of an engine does no test notice?

    scripts/mutants/mutants.py prepare           instrument and build a copy
    scripts/mutants/mutants.py reach             which test meets which mutant
    scripts/mutants/mutants.py run [--patience S] [--sample N] [--file F]
    scripts/mutants/mutants.py report [--survivors]
    scripts/mutants/mutants.py tests             build the tests again
    scripts/mutants/mutants.py keep              write docs/results/mutants.json

Every relation, operator, operand of && and ||, and condition of hw/pci's ATS
and PRI engines and of VT-d's end of the link is changed, one at a time, and
the unit tests and qtests that meet it are run until one fails.  All mutants
are in one build (instrument.py).  A test meets a mutant where it makes an
expression have another value; the others cannot tell it.

`reach` and `run` continue where they stopped.  `run` tries again what nothing
killed, with what was not tried yet: more tests, or more --patience, which is
CPU time, so that a busy machine decides nothing (trial.py).  After
tests were added: `tests`, `reach`, `run`.  After an engine was changed:
`prepare`, which knows of what died in files that are as they were, here or,
by `keep`, elsewhere (kept.py).  What is in explained.txt beside this file is
counted as explained.

Needs the unit tests to have been built (./pri-lab check unit) and Debian's
python3-clang (apt-get install python3-clang-14).
"""

from __future__ import annotations

import argparse
import fnmatch
import glob
import hashlib
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from typing import Dict, Iterable, List, Set, Tuple

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import instrument  # noqa: E402
import kept
import trial
from pri_lab.core import cache, proc, ui
from pri_lab.debian import packages
from pri_lab.qemu import overlay, qemubuild, qemusrc

ENGINES = ('hw/pci/ats_*.c', 'hw/pci/pcie_pri*.c', 'hw/pci/pcie_atc*.c',
           'hw/pci/pcie_dpc.c', 'hw/pci/pcie_sticky.c',
           'hw/i386/intel_iommu_*.c', 'hw/misc/ats-test-agent.c',
           'hw/misc/pri-root-port.c', 'hw/misc/pri-testdev*.c')
# One element too far of an array is seen
BOUNDS = ['-fsanitize=bounds', '-fsanitize-undefined-trap-on-error']
# Of CPU time: a test that takes so long hangs
LIMIT = 90.0


class Place:
    """Where the copy and the results are."""

    def __init__(self) -> None:
        self.paths = cache.Paths(REPO)
        self.top = os.path.join(self.paths.work, 'mutants')
        self.src = os.path.join(self.top, 'qemu')
        self.build = os.path.join(self.top, 'build')
        self.unit = os.path.join(self.top, 'unit')
        self.list = os.path.join(self.top, 'mutants.json')
        self.files = os.path.join(self.top, 'files.json')
        self.reach = os.path.join(self.top, 'reach.jsonl')
        self.results = os.path.join(self.top, 'results.jsonl')
        # of this process: several may be at work
        self.seen = os.path.join(self.top, f'seen.{os.getpid()}')

    def mutants(self) -> List[instrument.Mutant]:
        try:
            with open(self.list, encoding='utf-8') as f:
                return [instrument.Mutant(*m) for m in json.load(f)]
        except FileNotFoundError:
            sys.exit('nothing is prepared: mutants.py prepare')


def lines(path: str) -> List[Dict]:
    try:
        with open(path, encoding='utf-8') as f:
            return [json.loads(x) for x in f if x.endswith('\n')]
    except FileNotFoundError:
        return []


def note(path: str, what: Dict) -> None:
    # one write: several processes may be at work
    with open(path, 'ab', buffering=0) as f:
        f.write(json.dumps(what).encode() + b'\n')


def progress(done: int, todo: int, text: str) -> None:
    """On a terminal one line that changes, in a file a line now and then."""
    if sys.stdout.isatty():
        print(f'\r{done} of {todo}{text}  ',
              end='' if done < todo else '\n', flush=True)
    elif not done % 100 or done == todo:
        print(f'{done} of {todo}{text}', flush=True)


# -- prepare ------------------------------------------------------------------

def parse_args(command: str) -> List[str]:
    """Of a compiler's command line, what a parser needs."""
    out, words = [], iter(shlex.split(command))
    for w in words:
        if w in ('-I', '-isystem', '-iquote', '-include'):
            out += [w, next(words)]
        elif w.startswith(('-I', '-D', '-std', '-m', '-isystem', '-iquote')):
            out.append(w)
    return out


def engines(build: str) -> List[Tuple[str, str, str]]:
    """(path in the tree, command, directory) of what is to be mutated."""
    with open(os.path.join(build, 'compile_commands.json'),
              encoding='utf-8') as f:
        units = json.load(f)
    out = []
    for u in units:
        name = os.path.normpath(os.path.join('/x/build', u['file']))
        name = re.sub(r'^/x/qemu/', '', name)
        if any(fnmatch.fnmatch(name, e) for e in ENGINES):
            out.append((name, u['command']))
    return sorted(set(out))


def tree(place: Place) -> Dict[str, str]:
    """Our QEMU with its qtests, built in a tree of the tool's own; the
    environment to build it in."""
    log, said = proc.Log(os.path.join(place.top, 'log')), ui.UI()
    os.makedirs(place.top, exist_ok=True)
    said.plan(4)
    host = packages.prepare(place.paths, log, said, True)
    source = qemusrc.find(place.paths, '', log, said)
    paths = cache.Paths(REPO)
    paths.build_in(place.top)
    overlay.Overlay(paths, source, log, said).apply()
    qemubuild.QemuBuild(paths, host, source.key, len(os.sched_getaffinity(0)),
                        log, said).build(True)
    return proc.child_env(host.env())


def check_bounds(place: Place, names: Iterable[str]) -> None:
    """Have ninja compile these files with BOUNDS."""
    path = os.path.join(place.build, 'build.ninja')
    objects = tuple(n.replace('/', '_') + '.o' for n in names)
    out, ours = [], False
    for line in read(path).decode().split('\n'):
        if line.startswith('build '):
            ours = line.partition(':')[0].endswith(objects)
        elif ours and line.startswith(' ARGS = ') and BOUNDS[0] not in line:
            line += ' ' + ' '.join(BOUNDS)
        out.append(line)
    write(path, '\n'.join(out).encode())


def still_dead(place: Place, files: Dict[str, str],
               every: List[instrument.Mutant]) -> Dict[int, str]:
    """What is known to die in files whose digests are the same: by the numbers
    of now, the test that kills it."""
    out = kept.known(os.path.join(REPO, kept.FILE), files, every)
    was = lines(place.files)[-1:]
    if not was or not os.path.exists(place.list):
        return out
    same = {f for f, digest in files.items() if was[0].get(f) == digest}
    killed = Results(place).killed

    def of_files(mutants: List[instrument.Mutant]) -> \
            List[instrument.Mutant]:
        return [m for m in mutants if m.file in same]

    out.update((now.number, killed[old.number])
               for old, now in zip(of_files(place.mutants()), of_files(every))
               if old[1:] == now[1:] and old.number in killed)
    return out


def prepare(place: Place, _args) -> None:
    unit_project(place)
    env = tree(place)
    os.chdir(place.build)
    first, texts, every, files = 1, {}, [], {}
    for name, command in engines(place.build):
        f = instrument.File(os.path.join('..', 'qemu', name), name,
                            parse_args(command), first)
        first = f.next
        every += f.mutants
        texts[name] = f.instrumented()
        files[name] = hashlib.sha256(f.text).hexdigest()
    write(os.path.join(place.src, 'include', 'pri-mutant.h'),
          instrument.header(first).encode())
    for name, text in texts.items():
        write(os.path.join(place.src, name), text)
    check_bounds(place, texts)
    print(f'{len(every)} mutants in {len(texts)} files; building ...',
          flush=True)
    subprocess.run(['ninja', 'qemu-system-x86_64'], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    unit_tests(place, texts, first)
    dead = still_dead(place, files, every)
    for stale in (place.reach, place.results):
        cache.remove(stale)
    for number, test in dead.items():
        note(place.results, {'number': number, 'killed': test, 'tried': [],
                             'cpu': 0.0})
    write(place.list, json.dumps(every).encode())
    write(place.files, json.dumps(files).encode() + b'\n')


def write(path: str, data: bytes) -> None:
    with open(path, 'wb') as f:
        f.write(data)


def tests(place: Place, _args) -> None:
    """Build the tests of today over the mutants of `prepare`."""
    every = place.mutants()
    for target, path in overlay.our_files(REPO).items():
        to = os.path.join(place.src, target)
        if target.startswith('tests/qtest/') and read(path) != read(to):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            write(to, read(path))
    log, said = proc.Log(os.path.join(place.top, 'log')), ui.UI()
    said.plan(1)
    host = packages.prepare(place.paths, log, said, True)
    env = proc.child_env(host.env())
    programs = re.findall(r'^(tests/qtest/pri-lab/[\w-]+):',
                          subprocess.run(
                              ['ninja', '-t', 'targets', 'all'], env=env,
                              cwd=place.build, check=True, text=True,
                              capture_output=True).stdout, re.M)
    subprocess.run(['ninja', *programs], check=True, env=env,
                   cwd=place.build, stdout=subprocess.DEVNULL)
    texts = {name: read(os.path.join(place.src, name))
             for name in sorted({m.file for m in every})}
    try:
        unit_tests(place, texts, max(m.number for m in every) + 1)
    except subprocess.CalledProcessError:
        sys.exit('the tests do not build over the mutants: was an engine '
                 'changed since?  mutants.py prepare')


def read(path: str) -> bytes:
    try:
        with open(path, 'rb') as f:
            return f.read()
    except FileNotFoundError:
        return b''


def unit_project(place: Place) -> str:
    """How the unit tests are compiled, as `check` has done it last: alone, or
    with the guest's programs."""
    tests = place.paths.meson_build(False)
    found = [f for f in (os.path.join(d, 'compile_commands.json')
                         for d in (tests, tests + '-alone'))
             if os.path.exists(f)]
    if not found:
        sys.exit('the unit tests are not built: ./pri-lab check unit')
    return max(found, key=os.path.getmtime)


def unit_tests(place: Place, texts: Dict[str, bytes], count: int) -> None:
    """The unit tests, linked of the same instrumented engines."""
    with open(unit_project(place), encoding='utf-8') as f:
        units = json.load(f)
    new = place.unit + '.new'           # what there is stays if this fails
    shutil.rmtree(new, ignore_errors=True)
    src = os.path.join(new, 'src')
    os.makedirs(src)
    write(os.path.join(src, 'pri-mutant.h'),
          instrument.header(count).encode())
    programs: Dict[str, List[str]] = {}
    built: Dict[Tuple[str, ...], str] = {}      # programs share engines
    for u in units:
        m = re.search(r'tests/unit/(test-[\w-]+)\.p/', u.get('output', ''))
        if not m:
            continue
        words = [w for w in shlex.split(u['command'])
                 if not w.startswith(f'-Itests/unit/{m.group(1)}.p')]
        if 'ccache' in words[0]:        # meson's, where there is one
            del words[0]
        name = os.path.relpath(os.path.join(u['directory'], u['file']), REPO)
        if name in texts:
            words[words.index(u['file'])] = os.path.join(
                src, os.path.basename(name))
            write(os.path.join(src, os.path.basename(name)), texts[name])
        for option in ('-MQ', '-MF', '-o'):
            at = words.index(option)
            del words[at:at + 2]
        words.remove('-MD')
        words[1:1] = BOUNDS + [f'-I{src}', '-w',
                               '-I' + os.path.join(REPO, 'hw', 'pci')]
        if tuple(words) not in built:
            obj = os.path.join(new, f'{len(built)}.'
                               f'{os.path.basename(u["file"])}.o')
            subprocess.run(words + ['-o', obj], cwd=u['directory'], check=True)
            built[tuple(words)] = obj
        programs.setdefault(m.group(1), []).append(built[tuple(words)])
    libs = shlex.split(subprocess.run(
        ['pkg-config', '--libs', 'glib-2.0'], check=True,
        capture_output=True, text=True).stdout)
    for name, objects in programs.items():
        subprocess.run(['cc', '-o', os.path.join(new, name), *objects, *libs],
                       check=True)
    cache.remove(place.unit)
    os.rename(new, place.unit)


# -- reach --------------------------------------------------------------------

def all_tests(place: Place) -> List[Dict]:
    """Every unit test and qtest; unit tests first."""
    out = []
    for program in sorted(
            glob.glob(os.path.join(place.unit, 'test-*[!o]'))
            + glob.glob(os.path.join(place.build, 'tests', 'qtest',
                                     'pri-lab', '*-test')),
            key=lambda p: (not p.startswith(place.unit + os.sep), p)):
        if program.endswith('.o'):
            continue
        listed = subprocess.run([program, '-l'], env=environment(place, 0),
                                cwd=place.build, capture_output=True,
                                text=True, check=False).stdout
        built = hashlib.sha256(read(program)).hexdigest()[:12]
        out += [{'program': os.path.basename(program), 'path': program,
                 'built': built, 'test': t}
                for t in listed.split() if t.startswith('/')]
    return out


def environment(place: Place, mutant: int, seen: str = '') -> Dict[str, str]:
    env = dict(os.environ, G_TEST_SRCDIR=place.build,
               G_TEST_BUILDDIR=place.build, PRI_MUTANT=str(mutant),
               QTEST_QEMU_BINARY=os.path.join(place.build,
                                              'qemu-system-x86_64'))
    if seen:
        env['PRI_MUTANT_SEEN'] = seen
    return env


def attempt(place: Place, test: Dict, mutant: int, seen: str = '',
            limit: float = LIMIT) -> trial.Outcome:
    env = environment(place, mutant, seen)
    if test['path'].startswith(place.unit + os.sep):
        # what is written behind a block is seen when that is freed
        env.update(LD_PRELOAD='libc_malloc_debug.so.0', MALLOC_CHECK_='3')
    return trial.run([test['path'], '-p', test['test']], place.build, env,
                     limit)


def reach(place: Place, args) -> None:
    """Rows of reach.jsonl: a test of a program as it is built now.

    Unit tests first, which are quick, then qtests of all kinds mixed, so that
    `run` has something to begin with soon.
    """
    count = len(place.mutants()) + 1
    known = {(r['program'], r['built'], r['test'])
             for r in lines(place.reach)}
    todo = [t for t in all_tests(place)
            if (t['program'], t['built'], t['test']) not in known
            and fnmatch.fnmatch(t['test'], args.tests)]
    unit = [t for t in todo if t['path'].startswith(place.unit + os.sep)]
    rest = [t for t in todo if t not in unit]
    random.Random(1).shuffle(rest)
    todo = (unit + rest)[args.part::args.of]
    for i, test in enumerate(todo):
        write(place.seen, bytes(count))
        outcome = attempt(place, test, 0, place.seen)
        met = [n for n, b in enumerate(read(place.seen)) if b]
        note(place.reach, dict(test, met=met, cpu=round(outcome.cpu, 3),
                               fails=outcome.failure))
        progress(i + 1, len(todo), ' tests')
        if outcome.failure:
            print(f'\nfails without a mutant ({outcome.failure}): '
                  f'{test["program"]} {test["test"]}')
    cache.remove(place.seen)


# -- run ----------------------------------------------------------------------

class Results:
    """What is known of each mutant, over all runs."""

    def __init__(self, place: Place) -> None:
        self.killed: Dict[int, str] = {}
        self.tried: Dict[int, Set[int]] = {}
        self.cpu: Dict[int, float] = {}
        for r in lines(place.results):
            n = r['number']
            if r['killed']:
                self.killed[n] = r['killed']
            self.tried.setdefault(n, set()).update(r['tried'])
            self.cpu[n] = self.cpu.get(n, 0) + r['cpu']


class Meetings:
    """The tests that meet a mutant, the most promising first."""

    def __init__(self, place: Place) -> None:
        last: Dict[Tuple[str, str], Tuple[int, Dict]] = {}
        for i, r in enumerate(lines(place.reach)):
            last[r['program'], r['test']] = i, r
        self.met: Dict[int, List[Tuple[int, Dict]]] = {}
        for i, r in last.values():
            for n in r['met'] if not r['fails'] else ():
                self.met.setdefault(n, []).append((i, r))
        # file -> (line, function, test that killed there)
        self.kills: Dict[str, List[Tuple[int, str, str]]] = {}

    def killed(self, m: instrument.Mutant, test: str) -> None:
        self.kills.setdefault(m.file, []).append((m.line, m.function, test))

    def of(self, m: instrument.Mutant) -> List[Tuple[int, Dict]]:
        use: Dict[str, float] = {}
        for line, function, test in self.kills.get(m.file, []):
            near = 1 / (1 + abs(line - m.line) / 4)
            use[test] = use.get(test, 0) + 20 * near * (
                5 if function == m.function else 1)

        def cost(at: Tuple[int, Dict]) -> float:
            """The less the sooner: quick, about little, of use near by."""
            r = at[1]
            return (r['cpu'] + .05) * (50 + len(r['met'])) / (
                1 + use.get(r['test'], 0))

        return sorted(self.met.get(m.number, []), key=cost)


def try_one(place: Place, m: instrument.Mutant, tests: List[Tuple[int, Dict]],
            patience: float) -> Dict:
    """Run tests until one fails or they took too long; a row of results."""
    row = {'number': m.number, 'killed': '', 'tried': [], 'cpu': 0.0}
    for i, r in tests:
        if row['cpu'] > patience:
            break
        row['tried'].append(i)
        outcome = attempt(place, r, m.number, limit=1 + 20 * r['cpu'])
        row['cpu'] = round(row['cpu'] + outcome.cpu, 3)
        if outcome.failure:
            row['killed'] = r['test']
            break
    return row


def run(place: Place, args) -> None:
    known, meetings = Results(place), Meetings(place)
    every = place.mutants()
    for m in every:
        if m.number in known.killed:
            meetings.killed(m, known.killed[m.number])
    chosen = [m for m in every if fnmatch.fnmatch(m.file, args.file)]
    if args.sample:
        random.Random(args.seed).shuffle(chosen)
        del chosen[args.sample:]
    why = explained()
    todo = [m for m in chosen if m.number not in known.killed
            and m.number % args.of == args.part
            and (m.number not in known.tried or not is_explained(m, why))]
    died, cpu = 0, 0.0
    for i, m in enumerate(todo):
        left = [t for t in meetings.of(m)
                if t[0] not in known.tried.get(m.number, ())]
        row = try_one(place, m, left,
                      args.patience - known.cpu.get(m.number, 0))
        if row['tried'] or m.number not in known.tried:
            note(place.results, row)
        if row['killed']:
            died += 1
            meetings.killed(m, row['killed'])
        cpu += row['cpu']
        progress(i + 1, len(todo), f', {died} die, {cpu / (i + 1):.2f} s of '
                 'CPU time each')


# -- report -------------------------------------------------------------------

def explained() -> Dict[str, str]:
    """'file function [what]' -> why no test can tell, of explained.txt; a
    function * is every function of the file."""
    out = {}
    for line in read(os.path.join(HERE, 'explained.txt')).decode().split('\n'):
        if line.strip() and not line.startswith('#'):
            what, _, why = line.partition(' -- ')
            out[what.strip()] = why
    return out


def name_of(m: instrument.Mutant, function: str = '') -> str:
    return (f'{os.path.basename(m.file)} {function or m.function} '
            f'[{m.what}]')


def is_explained(m: instrument.Mutant, why: Dict[str, str]) -> bool:
    return name_of(m) in why or name_of(m, '*') in why


def report(place: Place, args) -> None:
    every, results, met = place.mutants(), Results(place), Meetings(place).met
    why = explained()
    table: Dict[str, List[int]] = {}
    left: List[instrument.Mutant] = []
    for m in every:
        row = table.setdefault(m.file, [0, 0, 0, 0, 0])
        row[0] += 1
        if m.number not in results.tried:
            continue
        row[1] += 1
        if m.number in results.killed:
            row[2] += 1
        elif is_explained(m, why):
            row[3] += 1
        else:
            row[4] += 1
            left.append(m)
    total = [sum(r[i] for r in table.values()) for i in range(5)]
    print(f'{"file":38}{"mutants":>8}{"tried":>7}{"die":>7}{"expl.":>7}'
          f'{"survive":>9}')
    for name, row in sorted(table.items()) + [('all', total)]:
        print(f'{name:38}{row[0]:8}{row[1]:7}{row[2]:7}{row[3]:7}{row[4]:9}')
    share = 100 * total[2] / max(1, total[1] - total[3])
    cpu = sum(results.cpu[n] for n in results.killed)
    print(f'{share:.1f} % of those that a test could tell die; '
          f'{cpu / max(1, total[2]):.2f} s of CPU time for each')
    if args.survivors:
        for m in sorted(left):
            print(f'{m.file}:{m.line}: {m.kind}: {name_of(m)} '
                  f'({len(results.tried[m.number])} of '
                  f'{len(met.get(m.number, []))} tests that meet it pass)')


def keep(place: Place, _args) -> None:
    results = Results(place)
    n = kept.keep(os.path.join(REPO, kept.FILE), lines(place.files)[-1],
                  place.mutants(), set(results.tried), results.killed)
    print(f'{kept.FILE}: {n} that died')


def main() -> int:
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    sub = p.add_subparsers(dest='command', required=True)
    for f in (prepare, tests, reach, run, report, keep):
        s = sub.add_parser(f.__name__)
        s.set_defaults(call=f)
        if f is run:
            s.add_argument('--sample', type=int, default=0,
                           help='this many, drawn with --seed (default: all)')
            s.add_argument('--seed', type=int, default=1)
            s.add_argument('--file', default='*', help='a pattern of paths')
            s.add_argument('--patience', type=float, default=60,
                           metavar='SECONDS',
                           help='of CPU time for one mutant, in all '
                           'runs (default: 60)')
        if f in (reach, run):
            s.add_argument('--of', type=int, default=1,
                           help='cut the work in so many parts ...')
            s.add_argument('--part', type=int, default=0,
                           help='... and do this one (from 0)')
        if f is reach:
            s.add_argument('--tests', default='*',
                           help='a pattern of their paths')
        if f is report:
            s.add_argument('--survivors', action='store_true',
                           help='list them')
    args = p.parse_args()
    args.call(Place(), args)
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print('\ninterrupted; the same command continues where it stopped')
        sys.exit(130)
