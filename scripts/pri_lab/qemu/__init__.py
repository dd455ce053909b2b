# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's source, what is laid over it, its builds."""
