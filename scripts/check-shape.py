#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-shape.py [--list]

Sizes of files and functions, and cycles between the C files of a folder, as
TAP.  --list prints what is too long, in the format of tests/too-long.txt.
"""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from pri_lab.check.shape import main  # noqa: E402

sys.exit(main(sys.argv[1:], os.path.dirname(HERE)))
