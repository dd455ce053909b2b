/*
 * Virtual Functions: each has SVA of its own, with page faults that go through
 * the Page Request Interface of the Physical Function
 *
 * @device vfs=3
 * @iommu ite-timeout-ms=100
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "port.h"
#include "sysfs.h"

#define DEVICES     "/sys/bus/pci/devices/"
#define PATTERN     0x1122334455667788ull
#define VFS         2

struct pf {
    struct pt pt;
    char name[32];
};

static void set_vfs(struct pf *pf, unsigned n)
{
    char path[PATH_MAX], text[8];

    snprintf(path, sizeof(path), DEVICES "%s/sriov_numvfs", pf->name);
    snprintf(text, sizeof(text), "%u", n);
    sysfs_write(path, text);
}

static void open_pf(struct pf *pf)
{
    struct pri_testdev_info info;

    pt_open(&pf->pt, 0);
    pt_info(&pf->pt, &info);
    snprintf(pf->name, sizeof(pf->name), "%s", info.pci_name);
}

/* The node of Virtual Function n; the driver binds in the background */
static unsigned vf_node(struct pf *pf, unsigned n, char *name)
{
    char path[PATH_MAX], real[PATH_MAX];
    double until = pt_now() + 10;

    snprintf(path, sizeof(path), DEVICES "%s/virtfn%u", pf->name, n);
    while (!realpath(path, real)) {
        CHECK(pt_now() < until, "%s: %s", path, strerror(errno));
        pt_sleep_ms(10);
    }
    snprintf(name, 32, "%.31s", strrchr(real, '/') + 1);
    return sysfs_wait_node(name);
}

static void check_dma(struct pt_chan *ch, unsigned pages)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = pages * PT_PAGE, .pattern = PATTERN,
        .group = 4,
    };
    struct pt_result res;

    op.dst = pt_map_anon(op.len);
    pt_expect(ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.requests, pages, "page requests");
    pt_check_stamp(op.dst, op.len, PATTERN);
}

/* Faults of PF and VFs at once; responses find the one that has asked */
static void test_fault(void)
{
    struct pt vf[VFS];
    struct pt_chan ch[VFS], own;
    char name[32];
    struct pf pf;
    unsigned i, round;

    open_pf(&pf);
    pt_bind(&pf.pt);
    pt_chan(&pf.pt, &own);
    set_vfs(&pf, VFS);
    for (i = 0; i < VFS; i++) {
        pt_open_bound(&vf[i], vf_node(&pf, i, name));
        CHECK(strcmp(name, pf.name), "the VF has the name of its PF");
        pt_chan(&vf[i], &ch[i]);
    }
    for (round = 0; round < 4; round++) {
        check_dma(&own, 16);
        for (i = 0; i < VFS; i++) {
            check_dma(&ch[i], 16 << i);
        }
    }
    CHECK_EQ(pt_counter(&pf.pt, PT_CNT_VIOLATIONS), 0, "violations");
    CHECK_EQ(pt_counter(&pf.pt, PT_CNT_RESP_UNEXPECTED), 0,
             "unexpected responses");
    for (i = 0; i < VFS; i++) {
        pt_unbind(&vf[i]);
        pt_close(&vf[i]);
    }
    set_vfs(&pf, 0);
    check_dma(&own, 16);
}

/* All at once: one Page Request Interface for many */
static void test_parallel(void)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 128 * PT_PAGE, .pattern = PATTERN,
        .group = 8,
    };
    struct pt fn[VFS + 1];
    struct pt_chan ch[VFS + 1];
    void *p[VFS + 1];
    char name[32];
    struct pf pf;
    unsigned i;

    open_pf(&pf);
    set_vfs(&pf, VFS);
    fn[VFS] = pf.pt;
    for (i = 0; i < VFS; i++) {
        pt_open(&fn[i], vf_node(&pf, i, name));
    }
    for (i = 0; i <= VFS; i++) {
        pt_bind(&fn[i]);
        pt_chan(&fn[i], &ch[i]);
        op.dst = p[i] = pt_map_anon(op.len);
        pt_start(&ch[i], &op);
    }
    for (i = 0; i <= VFS; i++) {
        CHECK_EQ(pt_wait(&ch[i], &op, PT_TIMEOUT), PT_ST_DONE, "status");
        pt_check_stamp(p[i], op.len, PATTERN);
    }
    for (i = 0; i <= VFS; i++) {
        pt_unbind(&fn[i]);
        pt_close(&fn[i]);
    }
    open_pf(&pf);
    set_vfs(&pf, 0);
}

/* A Function Level Reset of one VF leaves the others alone */
static void test_vf_flr(void)
{
    struct pt_chan ch[VFS], load[2] = {};
    struct pri_testdev_info info;
    struct pt vf[VFS];
    char name[VFS][32];
    struct pf pf;
    unsigned i, round;

    open_pf(&pf);
    set_vfs(&pf, VFS);
    for (i = 0; i < VFS; i++) {
        pt_open_bound(&vf[i], vf_node(&pf, i, name[i]));
        pt_chan(&vf[i], &ch[i]);
    }
    for (round = 0; round < 3; round++) {
        pt_load(&vf[0], load, 2);
        sysfs_flr(name[0]);
        pt_info(&vf[0], &info);
        CHECK_EQ(info.resets, round + 1, "resets that the driver saw");
        CHECK_EQ(info.bound, 0, "binding after the reset");
        pt_info(&vf[1], &info);
        CHECK_EQ(info.resets, 0, "resets of the other");
        CHECK_EQ(info.bound, 1, "binding of the other");
        check_dma(&ch[1], 16);
        vf[0].bound = false;
        pt_bind(&vf[0]);
        check_dma(&ch[0], 16);
    }
    for (i = 0; i < VFS; i++) {
        pt_close(&vf[i]);
    }
    set_vfs(&pf, 0);
}

/* VFs go while they are at work */
static void test_disable(void)
{
    struct pt_chan ch[VFS];
    struct pt vf;
    char name[32];
    struct pf pf;
    unsigned round;

    open_pf(&pf);
    for (round = 0; round < 3; round++) {
        set_vfs(&pf, VFS);
        memset(ch, 0, sizeof(ch));
        pt_open_bound(&vf, vf_node(&pf, 1, name));
        pt_load(&vf, ch, VFS);
        set_vfs(&pf, 0);
        pt_close(&vf);
        CHECK_EQ(pt_rd32(pf.pt.func, PT_PRI_GROUPS), 0, "open groups");
    }
    port_check_works(0);
}

static const struct ktap_test tests[] = {
    { "fault", test_fault, 0 },
    { "parallel", test_parallel, 0 },
    { "vf-flr", test_vf_flr, 0 },
    { "disable", test_disable, 0 },
};

KTAP_MAIN(tests)
