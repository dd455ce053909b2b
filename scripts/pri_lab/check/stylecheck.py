# SPDX-License-Identifier: GPL-2.0-or-later
"""`check style`: the field's own tools on our files.

QEMU's checkpatch.pl on what goes into QEMU and on the guest's programs, the
kernel's on the driver, mypy on the front end, shellcheck on the scripts,
codespell on everything.  A complaint that is left out has its reason here.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import tarfile
from typing import Callable, Dict, List, Optional, Tuple

from ..core import cache
from ..qemu import qemusrc

CHECKPATCH = 'scripts/checkpatch.pl'
# what goes to QEMU, and what is written in its style
QEMU_C = ('accel', 'hw', 'include', 'tests/qtest', 'tests/unit',
          'tests/guest')
KERNEL_C = ('guest/driver',)
# complaints that are no fault -> why
TOLERATED = (
    (r'Macros with complex values should be enclosed in parenthesis',
     'a list of initializers, as VMSTATE_... are'),
    (r'guest/driver/compat\.h:.*(LINUX_VERSION_CODE should be avoided'
     r'|constant on the right side|trailing semicolon)',
     'one driver for kernels from 6.1 on: compat.h is what differs'),
    (r'Prefer kzalloc_obj over kzalloc', 'which kernels before 7.0 lack'),
    (r'guest/driver/show\.c:.*([Aa]rgument .* is not used|flow control'
     r'|trailing semicolon|around that .:.)',
     'X-macros of the table of registers, and a case each'),
    (r'hw/misc/pri-testdev/regs\.c:.*Macros with multiple statements',
     'a case of a switch, which no loop can be around'),
    (r'^tests/(guest|qtest)/.*consider using qemu_strto',
     'these programs are linked without QEMU'),
    (r'^tests/guest/(bad-mmio|lib/pt|lost-pages|machines/reset-methods)\..*'
     r'Use of volatile', 'registers, and memory that another one writes'),
    (r'^tests/guest/lib/(?:scene\.c|mark\.h):.*architecture specific defines',
     'a mark for the host is an instruction of the CPU'),
    (r'^tests/guest/lib/pt\.c:.*before a quoted newline',
     'the separators of /proc/cmdline'),
    (r'^tests/guest/long/stress\.c:.*around that .\*.',
     'a type of ours, taken for a number'),
    (r'^tests/guest/driver\.c:.*suspicious ; after while',
     'a statement for each row of an X-macro'),
    (r'suspect code indent for conditional statements \((\d+), \1\)',
     'a loop without a body'),
)
# a line over 80 columns that may be: what a guest program wants of its machine
_ONE_LINE = re.compile(r'^ \* @')
# words that codespell takes for others
WORDS = ('plantext', 'whos', 'hax', 'inflight', 'falsy', 'devcie', 'filp')
_TEXT = ('.c', '.h', '.py', '.md', '.rst', '.sh', '.build', '.txt', '.config')


class Missing(Exception):
    """A tool that is not here; says what to do."""


def _tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if not found:
        raise Missing(f'there is no {name}: apt-get install {package}')
    return found


def _run(cmd: List[str], cwd: str) -> Tuple[int, List[str]]:
    p = subprocess.run(cmd, cwd=cwd, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, errors='replace', check=False,
                       env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    return p.returncode, [x for x in p.stdout.split('\n') if x.strip()]


def sources(repo: str, tops: Tuple[str, ...], suffixes: Tuple[str, ...]
            ) -> List[str]:
    """Files relative to the repository."""
    return [os.path.relpath(p, repo) for top in tops
            for p in cache.files_under(os.path.join(repo, top), suffixes)]


# -- checkpatch ---------------------------------------------------------------

def qemus_checkpatch(qemu_src: str) -> str:
    """QEMU's script: of the tree, of any tree in the cache, or out of the
    archive."""
    root = cache.root()
    for tree in [qemu_src] + sorted(glob.glob(os.path.join(
            glob.escape(root), 'work', '*', 'qemu'))):
        path = os.path.join(tree, CHECKPATCH)
        if tree and os.path.isfile(path):
            return path
    out = os.path.join(root, 'tools', 'qemu-checkpatch.pl')
    archive = os.path.join(root, 'downloads', qemusrc.TARBALL)
    if not os.path.isfile(out) and os.path.isfile(archive):
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.name.endswith('/' + CHECKPATCH):
                    data = tar.extractfile(member)
                    assert data is not None
                    cache.write_atomic(out, data.read())
                    break
    if not os.path.isfile(out):
        raise Missing('there is no QEMU source yet: ./pri-lab build')
    return out


def kernels_checkpatch() -> str:
    found = sorted(glob.glob(os.path.join(
        glob.escape(cache.root()), 'linux', 'linux-source-*', CHECKPATCH)))
    if not found:
        raise Missing('there is no Linux source yet: ./pri-lab kernel')
    return found[-1]


def _wanted(repo: str, complaint: str) -> bool:
    """A line that is too long, but cannot be two."""
    path, number = complaint.split(':')[:2]
    with open(os.path.join(repo, path), encoding='utf-8') as f:
        return bool(_ONE_LINE.match(f.read().split('\n')[int(number) - 1]))


def complaints(lines: List[str], repo: str = '') -> List[str]:
    """Those of checkpatch --terse that are not tolerated."""
    return [x for x in lines if re.search(r': (ERROR|WARNING|CHECK): ', x)
            and not any(re.search(p, x) for p, _ in TOLERATED)
            and not ('line over ' in x and repo and _wanted(repo, x))]


def checkpatch(repo: str, script: str, files: List[str]) -> List[str]:
    perl = _tool('perl', 'perl')
    _, lines = _run([perl, script, '--no-tree', '--terse', '-f', *files],
                    repo)
    if not any('total: ' in x for x in lines):
        return ['checkpatch.pl did not run: ' + ' '.join(lines[-3:])]
    return complaints(lines, repo)


# -- the checks ---------------------------------------------------------------

def _qemu(repo: str, qemu_src: str) -> List[str]:
    return checkpatch(repo, qemus_checkpatch(qemu_src),
                      sources(repo, QEMU_C, ('.c', '.h')))


def _kernel(repo: str, _qemu_src: str) -> List[str]:
    return checkpatch(repo, kernels_checkpatch(),
                      sources(repo, KERNEL_C, ('.c', '.h')))


def _mypy(repo: str, _qemu_src: str) -> List[str]:
    rc, lines = _run([_tool('mypy', 'mypy'), '--config-file', 'mypy.ini'],
                     repo)
    return lines if rc else []


def scripts(repo: str) -> List[str]:
    """Files that sh or bash runs."""
    out = ['.ci/run'] if os.path.isfile(os.path.join(repo, '.ci/run')) else []
    for rel in sources(repo, ('scripts', 'guest', 'tests'), ()):
        with open(os.path.join(repo, rel), 'rb') as f:
            if re.match(rb'#!\s*/bin/(ba)?sh\b', f.readline()):
                out.append(rel)
    return out


def _shellcheck(repo: str, _qemu_src: str) -> List[str]:
    rc, lines = _run([_tool('shellcheck', 'shellcheck'), '-S', 'warning',
                      '-f', 'gcc', *scripts(repo)], repo)
    return lines if rc else []


def _codespell(repo: str, _qemu_src: str) -> List[str]:
    files = [f for f in sources(
        repo, ('accel', 'hw', 'include', 'guest', 'tests', 'scripts', 'docs'),
        _TEXT) if not f.startswith('docs/examples')]
    files += [n for n in ('README.md', 'CONTRIBUTING.md')
              if os.path.isfile(os.path.join(repo, n))]
    rc, lines = _run([_tool('codespell', 'codespell'), '-L', ','.join(WORDS),
                      *files], repo)
    return lines if rc else []


CHECKS: Dict[str, Callable[[str, str], List[str]]] = {
    'checkpatch': _qemu, 'kernel': _kernel, 'mypy': _mypy,
    'shellcheck': _shellcheck, 'codespell': _codespell,
}


def main(argv: List[str], repo: str) -> int:
    name = argv[0] if argv else ''
    if name not in CHECKS:
        print('Bail out! checks: ' + ' '.join(CHECKS))
        return 2
    why: Optional[str] = None
    found: List[str] = []
    try:
        found = CHECKS[name](repo, argv[1] if len(argv) > 1 else '')
    except Missing as e:
        why = str(e)
    print('1..1')
    for line in found:
        print(f'# {line}')
    print(f'{"not ok" if found else "ok"} 1 - {name}'
          + (f' # SKIP {why}' if why else ''))
    return 1 if found else 0
