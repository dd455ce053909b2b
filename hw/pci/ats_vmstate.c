/*
 * Migration of the engines behind a function with ATS and Page Requests
 *
 * Apart from the engines, so that these build without QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_vmstate.h"
#include "migration/vmstate.h"

/* -- Page Requests --------------------------------------------------------- */

static const VMStateDescription vmstate_pcie_pri_group = {
    .name = "pcie-pri/group",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(cookie, PciePriGroup),
        VMSTATE_UINT32(pasid, PciePriGroup),
        VMSTATE_UINT32(pages, PciePriGroup),
        VMSTATE_UINT8(use, PciePriGroup),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_pcie_pri_counters = {
    .name = "pcie-pri/counters",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(page_requests, PciePriCounters),
        VMSTATE_UINT64(groups, PciePriCounters),
        VMSTATE_UINT64(stop_markers, PciePriCounters),
        VMSTATE_UINT64(resp_success, PciePriCounters),
        VMSTATE_UINT64(resp_invalid, PciePriCounters),
        VMSTATE_UINT64(resp_failure, PciePriCounters),
        VMSTATE_UINT64(resp_unexpected, PciePriCounters),
        VMSTATE_UINT64(resp_ignored, PciePriCounters),
        VMSTATE_UINT64(resp_stale, PciePriCounters),
        VMSTATE_UINT64(violations, PciePriCounters),
        VMSTATE_END_OF_LIST()
    }
};

/* What the table implies is computed, so that the two cannot differ */
static int pcie_pri_post_load(void *opaque, int version_id)
{
    PciePri *pri = opaque;
    uint64_t used = 0;

    pri->n_groups = 0;
    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        if (pri->groups[i].use > PCIE_PRI_STALE) {
            return -EINVAL;
        }
        if (pri->groups[i].use != PCIE_PRI_FREE) {
            pri->n_groups++;
            used += pri->groups[i].pages;
        }
    }
    if (used > UINT32_MAX || pri->last_prgi >= ATS_PRGI_NR) {
        return -EINVAL;
    }
    pri->credits_used = used;
    return 0;
}

const VMStateDescription vmstate_pcie_pri = {
    .name = "pcie-pri",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = pcie_pri_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(capacity, PciePri, NULL),
        VMSTATE_UINT32(allocation, PciePri),
        VMSTATE_BOOL(enable, PciePri),
        VMSTATE_BOOL(response_failure, PciePri),
        VMSTATE_BOOL(uprgi, PciePri),
        VMSTATE_BOOL(stopped, PciePri),
        VMSTATE_BOOL(failed, PciePri),
        VMSTATE_BOOL(waiters, PciePri),
        VMSTATE_UINT16(last_prgi, PciePri),
        VMSTATE_STRUCT_ARRAY(groups, PciePri, ATS_PRGI_NR, 1,
                             vmstate_pcie_pri_group, PciePriGroup),
        VMSTATE_UINT32_ARRAY(raw, PciePri, ATS_PRGI_NR),
        VMSTATE_UINT32_ARRAY(forgotten, PciePri, ATS_PRGI_NR),
        VMSTATE_UINT64(n_freed, PciePri),
        VMSTATE_UINT64_ARRAY(freed, PciePri, ATS_PRGI_NR),
        VMSTATE_STRUCT(cnt, PciePri, 1, vmstate_pcie_pri_counters,
                       PciePriCounters),
        VMSTATE_END_OF_LIST()
    }
};

/* -- Address Translation Cache --------------------------------------------- */

static const VMStateDescription vmstate_pcie_atc_entry = {
    .name = "pcie-atc/entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(iova, PcieAtcEntry),
        VMSTATE_UINT64(addr, PcieAtcEntry),
        VMSTATE_UINT64(mask, PcieAtcEntry),
        VMSTATE_UINT32(pasid, PcieAtcEntry),
        VMSTATE_BOOL(priv, PcieAtcEntry),
        VMSTATE_BOOL(read, PcieAtcEntry),
        VMSTATE_BOOL(write, PcieAtcEntry),
        VMSTATE_BOOL(exec, PcieAtcEntry),
        VMSTATE_BOOL(global, PcieAtcEntry),
        VMSTATE_END_OF_LIST()
    }
};

static int pcie_atc_pre_save(void *opaque)
{
    pcie_atc_save(opaque);
    return 0;
}

static int pcie_atc_post_save(void *opaque)
{
    pcie_atc_free_saved(opaque);
    return 0;
}

static int pcie_atc_pre_load(void *opaque)
{
    pcie_atc_free_saved(opaque);
    return 0;
}

static int pcie_atc_post_load(void *opaque, int version_id)
{
    pcie_atc_restore(opaque);
    return 0;
}

static bool pcie_atc_count_ok(void *opaque, int version_id)
{
    PcieAtc *atc = opaque;

    return atc->n_saved >= 0 && (uint32_t)atc->n_saved <= atc->capacity;
}

const VMStateDescription vmstate_pcie_atc = {
    .name = "pcie-atc",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = pcie_atc_pre_save,
    .post_save = pcie_atc_post_save,
    .pre_load = pcie_atc_pre_load,
    .post_load = pcie_atc_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(capacity, PcieAtc, NULL),
        VMSTATE_INT32(n_saved, PcieAtc),
        VMSTATE_VALIDATE("no more entries than capacity", pcie_atc_count_ok),
        VMSTATE_STRUCT_VARRAY_ALLOC(saved, PcieAtc, n_saved, 1,
                                    vmstate_pcie_atc_entry, PcieAtcEntry),
        VMSTATE_END_OF_LIST()
    }
};

/* -- The function ---------------------------------------------------------- */

static int ats_function_post_load(void *opaque, int version_id)
{
    ats_function_sync_config(opaque);
    return 0;
}

static const VMStateDescription vmstate_ats_function_counters = {
    .name = "ats-function/counters",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(inv_requests, AtsFunctionCounters),
        VMSTATE_UINT64(inv_completions, AtsFunctionCounters),
        VMSTATE_UINT64(atc_hits, AtsFunctionCounters),
        VMSTATE_UINT64(atc_misses, AtsFunctionCounters),
        VMSTATE_UINT64(translations, AtsFunctionCounters),
        VMSTATE_UINT64(trans_ur, AtsFunctionCounters),
        VMSTATE_UINT64(trans_ca, AtsFunctionCounters),
        VMSTATE_UINT64(violations, AtsFunctionCounters),
        VMSTATE_END_OF_LIST()
    }
};

const VMStateDescription vmstate_ats_function = {
    .name = "ats-function",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = ats_function_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(ats_control, AtsFunction),
        VMSTATE_UINT16(pasid_control, AtsFunction),
        VMSTATE_STRUCT(pri, AtsFunction, 1, vmstate_pcie_pri, PciePri),
        VMSTATE_STRUCT(atc, AtsFunction, 1, vmstate_pcie_atc, PcieAtc),
        VMSTATE_STRUCT(cnt, AtsFunction, 1, vmstate_ats_function_counters,
                       AtsFunctionCounters),
        VMSTATE_END_OF_LIST()
    }
};
