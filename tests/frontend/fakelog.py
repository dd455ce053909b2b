# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording that no machine made: both traces of page faults, as text.

Virtual time is 2 ticks of the TSC a nanosecond, from an offset on.
"""

from pri_lab.machine import record, tracelog

TSC0, TICKS = 5_000_000_000, 2


def tsc(ns):
    return TSC0 + TICKS * ns


def guest(ns, text, task='kworker/u8:1', pid=77, cpu=1):
    return (f'{task:>16}-{pid:<7} [{cpu:03d}] d..1. {tsc(ns):>16}: {text}')


def clock(ns, width=400):
    return guest(ns, 'tracing_mark_write: pri-lab clock '
                 f'{tsc(ns) - width} {ns} {tsc(ns) + width}', 'record', 9)


def fault(n, t, pasid=1, code=0):
    """(lines of QEMU, lines of the guest) of fault number n at t ns."""
    prgi, page = n % 512, 0x7f0000000000 + 0x1000 * n
    end = t + 90_000
    return [
        f'[{t}] pri_testdev_start pt0 channel {n % 8}: op 2 flags 0x9 pasid '
        f'0x{pasid:x} src 0x0 dst 0x{page:x} len 0x1000',
        f'[{t + 200}] pcie_pri_group prgi {prgi} pasid 0x{pasid:x} pages 1 '
        'cookie 0x0',
        f'[{t + 300}] ats_link_page_request 0100 pasid 0x{pasid:x} addr '
        f'0x{page:x} prgi {prgi} R=0 W=1 L=1 priv=0 exec=0',
        f'[{t + 900}] vtd_prq_deliver 0100 pasid 0x{pasid:x} addr 0x{page:x} '
        f'prgi {prgi} at 0x40',
        f'[{t + 1100}] vtd_prq_event prs 0x1',
        f'[{t + 60_000}] vtd_prq_response 0100 pasid 0x{pasid:x} prgi {prgi} '
        f'code 0x{code:x}',
        f'[{t + 60_100}] ats_link_prg_response 0100 pasid 0x{pasid:x} prgi '
        f'{prgi} code 0x{code:x}',
        f'[{end}] pri_testdev_end pt0 channel {n % 8}: status '
        f'{3 if code else 2}, 0x1000 bytes done, at 0x0',
    ], [
        guest(t + 20_000, f'prq_report: dmar0/0000:01:00.0 seq# {n}: '
              f'rid=0x100 addr=0x{page >> 12:x} -w--l pasid=0x{pasid:x} '
              f'index=0x{prgi:x}', 'irq/24-dmar0-prq', 50),
        guest(t + 30_000, 'iopf_work: (iommu_sva_handle_iopf+0x0/0x480)'),
        guest(t + 35_000, f'mm_fault: (handle_mm_fault+0x0/0x800) addr='
              f'0x{page:x}'),
        guest(t + 50_000, 'iopf_work_done: (process_one_work+0x1/0x2 <- '
              'iommu_sva_handle_iopf)'),
        guest(t + 55_000, 'qi_submit: page_grp_resp dmar0: 0x'
              f'{0x19 | code << 12 | 0x100 << 16 | pasid << 32:x} '
              f'0x{prgi << 3:x} 0x0 0x0'),
    ]


def run(faults, step=100_000, start=1_000_000):
    """Both traces of that many faults; every 100th is answered Invalid."""
    qemu, linux = [], []
    for n in range(faults):
        t = start + n * step
        if n % 50 == 0:
            linux.append(clock(t - 500))
        q, g = fault(n, t, 1 + n % 3, 1 if n % 100 == 99 else 0)
        qemu += q
        linux += g
    linux.append(clock(start + faults * step))
    return qemu, linux


def merged(repo, faults, extra_guest=()):
    """The log of both."""
    qemu, linux = run(faults)
    return record.merge(tracelog.qemu_lines(qemu, tracelog.formats(repo)),
                        tracelog.guest_lines(linux + list(extra_guest)),
                        {'job': 'fake'})
