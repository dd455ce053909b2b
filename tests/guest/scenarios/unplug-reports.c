/*
 * Title: a card is pulled by its slot while its requests are reported
 * What: one task asks for pages, one switches the power of the slot off and
 *   on, one unmaps memory that the device has used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sys/mman.h>

#include "gone.h"
#include "port.h"
#include "scene.h"

#define GROUPS  4
#define BACK_MS 4000

static struct pt pt, own;
static struct port port;

static void setup(void)
{
    struct pt_chan ch;

    gone_is_fine();
    scene_map(GROUPS);
    port_open(&port, 0);
    pt_open(&own, port_node(&port));
    pt_open_bound(&pt, port_node(&port));
    pt_chan(&pt, &ch);
    CHECK_EQ(scene_write(&ch, 0), PT_ST_DONE, "status");
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, pt.pasid, GROUPS);
}

static void pull(void)
{
    port_power(&port, false);
    port_power(&port, true);
}

static void unmap(void)
{
    madvise(scene_page(0), PT_PAGE, MADV_DONTNEED);
    scene_unbind(&pt);
}

static void after(void)
{
    port_wait_back(&port, BACK_MS);
}

SCENE(.name = "unplug-reports", .setup = setup, .seconds = 8, .after = after,
      .flags = SCENE_LOSES, .tasks = {
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("pull", pull),
    SCENE_THREAD("unmap", unmap),
})
