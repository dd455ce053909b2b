/*
 * Snapshots and migration in the tests of the page-request path
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"

#define POLLS   12000           /* of 5 ms: a minute */

void lab_wait_migrated(QTestState *qts)
{
    int i;

    for (i = 0; i < POLLS; i++) {
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
    g_test_message("migration did not end");
    g_test_fail();
}

/* Wait until the only job there is has ended well, and forget it */
static void finish_job(QTestState *qts, const char *id)
{
    int i;

    for (i = 0; i < POLLS; i++) {
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
    g_test_message("job %s did not end", id);
    g_test_fail();
}

void lab_run_job(QTestState *qts, const char *name, const char *id)
{
    qtest_qmp_assert_success(qts, "{ 'execute': %s, 'arguments': "
        "{ 'job-id': %s, 'tag': 'here', 'vmstate': 'disk', "
        "'devices': [ 'disk' ] } }", name, id);
    finish_job(qts, id);
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
