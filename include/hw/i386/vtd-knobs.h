/*
 * The knobs of the VT-d page-request path
 *
 * Each is a decision that the specification leaves open, a delay, a hold
 * point, or a rule broken on purpose.  Defaults first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_I386_VTD_KNOBS_H
#define HW_I386_VTD_KNOBS_H

#ifndef ATS_KNOB_NUMBER
#define ATS_KNOB_NUMBER
#endif

/*
 * X(FIELD, field, name, default, max, values, help).  The rows for what
 * rules of the link keep are a list of their own; nothing depends on the order
 * of rows.
 */
#define VTD_PATH_KNOBS(X) \
    X(CHECK_ORDER, check_order, "check-order", 0, 1, \
      V(CHECK_ORDER_TABLES, "tables") V(CHECK_ORDER_PRO, "pro"), \
      "request with PRO=1 that also meets a table fault: which counts") \
    X(TES0_PR, tes0_pr, "tes0-pr", 0, 1, \
      V(TES0_PR_DROP, "drop") V(TES0_PR_INVALID, "invalid"), \
      "page request while translation is disabled (TES=0)") \
    X(PQA_UNSET, pqa_unset, "pqa-unset", 0, 2, \
      V(PQA_UNSET_DROP, "drop") V(PQA_UNSET_INVALID, "invalid") \
      V(PQA_UNSET_WRITE, "write"), \
      "page request while PQA was never written") \
    X(PRQ_WRITE_ERROR, prq_write_error, "prq-write-error", 0, 2, \
      V(PRQ_WRITE_ERROR_DROP, "drop") V(PRQ_WRITE_ERROR_PRO, "pro") \
      V(PRQ_WRITE_ERROR_SUCCESS, "success"), \
      "descriptor cannot be written: drop, set PRO, or answer Success") \
    X(AUTORESP_PASID, autoresp_pasid, "autoresp-pasid", 0, 1, \
      V(AUTORESP_PASID_FOLLOW, "follow") V(AUTORESP_PASID_NEVER, "never"), \
      "does a response made by hardware carry the PASID of the request") \
    X(SMS0_FAULT, sms0_fault, "sms0-fault", 0, 2, \
      V(SMS0_FAULT_RESPOND, "respond") V(SMS0_FAULT_SUCCESS, "success") \
      V(SMS0_FAULT_DROP, "drop"), \
      "stop marker that cannot be queued while ECAP.SMS=0") \
    X(IP_CLEAR, ip_clear, "ip-clear", 0, 1, \
      V(IP_CLEAR_BOTH, "both") V(IP_CLEAR_PPR, "ppr"), \
      "PECTL.IP is cleared with PPR and PRO both clear, or with PPR alone") \
    X(STICKY_RESET, sticky_reset, "sticky-on-reset", 0, 1, \
      V(STICKY_RESET_OFF, "off") V(STICKY_RESET_ON, "on"), \
      "sticky registers (RW1CS, ROS) survive a machine reset, but not S3") \
    X(PRQ_DEPTH, prq_depth, "prq-depth", 0, 16383, \
      ATS_KNOB_NUMBER, \
      "queue counts as full with this many entries; 0: as PQA says") \
    X(PRD_DELAY, prd_delay, "prd-delay-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "microseconds between arrival of a request and its descriptor") \
    X(PRQ_HOLD, prq_hold, "prq-hold", 0, 2, \
      V(PRQ_HOLD_OFF, "off") V(PRQ_HOLD_ON, "on") \
      V(PRQ_HOLD_UNTIL_PD, "until-pd"), \
      "keep requests back after they were checked, until released or until " \
      "it is the turn of a wait descriptor with PD=1") \
    X(PRQ_RELEASE, prq_release, "prq-release", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: let that many held requests go on") \
    X(PRQ_IRQ_HOLD, prq_irq_hold, "prq-irq-hold", 0, 1, \
      V(PRQ_IRQ_HOLD_OFF, "off") V(PRQ_IRQ_HOLD_ON, "on"), \
      "keep the Page Request Event back; turning it off sends it") \
    X(PRQ_IRQ_AFTER, prq_irq_after, "prq-irq-after", 0, 16383, \
      ATS_KNOB_NUMBER, \
      "with prq-irq-hold: send the event once the queue holds that many") \
    X(PRQ_IRQ_DELAY, prq_irq_delay, "prq-irq-delay-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "microseconds between a Page Request Event and its MSI") \
    X(PD_VIOLATION, pd_violation, "pd-violation", 0, 1, \
      V(PD_VIOLATION_OFF, "off") V(PD_VIOLATION_ON, "on"), \
      "break VT-d 7.7: a wait with PD=1 does not wait for page requests") \
    X(TORN_ENTRY, torn_entry, "torn-entry", 0, 2, \
      V(TORN_ENTRY_OFF, "off") V(TORN_ENTRY_CONTEXT, "context") \
      V(TORN_ENTRY_PASID, "pasid"), \
      "page requests read that entry in pieces of 128 bits") \
    X(TORN_PAUSE, torn_pause, "torn-pause-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "microseconds between two pieces of a torn entry") \
    X(PWC, pwc, "pwc", 0, 1, \
      V(PWC_OFF, "off") V(PWC_ON, "on"), \
      "use first-stage paging-structure entries that were read until they " \
      "are invalidated (VT-d 6.2.5)") \
    X(PROFILE, profile, "profile", 0, 2, \
      V(PROFILE_REV5, "rev5") V(PROFILE_REV4, "rev4") \
      V(PROFILE_REV3, "rev3"), \
      "revision of the specification: rev3 takes private data in a Page " \
      "Group Response; stop markers are known from rev5 on") \
    X(ICE_LEGACY, ice_legacy, "ice-legacy", 0, 1, \
      V(ICE_LEGACY_OFF, "off") V(ICE_LEGACY_ON, "on"), \
      "a bad ITag in a completion ends the processing of the others") \
    X(FAULT_COLLAPSE, fault_collapse, "fault-collapse", 0, 2, \
      V(FAULT_COLLAPSE_AUTO, "auto") V(FAULT_COLLAPSE_OFF, "off") \
      V(FAULT_COLLAPSE_ON, "on"), \
      "record one pending fault a requester only (VT-d 7.2.1); auto: on " \
      "unless there are page requests") \
    X(ITE_TIMEOUT, ite_timeout, "ite-timeout-ms", 60000, 3600000, \
      ATS_KNOB_NUMBER, \
      "milliseconds until a device-TLB invalidation times out; 0: never") \
    X(ITAGS, itags, "itags", 32, 32, \
      ATS_KNOB_NUMBER, \
      "ITags a function; 0 counts as 1") \
    X(WAIT_DEPTH, wait_depth, "wait-depth", 1, 1024, \
      ATS_KNOB_NUMBER, \
      "wait descriptors that may be pending while the queue goes on; 0 is 1") \
    X(INV_ABSENT, inv_absent, "inv-absent", 0, 1, \
      V(INV_ABSENT_TIMEOUT, "timeout") V(INV_ABSENT_COMPLETE, "complete"), \
      "invalidation of a function that does not exist") \
    X(ITESID, itesid, "itesid-mode", 0, 1, \
      V(ITESID_REAL, "real") V(ITESID_ZERO, "zero"), \
      "ITESID and ICESID report the function, or 0 as old hardware does") \
    X(IQERCD_STALE, iqercd_stale, "iqercd-stale", 0, 1, \
      V(IQERCD_STALE_KEEP, "keep") V(IQERCD_STALE_POISON, "poison"), \
      "fields of IQERCD whose FSTS bit is 0: as they were, or all ones from " \
      "when the bit is cleared on (0 after a reset)") \
    X(WAIT_HOLD, wait_hold, "wait-hold", 0, 1, \
      V(WAIT_HOLD_OFF, "off") V(WAIT_HOLD_ON, "on"), \
      "keep complete wait descriptors from reporting; off lets them go") \
    X(WAIT_DELAY, wait_delay, "wait-delay-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "microseconds between a wait's turn and its status write") \
    X(INJECT_IQE, inject_iqe, "inject-iqe", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "the n-th descriptor fetched from now on stops the queue with IQE") \
    X(INJECT_IQEI, inject_iqei, "inject-iqei", 4, 15, \
      ATS_KNOB_NUMBER, \
      "IQEI that inject-iqe reports") \
    X(INJECT_ITE, inject_ite, "inject-ite", 0, 65535, \
      ATS_KNOB_NUMBER, \
      "write a source id: report that an invalidation of it timed out, at " \
      "once or when inject-at says") \
    X(INJECT_ICE, inject_ice, "inject-ice", 0, 65535, \
      ATS_KNOB_NUMBER, \
      "write a source id: report a bad completion from it, at once or when " \
      "inject-at says") \
    X(INJECT_AT, inject_at, "inject-at", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "the inject-ite and inject-ice written after it wait until the n-th " \
      "descriptor from now on has left the queue; 0: they act at once") \
    X(DESC_DELAY, desc_delay, "desc-delay-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "microseconds that a descriptor of desc-delay-type takes") \
    X(DESC_DELAY_TYPE, desc_delay_type, "desc-delay-type", 0, 9, \
      ATS_KNOB_NUMBER, \
      "type of the descriptors that desc-delay-us is for; 0: all") \
    X(CPL_DROP, cpl_drop, "cpl-drop", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "lose the n-th Invalidate Completion from now on")

#define VTD_LINK_KEPT_KNOBS(X) \
    X(LINK_RELEASE, link_release, "link-release", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: deliver that many of the messages that rules of the link " \
      "(ats-rule) keep, oldest first") \
    X(LINK_RELEASE_LAST, link_release_last, "link-release-last", 0, \
      UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: the same, newest first") \
    X(LINK_RELEASE_AT, link_release_at, "link-release-at", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: deliver one of them, counted from 0 for the oldest; " \
      "x-link-messages lists them") \
    X(LINK_DISCARD, link_discard, "link-discard", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: lose that many of them, oldest first") \
    X(LINK_HELD, link_held, "link-held", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "read: how many there are; a write changes nothing")

#define VTD_LATER_KNOBS(X) \
    X(TES0_INV, tes0_inv, "tes0-inv", 0, 1, \
      V(TES0_INV_TIMEOUT, "timeout") V(TES0_INV_COMPLETE, "complete"), \
      "Invalidate Completion while translation is disabled (TES=0): an " \
      "Unsupported Request, so that the invalidation times out, or taken") \
    X(INV_NO_ATS, inv_no_ats, "inv-no-ats", 0, 1, \
      V(INV_NO_ATS_TIMEOUT, "timeout") V(INV_NO_ATS_COMPLETE, "complete"), \
      "invalidation of a function that exists but has no ATS capability") \
    X(QIE_BUSY, qie_busy, "qie-busy", 0, 1, \
      V(QIE_BUSY_ABORT, "abort") V(QIE_BUSY_REFUSE, "refuse"), \
      "QIE=0 while the invalidation queue is not quiet: IQH and QIES become " \
      "0 and what is outstanding is forgotten, or QIES stays 1") \
    X(SM_CACHE, sm_cache, "sm-cache", 0, 1, \
      V(SM_CACHE_OFF, "off") V(SM_CACHE_ON, "on"), \
      "use context entries and PASID-table entries that were read until they " \
      "are invalidated (VT-d 6.2.2, 6.2.3)")

#define VTD_KNOBS(X) \
    VTD_PATH_KNOBS(X) VTD_LINK_KEPT_KNOBS(X) VTD_LATER_KNOBS(X)

/*
 * Values of a knob that has names for them: VTD_<ID of the value>.  @values of
 * a row is ATS_KNOB_NUMBER or a V(ID, name) each; who expands it defines V.
 * VTD_<FIELD>_END is how many there are, 0 for a number.
 */
#define V(ID, name) VTD_##ID,
#define VTD_KNOB_VALUES(FIELD, field, name, def, max, values, help) \
    enum { VTD_##FIELD##_BEFORE = -1, values VTD_##FIELD##_END };
VTD_KNOBS(VTD_KNOB_VALUES)
#undef VTD_KNOB_VALUES
#undef V

/*
 * What the code calls a knob: its row, or in a program of the guest, which is
 * not of QEMU's build, its name.
 */
#ifdef ATS_KNOB_NAMES
#define VTD_KNOB_NAMED(FIELD, field, name, def, max, values, help) \
    static const char VTD_KNOB_##FIELD[] __attribute__((unused)) = name;
VTD_KNOBS(VTD_KNOB_NAMED)
#undef VTD_KNOB_NAMED
#else
enum {
#define VTD_KNOB_INDEX(FIELD, field, name, def, max, values, help) \
    VTD_KNOB_##FIELD,
    VTD_KNOBS(VTD_KNOB_INDEX)
#undef VTD_KNOB_INDEX
    VTD_KNOB_NR
};
#endif

typedef struct VTDKnobs {
#define VTD_KNOB_FIELD(FIELD, field, name, def, max, values, help) \
    uint64_t field;
    VTD_KNOBS(VTD_KNOB_FIELD)
#undef VTD_KNOB_FIELD
} VTDKnobs;

#endif /* HW_I386_VTD_KNOBS_H */
