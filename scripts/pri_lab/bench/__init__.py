# SPDX-License-Identifier: GPL-2.0-or-later
"""`bench`: how fast it is, and whether the guest boots on a busy host."""
