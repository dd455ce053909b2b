/*
 * Title: groups of a fault queue are read and answered while it is detached
 * What: the device asks for pages in the name of a PASID of iommufd, one task
 *   reads the groups and answers them, one detaches the PASID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <poll.h>
#include <unistd.h>

#include "iofd.h"
#include "scene.h"

#define PASID   5u
#define GROUPS  4
#define WAIT_MS 2

static struct iofd io;
static struct iofd_pt pt;

static void setup(void)
{
    iofd_open(&io);
    scene_look(&io.pt);
    iofd_pt_alloc(&io, &pt, true);
    iofd_attach(&io, pt.hwpt, PASID);
}

static void ask(void)
{
    scene_ask(&io.pt, SCENE_IOVA, PASID, GROUPS);
}

/* False: there is none, or what was read is not to be answered any more */
static bool answer_some(void)
{
    struct pollfd pfd = { .fd = pt.fault_fd, .events = POLLIN };
    struct iofd_pgfault fault[GROUPS];
    ssize_t n;

    if (poll(&pfd, 1, WAIT_MS) != 1) {
        return false;
    }
    n = read(pt.fault_fd, fault, sizeof(fault));
    for (ssize_t i = 0; i < n / (ssize_t)sizeof(fault[0]); i++) {
        struct iofd_response resp = {
            .cookie = fault[i].cookie, .code = IOFD_RESP_SUCCESS,
        };

        if (write(pt.fault_fd, &resp, sizeof(resp)) < 0) {
            return false;           /* detached: the kernel has answered */
        }
    }
    return n > 0;
}

static void answer(void)
{
    unsigned turns = 0;

    while (turns < GROUPS && answer_some()) {
        turns++;
    }
}

static void detach(void)
{
    iofd_detach(&io, PASID);
}

SCENE(.name = "iommufd-read", .setup = setup, .flags = SCENE_IOMMUFD,
      .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("answer", answer),
    SCENE_THREAD("detach", detach),
})
