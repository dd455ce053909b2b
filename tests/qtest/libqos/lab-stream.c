/*
 * Fields of a migration stream, by the names that QEMU describes it with
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "libqtest.h"
#include "libqos/lab-stream.h"

/* QEMU_VM_EOF and QEMU_VM_VMDESCRIPTION, then the length of the description */
#define DESCRIPTION     "\0\6"
#define DESCRIPTION_AT  6
/* Behind the name of a section: its instance and its version */
#define SECTION_HEAD    8
/* Around the name of a subsection: its kind, the length, the version */
#define SUBSECTION_HEAD 6

void lab_stream_read(LabStream *s, const char *file)
{
    const uint8_t *at;

    g_assert_true(g_file_get_contents(file, (char **)&s->data, &s->len, NULL));
    /* the last such bytes: numbers of the description have none of them */
    for (at = s->data + s->len - DESCRIPTION_AT;
         memcmp(at, DESCRIPTION, 2) || ldl_be_p(at + 2) + DESCRIPTION_AT >
         s->data + s->len - at; at--) {
        g_assert_true(at > s->data);
    }
    g_autofree char *json = g_strndup((const char *)at + DESCRIPTION_AT,
                                      ldl_be_p(at + 2));

    s->description = qobject_to(QDict, qobject_from_json(json, &error_abort));
}

void lab_stream_free(LabStream *s)
{
    qobject_unref(s->description);
    g_free(s->data);
}

static size_t count(const QDict *field)
{
    return qdict_get_try_int(field, "array_len", 1);
}

/* Bytes of a description's fields, or of its subsections, too */
static size_t size_of(const QDict *desc, bool all)
{
    const QListEntry *e;
    QList *subsections = qdict_get_qlist(desc, "subsections");
    size_t size = 0;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(desc, "fields"), e) {
        QDict *field = qobject_to(QDict, qlist_entry_obj(e));

        size += count(field) * qdict_get_int(field, "size");
    }
    if (!all || !subsections) {
        return size;
    }
    QLIST_FOREACH_ENTRY(subsections, e) {
        QDict *sub = qobject_to(QDict, qlist_entry_obj(e));

        size += SUBSECTION_HEAD + strlen(qdict_get_str(sub, "vmsd_name")) +
                size_of(sub, true);
    }
    return size;
}

static ssize_t find(const QDict *desc, const char *path, size_t *size);

/* In the subsection that @path begins with the name of */
static ssize_t find_subsection(const QDict *desc, const char *path,
                               size_t *size)
{
    const char *rest = strchr(path, '/');
    g_autofree char *name = g_strndup(path, rest - path);
    size_t at = size_of(desc, false);
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(desc, "subsections"), e) {
        QDict *sub = qobject_to(QDict, qlist_entry_obj(e));
        const char *full = qdict_get_str(sub, "vmsd_name");

        at += SUBSECTION_HEAD + strlen(full);
        if (g_str_has_suffix(full, name)) {
            ssize_t in = find(sub, rest + 1, size);

            return in < 0 ? in : at + in;
        }
        at += size_of(sub, true);
    }
    return -1;
}

/* Offset of a field in what is described; negative if there is none */
static ssize_t find(const QDict *desc, const char *path, size_t *size)
{
    size_t len = strcspn(path, "[/"), at = 0;
    size_t n = path[len] != '[' ? 0 :
               g_ascii_strtoull(path + len + 1, NULL, 10);
    const char *rest = strchr(path, '/');
    const QListEntry *e;

    if (*path == ':') {
        return find_subsection(desc, path + 1, size);
    }
    QLIST_FOREACH_ENTRY(qdict_get_qlist(desc, "fields"), e) {
        QDict *field = qobject_to(QDict, qlist_entry_obj(e));
        const char *name = qdict_get_str(field, "name");
        size_t bytes = qdict_get_int(field, "size");
        size_t first = qdict_get_try_int(field, "index", 0);

        if (strlen(name) == len && !memcmp(name, path, len) && n >= first &&
            n < first + count(field)) {
            ssize_t in = 0;

            at += (n - first) * bytes;
            if (rest) {
                in = find(qdict_get_qdict(field, "struct"), rest + 1, size);
            } else {
                *size = *size ?: bytes;
                g_assert_cmpuint(*size, ==, bytes);
            }
            return in < 0 ? in : at + in;
        }
        at += count(field) * bytes;
    }
    return -1;
}

uint8_t *lab_stream_field(LabStream *s, const char *section, const char *path,
                          size_t *size)
{
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(s->description, "devices"), e) {
        QDict *device = qobject_to(QDict, qlist_entry_obj(e));
        const char *name = qdict_get_str(device, "name");
        ssize_t in;

        if (g_strcmp0(qdict_get_try_str(device, "vmsd_name"), section)) {
            continue;
        }
        in = find(device, path, size);
        if (in >= 0) {
            uint8_t *at = memmem(s->data, s->len, name, strlen(name));

            return at + strlen(name) + SECTION_HEAD + in;
        }
    }
    g_test_message("%s has no %s", section, path);
    g_test_fail();
    return NULL;
}

void lab_stream_set(LabStream *s, const char *section, const char *path,
                    size_t size, uint64_t value)
{
    uint8_t *at = lab_stream_field(s, section, path, &size);

    if (at) {
        stn_be_p(at, size, value);
    }
}

uint64_t lab_stream_get(LabStream *s, const char *section, const char *path,
                        size_t size)
{
    uint8_t *at = lab_stream_field(s, section, path, &size);

    return at ? ldn_be_p(at, size) : UINT64_MAX;
}

void lab_stream_repeat(LabStream *s, const char *section, const char *path,
                       unsigned int n)
{
    size_t size = 0;
    const uint8_t *at = lab_stream_field(s, section, path, &size);
    uint8_t *data;
    size_t front;

    if (!at) {
        return;
    }
    front = at + size - s->data;
    data = g_malloc(s->len + n * size);
    memcpy(data, s->data, front);
    for (unsigned int i = 0; i < n; i++) {
        memcpy(data + front + i * size, at, size);
    }
    memcpy(data + front + n * size, s->data + front, s->len - front);
    g_free(s->data);
    s->data = data;
    s->len += n * size;
}
