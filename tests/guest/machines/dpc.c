/*
 * Downstream Port Containment with SVA at work: Linux recovers the function
 * through the error handlers of its driver, and it works again
 *
 * The slot has no hot-plug: pciehp and the DPC driver know of each other only
 * if _OSC gives Linux control of DPC, which QEMU's does not.
 *
 * @iommu ite-timeout-ms=100
 * @port hotplug=off
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port.h"
#include "sysfs.h"
#include "hw/misc/pri-testdev-knobs.h"

#define CHANNELS        4
#define RECOVER_MS      60000
#define PATTERN         0x1122334455667788ull

#define DPC_CTL         6
#define DPC_CTL_FATAL   (1 << 0)
#define DPC_CTL_INT     (1 << 3)
#define DPC_CTL_SW      (1 << 6)
#define DPC_STATUS      8
#define DPC_TRIGGERED   (1 << 0)

#define NONFATAL        2       /* values of the knob aer-error */
#define FATAL           3

static void open_port(struct port *port)
{
    uint16_t want = DPC_CTL_FATAL | DPC_CTL_INT;

    port_open(port, 0);
    CHECK(port->dpc, "%s has no DPC", port->name);
    CHECK((port_rd16(port, port->dpc + DPC_CTL) & want) == want,
          "Linux has not enabled DPC: control is 0x%x",
          port_rd16(port, port->dpc + DPC_CTL));
}

static void soft_trigger(struct port *port)
{
    uint16_t ctl = port_rd16(port, port->dpc + DPC_CTL);

    port_wr16(port, port->dpc + DPC_CTL, ctl | DPC_CTL_SW);
}

static unsigned resets(struct pt *pt)
{
    struct pri_testdev_info info;

    pt_info(pt, &info);
    return info.resets;
}

/* Until the driver has its function back: what it had before is lost */
static void wait_recovered(struct pt *pt, struct port *port, bool bound)
{
    struct pollfd pfd = { .fd = pt->fd, .events = POLLPRI };
    struct pri_testdev_info info;

    CHECK(poll(&pfd, 1, RECOVER_MS) == 1 && pfd.revents == POLLPRI,
          "no recovery, poll says 0x%x, DPC status is 0x%x", pfd.revents,
          port_rd16(port, port->dpc + DPC_STATUS));
    CHECK_EQ(port_rd16(port, port->dpc + DPC_STATUS) & DPC_TRIGGERED, 0,
             "DPC Trigger Status");
    pt_info(pt, &info);
    CHECK_EQ(info.bound, bound, "binding after the recovery");
    pt->bound = bound;
    CHECK_EQ(pt_rd32(pt->func, PT_PRI_GROUPS), 0, "open groups");
}

static void check_works(struct pt *pt, struct pt_chan *ch)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 16 * PT_PAGE, .pattern = PATTERN,
    };
    struct pt_result res;

    if (!pt->bound) {
        pt_bind(pt);
    }
    op.dst = pt_map_anon(op.len);
    pt_expect(ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.requests, 16, "page requests");
    pt_check_stamp(op.dst, op.len, PATTERN);
    CHECK_EQ(pt_counter(pt, PT_CNT_VIOLATIONS), 0, "violations");
}

static void test_fatal(void)
{
    struct pt_chan ch[CHANNELS] = {};
    struct port port;
    struct pt pt;
    unsigned round;

    pt_need("ite-retry");
    open_port(&port);
    pt_open_bound(&pt, 0);
    for (round = 0; round < 3; round++) {
        unsigned before = resets(&pt);

        pt_load(&pt, ch, CHANNELS);
        pt_knob_blind(&pt, PT_KNOB_AER_ERROR, FATAL);
        wait_recovered(&pt, &port, false);
        CHECK_EQ(resets(&pt), before + 1, "recoveries");
        check_works(&pt, &ch[round]);
    }
}

static void test_software(void)
{
    struct pt_chan ch[CHANNELS] = {};
    struct port port;
    struct pt pt;

    pt_need("ite-retry");
    open_port(&port);
    pt_open_bound(&pt, 0);
    pt_load(&pt, ch, CHANNELS);
    soft_trigger(&port);
    wait_recovered(&pt, &port, false);
    check_works(&pt, &ch[0]);
}

/* Nothing to contain: the channels continue while Linux looks at the error */
static void test_nonfatal(void)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 256 * PT_PAGE, .pattern = PATTERN,
    };
    struct port port;
    struct pt_chan ch;
    struct pt pt;
    unsigned before;

    open_port(&port);
    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    before = resets(&pt);
    op.dst = pt_map_anon(op.len);
    pt_start(&ch, &op);
    pt_knob(&pt, PT_KNOB_AER_ERROR, NONFATAL);
    CHECK_EQ(pt_wait(&ch, &op, PT_TIMEOUT), PT_ST_DONE, "status");
    pt_check_stamp(op.dst, op.len, PATTERN);
    CHECK_EQ(resets(&pt), before, "recoveries");
    CHECK_EQ(port_rd16(&port, port.dpc + DPC_STATUS) & DPC_TRIGGERED, 0,
             "DPC Trigger Status");
    check_works(&pt, &ch);
}

/* The containment takes the binding of every process away */
static void test_two_processes(void)
{
    int ready[2], go[2];
    struct pt_chan ch[CHANNELS] = {};
    struct port port;
    char byte = 0;
    pid_t child;
    struct pt pt;

    pt_need("ite-retry");
    open_port(&port);
    CHECK(!pipe(ready) && !pipe(go), "pipe: %s", strerror(errno));
    child = fork();
    CHECK(child >= 0, "fork: %s", strerror(errno));
    if (!child) {
        pt_open_bound(&pt, 0);
        pt_load(&pt, ch, 2);
        CHECK(write(ready[1], &byte, 1) == 1 && read(go[0], &byte, 1) == 1,
              "pipe: %s", strerror(errno));
        wait_recovered(&pt, &port, false);
        check_works(&pt, &ch[0]);
        _exit(KTAP_PASS);
    }
    pt_open_bound(&pt, 0);
    CHECK(read(ready[0], &byte, 1) == 1, "the child is gone");
    pt_load(&pt, ch, 2);
    soft_trigger(&port);
    wait_recovered(&pt, &port, false);
    CHECK(write(go[1], &byte, 1) == 1, "pipe: %s", strerror(errno));
    pt_reap(child, KTAP_PASS);
    check_works(&pt, &ch[1]);
}

static const struct ktap_test tests[] = {
    { "fatal", test_fatal, 180 },
    { "software", test_software, 180 },
    { "non-fatal", test_nonfatal, 180 },
    { "two-processes", test_two_processes, 180 },
};

KTAP_MAIN(tests)
