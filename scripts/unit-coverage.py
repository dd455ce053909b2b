#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""unit-coverage.py [--missing] [DIRECTORY]

Which lines and branches of the engines the unit tests reach, by gcov: builds
tests/unit with coverage in DIRECTORY (default: a temporary one), runs it, and
prints a line for each file.  --missing lists the branches that no test takes.
An engine is in several programs; what one of them reaches counts.
"""

import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
ENGINES = ('hw/pci/', 'accel/tcg/sched/')


def run(directory):
    """Build and run the unit tests with coverage."""
    if not os.path.exists(os.path.join(directory, 'build.ninja')):
        subprocess.run(['meson', 'setup', directory, REPO,
                        '-Db_coverage=true', '-Doptimization=0'], check=True,
                       stdout=subprocess.DEVNULL)
    for path in glob.glob(os.path.join(directory, '**', '*.gcda'),
                          recursive=True):
        os.unlink(path)
    subprocess.run(['ninja', '-C', directory, '--quiet'], check=True)
    subprocess.run(['meson', 'test', '-C', directory, '--suite', 'unit',
                    '--quiet'], check=True)


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
    rest = [a for a in argv if a != '--missing']
    if len(rest) > 1 or rest and rest[0].startswith('-'):
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as d:
        directory = os.path.realpath(rest[0]) if rest else d
        run(directory)
        files = merged(directory)
    print(f'{"file":34} {"lines":>12} {"branches":>12}')
    for path, lines in sorted(files.items()):
        taken = [n for _, branches in lines.values() for n in branches]
        reached = sum(1 for times, _ in lines.values() if times)
        print(f'{path:34} {reached:5} of {len(lines):4} '
              f'{sum(map(bool, taken)):5} of {len(taken):4}')
        for n, (times, branches) in sorted(lines.items()):
            if missing and (not times or not all(branches)):
                way = ', '.join(str(i) for i, b in enumerate(branches)
                                if not b)
                print(f'  {path}:{n}: ' + (f'branch {way}' if times
                                           else 'not reached'))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
