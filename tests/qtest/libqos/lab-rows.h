/*
 * A test for each row of a table
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_LAB_ROWS_H
#define PRI_LAB_LIBQOS_LAB_ROWS_H

/**
 * LAB_ADD_ROWS: add a test for each row of @rows, whose first field is the name
 * behind @prefix
 *
 * @func: is given the row
 */
#define LAB_ADD_ROWS(prefix, rows, func) \
    lab_add_rows(prefix, rows, ARRAY_SIZE(rows), sizeof((rows)[0]), func)
void lab_add_rows(const char *prefix, const void *rows, unsigned int n,
                  size_t size, void (*func)(const void *row));

#endif /* PRI_LAB_LIBQOS_LAB_ROWS_H */
