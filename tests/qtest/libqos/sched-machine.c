/*
 * A machine of two CPUs that runs sched-guest.S
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "lab-state.h"
#include "sched-guest.h"
#include "sched-machine.h"
#include "qapi/error.h"
#include "qobject/qjson.h"
#include <glib/gstdio.h>

#define FIRMWARE_SIZE   0x10000
#define RESET_VECTOR    0xfff0

static char *make_file(const void *data, size_t len)
{
    char *name;
    int fd = g_file_open_tmp("pri-sched-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(name, data, len, NULL));
    return name;
}

/* jmp 0:START, at the reset vector */
static char *make_firmware(void)
{
    static const uint8_t jump[] = {
        0xea, GUEST_START & 0xff, GUEST_START >> 8, 0, 0,
    };
    g_autofree uint8_t *image = g_malloc0(FIRMWARE_SIZE);

    memcpy(image + RESET_VECTOR, jump, sizeof(jump));
    return make_file(image, FIRMWARE_SIZE);
}

void sched_machine_start(SchedMachine *m, const char *options)
{
    memset(m, 0, sizeof(*m));
    m->disk = make_file(NULL, 0);
    m->firmware = make_firmware();
    m->guest = make_file(guest_code, sizeof(guest_code));
    m->qts = qtest_initf("-machine q35 -accel tcg -cpu max -smp 2 -m 16M -S "
                         "-nodefaults -bios %s -device loader,file=%s,"
                         "addr=0x%x,force-raw=on %s", m->firmware, m->guest,
                         GUEST_AT, options);
    lab_create_disk(m->qts, m->disk);
}

static void remove_file(char *name)
{
    g_unlink(name);
    g_free(name);
}

void sched_machine_end(SchedMachine *m)
{
    qtest_quit(m->qts);
    remove_file(m->disk);
    remove_file(m->firmware);
    remove_file(m->guest);
}

void sched_machine_set(SchedMachine *m, const char *property,
                       const char *value)
{
    qtest_qmp_assert_success(m->qts, "{ 'execute': 'qom-set', 'arguments': {"
        " 'path': '/sched', 'property': %s, 'value': %s } }", property, value);
}

char *sched_machine_refused(SchedMachine *m, const char *property,
                            const char *value)
{
    QDict *r = qtest_qmp(m->qts, "{ 'execute': 'qom-set', 'arguments': {"
        " 'path': '/sched', 'property': %s, 'value': %s } }", property, value);
    char *why = NULL;

    if (qdict_haskey(r, "error")) {
        why = g_strdup(qdict_get_str(qdict_get_qdict(r, "error"), "desc"));
    }
    qobject_unref(r);
    return why;
}

QDict *sched_machine_report(SchedMachine *m)
{
    QDict *r = qtest_qmp(m->qts, "{ 'execute': 'qom-get', 'arguments': {"
                         " 'path': '/sched', 'property': 'report' } }");
    QDict *d = qobject_to(QDict, qobject_from_json(qdict_get_str(r, "return"),
                                                   &error_abort));

    qobject_unref(r);
    return d;
}

bool sched_machine_running(SchedMachine *m)
{
    QDict *r = qtest_qmp(m->qts, "{ 'execute': 'query-status' }");
    bool yes = qdict_get_bool(qdict_get_qdict(r, "return"), "running");

    qobject_unref(r);
    return yes;
}

void sched_machine_cont(SchedMachine *m)
{
    qtest_qmp_assert_success(m->qts, "{ 'execute': 'cont' }");
}

/* However long a busy host takes for it */
void sched_machine_wait_stopped(SchedMachine *m)
{
    while (sched_machine_running(m)) {
        g_usleep(1000);
    }
}

/* 4-level tables of one large page: Intel SDM volume 3, 5.5 */
void sched_machine_tables(SchedMachine *m)
{
    qtest_writeq(m->qts, GUEST_TABLES, (GUEST_TABLES + 0x1000) | 3);
    qtest_writeq(m->qts, GUEST_TABLES + 0x1000, (GUEST_TABLES + 0x2000) | 3);
    qtest_writeq(m->qts, GUEST_TABLES + 0x2000, 0x83);
}
