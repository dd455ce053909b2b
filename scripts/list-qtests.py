#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the names of our qtest binaries, for meson.build."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

from pri_lab.qemu.qemubuild import our_qtests  # noqa: E402

print('\n'.join(our_qtests(os.path.dirname(HERE))))
