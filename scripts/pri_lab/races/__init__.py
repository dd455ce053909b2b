# SPDX-License-Identifier: GPL-2.0-or-later
"""What a race is, when it is reproduced, and the table of all."""
