/*
 * QEMU's tail queues by the C library's, for the engines that have them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef QEMU_QUEUE_H
#define QEMU_QUEUE_H

#include <sys/queue.h>

#define QTAILQ_HEAD(name, type)         TAILQ_HEAD(name, type)
#define QTAILQ_ENTRY(type)              TAILQ_ENTRY(type)
#define QTAILQ_INIT(head)               TAILQ_INIT(head)
#define QTAILQ_EMPTY(head)              TAILQ_EMPTY(head)
#define QTAILQ_FIRST(head)              TAILQ_FIRST(head)
#define QTAILQ_FOREACH(var, head, field) TAILQ_FOREACH(var, head, field)
#define QTAILQ_INSERT_TAIL(head, elm, field) \
    TAILQ_INSERT_TAIL(head, elm, field)
#define QTAILQ_INSERT_BEFORE(listelm, elm, field) \
    TAILQ_INSERT_BEFORE(listelm, elm, field)
#define QTAILQ_REMOVE(head, elm, field) TAILQ_REMOVE(head, elm, field)

/* An entry is laid out like a head */
#define QTAILQ_LAST(head) \
    (*((__typeof__(head))(head)->tqh_last)->tqh_last)

#define QTAILQ_FOREACH_SAFE(var, head, field, next_var) \
    for ((var) = TAILQ_FIRST(head); \
         (var) && ((next_var) = TAILQ_NEXT(var, field), 1); \
         (var) = (next_var))

#endif /* QEMU_QUEUE_H */
