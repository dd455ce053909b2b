# SPDX-License-Identifier: GPL-2.0-or-later
"""A distribution's kernel headers, made to work on this release.

They bring programs of their own release with them (modpost, objtool) and name
its compiler.  On an older release the programs find a C library that is too
old, so they are run with the one of their release, out of its package; and the
driver is built with this machine's compiler, less what that does not know.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Dict, Iterable, List, Tuple

from ..core import cache, proc
from ..core.errors import Unavailable

LIBC = 'libc'                   # a directory beside boot/ and usr/
REAL = '.elf'                   # what a program is called that is wrapped
_LIBS = os.path.join('usr', 'lib', 'x86_64-linux-gnu')
_LOADER = os.path.join(_LIBS, 'ld-linux-x86-64.so.2')
_TOO_OLD = re.compile(r"version `GLIBC_[\d.]+' not found")

# No types for the driver: they want pahole, and the kernel does without
_WORDS = ('CONFIG_DEBUG_INFO_BTF_MODULES=',)
# What a configuration takes for granted of the compiler that it was made
# with, and the flag that kbuild gives for it
_FLAGS: Dict[str, str] = {
    'CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT': '-fmin-function-alignment=16',
}


def _said(cmd: List[str], **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(cmd, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**proc.child_env(), **env}, encoding='utf-8',
                          errors='replace')


def _programs(tree: str) -> Iterable[str]:
    for path in cache.files_under(os.path.join(tree, 'usr')):
        if os.path.islink(path) or path.endswith(REAL) or \
                not os.access(path, os.X_OK):
            continue
        with open(path, 'rb') as f:
            if f.read(4) == b'\x7fELF':
                yield path


def too_new(tree: str) -> List[str]:
    """Programs that want a newer C library than there is here.  The loader
    says so without running them (ld.so(8), LD_TRACE_LOADED_OBJECTS)."""
    return [p for p in _programs(tree) if _TOO_OLD.search(
        _said([p], LD_TRACE_LOADED_OBJECTS='1').stdout)]


def with_libc(tree: str, programs: Iterable[str]) -> None:
    """Have them run with the C library that is unpacked in tree/libc."""
    libc = os.path.join(tree, LIBC)
    for path in programs:
        real = path + REAL
        cache.remove(real)
        os.link(path, real)
        cache.write_atomic(path, (
            '#!/bin/sh\n'
            f'exec "{libc}/{_LOADER}" --library-path "{libc}/{_LIBS}" \\\n'
            f'    "{real}" "$@"\n').encode(), 0o755)


def wanted_compiler(headers: str) -> str:
    """The gcc that the headers of a kernel ask for, '' if any will do."""
    try:
        with open(os.path.join(headers, '.kernelvariables'),
                  encoding='utf-8') as f:
            m = re.search(r'\b(gcc-\d+)\b', f.read())
    except OSError:
        return ''
    return m.group(1) if m else ''


def _configured(headers: str, option: str) -> bool:
    try:
        with open(os.path.join(headers, 'include', 'config', 'auto.conf'),
                  encoding='utf-8') as f:
            return f'{option}=y\n' in f
    except OSError:
        return False


def _knows(compiler: str, flag: str) -> bool:
    return _said([compiler, '-Werror', flag, '-x', 'c', '-c', '/dev/null',
                  '-o', '/dev/null']).returncode == 0


def words(headers: str, release: str, ui) -> Tuple[str, ...]:
    """For make, when the driver is built: with the compiler that the headers
    ask for, or else with this machine's, and then that is said."""
    wanted = wanted_compiler(headers)
    if not wanted or shutil.which(wanted):
        return _WORDS
    if not shutil.which('gcc'):
        raise Unavailable(f'the headers of {release} want {wanted}',
                          f'apt-get install {wanted}')
    ui.say(f'{release} was built with {wanted}, which is not here; '
           'the driver is built with this machine\'s gcc instead')
    return ('CC=gcc', *_WORDS, *(
        f'{option}=' for option, flag in _FLAGS.items()
        if _configured(headers, option) and not _knows('gcc', flag)))
