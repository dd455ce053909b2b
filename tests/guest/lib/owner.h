/*
 * Processes that own a PASID each, and do what they are told
 *
 * Each is a process of its own with memory that nobody has touched, at the same
 * address in all of them: what was asked for in the name of one and done to
 * another shows.  As in pt.h, everything ends the test when it cannot do its
 * work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_OWNER_H
#define TESTS_GUEST_OWNER_H

#include "pt.h"

#define OWNER_BASE      0x100000000000ull
#define OWNER_PAGES     64      /* the upper half is for OWNER_WRITE */
#define OWNER_PATTERN   0x5a4b3c2d1e0f9687ull

struct owner {
    pid_t pid;
    int to, from;               /* pipes */
    uint32_t pasid;
};

/* What an owner can be told, and its reply */
enum owner_cmd {
    OWNER_BIND,                 /* its PASID */
    OWNER_UNBIND,               /* 0 */
    OWNER_PRESENT,              /* pages 0 to 31 that are there, a bit each */
    OWNER_WRITE,                /* PT_ST_*, and the data was looked at */
    OWNER_START,                /* 0; as OWNER_WRITE, without waiting */
    OWNER_RESULT,               /* PT_ST_* of that */
    OWNER_UNMAP,                /* see below */
    OWNER_FREE,                 /* 0: all of its memory is as never touched */
    OWNER_END,
};

/*
 * OWNER_UNMAP maps, touches and unmaps memory until the next command comes, and
 * replies then how many times; the reply to that command comes after it.
 */

/* A new one, bound to function n of the driver */
void owner_start(struct owner *o, unsigned index);

/*
 * The same, and it gets this PASID, whose owner has ended: the next one that is
 * free is given out first.
 */
void owner_start_as(struct owner *o, unsigned index, uint32_t pasid);

/*
 * Tell; wait for the reply so many ms, false: none yet; both.  Without a limit
 * a process that does not come back hangs, which the limit of the program says.
 */
#define OWNER_NO_LIMIT  UINT32_MAX
void owner_tell(struct owner *o, enum owner_cmd cmd);
bool owner_done(struct owner *o, unsigned ms, uint32_t *reply);
uint32_t owner_do(struct owner *o, enum owner_cmd cmd);

/* OWNER_RESULT; false: no end within so many ms, nothing more can be told it */
bool owner_result(struct owner *o, unsigned ms, uint32_t *status);

/*
 * OWNER_FREE, and DMA to memory that has never been touched: done, and right
 * (or the test fails), or not within ten seconds: the sign `unseen`.  `pt` is
 * any file of the function.
 */
void owner_need_answer(struct owner *o, struct pt *pt);

/*
 * The same as OWNER_START; returns how many groups are outstanding when the
 * first one is.  `pt` is any file of the function.
 */
unsigned owner_start_asking(struct pt *pt, struct owner *o);

/* The same as OWNER_UNMAP; returns when the function is asked to invalidate */
void owner_start_unmap(struct pt *pt, struct owner *o);

/* It exits, and its address space and its PASID are free when this returns */
void owner_end(struct owner *o);

/* The same for one that was killed and waited for */
void owner_freed(void);

/* A page request in its name, by any file of the function */
void owner_send(struct pt *pt, const struct owner *o, unsigned page,
                uint32_t flags, unsigned prgi);

#endif
