# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages and sources of the Debian release that this runs on."""
