/*
 * Snapshots, migration and unplug in the tests of the page-request path
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include <glib/gstdio.h>

void lab_wait_migrated(QTestState *qts)
{
    for (;;) {
        QDict *rsp = qtest_qmp_assert_success_ref(
            qts, "{ 'execute': 'query-migrate' }");
        g_autofree char *status =
            g_strdup(qdict_get_try_str(rsp, "status") ?: "none");

        qobject_unref(rsp);
        if (!strcmp(status, "completed")) {
            return;
        }
        g_assert_cmpstr(status, !=, "failed");
        g_usleep(5000);
    }
}

/* Wait until the only job there is has ended well, and forget it */
static void finish_job(QTestState *qts, const char *id)
{
    for (;;) {
        QDict *rsp = qtest_qmp(qts, "{ 'execute': 'query-jobs' }");
        QList *jobs = qdict_get_qlist(rsp, "return");
        QDict *job = qobject_to(QDict, qlist_peek(jobs));
        bool done = job && !strcmp(qdict_get_str(job, "status"), "concluded");

        if (done) {
            g_assert_cmpstr(qdict_get_try_str(job, "error"), ==, NULL);
        }
        qobject_unref(rsp);
        if (done) {
            qtest_qmp_assert_success(qts, "{ 'execute': 'job-dismiss', "
                                     "'arguments': { 'id': %s } }", id);
            return;
        }
        g_usleep(5000);
    }
}

void lab_run_job(QTestState *qts, const char *name, const char *id)
{
    qtest_qmp_assert_success(qts, "{ 'execute': %s, 'arguments': "
        "{ 'job-id': %s, 'tag': 'here', 'vmstate': 'disk', "
        "'devices': [ 'disk' ] } }", name, id);
    finish_job(qts, id);
}

char *lab_read_log(PriLab *lab)
{
    QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': 'pt0', 'property': 'log' } }");
    char *text = g_strdup(qdict_get_str(rsp, "return"));

    qobject_unref(rsp);
    return text;
}

void lab_expect_same_log(PriLab *lab, char **first)
{
    g_autofree char *log = lab_read_log(lab);

    if (*first) {
        g_assert_cmpstr(log, ==, *first);
    } else {
        *first = g_steal_pointer(&log);
    }
}

void lab_create_disk(QTestState *qts, const char *file)
{
    int fd = open(file, O_CREAT | O_RDWR, 0600);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    qtest_qmp_assert_success(qts, "{ 'execute': 'blockdev-add', 'arguments': "
        "{ 'driver': 'file', 'node-name': 'raw', 'filename': %s } }", file);
    qtest_qmp_assert_success(qts, "{ 'execute': 'blockdev-create', "
        "'arguments': { 'job-id': 'create', 'options': { 'driver': 'qcow2', "
        "'file': 'raw', 'size': 1048576 } } }");
    finish_job(qts, "create");
    qtest_qmp_assert_success(qts, "{ 'execute': 'blockdev-add', 'arguments': "
        "{ 'driver': 'qcow2', 'node-name': 'disk', 'file': 'raw' } }");
}

void lab_save(PriLab *lab, const char *uri)
{
    qtest_qmp_assert_success(lab->qts, "{ 'execute': 'stop' }");
    qtest_qmp_assert_success(lab->qts, "{ 'execute': 'migrate', 'arguments': "
                             "{ 'uri': %s } }", uri);
    lab_wait_migrated(lab->qts);
}

void lab_load(PriLab *lab, const char *vtd, const char *dev, int64_t now,
              const char *uri)
{
    PriLab to;

    pri_lab_boot_incoming(&to, vtd, dev);
    qtest_qmp_assert_success(to.qts, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    lab_wait_migrated(to.qts);
    qtest_quit(lab->qts);
    qtest_qmp_assert_success(to.qts, "{ 'execute': 'cont' }");
    qtest_clock_set(to.qts, now);
    lab->qts = to.qts;
    lab->v.qts = to.qts;
    lab->d.qts = to.qts;
}

void lab_migrate(PriLab *lab, const char *vtd, const char *dev, int64_t now)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    lab_save(lab, uri);
    lab_load(lab, vtd, dev, now, uri);
    g_unlink(file);
    g_rmdir(dir);
}

/* Slot Control of the root port: power and its indicator, on or off */
static void slot_power(PriLab *lab, bool on)
{
    uint16_t port = lab->d.port << 3;
    unsigned int at = qtest_readb(lab->qts, qpt_ecam(port, 0x34)) & 0xfc;

    while (at && qtest_readb(lab->qts, qpt_ecam(port, at)) !=
           QPT_CAP_ID_EXP) {
        at = qtest_readb(lab->qts, qpt_ecam(port, at + 1)) & 0xfc;
    }
    g_assert_cmpuint(at, !=, 0);
    qtest_writew(lab->qts, qpt_ecam(port, at + 0x18), on ? 0x01c0 : 0x07c0);
}

void lab_unplug(PriLab *lab)
{
    slot_power(lab, true);
    qtest_qmp_device_del_send(lab->qts, "pt0");
    slot_power(lab, false);
    qtest_qmp_eventwait(lab->qts, "DEVICE_DELETED");
}
