# SPDX-License-Identifier: GPL-2.0-or-later
"""What is installed: the .deb, the manual page, shell completion."""
