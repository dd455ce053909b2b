# SPDX-License-Identifier: GPL-2.0-or-later
"""The chart of what happened between guest, IOMMU and device."""
