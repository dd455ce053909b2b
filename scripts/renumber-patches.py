#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""renumber-patches.py [--check]

Number the patches of every series in patches/ from 0001 without gaps, in the
order that they have, and every "patch NNNN" of code and documents with them.
--check changes nothing: it says what is not in order, and exits with 1 if
there is something.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from pri_lab.qemu import series  # noqa: E402

# "patch 0005", "Patches 0001 and 0002", "patches 0001, 0003 to 0005"; a
# comment may continue in the next line
_NUMBER = r'0\d{3}'
_GAP = r'[ \t]*\n?[ \t/*#|]*'
_REFERENCE = re.compile(
    rf'\b[Pp]atch(?:es)?{_GAP} ?{_NUMBER}\b'
    rf'(?:(?:,| and| to|, and){_GAP} ?{_NUMBER}\b)*')
# files that speak of other patches: ours, the kernel's, those of a test
_NOT = ('patches/', 'bench/', 'guest/kernel/', 'tests/frontend/')


def numbers(repo):
    """Name of a patch -> its number, in order; of all series together."""
    names = sorted({os.path.basename(p) for s in series.ALL
                    for p in s.files(repo)})
    return {n: n[:4] for n in names}


def references(text):
    """(start, end, number) of each number of a patch that a text names."""
    for m in _REFERENCE.finditer(text):
        for n in re.finditer(rf'\b{_NUMBER}\b', m.group()):
            yield m.start() + n.start(), m.start() + n.end(), n.group()


def texts(repo):
    """Path and text of every file that may name a patch."""
    listed = subprocess.run(['git', 'ls-files', '-z'], cwd=repo, check=True,
                            stdout=subprocess.PIPE).stdout.decode()
    for path in filter(None, listed.split('\0')):
        if path.startswith(_NOT):
            continue
        try:
            with open(os.path.join(repo, path), encoding='utf-8') as f:
                yield path, f.read()
        except (OSError, UnicodeDecodeError):
            pass


def dangling(repo):
    """References to a patch that is not there."""
    have = set(numbers(repo).values())
    return [f'{path}:{text.count(chr(10), 0, start) + 1}: there is no patch '
            f'{n}' for path, text in texts(repo)
            for start, _, n in references(text) if n not in have]


def gaps(repo):
    """Names whose number is not their place."""
    return [f'{name} should be {place:04}'
            for place, (name, n) in enumerate(numbers(repo).items(), 1)
            if int(n) != place]


def renumber(repo):
    """Do it; the number of patches and of references that have another one
    now."""
    new = {}
    moved = 0
    for place, (name, n) in enumerate(numbers(repo).items(), 1):
        if n in new:
            raise SystemExit(f'two patches have the number {n}')
        new[n] = f'{place:04}'
    for s in series.ALL:
        for path in s.files(repo):          # downwards: no name is taken
            d, name = os.path.split(path)
            other = os.path.join(d, new[name[:4]] + name[4:])
            if other != path:
                os.rename(path, other)
                moved += 1
    named = 0
    for path, text in texts(repo):
        out = text
        for start, end, n in sorted(references(text), reverse=True):
            if new.get(n, n) != n:
                out = out[:start] + new[n] + out[end:]
                named += 1
        if out != text:
            with open(os.path.join(repo, path), 'w', encoding='utf-8') as f:
                f.write(out)
    return moved, named


def main(argv, repo):
    if argv not in ([], ['--check']):
        raise SystemExit(__doc__)
    wrong = dangling(repo)
    if argv:
        wrong += gaps(repo)
    if wrong:
        print('\n'.join(wrong))
        return 1
    if argv:
        print('in order')
        return 0
    print('{} files and {} references have another number'.format(
        *renumber(repo)))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:], os.path.dirname(HERE)))
