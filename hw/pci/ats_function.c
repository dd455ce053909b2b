/*
 * A PCI Express function with ATS, Page Requests and PASID
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/range.h"
#include "qapi/error.h"
#include "ats_function_internal.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_device.h"

/* Global Invalidate Supported, PCIe 6.2 10.5.1.2 */
#define ATS_CAP_GLOBAL_INV  0x0040

/* -- Page Requests -------------------------------------------------------- */

/* A function or one of its Virtual Functions */
static AtsFunction *ats_function_of_rid(AtsFunction *f, uint16_t rid)
{
    if (rid == pci_requester_id(f->dev)) {
        return f;
    }
    for (unsigned int i = 0; i < ATS_FUNCTION_VF_MAX && f->vf[i]; i++) {
        if (rid == pci_requester_id(f->vf[i]->dev)) {
            return f->vf[i];
        }
    }
    return NULL;
}

static void ats_function_pri_send(void *opaque, uint16_t rid, AtsMsg *msg)
{
    AtsFunction *f = ats_function_of_rid(opaque, rid);

    if (f) {
        ats_function_send(f, msg);
    }
}

/* Cookies of the engine have the number of the function on top */
#define ATS_COOKIE_SHIFT    48

PciePriSubmit ats_function_submit(AtsFunction *f, PciePriRequest *req)
{
    PciePriRequest numbered = *req;

    numbered.rid = pci_requester_id(f->dev);
    numbered.cookie |= (uint64_t)f->number << ATS_COOKIE_SHIFT;
    return pcie_pri_submit(ats_function_pri(f), &numbered);
}

void ats_function_cancel(AtsFunction *f, uint64_t cookie, uint64_t mask)
{
    cookie |= (uint64_t)f->number << ATS_COOKIE_SHIFT;
    mask |= ~MAKE_64BIT_MASK(0, ATS_COOKIE_SHIFT);
    pcie_pri_cancel(ats_function_pri(f), cookie, mask);
    ats_function_sync_config(ats_function_owner(f));
}

bool ats_function_stop_marker(AtsFunction *f, uint32_t pasid)
{
    return pcie_pri_stop_marker(ats_function_pri(f), pci_requester_id(f->dev),
                                pasid, ats_function_pasid_ok(f, pasid, false,
                                                             false));
}

static void ats_function_group_done(void *opaque, uint64_t cookie,
                                    PciePriEnd end, unsigned int code)
{
    AtsFunction *f = opaque;
    unsigned int number = cookie >> ATS_COOKIE_SHIFT;

    if (number) {
        f = number <= ATS_FUNCTION_VF_MAX ? f->vf[number - 1] : NULL;
    }
    if (f) {
        f->ops->group_done(f->opaque,
                           cookie & MAKE_64BIT_MASK(0, ATS_COOKIE_SHIFT),
                           end, code);
    }
}

static void ats_function_wake(void *opaque)
{
    AtsFunction *f = opaque;

    f->ops->wake(f->opaque);
    for (unsigned int i = 0; i < ATS_FUNCTION_VF_MAX && f->vf[i]; i++) {
        f->vf[i]->ops->wake(f->vf[i]->opaque);
    }
}

static void ats_function_raw_response(void *opaque, const AtsMsg *msg)
{
    AtsFunction *f = ats_function_of_rid(opaque, msg->rid);

    if (f) {
        f->ops->raw_response(f->opaque, msg);
    }
}

static void ats_function_pri_note(void *opaque, PciePriNote note,
                                  const AtsMsg *msg)
{
    ats_function_note(opaque, note, msg);
}

static void ats_function_stopping(void *opaque)
{
    AtsFunction *f = opaque;

    if (f->ops->stopping) {
        f->ops->stopping(f->opaque);
    } else {
        pcie_pri_stopped(&f->pri);
    }
}

void ats_function_stopped(AtsFunction *f)
{
    pcie_pri_stopped(&f->pri);
    ats_function_sync_config(f);
}

static const PciePriOps ats_function_pri_ops = {
    .send = ats_function_pri_send,
    .group_done = ats_function_group_done,
    .wake = ats_function_wake,
    .raw_response = ats_function_raw_response,
    .note = ats_function_pri_note,
    .stopping = ats_function_stopping,
};

bool ats_function_send_raw(AtsFunction *f, AtsMsg *msg)
{
    if (!f->link) {
        return false;
    }
    msg->rid = pci_requester_id(f->dev);
    pcie_pri_send_raw(ats_function_pri(f), msg);
    return true;
}

/* -- Configuration space --------------------------------------------------- */

bool ats_function_check(const AtsFunctionConfig *cfg, Error **errp)
{
    if (cfg->pri && !cfg->ats) {
        error_setg(errp, "pri=on needs ats=on");
    } else if (cfg->pasid && (cfg->pasid_bits < 1 ||
                              cfg->pasid_bits > ATS_PASID_BITS)) {
        error_setg(errp, "pasid-bits must be 1 to 20, or pasid=off");
    } else if (cfg->queue_depth > PCI_ATS_CAP_QDEP(UINT32_MAX)) {
        error_setg(errp, "queue-depth must be 0 to 31");
    } else if (cfg->pri && !cfg->pri_capacity) {
        error_setg(errp, "pri-capacity must not be 0, or pri=off");
    } else if (cfg->atc_entries > ATS_FUNCTION_ATC_MAX) {
        error_setg(errp, "atc-entries must be 0 to %u", ATS_FUNCTION_ATC_MAX);
    } else if (cfg->global_inv && !cfg->pasid) {
        error_setg(errp, "global-invalidate=on needs pasid=on");
    } else {
        return true;
    }
    return false;
}

/*
 * The guest reads these bytes from dev->config.  It writes them through
 * ats_function_config_write() alone, and they change by themselves, so
 * migration must not compare them.
 */
static void ats_function_own(PCIDevice *dev, uint16_t offset, unsigned int len)
{
    memset(dev->wmask + offset, 0, len);
    memset(dev->w1cmask + offset, 0, len);
    memset(dev->cmask + offset, 0, len);
}

static uint16_t ats_function_add_caps(AtsFunction *f, uint16_t offset)
{
    PCIDevice *dev = f->dev;
    const AtsFunctionConfig *cfg = f->cfg;

    if (cfg->ats) {
        uint16_t cap = cfg->queue_depth |
                       (cfg->global_inv ? ATS_CAP_GLOBAL_INV : 0);

        pcie_ats_init(dev, offset, cfg->page_aligned);
        pci_word_test_and_set_mask(dev->config + offset + PCI_ATS_CAP, cap);
        ats_function_own(dev, offset + PCI_ATS_CTRL, 2);
        offset += PCI_EXT_CAP_ATS_SIZEOF;
    }
    if (cfg->pri) {
        pcie_pri_init(dev, offset, cfg->pri_capacity,
                      cfg->pasid && cfg->prg_resp_pasid);
        ats_function_own(dev, offset + PCI_PRI_CTRL, 4);
        ats_function_own(dev, offset + PCI_PRI_ALLOC_REQ, 4);
        offset += PCI_EXT_CAP_PRI_SIZEOF;
    }
    if (cfg->pasid) {
        pcie_pasid_init(dev, offset, cfg->pasid_bits, cfg->pasid_exec,
                        cfg->pasid_priv);
        ats_function_own(dev, offset + PCI_PASID_CTRL, 2);
        offset += PCI_EXT_CAP_PASID_SIZEOF;
    }
    return offset;
}

void ats_function_vf_config(AtsFunctionConfig *cfg,
                            const AtsFunctionConfig *pf)
{
    *cfg = *pf;
    cfg->pri = false;
    cfg->pasid = false;
    cfg->queue_depth = 0;
}

void ats_function_join(AtsFunction *f, AtsFunction *pf, unsigned int n)
{
    f->pf = pf;
    f->number = n + 1;
    pf->vf[n] = f;
}

/* @f is zeroed, but for what ats_function_join() has set */
uint16_t ats_function_realize(AtsFunction *f, PCIDevice *dev,
                              const AtsFunctionConfig *cfg, uint16_t offset,
                              const AtsFunctionOps *ops, void *opaque)
{
    f->dev = dev;
    f->cfg = cfg;
    f->ops = ops;
    f->opaque = opaque;
    pcie_pri_engine_init(&f->pri, cfg->pri ? cfg->pri_capacity : 0,
                         cfg->pasid && cfg->prg_resp_pasid,
                         &ats_function_pri_ops, f);
    pcie_atc_init(&f->atc, cfg->atc_entries, cfg->global_inv);
    ats_posted_init(&f->posted, ops->land, opaque);
    offset = ats_function_add_caps(f, offset);
    ats_function_sync_config(f);
    ats_function_attach(f);
    return offset;
}

void ats_function_exit(AtsFunction *f)
{
    ats_function_detach(f);
    ats_posted_forget(&f->posted);
    pcie_atc_destroy(&f->atc);
    if (f->pf) {
        f->pf->vf[f->number - 1] = NULL;
    }
}

/*
 * What a configuration write does to the register of @size bytes at @reg.
 * Bytes that are not written are taken from @val.
 *
 * Returns: false if it does not touch the register.
 */
static bool ats_function_merge(uint32_t addr, uint32_t data, int len,
                               uint32_t reg, int size, uint32_t *val)
{
    if (!ranges_overlap(addr, len, reg, size)) {
        return false;
    }
    for (int i = 0; i < len; i++) {
        uint32_t at = addr + i;

        if (at >= reg && at < reg + size) {
            unsigned int shift = (at - reg) * 8;

            *val &= ~(0xffu << shift);
            *val |= ((data >> (i * 8)) & 0xff) << shift;
        }
    }
    return true;
}

/* E going from 0 to 1 empties the ATC, PCIe 6.2 10.3.7 */
static void ats_function_write_ats(AtsFunction *f, uint16_t val)
{
    val &= f->pf ? PCI_ATS_CTRL_ENABLE : ATS_CTRL_MASK;
    if ((val & PCI_ATS_CTRL_ENABLE) && !ats_function_ats_enabled(f)) {
        ats_function_flush(f);
        f->no_ats = false;
        ats_function_attach(f);
    } else if ((val & f->ats_control & PCI_ATS_CTRL_ENABLE) &&
               val != f->ats_control) {
        ats_function_violation(f, "STU changed while ATS is enabled");
    }
    f->ats_control = val;
}

/* PCIe 6.2 10.5.1.3: undefined while ATS is enabled */
static void ats_function_write_pasid(AtsFunction *f, uint16_t val)
{
    uint16_t mask = PCI_PASID_CTRL_ENABLE |
                    (f->cfg->pasid_exec ? PCI_PASID_CTRL_EXEC : 0) |
                    (f->cfg->pasid_priv ? PCI_PASID_CTRL_PRIV : 0);

    val &= mask;
    if (val != f->pasid_control && ats_function_ats_enabled(f)) {
        ats_function_violation(f, "PASID Control changed while ATS is "
                               "enabled");
    }
    f->pasid_control = val;
    ats_function_attach(f);
}

static void ats_function_write_pri(AtsFunction *f, uint32_t addr, uint32_t val,
                                   int len)
{
    uint16_t cap = f->dev->exp.pri_cap;
    uint32_t reg;

    reg = f->pri.allocation;
    if (ats_function_merge(addr, val, len, cap + PCI_PRI_ALLOC_REQ, 4, &reg)) {
        pcie_pri_write_allocation(&f->pri, reg);
    }
    reg = 0;
    if (ats_function_merge(addr, val, len, cap + PCI_PRI_STATUS, 2, &reg)) {
        pcie_pri_write_status(&f->pri, reg);
    }
    reg = pcie_pri_read_control(&f->pri);
    if (ats_function_merge(addr, val, len, cap + PCI_PRI_CTRL, 2, &reg)) {
        pcie_pri_write_control(&f->pri, reg);
    }
}

void ats_function_config_write(AtsFunction *f, uint32_t addr, uint32_t val,
                               int len)
{
    struct PCIExpressDevice *exp = &f->dev->exp;
    uint32_t reg;

    reg = f->ats_control;
    if (f->cfg->ats && ats_function_merge(addr, val, len, exp->ats_cap +
                                          PCI_ATS_CTRL, 2, &reg)) {
        ats_function_write_ats(f, reg);
    }
    reg = f->pasid_control;
    if (f->cfg->pasid && ats_function_merge(addr, val, len, exp->pasid_cap +
                                            PCI_PASID_CTRL, 2, &reg)) {
        ats_function_write_pasid(f, reg);
    }
    if (f->cfg->pri) {
        ats_function_write_pri(f, addr, val, len);
    }
    ats_function_sync_config(f);
}

/* -- Reset ----------------------------------------------------------------- */

void ats_function_clear_counters(AtsFunction *f)
{
    memset(&f->cnt, 0, sizeof(f->cnt));
    memset(&f->pri.cnt, 0, sizeof(f->pri.cnt));
    f->posted.queued = 0;
    f->posted.overtaken = 0;
    f->posted.lost = 0;
}

void ats_function_forget(AtsFunction *f)
{
    if (f->pf) {
        ats_function_cancel(f, 0, 0);
    } else {
        pcie_pri_reset(&f->pri);
    }
}

void ats_function_set_unresponsive(AtsFunction *f, bool unresponsive)
{
    f->unresponsive = unresponsive;
}

void ats_function_reset(AtsFunction *f)
{
    f->ats_control = 0;
    f->pasid_control = 0;
    f->no_ats = false;
    ats_function_forget(f);
    ats_function_forget_errors(f);
    pcie_atc_flush(&f->atc);
    ats_inflight_forget(&f->inflight);
    ats_function_clear_counters(f);
    ats_function_sync_config(f);
    ats_function_attach(f);
}
