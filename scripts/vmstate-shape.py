#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What our devices write into a stream, and that versions mean something.

usage: vmstate-shape.py [--write] QEMU

Asks QEMU (-dump-vmstate) for the fields of every section and subsection of our
devices and compares them with tests/qtest/vmstate-shape.txt.  Fields that differ
under the same version are an error: a QEMU of the other kind would read one
field as another.  Raise version_id, and minimum_version_id unless the older
stream is read right, then run it with --write.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Dict, Iterator, List, Tuple

# pri-testdev-vf has the description of pri-testdev
DEVICES = ('intel-iommu', 'pri-testdev', 'pri-root-port')
PAGE = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), 'tests', 'qtest', 'vmstate-shape.txt')
Shapes = Dict[str, Tuple[str, List[str]]]   # unit -> its versions, its fields


def dump(qemu: str) -> Dict:
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, 'vmstate')
        subprocess.run([qemu, '-machine', 'q35', '-nodefaults', '-display',
                        'none', '-dump-vmstate', path], check=True)
        with open(path, encoding='utf-8') as f:
            return json.load(f)


def fields(desc: Dict, indent: str) -> Iterator[str]:
    """The fields, with those of structures in them: these send no version."""
    for f in desc.get('Fields', []):
        inner = f.get('Description')
        size = '' if inner else f' {f["size"]}'     # of the host's compiler
        count = f' x{f["num"]}' if 'num' in f else ''
        since = f' since {f["version_id"]}' if f['version_id'] else ''
        yield f'{indent}{f["field"]}{size}{count}{since}'
        if inner:
            yield from fields(inner, indent + '  ')


def units(where: str, desc: Dict) -> Iterator[Tuple[str, Tuple[str,
                                                                List[str]]]]:
    """What has a version of its own in a stream."""
    yield where, (f'version {desc["version_id"]}, '
                  f'reads {desc["minimum_version_id"]} and later',
                  list(fields(desc, '  ')))
    for sub in desc.get('Subsections', []):
        yield from units(f'{where} {sub["name"]}', sub)


def shapes(dumped: Dict) -> Shapes:
    return dict(u for name in DEVICES
                for u in units(name, dumped[name]['Description']))


def text(s: Shapes) -> str:
    return ''.join(f'{name}: {version}\n' + ''.join(x + '\n' for x in lines)
                   for name, (version, lines) in s.items())


def parse(page: str) -> Shapes:
    out: Shapes = {}
    for line in page.splitlines():
        if line.startswith(' '):
            out[name][1].append(line)
        else:
            name, _, version = line.partition(': ')
            out[name] = (version, [])
    return out


def judge(old: Shapes, new: Shapes) -> List[str]:
    """What is wrong, one sentence each."""
    said = []
    for name in sorted(set(old) & set(new)):
        (was, had), (now, has) = old[name], new[name]
        if had != has and was.split(',')[0] == now.split(',')[0]:
            more = [f'+{x.strip()}' for x in has if x not in had] + \
                [f'-{x.strip()}' for x in had if x not in has]
            said.append(f'{name}: other fields under the same {now}: '
                        f'{", ".join(more[:4]) or "in another order"}; raise '
                        'version_id, and minimum_version_id unless the older '
                        'stream is read right')
    return said


def main(args: List[str]) -> int:
    write = args[:1] == ['--write']
    if len(args) != 1 + write:
        print(__doc__, file=sys.stderr)
        return 2
    new = shapes(dump(args[-1]))
    old = {}
    if os.path.exists(PAGE):
        with open(PAGE, encoding='utf-8') as f:
            old = parse(f.read())
    wrong = judge(old, new)
    if not wrong and write:
        with open(PAGE, 'w', encoding='utf-8') as f:
            f.write(text(new))
    elif not wrong and old != new:
        wrong = [f'{os.path.basename(PAGE)} is not up to date: run '
                 'scripts/vmstate-shape.py --write QEMU']
    for line in wrong:
        print(line, file=sys.stderr)
    return bool(wrong)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
