/*
 * What a function with ATS may send, and in which order
 *
 * One gate for every TLP: who sends asks it, and when it says yes the posted
 * writes that must be ahead have reached memory.  Then the TLP goes through the
 * ports above (ats_path.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "ats_function_internal.h"
#include "hw/pci/ats_actor.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_device.h"

/*
 * In D3hot a function initiates no requests but PME messages (PCIe 6.2
 * 5.3.1.4.1).  What comes to it is answered: errors are reported and
 * invalidations completed, unless a knob loses these, as 10.3.1 permits.
 *
 * Bus Master Enable is for Memory Requests, which an MSI is as well
 * (7.5.1.1.3), and a Translation Request (10.2.2).
 */
bool ats_function_may_send(const AtsFunction *f, AtsSend what)
{
    static const struct {
        bool d0;
        bool master;
    } needs[ATS_SEND_NR] = {
        [ATS_SEND_WRITE] = { true, true },
        [ATS_SEND_READ] = { true, true },
        [ATS_SEND_MSI] = { true, true },
        [ATS_SEND_TRANSLATION] = { true, true },
        [ATS_SEND_PAGE_REQUEST] = { true, false },
        [ATS_SEND_INV_COMPLETION] = { false, false },
        [ATS_SEND_ERROR] = { false, false },
        [ATS_SEND_COMPLETION] = { false, false },
        [ATS_SEND_WRITE_COMPLETION] = { false, false },
    };

    return ats_function_connected(f) &&
           (!needs[what].d0 || ats_function_in_d0(f)) &&
           (!needs[what].master || f->dev->is_master);
}

/*
 * A TLP that is no event meets those that are kept: a read, a completion of one
 * and an error message pass nothing that is posted, the completion of a
 * configuration write may (PCIe 6.2 2.4.1, B2, D2, A2).  It still pushes
 * writes, as without a plan.  Other TLPs are events, which keep their order.
 */
static void ats_function_push_events(AtsFunction *f, AtsSend what)
{
    uint32_t lane;

    if (!ats_actor_on) {
        return;
    }
    lane = pci_requester_id(f->dev);
    switch (what) {
    case ATS_SEND_READ:
    case ATS_SEND_COMPLETION:
    case ATS_SEND_ERROR:
        ats_actor_push_posted(lane);
        break;
    case ATS_SEND_WRITE_COMPLETION:
        ats_actor_push_writes(lane);
        break;
    default:
        break;
    }
}

void ats_function_push(AtsFunction *f, AtsSend what)
{
    if (!(f->posted.quirks.passes & (1u << what))) {
        ats_function_push_events(f, what);
    }
    ats_posted_sending(&f->posted, what);
}

bool ats_function_sending(AtsFunction *f, AtsSend what)
{
    if (!ats_function_may_send(f, what)) {
        return false;
    }
    ats_function_push(f, what);
    return true;
}

/* -- Errors ---------------------------------------------------------------- */

/* The AER log takes the first error of a kind; others add nothing to it */
void ats_function_note_error(AtsFunction *f, const AtsPathError *error)
{
    for (unsigned int i = 0; i < f->n_errors; i++) {
        const AtsPathError *e = &f->errors[i];

        if (e->above == error->above && e->err.status == error->err.status) {
            return;
        }
    }
    if (f->n_errors < ARRAY_SIZE(f->errors)) {
        f->errors[f->n_errors++] = *error;
        f->ops->errors(f->opaque);
    }
}

void ats_function_error(AtsFunction *f, uint32_t error, const AtsMsg *msg)
{
    AtsPathError own = ats_path_own_error(msg, error);

    ats_function_note_error(f, &own);
}

void ats_function_forget_errors(AtsFunction *f)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < f->n_errors; i++) {
        if (f->errors[i].above != ATS_PATH_SELF) {
            f->errors[kept++] = f->errors[i];
        }
    }
    f->n_errors = kept;
}

void ats_function_report_errors(AtsFunction *f)
{
    AtsPathError error[ATS_FUNCTION_ERRORS];
    unsigned int n = f->n_errors;

    memcpy(error, f->errors, sizeof(error));
    f->n_errors = 0;
    for (unsigned int i = 0; i < n; i++) {
        if (error[i].above != ATS_PATH_SELF ||
            (!f->unresponsive && ats_function_sending(f, ATS_SEND_ERROR))) {
            ats_path_report(f->dev, &error[i]);
        }
    }
}

/* -- Through the ports above ----------------------------------------------- */

AtsPathEnd ats_function_pass(AtsFunction *f, const AtsTlp *tlp)
{
    QEMU_UNINITIALIZED AtsPathError error;
    AtsPathEnd end = ats_path_up(f->dev, tlp, &error);

    if (end == ATS_PATH_UR || end == ATS_PATH_CA) {
        ats_function_note_error(f, &error);
    }
    return end;
}

AtsPathEnd ats_function_may_pass(AtsFunction *f, AtsTlp *tlp)
{
    tlp->rid = pci_requester_id(f->dev);
    return ats_function_pass(f, tlp);
}
