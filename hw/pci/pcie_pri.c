/*
 * Page Request Interface of a function: the endpoint side of the protocol
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "hw/pci/pcie_pri.h"
#include "standard-headers/linux/pci_regs.h"
#include "trace.h"

static void pcie_pri_note(PciePri *pri, PciePriNote note, const AtsMsg *msg)
{
    if (pri->ops->note) {
        pri->ops->note(pri->opaque, note, msg);
    }
}

static void pcie_pri_violation(PciePri *pri, const char *what, uint32_t val)
{
    pri->cnt.violations++;
    pcie_pri_note(pri, PCIE_PRI_NOTE_VIOLATION, NULL);
    trace_pcie_pri_violation(what, val);
    qemu_log_mask(LOG_GUEST_ERROR, "pcie_pri: %s (0x%x)\n", what, val);
}

void pcie_pri_engine_init(PciePri *pri, uint32_t capacity,
                          bool pasid_required, const PciePriOps *ops,
                          void *opaque)
{
    memset(pri, 0, sizeof(*pri));
    pri->ops = ops;
    pri->opaque = opaque;
    pri->capacity = capacity;
    pri->pasid_required = pasid_required;
    pcie_pri_reset(pri);
}

/*
 * Every group and raw request is forgotten, its credits and index are free.
 * The responses are not: one of them can meet a group that has its index next.
 */
static void pcie_pri_forget(PciePri *pri)
{
    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        pri->forgotten[i] += pri->raw[i];
        if (pri->groups[i].use >= PCIE_PRI_OUTSTANDING) {
            pri->forgotten[pri->groups[i].prgi]++;
        }
    }
    memset(pri->groups, 0, sizeof(pri->groups));
    memset(pri->in_use, 0, sizeof(pri->in_use));
    memset(pri->raw, 0, sizeof(pri->raw));
    pri->n_groups = 0;
    pri->credits_used = 0;
    pri->epoch++;
}

void pcie_pri_reset(PciePri *pri)
{
    pcie_pri_forget(pri);
    pri->allocation = 0;
    pri->enable = false;
    pri->response_failure = false;
    pri->uprgi = false;
    pri->stopped = true;
    pri->failed = false;
    pri->waiters = false;
    /* The first index after a reset is 0 */
    pri->last_prgi = ATS_PRGI_NR - 1;
    pri->n_freed = 0;
    memset(pri->freed, 0, sizeof(pri->freed));
    memset(&pri->cnt, 0, sizeof(pri->cnt));
}

static void pcie_pri_wake(PciePri *pri)
{
    if (pri->waiters) {
        pri->waiters = false;
        pri->ops->wake(pri->opaque);
    }
}

/*
 * Page Requests are disabled: when nothing is outstanding any more they have
 * stopped, PCIe 6.2 10.5.2.4.
 */
static void pcie_pri_check_stop(PciePri *pri)
{
    if (pri->enable || pri->n_groups || pri->stopped) {
        return;
    }
    if (pri->quirks.stop_by_owner && pri->ops->stopping) {
        pri->ops->stopping(pri->opaque);
    } else {
        pri->stopped = true;
    }
}

uint32_t pcie_pri_cancel(PciePri *pri, uint64_t cookie, uint64_t mask)
{
    uint32_t n = 0;

    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        PciePriGroup *group = &pri->groups[i];

        if (group->use == PCIE_PRI_FREE || (group->cookie & mask) != cookie) {
            continue;
        }
        if (group->use >= PCIE_PRI_OUTSTANDING) {
            pri->forgotten[group->prgi]++;
        }
        pcie_pri_free_group(pri, group);
        n++;
    }
    pri->epoch++;
    pcie_pri_check_stop(pri);
    pcie_pri_wake(pri);
    return n;
}

void pcie_pri_stopped(PciePri *pri)
{
    if (!pri->enable && !pri->n_groups) {
        pri->stopped = true;
    }
}

/*
 * End all groups at once.  Owners hear of it one by one, when nothing is left
 * in the table.
 */
static void pcie_pri_end_all(PciePri *pri, PciePriEnd end)
{
    uint64_t cookies[ATS_PRGI_NR];
    uint32_t n = 0;

    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        if (pri->groups[i].use == PCIE_PRI_SENDING ||
            pri->groups[i].use == PCIE_PRI_OUTSTANDING) {
            cookies[n++] = pri->groups[i].cookie;
        }
    }
    pcie_pri_forget(pri);
    for (uint32_t i = 0; i < n; i++) {
        pri->ops->group_done(pri->opaque, cookies[i], end,
                             ATS_PRG_RESPONSE_FAILURE);
    }
}

/*
 * PCIe 6.2 10.5.2.3.  Disabled is not stopped: groups that are outstanding
 * still get their responses, and only then Stopped says that no message of the
 * old time can come.  Software that enables before that cannot tell old
 * responses from new ones, hence the violation.  Reset has its effect only
 * while the interface is disabled, and gives up on the responses.
 */
void pcie_pri_write_control(PciePri *pri, uint16_t val)
{
    bool enable = val & PCI_PRI_CTRL_ENABLE;
    bool reset = (val & PCI_PRI_CTRL_RESET) && !enable;

    trace_pcie_pri_control(val, pri->n_groups);
    if (enable && !pri->enable) {
        if (!pri->stopped) {
            pcie_pri_violation(pri, "enabled before it had stopped",
                               pri->n_groups);
        }
        pri->stopped = false;
        pri->response_failure = false;
        pri->uprgi = false;
        pri->failed = false;
    } else if (!enable && pri->enable) {
        pri->enable = false;
        pcie_pri_check_stop(pri);
    }
    pri->enable = enable;

    if (reset) {
        pri->stopped = true;
        pcie_pri_end_all(pri, PCIE_PRI_RESET);
    }
    pcie_pri_wake(pri);
}

uint16_t pcie_pri_read_control(const PciePri *pri)
{
    return pri->enable ? PCI_PRI_CTRL_ENABLE : 0;
}

void pcie_pri_write_status(PciePri *pri, uint16_t val)
{
    if (val & PCI_PRI_STATUS_RF) {
        pri->response_failure = false;
    }
    if (val & PCI_PRI_STATUS_UPRGI) {
        pri->uprgi = false;
    }
}

uint16_t pcie_pri_read_status(const PciePri *pri)
{
    return (pri->response_failure ? PCI_PRI_STATUS_RF : 0) |
           (pri->uprgi ? PCI_PRI_STATUS_UPRGI : 0) |
           (pri->stopped ? PCI_PRI_STATUS_STOPPED : 0) |
           (pri->pasid_required ? PCI_PRI_STATUS_PASID : 0);
}

/* PCIe 6.2 10.5.2.5: both cases are undefined there */
void pcie_pri_write_allocation(PciePri *pri, uint32_t val)
{
    if (pri->enable) {
        pcie_pri_violation(pri, "allocation written while enabled", val);
        return;
    }
    if (val > pri->capacity) {
        pcie_pri_violation(pri, "allocation above capacity", val);
    }
    pri->allocation = val;
}

void pcie_pri_set_quirks(PciePri *pri, const PciePriQuirks *quirks)
{
    pri->quirks = *quirks;
    pcie_pri_wake(pri);
}

void pcie_pri_lost_responses(PciePri *pri)
{
    memset(pri->forgotten, 0, sizeof(pri->forgotten));
}

bool pcie_pri_usable(const PciePri *pri)
{
    return (pri->enable || pri->quirks.send_when_disabled) && !pri->failed;
}

uint32_t pcie_pri_limit(const PciePri *pri)
{
    if (pri->quirks.ignore_allocation) {
        /* All the pages that all groups can have */
        return ATS_PRGI_NR * ATS_PRGI_NR;
    }
    return MIN(pri->allocation, pri->capacity);
}

uint32_t pcie_pri_credits(const PciePri *pri)
{
    uint32_t limit = pcie_pri_limit(pri);

    if (!pcie_pri_usable(pri) || limit <= pri->credits_used) {
        return 0;
    }
    return limit - pri->credits_used;
}

/* PCIe 6.2 10.4.1: R=1 if Execute is requested; R=W=0 is no request */
static bool pcie_pri_valid(const PciePri *pri, const PciePriRequest *req)
{
    if (!req->n_pages || req->n_pages > pcie_pri_limit(pri)) {
        return false;
    }
    for (uint32_t i = 0; i < req->n_pages; i++) {
        const PciePriPage *page = &req->pages[i];

        if (req->exec ? !page->read : !page->read && !page->write) {
            return false;
        }
    }
    return true;
}

static void pcie_pri_send_marker(PciePri *pri, uint16_t rid, uint32_t pasid)
{
    AtsMsg marker;

    if (pcie_pri_make_marker(pri, rid, pasid, &marker)) {
        pri->cnt.stop_markers++;
        trace_pcie_pri_stop_marker(pasid);
        pri->ops->send(pri->opaque, rid, &marker);
    }
}

/*
 * Send the messages of a group.  A Response Failure can arrive in the middle;
 * then the rest is not sent.
 */
static void pcie_pri_send_group(PciePri *pri, const PciePriRequest *req,
                                PciePriGroup *group)
{
    uint16_t prgi = group->prgi;
    uint32_t epoch = pri->epoch;

    for (uint32_t i = 0; i < req->n_pages && epoch == pri->epoch; i++) {
        AtsMsg msg = {
            .kind = ATS_MSG_PAGE_REQUEST,
            .addr = req->pages[i].addr & ~0xfffULL,
            .rid = req->rid,
            .pasid = req->pasid,
            .prgi = prgi,
            .read = req->pages[i].read,
            .write = req->pages[i].write,
            .last = i == req->n_pages - 1,
            .priv = req->priv,
            .exec = req->exec,
        };

        pcie_pri_distort(pri, &msg, i);
        pri->cnt.page_requests++;
        if (msg.last) {
            pri->cnt.groups++;
            group->use = PCIE_PRI_OUTSTANDING;
        }
        pri->ops->send(pri->opaque, req->rid, &msg);
        if (pri->quirks.shape == PCIE_PRI_MARKER_INSIDE && !i) {
            pcie_pri_send_marker(pri, req->rid, req->pasid);
        }
    }
}

PciePriSubmit pcie_pri_submit(PciePri *pri, const PciePriRequest *req)
{
    PciePriGroup *group;

    if (!pcie_pri_usable(pri)) {
        return PCIE_PRI_UNUSABLE;
    }
    if (!pcie_pri_valid(pri, req)) {
        return PCIE_PRI_INVALID;
    }
    /*
     * The whole group is paid for before its first request, 10.5.2.5: one that
     * ran out of credits in the middle would wait for responses, and nobody
     * answers a group whose last request has not come.
     */
    group = pcie_pri_credits(pri) < req->n_pages ? NULL :
            pcie_pri_take_group(pri, req);
    if (!group) {
        pri->waiters = true;
        return PCIE_PRI_BUSY;
    }

    trace_pcie_pri_group(group->prgi, req->pasid, req->n_pages, req->cookie);
    pcie_pri_send_group(pri, req, group);
    return PCIE_PRI_SENT;
}

void pcie_pri_send_raw(PciePri *pri, AtsMsg *msg)
{
    msg->kind = ATS_MSG_PAGE_REQUEST;
    msg->prgi %= ATS_PRGI_NR;
    if (ats_msg_is_stop_marker(msg)) {
        pri->cnt.stop_markers++;
    } else {
        pri->cnt.page_requests++;
        if (msg->last) {
            pri->cnt.groups++;
            pri->raw[msg->prgi]++;
        }
    }
    pri->ops->send(pri->opaque, msg->rid, msg);
}

static void pcie_pri_count_response(PciePri *pri, const AtsMsg *msg)
{
    switch (msg->code) {
    case ATS_PRG_SUCCESS:
        pri->cnt.resp_success++;
        break;
    case ATS_PRG_INVALID_REQUEST:
        pri->cnt.resp_invalid++;
        break;
    default:
        pri->cnt.resp_failure++;
        break;
    }
}

/*
 * Table 10-8: codes 2h to Eh are handled like Fh, so that a function that is
 * older than a code gives up rather than goes on.
 */
static bool pcie_pri_fatal(const PciePri *pri, const AtsMsg *msg)
{
    return msg->code > ATS_PRG_INVALID_REQUEST && !pri->quirks.rf_as_ir;
}

/*
 * Can this response be the one to the group that its fields name?  PCIe 6.2
 * 10.4.2.2, 10.5.2.4: a PASID that is missing or superfluous is undefined, and
 * here a violation.  Only a failure can come before the last request.
 */
static bool pcie_pri_match(PciePri *pri, const PciePriGroup *group,
                           const AtsMsg *msg)
{
    bool want, have = msg->pasid != ATS_NO_PASID;

    if (!group ||
        (group->use == PCIE_PRI_SENDING && !pcie_pri_fatal(pri, msg))) {
        return false;
    }
    want = pri->pasid_required && group->pasid != ATS_NO_PASID;
    if (want != have) {
        pcie_pri_violation(pri, want ? "PRG Response lacks its PASID" :
                           "PRG Response with a PASID", msg->prgi);
    }
    return true;
}

/*
 * Response Failure disables the interface: no response is expected or
 * heeded until it is enabled again (PCIe 6.2 table 10-8, 10.5.2.4).
 */
static void pcie_pri_disable(PciePri *pri)
{
    pri->response_failure = true;
    pri->failed = true;
    if (!pri->enable) {
        pri->stopped = true;
    }
}

/* @group: the one that its fields name, if there is one */
static void pcie_pri_unexpected(PciePri *pri, const AtsMsg *msg,
                                const PciePriGroup *group)
{
    pri->uprgi |= !pri->quirks.no_uprgi;
    pri->cnt.resp_unexpected++;
    pcie_pri_note(pri, PCIE_PRI_NOTE_UNEXPECTED, msg);
    if (group) {
        pcie_pri_violation(pri, "response before the last request",
                           msg->prgi);
    }
    trace_pcie_pri_unexpected(msg->prgi, msg->pasid, msg->code);
    qemu_log_mask(LOG_GUEST_ERROR,
                  "pcie_pri: response to no group: PRGI %u code %u\n",
                  msg->prgi, msg->code);
}

static void pcie_pri_complete(PciePri *pri, PciePriGroup *group,
                              unsigned int code)
{
    uint64_t cookie = group->cookie;
    bool stale = group->use == PCIE_PRI_STALE;

    pcie_pri_free_group(pri, group);
    pcie_pri_check_stop(pri);
    if (!stale) {
        pri->ops->group_done(pri->opaque, cookie, PCIE_PRI_RESPONSE, code);
    }
}

/*
 * A response to what the function asked for, if it is one
 *
 * @stale: it may be one to what a reset has made it forget
 */
static void pcie_pri_take_response(PciePri *pri, const AtsMsg *msg,
                                   bool stale)
{
    PciePriGroup *group = pcie_pri_find_group(pri, msg);

    if (pri->raw[msg->prgi] && !group) {
        pri->raw[msg->prgi]--;
        pcie_pri_count_response(pri, msg);
        pri->ops->raw_response(pri->opaque, msg);
    } else if (pcie_pri_match(pri, group, msg)) {
        pcie_pri_count_response(pri, msg);
        if (stale) {
            pri->cnt.resp_mistaken++;
            pcie_pri_note(pri, PCIE_PRI_NOTE_MISTAKEN, msg);
        }
        pcie_pri_complete(pri, group, pri->quirks.rf_as_ir ?
                          MIN(msg->code, ATS_PRG_INVALID_REQUEST) :
                          msg->code);
    } else {
        pcie_pri_unexpected(pri, msg, group);
    }
}

void pcie_pri_response(PciePri *pri, const AtsMsg *arrived)
{
    AtsMsg msg = *arrived;
    bool stale, fatal;

    msg.prgi %= ATS_PRGI_NR;
    msg.code &= 0xf;
    stale = pri->forgotten[msg.prgi];
    if (stale) {
        pri->forgotten[msg.prgi]--;
        pri->cnt.resp_stale++;
        pcie_pri_note(pri, PCIE_PRI_NOTE_STALE, &msg);
        trace_pcie_pri_stale(msg.prgi, msg.pasid, pri->in_use[msg.prgi]);
    }
    if (pri->failed && !pri->raw[msg.prgi]) {
        pri->cnt.resp_ignored++;
        return;
    }

    /* The interface is enabled or stopping, not disabled */
    fatal = pcie_pri_fatal(pri, &msg) && (pri->enable || !pri->stopped);
    if (fatal) {
        pcie_pri_disable(pri);
    }
    pcie_pri_take_response(pri, &msg, stale);
    if (fatal) {
        pcie_pri_end_all(pri, PCIE_PRI_FAILED);
    }
    pcie_pri_wake(pri);
}

void pcie_pri_drop_response(PciePri *pri, const AtsMsg *msg)
{
    uint32_t *forgotten = &pri->forgotten[msg->prgi % ATS_PRGI_NR];

    *forgotten -= MIN(*forgotten, 1);
}

/* -- Stop of a PASID, PCIe 6.2 10.4.1.2 ------------------------------------ */

static bool pcie_pri_of_pasid(const PciePriGroup *group, uint16_t rid,
                              uint32_t pasid)
{
    return (group->use == PCIE_PRI_SENDING ||
            group->use == PCIE_PRI_OUTSTANDING) && group->rid == rid &&
           group->pasid == pasid;
}

uint32_t pcie_pri_outstanding(const PciePri *pri, uint16_t rid,
                              uint32_t pasid)
{
    uint32_t n = 0;

    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        n += pcie_pri_of_pasid(&pri->groups[i], rid, pasid);
    }
    return n;
}

bool pcie_pri_stop_marker(PciePri *pri, uint16_t rid, uint32_t pasid,
                          bool may_send)
{
    uint64_t cookies[ATS_PRGI_NR];
    uint32_t n = 0;

    for (unsigned int i = 0; i < ATS_PRGI_NR; i++) {
        if (pcie_pri_of_pasid(&pri->groups[i], rid, pasid)) {
            pri->groups[i].use = PCIE_PRI_STALE;
            cookies[n++] = pri->groups[i].cookie;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        pri->ops->group_done(pri->opaque, cookies[i], PCIE_PRI_STALE_NOW,
                             ATS_PRG_RESPONSE_FAILURE);
    }
    if (!may_send || !pcie_pri_usable(pri)) {
        return false;
    }
    pcie_pri_send_marker(pri, rid, pasid);
    return true;
}
