/*
 * PRG indices: which one a group gets, and which group a response is for
 *
 * PCIe 6.2 10.4.1, 10.4.2, 10.5.2.3.  The index alone identifies a group, as a
 * rule.  If PRG Responses carry the PASID of their group, the pair of both may
 * do that: then each PASID can have all indices for itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/pcie_pri.h"

static bool pcie_pri_index_free(const PciePri *pri, uint16_t prgi)
{
    return !pri->in_use[prgi] && !pri->raw[prgi];
}

/*
 * Round robin lets an index rest as long as possible before its reuse.  The
 * other policies are there to reuse it soon.
 */
static bool pcie_pri_index_unique(const PciePri *pri, uint16_t *prgi)
{
    uint16_t first = pri->quirks.policy == PCIE_PRI_LOWEST ? 0 :
                     pri->last_prgi + 1;
    bool found = false;

    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        uint16_t n = (first + i) % ATS_PRGI_NR;

        if (!pcie_pri_index_free(pri, n)) {
            continue;
        }
        if (!found || pri->freed[n] > pri->freed[*prgi]) {
            *prgi = n;
            found = true;
        }
        if (pri->quirks.policy != PCIE_PRI_LIFO) {
            break;
        }
    }
    return found;
}

/* The lowest that no other group of the same PASID has */
static bool pcie_pri_index_of_pasid(const PciePri *pri,
                                    const PciePriRequest *req, uint16_t *prgi)
{
    bool busy[ATS_PRGI_NR];

    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        busy[i] = pri->raw[i];
    }
    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        const PciePriGroup *group = &pri->groups[i];

        if (group->use != PCIE_PRI_FREE && group->rid == req->rid &&
            group->pasid == req->pasid) {
            busy[group->prgi] = true;
        }
    }
    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        if (!busy[i]) {
            *prgi = i;
            return true;
        }
    }
    return false;
}

PciePriGroup *pcie_pri_take_group(PciePri *pri, const PciePriRequest *req)
{
    uint16_t prgi = 0, slot;

    if (pri->n_groups == ATS_PRGI_NR ||
        (pri->quirks.policy == PCIE_PRI_PER_PASID && pri->pasid_required ?
         !pcie_pri_index_of_pasid(pri, req, &prgi) :
         !pcie_pri_index_unique(pri, &prgi))) {
        return NULL;
    }
    slot = prgi;
    while (pri->groups[slot].use != PCIE_PRI_FREE) {
        slot = (slot + 1) % ATS_PRGI_NR;
    }
    pri->groups[slot] = (PciePriGroup) {
        .cookie = req->cookie,
        .rid = req->rid,
        .pasid = req->pasid,
        .pages = req->n_pages,
        .prgi = prgi,
        .use = PCIE_PRI_SENDING,
    };
    pri->last_prgi = prgi;
    pri->in_use[prgi]++;
    pri->n_groups++;
    pri->credits_used += req->n_pages;
    return &pri->groups[slot];
}

void pcie_pri_free_group(PciePri *pri, PciePriGroup *group)
{
    pri->credits_used -= group->pages;
    pri->n_groups--;
    pri->in_use[group->prgi]--;
    pri->freed[group->prgi] = ++pri->n_freed;
    memset(group, 0, sizeof(*group));
}

/*
 * A PASID that is missing or superfluous in the response is undefined; the
 * index decides then.
 */
PciePriGroup *pcie_pri_find_group(PciePri *pri, const AtsMsg *msg)
{
    bool pasid_decides = pri->pasid_required && msg->pasid != ATS_NO_PASID;
    uint32_t left = pri->in_use[msg->prgi];
    PciePriGroup *found = NULL;

    for (unsigned int i = 0; left && i < ATS_PRGI_NR; i++) {
        PciePriGroup *group = &pri->groups[(msg->prgi + i) % ATS_PRGI_NR];

        if (group->use == PCIE_PRI_FREE || group->prgi != msg->prgi) {
            continue;
        }
        left--;
        if (group->rid != msg->rid) {
            continue;
        }
        if (group->pasid == msg->pasid) {
            return group;
        }
        if (!found && (!pasid_decides || group->pasid == ATS_NO_PASID)) {
            found = group;
        }
    }
    return found;
}
