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

/* X(FIELD, field, name, default, max, values, help) */
#define VTD_KNOBS(X) \
    X(CHECK_ORDER, check_order, "check-order", 0, 1, \
      "tables\0pro\0", \
      "request with PRO=1 that also meets a table fault: which counts") \
    X(TES0_PR, tes0_pr, "tes0-pr", 0, 1, \
      "drop\0invalid\0", \
      "page request while translation is disabled (TES=0)") \
    X(PQA_UNSET, pqa_unset, "pqa-unset", 0, 2, \
      "drop\0invalid\0write\0", \
      "page request while PQA was never written") \
    X(PRQ_WRITE_ERROR, prq_write_error, "prq-write-error", 0, 2, \
      "drop\0pro\0success\0", \
      "descriptor cannot be written: drop, set PRO, or answer Success") \
    X(AUTORESP_PASID, autoresp_pasid, "autoresp-pasid", 0, 1, \
      "follow\0never\0", \
      "does a response made by hardware carry the PASID of the request") \
    X(SMS0_FAULT, sms0_fault, "sms0-fault", 0, 2, \
      "respond\0success\0drop\0", \
      "stop marker that cannot be queued while ECAP.SMS=0") \
    X(IP_CLEAR, ip_clear, "ip-clear", 0, 1, \
      "both\0ppr\0", \
      "PECTL.IP is cleared with PPR and PRO both clear, or with PPR alone") \
    X(STICKY_RESET, sticky_reset, "sticky-on-reset", 0, 1, \
      "off\0on\0", \
      "PRS survives a machine reset") \
    X(PRQ_DEPTH, prq_depth, "prq-depth", 0, 16383, \
      NULL, \
      "queue counts as full with this many entries; 0: as PQA says") \
    X(PRD_DELAY, prd_delay, "prd-delay-us", 0, 60000000, \
      NULL, \
      "microseconds between arrival of a request and its descriptor") \
    X(PRQ_HOLD, prq_hold, "prq-hold", 0, 2, \
      "off\0on\0until-pd\0", \
      "keep requests back after they were checked, until released or until " \
      "a wait descriptor with PD=1 is fetched") \
    X(PRQ_RELEASE, prq_release, "prq-release", 0, UINT32_MAX, \
      NULL, \
      "write: let that many held requests go on") \
    X(PRQ_IRQ_HOLD, prq_irq_hold, "prq-irq-hold", 0, 1, \
      "off\0on\0", \
      "keep the Page Request Event back; turning it off sends it") \
    X(PRQ_IRQ_AFTER, prq_irq_after, "prq-irq-after", 0, 16383, \
      NULL, \
      "with prq-irq-hold: send the event once the queue holds that many") \
    X(PRQ_IRQ_DELAY, prq_irq_delay, "prq-irq-delay-us", 0, 60000000, \
      NULL, \
      "microseconds between a Page Request Event and its MSI") \
    X(PD_VIOLATION, pd_violation, "pd-violation", 0, 1, \
      "off\0on\0", \
      "break VT-d 7.7: a wait with PD=1 does not wait for page requests") \
    X(TORN_ENTRY, torn_entry, "torn-entry", 0, 2, \
      "off\0context\0pasid\0", \
      "page requests read that entry in pieces of 128 bits") \
    X(TORN_PAUSE, torn_pause, "torn-pause-us", 0, 60000000, \
      NULL, \
      "microseconds between two pieces of a torn entry") \
    X(PWC, pwc, "pwc", 0, 1, \
      "off\0on\0", \
      "cache paging-structure entries until the next IOTLB invalidation with " \
      "IH=0") \
    X(PROFILE, profile, "profile", 0, 2, \
      "rev5\0rev4\0rev3\0", \
      "revision of the specification: rev3 takes private data in a Page " \
      "Group Response; stop markers are known from rev5 on") \
    X(ICE_LEGACY, ice_legacy, "ice-legacy", 0, 1, \
      "off\0on\0", \
      "a bad ITag in a completion ends the processing of the others") \
    X(FAULT_COLLAPSE, fault_collapse, "fault-collapse", 0, 2, \
      "auto\0off\0on\0", \
      "record one pending fault a requester only (VT-d 7.2.1); auto: on " \
      "unless there are page requests") \
    X(ITE_TIMEOUT, ite_timeout, "ite-timeout-ms", 60000, 3600000, \
      NULL, \
      "milliseconds until a device-TLB invalidation times out; 0: never") \
    X(ITAGS, itags, "itags", 32, 32, \
      NULL, \
      "ITags a function; 0 counts as 1") \
    X(WAIT_DEPTH, wait_depth, "wait-depth", 1, 1024, \
      NULL, \
      "wait descriptors that may be pending while the queue goes on; 0 is 1") \
    X(INV_ABSENT, inv_absent, "inv-absent", 0, 1, \
      "timeout\0complete\0", \
      "invalidation of a function that does not exist") \
    X(ITESID, itesid, "itesid-mode", 0, 1, \
      "real\0zero\0", \
      "ITESID reports the function, or 0 as old hardware does") \
    X(IQERCD_STALE, iqercd_stale, "iqercd-stale", 0, 1, \
      "keep\0poison\0", \
      "fields of IQERCD whose FSTS bit is 0: as they were, or all ones") \
    X(WAIT_HOLD, wait_hold, "wait-hold", 0, 1, \
      "off\0on\0", \
      "keep complete wait descriptors from reporting; off lets them go") \
    X(WAIT_DELAY, wait_delay, "wait-delay-us", 0, 60000000, \
      NULL, \
      "microseconds between a wait's turn and its status write") \
    X(INJECT_IQE, inject_iqe, "inject-iqe", 0, UINT32_MAX, \
      NULL, \
      "the n-th descriptor fetched from now on stops the queue with IQE") \
    X(INJECT_IQEI, inject_iqei, "inject-iqei", 4, 15, \
      NULL, \
      "IQEI that inject-iqe reports") \
    X(INJECT_ITE, inject_ite, "inject-ite", 0, 65535, \
      NULL, \
      "write a source id: report that an invalidation of it timed out, at " \
      "once or when inject-at says") \
    X(INJECT_ICE, inject_ice, "inject-ice", 0, 65535, \
      NULL, \
      "write a source id: report a bad completion from it, at once or when " \
      "inject-at says") \
    X(INJECT_AT, inject_at, "inject-at", 0, UINT32_MAX, \
      NULL, \
      "the inject-ite and inject-ice written after it wait until the n-th " \
      "descriptor from now on has left the queue; 0: they act at once") \
    X(DESC_DELAY, desc_delay, "desc-delay-us", 0, 60000000, \
      NULL, \
      "microseconds that a descriptor of desc-delay-type takes") \
    X(DESC_DELAY_TYPE, desc_delay_type, "desc-delay-type", 0, 9, \
      NULL, \
      "type of the descriptors that desc-delay-us is for; 0: all") \
    X(CPL_DROP, cpl_drop, "cpl-drop", 0, UINT32_MAX, \
      NULL, \
      "lose the n-th Invalidate Completion from now on")

/* The number of each knob, for registers */
enum {
#define VTD_KNOB_INDEX(FIELD, field, name, def, max, values, help) \
    VTD_KNOB_##FIELD,
    VTD_KNOBS(VTD_KNOB_INDEX)
#undef VTD_KNOB_INDEX
    VTD_KNOB_NR
};

typedef struct VTDKnobs {
#define VTD_KNOB_FIELD(FIELD, field, name, def, max, values, help) \
    uint64_t field;
    VTD_KNOBS(VTD_KNOB_FIELD)
#undef VTD_KNOB_FIELD
} VTDKnobs;

#endif /* HW_I386_VTD_KNOBS_H */
