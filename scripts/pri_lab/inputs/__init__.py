# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user gave on the command line, checked before anything is built."""
