# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest job as one test of meson: its results as flat TAP."""

from __future__ import annotations

import sys

from ..machine import vm


def run(job: vm.Job) -> int:
    """Boot it, print what it says as it says it; exit status."""
    number = 0

    def emit(line: str, results) -> None:
        nonlocal number
        body = line.strip()
        if body.startswith('#') and not body.startswith('# Subtest'):
            print(body)
        for r in results:
            number += 1
            print(r.line(number))
        sys.stdout.flush()

    print('TAP version 13', flush=True)
    out = job.run(emit)
    trouble = out.troubles
    for block in out.splats:
        for x in block:
            print(f'# {x}')
    for page in out.known:
        print(f'# known bug of the kernel: {page}')
    number += 1
    print(f'{"not ok" if trouble else "ok"} {number} - {vm.ENDED}')
    for p in trouble:
        print(f'# {p}')
    if trouble:
        print(f'# console: {job.console}')
    print(f'1..{number}', flush=True)
    return 0 if out.passed else 1
