/*
 * Guest errors are counted instead of printed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef QEMU_LOG_H
#define QEMU_LOG_H

#define LOG_GUEST_ERROR     1

extern unsigned int shim_guest_errors;

static inline void G_GNUC_PRINTF(2, 3)
qemu_log_mask(int mask, const char *fmt, ...)
{
    shim_guest_errors += mask;
}

#endif /* QEMU_LOG_H */
