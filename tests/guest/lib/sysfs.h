/*
 * The function as sysfs shows it: reset, unbind, remove, BAR0
 *
 * All take the name of the function (pri_testdev_info.pci_name) and fail the
 * test when sysfs refuses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_SYSFS_H
#define TESTS_GUEST_SYSFS_H

#include <stddef.h>
#include <stdint.h>

#include "pt.h"

void sysfs_write(const char *path, const char *text);

/*
 * Methods by which the kernel would reset the function, in the order in which
 * it would try them, as words of the file reset_method
 */
void sysfs_reset_methods(const char *pci_name, char *list, size_t size);
void sysfs_reset_method(const char *pci_name, const char *method);

/*
 * Open the first function that the kernel would reset by this method; its
 * index, -1 if there is none
 */
int sysfs_open_resettable(struct pt *pt, struct pri_testdev_info *info,
                          const char *method);

/* Reset by that method alone; returns when the kernel is through with it */
void sysfs_reset(const char *pci_name, const char *method);
void sysfs_flr(const char *pci_name);

void sysfs_unbind(const char *pci_name);    /* driver from function */
void sysfs_bind(const char *pci_name);
void sysfs_remove(const char *pci_name);    /* function from the bus */
void sysfs_rescan(void);

/* Wait until it is in this power state: D0, D3hot */
void sysfs_wait_power(const char *pci_name, const char *state);

/* BAR0 as a whole; *len is its size */
pt_reg *sysfs_bar0(const char *pci_name, size_t *len);

/*
 * A register of the IOMMU by its name in VT-d 11.4 ("PQA"), as the kernel reads
 * it; the test is skipped without CONFIG_INTEL_IOMMU_DEBUGFS
 */
uint64_t sysfs_iommu_reg(const char *name);

/* Index of the function's node /dev/pri_testdev<index> now, -1: it has none */
int sysfs_node(const char *pci_name);

/* Wait until the function has a node /dev/pri_testdev<index>; its index */
unsigned sysfs_wait_node(const char *pci_name);

#endif
