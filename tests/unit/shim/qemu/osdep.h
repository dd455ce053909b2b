/*
 * Enough of QEMU's qemu/osdep.h to build the engines by themselves
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef QEMU_OSDEP_H
#define QEMU_OSDEP_H

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>

#define ARRAY_SIZE(x) G_N_ELEMENTS(x)

#endif /* QEMU_OSDEP_H */
