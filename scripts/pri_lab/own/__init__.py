# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees and kernels that are the user's."""
