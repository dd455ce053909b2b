/*
 * The machine of the tests of a function that know no IOMMU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define AGENT_SLOT      3
#define AGENT_PORT      4
#define AGENT_BUS       1
#define AGENT_BAR       0xe0000000ULL       /* below what the port forwards */
#define PCI_COMMAND     0x04
#define PCI_BAR0        0x10

void agent_test_init(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    g_test_set_nonfatal_assertions();
}

static uint64_t get(AgentLab *lab, unsigned int reg)
{
    return qtest_readq(lab->qts, lab->bar + reg);
}

static void set(AgentLab *lab, unsigned int reg, uint64_t val)
{
    qtest_writeq(lab->qts, lab->bar + reg, val);
}

void agent_lab_boot(AgentLab *lab, const char *dev, const char *more)
{
    const uint16_t rid = AGENT_SLOT << 3;

    memset(lab, 0, sizeof(*lab));
    lab->qts = qtest_initf(
        "-machine q35 -m 256M -nodefaults "
        "-device ats-test-agent,id=agent,bus=pcie.0,addr=%u "
        "-device pcie-root-port,id=rp0,chassis=1,slot=1,bus=pcie.0,addr=%u "
        "-device pri-testdev,id=pt0,bus=rp0%s%s %s", AGENT_SLOT, AGENT_PORT,
        dev ? "," : "", dev ?: "", more ?: "");
    lab->bar = AGENT_BAR;
    qpt_ecam_enable(lab->qts);
    qtest_writel(lab->qts, qpt_ecam(rid, PCI_BAR0), lab->bar);
    qtest_writew(lab->qts, qpt_ecam(rid, PCI_COMMAND), 2);
    g_assert_cmphex(get(lab, ATA_ID), ==, ATA_MAGIC);
    qpt_init(&lab->d, lab->qts, AGENT_PORT, AGENT_BUS);
}

void agent_lab_start(AgentLab *lab, const char *dev, uint32_t alloc)
{
    agent_lab_boot(lab, dev, NULL);
    qpt_enable(&lab->d, alloc);
}

void agent_lab_stop(AgentLab *lab)
{
    g_assert_cmpuint(get(lab, ATA_LOST), ==, 0);
    qtest_quit(lab->qts);
}

/* -- What the agent is told ------------------------------------------------ */

static void command(AgentLab *lab, AtaCommand what,
                    const uint64_t fields[ATA_FIELDS])
{
    for (unsigned int i = 0; i < ATA_FIELDS; i++) {
        set(lab, ATA_ARG(i), fields[i]);
    }
    set(lab, ATA_DO, what);
}

void agent_put(AgentLab *lab, const uint64_t fields[ATA_FIELDS])
{
    command(lab, ATA_MAP, fields);
}

void agent_map(AgentLab *lab, uint32_t pasid, uint64_t iova, uint64_t pa,
               uint64_t size, uint32_t flags)
{
    agent_put(lab, (const uint64_t [ATA_FIELDS]) {
        [ATA_RID] = lab->d.rid, [ATA_PASID] = pasid, [ATA_ADDR] = iova,
        [ATA_TO] = pa, [ATA_MASK] = size - 1, [ATA_FLAGS] = flags,
    });
}

void agent_fail(AgentLab *lab, uint32_t pasid, uint64_t iova, uint32_t code)
{
    agent_put(lab, (const uint64_t [ATA_FIELDS]) {
        [ATA_RID] = lab->d.rid, [ATA_PASID] = pasid, [ATA_ADDR] = iova,
        [ATA_MASK] = AGENT_PAGE - 1, [ATA_CODE] = code,
    });
}

void agent_unmap(AgentLab *lab, uint32_t pasid, uint64_t iova)
{
    command(lab, ATA_UNMAP, (const uint64_t [ATA_FIELDS]) {
        [ATA_RID] = lab->d.rid, [ATA_PASID] = pasid, [ATA_ADDR] = iova,
    });
}

void agent_respond(AgentLab *lab, uint32_t pasid, uint32_t prgi,
                   unsigned int code)
{
    command(lab, ATA_RESPOND, (const uint64_t [ATA_FIELDS]) {
        [ATA_RID] = lab->d.rid, [ATA_PASID] = pasid, [ATA_TAG] = prgi,
        [ATA_CODE] = code,
    });
}

void agent_invalidate(AgentLab *lab, uint32_t pasid, uint64_t addr,
                      unsigned int itag, uint32_t flags)
{
    command(lab, ATA_INVALIDATE, (const uint64_t [ATA_FIELDS]) {
        [ATA_RID] = lab->d.rid, [ATA_PASID] = pasid, [ATA_ADDR] = addr,
        [ATA_TAG] = itag, [ATA_FLAGS] = flags,
    });
}

/* -- What it has seen ------------------------------------------------------ */

unsigned int agent_records(AgentLab *lab)
{
    return get(lab, ATA_RECORDS);
}

AgentRecord agent_take(AgentLab *lab)
{
    AgentRecord r = {
        .kind = get(lab, ATA_RECORD(ATA_KIND)),
        .rid = get(lab, ATA_RECORD(ATA_RID)),
        .pasid = get(lab, ATA_RECORD(ATA_PASID)),
        .addr = get(lab, ATA_RECORD(ATA_ADDR)),
        .tag = get(lab, ATA_RECORD(ATA_TAG)),
        .code = get(lab, ATA_RECORD(ATA_CODE)),
        .flags = get(lab, ATA_RECORD(ATA_FLAGS)),
    };

    set(lab, ATA_TAKE, 1);
    return r;
}

AgentRecord agent_take_kind(AgentLab *lab, AtaKind kind)
{
    AgentRecord r;

    do {
        r = agent_take(lab);
    } while (r.kind != kind && r.kind != ATA_NOTHING);
    return r;
}

void agent_forget(AgentLab *lab)
{
    set(lab, ATA_TAKE, ATA_RECORDS_MAX);
}

unsigned int agent_count(AgentLab *lab, AtaKind kind)
{
    unsigned int n = 0;

    while (agent_take_kind(lab, kind).kind == kind) {
        n++;
    }
    return n;
}

/* -- What the function is told --------------------------------------------- */

QPtOp agent_op(uint32_t cmd, uint32_t pasid, uint64_t iova, uint64_t len)
{
    bool with = pasid != QPT_NO_PASID;

    return (QPtOp) {
        .cmd = cmd, .flags = with ? PT_FLAG_PASID : 0,
        .pasid = with ? pasid : 0, .src = iova, .dst = iova, .len = len,
    };
}

uint32_t agent_touch(AgentLab *lab, uint32_t cmd, uint32_t pasid,
                     uint64_t iova)
{
    QPtOp op = agent_op(cmd, pasid, iova, 8);

    op.flags |= PT_FLAG_NO_PRI;
    return qpt_run(&lab->d, 7, &op);
}

bool agent_cached(AgentLab *lab, uint32_t pasid, uint64_t iova)
{
    agent_forget(lab);
    g_assert_cmpuint(agent_touch(lab, PT_OP_READ, pasid, iova), ==,
                     PT_ST_DONE);
    return agent_count(lab, ATA_TRANSLATION) == 0;
}

AgentRecord agent_fault(AgentLab *lab, unsigned int ch, uint32_t pasid,
                        uint64_t iova)
{
    QPtOp op = agent_op(PT_OP_WRITE, pasid, iova, 8);
    AgentRecord r;

    agent_forget(lab);
    qpt_start(&lab->d, ch, &op);
    g_assert_cmpuint(qpt_wait(&lab->d, ch), ==, PT_ST_RUNNING);
    r = agent_take_kind(lab, ATA_PAGE_REQUEST);
    g_assert_cmphex(r.addr, ==, iova & ~(AGENT_PAGE - 1));
    return r;
}

uint16_t agent_pri_status(AgentLab *lab)
{
    return qpt_config_readw(&lab->d, lab->d.pri + QPT_PRI_STATUS);
}
