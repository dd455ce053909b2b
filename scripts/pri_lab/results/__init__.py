# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest printed, read: KTAP, the kernel's splats, JUnit."""
