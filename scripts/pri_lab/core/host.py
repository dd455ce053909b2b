# SPDX-License-Identifier: GPL-2.0-or-later
"""Which accelerator runs a guest here.

/dev/kvm may exist and still not run one (a container, a nested host without
nested virtualization, a KVM in software that hangs in real mode).  So the CPU
has to name vmx or svm, and KVM to prove itself: a virtual CPU executes one
HLT instruction, in a process of its own that may hang or die.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import re
import struct
import subprocess
import sys
from typing import Tuple

from . import owntime
from .errors import LabError

_KVM_GET_API_VERSION = 0xAE00
_KVM_CREATE_VM = 0xAE01
_KVM_GET_VCPU_MMAP_SIZE = 0xAE04
_KVM_CREATE_VCPU = 0xAE41
_KVM_SET_USER_MEMORY_REGION = 0x4020AE46
_KVM_RUN = 0xAE80
_KVM_GET_SREGS = 0x8138AE83
_KVM_SET_SREGS = 0x4138AE84
_KVM_SET_REGS = 0x4090AE82
_SREGS_SIZE = 0x138
_EXIT_HLT = 5


def prove_kvm() -> str:
    """Run one HLT under KVM; '' if it worked, else what went wrong."""
    kvm = os.open('/dev/kvm', os.O_RDWR | os.O_CLOEXEC)
    if fcntl.ioctl(kvm, _KVM_GET_API_VERSION) != 12:
        return 'unknown KVM interface'
    vm = fcntl.ioctl(kvm, _KVM_CREATE_VM, 0)
    mem = mmap.mmap(-1, 4096)
    mem[0] = 0xf4                                   # hlt
    addr = ctypes.addressof(ctypes.c_char.from_buffer(mem))
    fcntl.ioctl(vm, _KVM_SET_USER_MEMORY_REGION,
                struct.pack('=IIQQQ', 0, 0, 0x1000, 4096, addr))
    vcpu = fcntl.ioctl(vm, _KVM_CREATE_VCPU, 0)
    size = fcntl.ioctl(kvm, _KVM_GET_VCPU_MMAP_SIZE, 0)
    run = mmap.mmap(vcpu, size)
    sregs = bytearray(_SREGS_SIZE)
    fcntl.ioctl(vcpu, _KVM_GET_SREGS, sregs)
    sregs[0:8] = struct.pack('=Q', 0)               # cs.base
    sregs[12:14] = struct.pack('=H', 0)             # cs.selector
    fcntl.ioctl(vcpu, _KVM_SET_SREGS, sregs)
    regs = [0] * 18
    regs[16], regs[17] = 0x1000, 2                  # rip, rflags
    fcntl.ioctl(vcpu, _KVM_SET_REGS, struct.pack('=18Q', *regs))
    fcntl.ioctl(vcpu, _KVM_RUN, 0)
    reason = struct.unpack_from('=I', run, 8)[0]
    return '' if reason == _EXIT_HLT else f'exit reason {reason}'


def kvm_fault() -> str:
    """'' if KVM runs guests here, else why not."""
    if not os.path.exists('/dev/kvm'):
        return 'there is no /dev/kvm'
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return '/dev/kvm may not be opened by this user'
    try:
        with open('/proc/cpuinfo', encoding='ascii', errors='replace') as f:
            flags = re.search(r'^flags\s*:(.*)$', f.read(), re.M)
    except OSError:
        flags = None
    if not flags or not set(flags.group(1).split()) & {'vmx', 'svm'}:
        return '/dev/kvm exists, but the CPU has neither vmx nor svm'
    code = ('import sys; sys.path.insert(0, sys.argv[1]); '
            'from pri_lab.core import host; print("result:" + host.prove_kvm())')
    p = owntime.said(
        [sys.executable, '-c', code,
         os.path.abspath(os.path.join(os.path.dirname(__file__),
                                      '..', '..'))],
        10, stdin=subprocess.DEVNULL, encoding='utf-8')
    if p is None:
        return 'a test guest hung'
    if p.returncode or 'result:' not in p.stdout:
        last = p.stderr.strip().splitlines()[-1:] or [f'{p.returncode}']
        return f'a test guest died: {last[0]}'
    return p.stdout.split('result:', 1)[1].strip()


def choose_accel(wanted: str) -> Tuple[str, str]:
    """(accelerator, message): what to use, and what to tell the user.

    wanted: 'tcg', 'kvm' or '' for the best that works.
    """
    if wanted == 'tcg':
        return 'tcg', ''
    fault = kvm_fault()
    if not fault:
        return 'kvm', ''
    if wanted == 'kvm':
        raise LabError(f'KVM does not work here: {fault}',
                       'leave out --accel kvm; TCG is slower but works '
                       'everywhere')
    quiet = fault == 'there is no /dev/kvm'
    return 'tcg', '' if quiet else f'KVM does not work here ({fault}); ' \
        'using TCG'
