/*
 * Title: a process that two functions are bound to ends while they unbind
 * What: a process whose address space is bound to two functions exits; two
 *   other tasks, which share its files, have one function each ask for pages
 *   and unbind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

static struct pt pt[2];
static uint32_t *pasid;                 /* shared with the process */

static void setup(void)
{
    scene_map(2);
    pasid = pt_map_shared(PT_PAGE);
    for (unsigned i = 0; i < 2; i++) {
        pt_open(&pt[i], i);
    }
}

static void bind(void)
{
    scene_map(2);
    for (unsigned i = 0; i < 2; i++) {
        pt_inherit(&pt[i]);
        pt_bind(&pt[i]);
        *pasid = pt[i].pasid;
    }
}

/* The binding is of the file, whichever process has it */
static void unbind(unsigned i)
{
    scene_ask(&pt[i], SCENE_BASE, *pasid, 2);
    pt[i].bound = true;
    pt[i].pasid = *pasid;
    scene_unbind(&pt[i]);
    pt_close(&pt[i]);
}

static void first(void)
{
    unbind(0);
}

static void second(void)
{
    unbind(1);
}

SCENE(.name = "exit-two", .setup = setup, .flags = SCENE_TWO, .tasks = {
    SCENE_PROCESS("exit", bind, scene_check_pages),
    SCENE_THREAD("unbind-1", first),
    SCENE_THREAD("unbind-2", second),
})
