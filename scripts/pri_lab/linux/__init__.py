# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest kernels: sources, configuration, builds, the matrix."""
