/*
 * libqos driver for the VT-d remapping hardware of q35, in scalable mode
 *
 * Registers and the structures in memory.  The queues are in vtd-queues.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "libqtest.h"
#include "libqos/vtd.h"
#include "qobject/qnum.h"

#define QVTD_MEMORY_START       0x1000000ULL
#define QVTD_MEMORY_END         0xf000000ULL
#define QVTD_OBJECT             "/machine/peripheral/vtd"

#define QVTD_ADDR_MASK          0x000ffffffffff000ULL

void qvtd_init(QVtd *v, QTestState *qts)
{
    memset(v, 0, sizeof(*v));
    v->qts = qts;
    v->next = QVTD_MEMORY_START;
    v->cap = qvtd_readq(v, QVTD_CAP);
    v->ecap = qvtd_readq(v, QVTD_ECAP);
}

uint64_t qvtd_alloc(QVtd *v, unsigned int pages)
{
    uint64_t addr = v->next;

    v->next += pages * 4096ULL;
    g_assert_cmphex(v->next, <=, QVTD_MEMORY_END);
    qtest_memset(v->qts, addr, 0, pages * 4096ULL);
    return addr;
}

uint32_t qvtd_readl(QVtd *v, unsigned int reg)
{
    return qtest_readl(v->qts, QVTD_BASE + reg);
}

uint64_t qvtd_readq(QVtd *v, unsigned int reg)
{
    return qtest_readq(v->qts, QVTD_BASE + reg);
}

void qvtd_writel(QVtd *v, unsigned int reg, uint32_t value)
{
    qtest_writel(v->qts, QVTD_BASE + reg, value);
}

void qvtd_writeq(QVtd *v, unsigned int reg, uint64_t value)
{
    qtest_writeq(v->qts, QVTD_BASE + reg, value);
}

void qvtd_gcmd(QVtd *v, uint32_t set, uint32_t clear)
{
    uint32_t gsts = qvtd_readl(v, QVTD_GSTS) & QVTD_GSTS_ENABLES;

    qvtd_writel(v, QVTD_GCMD, (gsts | set) & ~clear);
    gsts = qvtd_readl(v, QVTD_GSTS);
    g_assert_cmphex(gsts & set, ==, set);
    g_assert_cmphex(gsts & clear, ==, 0);
}

void qvtd_set_root(QVtd *v, uint64_t root, unsigned int ttm)
{
    qvtd_writeq(v, QVTD_RTADDR, root | ttm << 10);
    qvtd_gcmd(v, QVTD_GCMD_SRTP, 0);
}

void qvtd_start(QVtd *v)
{
    v->root = qvtd_alloc(v, 1);
    qvtd_set_root(v, v->root, QVTD_TTM_SCALABLE);
    qvtd_qi_start(v, 0, true);
    qvtd_flush(v);
    qvtd_gcmd(v, QVTD_GCMD_TE, 0);
}

/* -- Remapping structures -------------------------------------------------- */

uint64_t qvtd_get(QVtd *v, uint64_t entry, QVtdField field)
{
    uint64_t word = qtest_readq(v->qts, entry + field.word * 8);

    return extract64(word, field.shift, field.width);
}

void qvtd_set(QVtd *v, uint64_t entry, QVtdField field, uint64_t value)
{
    uint64_t word = qtest_readq(v->qts, entry + field.word * 8);

    word = deposit64(word, field.shift, field.width, value);
    qtest_writeq(v->qts, entry + field.word * 8, word);
}

uint64_t qvtd_root_entry(QVtd *v, uint16_t rid)
{
    return v->root + (rid >> 8) * 16;
}

uint64_t qvtd_context_entry(QVtd *v, uint16_t rid)
{
    uint64_t half = qvtd_root_entry(v, rid) + (rid & 0x80 ? 8 : 0);
    uint64_t table = qtest_readq(v->qts, half) & QVTD_ADDR_MASK;

    return table + (rid & 0x7f) * 32;
}

uint64_t qvtd_pasid_dir_entry(QVtd *v, uint16_t rid, uint32_t pasid)
{
    uint64_t ce = qvtd_context_entry(v, rid);

    return (qvtd_get(v, ce, QVTD_CE_PASIDDIRPTR) << 12) + (pasid >> 6) * 8;
}

uint64_t qvtd_pasid_entry(QVtd *v, uint16_t rid, uint32_t pasid)
{
    uint64_t pde = qvtd_pasid_dir_entry(v, rid, pasid);

    return (qvtd_get(v, pde, QVTD_PDE_SMPTBLPTR) << 12) + (pasid & 0x3f) * 64;
}

void qvtd_device_setup(QVtd *v, uint16_t rid, unsigned int pdts)
{
    uint64_t half = qvtd_root_entry(v, rid) + (rid & 0x80 ? 8 : 0);
    uint64_t dir = qvtd_alloc(v, MAX((1 << (pdts + 7)) * 8 / 4096, 1));
    uint64_t ce;

    if (!(qtest_readq(v->qts, half) & 1)) {
        qtest_writeq(v->qts, half, qvtd_alloc(v, 1) | 1);
    }
    ce = qvtd_context_entry(v, rid);
    qvtd_set(v, ce, QVTD_CE_PASIDDIRPTR, dir >> 12);
    qvtd_set(v, ce, QVTD_CE_PDTS, pdts);
    /* Each is reserved in hardware that does not know what it enables, 9.4 */
    qvtd_set(v, ce, QVTD_CE_DTE, !!(v->ecap & QVTD_ECAP_DT));
    qvtd_set(v, ce, QVTD_CE_PASIDE, !!(v->ecap & QVTD_ECAP_PASID));
    qvtd_set(v, ce, QVTD_CE_PRE, !!(v->ecap & QVTD_ECAP_PRS));
    qvtd_set(v, ce, QVTD_CE_P, 1);
}

uint64_t qvtd_pasid_setup(QVtd *v, uint16_t rid, uint32_t pasid, uint16_t did)
{
    uint64_t pde = qvtd_pasid_dir_entry(v, rid, pasid);
    uint64_t pml4 = qvtd_alloc(v, 1);
    uint64_t pe;

    if (!qvtd_get(v, pde, QVTD_PDE_P)) {
        qtest_writeq(v->qts, pde, qvtd_alloc(v, 1) | 1);
    }
    pe = qvtd_pasid_entry(v, rid, pasid);
    qvtd_set(v, pe, QVTD_PE_PGTT, QVTD_PGTT_FIRST);
    qvtd_set(v, pe, QVTD_PE_DID, did);
    qvtd_set(v, pe, QVTD_PE_FSPTPTR, pml4 >> 12);
    if (v->ecap & QVTD_ECAP_SMPWC) {
        qvtd_set(v, pe, QVTD_PE_PWSNP, 1);
    }
    qvtd_set(v, pe, QVTD_PE_P, 1);
    return pml4;
}

/* Walk to the leaf of a 4-level table, making the tables on the way */
static uint64_t qvtd_leaf(QVtd *v, uint64_t table, uint64_t iova,
                          uint64_t link_flags)
{
    int level;

    for (level = 3; level > 0; level--) {
        uint64_t slot = table + extract64(iova, 12 + 9 * level, 9) * 8;
        uint64_t entry = qtest_readq(v->qts, slot);

        if (!(entry & link_flags)) {
            entry = qvtd_alloc(v, 1) | link_flags;
            qtest_writeq(v->qts, slot, entry);
        }
        table = entry & QVTD_ADDR_MASK;
    }
    return table + extract64(iova, 12, 9) * 8;
}

uint64_t qvtd_fs_map(QVtd *v, uint64_t pml4, uint64_t iova, uint64_t pa,
                     uint64_t flags)
{
    /* VT-d 3.10: hardware that does not snoop cannot set these */
    uint64_t a = v->ecap & QVTD_ECAP_SMPWC ? 0 : QVTD_FS_A;
    uint64_t d = !a || !(flags & QVTD_FS_RW) ? 0 : QVTD_FS_D;
    uint64_t pte = qvtd_leaf(v, pml4, iova, QVTD_FS_USER | a);

    qtest_writeq(v->qts, pte, flags ? pa | flags | a | d : 0);
    return pte;
}

uint64_t qvtd_ss_map(QVtd *v, uint64_t pml4, uint64_t iova, uint64_t pa,
                     uint64_t flags)
{
    uint64_t pte = qvtd_leaf(v, pml4, iova, QVTD_SS_R | QVTD_SS_W);

    qtest_writeq(v->qts, pte, flags ? pa | flags : 0);
    return pte;
}

/* -- Faults and events ----------------------------------------------------- */

bool qvtd_fault(QVtd *v, QVtdFault *fault)
{
    unsigned int fri = extract32(qvtd_readl(v, QVTD_FSTS), 8, 8);
    unsigned int reg = QVTD_CAP_FRO(v->cap) + fri * 16;

    fault->lo = qvtd_readq(v, reg);
    fault->hi = qvtd_readq(v, reg + 8);
    return QVTD_FAULT_F(fault);
}

void qvtd_fault_clear(QVtd *v)
{
    unsigned int i;

    for (i = 0; i < QVTD_CAP_NFR(v->cap); i++) {
        /* F is in the highest dword, RW1C */
        qvtd_writel(v, QVTD_CAP_FRO(v->cap) + i * 16 + 12, 1U << 31);
    }
    qvtd_writel(v, QVTD_FSTS, QVTD_FSTS_PFO | QVTD_FSTS_IQE | QVTD_FSTS_ICE |
                              QVTD_FSTS_ITE);
}

void qvtd_msi_setup(QVtd *v, unsigned int ctl, uint64_t addr, uint16_t data)
{
    qvtd_writel(v, ctl + 4, data);
    qvtd_writel(v, ctl + 8, addr);
    qvtd_writel(v, ctl + 12, addr >> 32);
}

uint64_t qvtd_counter(QVtd *v, const char *name)
{
    QDict *rsp = qtest_qmp(v->qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': %s, 'property': %s } }",
                           QVTD_OBJECT, name);
    QNum *num = qobject_to(QNum, qdict_get(rsp, "return"));
    uint64_t value = UINT64_MAX;

    if (!num || !qnum_get_try_uint(num, &value)) {
        g_test_message("no counter %s", name);
        g_test_fail();
    }
    qobject_unref(rsp);
    return value;
}

bool qvtd_has_property(QVtd *v, const char *name)
{
    QDict *rsp = qtest_qmp(v->qts, "{ 'execute': 'qom-get', 'arguments': "
                           "{ 'path': %s, 'property': %s } }",
                           QVTD_OBJECT, name);
    bool has = qdict_haskey(rsp, "return");

    qobject_unref(rsp);
    return has;
}

void qvtd_set_property(QVtd *v, const char *name, const char *json)
{
    g_autofree char *cmd = NULL;
    QDict *rsp;

    cmd = g_strdup_printf("{ 'execute': 'qom-set', 'arguments': "
                          "{ 'path': '" QVTD_OBJECT "', 'property': '%s', "
                          "'value': %s } }", name, json);
    qtest_qmp_send_raw(v->qts, "%s", cmd);
    rsp = qtest_qmp_receive(v->qts);
    if (!qdict_haskey(rsp, "return")) {
        g_test_message("cannot set %s to %s", name, json);
        g_test_fail();
    }
    qobject_unref(rsp);
}
