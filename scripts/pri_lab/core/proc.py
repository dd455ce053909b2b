# SPDX-License-Identifier: GPL-2.0-or-later
"""Running other programs: output to a log, all of them dead when we leave."""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import time
from typing import (Callable, Deque, Dict, Iterator, List, Optional, Sequence, TextIO,
                    Union)

from . import owntime
from .errors import Interrupted, LabError, known_cause

TAIL = 20                       # lines of output shown when a command fails
_PR_SET_PDEATHSIG = 1
_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_libc: Optional[ctypes.CDLL]
try:
    _libc = ctypes.CDLL(None, use_errno=True)
except OSError:                 # pragma: no cover - not a glibc host
    _libc = None

_children: List[subprocess.Popen] = []


def _die_with_parent() -> None:
    """In the child: get SIGTERM if pri-lab itself is killed the hard way."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def install_signal_handlers() -> None:
    """SIGTERM and SIGHUP end a command the way Ctrl-C does."""
    def handler(signum, _frame):
        raise Interrupted(signum)
    for s in _STOP:
        signal.signal(s, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """What is done here is done to its end: a signal that asks us to stop is
    obeyed afterwards.  For results that a second Ctrl-C must not lose; only
    the main thread can be disturbed, so only it may ask for this."""
    came: List[int] = []
    before = {s: signal.signal(s, lambda signum, _frame: came.append(signum))
              for s in _STOP}
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)
        if came:
            raise Interrupted(came[0])


def child_env(extra: Optional[Dict[str, str]] = None) -> Dict[str, str]:
    """The environment for tools: C messages, UTF-8, nothing that leaks in."""
    env = dict(os.environ)
    for name in ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS', 'KBUILD_OUTPUT', 'ARCH',
                 'CROSS_COMPILE', 'KCFLAGS', 'LDFLAGS', 'CFLAGS', 'CPPFLAGS',
                 'NINJA_STATUS', 'GREP_OPTIONS', 'POSIXLY_CORRECT', 'CDPATH'):
        env.pop(name, None)
    env['LC_ALL'] = 'C.UTF-8'
    env['PYTHONUTF8'] = '1'
    env.setdefault('HOME', '/')
    env.update(extra or {})
    return env


def kill_group(p: subprocess.Popen, grace: float = 5.0,
               first: int = signal.SIGTERM) -> None:
    """End a child and everything it started: ask first, insist later."""
    for signum, wait in ((first, grace), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(p.pid, signum)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            p.wait(wait)
        except subprocess.TimeoutExpired:
            continue
        # the leader is gone; stragglers of its group may not be
        try:
            os.killpg(p.pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.1)


def spawn(cmd: Sequence[str], **kw) -> subprocess.Popen:
    """A child in its own process group that does not outlive us."""
    try:
        p = subprocess.Popen(cmd, start_new_session=True,
                             preexec_fn=_die_with_parent, **kw)
    except FileNotFoundError:
        raise LabError(f'{cmd[0]}: not found',
                       'it belongs to a package of this list: '
                       '`./pri-lab packages`') from None
    _children.append(p)
    return p


def reap(p: subprocess.Popen) -> None:
    if p in _children:
        _children.remove(p)


def kill_all() -> None:
    """End whatever is still running; called once on the way out."""
    for p in list(_children):
        if p.poll() is None:
            kill_group(p)
        reap(p)


class Log:
    """The log file of one command line after another.

    path: or a function that says it; it is called, and the file made, when
    there is something to write.
    """

    def __init__(self, path: Union[str, Callable[[], str]]):
        self._path = path
        self._f: Optional[TextIO] = None

    @property
    def path(self) -> str:
        if not isinstance(self._path, str):
            self._path = self._path()
        return self._path

    def write(self, line: str) -> None:
        if self._f is None:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            self._f = open(self.path, 'a', encoding='utf-8',
                           errors='replace')
        self._f.write(line + '\n')
        self._f.flush()

    def close(self) -> None:
        if self._f is not None:
            self._f.close()
            self._f = None


def run(cmd: Sequence[str], what: str, log: Log, *, ui=None,
        cwd: Optional[str] = None, env: Optional[Dict[str, str]] = None,
        on_line: Optional[Callable[[str], None]] = None,
        check: bool = True, gentle: bool = False) -> int:
    """Run cmd with its output in the log; LabError if it fails.

    what:    names the command in the message ('building QEMU').
    on_line: called with each line of output, for progress.
    gentle:  on Ctrl-C let the child end by itself first (dpkg).
    """
    log.write('$ ' + (f'cd {shlex.quote(cwd)}; ' if cwd else '')
              + ' '.join(shlex.quote(c) for c in cmd))
    p = spawn(cmd, cwd=cwd, env=child_env(env), stdin=subprocess.DEVNULL,
              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
              encoding='utf-8', errors='replace', bufsize=1)
    tail: Deque[str] = collections.deque(maxlen=200)
    out = p.stdout
    assert out is not None
    try:
        for line in out:
            line = line.rstrip('\r\n')
            tail.append(line)
            log.write(line)
            if ui is not None:
                ui.output(line)
            if on_line is not None:
                on_line(line)
        rc = p.wait()
    except BaseException:
        if gentle:
            kill_group(p, grace=60.0, first=signal.SIGINT)
        else:
            kill_group(p)
        raise
    finally:
        reap(p)
        out.close()
    log.write(f'[exit status {rc}]')
    if rc and check:
        raise command_failed(what, rc, list(tail), log.path)
    return rc


def command_failed(what: str, rc: int, tail: List[str],
                   log: Optional[str]) -> LabError:
    """The error for a command that ended with rc, its cause named if known."""
    how = f'exit status {rc}' if rc > 0 else f'signal {-rc}'
    cause = known_cause(tail)
    if cause:
        return LabError(f'{what} failed: {cause[0]}', cause[1], log)
    shown = tail[-TAIL:]
    errors = [x for x in tail[:-TAIL] if ' error: ' in x
              or x.startswith(('FAILED:', 'ERROR:'))]
    if errors and not any(' error: ' in x for x in shown):
        shown = errors[:3] + ['...'] + shown    # what it was about
    return LabError(f'{what} failed ({how})', None, log, shown)


def output_of(cmd: Sequence[str], cwd: Optional[str] = None,
              env: Optional[Dict[str, str]] = None) -> str:
    """stdout of a short command, '' if it fails or does not exist."""
    try:
        p = owntime.said(cmd, 120, cwd=cwd, env=child_env(env),
                         stdin=subprocess.DEVNULL, encoding='utf-8',
                         errors='replace')
    except OSError:
        return ''
    return p.stdout if p is not None and not p.returncode else ''


def git(directory: str, *args: str) -> str:
    """Output of git about a directory, '' if it fails.

    It works inside another git command, and in a directory of another user,
    as a mounted one is in a container."""
    return output_of(['env', '-u', 'GIT_DIR', '-u', 'GIT_WORK_TREE', '-u',
                      'GIT_INDEX_FILE', 'git', '-c', 'safe.directory=*', '-C',
                      directory, *args])
