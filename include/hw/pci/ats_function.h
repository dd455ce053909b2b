/*
 * A PCI Express function with ATS, Page Requests and PASID
 *
 * Binds the ATS, Page Request and PASID Extended Capabilities of a PCIDevice
 * to an Address Translation Cache, a Page Request engine and the ATS link of
 * the function's IOMMU.  A device embeds an AtsFunction, calls it from
 * realize, exit, config_write and reset, and asks it for translations.
 *
 * The registers of the three capabilities live here and in the engine; what
 * is in dev->config is a copy of them for reading.
 *
 * A Virtual Function has an ATS capability of its own, without STU.  It uses
 * the Page Request Interface and the PASIDs of its Physical Function, whose
 * AtsFunction outlives its own (PCIe 6.2 10.5.1, 10.5.2, 7.8.9).
 *
 * PCIe 6.2 7.8.9, 10.2 - 10.5
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_FUNCTION_H
#define HW_PCI_ATS_FUNCTION_H

#include "hw/pci/ats_inflight.h"
#include "hw/pci/ats_link.h"
#include "hw/pci/ats_path.h"
#include "hw/pci/ats_posted.h"
#include "hw/pci/pcie_atc.h"
#include "hw/pci/pcie_pri.h"
#include "hw/qdev-properties.h"

/**
 * struct AtsFunctionConfig - what the function can do
 *
 * @ats, @pri, @pasid: which capabilities it has.  PRI depends on ATS (PCIe 6.2
 *     10.1.1); PASID and ATS, PRI and PASID do not depend on each other
 * @pasid_bits: Max PASID Width, 1..20
 * @pasid_exec, @pasid_priv: Execute Permission, Privileged Mode Supported
 * @prg_resp_pasid: PRG Response PASID Required
 * @global_inv: Global Invalidate Supported
 * @page_aligned: Page Aligned Request
 * @queue_depth: Invalidate Queue Depth, 0 means 32
 * @pri_capacity: Outstanding Page Request Capacity
 * @atc_entries: entries of the ATC
 */
typedef struct AtsFunctionConfig {
    bool ats;
    bool pri;
    bool pasid;
    bool pasid_exec;
    bool pasid_priv;
    bool prg_resp_pasid;
    bool global_inv;
    bool page_aligned;
    uint8_t pasid_bits;
    uint8_t queue_depth;
    uint32_t pri_capacity;
    uint32_t atc_entries;
} AtsFunctionConfig;

#define ATS_FUNCTION_ATC_MAX    (1u << 20)

/* Properties of a device with an AtsFunctionConfig _f in its state _s */
#define DEFINE_ATS_FUNCTION_PROPERTIES(_s, _f)                              \
    DEFINE_PROP_BOOL("ats", _s, _f.ats, true),                              \
    DEFINE_PROP_BOOL("pri", _s, _f.pri, true),                              \
    DEFINE_PROP_BOOL("pasid", _s, _f.pasid, true),                          \
    DEFINE_PROP_UINT8("pasid-bits", _s, _f.pasid_bits, ATS_PASID_BITS),     \
    DEFINE_PROP_BOOL("pasid-exec", _s, _f.pasid_exec, true),                \
    DEFINE_PROP_BOOL("pasid-priv", _s, _f.pasid_priv, true),                \
    DEFINE_PROP_BOOL("prg-resp-pasid-required", _s, _f.prg_resp_pasid,      \
                     true),                                                 \
    DEFINE_PROP_BOOL("global-invalidate", _s, _f.global_inv, false),        \
    DEFINE_PROP_BOOL("page-aligned", _s, _f.page_aligned, true),            \
    DEFINE_PROP_UINT8("queue-depth", _s, _f.queue_depth, 0),                \
    DEFINE_PROP_UINT32("pri-capacity", _s, _f.pri_capacity, 512),           \
    DEFINE_PROP_UINT32("atc-entries", _s, _f.atc_entries, 1024)

typedef struct AtsFunction AtsFunction;

/**
 * struct AtsFunctionOps - what the function asks of its device
 *
 * @group_done, @wake, @raw_response: as in PciePriOps.  They can come from
 *     inside any call of this file and from the IOMMU; they only take note.
 * @inv_request: an Invalidate Request has arrived, and is answered by the
 *     device, with ats_function_invalidate() and ats_function_complete()
 * @note: as in PciePriOps, violations of the function included; may be NULL
 * @message: a message is about to be sent or was received; may be NULL
 * @translated: a Translation Completion has come; may be NULL.  @discarded: it
 *     was invalidated on its way, or belongs to no request
 * @translate_again: the owner of a Translation Request that was pending should
 *     call ats_function_translate() again; only takes note
 * @due: a Translation Request is pending: when it is to time out, as
 *     AtsInflightReq::due; the device calls ats_function_expire() then.  NULL:
 *     never
 * @timed_out: it has, and is forgotten; @owner is ATS_NO_OWNER if he had left
 *     it
 * @errors: the function, or a port above it, has to report an error: call
 *     ats_function_report_errors() when nothing else is under way
 * @stopping: as in PciePriOps; answered with ats_function_stopped(); may be
 *     NULL
 * @land: a posted write of AtsFunction::posted reaches memory; NULL if the
 *     device puts none there
 */
typedef struct AtsFunctionOps {
    void (*group_done)(void *opaque, uint64_t cookie, PciePriEnd end,
                       unsigned int code);
    void (*wake)(void *opaque);
    void (*raw_response)(void *opaque, const AtsMsg *msg);
    void (*inv_request)(void *opaque, const AtsMsg *msg);
    void (*note)(void *opaque, PciePriNote note, const AtsMsg *msg);
    void (*message)(void *opaque, const AtsMsg *msg);
    void (*translated)(void *opaque, const AtsTrReq *req, AtsTrStatus status,
                       const AtsTrEntry *entry, bool discarded);
    void (*translate_again)(void *opaque, uint32_t owner);
    int64_t (*due)(void *opaque);
    void (*timed_out)(void *opaque, const AtsTrReq *req, uint32_t owner);
    void (*errors)(void *opaque);
    void (*stopping)(void *opaque);
    AtsPostedLand *land;
} AtsFunctionOps;

typedef struct AtsFunctionCounters {
    uint64_t inv_requests;
    uint64_t inv_completions;
    uint64_t atc_hits;
    uint64_t atc_misses;
    uint64_t translations;
    uint64_t trans_ur;
    uint64_t trans_ca;
    uint64_t trans_discarded;   /* invalidated on the way */
    uint64_t trans_unexpected;  /* completions of no request */
    uint64_t trans_timeouts;    /* no completion in time */
    uint64_t violations;
} AtsFunctionCounters;

#define ATS_FUNCTION_VF_MAX     63
/* Its errors, and those of ports above it, that wait: one a place and kind */
#define ATS_FUNCTION_ERRORS     12

struct AtsFunction {
    PCIDevice *dev;
    const AtsFunctionConfig *cfg;
    AtsFunction *pf;        /* of a Virtual Function, else NULL */
    AtsFunction *vf[ATS_FUNCTION_VF_MAX];   /* of a Physical Function */
    uint16_t number;        /* 0, or n + 1 for vf[n] */
    const AtsFunctionOps *ops;
    void *opaque;
    AtsLink *link;
    AtsPort *port;
    PciePri pri;
    PcieAtc atc;
    AtsInflight inflight;
    AtsPosted posted;
    bool ur_disables;       /* status UR stops the use of ATS, 10.2.3 */
    bool no_ats;            /* it has, until ATS is enabled again */
    uint16_t ats_control;
    uint16_t pasid_control;
    bool unresponsive;      /* PRG Responses do not reach it */
    uint8_t n_errors;
    AtsPathError errors[ATS_FUNCTION_ERRORS];   /* to be reported */
    AtsFunctionCounters cnt;
};

/**
 * struct AtsAccess - an access that needs a translation
 *
 * @pasid: PASID or ATS_NO_PASID; @priv and @exec need one
 */
typedef struct AtsAccess {
    uint64_t addr;
    uint32_t pasid;
    bool priv;
    bool exec;
    bool read;
    bool write;
} AtsAccess;

typedef enum AtsResult {
    ATS_OK,             /* the translation permits the access */
    ATS_ABSENT,         /* it does not: a Page Request may help */
    ATS_UR,             /* Translation Completion: Unsupported Request */
    ATS_CA,             /* Translation Completion: Completer Abort */
    ATS_NOT_ENABLED,    /* the function must not ask */
    ATS_PENDING,        /* AtsFunctionOps::translate_again will come */
} AtsResult;

/**
 * ats_function_check: is a configuration possible?
 *
 * Returns: false with @errp set, naming the property, if it is not.
 */
bool ats_function_check(const AtsFunctionConfig *cfg, Error **errp);

/**
 * ats_function_vf_config: what a Virtual Function of a function has
 *
 * Invalidate Queue Depth is 0: it shares the queue of @pf (PCIe 6.2 10.5.1.2).
 */
void ats_function_vf_config(AtsFunctionConfig *cfg,
                            const AtsFunctionConfig *pf);

/**
 * ats_function_realize: add the capabilities and attach to the link
 *
 * @cfg: checked by ats_function_check(); stays where it is
 * @offset: extended capability space to use
 *
 * Without an IOMMU that has a link the function works, but translates
 * nothing.  A Virtual Function calls ats_function_join() first.
 *
 * Returns: the first byte after its capabilities.
 */
uint16_t ats_function_realize(AtsFunction *f, PCIDevice *dev,
                              const AtsFunctionConfig *cfg, uint16_t offset,
                              const AtsFunctionOps *ops, void *opaque);
void ats_function_exit(AtsFunction *f);

/**
 * ats_function_join: @f is Virtual Function @n of @pf, n < ATS_FUNCTION_VF_MAX
 */
void ats_function_join(AtsFunction *f, AtsFunction *pf, unsigned int n);

/**
 * ats_function_pri: the Page Request Interface that the function uses
 */
PciePri *ats_function_pri(AtsFunction *f);

/**
 * ats_function_owner: the function whose Page Request and PASID capabilities
 * @f uses: its Physical Function, or itself
 */
AtsFunction *ats_function_owner(AtsFunction *f);

/**
 * ats_function_attach: connect to the link of the IOMMU, if there is one now
 *
 * The IOMMU may be realized after the function, so this is tried again.
 */
void ats_function_attach(AtsFunction *f);
void ats_function_detach(AtsFunction *f);

/**
 * ats_function_send: send a message upstream
 *
 * It is lost without a link to an IOMMU, without a connection, and at a port
 * that may not pass it on.
 */
void ats_function_send(AtsFunction *f, const AtsMsg *msg);

/**
 * ats_function_may_pass: do the ports above the function let a Memory Request
 * of its own pass?
 *
 * @tlp: all but the requester id, which this sets
 */
AtsPathEnd ats_function_may_pass(AtsFunction *f, AtsTlp *tlp);

/**
 * ats_function_error: the function has an uncorrectable error to report
 *
 * @error: PCI_ERR_UNC_*
 * @msg: the message that it is about, whose header is logged, or NULL
 */
void ats_function_error(AtsFunction *f, uint32_t error, const AtsMsg *msg);

/**
 * ats_function_report_errors: what AtsFunctionOps::errors was about
 *
 * A function that is reset or gone has none.  It can be reset before this
 * returns: a port above may contain the error.
 */
void ats_function_report_errors(AtsFunction *f);

/**
 * ats_function_stop_marker: pcie_pri_stop_marker() for a PASID of the function,
 * without a marker if it may not use the PASID
 */
bool ats_function_stop_marker(AtsFunction *f, uint32_t pasid);

/**
 * ats_function_submit: pcie_pri_submit() with the requester id filled in
 *
 * The upper 16 bits of the cookie must be 0.
 */
PciePriSubmit ats_function_submit(AtsFunction *f, PciePriRequest *req);

/**
 * ats_function_cancel: pcie_pri_cancel() of groups of this function
 *
 * The upper 16 bits of @cookie and @mask must be 0.
 */
void ats_function_cancel(AtsFunction *f, uint64_t cookie, uint64_t mask);

/**
 * ats_function_config_write: to be called after pci_default_write_config()
 */
void ats_function_config_write(AtsFunction *f, uint32_t addr, uint32_t val,
                               int len);

/**
 * ats_function_expire: Translation Requests that are due at @now time out
 */
void ats_function_expire(AtsFunction *f, int64_t now);

/**
 * ats_function_reset: any reset of the function, PCIe 6.2 6.6
 */
void ats_function_reset(AtsFunction *f);

/**
 * ats_function_forget: forget groups, as every reset does
 *
 * May come some time before ats_function_reset(); without it, that does it.
 */
void ats_function_forget(AtsFunction *f);

/**
 * ats_function_set_unresponsive: does the function get PRG Responses?
 *
 * It does not while it is in reset or gone.  Invalidate Requests go to
 * AtsFunctionOps::inv_request in any case.
 */
void ats_function_set_unresponsive(AtsFunction *f, bool unresponsive);

/**
 * ats_function_sync_config: copy the registers to dev->config
 */
void ats_function_sync_config(AtsFunction *f);

/**
 * ats_function_clear_counters: clear all counters, the engines' too
 */
void ats_function_clear_counters(AtsFunction *f);

/**
 * ats_function_has_link: does the function's IOMMU have an ATS link?
 */
bool ats_function_has_link(const AtsFunction *f);

bool ats_function_ats_enabled(const AtsFunction *f);
bool ats_function_pasid_enabled(const AtsFunction *f);

/**
 * ats_function_connected: does the link to the function work?  No message gets
 * through without power, while the link is down or DPC contains it, and while
 * a Virtual Function is not enabled.
 */
bool ats_function_connected(const AtsFunction *f);

bool ats_function_in_d0(const AtsFunction *f);

/**
 * ats_function_may_request: may Memory Requests be sent?  Bus Master Enable
 * is set and the function is in D0.
 */
bool ats_function_may_request(const AtsFunction *f);

/**
 * ats_function_may_send: may the function send that now, as far as its power
 * state, Bus Master Enable and its own end of the link say?
 */
bool ats_function_may_send(const AtsFunction *f, AtsSend what);

/**
 * ats_function_push: @what goes now, for a caller that has asked already: the
 * posted writes that it pushes have reached memory when this returns
 */
void ats_function_push(AtsFunction *f, AtsSend what);

/**
 * ats_function_sending: as ats_function_may_send(); and if it may, the posted
 * writes that @what pushes have reached memory when this returns, so that it
 * can go
 */
bool ats_function_sending(AtsFunction *f, AtsSend what);

/**
 * ats_function_pasid_ok: may requests carry this PASID and these bits?
 */
bool ats_function_pasid_ok(const AtsFunction *f, uint32_t pasid, bool priv,
                           bool exec);

/**
 * ats_function_translate: translate by the ATC or a Translation Request
 *
 * @entry: filled in for ATS_OK
 * @owner: who waits if the completion takes time, 0 to ATS_OWNER_NR - 1; with
 *         ATS_NO_OWNER it takes none
 *
 * Returns: ATS_PENDING only with an owner.  He asks for the same access again
 * when he is told to, and then gets the result, or has to wait again.
 */
AtsResult ats_function_translate(AtsFunction *f, const AtsAccess *acc,
                                 AtsTrEntry *entry, uint32_t owner);

/**
 * ats_function_abandon: @owner waits no more; the completion will be discarded
 */
void ats_function_abandon(AtsFunction *f, uint32_t owner);

/**
 * ats_function_translated: a Translation Completion has come (AtsPortOps)
 */
void ats_function_translated(void *opaque, uint32_t tag, AtsTrStatus status,
                             const AtsTrEntry *entry);

/**
 * ats_function_flush: empty the ATC; what is on its way to it is discarded
 * ats_function_flush_pasid: of a PASID that is stopped (PCIe 6.2 10.3.7)
 */
void ats_function_flush(AtsFunction *f);
void ats_function_flush_pasid(AtsFunction *f, uint32_t pasid);

/**
 * ats_function_stu: size of the Smallest Translation Unit, minus one
 */
uint64_t ats_function_stu(const AtsFunction *f);

/**
 * ats_function_violation: count and report a breach of protocol
 */
void ats_function_violation(AtsFunction *f, const char *what);

/**
 * ats_function_pri_usable: may Page Requests be sent for @pasid?
 */
bool ats_function_pri_usable(const AtsFunction *f, uint32_t pasid);

/**
 * ats_function_send_raw: pcie_pri_send_raw() with the requester id filled in
 *
 * Returns: false if there is no link.
 */
bool ats_function_send_raw(AtsFunction *f, AtsMsg *msg);

/**
 * ats_function_invalidate: do what an Invalidate Request says to the ATC
 */
void ats_function_invalidate(AtsFunction *f, const AtsMsg *msg);

/**
 * ats_function_inv_too_small: does it name less than the Smallest Translation
 * Unit?  It should not (PCIe 6.2 10.3.1)
 */
bool ats_function_inv_too_small(const AtsFunction *f, const AtsMsg *msg);

/**
 * ats_function_stopped: pcie_pri_stopped()
 */
void ats_function_stopped(AtsFunction *f);

/**
 * ats_function_complete: send one Invalidate Completion
 *
 * @rid: requester id to send it with
 * @itags: ITag vector
 * @cc: Completion Count, 1..8
 *
 * Without a link it does nothing.
 */
void ats_function_complete(AtsFunction *f, uint16_t rid, uint32_t itags,
                           uint8_t cc);

#endif /* HW_PCI_ATS_FUNCTION_H */
