/*
 * Property platform of intel-iommu and pri-testdev: the defaults that it sets,
 * and that what is given on the command line wins
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-posted.h"
#include "libqos/pri-lab.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"
#include "hw/i386/vtd-knobs.h"
#include "hw/i386/vtd-platform.h"
#include "hw/misc/pri-testdev-platform.h"

#define IOMMU(FIELD)    (VTD_KNOB_##FIELD | PT_KNOB_IOMMU)

typedef struct Row {
    uint32_t knob;
    uint64_t value[3];          /* permissive, strict, spr */
} Row;

static const uint64_t vtd_defaults[] = {
#define VTD_DEFAULT(FIELD, field, name, def, max, values, help) def,
    VTD_KNOBS(VTD_DEFAULT)
#undef VTD_DEFAULT
};

static const uint64_t pt_defaults[] = {
#define PT_DEFAULT(FIELD, field, name, def, max, values, help) def,
    PT_KNOBS(PT_DEFAULT)
#undef PT_DEFAULT
};

static const Row rows[] = {
#define VTD_ROW(FIELD, strict, spr) { IOMMU(FIELD), { 0, strict, spr } },
    VTD_PLATFORM_KNOBS(VTD_ROW)
#undef VTD_ROW
#define PT_ROW(FIELD, strict) { PT_KNOB_##FIELD, { 0, strict, 0 } },
    PT_PLATFORM_KNOBS(PT_ROW)
#undef PT_ROW
};

/* What a knob is on platform @n, 0 to 2; pri-testdev has no spr */
static uint64_t wanted(uint32_t knob, unsigned int n)
{
    bool iommu = knob & PT_KNOB_IOMMU;

    for (unsigned int i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].knob == knob && n && (iommu || n == 1)) {
            return rows[i].value[n];
        }
    }
    return iommu ? vtd_defaults[knob & 0xffff] : pt_defaults[knob];
}

/* Every knob of both, those in no table included */
static void test_defaults(const void *opaque)
{
    static const char *const names[] = { "permissive", "strict", "spr" };
    unsigned int n = GPOINTER_TO_UINT(opaque);
    g_autofree char *vtd = g_strdup_printf("platform=%s", names[n]);
    unsigned int i;
    PriLab lab;

    pri_lab_boot(&lab, vtd, n == 1 ? vtd : NULL, 0);
    for (i = 0; i < VTD_KNOB_NR; i++) {
        g_assert_cmpuint(qpt_knob_get(&lab.d, i | PT_KNOB_IOMMU), ==,
                         wanted(i | PT_KNOB_IOMMU, n));
    }
    for (i = 0; i < PT_KNOB_NR; i++) {
        g_assert_cmpuint(qpt_knob_get(&lab.d, i), ==, wanted(i, n));
    }
    pri_lab_stop(&lab);
}

/* A property of a device ("vtd" or "pt0"), and what it reads */
typedef struct Property {
    const char *path, *property, *value;
} Property;

/* The test fails for each property of a table of @n that is another */
static void properties_are(PriLab *lab, const Property *want, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        QDict *rsp = qtest_qmp(lab->qts, "{ 'execute': 'qom-get', "
                               "'arguments': { 'path': %s, 'property': %s } }",
                               want[i].path, want[i].property);
        QObject *got = qdict_get(rsp, "return");
        g_autofree char *number = NULL;
        const char *text;

        g_assert_nonnull(got);
        if (qobject_type(got) == QTYPE_QNUM) {
            number = qnum_to_string(qobject_to(QNum, got));
        }
        text = number ?: qstring_get_str(qobject_to(QString, got));
        if (strcmp(text, want[i].value)) {
            g_test_message("%s is %s, not %s", want[i].property, text,
                           want[i].value);
            g_test_fail();
        }
        qobject_unref(rsp);
    }
}

/*
 * What strict is, word for word: docs/platforms.md says the same.  The tables
 * of the headers are not asked, a row that is lost there is missed here.
 */
static void test_strict_rows(void)
{
    static const Property want[] = {
        { "vtd", "sm-cache", "on" },
        { "vtd", "pwc", "on" },
        { "vtd", "wait-depth", "8" },
        { "vtd", "tes0-inv", "timeout" },
        { "vtd", "inv-absent", "timeout" },
        { "vtd", "inv-no-ats", "timeout" },
        { "vtd", "iqercd-stale", "poison" },
        { "vtd", "prd-delay-us", "5" },
        { "vtd", "fault-collapse", "off" },
        { "pt0", "inv-in-flr", "drop" },
        { "pt0", "inv-pending-at-flr", "drop" },
        { "pt0", "inv-in-d3", "drop" },
        { "pt0", "soft-reset", "answers" },     /* VT-d 7.9 */
        { "pt0", "inv-delay-us", "20" },
        { "pt0", "flr-duration-ms", "90" },
        { "pt0", "flr-config", "rrs" },
        { "pt0", "hot-reset-ms", "90" },
        { "pt0", "d3-duration-ms", "9" },
        { "pt0", "dma-do", "delay" },
        { "pt0", "dma-delay-us", "100" },
        { "pt0", "inv-push", "yes" },
        { "pt0", "msg-push", "yes" },
        { "pt0", "read-push", "yes" },
        { "pt0", "flr-dma", "land" },
    };
    PriLab lab;

    pri_lab_boot(&lab, "platform=strict", "platform=strict", 0);
    properties_are(&lab, want, G_N_ELEMENTS(want));
    pri_lab_stop(&lab);
}

/* What spr is, in the same way: the rows of strict that it has, and has not */
static void test_spr_rows(void)
{
    static const Property want[] = {
        { "vtd", "sm-cache", "on" },
        { "vtd", "pwc", "on" },
        { "vtd", "wait-depth", "8" },
        { "vtd", "tes0-inv", "timeout" },
        { "vtd", "inv-absent", "timeout" },
        { "vtd", "inv-no-ats", "timeout" },
        { "vtd", "iqercd-stale", "keep" },
        { "vtd", "prd-delay-us", "0" },
        { "vtd", "fault-collapse", "off" },
        { "vtd", "fault-records", "8" },
        { "vtd", "snoop-control", "on" },
        { "vtd", "x-ssts", "on" },
    };
    PriLab lab;

    pri_lab_boot(&lab, "platform=spr", NULL, 0);
    properties_are(&lab, want, G_N_ELEMENTS(want));
    pri_lab_stop(&lab);
}

/* ATS-32: a write is on its way when its operation is done, for 100 us */
static void test_strict_posted(void)
{
    uint64_t pa;
    PriLab lab;

    pri_lab_start_with(&lab, "platform=strict", "platform=strict", 0);
    pa = qvtd_alloc(&lab.v, 1);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, pa, QVTD_FS_USER);
    lab_post(&lab, 0, LAB_IOVA, 0);
    qtest_clock_step(lab.qts, 99 * 1000);
    g_assert_false(lab_landed(&lab, LAB_IOVA, pa));
    qtest_clock_step(lab.qts, 1 * 1000);
    g_assert_true(lab_landed(&lab, LAB_IOVA, pa));
    pri_lab_stop(&lab);
}

/* Given, even as the knob's own default, before or behind the platform */
static void test_given(const void *opaque)
{
    bool first = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    pri_lab_boot(&lab,
                 first ? "sm-cache=off,wait-depth=3,platform=strict" :
                         "platform=strict,sm-cache=off,wait-depth=3",
                 first ?
                 "inv-in-d3=complete,flr-duration-ms=5,platform=strict" :
                 "platform=strict,inv-in-d3=complete,flr-duration-ms=5",
                 0);
    g_assert_cmpuint(qpt_knob_get(&lab.d, IOMMU(SM_CACHE)), ==, 0);
    g_assert_cmpuint(qpt_knob_get(&lab.d, IOMMU(WAIT_DEPTH)), ==, 3);
    g_assert_cmpuint(qpt_knob_get(&lab.d, IOMMU(PWC)), ==, 1);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_INV_IN_D3), ==, 0);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_FLR_DURATION), ==, 5);
    g_assert_cmpuint(qpt_knob_get(&lab.d, PT_KNOB_HOT_DURATION), ==, 90);
    pri_lab_stop(&lab);
}

/* It says what the machine is: not to be changed while it runs */
static void test_fixed(void)
{
    static const char *const paths[] = { "vtd", "pt0" };
    PriLab lab;

    pri_lab_boot(&lab, "platform=strict", NULL, 0);
    for (unsigned int i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *path = g_strdup_printf("/machine/peripheral/%s",
                                                paths[i]);
        QDict *rsp = qtest_qmp(lab.qts, "{ 'execute': 'qom-set', 'arguments': {"
                               " 'path': %s, 'property': 'platform', 'value': "
                               "'permissive' } }", path);

        g_assert_true(qdict_haskey(rsp, "error"));
        qobject_unref(rsp);
    }
    g_assert_cmpuint(qpt_knob_get(&lab.d, IOMMU(SM_CACHE)), ==, 1);
    pri_lab_stop(&lab);
}

/* What is no knob: capability registers, unless the option is given */
static void test_spr_capabilities(const void *opaque)
{
    bool given = GPOINTER_TO_UINT(opaque);
    PriLab lab;

    pri_lab_boot(&lab, given ?
                 "fault-records=2,snoop-control=off,x-ssts=off,platform=spr" :
                 "platform=spr", NULL, 0);
    g_assert_cmpuint(QVTD_CAP_NFR(lab.v.cap), ==, given ? 2 : 8);
    g_assert_cmphex(lab.v.ecap & QVTD_ECAP_SC, ==, given ? 0 : QVTD_ECAP_SC);
    g_assert_cmphex(lab.v.ecap & (QVTD_ECAP_FSTS | QVTD_ECAP_SSTS), ==,
                    QVTD_ECAP_FSTS | (given ? 0 : QVTD_ECAP_SSTS));
    pri_lab_stop(&lab);
}

/* Without first-stage tables there is nothing to have both kinds of */
static void test_spr_second_stage(void)
{
    PriLab lab;

    pri_lab_boot(&lab, "svm=off,x-flts=off,x-prs=on,platform=spr", NULL, 0);
    g_assert_cmphex(lab.v.ecap & (QVTD_ECAP_FSTS | QVTD_ECAP_SSTS), ==,
                    QVTD_ECAP_SSTS);
    pri_lab_stop(&lab);
}

/* Both kinds of tables in one unit, by PGTT: a PASID of each */
static void test_both_stages(const void *opaque)
{
    uint32_t flags = PT_FLAG_PASID | PT_FLAG_NO_PRI | GPOINTER_TO_UINT(opaque);
    QPtOp op = {
        .cmd = PT_OP_FILL, .flags = flags, .pasid = LAB_PASID,
        .dst = LAB_IOVA, .len = 8, .pattern = 0x1122334455667788ULL,
    };
    const uint64_t first = 0x8000000, second = 0x8001000;
    uint64_t entry, table;
    PriLab lab;

    pri_lab_start_with(&lab, "x-ssts=on", NULL, 0);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, first, QVTD_FS_USER);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, first), ==, op.pattern);

    qvtd_pasid_setup(&lab.v, lab.d.rid, 2, LAB_DID + 1);
    entry = qvtd_pasid_entry(&lab.v, lab.d.rid, 2);
    table = qvtd_alloc(&lab.v, 1);
    qvtd_set(&lab.v, entry, QVTD_PE_PGTT, QVTD_PGTT_SECOND);
    qvtd_set(&lab.v, entry, QVTD_PE_AW, 2);
    qvtd_set(&lab.v, entry, QVTD_PE_SSPTPTR, table >> 12);
    qvtd_ss_map(&lab.v, table, LAB_IOVA, second, QVTD_SS_R | QVTD_SS_W);
    qvtd_flush(&lab.v);
    op.pasid = 2;
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, second), ==, op.pattern);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_data_func("/pri-lab/platform/permissive", GUINT_TO_POINTER(0),
                         test_defaults);
    g_test_add_data_func("/pri-lab/platform/strict", GUINT_TO_POINTER(1),
                         test_defaults);
    g_test_add_func("/pri-lab/platform/strict-rows", test_strict_rows);
    g_test_add_func("/pri-lab/platform/strict-posted", test_strict_posted);
    g_test_add_func("/pri-lab/platform/spr-rows", test_spr_rows);
    g_test_add_data_func("/pri-lab/platform/spr", GUINT_TO_POINTER(2),
                         test_defaults);
    g_test_add_data_func("/pri-lab/platform/given-behind", GUINT_TO_POINTER(0),
                         test_given);
    g_test_add_data_func("/pri-lab/platform/given-before", GUINT_TO_POINTER(1),
                         test_given);
    g_test_add_func("/pri-lab/platform/fixed", test_fixed);
    g_test_add_data_func("/pri-lab/platform/spr-capabilities",
                         GUINT_TO_POINTER(0), test_spr_capabilities);
    g_test_add_data_func("/pri-lab/platform/spr-options", GUINT_TO_POINTER(1),
                         test_spr_capabilities);
    g_test_add_func("/pri-lab/platform/spr-second-stage",
                    test_spr_second_stage);
    g_test_add_data_func("/pri-lab/platform/both-stages/ats",
                         GUINT_TO_POINTER(0), test_both_stages);
    g_test_add_data_func("/pri-lab/platform/both-stages/untranslated",
                         GUINT_TO_POINTER(PT_FLAG_UNTRANSLATED),
                         test_both_stages);
    return g_test_run();
}
