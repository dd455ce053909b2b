/*
 * Fields of a migration stream, by the names that QEMU describes it with
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_LAB_STREAM_H
#define PRI_LAB_LIBQOS_LAB_STREAM_H

#include "libqos/pri-lab.h"
#include "qobject/qdict.h"

/* What "migrate" wrote to a file; QEMU's docs/devel/migration/main.rst */
typedef struct LabStream {
    uint8_t *data;
    gsize len;
    QDict *description;         /* the JSON text at its end */
} LabStream;

/**
 * lab_stream_read: read @file; lab_stream_free() frees what is in @s
 */
void lab_stream_read(LabStream *s, const char *file);
void lab_stream_free(LabStream *s);

/**
 * lab_stream_field: where a field is, and that it has *@size bytes; if that is
 * 0, how many it has
 *
 * @section: name of the device's state, such as "pri-testdev"
 * @path: names of fields with / between them; [N] behind the name of an array
 *        and :NAME for the subsection whose name ends with /NAME, such as
 *        "fn/pri/groups[3]/prgi" or ":svm/svm.prq/irq_n"
 *
 * Fails the test and returns NULL if there is none.
 */
uint8_t *lab_stream_field(LabStream *s, const char *section, const char *path,
                          size_t *size);

/**
 * lab_stream_set, lab_stream_get: the same as a number of @size bytes
 */
void lab_stream_set(LabStream *s, const char *section, const char *path,
                    size_t size, uint64_t value);
uint64_t lab_stream_get(LabStream *s, const char *section, const char *path,
                        size_t size);

/**
 * lab_stream_repeat: the element of an array that @path names is there @n times
 * more
 *
 * What is behind it cannot be named any more.
 */
void lab_stream_repeat(LabStream *s, const char *section, const char *path,
                       unsigned int n);

#endif /* PRI_LAB_LIBQOS_LAB_STREAM_H */
