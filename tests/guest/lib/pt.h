/*
 * Drive pri-testdev from a program of the guest
 *
 * Everything here ends the test (see ktap.h) when it cannot do its work, so
 * that tests read as what they test.  Tests of refusals use the ioctls of
 * pri_testdev.h themselves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_PT_H
#define TESTS_GUEST_PT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ktap.h"
#include "pri_testdev.h"

#define PT_PAGE     4096ull
#define PT_HUGE     (2ull << 20)
#define PT_TIMEOUT  20000           /* ms without progress: it hangs */
#define PT_RESP_MS  5000            /* a response takes no longer than this */

/* Bytes of register pages: every access in the source is one of the machine */
typedef volatile uint8_t pt_reg;    /* volatile: device registers */

/* An open device node */
struct pt {
    int fd;
    unsigned index;                 /* of /dev/pri_testdev<n> */
    pt_reg *func;         /* function registers, writable */
    bool bound;
    uint32_t pasid;
    uint32_t channels;              /* of the function */
    uint64_t events;                /* taken from fd, not yet waited for */
};

struct pt_chan {
    struct pt *pt;
    unsigned index;
    pt_reg *regs;
};

/* Parameters of an operation; 0 means the default where there is one */
struct pt_op {
    uint32_t cmd;                   /* PT_OP_* */
    uint32_t flags;                 /* on top of PT_FLAG_PASID if bound */
    const void *src;
    void *dst;
    uint64_t len;
    uint64_t pattern;
    uint32_t group;
    uint32_t retries;
    bool no_irq;                    /* end is seen in PT_CH_STATUS only */
    const struct pt_entry *list;    /* with PT_FLAG_GATHER or _SCATTER */
    uint32_t list_len;
};

/* Entry of a list, as PT_LIST_ENTRY_SIZE says; aligned to 16 */
struct pt_entry {
    uint64_t addr;
    uint32_t len;
    uint32_t flags;
};

struct pt_result {
    uint32_t status;                /* PT_ST_* */
    uint32_t crc;
    uint32_t resp_code;
    uint32_t requests;
    uint32_t groups;
    uint64_t done;
    uint64_t err_addr;
};

/* Registers: volatile accesses of exactly the register's width */
static inline uint32_t pt_rd32(pt_reg *regs, unsigned off)
{
    return *(volatile uint32_t *)(regs + off);
}

static inline uint64_t pt_rd64(pt_reg *regs, unsigned off)
{
    return *(volatile uint64_t *)(regs + off);
}

static inline void pt_wr32(pt_reg *regs, unsigned off, uint32_t v)
{
    *(volatile uint32_t *)(regs + off) = v;
}

static inline void pt_wr64(pt_reg *regs, unsigned off, uint64_t v)
{
    *(volatile uint64_t *)(regs + off) = v;
}

/*
 * Whether this kernel is known to lack something (`lacks` in
 * guest/kernel/matrix); skip the test if it does, or if the kernel is older
 * than what the test is about.
 */
bool pt_lacks(const char *what);
void pt_need(const char *what);
void pt_need_kernel(unsigned major, unsigned minor, const char *what);

/*
 * Open /dev/pri_testdev<index>, or skip the test if there is none.
 * pt_open_bound() binds the address space of this process as well.
 */
void pt_open(struct pt *pt, unsigned index);

/*
 * In a process that has inherited the file: the registers are not mapped there,
 * as the page is one of a device.
 */
void pt_inherit(struct pt *pt);
void pt_open_bound(struct pt *pt, unsigned index);
void pt_close(struct pt *pt);
void pt_bind(struct pt *pt);
void pt_unbind(struct pt *pt);
void pt_info(struct pt *pt, struct pri_testdev_info *info);
uint64_t pt_counter(struct pt *pt, unsigned offset);    /* PT_CNT_* */

/*
 * Turn a knob of the IOMMU.  VTD_KNOB_* of hw/i386/vtd-knobs.h are names in
 * these programs, which the device looks up: the program may be older than
 * QEMU.  The knob stays as it is when the process ends: a test that turns one
 * must turn it back.  If the test fails, ktap does it (pt-knobs.c), for the
 * tests behind it.
 */
void pt_iommu_knob(struct pt *pt, const char *knob, uint64_t value);
uint64_t pt_iommu_knob_value(struct pt *pt, const char *knob);

/*
 * The same for a knob of the function (PT_KNOB_* of
 * hw/misc/pri-testdev-knobs.h); blind: without a look at what it was or what
 * came of it, and not put back after a failure
 */
void pt_knob(struct pt *pt, const char *knob, uint64_t value);
void pt_knob_blind(struct pt *pt, const char *knob, uint64_t value);

/*
 * Turn a knob of rule `rule` of the link (ATS_RULE_KNOB_* of
 * hw/pci/ats-rule-knobs.h), which makes the rule if it is not there; remove it,
 * and what it keeps continues.  Rules stay when the process ends.
 */
void pt_rule(struct pt *pt, unsigned rule, const char *knob, uint64_t value);
void pt_rule_remove(struct pt *pt, unsigned rule);

/*
 * Whether the driver leaves the bindings of a function to the IOMMU core in a
 * reset, its parameter keep_bindings: put back as a knob is.
 */
void pt_keep_bindings(bool keep);

/* What PT_KNOB_NAME takes for a name */
uint32_t pt_knob_hash(const char *name);

void pt_chan(struct pt *pt, struct pt_chan *ch);

/*
 * Start an operation; wait for its end by interrupt (or by looking at the
 * status, with no_irq) and return PT_ST_*; both, and fetch the outcome.
 * PT_ST_RUNNING is returned after `ms` milliseconds, with PT_TIMEOUT after so
 * long without a byte done; an operation that ended without its interrupt
 * fails the test.
 */
void pt_start(struct pt_chan *ch, const struct pt_op *op);
uint32_t pt_wait(struct pt_chan *ch, const struct pt_op *op, unsigned ms);
void pt_result(struct pt_chan *ch, struct pt_result *res);
uint32_t pt_run(struct pt_chan *ch, const struct pt_op *op,
                struct pt_result *res);
const char *pt_status_name(uint32_t status);

/* Run and fail the test unless the status is as expected */
void pt_expect(struct pt_chan *ch, const struct pt_op *op,
               uint32_t status, struct pt_result *res);

/* A Page Request with exactly these fields, past all the rules of PRI */
struct pt_raw {
    uint64_t addr;
    uint32_t pasid;                 /* with PT_RAW_PASID_PRESENT or without */
    uint32_t flags;                 /* PT_RAW_READ ... */
    uint32_t prgi;
};

struct pt_raw_resp {
    uint32_t code;
    uint32_t prgi;
    bool had_pasid;
    uint32_t pasid;
};

/* Forget the last response and send; then wait, false: none within `ms` */
void pt_raw_send(struct pt *pt, const struct pt_raw *raw);
bool pt_raw_wait(struct pt *pt, struct pt_raw_resp *resp, unsigned ms);

/*
 * The same with the PASID of this process, which the response must have too.
 * pt_expect_no_resp() waits for a while.
 */
void pt_send(struct pt *pt, const void *addr, uint32_t flags, unsigned prgi);
void pt_expect_resp(struct pt *pt, unsigned prgi, uint32_t code);
void pt_expect_no_resp(struct pt *pt);

/* n groups of a write each to the same page, PRGI 0 to n - 1, by pt->pasid */
void pt_raw_send_groups(struct pt *pt, uint64_t addr, unsigned n);

/* -- Memory ---------------------------------------------------------------- */

/*
 * Memory that this process has never touched: anonymous, or shared with a
 * file of pseudo-random bytes that depend on the seed (never all equal).
 */
void *pt_map_anon(size_t len);
void *pt_map_shared(size_t len);        /* with processes that are forked */
void *pt_map_file(size_t len, uint64_t seed, int *fd);
bool pt_resident(const void *page);

/* Look at every byte, say the first that is wrong */
void pt_check_stamp(const void *p, size_t len, uint64_t pattern);
void pt_check_fill(const void *p, size_t len, uint64_t pattern);
void pt_check_zero(const void *p, size_t len);
void pt_check_equal(const void *p, const void *q,
                    size_t len);
uint32_t pt_crc32(const void *p, size_t len);
uint64_t pt_random(uint64_t *state);

/* -- Work: pt-load.c ------------------------------------------------------- */

/*
 * n channels at work on memory that comes in page by page, in groups of 1 to
 * n; returns when each has got its first bytes through
 */
void pt_load(struct pt *pt, struct pt_chan *ch, unsigned n);

/* Memory never touched is asked for, written, and gone */
void pt_check_works(struct pt_chan *ch);

/* -- Processes and time ---------------------------------------------------- */

/* Wait for a child; fail the test unless it exited with `status` */
void pt_reap(pid_t pid, int status);
double pt_now(void);
void pt_sleep_ms(unsigned ms);

/* -- Statistics ------------------------------------------------------------ */

/*
 * What a workload did to the counters of the function, as lines
 *   # stat <workload> <name> <value>
 */
struct pt_stat {
    uint64_t before[8];
    double start;
};

void pt_stat_begin(struct pt *pt, struct pt_stat *stat);
void pt_stat_end(struct pt *pt, struct pt_stat *stat, const char *workload,
                 uint64_t pages);

#endif
