# SPDX-License-Identifier: GPL-2.0-or-later
"""What commands leave for others to see: who runs, how far, which logs."""
