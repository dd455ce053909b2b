/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/pci_regs.h>
