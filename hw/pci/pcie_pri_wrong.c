/*
 * Page Requests that break the rules
 *
 * The rules are in pcie_pri.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/pcie_pri.h"

/* For fields that should be 0: bits that are no use as an address or index */
#define PCIE_PRI_DIRT_ADDR      0x00005aa5a55a5000ULL
#define PCIE_PRI_DIRT_PRGI      0x1e0       /* PRGI[8:5] */
#define PCIE_PRI_OTHER_TYPE     0x01        /* PRGI[4:0] */

void pcie_pri_distort(const PciePri *pri, AtsMsg *msg, uint32_t i)
{
    switch (pri->quirks.shape) {
    case PCIE_PRI_NO_LAST:
        msg->last = false;
        break;
    case PCIE_PRI_NO_ACCESS:
        msg->read = false;
        msg->write = false;
        break;
    case PCIE_PRI_EXEC_ONLY:
        msg->read = false;
        msg->exec = true;
        break;
    case PCIE_PRI_MIXED_PASID:
        if (i % 2 && msg->pasid != ATS_NO_PASID) {
            msg->pasid ^= 1;
        }
        break;
    case PCIE_PRI_OTHER_RID:
        msg->rid ^= 1;
        break;
    case PCIE_PRI_OTHER_BUS:
        msg->rid ^= 1 << 8;
        break;
    default:
        break;
    }
}

bool pcie_pri_make_marker(const PciePri *pri, uint16_t rid, uint32_t pasid,
                          AtsMsg *msg)
{
    *msg = (AtsMsg) {
        .kind = ATS_MSG_PAGE_REQUEST,
        .rid = rid,
        .pasid = pasid,
        .last = true,
    };

    switch (pri->quirks.marker) {
    case PCIE_PRI_MARKER_NONE:
        return false;
    case PCIE_PRI_MARKER_NO_PASID:
        msg->pasid = ATS_NO_PASID;
        break;
    case PCIE_PRI_MARKER_TYPE:
        msg->prgi = PCIE_PRI_OTHER_TYPE;
        break;
    case PCIE_PRI_MARKER_DIRTY:
        msg->addr = PCIE_PRI_DIRT_ADDR;
        msg->prgi = PCIE_PRI_DIRT_PRGI;
        break;
    default:
        break;
    }
    return true;
}
