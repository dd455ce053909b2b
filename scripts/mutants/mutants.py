#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which changes of an engine does no test notice?

    scripts/mutants/mutants.py prepare           instrument and build a copy
    scripts/mutants/mutants.py reach             which test meets which mutant
    scripts/mutants/mutants.py run [--sample N] [--seed S] [--file F]
    scripts/mutants/mutants.py report [--survivors]

Every relation, operator, operand of && and ||, and condition of hw/pci's ATS
and PRI engines and of VT-d's end of the link is changed, one at a time, and
the unit tests and qtests that meet it are run until one fails.  All mutants
are in one build (instrument.py).  `reach` and `run` go on where they stopped,
and with more --patience where a mutant was given up; what is in explained.txt
beside this file is counted as explained.

Needs the unit tests to have been built (./pri-lab check unit) and Debian's
python3-clang (apt-get install python3-clang-14).
"""

from __future__ import annotations

import argparse
import fnmatch
import glob
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from typing import Dict, List, Tuple

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import instrument  # noqa: E402
from pri_lab.core import cache, proc, ui
from pri_lab.debian import packages
from pri_lab.qemu import overlay, qemubuild, qemusrc

ENGINES = ('hw/pci/ats_*.c', 'hw/pci/pcie_pri*.c', 'hw/pci/pcie_atc*.c',
           'hw/i386/intel_iommu_*.c')
# A test that takes so long hangs; the slowest takes some seconds
LIMIT = 90


class Place:
    """Where the copy and the results are."""

    def __init__(self) -> None:
        self.paths = cache.Paths(REPO)
        self.top = os.path.join(self.paths.work, 'mutants')
        self.src = os.path.join(self.top, 'qemu')
        self.build = os.path.join(self.top, 'build')
        self.unit = os.path.join(self.top, 'unit')
        self.list = os.path.join(self.top, 'mutants.json')
        self.reach = os.path.join(self.top, 'reach.jsonl')
        self.results = os.path.join(self.top, 'results.jsonl')
        self.seen = os.path.join(self.top, 'seen')

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
    with open(path, 'a', encoding='utf-8') as f:
        f.write(json.dumps(what) + '\n')


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


def prepare(place: Place, _args) -> None:
    env = tree(place)
    os.chdir(place.build)
    first, texts, every = 1, {}, []
    for name, command in engines(place.build):
        f = instrument.File(os.path.join('..', 'qemu', name), name,
                            parse_args(command), first)
        first = f.next
        every += f.mutants
        texts[name] = f.instrumented()
    write(os.path.join(place.src, 'include', 'pri-mutant.h'),
          instrument.header(first).encode())
    for name, text in texts.items():
        write(os.path.join(place.src, name), text)
    print(f'{len(every)} mutants in {len(texts)} files; building ...',
          flush=True)
    subprocess.run(['ninja', 'qemu-system-x86_64'], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    unit_tests(place, texts)
    for stale in (place.reach, place.results):
        cache.remove(stale)
    write(place.list, json.dumps(every).encode())


def write(path: str, data: bytes) -> None:
    with open(path, 'wb') as f:
        f.write(data)


def unit_tests(place: Place, texts: Dict[str, bytes]) -> None:
    """The unit tests, linked of the same instrumented engines."""
    tests = place.paths.meson_build(False)
    with open(os.path.join(tests, 'compile_commands.json'),
              encoding='utf-8') as f:
        units = json.load(f)
    shutil.rmtree(place.unit, ignore_errors=True)
    src = os.path.join(place.unit, 'src')
    os.makedirs(src)
    write(os.path.join(src, 'pri-mutant.h'),
          instrument.header(len(place_count(texts)) + 1).encode())
    programs: Dict[str, List[str]] = {}
    for u in units:
        m = re.search(r'tests/unit/(test-[\w-]+)\.p/', u.get('output', ''))
        if not m:
            continue
        words = shlex.split(u['command'])
        if 'ccache' in words[0]:        # meson's, where there is one
            del words[0]
        name = os.path.relpath(os.path.join(u['directory'], u['file']), REPO)
        if name in texts:
            words[words.index(u['file'])] = os.path.join(
                src, os.path.basename(name))
            write(os.path.join(src, os.path.basename(name)), texts[name])
        obj = os.path.join(place.unit, f'{m.group(1)}.'
                           f'{os.path.basename(u["file"])}.o')
        words[words.index('-o') + 1] = obj
        for option in ('-MQ', '-MF'):
            at = words.index(option)
            del words[at:at + 2]
        words.remove('-MD')
        words[1:1] = [f'-I{src}', '-I' + os.path.join(REPO, 'hw', 'pci'), '-w']
        subprocess.run(words, cwd=u['directory'], check=True)
        programs.setdefault(m.group(1), []).append(obj)
    libs = shlex.split(subprocess.run(
        ['pkg-config', '--libs', 'glib-2.0'], check=True,
        capture_output=True, text=True).stdout)
    for name, objects in programs.items():
        subprocess.run(['cc', '-o', os.path.join(place.unit, name), *objects,
                        *libs], check=True)


def place_count(texts: Dict[str, bytes]) -> List[bytes]:
    """All mentions of a mutant, one each."""
    return [m for t in texts.values()
            for m in set(re.findall(rb'PRI_MUTANT\((\d+)\)', t))]


# -- reach --------------------------------------------------------------------

def all_tests(place: Place) -> List[Tuple[str, str]]:
    """(program, test) of every unit test and qtest; unit tests first."""
    out = []
    for program in sorted(
            glob.glob(os.path.join(place.unit, 'test-*[!o]'))
            + glob.glob(os.path.join(place.build, 'tests', 'qtest',
                                     'pri-lab', '*-test'))):
        if program.endswith('.o'):
            continue
        listed = subprocess.run([program, '-l'], env=environment(place, 0),
                                cwd=place.build, capture_output=True,
                                text=True, check=False).stdout
        out += [(program, t) for t in listed.split() if t.startswith('/')]
    return out


def environment(place: Place, mutant: int, seen: str = '') -> Dict[str, str]:
    env = dict(os.environ, G_TEST_SRCDIR=place.build,
               G_TEST_BUILDDIR=place.build, PRI_MUTANT=str(mutant),
               QTEST_QEMU_BINARY=os.path.join(place.build,
                                              'qemu-system-x86_64'))
    if seen:
        env['PRI_MUTANT_SEEN'] = seen
    return env


def passes(place: Place, test: Tuple[str, str], mutant: int,
           seen: str = '', limit: float = LIMIT) -> str:
    """'' if the test passes, else how it failed."""
    p = subprocess.Popen([test[0], '-p', test[1]], cwd=place.build,
                         env=environment(place, mutant, seen),
                         stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        status = p.wait(limit)
    except subprocess.TimeoutExpired:
        status = None
    try:
        os.killpg(p.pid, 9)             # a QEMU whose test died
    except ProcessLookupError:
        pass
    p.wait()
    return 'hang' if status is None else '' if status == 0 else f'{status}'


def reach(place: Place, _args) -> None:
    count = len(place.mutants()) + 1
    known = {(r['program'], r['test']) for r in lines(place.reach)}
    todo = [t for t in all_tests(place)
            if (os.path.basename(t[0]), t[1]) not in known]
    for i, test in enumerate(todo):
        write(place.seen, bytes(count))
        start = time.monotonic()
        bad = passes(place, test, 0, place.seen)
        with open(place.seen, 'rb') as f:
            met = [n for n, b in enumerate(f.read()) if b]
        note(place.reach, {'program': os.path.basename(test[0]),
                           'path': test[0], 'test': test[1], 'met': met,
                           'seconds': round(time.monotonic() - start, 2),
                           'fails': bad})
        print(f'\r{i + 1} of {len(todo)} tests  ', end='', flush=True)
    print()


# -- run ----------------------------------------------------------------------

def run(place: Place, args) -> None:
    tests = [r for r in lines(place.reach) if not r['fails']]
    met: Dict[int, List[Dict]] = {}
    for r in tests:
        for n in r['met']:
            met.setdefault(n, []).append(r)
    done = {r['number'] for r in lines(place.results) if r['killed']
            or r['tried'] == r['tests'] or r['patience'] >= args.patience}
    chosen = [m for m in place.mutants()
              if fnmatch.fnmatch(m.file, args.file)]
    random.Random(args.seed).shuffle(chosen)
    if args.sample:
        chosen = chosen[:args.sample]
    todo = [m for m in chosen if m.number not in done
            and m.number % args.of == args.part]
    killers: Dict[Tuple[str, str], int] = {}
    start = time.monotonic()
    for i, m in enumerate(todo):
        by, spent, tried = '', 0.0, 0

        def promise(r: Dict) -> float:
            """The less the sooner: quick, about little, of use before."""
            return r['seconds'] * len(r['met']) / (
                1 + 20 * killers.get((m.function, r['test']), 0)
                + killers.get((m.file, r['test']), 0))

        candidates = sorted(met.get(m.number, []), key=promise)
        for r in candidates:
            if spent > args.patience:
                break
            tried += 1
            begin = time.monotonic()
            if passes(place, (r['path'], r['test']), m.number,
                      limit=10 + 20 * r['seconds']):
                by = r['test']
                for what in (m.function, m.file):
                    killers[what, by] = killers.get((what, by), 0) + 1
                break
            spent += time.monotonic() - begin
        note(place.results, {'number': m.number, 'killed': by,
                             'tried': tried, 'tests': len(candidates),
                             'patience': args.patience})
        print(f'\r{i + 1} of {len(todo)}, '
              f'{(time.monotonic() - start) / (i + 1):.1f} s each  ',
              end='', flush=True)
    print()


# -- report -------------------------------------------------------------------

def explained() -> Dict[str, str]:
    """'file function what' -> why no test can tell, from explained.txt."""
    out = {}
    try:
        with open(os.path.join(HERE, 'explained.txt'), encoding='utf-8') as f:
            for line in f:
                if line.strip() and not line.startswith('#'):
                    what, _, why = line.rstrip('\n').partition(' -- ')
                    out[what.strip()] = why
    except FileNotFoundError:
        pass
    return out


def name_of(m: instrument.Mutant) -> str:
    return f'{os.path.basename(m.file)} {m.function} [{m.what}]'


def report(place: Place, args) -> None:
    known = {m.number: m for m in place.mutants()}
    why = explained()
    table: Dict[str, List[int]] = {}
    last = {r['number']: r for r in lines(place.results)}
    left: List[Tuple[instrument.Mutant, int, int]] = []
    for r in last.values():
        m = known[r['number']]
        row = table.setdefault(m.file, [0, 0, 0, 0])
        row[0] += 1
        if r['killed']:
            row[1] += 1
        elif name_of(m) in why:
            row[2] += 1
        else:
            row[3] += 1
            left.append((m, r.get('tried', r['tests']), r['tests']))
    total = [sum(r[i] for r in table.values()) for i in range(4)]
    print(f'{"file":38}{"tried":>7}{"die":>7}{"expl.":>7}{"survive":>9}')
    for name, row in sorted(table.items()) + [('all', total)]:
        print(f'{name:38}{row[0]:7}{row[1]:7}{row[2]:7}{row[3]:9}')
    if total[0]:
        share = 100 * total[1] / max(1, total[0] - total[2])
        print(f'{share:.1f} % of those that a test could tell die; '
              f'{len(known)} mutants in all')
    if args.survivors:
        for m, tried, tests in sorted(left):
            print(f'{m.file}:{m.line}: {m.kind}: {name_of(m)} '
                  f'({tried} of {tests} tests that meet it pass)')


def main() -> int:
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    sub = p.add_subparsers(dest='command', required=True)
    for f in (prepare, reach, run, report):
        s = sub.add_parser(f.__name__)
        s.set_defaults(call=f)
        if f is run:
            s.add_argument('--sample', type=int, default=0,
                           help='this many, drawn with --seed (default: all)')
            s.add_argument('--seed', type=int, default=1)
            s.add_argument('--file', default='*', help='a pattern of paths')
            s.add_argument('--of', type=int, default=1,
                           help='cut the work in so many parts ...')
            s.add_argument('--part', type=int, default=0,
                           help='... and do this one (from 0)')
            s.add_argument('--patience', type=float, default=60,
                           metavar='SECONDS',
                           help='of tests that pass, for one mutant '
                           '(default: 60)')
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
        print('\ninterrupted; the same command goes on where it stopped')
        sys.exit(130)
