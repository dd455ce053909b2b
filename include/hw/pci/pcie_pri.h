/*
 * Page Request Interface of a function: the endpoint side of the protocol
 *
 * The engine owns the registers of the Page Request Extended Capability, the
 * credits, the Page Request Group indices and the groups that wait for a
 * response.  Its owner writes the registers through it, gives it groups to
 * send and the PRG Responses that arrive, and is called back.
 *
 * The engine of a Physical Function serves its Virtual Functions too (10.5.2):
 * they share its registers, credits and indices, and are told apart by their
 * requester ids.
 *
 * Callbacks come from inside the call that caused them, after all state is up
 * to date.  They may look at the engine; they must not call anything that
 * changes it.
 *
 * PCIe 6.2 10.4, 10.5.2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_PCIE_PRI_H
#define HW_PCI_PCIE_PRI_H

#include "hw/pci/ats_link.h"

/* One page of a group */
typedef struct PciePriPage {
    uint64_t addr;      /* untranslated, bits 11:0 are ignored */
    bool read;
    bool write;
} PciePriPage;

/**
 * struct PciePriRequest - a group that its owner wants to send
 *
 * @pages: @n_pages pages, 1 or more; none has R=W=0, all have R=1 if @exec
 * @rid: requester id of all messages; only a response to it is the group's
 * @pasid: PASID of all messages, or ATS_NO_PASID
 * @cookie: handed back when the group ends; 64 bits so that it migrates
 */
typedef struct PciePriRequest {
    const PciePriPage *pages;
    uint32_t n_pages;
    uint32_t pasid;
    uint16_t rid;
    bool priv;
    bool exec;
    uint64_t cookie;
} PciePriRequest;

typedef enum PciePriSubmit {
    PCIE_PRI_SENT,      /* all messages are sent, a response will end it */
    PCIE_PRI_BUSY,      /* no credits or index now: ops->wake will come */
    PCIE_PRI_UNUSABLE,  /* not enabled, or disabled by a Response Failure */
    PCIE_PRI_INVALID,   /* can never be sent: no or too many pages, bad R/W */
} PciePriSubmit;

typedef enum PciePriEnd {
    PCIE_PRI_RESPONSE,  /* it was answered: see the code */
    PCIE_PRI_FAILED,    /* Response Failure for another group */
    PCIE_PRI_RESET,     /* PRI Reset: it is forgotten */
    PCIE_PRI_STALE_NOW, /* stop marker: its response will mean nothing */
} PciePriEnd;

/* What the engine notices about the other side */
typedef enum PciePriNote {
    PCIE_PRI_NOTE_VIOLATION,
    PCIE_PRI_NOTE_UNEXPECTED,   /* response to no group; has a message */
    PCIE_PRI_NOTE_STALE,        /* as PciePriCounters; has a message */
    PCIE_PRI_NOTE_MISTAKEN,     /* the same */
} PciePriNote;

/**
 * struct PciePriOps - what the engine asks of its owner
 *
 * @send: send a Page Request of the function @rid; the requester id in it is
 *        another one if it is to be wrong
 * @group_done: the group submitted with @cookie has ended; @code is the
 *              4-bit PRG Response Code, ATS_PRG_RESPONSE_FAILURE if @end is
 *              not PCIE_PRI_RESPONSE
 * @wake: there may be room again, or there never will be: everyone who was
 *        told PCIE_PRI_BUSY should try again
 * @raw_response: the response to a request sent by pcie_pri_send_raw()
 * @note: something to write down; @msg is the PRG Response that it is about, or
 *        NULL; may be NULL
 * @stopping: nothing is outstanding any more, and pcie_pri_stopped() has to say
 *            when that has become Stopped; may be NULL without stop_by_owner
 */
typedef struct PciePriOps {
    void (*send)(void *opaque, uint16_t rid, AtsMsg *msg);
    void (*group_done)(void *opaque, uint64_t cookie, PciePriEnd end,
                       unsigned int code);
    void (*wake)(void *opaque);
    void (*raw_response)(void *opaque, const AtsMsg *msg);
    void (*note)(void *opaque, PciePriNote note, const AtsMsg *msg);
    void (*stopping)(void *opaque);
} PciePriOps;

/* What a PRG index is used for */
typedef enum PciePriUse {
    PCIE_PRI_FREE,
    PCIE_PRI_SENDING,       /* L=1 is not sent yet: no response is possible */
    PCIE_PRI_OUTSTANDING,
    PCIE_PRI_STALE,         /* its PASID was stopped with a stop marker */
} PciePriUse;

/* Which free PRG index is taken */
typedef enum PciePriPolicy {
    PCIE_PRI_ROUND_ROBIN,   /* the one that rests for the longest time */
    PCIE_PRI_LIFO,          /* the one that was freed last */
    PCIE_PRI_LOWEST,
    PCIE_PRI_PER_PASID,     /* the lowest of those that its PASID has free */
} PciePriPolicy;

/* What is wrong with the messages of a group */
typedef enum PciePriShape {
    PCIE_PRI_SHAPE_OK,
    PCIE_PRI_NO_LAST,           /* none has L: it is never answered */
    PCIE_PRI_NO_ACCESS,         /* R=W=0 */
    PCIE_PRI_EXEC_ONLY,         /* Execute without R */
    PCIE_PRI_MIXED_PASID,       /* every other one has another PASID */
    PCIE_PRI_OTHER_RID,         /* requester id of a neighbour */
    PCIE_PRI_MARKER_INSIDE,     /* a stop marker behind the first one */
    PCIE_PRI_OTHER_BUS,         /* requester id of another bus */
} PciePriShape;

/* What is wrong with a stop marker, PCIe 6.2 10.4.1.2.1 */
typedef enum PciePriMarker {
    PCIE_PRI_MARKER_OK,
    PCIE_PRI_MARKER_NONE,       /* announced, but never sent */
    PCIE_PRI_MARKER_NO_PASID,
    PCIE_PRI_MARKER_TYPE,       /* marker type other than 0 */
    PCIE_PRI_MARKER_DIRTY,      /* reserved fields are not 0 */
} PciePriMarker;

/**
 * struct PciePriQuirks - how the engine breaks the rules, all 0: not at all
 *
 * @policy: which index a group gets; none breaks a rule, and without PRG
 *          Response PASID Required indices are never those of a PASID
 * @shape, @marker: as above
 * @ignore_allocation: the allocation does not limit anything
 * @send_when_disabled: requests are sent while Page Requests are disabled, too
 * @rf_as_ir: a Response Failure is taken for an Invalid Request
 * @no_uprgi: an unexpected response does not set UPRGI
 * @stop_by_owner: Stopped is set by pcie_pri_stopped() alone
 */
typedef struct PciePriQuirks {
    PciePriPolicy policy;
    PciePriShape shape;
    PciePriMarker marker;
    bool ignore_allocation;
    bool send_when_disabled;
    bool rf_as_ir;
    bool no_uprgi;
    bool stop_by_owner;
} PciePriQuirks;

/* A group; in slot n of the table if no other one has PRG index n */
typedef struct PciePriGroup {
    uint64_t cookie;
    uint32_t pasid;
    uint32_t pages;         /* credits it holds */
    uint16_t rid;
    uint16_t prgi;
    uint8_t use;            /* PciePriUse */
} PciePriGroup;

typedef struct PciePriCounters {
    uint64_t page_requests; /* messages sent, without stop markers */
    uint64_t groups;        /* of them with L=1 */
    uint64_t stop_markers;
    uint64_t resp_success;
    uint64_t resp_invalid;
    uint64_t resp_failure;  /* codes 2h to Fh */
    uint64_t resp_unexpected;
    uint64_t resp_ignored;  /* after a Response Failure */
    uint64_t resp_stale;    /* may belong to a group from before a reset */
    uint64_t resp_mistaken; /* of them, those that completed a newer group */
    uint64_t violations;    /* of the protocol, by the other side */
} PciePriCounters;

typedef struct PciePri {
    const PciePriOps *ops;
    void *opaque;

    /* Capability registers, PCIe 6.2 10.5.2 */
    uint32_t capacity;
    uint32_t allocation;
    bool enable;
    bool response_failure;
    bool uprgi;
    bool stopped;
    bool pasid_required;    /* PRG Response PASID Required */

    bool failed;            /* Response Failure since E went 0 -> 1 */
    bool waiters;           /* someone was told PCIE_PRI_BUSY */
    uint16_t last_prgi;
    uint32_t n_groups;
    uint32_t credits_used;
    uint32_t epoch;         /* counts mass endings; not guest visible */
    PciePriGroup groups[ATS_PRGI_NR];
    uint32_t in_use[ATS_PRGI_NR];   /* groups that have the index */
    uint32_t raw[ATS_PRGI_NR];      /* raw requests without a response */

    /* Responses that may still come for what a reset made it forget */
    uint32_t forgotten[ATS_PRGI_NR];

    PciePriQuirks quirks;
    uint64_t n_freed;
    uint64_t freed[ATS_PRGI_NR];    /* n_freed when the index became free */
    PciePriCounters cnt;
} PciePri;

/**
 * pcie_pri_engine_init: set up the engine in its reset state
 *
 * @capacity: Outstanding Page Request Capacity
 * @pasid_required: PRG Response PASID Required
 */
void pcie_pri_engine_init(PciePri *pri, uint32_t capacity,
                          bool pasid_required, const PciePriOps *ops,
                          void *opaque);

/**
 * pcie_pri_reset: reset of the function
 *
 * Registers return to their defaults and groups are forgotten without a
 * callback: their owner is being reset too.  Counters are cleared.
 */
void pcie_pri_reset(PciePri *pri);

/**
 * pcie_pri_cancel: a device-specific reset (VT-d 7.9), or the reset of a
 * Virtual Function, forgets groups
 *
 * @cookie, @mask: those whose cookie is @cookie in the bits of @mask
 *
 * They end without a callback, their credits and indices are free, and the
 * registers stay as they are.  Their responses may still come.
 *
 * Returns: how many there were.
 */
uint32_t pcie_pri_cancel(PciePri *pri, uint64_t cookie, uint64_t mask);

/**
 * pcie_pri_write_control: write to Page Request Control
 *
 * @val: PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET; other bits are ignored
 */
void pcie_pri_write_control(PciePri *pri, uint16_t val);
uint16_t pcie_pri_read_control(const PciePri *pri);

/**
 * pcie_pri_write_status: write to Page Request Status, ones clear
 */
void pcie_pri_write_status(PciePri *pri, uint16_t val);
uint16_t pcie_pri_read_status(const PciePri *pri);

/**
 * pcie_pri_write_allocation: write Outstanding Page Request Allocation
 *
 * Ignored and counted as a violation while E=1.  A value above the capacity
 * is a violation too; it is kept and gives no more than the capacity.
 */
void pcie_pri_write_allocation(PciePri *pri, uint32_t val);

/**
 * pcie_pri_set_quirks: choose how the engine breaks the rules
 */
void pcie_pri_set_quirks(PciePri *pri, const PciePriQuirks *quirks);

/**
 * pcie_pri_stopped: set Stopped if Page Requests are disabled and nothing is
 * outstanding; only with PciePriQuirks::stop_by_owner it is not set anyway
 */
void pcie_pri_stopped(PciePri *pri);

/**
 * pcie_pri_take_group: a place and a PRG index for @req, and its credits; used
 * by the engine itself
 *
 * Returns: NULL if all indices, or all places, are taken.
 */
PciePriGroup *pcie_pri_take_group(PciePri *pri, const PciePriRequest *req);

/**
 * pcie_pri_free_group: give back what pcie_pri_take_group() took; used by the
 * engine itself
 */
void pcie_pri_free_group(PciePri *pri, PciePriGroup *group);

/**
 * pcie_pri_find_group: the group that a PRG Response names, or NULL; used by
 * the engine itself
 *
 * With PRG Response PASID Required its PASID is part of the name (PCIe 6.2
 * 10.4.2.2).
 */
PciePriGroup *pcie_pri_find_group(PciePri *pri, const AtsMsg *msg);

/**
 * pcie_pri_distort: what PciePriQuirks::shape does to request @i of a group;
 * used by the engine itself
 */
void pcie_pri_distort(const PciePri *pri, AtsMsg *msg, uint32_t i);

/**
 * pcie_pri_make_marker: a stop marker for @pasid of @rid, wrong if it shall
 * be; used by the engine itself
 *
 * Returns: false if there is none to be sent.
 */
bool pcie_pri_make_marker(const PciePri *pri, uint16_t rid, uint32_t pasid,
                          AtsMsg *msg);

/**
 * pcie_pri_lost_responses: no response comes for anything sent before now
 *
 * For a reset of the whole machine, in which messages under way are lost.
 */
void pcie_pri_lost_responses(PciePri *pri);

/**
 * pcie_pri_usable: may Page Requests be sent?
 */
bool pcie_pri_usable(const PciePri *pri);

/**
 * pcie_pri_limit: the most pages a group can have
 */
uint32_t pcie_pri_limit(const PciePri *pri);

/**
 * pcie_pri_credits: Page Requests that may be sent now
 */
uint32_t pcie_pri_credits(const PciePri *pri);

/**
 * pcie_pri_submit: send a group, all of it or nothing
 *
 * The response can arrive before this returns PCIE_PRI_SENT.
 */
PciePriSubmit pcie_pri_submit(PciePri *pri, const PciePriRequest *req);

/**
 * pcie_pri_send_raw: send a Page Request as it is, whatever the state is
 *
 * If it has L=1 and is not a stop marker, one response with its PRG index
 * goes to ops->raw_response.
 */
void pcie_pri_send_raw(PciePri *pri, AtsMsg *msg);

/**
 * pcie_pri_response: a PRG Response has arrived
 */
void pcie_pri_response(PciePri *pri, const AtsMsg *msg);

/**
 * pcie_pri_drop_response: a PRG Response has come to a function that is
 * unresponsive, in reset or gone
 */
void pcie_pri_drop_response(PciePri *pri, const AtsMsg *msg);

/**
 * pcie_pri_outstanding: groups of @rid and @pasid whose response has a meaning
 */
uint32_t pcie_pri_outstanding(const PciePri *pri, uint16_t rid,
                              uint32_t pasid);

/**
 * pcie_pri_stop_marker: stop @pasid of @rid without waiting, PCIe 6.2 10.4.1.2
 *
 * Its groups end with PCIE_PRI_STALE_NOW: their responses will give back
 * credits and indices and mean nothing else, to a later user of the PASID in
 * particular.  Then a stop marker is sent, behind all requests of the PASID.
 *
 * Its owner has stopped to submit groups for the PASID.
 *
 * @may_send: the function may send TLPs with @pasid
 *
 * Returns: false if it may not, or Page Requests are not usable; then no marker
 * is sent.
 */
bool pcie_pri_stop_marker(PciePri *pri, uint16_t rid, uint32_t pasid,
                          bool may_send);

#endif /* HW_PCI_PCIE_PRI_H */
