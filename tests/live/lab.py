# SPDX-License-Identifier: GPL-2.0-or-later
"""./pri-lab, as the tests of a guest that boots call it."""

import os
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
LAB = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'pri-lab')


def lab(*args):
    """(exit status, output) of a command."""
    p = subprocess.run([LAB, *args], check=False, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       encoding='utf-8', errors='replace')
    return p.returncode, p.stdout
