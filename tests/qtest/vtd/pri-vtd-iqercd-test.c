/*
 * VT-d queued invalidation: what IQERCD says of an error (QI-15, QI-16)
 *
 * VT-d 11.4.9.9, and what old hardware leaves out
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/vtd-inv.h"

#define IQE     QVTD_FSTS_IQE
#define ICE     QVTD_FSTS_ICE
#define ITE     QVTD_FSTS_ITE
#define TIMEOUT "ite-timeout-ms=100"

static QVtdDesc bad_desc(void)
{
    return qinv_desc_type(0x7f);
}

/* Start with an empty queue at its first descriptor and nothing counted */
static void start(PriLab *lab, const char *vtd)
{
    pri_lab_start_with(lab, vtd, NULL, 0);
    qvtd_qi_start(&lab->v, 0, true);
    g_assert_cmphex(qinv_fsts(&lab->v), ==, 0);
}

/* -- QI-11: ICE ------------------------------------------------------------ */

static void inject(PriLab *lab, const char *knob, uint16_t sid)
{
    g_autofree char *json = g_strdup_printf("%u", sid);

    qvtd_set_property(&lab->v, knob, json);
}

/* -- QI-15, QI-16: IQERCD -------------------------------------------------- */

static void test_itesid_zero(void)
{
    PriLab lab;

    start(&lab, TIMEOUT ",itesid-mode=zero");
    qinv_put_dev_tlb(&lab.v, QINV_ABSENT);
    qvtd_qi_ring(&lab.v);
    qtest_clock_step(lab.qts, 101 * QINV_MS);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

/* Machines of that kind have no source id in either field */
static void test_icesid_zero(void)
{
    PriLab lab;

    start(&lab, "itesid-mode=zero");
    inject(&lab, "inject-ice", 0x1234);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

static void test_iqercd_fields(void)
{
    uint64_t all = 0x123443210000ULL << 16 | QVTD_IQEI_TYPE;
    PriLab lab;

    start(&lab, NULL);
    qvtd_submit(&lab.v, bad_desc());
    inject(&lab, "inject-ice", 0x1234);
    inject(&lab, "inject-ite", 0x4321);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE | ICE | ITE);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQERCD), ==, all);

    /* read-only */
    qvtd_writeq(&lab.v, QVTD_IQERCD, 0);
    qvtd_writeq(&lab.v, QVTD_IQERCD, UINT64_MAX);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQERCD), ==, all);

    /* what is still set stays valid */
    qinv_clear(&lab, ICE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, 0x4321);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_TYPE);
    qinv_clear(&lab, ITE);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, QVTD_IQEI_TYPE);
    g_assert_cmphex(qinv_fsts(&lab.v), ==, IQE);
    pri_lab_stop(&lab);
}

/* Undefined while the bit is clear: a driver that looks later sees rubbish */
static void test_iqercd_poison(void)
{
    PriLab lab;

    start(&lab, "iqercd-stale=poison");
    inject(&lab, "inject-ice", 0x1234);
    inject(&lab, "inject-ite", 0x4321);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0x1234);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, 0x4321);
    qinv_clear(&lab, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, 0xffff);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0x1234);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, 0);
    qinv_clear(&lab, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0xffff);
    inject(&lab, "inject-ite", 0x4321);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, 0x4321);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, 0xffff);
    inject(&lab, "inject-ice", 0x1234);
    qinv_clear(&lab, ICE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, 0x4321);
    g_assert_cmpuint(qinv_iqei(&lab.v), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/qi/QI-15/itesid-zero", test_itesid_zero);
    g_test_add_func("/vtd/qi/QI-15/icesid-zero", test_icesid_zero);
    g_test_add_func("/vtd/qi/QI-16/fields", test_iqercd_fields);
    g_test_add_func("/vtd/qi/QI-16/poison", test_iqercd_poison);
    return g_test_run();
}
