/*
 * A test for each row of a table
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-rows.h"

void lab_add_rows(const char *prefix, const void *rows, unsigned int n,
                  size_t size, void (*func)(const void *row))
{
    for (unsigned int i = 0; i < n; i++) {
        const void *row = (const char *)rows + i * size;
        g_autofree char *path = g_strdup_printf("%s/%s", prefix,
                                                *(const char *const *)row);

        qtest_add_data_func(path, row, func);
    }
}
