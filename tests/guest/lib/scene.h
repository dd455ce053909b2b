/*
 * Scenarios of `./pri-lab explore`: plain work of a few tasks, without an order
 *
 * A scenario says what its tasks do and nothing of when.  The host stops the
 * machine at scene's two marks, before the tasks begin and after all has been
 * looked at, and lets them run between the two in one order after another.
 * docs/manual/explore.md says how to write one.
 *
 * As in pt.h, what cannot be done ends the test; what must not happen is a
 * sign (race_sign() of race.h), whatever order it happens in.  The checks that
 * hold for every scenario are made here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_SCENE_H
#define TESTS_GUEST_SCENE_H

#include "pt.h"
#include "race.h"

#define SCENE_TASKS     3       /* at most; each on a CPU of its own */
#define SCENE_BASE      0x200000000000ull   /* address of scene_map() */
#define SCENE_IOVA      0x10000000ull       /* of paging domains */

/*
 * Of a scenario that looks for invalidations that time out: longer than a plan
 * holds a message (10 million instructions, 80 ms), behind which an Invalidate
 * Request has to wait
 */
#define SCENE_ITE_MS    100

/*
 * A task: task i runs on CPU i + 1, CPU 0 has the interrupts and
 * their threads.  `name` is the task's name in the kernel, 15 characters.
 */
struct scene_task {
    const char *name;
    void (*run)(void);
    void (*prepare)(void);      /* a process: first this, before the mark */
    bool process;               /* not a thread: it ends when run returns */
};

struct scene {
    const char *name;
    void (*setup)(void);        /* runs on CPU 0, as `after` does */
    struct scene_task tasks[SCENE_TASKS];
    void (*after)(void);        /* all tasks have ended; may be NULL */
    unsigned flags;             /* SCENE_* */
    unsigned seconds;           /* of the guest's time it may take, 0: 2 */
};

#define SCENE_LOSES     (1u << 0)   /* a reset or a removal may lose groups */
#define SCENE_IOMMUFD   (1u << 1)   /* function 0 belongs to vfio-pci */
#define SCENE_REFUSED   (1u << 2)   /* breaches of protocol are asked for */
#define SCENE_TWO       (1u << 3)   /* both functions are asked for pages */
#define SCENE_GONE      (1u << 4)   /* function 0 does not come back */
#define SCENE_OTHERS    (1u << 5)   /* groups of others, who do not unbind */

#define SCENE_THREAD(text, does)    { .name = (text), .run = (does) }
#define SCENE_PROCESS(text, first, does) \
    { .name = (text), .prepare = (first), .run = (does), .process = true }

/* main() of a scenario; SCENE(.name = ..., .setup = ..., ...) is one */
int scene_main(const struct scene *scene, int argc, char **argv);

#define SCENE(...) \
    int main(int argc, char **argv) \
    { \
        static const struct scene scene = { __VA_ARGS__ }; \
        return scene_main(&scene, argc, argv); \
    }

/*
 * Memory nobody has touched, at SCENE_BASE in whatever process calls: n pages
 * that may be asked for, with a page after each that nobody may get.  A process
 * loses those that it had or inherited; scene_page() is the i-th one.
 */
void scene_map(unsigned n);
uint8_t *scene_page(unsigned i);

/* Does a page after one of those have memory?  A sign, if so */
void scene_check_pages(void);

/*
 * A page request in the name of a PASID, flags of PT_RAW_*; counted if it wants
 * an answer.  One task at a time for each function.  scene_ask() asks for n
 * pages of scene_map() or from SCENE_IOVA on, a group each.
 */
void scene_send(struct pt *pt, uint64_t addr, uint32_t pasid, uint32_t flags,
                unsigned prgi);
void scene_ask(struct pt *pt, uint64_t addr, uint32_t pasid, unsigned n);
#define SCENE_NO_PASID  UINT32_MAX

/*
 * Bind, unbind; false: refused, as it may be while a function is reset or
 * removed.  What was asked for before scene_unbind() begins is answered when
 * it returns, or that is a sign.
 */
bool scene_bind(struct pt *pt);
bool scene_unbind(struct pt *pt);

/*
 * The same for a detach: scene_asked() before it, how many groups that is, and
 * scene_check_drained() when it has returned, with the function's registers
 */
unsigned scene_asked(void);
void scene_check_drained(struct pt *pt, unsigned asked);

/*
 * A file of function 0 or 1, whatever number its node has now; false: it has
 * none, or is on its way
 */
bool scene_open(struct pt *pt, unsigned index);

/* With SCENE_IOMMUFD: the registers whose counters are looked at; NULL: none */
void scene_look(struct pt *pt);

/*
 * The device writes a page of scene_map() in the name of pt's PASID and the
 * data is looked at; any other end than PT_ST_DONE is returned.
 */
uint32_t scene_write(struct pt_chan *ch, unsigned page);

/*
 * The device writes len bytes from addr on, with or without success: returns
 * PT_ST_*, and nobody looks at the data.
 */
uint32_t scene_fill(struct pt_chan *ch, uint64_t addr, size_t len);

/* -- Parts that many scenarios have (scene-parts.c) ------------------------ */

/*
 * Function 0 by two files: one that is bound, one whose task asks for pages,
 * and what the driver says about it.
 */
extern struct pt scene_bound, scene_asks;
extern struct pri_testdev_info scene_info;

/*
 * Set-ups: n pages of scene_map(), a group each, and this process bound; the
 * same, and the IOMMU core keeps the binding in a reset; nothing is bound yet,
 * and a process that has inherited scene_bound does so in scene_bind_process();
 * that and kept.  The file keeps that process's PASID: the scenario closes it,
 * too.
 */
void scene_begin(unsigned n);
void scene_begin_kept(unsigned n);
void scene_begin_process(unsigned n);
void scene_begin_process_kept(unsigned n);
void scene_bind_process(void);

/* The PASID of the set-up, whichever process has it */
uint32_t scene_pasid(void);

/* Tasks: ask for all groups; unbind; close; unbind and bind again; FLR */
void scene_ask_groups(void);
void scene_unbind_bound(void);
void scene_close_bound(void);
void scene_rebind(void);
void scene_flr(void);

/*
 * Part of a task: other work for the CPU that has the interrupts and their
 * threads, with a real-time priority. A vCPU that a plan stops is let in when
 * all others wait; a thread that such work keeps off is not.
 */
void scene_busy(double seconds);

/* For `after`: the driver has function 0 again */
void scene_wait_node(void);

/* For `after`: did the IOMMU wait for a completion that did not come? A sign */
void scene_check_timeouts(void);

#endif
