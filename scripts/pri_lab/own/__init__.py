# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels from the user's own source tree."""
