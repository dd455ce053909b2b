/*
 * Snapshots, migration and unplug in the tests of the page-request path
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_LAB_STATE_H
#define PRI_LAB_LIBQOS_LAB_STATE_H

#include "libqos/pri-lab.h"

/**
 * lab_wait_migrated: wait until a migration has ended; fails the test if it
 * fails
 */
void lab_wait_migrated(QTestState *qts);

/**
 * lab_create_disk: make @file a disk image that has room for snapshots, and the
 * block node "disk"
 */
void lab_create_disk(QTestState *qts, const char *file);

/**
 * lab_run_job: save or load the snapshot "here" on "disk"
 *
 * @name: "snapshot-save" or "snapshot-load"
 * @id: a name for the job
 */
void lab_run_job(QTestState *qts, const char *name, const char *id);

/* How often a test of "the same run every time" loads its snapshot */
#define LAB_RUNS                100

/**
 * lab_read_log: the event log of the first pri-testdev; free it with g_free()
 */
char *lab_read_log(PriLab *lab);

/**
 * lab_expect_same_log: is the log that of the first run?  The first call sets
 * *@first, which is freed with g_free().
 */
void lab_expect_same_log(PriLab *lab, char **first);

/**
 * lab_save: stop @lab and write its state to @uri
 */
void lab_save(PriLab *lab, const char *uri);

/**
 * lab_load: load the state at @uri into another QEMU, which then replaces the
 * one of @lab
 *
 * @vtd, @dev: options as for pri_lab_boot()
 * @now: virtual time in ns at the destination
 */
void lab_load(PriLab *lab, const char *vtd, const char *dev, int64_t now,
              const char *uri);

/**
 * lab_migrate: move @lab to another QEMU: lab_save() and lab_load()
 */
void lab_migrate(PriLab *lab, const char *vtd, const char *dev, int64_t now);

/**
 * lab_unplug: remove the first pri-testdev as a guest does when somebody asks
 * for it: power and indicator of the slot off
 *
 * The machine needs LAB_NATIVE_HOTPLUG behind the options of intel-iommu.
 */
#define LAB_NATIVE_HOTPLUG \
    " -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"
void lab_unplug(PriLab *lab);

#endif /* PRI_LAB_LIBQOS_LAB_STATE_H */
