# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's programs, and the initramfs they are in."""
