/*
 * The knobs of pri-testdev
 *
 * Each makes the function slow, forgetful or wrong.  Defaults first, and with
 * all of them at their defaults it does what PCI Express says.  Nothing depends
 * on the order of rows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_PRI_TESTDEV_KNOBS_H
#define HW_MISC_PRI_TESTDEV_KNOBS_H

#ifndef ATS_KNOB_NUMBER
#define ATS_KNOB_NUMBER
#endif

/* X(FIELD, field, name, default, max, values, help) */
#define PT_KNOBS(X) \
    X(INV_REPLY, inv_reply, "inv-reply", 0, 5, \
      V(INV_REPLY_COMPLETE, "complete") V(INV_REPLY_DROP, "drop") \
      V(INV_REPLY_HOLD, "hold") V(INV_REPLY_WRONG_ITAG, "wrong-itag") \
      V(INV_REPLY_WRONG_RID, "wrong-rid") \
      V(INV_REPLY_WRONG_BUS, "wrong-bus"), \
      "Invalidate Request: answer it, never answer, keep the completion back " \
      "until released, or send one with another ITag, or with a requester id " \
      "that is wrong in bit 0 or in bit 8, the bus number") \
    X(INV_DELAY, inv_delay, "inv-delay-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "microseconds between an Invalidate Request and its completion") \
    X(INV_NTH, inv_nth, "inv-nth", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "the other inv knobs above and the three below apply to the n-th " \
      "Invalidate Request from now alone, then all return to their defaults; " \
      "0: to every one") \
    X(INV_COPIES, inv_copies, "inv-copies", 1, 8, \
      ATS_KNOB_NUMBER, \
      "Completion Count, and how many completions are sent for a request; " \
      "0 is 1") \
    X(INV_SHORT, inv_short, "inv-short", 0, 8, \
      ATS_KNOB_NUMBER, \
      "completions that are missing from that count") \
    X(INV_EXTRA, inv_extra, "inv-extra", 0, 8, \
      ATS_KNOB_NUMBER, \
      "completions sent beyond that count") \
    X(INV_RELEASE, inv_release, "inv-release", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: send that many completions that inv-reply=hold keeps, oldest " \
      "first") \
    X(INV_RELEASE_LAST, inv_release_last, "inv-release-last", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: the same, newest first") \
    X(ATC_LEAK, atc_leak, "atc-leak", 0, 1, \
      V(ATC_LEAK_OFF, "off") V(ATC_LEAK_ON, "on"), \
      "keep translations in spite of an invalidation, and confirm it") \
    X(INV_WHEN_E0, inv_when_e0, "inv-when-e0", 0, 2, \
      V(INV_WHEN_E0_COMPLETE, "complete") V(INV_WHEN_E0_DROP, "drop") \
      V(INV_WHEN_E0_UR, "ur"), \
      "Invalidate Request while ATS Enable is 0; ur: report Unsupported " \
      "Request") \
    X(HONOUR_ALLOC, honour_alloc, "honour-alloc", 0, 1, \
      V(HONOUR_ALLOC_YES, "yes") V(HONOUR_ALLOC_NO, "no"), \
      "does the allocation limit the Page Requests that are outstanding") \
    X(PRGI_POLICY, prgi_policy, "prgi-policy", 0, 3, \
      V(PRGI_POLICY_ROUND_ROBIN, "round-robin") V(PRGI_POLICY_LIFO, "lifo") \
      V(PRGI_POLICY_IMMEDIATE, "immediate") \
      V(PRGI_POLICY_PER_PASID, "per-pasid"), \
      "which free PRG index a group gets: in turn, the one freed last, the " \
      "lowest, or the lowest that its PASID has free, others may have the " \
      "same; the last needs prg-resp-pasid-required=on, else it is the first") \
    X(GONE, gone, "gone", 0, 1, \
      V(GONE_OFF, "off") V(GONE_ON, "on"), \
      "the function has vanished: reads return all ones, nothing is " \
      "answered; off: it is back, after a reset") \
    X(GONE_MS, gone_ms, "gone-ms", 0, 3600000, \
      ATS_KNOB_NUMBER, \
      "milliseconds after which gone=on ends by itself; 0: never") \
    X(FLR_DURATION, flr_duration, "flr-duration-ms", 0, 3600000, \
      ATS_KNOB_NUMBER, \
      "milliseconds that a Function Level Reset takes, by either capability " \
      "or by _RST; PCIe permits 100") \
    X(FLR_CONFIG, flr_config, "flr-config", 0, 2, \
      V(FLR_CONFIG_NORMAL, "normal") V(FLR_CONFIG_ALL_ONES, "all-ones") \
      V(FLR_CONFIG_RRS, "rrs"), \
      "configuration reads during any reset that takes time; rrs: all ones, " \
      "but 0001h for the Vendor ID") \
    X(INV_IN_FLR, inv_in_flr, "inv-in-flr", 0, 2, \
      V(INV_IN_FLR_DROP, "drop") V(INV_IN_FLR_COMPLETE, "complete") \
      V(INV_IN_FLR_COMPLETE_AFTER, "complete-after"), \
      "Invalidate Request during a Function Level Reset, or another reset " \
      "that is none by PT_SOFT_RESET") \
    X(TP_BIT, tp_bit, "tp-bit", 0, 1, \
      V(TP_BIT_FOLLOWS, "follows") V(TP_BIT_STUCK, "stuck"), \
      "Transactions Pending: what there is, or always 1") \
    X(INV_VECTOR, inv_vector, "inv-vector", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write an ITag vector: send one completion that names these ITags; " \
      "what inv-reply=hold keeps of them is answered by it") \
    X(INV_IN_D3, inv_in_d3, "inv-in-d3", 0, 1, \
      V(INV_IN_D3_COMPLETE, "complete") V(INV_IN_D3_DROP, "drop"), \
      "Invalidate Request while the function is not in D0; drop: completions " \
      "that wait when it leaves D0 are lost, too") \
    X(AER_ERROR, aer_error, "aer-error", 0, 3, \
      V(AER_ERROR_NONE, "none") V(AER_ERROR_CORRECTABLE, "correctable") \
      V(AER_ERROR_NON_FATAL, "non-fatal") V(AER_ERROR_FATAL, "fatal"), \
      "write: detect a Receiver Error, a Completion Timeout or a Malformed " \
      "TLP, and report it as far as Device Control and AER let it") \
    X(INV_SUB_STU, inv_sub_stu, "inv-sub-stu", 0, 1, \
      V(INV_SUB_STU_ROUND, "round") V(INV_SUB_STU_UR, "ur"), \
      "Invalidate Request of less than the STU: round it up, or report " \
      "Unsupported Request and do not answer") \
    X(RC_ON_UR, rc_on_ur, "rc-on-ur", 0, 1, \
      V(RC_ON_UR_KEEP, "keep") V(RC_ON_UR_DISABLE, "disable"), \
      "Translation Completion with status UR: go on, or ask for no more " \
      "translations until ATS is enabled again") \
    X(GROUP_SHAPE, group_shape, "group-shape", 0, 7, \
      V(GROUP_SHAPE_OK, "ok") V(GROUP_SHAPE_NO_LAST, "no-last") \
      V(GROUP_SHAPE_NO_ACCESS, "no-access") \
      V(GROUP_SHAPE_EXEC_ONLY, "exec-only") \
      V(GROUP_SHAPE_MIXED_PASID, "mixed-pasid") \
      V(GROUP_SHAPE_OTHER_RID, "other-rid") \
      V(GROUP_SHAPE_MARKER_INSIDE, "marker-inside") \
      V(GROUP_SHAPE_OTHER_BUS, "other-bus"), \
      "Page Requests of a channel: L in none; R=W=0; Execute without R; " \
      "every other one with another PASID, in bit 0; requester id of a " \
      "neighbour, in bit 0; a stop marker behind the first one; requester id " \
      "of another bus, in bit 8") \
    X(STOP_MARKER, stop_marker, "stop-marker", 0, 4, \
      V(STOP_MARKER_OK, "ok") V(STOP_MARKER_NONE, "none") \
      V(STOP_MARKER_NO_PASID, "no-pasid") V(STOP_MARKER_TYPE, "type") \
      V(STOP_MARKER_DIRTY, "dirty"), \
      "stop marker: announced but not sent; without PASID; of type 1; with " \
      "reserved fields that are not 0") \
    X(PR_WHEN_DISABLED, pr_when_disabled, "pr-when-disabled", 0, 1, \
      V(PR_WHEN_DISABLED_NO, "no") V(PR_WHEN_DISABLED_YES, "yes"), \
      "does a channel send Page Requests while they are disabled or stopped") \
    X(RESP_CODE, resp_code, "resp-code", 0, 1, \
      V(RESP_CODE_SPEC, "spec") V(RESP_CODE_RF_AS_IR, "rf-as-ir"), \
      "Response Failure: as PCIe says, or like Invalid Request") \
    X(UNEXPECTED_RESP, unexpected_resp, "unexpected-resp", 0, 3, \
      V(UNEXPECTED_RESP_UPRGI, "uprgi") V(UNEXPECTED_RESP_IGNORE, "ignore") \
      V(UNEXPECTED_RESP_UR, "ur") V(UNEXPECTED_RESP_UC, "uc"), \
      "PRG Response to no group: set Unexpected PRG Index, do nothing, or " \
      "report Unsupported Request or Unexpected Completion instead") \
    X(PRI_STOP_DELAY, pri_stop_delay, "pri-stop-delay-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "microseconds between the end of the last outstanding group, once " \
      "Page Requests are disabled, and Stopped") \
    X(RETRY, retry, "retry", 0, 2, \
      V(RETRY_TRANSLATE, "translate") V(RETRY_REQUEST, "request") \
      V(RETRY_GIVE_UP, "give-up"), \
      "after a response Success a channel translates again, asks for the " \
      "page again without a look, or ends") \
    X(D3_DURATION, d3_duration, "d3-duration-ms", 0, 3600000, \
      ATS_KNOB_NUMBER, \
      "milliseconds that the reset on the way from D3hot to D0 takes; PCIe " \
      "permits 10") \
    X(HOT_DURATION, hot_duration, "hot-reset-ms", 0, 3600000, \
      ATS_KNOB_NUMBER, \
      "milliseconds after a hot reset until the function answers; PCIe " \
      "permits 1000, and more with RRS") \
    X(SOFT_DURATION, soft_duration, "soft-reset-ms", 0, 3600000, \
      ATS_KNOB_NUMBER, \
      "milliseconds that PT_SOFT_RESET of the whole function takes") \
    X(SOFT_RESET, soft_reset, "soft-reset", 0, 1, \
      V(SOFT_RESET_ANSWERS, "answers") \
      V(SOFT_RESET_UNRESPONSIVE, "unresponsive"), \
      "Invalidate Request during that reset: answer it, or lose it and those " \
      "whose completion waits") \
    X(INV_AT_FLR, inv_at_flr, "inv-pending-at-flr", 0, 2, \
      V(INV_AT_FLR_DROP, "drop") V(INV_AT_FLR_COMPLETE, "complete") \
      V(INV_AT_FLR_COMPLETE_AFTER, "complete-after"), \
      "completions that wait when a reset begins: lose them, send them " \
      "first, or when it is over") \
    X(FLR_PRS, flr_prs, "flr-prs", 0, 2, \
      V(FLR_PRS_DROP, "drop") V(FLR_PRS_FLUSH, "flush") \
      V(FLR_PRS_AFTER, "after"), \
      "faults that wait for credits when a reset begins: forget them, send " \
      "their Page Requests first, or when it is over") \
    X(FLR_LATE_DMA, flr_late_dma, "flr-late-dma", 0, 2, \
      V(FLR_LATE_DMA_NONE, "none") V(FLR_LATE_DMA_REQUEST, "request") \
      V(FLR_LATE_DMA_WRITE, "write"), \
      "when a reset is over: a Page Request with a PASID from before it, or " \
      "a write to a page whose translation is from before it") \
    X(RETRY_DELAY, retry_delay, "retry-delay-us", 10, 60000000, \
      ATS_KNOB_NUMBER, \
      "microseconds until a channel does what retry says, if hardware " \
      "answered Success at once, as a full queue does; 0: in the same " \
      "instant, for ever") \
    X(COMPLETION_TIMEOUT, completion_timeout, "completion-timeout-us", 50000, \
      64000000, ATS_KNOB_NUMBER, \
      "microseconds until a Translation Request without a completion times " \
      "out; PCIe permits 50 to 50000; 0: never") \
    X(DMA_DO, dma_do, "dma-do", 0, 2, \
      V(DMA_DO_LAND, "land") V(DMA_DO_HOLD, "hold") \
      V(DMA_DO_DELAY, "delay"), \
      "posted writes: reach memory at once, stay on their way until " \
      "released, or for dma-delay-us; or until something pushes them") \
    X(DMA_DELAY, dma_delay, "dma-delay-us", 0, 60000000, \
      ATS_KNOB_NUMBER, \
      "dma-do=delay: microseconds") \
    X(DMA_RELEASE, dma_release, "dma-release", 0, UINT32_MAX, \
      ATS_KNOB_NUMBER, \
      "write: let that many posted writes reach memory, oldest first") \
    X(INV_PUSH, inv_push, "inv-push", 0, 2, \
      V(INV_PUSH_YES, "yes") V(INV_PUSH_LATE, "late") V(INV_PUSH_NO, "no"), \
      "Invalidate Completion: push posted writes; push only those from " \
      "before the last Invalidate Request but one, so that it takes a second " \
      "one; overtake them") \
    X(MSG_PUSH, msg_push, "msg-push", 0, 1, \
      V(MSG_PUSH_YES, "yes") V(MSG_PUSH_NO, "no"), \
      "Page Requests, stop markers and error messages push posted writes, or " \
      "overtake them") \
    X(MSI_PUSH, msi_push, "msi-push", 0, 1, \
      V(MSI_PUSH_YES, "yes") V(MSI_PUSH_NO, "no"), \
      "MSI push posted writes, or overtake them") \
    X(READ_PUSH, read_push, "read-push", 0, 1, \
      V(READ_PUSH_YES, "yes") V(READ_PUSH_NO, "no"), \
      "reads of BAR0, reads and writes of configuration space, and reads of " \
      "memory by the function push posted writes, or overtake them") \
    X(FLR_DMA, flr_dma, "flr-dma", 0, 2, \
      V(FLR_DMA_LAND, "land") V(FLR_DMA_DROP, "drop") \
      V(FLR_DMA_KEEP, "keep"), \
      "posted writes when a reset that leaves the link up begins: land " \
      "first, are lost, or stay on their way")

/*
 * Values of a knob that has names for them: PT_<ID of the value>.  @values of
 * a row is ATS_KNOB_NUMBER or a V(ID, name) each; who expands it defines V.
 * PT_<FIELD>_END is how many there are, 0 for a number.
 */
#define V(ID, name) PT_##ID,
#define PT_KNOB_VALUES(FIELD, field, name, def, max, values, help) \
    enum { PT_##FIELD##_BEFORE = -1, values PT_##FIELD##_END };
PT_KNOBS(PT_KNOB_VALUES)
#undef PT_KNOB_VALUES
#undef V

/*
 * What the code calls a knob: its row, or in a program of the guest, which is
 * not of QEMU's build, its name.
 */
#ifdef ATS_KNOB_NAMES
#define PT_KNOB_NAMED(FIELD, field, name, def, max, values, help) \
    static const char PT_KNOB_##FIELD[] __attribute__((unused)) = name;
PT_KNOBS(PT_KNOB_NAMED)
#undef PT_KNOB_NAMED
#else
enum {
#define PT_KNOB_INDEX(FIELD, field, name, def, max, values, help) \
    PT_KNOB_##FIELD,
    PT_KNOBS(PT_KNOB_INDEX)
#undef PT_KNOB_INDEX
    PT_KNOB_NR
};
#endif

typedef struct PriTestdevKnobs {
#define PT_KNOB_FIELD(FIELD, field, name, def, max, values, help) \
    uint64_t field;
    PT_KNOBS(PT_KNOB_FIELD)
#undef PT_KNOB_FIELD
} PriTestdevKnobs;

#endif /* HW_MISC_PRI_TESTDEV_KNOBS_H */
