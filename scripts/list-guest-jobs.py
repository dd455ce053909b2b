#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the guest jobs that boot a machine of their own, for meson.build."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

from pri_lab.machine.jobs import own_machine  # noqa: E402

print('\n'.join(own_machine(os.path.dirname(HERE))))
