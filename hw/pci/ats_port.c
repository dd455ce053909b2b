/*
 * A function on the link: what it sends and what it gets
 *
 * Upstream TLPs go through the ports above the function first (ats_send.c), and
 * what comes down has come through them (ats_path.h).  A TLP that is to wait
 * for a rule of the link waits beyond the ports, at the IOMMU.
 *
 * PCIe 6.2 10.2 - 10.4, 6.12
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ats_function_internal.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_device.h"

/* -- Upstream -------------------------------------------------------------- */

static void ats_function_message(AtsFunction *f, const AtsMsg *msg)
{
    if (f->ops->message) {
        f->ops->message(f->opaque, msg);
    }
}

void ats_function_send(AtsFunction *f, const AtsMsg *msg)
{
    AtsTlp tlp = ats_path_message(msg);

    if (!f->link ||
        !ats_function_sending(f, msg->kind == ATS_MSG_PAGE_REQUEST ?
                              ATS_SEND_PAGE_REQUEST :
                              ATS_SEND_INV_COMPLETION)) {
        return;
    }
    ats_function_message(f, msg);
    if (ats_function_pass(f, &tlp) == ATS_PATH_PASSED) {
        ats_link_send(f->link, msg);
    }
}

/* -- Downstream ------------------------------------------------------------ */

static uint16_t ats_function_rid(void *opaque)
{
    AtsFunction *f = opaque;

    return pci_requester_id(f->dev);
}

/* Did the ports above the function let the message through? */
static bool ats_function_reached(AtsFunction *f, const AtsMsg *msg)
{
    AtsTlp tlp = ats_path_message(msg);
    AtsPathError error;

    if (!ats_function_connected(f)) {
        return false;
    }
    if (!ats_path_down(f->dev, &tlp, &error)) {
        ats_function_note_error(f, &error);
        return false;
    }
    return true;
}

static void ats_function_prg_response(void *opaque, const AtsMsg *msg)
{
    AtsFunction *f = opaque;
    bool reached = ats_function_reached(f, msg);

    if (!ats_function_owner(f)->cfg->pri) {
        if (reached && !f->unresponsive) {
            /* a message that it does not support, PCIe 6.2 2.3.1 */
            ats_function_violation(f, "PRG Response without Page Requests");
            ats_function_error(f, PCI_ERR_UNC_UNSUP, msg);
        }
        return;
    }
    if (f->unresponsive || !reached) {
        pcie_pri_drop_response(ats_function_pri(f), msg);
        return;
    }
    ats_function_message(f, msg);
    pcie_pri_response(ats_function_pri(f), msg);
    ats_function_sync_config(ats_function_owner(f));
}

bool ats_function_inv_too_small(const AtsFunction *f, const AtsMsg *msg)
{
    uint64_t base;

    return ats_inv_range(msg->addr, msg->size, &base) < ats_function_stu(f);
}

/*
 * A range below the STU is rounded up to it.  Translations are used in the
 * event that fetched them, so none is in use; but some may be on their way.
 */
void ats_function_invalidate(AtsFunction *f, const AtsMsg *msg)
{
    uint64_t stu = ats_function_stu(f);
    uint64_t base, last = ats_inv_range(msg->addr, msg->size, &base);

    last |= stu;
    base &= ~stu;
    ats_inflight_invalidate(&f->inflight, &f->atc, stu, msg->pasid, base, last,
                            msg->global);
    pcie_atc_invalidate(&f->atc, msg->pasid, base, last, msg->global);
}

void ats_function_complete(AtsFunction *f, uint16_t rid, uint32_t itags,
                           uint8_t cc)
{
    AtsMsg completion = {
        .kind = ATS_MSG_INV_COMPLETION,
        .rid = rid,
        .pasid = ATS_NO_PASID,
        .itags = itags,
        .cc = cc,
    };

    if (f->link) {
        f->cnt.inv_completions++;
        ats_function_send(f, &completion);
    }
}

/*
 * An invalidation is answered whatever Bus Master Enable and ATS Enable are
 * (PCIe 6.2 10.3.3, 10.3.4), but by nobody who has no ATS.
 */
static void ats_function_inv_request(void *opaque, const AtsMsg *msg)
{
    AtsFunction *f = opaque;

    if (!ats_function_reached(f, msg)) {
        return;
    }
    f->cnt.inv_requests++;
    ats_posted_inv_request(&f->posted);
    ats_function_message(f, msg);
    if (!f->cfg->ats) {
        /* Unsupported Request: no completion can come (10.3.4) */
        ats_function_error(f, PCI_ERR_UNC_UNSUP, msg);
    } else {
        f->ops->inv_request(f->opaque, msg);
    }
}

static void ats_function_link_reset(void *opaque)
{
    AtsFunction *f = opaque;

    pcie_pri_lost_responses(&f->pri);
}

static const AtsPortOps ats_function_port_ops = {
    .reset = ats_function_link_reset,
    .rid = ats_function_rid,
    .prg_response = ats_function_prg_response,
    .inv_request = ats_function_inv_request,
    .translated = ats_function_translated,
};

/*
 * Whatever the function can do: untranslated requests with a PASID need no ATS
 * (6.20), and who has no ATS gets messages all the same.  But there are none on
 * a conventional bus.
 */
void ats_function_attach(AtsFunction *f)
{
    if (f->link || !pci_is_express(f->dev)) {
        return;
    }
    f->link = pci_device_ats_link(f->dev);
    if (f->link) {
        f->port = ats_link_attach(f->link, &ats_function_port_ops, f);
    }
}

void ats_function_detach(AtsFunction *f)
{
    if (f->port) {
        ats_link_detach(f->link, f->port);
        f->port = NULL;
        f->link = NULL;
    }
}
