/*
 * Hot unplug with SVA at work: by the attention button, by slot power, and by
 * surprise.  Afterwards the card comes back, and works.
 *
 * @iommu ite-timeout-ms=100
 * @qemu -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port.h"
#include "sysfs.h"

#define CHANNELS    4
#define BUTTON_MS   60000       /* pciehp waits 5 s for a second thought */
#define GONE_MS     60000
#define BACK_MS     60000

/* What a file of a function that has left is good for */
static void check_hung_up(struct pt *pt)
{
    struct pollfd pfd = { .fd = pt->fd, .events = POLLIN };
    struct pri_testdev_info info;

    CHECK(poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP),
          "poll says 0x%x, without POLLHUP", pfd.revents);
    CHECK(ioctl(pt->fd, PRI_TESTDEV_IOC_INFO, &info) && errno == ENODEV,
          "INFO: %s", strerror(errno));
}

static void open_loaded(struct port *port, struct pt *pt, struct pt_chan *ch)
{
    memset(ch, 0, CHANNELS * sizeof(*ch));
    pt_open_bound(pt, port_node(port));
    pt_load(pt, ch, CHANNELS);
    CHECK_EQ(pt_rd32(ch[0].regs, PT_CH_STATUS), PT_ST_RUNNING, "status");
}

static void test_button(void)
{
    struct pt_chan ch[CHANNELS];
    struct port port;
    struct pt pt;

    port_open(&port, 0);
    open_loaded(&port, &pt, ch);
    port_knob(&port, PRP_KNOB_BUTTON, 1);
    port_wait_gone(&port, BUTTON_MS);
    check_hung_up(&pt);
    pt_close(&pt);
    port_knob(&port, PRP_KNOB_BUTTON, 1);
    port_check_works(port_wait_back(&port, BUTTON_MS));
}

static void test_power(void)
{
    struct pt_chan ch[CHANNELS];
    struct port port;
    struct pt pt;
    unsigned round;

    port_open(&port, 0);
    for (round = 0; round < 2; round++) {
        open_loaded(&port, &pt, ch);
        port_power(&port, false);
        port_wait_gone(&port, GONE_MS);
        check_hung_up(&pt);
        pt_close(&pt);
        port_power(&port, true);
        port_check_works(port_wait_back(&port, BACK_MS));
    }
}

/* The cable is out; the hot-plug driver notices that the link went down */
static void test_surprise(void)
{
    struct pt_chan ch[CHANNELS];
    struct port port;
    struct pt pt;
    unsigned round;

    pt_need("ite-retry");
    port_open(&port, 0);
    for (round = 0; round < 3; round++) {
        open_loaded(&port, &pt, ch);
        port_knob(&port, PRP_KNOB_CABLE, 1);
        port_wait_gone(&port, GONE_MS);
        check_hung_up(&pt);
        pt_close(&pt);
        port_knob(&port, PRP_KNOB_CABLE, 0);
        port_power(&port, true);
        port_check_works(port_wait_back(&port, BACK_MS));
    }
}

/*
 * The process changes its memory while the card is on its way out.  It ends
 * when the card has gone: with faults in flight, its end is a race of its own
 * that Linux loses (docs/findings/dpc-free-group.md, O-H).
 */
static void test_surprise_munmap(void)
{
    struct port port;
    unsigned round;

    pt_need("ite-retry");
    port_open(&port, 0);
    for (round = 0; round < 3; round++) {
        pid_t child = fork();

        CHECK(child >= 0, "fork: %s", strerror(errno));
        if (!child) {
            struct pt_chan ch[CHANNELS];
            struct pt pt;
            void *p = pt_map_anon(8 * PT_PAGE);

            open_loaded(&port, &pt, ch);
            memset(p, 1, 8 * PT_PAGE);
            port_knob(&port, PRP_KNOB_CABLE, 1);
            munmap(p, 8 * PT_PAGE);
            port_wait_gone(&port, GONE_MS);
            _exit(KTAP_PASS);
        }
        pt_reap(child, KTAP_PASS);
        port_knob(&port, PRP_KNOB_CABLE, 0);
        port_power(&port, true);
        port_check_works(port_wait_back(&port, BACK_MS));
    }
}

/* Out and in again before anybody has looked: not the same card, any more */
static void test_flap(void)
{
    struct pt_chan ch[CHANNELS];
    struct pollfd pfd;
    struct port port;
    struct pt pt;

    pt_need("ite-retry");
    port_open(&port, 0);
    open_loaded(&port, &pt, ch);
    port_knob(&port, PRP_KNOB_LINK, 1);
    port_knob(&port, PRP_KNOB_LINK, 0);
    pfd = (struct pollfd) { .fd = pt.fd };
    CHECK(poll(&pfd, 1, GONE_MS) == 1 && (pfd.revents & POLLHUP),
          "the function stays, poll says 0x%x", pfd.revents);
    check_hung_up(&pt);
    pt_close(&pt);
    pt_sleep_ms(100);
    port_check_works(port_wait_back(&port, BACK_MS));
}

/* The other card does not notice */
static void test_neighbour(void)
{
    struct pt_chan ch[CHANNELS];
    struct pt_chan other;
    struct port port, next;
    struct pt pt, neighbour;
    char path[64];
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 64 * PT_PAGE, .pattern = 0x77,
    };

    pt_need("ite-retry");
    port_open(&port, 0);
    port_open(&next, 1);
    pt_open_bound(&neighbour, port_node(&next));
    pt_chan(&neighbour, &other);
    open_loaded(&port, &pt, ch);
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", port.below);
    port_knob(&port, PRP_KNOB_CABLE, 1);
    do {
        op.dst = pt_map_anon(op.len);
        pt_expect(&other, &op, PT_ST_DONE, NULL);
        pt_check_stamp(op.dst, op.len, op.pattern);
        munmap(op.dst, op.len);
    } while (!access(path, F_OK));
    port_wait_gone(&port, GONE_MS);
    pt_close(&pt);
    CHECK_EQ(pt_counter(&neighbour, PT_CNT_VIOLATIONS), 0, "violations");
    pt_unbind(&neighbour);
    pt_close(&neighbour);
    port_knob(&port, PRP_KNOB_CABLE, 0);
    port_power(&port, true);
    port_check_works(port_wait_back(&port, BACK_MS));
}

static const struct ktap_test tests[] = {
    { "power", test_power, 180 },
    { "surprise", test_surprise, 180 },
    { "surprise-munmap", test_surprise_munmap, 180 },
    { "flap", test_flap, 180 },
    { "neighbour", test_neighbour, 180 },
    { "button", test_button, 180 },
};

KTAP_MAIN(tests)
