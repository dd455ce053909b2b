/*
 * Title: memory is forked, unmapped and moved while the device writes it
 * What: one task has the device write pages, one gives pages back and has huge
 *   ones made, one forks a process that writes its copies.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

#define PAGES   6

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE   25      /* Linux 6.1 */
#endif

static struct pt pt;
static struct pt_chan ch;
static uint8_t *huge;

static void setup(void)
{
    scene_map(PAGES);
    huge = pt_map_anon(2 * PT_HUGE);
    huge = (uint8_t *)(((uintptr_t)huge + PT_HUGE - 1) & -PT_HUGE);
    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
}

/* The data is looked at in pages 0 to 2, which nobody gives back */
static void use(void)
{
    struct pt_op op = {
        .cmd = PT_OP_FILL, .dst = huge, .len = 2 * PT_PAGE, .pattern = 7,
        .no_irq = true,
    };

    for (unsigned i = 0; i < 3; i++) {
        uint32_t status = scene_write(&ch, i);

        if (status != PT_ST_DONE) {
            race_sign("dma-failed", "page %u: %s", i, pt_status_name(status));
        }
    }
    pt_run(&ch, &op, NULL);
}

static void change(void)
{
    for (unsigned i = 3; i < PAGES; i++) {
        *scene_page(i) = 1;
        madvise(scene_page(i), PT_PAGE, MADV_DONTNEED);
    }
    *huge = 1;
    madvise(huge, PT_HUGE, MADV_HUGEPAGE);
    madvise(huge, PT_HUGE, MADV_COLLAPSE);
    munmap(huge + PT_PAGE, PT_PAGE);
}

static void fork_it(void)
{
    pid_t pid = fork();

    if (!pid) {
        for (unsigned i = 0; i < PAGES; i++) {
            *scene_page(i) = 2;
        }
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

SCENE(.name = "mm-changes", .setup = setup, .tasks = {
    SCENE_THREAD("use", use),
    SCENE_THREAD("change", change),
    SCENE_THREAD("fork", fork_it),
})
