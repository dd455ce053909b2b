# SPDX-License-Identifier: GPL-2.0-or-later
"""Results to keep, to hand over and to run again."""
