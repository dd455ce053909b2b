/*
 * Title: a process ends while groups in its name are on their way
 * What: a process whose address space is bound exits, another one that shares
 *   the file closes it, and the device asks for its pages all the while.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "scene.h"

#define GROUPS  4

static struct pt shared, own;
static volatile uint32_t *pasid;    /* volatile: another process writes it */

static void setup(void)
{
    pasid = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(pasid != MAP_FAILED, "mmap: %s", strerror(errno));
    pt_open(&own, 0);
    pt_open(&shared, 0);            /* inherited by the process */
}

static void bind_it(void)
{
    scene_map(GROUPS);
    CHECK(scene_bind(&shared), "bind: %s", strerror(errno));
    *pasid = shared.pasid;
}

static void end(void)
{
    scene_check_pages();
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, *pasid, GROUPS);
}

static void close_it(void)
{
    pt_close(&shared);
}

SCENE(.name = "exit-groups", .setup = setup, .tasks = {
    SCENE_PROCESS("exit", bind_it, end),
    SCENE_THREAD("ask", ask),
    SCENE_THREAD("close", close_it),
})
