# SPDX-License-Identifier: GPL-2.0-or-later
"""Kinds of machine: what the front end knows of an IOMMU, as data."""
