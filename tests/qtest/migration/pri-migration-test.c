/*
 * State that has been lost in a stream, or that a stream could not take
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/lab-rules.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"
#include <glib/gstdio.h>

#define PAGE        4096
#define LNKCAP      0x0c
#define DEVSTA_W1C  0xf
#define NO_ATS      "ats=off,pri=off"

/* -- the mode that Set Root Table Pointer has latched, without PRS --------- */

#define NO_SVM  "svm=off,x-pasid-mode=off"

static void expect_queue_runs(PriLab *lab)
{
    QVtdDesc pc = qvtd_desc_pc_global();

    qvtd_submit(&lab->v, pc);
    qvtd_submit(&lab->v, qvtd_desc_piotlb(LAB_DID, LAB_PASID));
    g_assert_true(qvtd_qi_idle(&lab->v));
    g_assert_cmphex(qvtd_readl(&lab->v, QVTD_FSTS), ==, 0);
    qvtd_wait(&lab->v, 0);
}

static void test_ttm(void)
{
    PriLab lab;

    pri_lab_boot(&lab, NO_SVM, NULL, 0);
    g_assert_false(lab.v.ecap & QVTD_ECAP_PRS);
    qvtd_start(&lab.v);
    expect_queue_runs(&lab);
    qvtd_set_property(&lab.v, "ite-timeout-ms", "1234");
    lab_migrate(&lab, NO_SVM, NULL, qtest_clock_step(lab.qts, 1));
    expect_queue_runs(&lab);
    g_assert_cmpuint(qvtd_counter(&lab.v, "ite-timeout-ms"), ==, 1234);
    pri_lab_stop(&lab);
}

/* -- errors ---------------------------------------------------------------- */

/*
 * An uncorrectable error changes no read-only register (PCIe 6.2 7.5.3.6), and
 * what was saved before it can be loaded after it, and the other way round
 */
static void test_error(const void *opaque)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    uint32_t lnkcap;
    PriLab lab;

    pri_lab_start(&lab);
    lab_create_disk(lab.qts, file);
    lab_run_job(lab.qts, "snapshot-save", "save");
    lnkcap = qpt_config_readl(&lab.d, lab.d.exp + LNKCAP);
    g_assert_cmphex(lnkcap, !=, 0);
    lab_turn(&lab, "aer-error", opaque);
    g_assert_cmphex(qpt_config_readl(&lab.d, lab.d.exp + LNKCAP), ==, lnkcap);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + QPT_EXP_DEVCTL + 2) &
                    DEVSTA_W1C, !=, 0);
    lab_run_job(lab.qts, "snapshot-load", "load");
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.exp + QPT_EXP_DEVCTL + 2) &
                    DEVSTA_W1C, ==, 0);
    lab_turn(&lab, "aer-error", opaque);
    lab_migrate(&lab, NULL, NULL, qtest_clock_step(lab.qts, 1));
    g_assert_cmphex(qpt_config_readl(&lab.d, lab.d.exp + LNKCAP), ==, lnkcap);
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

/* -- channels that wait for credits ---------------------------------------- */

/* They do not look again because the machine was loaded */
static void test_credits(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/disk", dir);
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    uint64_t pa, sent;
    PriLab lab;

    pri_lab_start(&lab);
    lab_create_disk(lab.qts, file);
    pa = qvtd_alloc(&lab.v, 1);
    qpt_pri_disable(&lab.d);
    qpt_enable(&lab.d, 1);
    qpt_start(&lab.d, 0, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 0), ==, PT_ST_RUNNING);
    op.dst += PAGE;
    qpt_start(&lab.d, 1, &op);
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA + PAGE, pa, QVTD_FS_USER);
    sent = qpt_readq(&lab.d, PT_CNT_TRANSLATIONS);

    lab_run_job(lab.qts, "snapshot-save", "save");
    lab_run_job(lab.qts, "snapshot-load", "load");
    g_assert_cmpuint(qpt_wait(&lab.d, 1), ==, PT_ST_RUNNING);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_TRANSLATIONS), ==, sent);
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

/* -- messages that are delayed --------------------------------------------- */

/* The time that is left is left on the other side, too */
static void test_delayed(void)
{
    PriLab lab;

    pri_lab_start(&lab);
    lab_rule(&lab.d, ATS_RULE_KNOB_DELAY_US, 500);
    lab_rule_kind(&lab.d, ATS_RULE_PAGE_REQUEST, ATS_RULE_DELAY);
    lab_request(&lab, LAB_IOVA, PT_RAW_READ | PT_RAW_LAST, 1);
    lab_migrate(&lab, NULL, NULL, qtest_clock_step(lab.qts, 100 * QINV_US));
    qtest_clock_step(lab.qts, 399 * QINV_US);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qtest_clock_step(lab.qts, 1 * QINV_US);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    pri_lab_stop(&lab);
}

/* -- streams of other versions --------------------------------------------- */

/* Where the version of a section is in a stream, 32 bits, big endian */
typedef struct Section {
    const char *name;
    const char *idstr;          /* what its name there ends with */
    unsigned int skip;          /* bytes between the name and the version */
    unsigned int reads;         /* older versions that are read, too */
} Section;

static const Section sections[] = {
    { "pri-testdev", "/pri-testdev", 4, 1 },    /* the instance is between */
    { "svm", "iommu-intel/svm", 0, 0 },
    { "smcache", "iommu-intel/svm/smcache", 0, 0 },
};

/*
 * Load a stream that cannot be, into a function with the options @dev: the
 * sentence in which QEMU says why
 */
static char *refused(const char *uri, const char *dev)
{
    const char *status;
    char *why = NULL;
    QDict *info;
    PriLab to;
    bool end;

    pri_lab_boot_incoming(&to, "sm-cache=on", dev);
    qtest_qmp_assert_success(to.qts, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s, "
                             "'exit-on-error': false } }", uri);
    do {
        g_free(why);
        info = qtest_qmp_assert_success_ref(to.qts,
                                            "{ 'execute': 'query-migrate' }");
        status = qdict_get_try_str(info, "status");
        end = !g_strcmp0(status, "completed") || !g_strcmp0(status, "failed");
        why = g_strdup(qdict_get_try_str(info, "error-desc") ?: "");
        qobject_unref(info);
    } while (!end);
    qtest_quit(to.qts);
    return why;
}

/* An older stream and a newer one are refused, and the section is named */
static void test_versions(const void *opaque)
{
    const Section *section = opaque;
    const int changes[] = { -1 - (int)section->reads, 1 };
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *data = NULL;
    uint8_t *version;
    PriLab lab;
    gsize len;

    pri_lab_boot(&lab, "sm-cache=on", NULL, 0);
    lab_save(&lab, uri);
    pri_lab_stop(&lab);
    g_assert_true(g_file_get_contents(file, &data, &len, NULL));
    version = memmem(data, len, section->idstr, strlen(section->idstr));
    if (!version) {
        g_test_message("there is no %s in the stream", section->idstr);
        g_test_fail();
        return;
    }
    version += strlen(section->idstr) + section->skip;
    for (int i = 0; i < ARRAY_SIZE(changes); i++) {
        uint32_t is = ldl_be_p(version);
        g_autofree char *why = NULL;

        stl_be_p(version, is + changes[i]);
        g_assert_true(g_file_set_contents(file, data, len, NULL));
        why = refused(uri, NULL);
        g_test_message("%s", why);
        g_assert_nonnull(strstr(why, "version"));
        g_assert_nonnull(strstr(why, section->name));
        stl_be_p(version, is);
    }
    g_unlink(file);
    g_rmdir(dir);
}

/* A serial number whose upper bits differ is that of another function */
static void test_serial_number(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *why = NULL;
    PriLab lab;

    pri_lab_boot(&lab, "sm-cache=on", NO_ATS ",sn=0x1000000000000", 0);
    lab_save(&lab, uri);
    pri_lab_stop(&lab);
    why = refused(uri, NO_ATS ",sn=0x2000000000000");
    g_test_message("%s", why);
    g_assert_nonnull(strstr(why, "pri-testdev"));
    g_unlink(file);
    g_rmdir(dir);
}

/*
 * The number of waits that are kept is behind the list of them: 42 bytes of a
 * wait from its lower half on (intel_iommu_invwait.c), and the list's end.
 */
#define WAIT_TO_NUMBER  43

static void test_waits(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *data = NULL, *why = NULL;
    uint8_t lo[8], *at;
    uint32_t slot;
    QVtdDesc desc;
    PriLab lab;
    gsize len;

    pri_lab_boot(&lab, "sm-cache=on", NULL, 0);
    qvtd_start(&lab.v);
    qvtd_set_property(&lab.v, "wait-hold", "'on'");
    desc = qvtd_desc_wait(&lab.v, QVTD_WAIT_SW, &slot);
    qvtd_submit(&lab.v, desc);
    lab_save(&lab, uri);
    pri_lab_stop(&lab);
    g_assert_true(g_file_get_contents(file, &data, &len, NULL));
    stq_be_p(lo, desc.qw[0]);
    /* the ring in RAM has it little-endian, so this is the one that is kept */
    at = memmem(data, len, lo, sizeof(lo));
    g_assert_nonnull(at);
    at += WAIT_TO_NUMBER;
    g_assert_cmpuint(ldl_be_p(at), ==, 1);
    stl_be_p(at, 2);
    g_assert_true(g_file_set_contents(file, data, len, NULL));
    why = refused(uri, NULL);
    g_test_message("%s", why);
    g_assert_cmpstr(why, !=, "");
    g_unlink(file);
    g_rmdir(dir);
}

/* Completions of all ITags wait, as many as there is room for */
static void test_all_itags(void)
{
    uint32_t slot;
    PriLab lab;

    pri_lab_start_with(&lab, NULL, "inv-reply=hold", 0);
    for (unsigned int i = 0; i < 32; i++) {
        qinv_put_dev_tlb(&lab.v, lab.d.rid);
    }
    slot = qinv_put_wait(&lab.v, QVTD_WAIT_SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_INV_WAITING), ==, 32);
    lab_migrate(&lab, NULL, "inv-reply=hold", 1000 * 1000);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_INV_WAITING), ==, 32);
    lab_knob(&lab, PT_KNOB_INV_RELEASE, 31);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    lab_knob(&lab, PT_KNOB_INV_RELEASE, 1);
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

#define GROUPS      6
#define STU         0x1f        /* all of its bits */

/* Registers of the function, and what follows from its groups */
static void test_function(void)
{
    QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8,
    };
    uint32_t credits;
    PriLab lab;

    pri_lab_start(&lab);
    credits = qpt_readl(&lab.d, PT_PRI_CREDITS);
    for (unsigned int i = 0; i < GROUPS; i++) {
        qpt_start(&lab.d, i, &op);
        g_assert_cmpuint(qpt_wait(&lab.d, i), ==, PT_ST_RUNNING);
    }
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, QPT_ATS_CTRL_E | STU);
    lab_migrate(&lab, NULL, NULL, 0);
    g_assert_cmphex(qpt_config_readw(&lab.d, lab.d.ats + QPT_ATS_CTRL), ==,
                    QPT_ATS_CTRL_E | STU);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_GROUPS), ==, GROUPS);
    g_assert_cmpuint(qpt_readl(&lab.d, PT_PRI_CREDITS), ==, credits - GROUPS);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);

    qtest_add_func("/pri-lab/MIG-01/all-itags", test_all_itags);
    qtest_add_func("/pri-lab/MIG-01/function", test_function);
    qtest_add_func("/pri-lab/MIG-01/delayed-message", test_delayed);
    qtest_add_func("/pri-lab/MIG-02/mode-without-page-requests", test_ttm);
    qtest_add_data_func("/pri-lab/MIG-03/non-fatal-error", "\"non-fatal\"",
                        test_error);
    qtest_add_data_func("/pri-lab/MIG-03/fatal-error", "\"fatal\"",
                        test_error);
    qtest_add_func("/pri-lab/MIG-04/waiters-for-credits", test_credits);
    for (unsigned int i = 0; i < G_N_ELEMENTS(sections); i++) {
        g_autofree char *name = g_strdup_printf("/pri-lab/MIG-05/versions/%s",
                                                sections[i].name);

        qtest_add_data_func(name, &sections[i], test_versions);
    }
    qtest_add_func("/pri-lab/MIG-06/serial-number", test_serial_number);
    qtest_add_func("/pri-lab/MIG-06/number-of-waits", test_waits);
    return g_test_run();
}
