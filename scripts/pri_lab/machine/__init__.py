# SPDX-License-Identifier: GPL-2.0-or-later
"""One guest that runs: its command line, console, QMP and record."""
