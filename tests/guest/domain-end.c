/*
 * A paging domain whose end comes while groups are held: detach, the
 * process ends, the driver goes, the function is reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pt-domain.h"
#include "sysfs.h"

#define PATTERN     0x1122334455667788ull
#define IOVA        0x500000000ull
#define HELD        4u

/* HELD channels that wait for a page each; their groups are held */
static void hold_some(struct pt *pt, uint32_t how, struct pt_chan *ch,
                      struct pri_testdev_group *grp)
{
    unsigned i;

    pt_domain_attach(pt, how);
    for (i = 0; i < HELD; i++) {
        struct pt_op op = {
            .cmd = PT_OP_FILL, .dst = (void *)(IOVA + i * PT_PAGE),
            .len = PT_PAGE, .pattern = PATTERN, .no_irq = true,
        };

        if (!ch[i].regs) {
            pt_chan(pt, &ch[i]);
        }
        pt_start(&ch[i], &op);
    }
    pt_domain_wait(pt, grp, HELD);
}

/* Nothing is left over, and all of it works again */
static void check_works(struct pt *pt, struct pt_chan *ch, uint32_t how)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = ~PATTERN,
    };
    struct pri_testdev_group grp;
    struct pri_testdev_info info;
    void *p = pt_map_anon(PT_PAGE);

    CHECK_EQ(pt_domain_groups(pt, &grp, 1), 0, "groups held");
    CHECK_EQ(pt_rd32(pt->func, PT_PRI_GROUPS), 0, "open groups");
    CHECK_EQ(pt_counter(pt, PT_CNT_VIOLATIONS), 0, "violations");
    pt_domain_attach(pt, how);
    pt_start(ch, &op);
    pt_domain_wait(pt, &grp, 1);
    pt_domain_map(pt, IOVA, p, PT_PAGE);
    pt_domain_respond(pt, grp.id, PRI_TESTDEV_RESP_SUCCESS);
    CHECK_EQ(pt_wait(ch, &op, PT_TIMEOUT), PT_ST_DONE, "status");
    pt_check_fill(p, PT_PAGE, ~PATTERN);
    pt_domain_detach(pt, 0);
    pt_info(pt, &info);
    CHECK_EQ(info.late, 0, "groups that came after a detach");
}

static void detach_held(uint32_t how)
{
    struct pri_testdev_group grp[HELD];
    struct pt_chan ch[HELD] = {};
    uint64_t invalid;
    struct pt pt;

    pt_open(&pt, 0);
    hold_some(&pt, how, ch, grp);
    invalid = pt_counter(&pt, PT_CNT_RESP_INVALID);
    pt_domain_detach(&pt, 0);
    CHECK_EQ(pt_counter(&pt, PT_CNT_RESP_INVALID), invalid + HELD,
             "responses Invalid Request");
    check_works(&pt, &ch[0], how);
}

static void test_detach(void)
{
    detach_held(PRI_TESTDEV_DOMAIN_PASID);
}

static void test_detach_rid(void)
{
    detach_held(PRI_TESTDEV_DOMAIN_RID);
}

/* The groups outlast the page table; they can be answered when it is gone */
static void keep(uint32_t how)
{
    struct pri_testdev_group grp[HELD];
    struct pri_testdev_request req;
    struct pri_testdev_info info;
    struct pt_chan ch[HELD] = {};
    uint64_t success, invalid;
    struct pt pt;
    unsigned i;

    pt_open(&pt, 0);
    hold_some(&pt, how, ch, grp);
    success = pt_counter(&pt, PT_CNT_RESP_SUCCESS);
    invalid = pt_counter(&pt, PT_CNT_RESP_INVALID);
    pt_domain_detach(&pt, PRI_TESTDEV_DETACH_KEEP);
    pt_info(&pt, &info);
    CHECK_EQ(info.domain, 0, "page table in INFO");
    CHECK_EQ(info.held, HELD, "groups held");
    CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), HELD, "open groups");
    CHECK_EQ(pt_counter(&pt, PT_CNT_RESP_INVALID), invalid,
             "responses Invalid Request");
    for (i = 0; i < HELD; i++) {
        pt_domain_requests(&pt, grp[i].id, &req, 1);
        pt_domain_respond(&pt, grp[i].id, i & 1 ? PRI_TESTDEV_RESP_SUCCESS :
                                       PRI_TESTDEV_RESP_INVALID);
        CHECK_EQ(pt_rd32(pt.func, PT_PRI_GROUPS), HELD - 1 - i,
                 "open groups");
    }
    CHECK_EQ(pt_counter(&pt, PT_CNT_RESP_SUCCESS), success + HELD / 2,
             "responses Success");
    CHECK_EQ(pt_counter(&pt, PT_CNT_RESP_INVALID), invalid + HELD / 2,
             "responses Invalid Request");
    check_works(&pt, &ch[0], how);
}

static void test_keep(void)
{
    keep(PRI_TESTDEV_DOMAIN_PASID);
}

static void test_keep_rid(void)
{
    keep(PRI_TESTDEV_DOMAIN_RID);
}

/* A process that holds groups, and may have given up its domain before */
static void hold_and_end(const void *kept)
{
    struct pri_testdev_group grp[HELD];
    struct pt_chan ch[HELD] = {};
    struct pt pt;

    pt_open(&pt, 0);
    hold_some(&pt, PRI_TESTDEV_DOMAIN_PASID, ch, grp);
    if (*(const bool *)kept) {
        pt_domain_detach(&pt, PRI_TESTDEV_DETACH_KEEP);
    }
}

static void process_ends(bool by_signal, bool kept)
{
    struct pt_chan ch;
    uint64_t invalid;
    struct pt pt;

    pt_open(&pt, 0);
    invalid = pt_counter(&pt, PT_CNT_RESP_INVALID);
    ktap_process(hold_and_end, &kept, by_signal);
    CHECK_EQ(pt_counter(&pt, PT_CNT_RESP_INVALID), invalid + HELD,
             "responses Invalid Request");
    pt_chan(&pt, &ch);
    check_works(&pt, &ch, PRI_TESTDEV_DOMAIN_PASID);
}

static void test_exit(void)
{
    process_ends(false, false);
}

static void test_exit_kept(void)
{
    process_ends(false, true);
}

static void test_kill(void)
{
    process_ends(true, false);
}

/* The driver is taken off the function, or the function off the bus */
static void goes_away(void (*leave)(const char *), void (*back)(const char *),
                      bool kept)
{
    struct pri_testdev_respond resp = { .code = PRI_TESTDEV_RESP_SUCCESS };
    struct pri_testdev_group grp[HELD];
    struct pri_testdev_groups groups = {};
    struct pri_testdev_info info;
    struct pt_chan ch[HELD] = {};
    struct pt pt;
    unsigned i;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    hold_some(&pt, PRI_TESTDEV_DOMAIN_PASID, ch, grp);
    pt_domain_map(&pt, IOVA + 64 * PT_PAGE, pt_map_anon(PT_PAGE), PT_PAGE);
    if (kept) {
        pt_domain_detach(&pt, PRI_TESTDEV_DETACH_KEEP);
    }
    leave(info.pci_name);
    resp.id = grp[0].id;
    CHECK(ioctl(pt.fd, PRI_TESTDEV_IOC_RESPOND, &resp) == -1 &&
          errno == ENODEV, "respond: %s", strerror(errno));
    CHECK(ioctl(pt.fd, PRI_TESTDEV_IOC_GET_GROUPS, &groups) == -1 &&
          errno == ENODEV, "groups: %s", strerror(errno));

    for (i = 0; i < HELD; i++) {
        munmap((void *)ch[i].regs, PT_PAGE);
    }
    pt_close(&pt);

    back(info.pci_name);
    CHECK_EQ(sysfs_wait_node(info.pci_name), 0, "number of the node");
    pt_open(&pt, 0);
    pt_chan(&pt, &ch[0]);
    check_works(&pt, &ch[0], PRI_TESTDEV_DOMAIN_PASID);
}

static void rescan(const char *pci_name)
{
    (void)pci_name;
    sysfs_rescan();
}

static void test_unbind(void)
{
    goes_away(sysfs_unbind, sysfs_bind, false);
}

static void test_unbind_kept(void)
{
    goes_away(sysfs_unbind, sysfs_bind, true);
}

static void test_remove(void)
{
    goes_away(sysfs_remove, rescan, false);
}

/* A reset answers what is held and takes the page table away */
static void test_reset(void)
{
    struct pri_testdev_group grp[HELD];
    struct pri_testdev_info info;
    struct pt_chan ch[HELD] = {};
    struct pt pt;

    pt_open(&pt, 0);
    pt_info(&pt, &info);
    hold_some(&pt, PRI_TESTDEV_DOMAIN_PASID, ch, grp);
    sysfs_flr(info.pci_name);
    pt_info(&pt, &info);
    CHECK_EQ(info.domain, 0, "page table in INFO");
    pt.bound = false;
    CHECK_EQ(pt_counter(&pt, PT_CNT_RESP_UNEXPECTED), 0,
             "responses to no group");
    check_works(&pt, &ch[0], PRI_TESTDEV_DOMAIN_PASID);
}

/*
 * The core takes the page table off before the reset and puts it back, and the
 * file keeps holding: the responses come to a function that has forgotten
 */
static void test_reset_kept(void)
{
    struct pri_testdev_group grp[HELD];
    struct pri_testdev_info info;
    struct pt_chan ch[HELD] = {};
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = (void *)IOVA, .len = PT_PAGE,
        .pattern = PATTERN,
    };
    uint64_t groups;
    unsigned held;
    struct pt pt;
    void *p = pt_map_anon(PT_PAGE);

    pt_keep_bindings(true);
    pt_open(&pt, 0);
    hold_some(&pt, PRI_TESTDEV_DOMAIN_PASID, ch, grp);
    pt_info(&pt, &info);
    groups = info.groups;
    sysfs_flr(info.pci_name);
    pt_keep_bindings(false);
    pt_info(&pt, &info);
    CHECK_EQ(info.domain, PRI_TESTDEV_DOMAIN_PASID, "page table in INFO");
    CHECK_EQ(info.pasid, pt.pasid, "PASID");
    held = pt_domain_respond_all(&pt, PRI_TESTDEV_RESP_SUCCESS);
    if (held) {
        CHECK_EQ(held, HELD, "groups answered");
        CHECK_EQ(pt_counter(&pt, PT_CNT_RESP_UNEXPECTED), HELD,
                 "responses to no group");
    } else {
        ktap_note("this kernel frees what is held: the driver answered before");
    }
    CHECK_EQ(info.groups, groups, "groups seen");

    pt_domain_map(&pt, IOVA, p, PT_PAGE);
    pt_start(&ch[0], &op);
    CHECK_EQ(pt_wait(&ch[0], &op, PT_TIMEOUT), PT_ST_DONE, "status");
    pt_check_fill(p, PT_PAGE, PATTERN);
    pt_domain_detach(&pt, 0);
    check_works(&pt, &ch[0], PRI_TESTDEV_DOMAIN_PASID);
}

/*
 * Attach, hold, detach: many times, with requests coming in all the while;
 * every `rid`th time without PASID
 */
static void again(unsigned rid)
{
    struct pri_testdev_group grp[HELD];
    struct pt_chan ch[HELD] = {};
    struct pt pt;
    unsigned i;

    pt_open(&pt, 0);
    for (i = 0; i < 100; i++) {
        hold_some(&pt, rid && i % rid == 0 ? PRI_TESTDEV_DOMAIN_RID :
                                              PRI_TESTDEV_DOMAIN_PASID,
                  ch, grp);
        pt_domain_respond(&pt, grp[i % HELD].id, PRI_TESTDEV_RESP_INVALID);
        pt_domain_detach(&pt, 0);
    }
    check_works(&pt, &ch[0], PRI_TESTDEV_DOMAIN_PASID);
}

static void test_again(void)
{
    again(0);
}

static void test_again_rid(void)
{
    again(3);
}

static const struct ktap_test tests[] = {
    { "detach", test_detach, 0 },
    { "detach-rid", test_detach_rid, 0 },
    { "keep", test_keep, 0 },
    { "keep-rid", test_keep_rid, 0 },
    { "exit", test_exit, 0 },
    { "exit-kept", test_exit_kept, 0 },
    { "kill", test_kill, 0 },
    { "unbind", test_unbind, 0 },
    { "unbind-kept", test_unbind_kept, 0 },
    { "remove", test_remove, 0 },
    { "reset", test_reset, 0 },
    { "reset-kept", test_reset_kept, 0 },
    { "again", test_again, 0 },
    { "again-rid", test_again_rid, 0 },
};

KTAP_MAIN(tests)
