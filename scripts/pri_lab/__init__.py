# SPDX-License-Identifier: GPL-2.0-or-later
"""Front end of pri-lab: fetch, patch, build, boot, check."""
