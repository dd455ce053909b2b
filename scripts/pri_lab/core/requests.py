# SPDX-License-Identifier: GPL-2.0-or-later
"""What a command is asked for, as the modules that do it read it.

A group is the fields of some options.  How argparse reads them and what is
checked first is said by the class of the same name in commands/shared.py, or
by the Request of the command.  A request never changes: dataclasses.replace()
makes another one.
"""

from __future__ import annotations

import dataclasses
from typing import List, Optional


@dataclasses.dataclass(frozen=True)
class Request:
    """What every command takes."""

    command: str
    verbose: bool
    jobs: int                   # at a time; 0: as many as there are CPUs


@dataclasses.dataclass(frozen=True)
class Qemu:
    qemu_src: str               # '': the one that is downloaded


@dataclasses.dataclass(frozen=True)
class KernelName:
    kernel: str                 # '': the default one


@dataclasses.dataclass(frozen=True)
class Accel:
    accel: str                  # '': the best that works


@dataclasses.dataclass(frozen=True)
class Config:
    """How a kernel is built."""

    config: List[str]           # fragments
    make: List[str]             # VARIABLE=VALUE


@dataclasses.dataclass(frozen=True)
class Machine(Config, Accel, KernelName, Qemu):
    """What a machine is made of."""


@dataclasses.dataclass(frozen=True)
class Iommu:
    iommu: str                  # as kind.load() takes it


@dataclasses.dataclass(frozen=True)
class Platform:
    platform: str               # '': as the devices' defaults are


@dataclasses.dataclass(frozen=True)
class Args:
    args: str                   # A,B


@dataclasses.dataclass(frozen=True)
class Timeout:
    timeout: int                # seconds; 0: as the accelerator needs


@dataclasses.dataclass(frozen=True)
class Append:
    append: str                 # words


@dataclasses.dataclass(frozen=True)
class Sanitize:
    sanitize: bool


@dataclasses.dataclass(frozen=True)
class Junit:
    junit: str                  # file


@dataclasses.dataclass(frozen=True)
class Json:
    json: str                   # file; '-': standard output


@dataclasses.dataclass(frozen=True)
class Debug:
    gdb: bool
    trace: List[str]            # patterns
    qemu_arg: List[str]         # words each


@dataclasses.dataclass(frozen=True)
class Add:
    add_files: List[str]


@dataclasses.dataclass(frozen=True)
class Share:
    share: List[str]            # DIR[:ro]


@dataclasses.dataclass(frozen=True)
class Record:
    record: str                 # file; record.LOGGED: in the log directory


@dataclasses.dataclass(frozen=True)
class New:
    new: Optional[str]          # name of a file to start from


# -- of one command -----------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Repro(New, Json, Record, Platform, Machine, Request):
    runs: int                   # from a snapshot; -1: the default
    cold: int                   # -1: the default
    limit: int                  # seconds; 0: none
    sample: bool                # runs without a plan
    resume: bool
    list_all: bool
    all: bool
    table: bool
    show: bool
    status: bool
    bundle: str                 # file
    report: str                 # file
    bisect: bool
    expect: str                 # 'yes', 'no' or ''
    gdb: bool
    races: List[str]


@dataclasses.dataclass(frozen=True)
class Explore(New, Json, Machine, Request):
    budget: float               # minutes; 0: no end
    runs: int                   # -1: the default
    seed: int
    focus: str                  # A,B
    hits: int                   # 0: as many as there are
    replays: int
    known: bool
    list_all: bool
    all: bool
    resume: bool
    pages: bool
    plan: str
    shrink: bool                # the plan
    measure: int                # seeds; 0: no measurement
    sign: str                   # regular expression
    determinism: bool
    depth: int                  # 0: the default
    order: str
    scenario: List[str]


@dataclasses.dataclass(frozen=True)
class Resets(Json, Machine, Request):
    only: str                   # CELL,CELL
    resume: bool
    table: bool
    list_cells: bool


@dataclasses.dataclass(frozen=True)
class Boots(Machine, Request):
    """`bench boots`."""

    runs: int                   # -1: the default
    load: int                   # -1: the default
    resume: bool
