# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several commands take.

A group has the fields of core/requests.py, add(), which says how argparse
reads them, and perhaps check(), which looks at them before anything is done.
The Request of a command inherits from the groups that it takes.
"""

from __future__ import annotations

import argparse
import os
import re
from typing import Any, ClassVar, Dict, List, Optional

from ..core import host, requests
from ..core.errors import UsageError
from ..evidence import new
from ..guest import guest
from ..inputs import check
from ..iommu import kind
from ..linux import kernel, matrix
from ..machine import jobs, record, share
from ..own import tree
from ..qemu import qemusrc, series

# Options that may stand before the command, too: argparse leaves them out,
# so that what one place sets the other does not set back
ANYWHERE: Dict[str, Any] = {'verbose': False, 'jobs': 0, 'qemu_src': '',
                            'kernel': '', 'accel': ''}


def at_least(least: int):
    """The type of an option that takes a whole number, not below one."""
    def number(text: str) -> int:
        if not re.fullmatch(r'-?\d+', text) or int(text) < least:
            raise argparse.ArgumentTypeError(
                f'{text!r} is not a whole number of {least} or more')
        return int(text)
    return number


positive, number = at_least(1), at_least(0)


class Request(requests.Request):
    """What every command takes."""

    BUILDS: ClassVar[bool] = True       # it may have to build something
    INTERRUPTED: ClassVar[str] = (
        'interrupted; what is built so far is kept, the same command continues '
        'from there')

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('-v', '--verbose', action='store_true',
                       default=argparse.SUPPRESS,
                       help='show the output of every step')
        p.add_argument('-j', '--jobs', type=positive, metavar='N',
                       default=argparse.SUPPRESS,
                       help='parallel jobs (default: one a CPU)')

    @property
    def reads_only(self) -> bool:
        """It only shows what there is: it leaves no log, and the cache need
        not be there."""
        return False

    @property
    def cleans(self) -> bool:
        """It must not run beside any other command."""
        return False

    @property
    def failed(self) -> Optional[int]:
        """The exit status of any error, if the caller wants one."""
        return None

    @property
    def called(self) -> List[str]:
        """What it is called in installed.REPOSITORY_ONLY."""
        return [self.command]


class Qemu(requests.Qemu):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--qemu-src', metavar='DIR|TARBALL',
                       default=argparse.SUPPRESS,
                       help='QEMU source to use: ' + series.told())

    def check(self, _repo: str, _ui) -> None:
        if self.qemu_src:
            qemusrc.given(self.qemu_src)


class KernelName(requests.KernelName):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--kernel', metavar='NAME|DIR|IMAGE',
                       default=argparse.SUPPRESS,
                       help='guest kernel to use: a name of `kernel list`, '
                       'with /FRAGMENT for guest/kernel/FRAGMENT.config on '
                       'top and +PATCH for guest/kernel/bugs/PATCH.patch; a '
                       'build directory, a source tree, a vmlinux or a '
                       'bzImage')


class Kernel(KernelName):
    """A kernel that is there or can be built."""

    def check(self, repo: str, ui) -> None:
        if ',' in self.kernel and not os.path.exists(self.kernel):
            raise UsageError(
                f'--kernel {self.kernel}: one kernel at a time',
                'several are for repro, check, explore and resets')
        _kernels(self, repo, [self.kernel], ui)


class Kernels(KernelName):
    """One or, with commas, several."""

    def check(self, repo: str, ui) -> None:
        _kernels(self, repo, matrix.select(matrix.load(repo), self.kernel), ui)


def _kernels(of: KernelName, repo: str, names: List[str], ui) -> None:
    """Look at the kernels of a request, which may also say how one is built
    and for which machine."""
    config = of.config if isinstance(of, requests.Config) else []
    iommu = of.iommu if isinstance(of, requests.Iommu) else ''
    for one in names:
        check.kernel_given(repo, one, config, ui, iommu)
    if not of.kernel:
        kernel.check_configs(repo, '', config)


class Accel(requests.Accel):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--accel', choices=('tcg', 'kvm'),
                       default=argparse.SUPPRESS,
                       help='default: kvm where it works, else tcg')

    def check(self, _repo: str, _ui) -> None:
        if self.accel == 'kvm':
            host.choose_accel('kvm')


class Iommu(requests.Iommu):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--iommu', default='', metavar='KIND|FILE.toml',
                       help='kind of machine: a name of scripts/pri_lab/iommu '
                       f'(default: {kind.DEFAULT}) or a file of your own')

    def check(self, _repo: str, _ui) -> None:
        kind.load(self.iommu)


class Config(requests.Config):
    """How a kernel is built."""

    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--config', action='append', default=[],
                       metavar='FRAGMENT', help='lines of configuration on '
                       'top of base.config, for a kernel of `kernel list`')
        p.add_argument('--make', action='append', default=[],
                       metavar='VARIABLE=VALUE', help='for make, when a '
                       'source tree of yours is built (LLVM=1); LLVM and CC '
                       'of the environment count, too; may be repeated')

    def check(self, _repo: str, _ui) -> None:
        tree.words(self.make)


class Platform(requests.Platform):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--platform', choices=jobs.PLATFORMS, default='',
                       help='defaults of the knobs of IOMMU and devices: '
                       'strict is the least forgiving legal machine '
                       '(docs/platforms.md)')


class Args(requests.Args):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--args', default='', metavar='A,B',
                       help='arguments of the guest program')


class Timeout(requests.Timeout):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--timeout', type=positive, metavar='SECONDS',
                       default=0, help='for one boot of the guest')


class Append(requests.Append):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--append', default='', metavar='WORDS',
                       help='more words for the kernel command line')


class Sanitize(requests.Sanitize):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--sanitize', action='store_true',
                       help='with address and undefined-behaviour sanitizers')


class Junit(requests.Junit):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--junit', default='', metavar='FILE',
                       help='write the results as JUnit XML, too')

    def check(self, _repo: str, _ui) -> None:
        check.place(self.junit)


class Json(requests.Json):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--json', default='', metavar='FILE',
                       help='write the results for programs to read, too '
                       '(docs/manual/json.md); -: to standard output')

    def check(self, _repo: str, _ui) -> None:
        check.place(self.json)


class Debug(requests.Debug):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--gdb', action='store_true',
                       help='wait for gdb before the guest starts, and say '
                       'how to attach it')
        p.add_argument('--trace', action='append', default=[],
                       metavar='PATTERN', help='log trace events of QEMU '
                       '(such as vtd_prq*, ats_*), may be repeated')
        p.add_argument('--qemu-arg', action='append', default=[],
                       metavar='WORDS', help='more arguments for QEMU, as '
                       '--qemu-arg=\'-device edu\', may be repeated')


class Add(requests.Add):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--add', action='append', default=[],
                       dest='add_files', metavar='FILE|DIR',
                       help='put your own program (it finds libc and '
                       'busybox) into the guest, as /tests/NAME; a JOB can '
                       'be one; may be repeated')

    def check(self, _repo: str, _ui) -> None:
        guest.added_files(self.add_files)


class Share(requests.Share):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--share', action='append', default=[],
                       metavar='DIR[:ro]', help='your directory itself in '
                       'the guest (9p), as /tests/NAME; :ro, not to be '
                       'written; a JOB can be in it; may be repeated')

    def check(self, _repo: str, _ui) -> None:
        share.shared(self.share)


class Record(requests.Record):
    ONE_EACH: ClassVar[str] = ''


    @classmethod
    def add(cls, p: argparse.ArgumentParser) -> None:
        p.add_argument('--record', nargs='?', const=record.LOGGED,
                       default='', metavar='FILE.jsonl',
                       help='write one log of guest, IOMMU and device, for '
                       '`timeline`, to a file of that ending or to the log '
                       'directory' + cls.ONE_EACH)

    def check(self, _repo: str, _ui) -> None:
        check.place(self.record)


class New(requests.New):
    @staticmethod
    def add(p: argparse.ArgumentParser) -> None:
        p.add_argument('--new', default=None, metavar='NAME',
                       help='write NAME.c to start from, here or, in the '
                       'repository, where the others are')

    def check(self, _repo: str, _ui) -> None:
        if self.new is not None:
            new.named(self.new)
