/*
 * The knobs of pri-testdev
 *
 * Each makes the function slow, forgetful or wrong.  Defaults first, and with
 * all of them at their defaults it does what PCI Express says.  Numbers do not
 * change: new knobs go to the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_PRI_TESTDEV_KNOBS_H
#define HW_MISC_PRI_TESTDEV_KNOBS_H

/* X(FIELD, field, name, default, max, values, help) */
#define PT_KNOBS(X) \
    X(INV_REPLY, inv_reply, "inv-reply", 0, 5, \
      "complete\0drop\0hold\0wrong-itag\0wrong-rid\0wrong-bus\0", \
      "Invalidate Request: answer it, never answer, keep the completion back " \
      "until released, or send one with another ITag, or with a requester id " \
      "that is wrong in bit 0 or in bit 8, the bus number") \
    X(INV_DELAY, inv_delay, "inv-delay-us", 0, 60000000, \
      NULL, \
      "microseconds between an Invalidate Request and its completion") \
    X(INV_NTH, inv_nth, "inv-nth", 0, UINT32_MAX, \
      NULL, \
      "the other inv knobs above and the three below apply to the n-th " \
      "Invalidate Request from now alone, then all return to their defaults; " \
      "0: to every one") \
    X(INV_COPIES, inv_copies, "inv-copies", 1, 8, \
      NULL, \
      "Completion Count, and how many completions are sent for a request; " \
      "0 is 1") \
    X(INV_SHORT, inv_short, "inv-short", 0, 8, \
      NULL, \
      "completions that are missing from that count") \
    X(INV_EXTRA, inv_extra, "inv-extra", 0, 8, \
      NULL, \
      "completions sent beyond that count") \
    X(INV_RELEASE, inv_release, "inv-release", 0, UINT32_MAX, \
      NULL, \
      "write: send that many completions that inv-reply=hold keeps, oldest " \
      "first") \
    X(INV_RELEASE_LAST, inv_release_last, "inv-release-last", 0, UINT32_MAX, \
      NULL, \
      "write: the same, newest first") \
    X(ATC_LEAK, atc_leak, "atc-leak", 0, 1, \
      "off\0on\0", \
      "keep translations in spite of an invalidation, and confirm it") \
    X(INV_WHEN_E0, inv_when_e0, "inv-when-e0", 0, 2, \
      "complete\0drop\0ur\0", \
      "Invalidate Request while ATS Enable is 0; ur: report Unsupported " \
      "Request") \
    X(HONOUR_ALLOC, honour_alloc, "honour-alloc", 0, 1, \
      "yes\0no\0", \
      "does the allocation limit the Page Requests that are outstanding") \
    X(PRGI_POLICY, prgi_policy, "prgi-policy", 0, 3, \
      "round-robin\0lifo\0immediate\0per-pasid\0", \
      "which free PRG index a group gets: in turn, the one freed last, the " \
      "lowest, or the lowest that its PASID has free, others may have the " \
      "same; the last needs prg-resp-pasid-required=on, else it is the first") \
    X(GONE, gone, "gone", 0, 1, \
      "off\0on\0", \
      "the function has vanished: reads return all ones, nothing is " \
      "answered; off: it is back, after a reset") \
    X(GONE_MS, gone_ms, "gone-ms", 0, 3600000, \
      NULL, \
      "milliseconds after which gone=on ends by itself; 0: never") \
    X(FLR_DURATION, flr_duration, "flr-duration-ms", 0, 3600000, \
      NULL, \
      "milliseconds that a Function Level Reset takes, by either capability " \
      "or by _RST; PCIe permits 100") \
    X(FLR_CONFIG, flr_config, "flr-config", 0, 2, \
      "normal\0all-ones\0rrs\0", \
      "configuration reads during any reset that takes time; rrs: all ones, " \
      "but 0001h for the Vendor ID") \
    X(INV_IN_FLR, inv_in_flr, "inv-in-flr", 0, 2, \
      "drop\0complete\0complete-after\0", \
      "Invalidate Request during a Function Level Reset, or another reset " \
      "that is none by PT_SOFT_RESET") \
    X(TP_BIT, tp_bit, "tp-bit", 0, 1, \
      "follows\0stuck\0", \
      "Transactions Pending: what there is, or always 1") \
    X(INV_VECTOR, inv_vector, "inv-vector", 0, UINT32_MAX, \
      NULL, \
      "write an ITag vector: send one completion that names these ITags; " \
      "what inv-reply=hold keeps of them is answered by it") \
    X(INV_IN_D3, inv_in_d3, "inv-in-d3", 0, 1, \
      "complete\0drop\0", \
      "Invalidate Request while the function is not in D0; drop: completions " \
      "that wait when it leaves D0 are lost, too") \
    X(AER_ERROR, aer_error, "aer-error", 0, 3, \
      "none\0correctable\0non-fatal\0fatal\0", \
      "write: detect a Receiver Error, a Completion Timeout or a Malformed " \
      "TLP, and report it as far as Device Control and AER let it") \
    X(INV_SUB_STU, inv_sub_stu, "inv-sub-stu", 0, 1, \
      "round\0ur\0", \
      "Invalidate Request of less than the STU: round it up, or report " \
      "Unsupported Request and do not answer") \
    X(RC_ON_UR, rc_on_ur, "rc-on-ur", 0, 1, \
      "keep\0disable\0", \
      "Translation Completion with status UR: go on, or ask for no more " \
      "translations until ATS is enabled anew") \
    X(GROUP_SHAPE, group_shape, "group-shape", 0, 7, \
      "ok\0no-last\0no-access\0exec-only\0mixed-pasid\0other-rid\0" \
      "marker-inside\0other-bus\0", \
      "Page Requests of a channel: L in none; R=W=0; Execute without R; " \
      "every other one with another PASID, in bit 0; requester id of a " \
      "neighbour, in bit 0; a stop marker behind the first one; requester id " \
      "of another bus, in bit 8") \
    X(STOP_MARKER, stop_marker, "stop-marker", 0, 4, \
      "ok\0none\0no-pasid\0type\0dirty\0", \
      "stop marker: announced but not sent; without PASID; of type 1; with " \
      "reserved fields that are not 0") \
    X(PR_WHEN_DISABLED, pr_when_disabled, "pr-when-disabled", 0, 1, \
      "no\0yes\0", \
      "does a channel send Page Requests while they are disabled or stopped") \
    X(RESP_CODE, resp_code, "resp-code", 0, 1, \
      "spec\0rf-as-ir\0", \
      "Response Failure: as PCIe says, or like Invalid Request") \
    X(UNEXPECTED_RESP, unexpected_resp, "unexpected-resp", 0, 3, \
      "uprgi\0ignore\0ur\0uc\0", \
      "PRG Response to no group: set Unexpected PRG Index, do nothing, or " \
      "report Unsupported Request or Unexpected Completion instead") \
    X(PRI_STOP_DELAY, pri_stop_delay, "pri-stop-delay-us", 0, 60000000, \
      NULL, \
      "microseconds from the end of the last group of disabled Page " \
      "Requests, by a response or because a reset forgets it, until Stopped is set") \
    X(RETRY, retry, "retry", 0, 2, \
      "translate\0request\0give-up\0", \
      "after a response Success a channel translates again, asks for the " \
      "page again without a look, or ends") \
    X(D3_DURATION, d3_duration, "d3-duration-ms", 0, 3600000, \
      NULL, \
      "milliseconds that the reset on the way from D3hot to D0 takes; PCIe " \
      "permits 10") \
    X(HOT_DURATION, hot_duration, "hot-reset-ms", 0, 3600000, \
      NULL, \
      "milliseconds after a hot reset until the function answers; PCIe " \
      "permits 1000, and more with RRS") \
    X(SOFT_DURATION, soft_duration, "soft-reset-ms", 0, 3600000, \
      NULL, \
      "milliseconds that PT_SOFT_RESET of the whole function takes") \
    X(SOFT_RESET, soft_reset, "soft-reset", 0, 1, \
      "answers\0mute\0", \
      "Invalidate Request during that reset: answer it, or lose it and those " \
      "whose completion waits") \
    X(INV_AT_FLR, inv_at_flr, "inv-pending-at-flr", 0, 2, \
      "drop\0complete\0complete-after\0", \
      "completions that wait when a reset begins: lose them, send them " \
      "first, or when it is over") \
    X(FLR_PRS, flr_prs, "flr-prs", 0, 2, \
      "drop\0flush\0after\0", \
      "faults that wait for credits when a reset begins: forget them, send " \
      "their Page Requests first, or when it is over") \
    X(FLR_LATE_DMA, flr_late_dma, "flr-late-dma", 0, 2, \
      "none\0request\0write\0", \
      "when a reset is over: a Page Request with a PASID from before it, or " \
      "a write to a page whose translation is from before it") \
    X(RETRY_DELAY, retry_delay, "retry-delay-us", 10, 60000000, \
      NULL, \
      "microseconds until a channel does what retry says, if hardware " \
      "answered Success at once, as a full queue does; 0: in the same instant, for ever") \
    X(COMPLETION_TIMEOUT, completion_timeout, "completion-timeout-us", 50000, \
      64000000, NULL, \
      "microseconds until a Translation Request without a completion times " \
      "out; PCIe permits 50 to 50000; 0: never") \
    X(DMA_DO, dma_do, "dma-do", 0, 2, \
      "land\0hold\0delay\0", \
      "posted writes: reach memory at once, stay on their way until " \
      "released, or for dma-delay-us; or until something pushes them") \
    X(DMA_DELAY, dma_delay, "dma-delay-us", 0, 60000000, \
      NULL, \
      "dma-do=delay: microseconds") \
    X(DMA_RELEASE, dma_release, "dma-release", 0, UINT32_MAX, \
      NULL, \
      "write: let that many posted writes reach memory, oldest first") \
    X(INV_PUSH, inv_push, "inv-push", 0, 2, \
      "yes\0late\0no\0", \
      "Invalidate Completion: push posted writes; push only those from " \
      "before the last Invalidate Request but one, so that it takes a second " \
      "one; overtake them") \
    X(MSG_PUSH, msg_push, "msg-push", 0, 1, \
      "yes\0no\0", \
      "Page Requests, stop markers and error messages push posted writes, or " \
      "overtake them") \
    X(MSI_PUSH, msi_push, "msi-push", 0, 1, \
      "yes\0no\0", \
      "MSI push posted writes, or overtake them") \
    X(READ_PUSH, read_push, "read-push", 0, 1, \
      "yes\0no\0", \
      "reads of BAR0, reads and writes of configuration space, and reads of " \
      "memory by the function push posted writes, or overtake them") \
    X(FLR_DMA, flr_dma, "flr-dma", 0, 2, \
      "land\0drop\0keep\0", \
      "posted writes when a reset that leaves the link up begins: land " \
      "first, are lost, or stay on their way")

/* The number of each knob, for registers */
enum {
#define PT_KNOB_INDEX(FIELD, field, name, def, max, values, help) \
    PT_KNOB_##FIELD,
    PT_KNOBS(PT_KNOB_INDEX)
#undef PT_KNOB_INDEX
    PT_KNOB_NR
};

typedef struct PriTestdevKnobs {
#define PT_KNOB_FIELD(FIELD, field, name, def, max, values, help) \
    uint64_t field;
    PT_KNOBS(PT_KNOB_FIELD)
#undef PT_KNOB_FIELD
} PriTestdevKnobs;

#endif /* HW_MISC_PRI_TESTDEV_KNOBS_H */
