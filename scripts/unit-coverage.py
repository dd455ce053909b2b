#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""unit-coverage.py [--missing] [TEST...]

Which lines and branches of the engines the unit tests reach, by gcov: builds
the tests of tests/unit, or those named, with coverage in a temporary
directory, runs them, and prints a line for each file.  --missing lists the
branches that no test takes.  An engine is in several programs; what one of
them reaches counts.
"""

import collections
import concurrent.futures
import glob
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
UNIT = os.path.join(REPO, 'tests', 'unit')
ENGINES = ('hw/pci/', 'accel/tcg/sched/')
FLAGS = ['-std=gnu11', '-O0', '-g', '--coverage', '-D_GNU_SOURCE',
         '-Itests/unit/shim', '-Iinclude', '-Iaccel/tcg/sched']


def programs():
    """Name of a test -> its sources, as tests/unit/meson.build has them."""
    with open(os.path.join(UNIT, 'meson.build'), encoding='utf-8') as f:
        text = f.read()
    lists = {name: re.findall(r"'([^']+\.c)'", value) for name, value in
             re.findall(r"(?:^|')([\w-]+)'?(?:: | = )\[([^\]]*)\]", text, re.M)}
    lists.update((name, lists[other]) for name, other in
                 re.findall(r"'([\w-]+)': (\w+),", text))
    return {name: [os.path.normpath(os.path.join('tests/unit', x))
                   for x in (f'{name}.c', *sources)]
            for name, sources in lists.items() if name.startswith('test-')}


def build(directory, name, sources):
    """One program; its .gcno are in the directory."""
    glib = subprocess.run(['pkg-config', '--cflags', '--libs', 'glib-2.0'],
                          check=True, stdout=subprocess.PIPE,
                          text=True).stdout.split()
    out = os.path.join(directory, name)
    subprocess.run(['cc', *FLAGS, f'-I{directory}', *sources, '-o', out,
                    *glib], cwd=REPO, check=True)
    return out


def run(directory, names):
    """Build and run the tests."""
    have = programs()
    for name in names:
        if name not in have:
            raise SystemExit(f'there is no unit test {name}; there are '
                             + ' '.join(have))
    subprocess.run([os.path.join(UNIT, 'shim', 'gen-trace.py'),
                    os.path.join(REPO, 'hw/pci/trace-events'),
                    os.path.join(directory, 'trace.h')], check=True)
    todo = {n: s for n, s in have.items() if not names or n in names}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda x: build(directory, *x), todo.items()))
    for path in made:
        subprocess.run([path, '--tap'], check=True, stdout=subprocess.DEVNULL)


def reports(directory):
    """What gcov says of every object."""
    data = glob.glob(os.path.join(directory, '**', '*.gcda'), recursive=True)
    with tempfile.TemporaryDirectory() as d:
        for path in data:
            subprocess.run(['gcov', '--json-format', '--branch-probabilities',
                            path], cwd=d, check=True,
                           stdout=subprocess.DEVNULL)
            for name in glob.glob(os.path.join(d, '*.gcov.json.gz')):
                with gzip.open(name) as f:
                    said = json.load(f)
                os.unlink(name)
                for one in said['files']:
                    yield os.path.relpath(os.path.normpath(os.path.join(
                        said['current_working_directory'], one['file'])),
                        REPO), one


def merged(directory):
    """File -> line -> [times, times of each branch], of all objects."""
    out = collections.defaultdict(dict)
    for path, one in reports(directory):
        if not path.startswith(ENGINES) or not path.endswith('.c'):
            continue
        for line in one['lines']:
            branches = [b['count'] for b in line['branches']]
            times, before = out[path].setdefault(
                line['line_number'], [0, [0] * len(branches)])
            if len(before) == len(branches):
                before = [a + b for a, b in zip(before, branches)]
            out[path][line['line_number']] = [times + line['count'], before]
    return out


def main(argv):
    missing = '--missing' in argv
    names = [a for a in argv if a != '--missing']
    if any(a.startswith('-') for a in names):
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as directory:
        run(directory, names)
        files = merged(directory)
    print(f'{"file":34} {"lines":>12} {"branches":>12}')
    for path, lines in sorted(files.items()):
        taken = [n for _, branches in lines.values() for n in branches]
        reached = sum(1 for times, _ in lines.values() if times)
        print(f'{path:34} {reached:4} of {len(lines):4} '
              f'{sum(map(bool, taken)):4} of {len(taken):4}')
        for n, (times, branches) in sorted(lines.items()):
            if missing and (not times or not all(branches)):
                way = ', '.join(str(i) for i, b in enumerate(branches)
                                if not b)
                print(f'  {path}:{n}: ' + (f'branch {way}' if times
                                           else 'not reached'))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
