/*
 * Parts of scenarios in which user space has function 0: vfio-pci and iommufd
 *
 * As in scene.h, what cannot be done ends the test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_SCENE_IOFD_H
#define TESTS_GUEST_SCENE_IOFD_H

#include "iofd.h"
#include "scene.h"

#define SCENE_PASID         5u
#define SCENE_OTHER_PASID   6u

extern struct iofd scene_io;
extern struct iofd_pt scene_pt;     /* with a fault queue */

/*
 * Set-up: function 0 opened, and the page table attached to a PASID or to
 * IOFD_NO_PASID, in whose name scene_ask_iofd() asks for n groups
 */
void scene_begin_iofd(uint32_t pasid, unsigned n);

/* Tasks: ask for all groups; detach, and look whether it has drained */
void scene_ask_iofd(void);
void scene_detach_iofd(void);

/* For `after`: a group in the fault queue is nobody's.  A sign */
void scene_check_late(void);

#endif
