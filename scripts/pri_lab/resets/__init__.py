# SPDX-License-Identifier: GPL-2.0-or-later
"""`pri-lab resets`: the table of resets of a kernel."""
