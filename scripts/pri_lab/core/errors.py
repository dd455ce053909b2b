# SPDX-License-Identifier: GPL-2.0-or-later
"""What can go wrong, and how it is told.

A LabError is one clear line (what happened) and, if there is something the
user can do, a second one.  Nothing else may end a command: no traceback is
ever the answer to bad input, a missing network or a full disk.
"""

from __future__ import annotations

import errno
import os
import re
from typing import Dict, Iterable, Optional

EXIT_GOOD = 0
EXIT_FAIL = 1
EXIT_USAGE = 2
EXIT_CANNOT = 3
EXIT_SKIP = 4                   # as kselftest: nothing failed, nothing ran
EXIT_DIFFER = 5
EXIT_UNTESTABLE = 125           # `git bisect run` skips the commit
EXIT_ABORT = 128                # `git bisect run` stops
EXIT_INTERRUPTED = 130
# The exit statuses of every command; help and manual are made from it.
STATUSES: Dict[int, str] = {
    EXIT_GOOD: 'good: tests passed, a race had the expected verdict',
    EXIT_FAIL: 'a test failed, a race had another verdict than expected, '
    'an order of steps went wrong; --bisect: REPRODUCED',
    EXIT_USAGE: 'bad usage: an option, a name or a file on the command line, '
    'found before anything is built',
    EXIT_CANNOT: 'nothing was found out: something did not build, boot or '
    'come to an end',
    EXIT_SKIP: 'everything was skipped (as kselftest)',
    EXIT_DIFFER: 'the runs of a race differ',
    EXIT_UNTESTABLE: '--bisect: the kernel does not build, boot or run the '
    'race, or the runs differ',
    EXIT_ABORT: '--bisect: bad usage, or the lab itself cannot be built; '
    'git stops',
    EXIT_INTERRUPTED: 'interrupted (128 and the number of the signal)',
}


def worst(statuses: Iterable[int]) -> int:
    """The status of a command that did several things: what went wrong
    before what was not found out."""
    order = (EXIT_FAIL, EXIT_DIFFER, EXIT_CANNOT, EXIT_SKIP)
    there = set(statuses)
    return next((s for s in order if s in there), EXIT_GOOD)


class LabError(Exception):
    """A failure with a sentence for the user.

    what: one line, no full stop needed.
    hint: what to do about it, or None.
    log:  file that holds the whole story, or None.
    tail: last lines of a failed command's output, shown under the message.
    """

    status = EXIT_CANNOT

    def __init__(self, what: str, hint: Optional[str] = None,
                 log: Optional[str] = None, tail: Iterable[str] = ()):
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.log = log
        self.tail = list(tail)


class UsageError(LabError):
    """Something on the command line is wrong."""

    status = EXIT_USAGE


class Unavailable(LabError):
    """Something that others publish is not available (any more), which is
    no fault of this repository."""


class Interrupted(BaseException):
    """A signal asked us to stop; carries its number."""

    def __init__(self, signum: int):
        super().__init__(signum)
        self.signum = signum


ROOM = 1 << 20                  # bytes; less is a full disk
NETWORK = 'the network or the package mirror could not be reached'
GONE = 'the package mirror answers, and does not have it any more'
_CAUSES = (
    (re.compile(r'No space left on device|Disk quota exceeded'
                r'|not enough free space|You don.t have enough free space'),
     'the disk is full',
     'free some space (`./pri-lab clean --all` empties the cache), then '
     'run the same command again'),
    (re.compile(r'\b(?:404|410) +(?:Not Found|Gone)\b', re.I),
     GONE,
     'its index still lists what has been taken away; another version may be '
     'there: ./pri-lab kernel list'),
    (re.compile(r'Temporary failure resolving|Could not resolve'
                r'|Unable to connect|Could not connect|Connection timed out'
                r'|Network is unreachable|No route to host'
                r'|Connection failed|Failed to fetch|Name or service not'
                r'|Connection refused', re.I),
     NETWORK,
     'check the connection (and http_proxy), then run the same command '
     'again; what is already in the cache is kept'),
    (re.compile(r'Could not get lock|Unable to acquire the dpkg frontend'),
     'another package manager is running',
     'wait until it has ended, then run the same command again'),
    (re.compile(r'Out of memory|Killed signal terminated program'
                r'|virtual memory exhausted|Cannot allocate memory'),
     'the machine ran out of memory',
     'try again with fewer jobs: --jobs 1'),
)


def known_cause(lines: Iterable[str]):
    """(what, hint) if the output of a command names a cause we know."""
    text = '\n'.join(lines)
    for pattern, what, hint in _CAUSES:
        if pattern.search(text):
            return what, hint
    return None


def _is_full(path: str) -> bool:
    """Whether there is no room for another file there."""
    while not os.path.exists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    try:
        there = os.statvfs(path)
    except OSError:
        return False
    return there.f_bavail * there.f_frsize < ROOM


def from_oserror(e: OSError, cache: str) -> LabError:
    """The sentence for an OSError that nobody caught closer to its cause.

    cache: the cache's directory: only what lies there is helped by another
    one, or by emptying it.
    """
    path = re.sub(r'\.part\d*$', '', str(e.filename or ''))
    name = f' ({path})' if path else ''
    # the cache itself, what is in it, or where it shall be made
    ours = bool(path) and (path + '/').startswith(cache + '/') or \
        bool(path) and cache.startswith(path.rstrip('/') + '/')
    if e.errno in (errno.ENOSPC, errno.EDQUOT):
        if not path and _is_full(cache):    # what is written has no name
            return LabError(f'the disk is full ({cache})', _CAUSES[0][2])
        if not path:
            return LabError('cannot write the results: the disk is full',
                            'they go to standard output')
        return LabError(f'the disk is full{name}', _CAUSES[0][2] if ours
                        else 'free some space there')
    if e.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = 'the cache is under XDG_CACHE_HOME (default ~/.cache/' \
            'pri-lab); point it to a place you own' if ours else None
        return LabError(f'cannot write or read{name}: {e.strerror}', hint)
    return LabError(f'{e.strerror or e}{name}')
