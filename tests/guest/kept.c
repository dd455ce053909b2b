/*
 * What the kernel keeps of a function, as debugfs shows it: what a leak is
 * compared with in scenarios
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <string.h>

#include "kept.h"
#include "pt.h"
#include "pt-domain.h"
#include "sysfs.h"

#define FUNCTIONS   64
#define WAIT_MS     5000
#define ABOVE       0x300000000000ull   /* nothing is there */

static int removed;

/* The line of function 0 */
static struct kept kept_of(const struct pri_testdev_info *info)
{
    static struct kept all[FUNCTIONS];
    unsigned n = kept_read(all, FUNCTIONS, &removed);

    while (n--) {
        if (!strcmp(all[n].name, info->pci_name)) {
            return all[n];
        }
    }
    FAIL("no line of %s", info->pci_name);
}

static void open_and_look(struct pt *pt, struct pri_testdev_info *info)
{
    pt_open(pt, 0);
    pt_info(pt, info);
    if (kept_of(info).users == KEPT_UNKNOWN) {
        ktap_skip("this kernel keeps it elsewhere (before 6.9)");
    }
}

/* Wait for the value of a member */
#define WAIT_FOR(info, member, value) do { \
        unsigned ms = 0; \
        while (kept_of(info).member != (value) && ms++ < WAIT_MS) { \
            pt_sleep_ms(1); \
        } \
        CHECK_EQ(kept_of(info).member, (value), #member); \
    } while (0)

/* Two files of one address space have one handle */
static void test_handles(void)
{
    struct pri_testdev_info info;
    struct pt pt, other;

    open_and_look(&pt, &info);
    if (kept_of(&info).handles == KEPT_UNKNOWN) {
        ktap_skip("this kernel does not tell attach handles (before 6.13)");
    }
    pt_open(&other, 0);
    CHECK_EQ(kept_of(&info).handles, 0, "handles at first");
    CHECK_EQ(kept_of(&info).attached, 0, "attached at first");
    pt_bind(&pt);
    pt_bind(&other);
    CHECK_EQ(kept_of(&info).handles, 1, "handles");
    CHECK_EQ(kept_of(&info).attached, 1, "attached");
    pt_unbind(&pt);
    CHECK_EQ(kept_of(&info).handles, 1, "handles of the other file");
    pt_unbind(&other);
    CHECK_EQ(kept_of(&info).handles, 0, "handles at the end");
    CHECK_EQ(kept_of(&info).attached, 0, "attached at the end");
}

/* A group that a program holds has a reference to the fault data */
static void test_held(void)
{
    struct pri_testdev_info info;
    struct pri_testdev_group group;
    struct pt pt;

    open_and_look(&pt, &info);
    pt_domain_attach(&pt, PRI_TESTDEV_DOMAIN_PASID);
    CHECK_EQ(kept_of(&info).users, 1, "users before it");
    pt_raw_send_groups(&pt, ABOVE, 1);
    pt_domain_wait(&pt, &group, 1);
    CHECK_EQ(kept_of(&info).held, 1, "held");
    CHECK_EQ(kept_of(&info).users, 2, "users with it");
    pt_domain_respond(&pt, group.id, PRI_TESTDEV_RESP_INVALID);
    CHECK_EQ(kept_of(&info).held, 0, "held when it is answered");
    WAIT_FOR(&info, users, 1);
    CHECK_EQ(kept_of(&info).groups, 0, "groups when it is answered");
}

/* A request that is not the last of its group waits for that */
static void test_partial(void)
{
    struct pri_testdev_info info;
    struct pt pt;
    void *page;

    open_and_look(&pt, &info);
    page = pt_map_anon(PT_PAGE);
    pt_bind(&pt);
    pt_send(&pt, page, PT_RAW_WRITE, 7);
    WAIT_FOR(&info, partial, 1);
    pt_send(&pt, page, PT_RAW_WRITE | PT_RAW_LAST, 7);
    pt_expect_resp(&pt, 7, PRI_TESTDEV_RESP_SUCCESS);
    CHECK_EQ(kept_of(&info).partial, 0, "partial");
    WAIT_FOR(&info, users, 1);
    CHECK_EQ(kept_of(&info).groups, 0, "groups");
}

static void test_removed(void)
{
    struct pri_testdev_info info;
    struct pt pt;
    int refs;

    open_and_look(&pt, &info);
    refs = kept_of(&info).refs;
    CHECK(refs > 0, "%d references", refs);
    CHECK_EQ(removed, 0, "removed at first");
    pt_close(&pt);
    sysfs_remove(info.pci_name);
    sysfs_rescan();
    sysfs_wait_node(info.pci_name);
    pt_open(&pt, 0);
    CHECK_EQ(kept_of(&info).refs, refs, "references");
    CHECK_EQ(removed, 0, "removed and not released");
}

static const struct ktap_test tests[] = {
    { "handles", test_handles, 0 },
    { "held", test_held, 0 },
    { "partial", test_partial, 0 },
    { "removed", test_removed, 0 },
};

KTAP_MAIN(tests)
