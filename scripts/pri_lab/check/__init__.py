# SPDX-License-Identifier: GPL-2.0-or-later
"""`check`: suites of tests, how one is run, watched and read."""
