# SPDX-License-Identifier: GPL-2.0-or-later
"""`repro`: runs of a race until the verdict is due."""
