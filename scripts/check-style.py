#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-style.py checkpatch|kernel|mypy|shellcheck|codespell [QEMU-SOURCE]

One of the style checks of `./pri-lab check style`, as TAP.  A tool that is not
here is a skip that names its package.
"""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from pri_lab.check.stylecheck import main  # noqa: E402

sys.exit(main(sys.argv[1:], os.path.dirname(HERE)))
