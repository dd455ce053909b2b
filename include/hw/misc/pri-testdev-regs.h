/*
 * Register map of pri-testdev, an ATS/PRI/PASID test endpoint
 *
 * This file is the contract between the device (hw/misc/pri-testdev.c), the
 * qtests, the guest driver and the guest programs, and it is all they share.
 * It needs nothing but integer constants, so that a kernel, QEMU and a
 * freestanding program can include it.  docs/specs/pri-testdev.rst is the
 * same map in prose.
 *
 * BAR0 is one 4 KiB page of function registers and one 4 KiB page a channel,
 * so that a process can be given one channel by mmap().  Registers are 32 bits
 * wide (aligned 4-byte access) or 64 bits wide (aligned 8-byte access or two
 * aligned 4-byte ones, in any order).  Reserved offsets read 0 and ignore
 * writes.  BAR2 holds the MSI-X table and PBA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_PRI_TESTDEV_REGS_H
#define HW_MISC_PRI_TESTDEV_REGS_H

/* Identity, unless the command line gives the function another one */
#define PRI_TESTDEV_VENDOR_ID           0x1234
#define PRI_TESTDEV_DEVICE_ID           0x5052  /* "PR" */
#define PRI_TESTDEV_VF_DEVICE_ID        0x5054
#define PRI_TESTDEV_CLASS               0xff0000    /* no class that fits */

#define PRI_TESTDEV_MAX_CHANNELS        64

/* MSI-X vectors: one for events of the function, then one a channel */
#define PRI_TESTDEV_VECTOR_FUNCTION     0
#define PRI_TESTDEV_VECTOR_CHANNEL(n)   ((n) + 1)

/* -- Function registers: BAR0 + 0x0000 ------------------------------------ */

/*
 * X(NAME, offset, bits, access, text): the registers, of which PT_<NAME> is the
 * offset.  Access is RO, RW, WO (reads 0) or W1C (write 1 to clear).  What the
 * device does with them, the headings of docs/specs/pri-testdev.rst and the
 * test that writes to each of them follow this table.  Their values are below.
 */
#define PT_FUNCTION_REGS(X) \
    X(ID,              0x000, 32, RO, "PT_ID_MAGIC") \
    X(VERSION,         0x004, 32, RO, "version of this map") \
    X(CHANNELS,        0x008, 32, RO, "number of channels") \
    X(PASID_BITS,      0x00c, 32, RO, "PASID width, 0: no PASID") \
    X(STATE,           0x010, 32, RO, "PT_STATE_*: what is enabled now") \
    X(CTRL,            0x014, 32, WO, "PT_CTRL_*, write 1") \
    X(PRI_CAPACITY,    0x018, 32, RO, "Outstanding PR Capacity") \
    X(PRI_ALLOC,       0x01c, 32, RO, "Outstanding PR Allocation") \
    X(PRI_CREDITS,     0x020, 32, RO, "requests that may be sent") \
    X(PRI_GROUPS,      0x024, 32, RO, "groups without a response") \
    X(ATC_CAPACITY,    0x028, 32, RO, "ATC entries there are") \
    X(ATC_USED,        0x02c, 32, RO, "ATC entries in use") \
    X(SCRATCH,         0x030, 32, RW, "cleared by any reset") \
    X(INV_WAITING,     0x034, 32, RO, "completions kept by knobs") \
    X(TRANS_WAITING,   0x038, 32, RO, "translations not complete") \
    X(DMA_WAITING,     0x03c, 32, RO, "posted writes on their way") \
    X(RAW_ADDR,        0x040, 64, RW, "page address") \
    X(RAW_PASID,       0x048, 32, RW, "19:0 PASID, 31 present") \
    X(RAW_FLAGS,       0x04c, 32, RW, "PT_RAW_READ and so on") \
    X(RAW_PRGI,        0x050, 32, RW, "8:0") \
    X(RAW_SEND,        0x054, 32, WO, "1: send it") \
    X(RAW_RESP,        0x058, 32, RW, "last response; a write clears it") \
    X(RAW_RESP_PASID,  0x05c, 32, RO, "its PASID") \
    X(RAW_RESP_COUNT,  0x060, 32, RO, "responses to raw requests") \
    X(RULE_REMOVE,     0x064, 32, WO, "number of the rule that is removed") \
    X(KNOB_SELECT,     0x068, 32, RW, "15:0 number, the rest whose") \
    X(KNOB_STATUS,     0x06c, 32, RO, \
      "PT_KNOB_OK and so on, of the last write") \
    X(KNOB_VALUE,      0x070, 64, RW, "of the knob that is selected") \
    X(KNOB_NAME,       0x078, 32, WO, "hash of a name") \
    X(STOP_PASID,      0x080, 32, RW, "19:0 PASID, 31 how") \
    X(STOP_STATUS,     0x084, 32, RO, "PT_STOP_IDLE and so on") \
    X(EVENT_STATUS,    0x088, 32, W1C, "PT_EVENT_*: what has happened") \
    X(EVENT_ENABLE,    0x08c, 32, RW, "PT_EVENT_*: what sends vector 0") \
    X(LOG_COUNT,       0x090, 32, RO, "number of the next entry") \
    X(LOG_SELECT,      0x094, 32, RW, "number of the entry that is read") \
    X(LOG_TIME,        0x098, 64, RO, "virtual time, ns") \
    X(LOG_ADDR,        0x0a0, 64, RO, "as PT_LOG_KINDS says") \
    X(LOG_KIND,        0x0a8, 32, RO, "PT_LOG_* of PT_LOG_KINDS") \
    X(LOG_PASID,       0x0ac, 32, RO, "19:0 PASID, 31 present") \
    X(LOG_TAG,         0x0b0, 32, RO, "PRGI, ITag, channel, knob") \
    X(LOG_CODE,        0x0b4, 32, RO, "as PT_LOG_KINDS says") \
    X(CLOCK,           0x0b8, 64, RO, "virtual time, ns") \
    X(SOFT_RESET,      0x0c0, 32, RW, "5:0 channel, 31 all") \
    X(RESETS,          0x0c4, 32, RO, "resets since power on") \
    X(RESET_LAST,      0x0c8, 32, RO, "PT_RESET_* of the last")

#define PT_REG_OFFSET(NAME, offset, bits, access, text) PT_##NAME = offset,
enum { PT_FUNCTION_REGS(PT_REG_OFFSET) };
#undef PT_REG_OFFSET

#define PT_ID_MAGIC             0x54495250      /* "PRIT" */
#define PT_VERSION_1            1
#define PT_STATE_BME            (1u << 0)   /* Bus Master Enable */
#define PT_STATE_ATS            (1u << 1)   /* ATS Enable */
#define PT_STATE_PRI            (1u << 2)   /* PRI Enable */
#define PT_STATE_PASID          (1u << 3)   /* PASID Enable */
#define PT_STATE_PRI_STOPPED    (1u << 4)   /* PRI Status.Stopped */
#define PT_STATE_PRI_RF         (1u << 5)   /* PRI Status.Response Failure */
#define PT_STATE_PRI_UPRGI      (1u << 6)   /* PRI Status.Unexpected PRGI */
#define PT_STATE_NO_ATS         (1u << 7)   /* knob rc-on-ur stopped ATS */
#define PT_CTRL_CLEAR_COUNTERS  (1u << 0)
#define PT_CTRL_FLUSH_ATC       (1u << 1)   /* drop all ATC entries */
#define PT_CTRL_ABORT           (1u << 2)   /* abort all channels */
#define PT_CTRL_CLEAR_LOG       (1u << 3)

/*
 * Raw Page Requests: a message with exactly these fields, whatever the PRI
 * state, the credits and the groups of the function are.  A raw request with
 * L=1 that is not a stop marker makes its PRGI outstanding for one response,
 * which is recorded here.
 */
#define PT_RAW_PASID_PRESENT    (1u << 31)
#define PT_RAW_READ             (1u << 0)
#define PT_RAW_WRITE            (1u << 1)
#define PT_RAW_LAST             (1u << 2)
#define PT_RAW_PRIV             (1u << 3)
#define PT_RAW_EXEC             (1u << 4)
#define PT_RAW_RESP_CODE(v)     ((v) & 0xf)
#define PT_RAW_RESP_PRGI(v)     (((v) >> 4) & 0x1ff)
#define PT_RAW_RESP_HAD_PASID   (1u << 30)
#define PT_RAW_RESP_VALID       (1u << 31)

/*
 * Rules of the link.  PT_RULES of them are the guest's, number n an object
 * "guest-rule-<n in two digits>" of QEMU.  With PT_KNOB_RULE(n) in
 * PT_KNOB_SELECT the knobs below are those of the rule (ats-rule-knobs.h).  A
 * knob of a rule that is not there reads as its default, and a write makes the
 * rule.
 */
#define PT_RULES                64

/*
 * Knobs, as a guest turns them: say whose, select one by its name, then read or
 * write its value.  PT_KNOB_NAME takes the 32-bit FNV-1a hash of the name
 * (offset basis PT_KNOB_HASH_BASIS, prime PT_KNOB_HASH_PRIME) and puts the
 * number of the knob in PT_KNOB_SELECT, PT_KNOB_NO_NUMBER if there is no such
 * name.  The number is the row in pri-testdev-knobs.h (the function's own),
 * vtd-knobs.h (the IOMMU's) or ats-rule-knobs.h of the build that QEMU is of:
 * it means nothing in another one.  A 64-bit value takes effect when its upper
 * half is written.
 */
#define PT_KNOB_NO_NUMBER       0xffff
#define PT_KNOB_IOMMU           (1u << 31)  /* a knob of the IOMMU */
#define PT_KNOB_RULE(n)         (1u << 30 | (n) << 16)  /* of rule n */
#define PT_KNOB_RULE_NUMBER(v)  (((v) >> 16) & (PT_RULES - 1))
#define PT_KNOB_OK              0
#define PT_KNOB_NONE            1       /* there is no such knob */
#define PT_KNOB_RANGE           2       /* the value is too large */
#define PT_KNOB_FULL            3       /* there is no room for that rule */
#define PT_KNOB_HASH_BASIS      0x811c9dc5u
#define PT_KNOB_HASH_PRIME      0x01000193u

/*
 * Stop of a PASID (PCIe 6.2 10.4.1.2).  A write ends the operations that use
 * the PASID, as soon as their groups are answered or, with a stop marker, at
 * once.  Then the status is done.
 */
#define PT_STOP_MARKER          (1u << 31)  /* do not wait, send a marker */
#define PT_STOP_IDLE            0       /* nothing was stopped since reset */
#define PT_STOP_BUSY            1       /* groups are outstanding */
#define PT_STOP_DONE            2
#define PT_STOP_REFUSED         3       /* there is no such PASID */

/*
 * Function events: a status bit each, and vector 0 when one that is enabled
 * happens, or is enabled after it has happened.
 */
#define PT_EVENT_STOP           (1u << 0)   /* a PASID has stopped */
#define PT_EVENT_RAW            (1u << 1)   /* response to a raw request */
#define PT_EVENT_VIOLATION      (1u << 2)   /* as PT_CNT_VIOLATIONS counts */
#define PT_EVENT_UNEXPECTED     (1u << 3)   /* PRG Response to no group */
#define PT_EVENT_STALE          (1u << 4)   /* as PT_CNT_RESP_STALE counts */
#define PT_EVENT_SOFT_RESET     (1u << 5)   /* PT_SOFT_RESET is done */
#define PT_EVENT_ALL            0x3f

/*
 * Event log: the last PT_LOG_SIZE events.  Resets leave it alone.  Write the
 * number of an entry to PT_LOG_SELECT, then read it; PT_LOG_KIND is 0 if that
 * entry is overwritten or does not exist yet.
 */
#define PT_LOG_SIZE             256
#define PT_LOG_PASID_PRESENT    (1u << 31)

/*
 * PT_CLOCK is the clock of the event log and of QEMU's timers, now.  It runs on
 * between the two halves: read the upper, the lower and the upper half again.
 */

/*
 * Device-specific reset (VT-d 7.9): one channel, or all that is not
 * configuration space.  What was asked of the IOMMU is forgotten, credits are
 * free again, and Invalidate Requests are answered all the while.
 */
#define PT_SOFT_RESET_ALL       (1u << 31)
#define PT_SOFT_RESET_BUSY      (1u << 30)  /* read: it goes on */

/* What the knob flr-late-dma=write leaves in memory, "LATEDMA!" */
#define PT_LATE_DATA            0x21414d444554414cULL

/* Vendor-specific capability: reset by the platform, for ACPI _RST */
#define PT_VNDR_SIZE            8
#define PT_VNDR_RESET           4       /* 32 RW  write 1; 1: it goes on */

/* X(NAME, number, name, what tag, addr and code are) */
#define PT_LOG_KINDS(X) \
    X(PAGE_REQUEST,   1, "page-request", "PRGI, page, PT_RAW_READ etc.") \
    X(STOP_MARKER,    2, "stop-marker", "-, -, -") \
    X(PRG_RESPONSE,   3, "prg-response", "PRGI, -, Response Code") \
    X(INV_REQUEST,    4, "inv-request", "ITag, address field, S | G << 1") \
    X(INV_COMPLETION, 5, "inv-completion", "ITag, -, Completion Count") \
    X(TRANSLATION,    6, "translation", "status: 0, 1 UR, 2 CA; address; " \
      "PT_RAW_READ etc. that are permitted, PT_LOG_DISCARDED, " \
      "PT_LOG_NON_SNOOPED") \
    X(START,          7, "start", "channel, source or destination, PT_OP_*") \
    X(END,            8, "end", "channel, PT_CH_ERR_ADDR, PT_ST_*") \
    X(STOP,           9, "stop", "-, -, PT_STOP_*") \
    X(RESET,         10, "reset", "channel of RESET_CHANNEL, -, PT_RESET_*") \
    X(KNOB,          11, "knob", "knob, value, -") \
    X(VIOLATION,     12, "violation", "-, -, -") \
    X(UNEXPECTED,    13, "unexpected", "PRGI, -, -: the response before it") \
    X(STALE,         14, "stale", "PRGI, -, -: the response before it") \
    X(MISTAKEN,      15, "mistaken", "PRGI, -, -: the response before it") \
    X(LATE_WRITE,    16, "late-write", "-, page, -") \
    X(TIMEOUT,       17, "timeout", "tag of the link, address, -: no " \
      "Translation Completion") \
    X(POSTED,        18, "posted", "-, address, bytes: on its way") \
    X(LANDED,        19, "landed", "1 if overtaken, address, bytes")

enum {
#define PT_LOG_KIND_NUMBER(NAME, number, name, text) PT_LOG_##NAME = number,
    PT_LOG_KINDS(PT_LOG_KIND_NUMBER)
#undef PT_LOG_KIND_NUMBER
};

#define PT_LOG_DISCARDED        (1u << 8)   /* the completion had no effect */
#define PT_LOG_NON_SNOOPED      (1u << 9)   /* N of a Translation Completion */

#define PT_RESET_OTHER          0
#define PT_RESET_FLR            1
#define PT_RESET_FLR_END        2       /* of any that took its time */
#define PT_RESET_GONE           3
#define PT_RESET_BACK           4
#define PT_RESET_AF             5       /* FLR by Advanced Features */
#define PT_RESET_D3HOT          6       /* D3hot to D0, No_Soft_Reset = 0 */
#define PT_RESET_HOT            7       /* by the bus: hot reset, link down */
#define PT_RESET_PLATFORM       8       /* PT_VNDR_RESET */
#define PT_RESET_SOFT           9       /* PT_SOFT_RESET_ALL */
#define PT_RESET_CHANNEL        10      /* PT_SOFT_RESET */
#define PT_RESET_NR             11

/*
 * Counters: 64 RO each, cleared by PT_CTRL_CLEAR_COUNTERS and by reset.
 * X(name, offset, part, field, what it counts): PT_CNT_<name> is the offset;
 * part and field are where the device has it, and nothing to others.
 */
#define PT_COUNTERS(X) \
    X(PAGE_REQUESTS,    0x100, pri, page_requests, \
      "Page Request messages sent, but stop markers") \
    X(GROUPS,           0x108, pri, groups, \
      "of them those with L = 1") \
    X(STOP_MARKERS,     0x110, pri, stop_markers, \
      "stop markers sent") \
    X(RESP_SUCCESS,     0x118, pri, resp_success, \
      "PRG Responses with code Success") \
    X(RESP_INVALID,     0x120, pri, resp_invalid, \
      "PRG Responses with code Invalid Request") \
    X(RESP_FAILURE,     0x128, pri, resp_failure, \
      "PRG Responses with code 2h to Fh") \
    X(RESP_UNEXPECTED,  0x130, pri, resp_unexpected, \
      "PRG Responses that matched no group") \
    X(INV_REQUESTS,     0x138, fn, inv_requests, \
      "Invalidate Requests received") \
    X(INV_COMPLETIONS,  0x140, fn, inv_completions, \
      "Invalidate Completions sent") \
    X(ATC_HITS,         0x148, fn, atc_hits, \
      "ATC look-ups with a result that permits the access") \
    X(ATC_MISSES,       0x150, fn, atc_misses, \
      "other ATC look-ups") \
    X(TRANSLATIONS,     0x158, fn, translations, \
      "Translation Requests sent") \
    X(TRANS_UR,         0x160, fn, trans_ur, \
      "Translation Completions with status UR") \
    X(TRANS_CA,         0x168, fn, trans_ca, \
      "Translation Completions with status CA") \
    X(BYTES_READ,       0x170, dma, bytes_read, \
      "bytes read from memory") \
    X(BYTES_WRITTEN,    0x178, dma, bytes_written, \
      "bytes written to memory") \
    X(DMA_ERRORS,       0x180, dma, dma_errors, \
      "memory accesses that failed") \
    X(VIOLATIONS,       0x188, both, violations, \
      "breaches of protocol by the other side") \
    X(FLRS,             0x190, resets, flrs, \
      "Function Level Resets") \
    X(RESP_STALE,       0x198, pri, resp_stale, \
      "responses that may be from before a reset") \
    X(RESP_MISTAKEN,    0x1a0, pri, resp_mistaken, \
      "stale responses that completed a newer group") \
    X(TRANS_DISCARDED,  0x1b0, fn, trans_discarded, \
      "Translation Completions that were invalidated on the way") \
    X(TRANS_UNEXPECTED, 0x1b8, fn, trans_unexpected, \
      "Translation Completions of no request") \
    X(TRANS_TIMEOUTS,   0x1c0, fn, trans_timeouts, \
      "Translation Requests whose completion has not come in time") \
    X(POSTED,           0x1c8, posted, queued, \
      "writes that did not land at once") \
    X(OVERTAKEN,        0x1d0, posted, overtaken, \
      "of them those with a translation that an Invalidate " \
      "Completion has overtaken") \
    X(POSTED_LOST,      0x1d8, posted, lost, \
      "of them those that never landed")

enum {
#define PT_COUNTER_OFFSET(name, offset, part, field, text) \
    PT_CNT_##name = offset,
    PT_COUNTERS(PT_COUNTER_OFFSET)
#undef PT_COUNTER_OFFSET
};

/* -- Channel registers: BAR0 + PT_CHANNEL(n) ------------------------------- */

#define PT_CHANNEL_SIZE         0x1000
#define PT_CHANNEL(n)           (((n) + 1) * PT_CHANNEL_SIZE)

/* The registers of a channel, as above; offsets in its page */
#define PT_CHANNEL_REGS(X) \
    X(CH_CMD,          0x00, 32, WO, "start: PT_OP_*") \
    X(CH_STATUS,       0x04, 32, RO, "PT_ST_*") \
    X(CH_FLAGS,        0x08, 32, RW, "PT_FLAG_*") \
    X(CH_PASID,        0x0c, 32, RW, "19:0 PASID") \
    X(CH_SRC,          0x10, 64, RW, "source address") \
    X(CH_DST,          0x18, 64, RW, "destination address") \
    X(CH_LEN,          0x20, 64, RW, "bytes, 0 is BAD_COMMAND") \
    X(CH_PATTERN,      0x28, 64, RW, "for WRITE and FILL") \
    X(CH_GROUP,        0x30, 32, RW, "pages a group, 1..512") \
    X(CH_RETRIES,      0x34, 32, RW, "Success without presence") \
    X(CH_IRQ_STATUS,   0x38, 32, W1C, "bit 0: operation ended") \
    X(CH_CRC,          0x3c, 32, RO, "CRC-32 (IEEE) of READ/COPY") \
    X(CH_DONE,         0x40, 64, RO, "bytes done") \
    X(CH_ERR_ADDR,     0x48, 64, RO, "address that ended the op") \
    X(CH_RESP_CODE,    0x50, 32, RO, "last PRG Response Code") \
    X(CH_REQUESTS,     0x54, 32, RO, "Page Requests of this op") \
    X(CH_GROUPS,       0x58, 32, RO, "groups of this op") \
    X(CH_REFUSED,      0x5c, 32, RO, "commands refused") \
    X(CH_LIST,         0x60, 64, RW, "address of a list") \
    X(CH_LIST_LEN,     0x68, 32, RW, "its entries, 1..65536") \
    X(CH_LIST_DONE,    0x6c, 32, RO, "entries done")

#define PT_REG_OFFSET(NAME, offset, bits, access, text) PT_##NAME = offset,
enum { PT_CHANNEL_REGS(PT_REG_OFFSET) };
#undef PT_REG_OFFSET

/*
 * A channel does one operation at a time.  Write the parameters, then
 * PT_CH_CMD.  The parameters are sampled by that write and may be changed at
 * once.  A command to a channel that is running is refused: it changes
 * nothing and is counted in PT_CH_REFUSED.
 */
#define PT_OP_NOP               0       /* complete at once */
#define PT_OP_READ              1       /* read SRC, sum in CRC */
#define PT_OP_WRITE             2       /* write stamps to DST */
#define PT_OP_COPY              3       /* read SRC, write DST */
#define PT_OP_FILL              4       /* write PATTERN to DST */
#define PT_OP_ABORT             15      /* end the running operation */
#define PT_ST_IDLE              0       /* nothing done since reset */
#define PT_ST_RUNNING           1       /* running or waiting */
#define PT_ST_DONE              2       /* all bytes done */
#define PT_ST_INVALID_REQUEST   3       /* PRG Response: Invalid Request */
#define PT_ST_RESPONSE_FAILURE  4       /* PRG Response: 2h to Fh */
#define PT_ST_NO_PRI            5       /* page absent and PRI not usable */
#define PT_ST_TRANS_UR          6       /* Translation Completion: UR */
#define PT_ST_TRANS_CA          7       /* Translation Completion: CA */
#define PT_ST_RETRY_LIMIT       8       /* Success, but never present */
#define PT_ST_DMA_ERROR         9       /* memory access failed */
#define PT_ST_ABORTED           10      /* PT_OP_ABORT, PRI disabled, reset */
#define PT_ST_BAD_COMMAND       11      /* unknown op or bad parameter */
#define PT_ST_NOT_ENABLED       12      /* BME, ATS or PASID not enabled */
#define PT_ST_BAD_LIST          13      /* entry of a list that is invalid */
#define PT_ST_TIMEOUT           14      /* no Translation Completion came */
#define PT_FLAG_PASID           (1u << 0)   /* requests carry PT_CH_PASID */
#define PT_FLAG_PRIV            (1u << 1)   /* Privileged Mode Requested */
#define PT_FLAG_EXEC            (1u << 2)   /* Execute Requested */
#define PT_FLAG_IRQ             (1u << 3)   /* MSI-X when the op ends */
#define PT_FLAG_UNTRANSLATED    (1u << 4)   /* no ATS: untranslated DMA */
#define PT_FLAG_NO_PRI          (1u << 5)   /* do not ask for absent pages */
#define PT_FLAG_GATHER          (1u << 6)   /* PT_CH_LIST is the source */
#define PT_FLAG_SCATTER         (1u << 7)   /* PT_CH_LIST is the destination */

/*
 * A list of ranges, in memory that the operation can read: PT_CH_LIST_LEN
 * entries, or up to the one with PT_LIST_LAST.  It is aligned to the size of
 * an entry.  Little endian.
 */
#define PT_LIST_MAX             65536
#define PT_LIST_ENTRY_SIZE      16
#define PT_LIST_ADDR            0       /* 64 address, of any alignment */
#define PT_LIST_LEN             8       /* 32 bytes, not 0 */
#define PT_LIST_FLAGS           12      /* 32 other bits are 0 */
#define PT_LIST_LAST            (1u << 0)   /* no entry behind this one */

#define PT_GROUP_DEFAULT        1
#define PT_RETRIES_DEFAULT      16

/*
 * WRITE stamps every byte with its own address, so that a byte that lands in
 * the wrong place shows: the byte at address a is byte (a & 7), little endian,
 * of PATTERN ^ (a & ~7).  FILL writes byte (a & 7) of PATTERN.
 */
#define PT_STAMP_BYTE(pattern, a) \
    ((unsigned char)(((pattern) ^ ((a) & ~7ULL)) >> (((a) & 7) * 8)))
#define PT_FILL_BYTE(pattern, a) \
    ((unsigned char)((pattern) >> (((a) & 7) * 8)))

#endif /* HW_MISC_PRI_TESTDEV_REGS_H */
