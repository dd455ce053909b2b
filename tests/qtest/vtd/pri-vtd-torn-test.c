/*
 * VT-d page requests: entries that are read in pieces (knob torn-entry)
 *
 * The entry is read in pieces of 128 bits with 10 us between them; software
 * changes it after the first.  VT-d 6.2.2.1, 6.2.3.1, 9.4, 9.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/lab-rows.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-table30.h"
#include <glib/gstdio.h>

#define R               PT_RAW_READ
#define L               PT_RAW_LAST
#define US              1000
#define PASID_TORN      "torn-entry=pasid,torn-pause-us=10"
#define CONTEXT_TORN    "torn-entry=context,torn-pause-us=10"
/* SMRAM of the host bridge decides whether this is memory, or the display's */
#define SMRAM_PAGE      0xa0000ULL
#define SMRAM_REG       0x8000009c      /* bus 0, device 0 */
#define SMRAM_BYTE      1
#define SMRAM_CLOSED    0x0a            /* G_SMRAME and C_BASE_SEG */
#define SMRAM_OPEN      0x4a            /* and D_OPEN */

static uint64_t context(PriLab *lab)
{
    return qvtd_context_entry(&lab->v, lab->d.rid);
}

static uint64_t entry(PriLab *lab)
{
    return qvtd_pasid_entry(&lab->v, lab->d.rid, LAB_PASID);
}

/* A request whose entry is being read: the first piece was */
static void begin(PriLab *lab, uint32_t prgi)
{
    lab_request(lab, LAB_IOVA, R | L, prgi);
    qtest_clock_step(lab->qts, 2 * US);
    lab_expect_silence(lab);
}

/* Its end: @reason 0: it is in the queue, as one of @queued */
static void finish(PriLab *lab, uint32_t prgi, unsigned int reason,
                   unsigned int queued)
{
    QVtdFault fault;

    qtest_clock_step(lab->qts, 100 * US);
    g_assert_cmpuint(qvtd_prq_pending(&lab->v), ==, queued);
    g_assert_cmpint(qvtd_fault(&lab->v, &fault), ==, !!reason);
    if (reason) {
        lab_expect_response(lab, QPT_INVALID_REQUEST, prgi, LAB_PASID);
        g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, reason);
        qvtd_fault_clear(&lab->v);
    }
    lab_expect_silence(lab);
}

static void test_torn_pasid(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, PASID_TORN, NULL, 0);
    /* the piece that was read is used, whatever memory says now */
    begin(&lab, 1);
    qvtd_set(&lab.v, entry(&lab), QVTD_PE_P, 0);
    qvtd_flush(&lab.v);
    finish(&lab, 1, 0, 1);

    /* a piece that was not is read as it is then */
    qvtd_set(&lab.v, entry(&lab), QVTD_PE_P, 1);
    qvtd_flush(&lab.v);
    begin(&lab, 2);
    qvtd_set(&lab.v, entry(&lab), QVTD_PE_RSVD_7, 1);
    finish(&lab, 2, QVTD_FR_SPT_RSVD, 1);
    pri_lab_stop(&lab);
}

static void test_torn_context(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, CONTEXT_TORN, NULL, 0);
    begin(&lab, 1);
    qvtd_set(&lab.v, context(&lab), QVTD_CE_P, 0);
    qvtd_set(&lab.v, context(&lab), QVTD_CE_RSVD_3, 1);
    /* present in the first piece, reserved bits in the second */
    finish(&lab, 1, QVTD_FR_SCT_RSVD, 0);
    pri_lab_stop(&lab);
}

/* requests stay in order while the first one's entry is being read */
static void test_torn_order(void)
{
    QVtdDesc prd;
    PriLab lab;

    pri_lab_start_with(&lab, PASID_TORN, NULL, 0);
    lab_request(&lab, LAB_IOVA, R, 1);
    qvtd_set_property(&lab.v, "torn-entry", "\"off\"");
    lab_request(&lab, LAB_IOVA, R | L, 1);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 0);
    qtest_clock_step(lab.qts, 200 * US);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 0);
    g_assert_true(qvtd_prq_pop(&lab.v, &prd));
    g_assert_cmpuint(QVTD_PRD_LPIG(&prd), ==, 1);
    pri_lab_stop(&lab);
}

/* So do answers: who is refused has waited for those in front of it */
static void test_torn_order_refused(void)
{
    const QPtRaw raw = {
        .addr = LAB_IOVA, .pasid = LAB_PASID ^ 1, .flags = R | L, .prgi = 2,
    };
    PriLab lab;

    pri_lab_start_with(&lab, PASID_TORN, NULL, 0);
    begin(&lab, 1);
    qvtd_set_property(&lab.v, "torn-entry", "\"off\"");
    qpt_raw(&lab.d, &raw);
    qtest_clock_step(lab.qts, 2 * US);
    lab_expect_silence(&lab);
    qtest_clock_step(lab.qts, 100 * US);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 2, LAB_PASID ^ 1);
    pri_lab_stop(&lab);
}

/* -- what is not torn ------------------------------------------------------ */

typedef struct Early {
    const char *name;
    const char *vtd;
    QT30Change change;
    unsigned int reason;
} Early;

static const Early early_rows[] = {
    { "context-mode", CONTEXT_TORN,
      { IN_TTM, .value = QVTD_TTM_LEGACY }, QVTD_FR_RTA_LEGACY },
    { "pasid-mode", PASID_TORN,
      { IN_TTM, .value = QVTD_TTM_LEGACY }, QVTD_FR_RTA_LEGACY },
    { "context-root", CONTEXT_TORN, { IN_RE, QVTD_RE_LP, 0 }, QVTD_FR_SRT_P },
    { "pasid-context", PASID_TORN, { IN_CE, QVTD_CE_P, 0 }, QVTD_FR_SCT_P },
    { "pasid-directory", PASID_TORN, { IN_PDE, QVTD_PDE_P, 0 },
      QVTD_FR_SPD_P },
};

/* Where the walk ends before the entry no piece of it is read */
static void test_torn_early(const void *opaque)
{
    const Early *early = opaque;
    QVtdFault fault;
    PriLab lab;

    pri_lab_start_with(&lab, early->vtd, NULL, 0);
    qt30_apply(&lab, &early->change, LAB_PASID);
    if (early->change.where != IN_TTM) {
        qvtd_flush(&lab.v);
    }
    lab_request(&lab, LAB_IOVA, R | L, 1);
    qtest_clock_step(lab.qts, 2 * US);
    lab_expect_response(&lab, QPT_INVALID_REQUEST, 1, LAB_PASID);
    g_assert_true(qvtd_fault(&lab.v, &fault));
    g_assert_cmphex(QVTD_FAULT_FR(&fault), ==, early->reason);
    pri_lab_stop(&lab);
}

static void set_smram(PriLab *lab, uint8_t val)
{
    qtest_outl(lab->qts, 0xcf8, SMRAM_REG);
    qtest_outb(lab->qts, 0xcfc + SMRAM_BYTE, val);
}

/* The memory of the table goes away between two pieces: SPT.1 */
static void test_torn_gone(void)
{
    uint64_t old, new;
    PriLab lab;

    pri_lab_start_with(&lab, PASID_TORN " -device VGA", NULL, 0);
    old = entry(&lab);
    new = SMRAM_PAGE + old % 4096;
    set_smram(&lab, SMRAM_OPEN);
    for (unsigned int i = 0; i < 64; i += 8) {
        qtest_writeq(lab.qts, new + i, qtest_readq(lab.qts, old + i));
    }
    qvtd_set(&lab.v, qvtd_pasid_dir_entry(&lab.v, lab.d.rid, LAB_PASID),
             QVTD_PDE_SMPTBLPTR, SMRAM_PAGE >> 12);
    qvtd_flush(&lab.v);
    begin(&lab, 1);
    finish(&lab, 1, 0, 1);

    begin(&lab, 2);
    qtest_clock_step(lab.qts, 10 * US);         /* two pieces */
    set_smram(&lab, SMRAM_CLOSED);
    finish(&lab, 2, QVTD_FR_SPT_ACCESS, 1);
    pri_lab_stop(&lab);
}

/* -- with caches (sm-cache) ------------------------------------------------ */

/* Of an entry that is cached nothing is read; the other one may be torn */
static void test_torn_cached(void)
{
    PriLab lab;

    pri_lab_start_with(&lab, "sm-cache=on," PASID_TORN, NULL, 0);
    begin(&lab, 1);
    finish(&lab, 1, 0, 1);
    qvtd_submit(&lab.v, qvtd_desc_pc_global());
    qvtd_wait(&lab.v, 0);
    begin(&lab, 2);
    qvtd_set(&lab.v, entry(&lab), QVTD_PE_RSVD_7, 1);
    finish(&lab, 2, QVTD_FR_SPT_RSVD, 1);
    qvtd_set(&lab.v, entry(&lab), QVTD_PE_RSVD_7, 0);

    qvtd_set_property(&lab.v, "torn-entry", "'context'");
    qvtd_set(&lab.v, context(&lab), QVTD_CE_P, 0);
    lab_request(&lab, LAB_IOVA, R | L, 3);
    qtest_clock_step(lab.qts, 2 * US);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 2);
    pri_lab_stop(&lab);
}

/* An entry that is being read is read, whatever is cached meanwhile */
static void test_torn_cached_late(const void *opaque)
{
    bool pasid = GPOINTER_TO_UINT(opaque);
    const QPtOp op = {
        .cmd = PT_OP_WRITE, .flags = PT_FLAG_PASID | PT_FLAG_UNTRANSLATED,
        .pasid = LAB_PASID, .dst = LAB_IOVA, .len = 8,
    };
    PriLab lab;

    pri_lab_start_with(&lab, pasid ? "sm-cache=on," PASID_TORN :
                       "sm-cache=on," CONTEXT_TORN, NULL, 0);
    qvtd_fs_map(&lab.v, lab.pml4, LAB_IOVA, qvtd_alloc(&lab.v, 1),
                QVTD_FS_USER);
    begin(&lab, 1);
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    if (pasid) {
        qvtd_set(&lab.v, entry(&lab), QVTD_PE_RSVD_7, 1);
    } else {
        qvtd_set(&lab.v, context(&lab), QVTD_CE_RSVD_3, 1);
    }
    g_assert_cmpuint(qpt_run(&lab.d, 0, &op), ==, PT_ST_DONE);
    finish(&lab, 1, pasid ? QVTD_FR_SPT_RSVD : QVTD_FR_SCT_RSVD, 0);
    pri_lab_stop(&lab);
}

/* -- streams --------------------------------------------------------------- */

/* The byte of a stream that says how much was read: more than there is */
static void read_too_much(PriLab *lab, const char *file)
{
    /* PASID-table entry, its qwords, those that were read; its address */
    uint8_t torn[11] = { 2, 8, 2 };
    g_autofree char *data = NULL;
    uint8_t *at;
    gsize len;

    stq_be_p(torn + 3, entry(lab));
    g_assert_true(g_file_get_contents(file, &data, &len, NULL));
    at = memmem(data, len, torn, sizeof(torn));
    g_assert_nonnull(at);
    at[2] = 254;
    g_assert_true(g_file_set_contents(file, data, len, NULL));
}

/* There is no piece behind that: the entry is read at once, as it is */
static void test_torn_stream(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-lab-XXXXXX", NULL);
    g_autofree char *file = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    PriLab lab;

    pri_lab_start_with(&lab, PASID_TORN, NULL, 0);
    begin(&lab, 1);
    lab_save(&lab, uri);
    read_too_much(&lab, file);
    lab_load(&lab, PASID_TORN, NULL, qtest_clock_step(lab.qts, 1), uri);
    qtest_clock_step(lab.qts, 10 * US);
    g_assert_cmpuint(qvtd_prq_pending(&lab.v), ==, 1);
    lab_expect_silence(&lab);
    pri_lab_stop(&lab);
    g_unlink(file);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/knob/torn-entry/pasid", test_torn_pasid);
    g_test_add_func("/vtd/knob/torn-entry/context", test_torn_context);
    g_test_add_func("/vtd/knob/torn-entry/order", test_torn_order);
    g_test_add_func("/vtd/knob/torn-entry/order-refused",
                    test_torn_order_refused);
    LAB_ADD_ROWS("/vtd/knob/torn-entry/early", early_rows, test_torn_early);
    g_test_add_func("/vtd/knob/torn-entry/gone", test_torn_gone);
    g_test_add_func("/vtd/knob/torn-entry/cached", test_torn_cached);
    g_test_add_data_func("/vtd/knob/torn-entry/cached-late-context",
                         GUINT_TO_POINTER(0), test_torn_cached_late);
    g_test_add_data_func("/vtd/knob/torn-entry/cached-late-pasid",
                         GUINT_TO_POINTER(1), test_torn_cached_late);
    g_test_add_func("/vtd/knob/torn-entry/stream", test_torn_stream);
    return g_test_run();
}
