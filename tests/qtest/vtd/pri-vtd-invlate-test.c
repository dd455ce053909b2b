/*
 * VT-d device-TLB invalidation: completions that are late, functions that go
 * away, and the waits behind them (QI-24, QI-25, QI-31, QI-39)
 *
 * VT-d 4.3, 6.5.2.9, 6.5.2.11, 6.5.2.12; PCIe 6.2 10.3
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "libqos/vtd-inv.h"

#define SW      QVTD_WAIT_SW
#define FN      QVTD_WAIT_FN
#define ICE     QVTD_FSTS_ICE
#define ITE     QVTD_FSTS_ITE
#define TIMEOUT "ite-timeout-ms=100"
#define DEEP    TIMEOUT ",wait-depth=8"

static void put(PriLab *lab)
{
    qinv_put_dev_tlb(&lab->v, lab->d.rid);
}

static void set(PriLab *lab, const char *knob, const char *json)
{
    g_autofree char *cmd = g_strdup_printf(
        "{ 'execute': 'qom-set', 'arguments': { 'path': "
        "'/machine/peripheral/pt0', 'property': '%s', 'value': %s } }",
        knob, json);
    QDict *rsp;

    qtest_qmp_send_raw(lab->qts, "%s", cmd);
    rsp = qtest_qmp_receive(lab->qts);
    g_assert_true(qdict_haskey(rsp, "return"));
    qobject_unref(rsp);
}

static void step_ms(PriLab *lab, int64_t ms)
{
    qtest_clock_step(lab->qts, ms * QINV_MS);
}

static uint32_t fsts(PriLab *lab)
{
    return qinv_fsts(&lab->v);
}

/* -- QI-24: after the time-out --------------------------------------------- */

static void test_late(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, TIMEOUT, "inv-delay-us=150000");
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    qinv_clear(&lab, ITE);
    step_ms(&lab, 48);
    g_assert_cmphex(fsts(&lab), ==, 0);
    step_ms(&lab, 2);
    g_assert_cmphex(fsts(&lab), ==, ICE);
    g_assert_cmphex(qinv_icesid(&lab.v), ==, lab.d.rid);
    g_assert_cmpuint(qinv_count(&lab, "completions"), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    qvtd_wait(&lab.v, 0);
    pri_lab_stop(&lab);
}

/*
 * The ITag is in use again: nobody can tell the late completion from that of
 * the new request, and it is the second one that is unexpected
 */
static void test_late_reused(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, TIMEOUT ",itags=1", "inv-reply=hold");
    put(&lab);
    qvtd_qi_ring(&lab.v);
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    qinv_clear(&lab, ITE);
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 2);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    set(&lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    g_assert_cmphex(fsts(&lab), ==, 0);
    set(&lab, "inv-release", "1");
    g_assert_cmphex(fsts(&lab), ==, ICE);
    pri_lab_stop(&lab);
}

/* -- QI-25: functions that go away ----------------------------------------- */

/* A Function Level Reset drops what it was asked for */
static void test_flr(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, "ite-timeout-ms=1000", "inv-reply=hold");
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    qpt_flr(&lab.d);
    qpt_restore(&lab.d);
    set(&lab, "inv-release", "32");
    g_assert_cmphex(fsts(&lab), ==, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    step_ms(&lab, 1001);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    qinv_clear(&lab, ITE);

    /* and it answers again */
    set(&lab, "inv-reply", "'complete'");
    put(&lab);
    qvtd_wait(&lab.v, 0);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* PCIe 10.3.3: neither Bus Master Enable nor ATS Enable is needed to answer */
static void test_disabled(void)
{
    PriLab lab;

    qinv_start(&lab, TIMEOUT, NULL);
    qpt_config_writew(&lab.d, lab.d.ats + QPT_ATS_CTRL, 0);
    put(&lab);
    qvtd_wait(&lab.v, 0);
    qpt_config_writew(&lab.d, 4, 2);
    put(&lab);
    qvtd_wait(&lab.v, 0);
    step_ms(&lab, 1000);
    g_assert_cmphex(fsts(&lab), ==, 0);
    pri_lab_stop(&lab);
}

/* Unplugged with invalidations on their way and deferred */
static void test_unplug(void)
{
    unsigned int i;
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, TIMEOUT LAB_NATIVE_HOTPLUG, "inv-reply=hold");
    for (i = 0; i < 40; i++) {
        put(&lab);
    }
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, 32);
    lab_unplug(&lab);
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    qinv_clear(&lab, ITE);
    g_assert_cmpuint(qinv_count(&lab, "requests"), ==, 40);
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    step_ms(&lab, 101);
    g_assert_cmphex(fsts(&lab), ==, ITE);
    g_assert_cmphex(qinv_itesid(&lab.v), ==, lab.d.rid);
    qinv_clear(&lab, ITE);
    qvtd_wait(&lab.v, 0);
    g_assert_cmpuint(qinv_count(&lab, "timeouts"), ==, 40);
    pri_lab_stop(&lab);
}

/* The whole machine, with completions that are held and ones that are timed */
static void test_machine_reset(const void *opaque)
{
    PriLab lab;
    int i;

    qinv_start(&lab, TIMEOUT, opaque);
    for (i = 0; i < 40; i++) {
        put(&lab);
    }
    qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    lab_reset(&lab);
    set(&lab, "inv-release", "32");
    step_ms(&lab, 1000);
    g_assert_cmphex(fsts(&lab), ==, 0);
    g_assert_cmphex(qvtd_readq(&lab.v, QVTD_IQH), ==, 0);
    pri_lab_stop(&lab);
}

/* -- QI-31: waits, with completions in an order of their own --------------- */

static void test_wait_for_all(void)
{
    uint32_t slot;
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=hold");
    put(&lab);
    put(&lab);
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    set(&lab, "inv-release-last", "1");
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    set(&lab, "inv-release", "1");
    g_assert_false(qvtd_wait_done(&lab.v, slot));
    set(&lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, slot));
    pri_lab_stop(&lab);
}

/* What was issued behind a wait does not keep it */
static void test_wait_for_earlier(void)
{
    uint32_t a, b;
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=hold");
    put(&lab);
    a = qinv_put_wait(&lab.v, SW);
    put(&lab);
    b = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 2);
    set(&lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, a));
    g_assert_false(qvtd_wait_done(&lab.v, b));
    set(&lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, b));
    pri_lab_stop(&lab);
}

/* This unit reports waits in the order of the queue */
static void test_wait_order(void)
{
    uint32_t a, b;
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=hold");
    put(&lab);
    a = qinv_put_wait(&lab.v, SW);
    put(&lab);
    b = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    set(&lab, "inv-release-last", "1");
    g_assert_false(qvtd_wait_done(&lab.v, a));
    g_assert_false(qvtd_wait_done(&lab.v, b));
    set(&lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, a));
    g_assert_true(qvtd_wait_done(&lab.v, b));
    pri_lab_stop(&lab);
}

static void test_fence_until_completion(void)
{
    uint32_t a, b;
    PriLab lab;

    qinv_start(&lab, DEEP, "inv-reply=hold");
    put(&lab);
    a = qinv_put_wait(&lab.v, SW | FN);
    put(&lab);
    b = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 1);
    set(&lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, a));
    g_assert_cmpuint(qpt_readq(&lab.d, PT_CNT_INV_REQUESTS), ==, 2);
    g_assert_false(qvtd_wait_done(&lab.v, b));
    set(&lab, "inv-release", "1");
    g_assert_true(qvtd_wait_done(&lab.v, b));
    pri_lab_stop(&lab);
}

/* -- QI-39: the function answers after 100 ms ------------------------------ */

static void test_100_ms(const void *opaque)
{
    const char *vtd = opaque;
    uint32_t slot, behind;
    PriLab lab;

    qinv_start(&lab, vtd, "inv-delay-us=100000");
    put(&lab);
    slot = qinv_put_wait(&lab.v, SW);
    qinv_put(&lab.v, qvtd_desc_iotlb_global());
    behind = qinv_put_wait(&lab.v, SW);
    qvtd_qi_ring(&lab.v);
    g_assert_cmpuint(qinv_step_until(&lab.v, slot, QINV_MS, 200), ==, 100);
    g_assert_true(qvtd_wait_done(&lab.v, behind));
    g_assert_true(qvtd_qi_idle(&lab.v));
    g_assert_cmphex(fsts(&lab), ==, 0);
    pri_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    pri_lab_test_init(&argc, &argv);
    g_test_add_func("/vtd/qi/QI-24/late", test_late);
    g_test_add_func("/vtd/qi/QI-24/late-and-reused", test_late_reused);
    g_test_add_func("/vtd/qi/QI-25/flr", test_flr);
    g_test_add_func("/vtd/qi/QI-25/disabled", test_disabled);
    g_test_add_func("/vtd/qi/QI-25/unplugged", test_unplug);
    g_test_add_data_func("/vtd/qi/QI-25/machine-reset-held",
                         "inv-reply=hold", test_machine_reset);
    g_test_add_data_func("/vtd/qi/QI-25/machine-reset-delayed",
                         "inv-delay-us=50000", test_machine_reset);
    g_test_add_func("/vtd/qi/QI-31/waits-for-all", test_wait_for_all);
    g_test_add_func("/vtd/qi/QI-31/waits-for-earlier", test_wait_for_earlier);
    g_test_add_func("/vtd/qi/QI-31/in-order", test_wait_order);
    g_test_add_func("/vtd/qi/QI-31/fence-until-completion",
                    test_fence_until_completion);
    g_test_add_data_func("/vtd/qi/QI-39/device-100-ms", "wait-depth=1",
                         test_100_ms);
    g_test_add_data_func("/vtd/qi/QI-39/device-100-ms-deep", "wait-depth=8",
                         test_100_ms);
    return g_test_run();
}
