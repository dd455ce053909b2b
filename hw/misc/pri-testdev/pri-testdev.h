/*
 * pri-testdev: the device, made of its parts
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_PRI_TESTDEV_H
#define HW_MISC_PRI_TESTDEV_H

#include "acpi.h"
#include "channel.h"
#include "config.h"
#include "dma.h"
#include "event.h"
#include "fault.h"
#include "inv.h"
#include "knobs.h"
#include "late.h"
#include "log.h"
#include "msi.h"
#include "op.h"
#include "posted.h"
#include "presence.h"
#include "raw.h"
#include "regs.h"
#include "reset.h"
#include "sched.h"
#include "stop.h"
#include "timeout.h"
#include "types.h"

/**
 * struct PriTestdev - a function
 *
 * Every part is written by the file of its name alone, but for @knobs, which
 * the properties write, and @fn, which is the engines'.
 *
 * @conventional: it is a conventional PCI function: no PCI Express capability
 *     and no extended ones, and its bridge's requester ID
 * @n_vfs: Virtual Functions that it can have
 * @window: knob registers
 * @given: knobs that somebody set at the start
 * @platform: property "platform", PtPlatform
 * @offers: how the function can be reset, and what it says about it
 */
struct PriTestdev {
    PCIDevice parent_obj;
    MemoryRegion mmio;

    uint32_t n_channels;
    uint64_t sn;
    bool acs;
    bool conventional;
    PtIdentity ident;
    PtResetConfig offers;
    uint32_t n_vfs;
    AtsFunctionConfig cfg;
    AtsFunction fn;

    PriTestdevKnobs knobs;
    PtKnob window;
    AtsKnobsGiven given;
    uint64_t platform;
    uint32_t scratch;

    PtSched sched;
    PtPresence presence;
    PtResets resets;
    PtLate late;
    PtInv inv;
    PtTimeout timeout;
    PtPosted posted;
    PtMsi msi;
    PtStop stop;
    PtEvent event;
    PtRaw raw;
    PtLog log;
    PtDmaState dma;
    PtChannel ch[PRI_TESTDEV_MAX_CHANNELS];
};

/* Has the function PASIDs, its own or those of its Physical Function? */
static inline bool pt_has_pasid(const PriTestdev *d)
{
    return d->fn.pf ? d->fn.pf->cfg->pasid : d->cfg.pasid;
}

/* -- Migration: vmstate.c -------------------------------------------------- */

extern const VMStateDescription vmstate_pri_testdev;

#endif /* HW_MISC_PRI_TESTDEV_H */
