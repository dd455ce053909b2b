# SPDX-License-Identifier: GPL-2.0-or-later
"""What is on disk of runs, of campaigns, and how it is removed."""
