/*
 * A paging domain: the program sees each page request group and answers it
 *
 * As in pt.h, everything ends the test when it cannot do its work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_PT_DOMAIN_H
#define TESTS_GUEST_PT_DOMAIN_H

#include "pt.h"

/*
 * Attach an empty one for a new PASID (PRI_TESTDEV_DOMAIN_PASID; from then on
 * operations carry it) or for what has no PASID (PRI_TESTDEV_DOMAIN_RID); skip
 * the test if the kernel cannot.  Take it off again; flags: 0 or
 * PRI_TESTDEV_DETACH_KEEP.
 */
void pt_domain_attach(struct pt *pt, uint32_t how);
void pt_domain_detach(struct pt *pt, uint32_t flags);

/*
 * Wait until n groups are held and fetch them, oldest first; more than n, or
 * fewer for a long time, fails the test.
 */
void pt_domain_wait(struct pt *pt, struct pri_testdev_group *groups,
                    unsigned n);

/* How many groups are held now; those that fit are stored */
unsigned pt_domain_groups(struct pt *pt, struct pri_testdev_group *groups,
                       unsigned max);

/* The requests of a group, which has exactly n of them */
void pt_domain_requests(struct pt *pt, uint64_t id,
                     struct pri_testdev_request *requests, unsigned n);

/* Answer one group, or all and return how many they were */
void pt_domain_respond(struct pt *pt, uint64_t id, uint32_t code);
unsigned pt_domain_respond_all(struct pt *pt, uint32_t code);

/* Hold n groups to come, answer the others with that code */
void pt_domain_hold(struct pt *pt, uint32_t n, uint32_t code);

/* Map memory of this process, readable and writable; take it back */
void pt_domain_map(struct pt *pt, uint64_t iova, void *addr, size_t len);
void pt_domain_unmap(struct pt *pt, uint64_t iova, size_t len);

#endif
