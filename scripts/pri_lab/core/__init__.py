# SPDX-License-Identifier: GPL-2.0-or-later
"""What everything stands on: errors, processes, the cache, the terminal."""
