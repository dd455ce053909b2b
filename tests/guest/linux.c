/*
 * What Linux needs of the machine before page requests work, and in which
 * order it uses it: items LNX-*, and those of PCIe that Linux is part of
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "klog.h"
#include "pciconf.h"
#include "pt.h"
#include "sysfs.h"

#define PATTERN         0x2233445566778899ull

/* VT-d 11.4.3 */
#define ECAP_QI         (1ull << 1)
#define ECAP_DT         (1ull << 2)
#define ECAP_PRS        (1ull << 29)
#define ECAP_PSS(ecap)  (((ecap) >> 35) & 0x1f)
#define ECAP_PASID      (1ull << 40)
#define ECAP_PDS        (1ull << 42)
#define ECAP_SMTS       (1ull << 43)
#define ECAP_FSTS       (1ull << 47)
#define ECAP_SMPWC      (1ull << 48)

/* The only file that `pattern` stands for; its contents, up to `len` bytes */
static size_t slurp(const char *pattern, void *to, size_t len)
{
    glob_t found;
    ssize_t n;
    int fd;

    CHECK(!glob(pattern, 0, NULL, &found), "no %s", pattern);
    fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s: %s", found.gl_pathv[0], strerror(errno));
    n = read(fd, to, len);
    CHECK(n > 0, "%s: %s", found.gl_pathv[0], strerror(errno));
    close(fd);
    globfree(&found);
    return n;
}

static const char *pci_name(struct pt *pt)
{
    static struct pri_testdev_info info;

    pt_info(pt, &info);
    return info.pci_name;
}

static uint64_t read_ecap(void)
{
    char text[32] = "";

    slurp("/sys/class/iommu/dmar*/intel-iommu/ecap", text, sizeof(text) - 1);
    return strtoull(text, NULL, 16);
}

/* -- the IOMMU ------------------------------------------------------------ */

static void test_iommu(void)
{
    uint64_t want = ECAP_QI | ECAP_DT | ECAP_PRS | ECAP_PASID | ECAP_PDS |
                    ECAP_SMTS | ECAP_FSTS | ECAP_SMPWC;
    uint64_t ecap = read_ecap();

    CHECK((ecap & want) == want, "ECAP is 0x%llx, without 0x%llx",
          (unsigned long long)ecap, (unsigned long long)(want & ~ecap));
    CHECK(!klog_has("SVM disabled"), "Linux has disabled SVM");
}

/*
 * ATSR is structure type 2 of the DMAR table.  One for the segment with
 * ALL_PORTS, or one that names the ports.
 */
static void test_atsr(void)
{
    static uint8_t table[65536];
    size_t len = slurp("/sys/firmware/acpi/tables/DMAR", table, sizeof(table));
    size_t at = 48;

    while (at + 4 <= len && table[at + 2] | table[at + 3] << 8) {
        if ((table[at] | table[at + 1] << 8) == 2) {
            return;
        }
        at += table[at + 2] | table[at + 3] << 8;
    }
    FAIL("no ATSR in the DMAR table");
}

/* -- the function and the way to it --------------------------------------- */

static void test_function(void)
{
    struct pciconf fn, port;
    struct pt pt;
    unsigned cap;

    pt_open(&pt, 0);
    pciconf_read(&fn, pci_name(&pt));
    pciconf_read_port(&port, pci_name(&pt));

    cap = pciconf_ext(&fn, PCICONF_ATS);
    CHECK(pciconf_word(&fn, cap + 4) & 1 << 5, "no Page Aligned Request");
    CHECK_EQ(pciconf_word(&fn, cap + 6), 1 << 15, "ATS Control");
    cap = pciconf_ext(&fn, PCICONF_PRI);
    CHECK(pciconf_word(&fn, cap + 6) & 1 << 15,
          "no PRG Response PASID Required");
    CHECK_EQ(pciconf_word(&fn, cap + 4), 1, "PRI Control");
    cap = pciconf_ext(&fn, PCICONF_PASID);
    CHECK(pciconf_word(&fn, cap + 6) & 1, "PASID is not enabled");

    /* End-End TLP Prefix Supported, all the way */
    cap = pciconf_cap(&fn, PCICONF_EXP);
    CHECK(pciconf_long(&fn, cap + 0x24) & 1 << 21, "function: no prefixes");
    cap = pciconf_cap(&port, PCICONF_EXP);
    CHECK(pciconf_long(&port, cap + 0x24) & 1 << 21, "port: no prefixes");
}

/* Request Redirect and Upstream Forwarding: requests cannot pass the IOMMU */
static void test_acs(void)
{
    struct pciconf port;
    struct pt pt;
    unsigned cap;

    pt_open(&pt, 0);
    pciconf_read_port(&port, pci_name(&pt));
    cap = pciconf_ext(&port, PCICONF_ACS);
    CHECK((pciconf_word(&port, cap + 6) & 0x14) == 0x14,
          "ACS Control is 0x%x", pciconf_word(&port, cap + 6));
}

/* LNX-04 for a capacity that is smaller; machines/pri-capacity has the other */
static void test_allocation(void)
{
    struct pciconf fn;
    unsigned cap;
    struct pt pt;

    pt_open(&pt, 0);
    pciconf_read(&fn, pci_name(&pt));
    cap = pciconf_ext(&fn, PCICONF_PRI);
    CHECK_EQ(pciconf_long(&fn, cap + 12), pciconf_long(&fn, cap + 8),
             "allocation");
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_ALLOC), pciconf_long(&fn, cap + 8),
             "allocation as the function sees it");
}

/* -- PASIDs --------------------------------------------------------------- */

#define PROCESSES   260

/* A PASID of more than 8 bits, and that what it is for works */
static void wide_pasid_child(int ready, int go)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 2 * PT_PAGE, .pattern = PATTERN,
    };
    struct pt_chan ch;
    struct pt pt;
    char byte;

    pt_open_bound(&pt, 0);
    CHECK(write(ready, &pt.pasid, 4) == 4, "pipe: %s", strerror(errno));
    if (pt.pasid > 0xff) {
        pt_chan(&pt, &ch);
        op.dst = pt_map_anon(op.len);
        pt_expect(&ch, &op, PT_ST_DONE, NULL);
        pt_check_stamp(op.dst, op.len, PATTERN);
        pt_close(&pt);
    }
    CHECK(read(go, &byte, 1) == 0, "pipe");
    _exit(KTAP_PASS);
}

static void test_wide_pasids(void)
{
    uint32_t pasid, largest = 0;
    int ready[2], go[2];
    unsigned i;

    pt_need("sva");
    CHECK(ECAP_PSS(read_ecap()) + 1 == 20, "PASIDs of %u bits",
          (unsigned)ECAP_PSS(read_ecap()) + 1);
    CHECK(!pipe(ready) && !pipe(go), "pipe: %s", strerror(errno));
    for (i = 0; i < PROCESSES; i++) {
        pid_t child = fork();

        CHECK(child >= 0, "fork %u: %s", i, strerror(errno));
        if (!child) {
            close(go[1]);
            wide_pasid_child(ready[1], go[0]);
        }
        CHECK(read(ready[0], &pasid, 4) == 4, "child %u did not bind", i);
        largest = pasid > largest ? pasid : largest;
    }
    close(go[1]);
    for (i = 0; i < PROCESSES; i++) {
        int status;

        CHECK(wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status),
              "a child ended with 0x%x", status);
    }
    ktap_note("%u processes, PASIDs up to %u", PROCESSES, largest);
    CHECK(largest > 0xff, "no PASID of more than 8 bits");
}

/* -- order ---------------------------------------------------------------- */

/* An entry of the event log */
struct event {
    uint32_t kind;
    uint32_t pasid;
    uint32_t code;
};

static bool read_event(struct pt *pt, uint32_t n, struct event *e)
{
    pt_wr32(pt->func, PT_LOG_SELECT, n);
    e->kind = pt_rd32(pt->func, PT_LOG_KIND);
    e->pasid = pt_rd32(pt->func, PT_LOG_PASID);
    e->code = pt_rd32(pt->func, PT_LOG_CODE);
    return e->kind;
}

/*
 * ATS-07, PRI-34, PRI-35: the function counts what is not to be done to its
 * controls, from the driver's probe to a reset and behind it
 */
static void test_no_violations(void)
{
    struct event e;
    struct pt pt;
    uint32_t n;

    pt_open_bound(&pt, 0);
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_LOG);
    sysfs_flr(pci_name(&pt));
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations of a reset");
    for (n = 0; read_event(&pt, n, &e); n++) {
        CHECK(e.kind != PT_LOG_VIOLATION, "violation at entry %u", n);
    }
    CHECK((pt_rd32(pt.func, PT_STATE) & PT_STATE_PRI) &&
          pt_rd32(pt.func, PT_PRI_CREDITS) == pt_rd32(pt.func, PT_PRI_ALLOC),
          "page requests do not work after the reset");
}

/*
 * FLR-11: before the reset the IOMMU core takes function and PASID off their
 * domains, so all invalidations come before it, and are answered although Bus
 * Master Enable is 0 by then (ATS-20)
 */
static void test_reset_order(void)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 4 * PT_PAGE, .pattern = PATTERN,
    };
    unsigned requests = 0, of_pasid = 0, completions = 0;
    bool reset = false;
    struct pt_chan ch;
    struct event e;
    struct pt pt;
    uint32_t n;

    pt_need_kernel(7, 0, "blocking of a function for its reset");
    pt_keep_bindings(true);
    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);
    pt_wr32(pt.func, PT_CTRL, PT_CTRL_CLEAR_LOG);
    sysfs_flr(pci_name(&pt));
    pt_keep_bindings(false);

    for (n = 0; read_event(&pt, n, &e); n++) {
        if (e.kind == PT_LOG_RESET && e.code == PT_RESET_FLR) {
            reset = true;
            CHECK(of_pasid, "no invalidation of the PASID before the reset");
            CHECK_EQ(completions, requests, "invalidations answered");
        } else if (e.kind == PT_LOG_INV_REQUEST) {
            CHECK(!reset, "invalidation at entry %u, after the reset", n);
            requests++;
            of_pasid += e.pasid == (pt.pasid | PT_LOG_PASID_PRESENT);
        } else if (e.kind == PT_LOG_INV_COMPLETION) {
            completions++;
        }
    }
    CHECK(reset, "no reset in the log");
    ktap_note("%u invalidations before the reset, %u of the PASID", requests,
              of_pasid);
}

static const struct ktap_test tests[] = {
    { "LNX-01-iommu", test_iommu, 0 },
    { "LNX-02-function", test_function, 0 },
    { "LNX-03-acs", test_acs, 0 },
    { "LNX-03-atsr", test_atsr, 0 },
    { "LNX-04-allocation", test_allocation, 0 },
    { "LNX-06-wide-pasids", test_wide_pasids, 240 },
    { "ATS-07-PRI-35-no-violations", test_no_violations, 0 },
    { "FLR-11-reset-order", test_reset_order, 0 },
};

KTAP_MAIN(tests)
