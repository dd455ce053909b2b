/*
 * Title: a process executes another program while its groups are on their way
 * What: exec gives up the address space and the file that is bound to it while
 *   the device asks for pages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene.h"

#define GROUPS  4

static struct pt pt, own;
static volatile uint32_t *pasid;    /* volatile: another process writes it */

static void setup(void)
{
    pasid = mmap(NULL, PT_PAGE, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(pasid != MAP_FAILED, "mmap: %s", strerror(errno));
    pt_open(&own, 0);
}

static void bind_it(void)
{
    scene_map(GROUPS);
    pt_open_bound(&pt, 0);
    *pasid = pt.pasid;
}

static void execute(void)
{
    execl("/bin/busybox", "true", (char *)NULL);
    FAIL("exec: %s", strerror(errno));
}

static void ask(void)
{
    scene_ask(&own, SCENE_BASE, *pasid, GROUPS);
}

SCENE(.name = "exec-groups", .setup = setup, .tasks = {
    SCENE_PROCESS("exec", bind_it, execute),
    SCENE_THREAD("ask", ask),
})
