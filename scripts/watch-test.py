#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""watch-test.py COMMAND...: run a test until it ends or makes no progress."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from pri_lab.check.watchdog import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
