/*
 * pri-testdev: Completion Timeout of Translation Requests
 *
 * PCIe 6.2 2.8, 7.5.3.15, 7.5.3.16.  A request whose completion does not come
 * in time is forgotten, reported, and ends the operation that waits for it.
 * Virtual Functions have the Disable bit of their Physical Function.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "hw/pci/ats_actor.h"
#include "pri-testdev.h"

static bool pt_timeout_disabled(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (pci_is_vf(dev)) {
        dev = pcie_sriov_get_pf(dev);
    }
    return pci_is_express(dev) &&
           pci_get_word(dev->config + dev->exp.exp_cap + PCI_EXP_DEVCTL2) &
           PCI_EXP_DEVCTL2_COMP_TMOUT_DIS;
}

static void pt_timeout_arm(PriTestdev *d)
{
    int64_t due = ats_inflight_due(&d->fn.inflight);

    if (due == ATS_INFLIGHT_NEVER) {
        timer_del(d->timeout.timer);
    } else {
        timer_mod(d->timeout.timer, due);
    }
}

int64_t pt_translation_due(void *opaque)
{
    PriTestdev *d = opaque;
    int64_t due;

    if (!d->knobs.completion_timeout || pt_timeout_disabled(d)) {
        return ATS_INFLIGHT_NEVER;
    }
    due = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
          d->knobs.completion_timeout * SCALE_US;
    timer_mod_anticipate(d->timeout.timer, due);
    return due;
}

void pt_translation_timed_out(void *opaque, const AtsTrReq *req,
                              uint32_t owner)
{
    PriTestdev *d = opaque;

    pt_log(d, PT_LOG_TIMEOUT, req->pasid, req->tag, req->addr, 0);
    ats_function_error(&d->fn, PCI_ERR_UNC_COMP_TIME, NULL);
    if (owner != ATS_NO_OWNER && d->ch[owner].run == PT_RUN_TRANSLATION) {
        pt_end(d, owner, PT_ST_TIMEOUT, req->addr);
    }
}

static void pt_expired(void *opaque)
{
    PriTestdev *d = opaque;

    ats_function_expire(&d->fn, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    pt_timeout_arm(d);
}

static void pt_timeout(void *opaque)
{
    PriTestdev *d = opaque;

    ats_actor_timer(pci_requester_id(PCI_DEVICE(d)), d, pt_expired);
}

void pt_timeout_add_capability(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);
    uint32_t exp = dev->exp.exp_cap;

    /* No ranges: the time is between 50 us and 50 ms, unless a knob says so */
    pci_long_test_and_set_mask(dev->config + exp + PCI_EXP_DEVCAP2,
                               PCI_EXP_DEVCAP2_COMP_TMOUT_DIS);
    if (!pci_is_vf(dev)) {
        pci_word_test_and_set_mask(dev->wmask + exp + PCI_EXP_DEVCTL2,
                                   PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
    }
}

void pt_timeout_realize(PriTestdev *d)
{
    d->timeout.timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pt_timeout, d);
}

void pt_timeout_reset(PriTestdev *d)
{
    PCIDevice *dev = PCI_DEVICE(d);

    if (pci_is_express(dev)) {
        pci_word_test_and_clear_mask(dev->config + dev->exp.exp_cap +
                                     PCI_EXP_DEVCTL2,
                                     PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
    }
    timer_del(d->timeout.timer);
}

void pt_timeout_post_load(PriTestdev *d)
{
    pt_timeout_arm(d);
}

void pt_timeout_exit(PriTestdev *d)
{
    timer_free(d->timeout.timer);
}
