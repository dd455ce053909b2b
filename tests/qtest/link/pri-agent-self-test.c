/*
 * ats-test-agent itself: it does what its header says, or the tests that rely
 * on it say nothing (include/hw/misc/ats-test-agent.h)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/agent.h"

#define RW              (ATA_READ | ATA_WRITE)
#define PATTERN         0x5152535455565758ULL

static uint64_t get(AgentLab *lab, unsigned int reg)
{
    return qtest_readq(lab->qts, lab->bar + reg);
}

static void set(AgentLab *lab, unsigned int reg, uint64_t val)
{
    qtest_writeq(lab->qts, lab->bar + reg, val);
}

/* -- Registers ------------------------------------------------------------- */

/* What a register reads after a write of ones; it has one record */
static uint64_t expected(unsigned int reg, const uint64_t record[ATA_FIELDS])
{
    if (reg == ATA_ID) {
        return ATA_MAGIC;
    }
    if (reg == ATA_RECORDS) {
        return 1;
    }
    if (reg >= ATA_RECORD(0) && reg < ATA_RECORD(ATA_FIELDS)) {
        return record[(reg - ATA_RECORD(0)) / 8];
    }
    return reg >= ATA_ARG(0) && reg < ATA_ARG(ATA_FIELDS) ? UINT64_MAX : 0;
}

/* The whole page: what is no argument does not change, no row reads 0 */
static void test_registers(void)
{
    uint64_t record[ATA_FIELDS];
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_touch(&lab, PT_OP_READ, AGENT_PASID, AGENT_IOVA);
    g_assert_cmpuint(agent_records(&lab), ==, 1);
    for (unsigned int i = 0; i < ATA_FIELDS; i++) {
        record[i] = get(&lab, ATA_RECORD(i));
    }
    g_assert_cmpuint(record[ATA_KIND], ==, ATA_TRANSLATION);
    g_assert_cmphex(record[ATA_ADDR], ==, AGENT_IOVA);
    for (unsigned int reg = 0; reg < ATA_SIZE; reg += 8) {
        if (reg != ATA_TAKE) {
            set(&lab, reg, UINT64_MAX);
        }
    }
    for (unsigned int reg = 0; reg < ATA_SIZE; reg += 8) {
        g_assert_cmphex(get(&lab, reg), ==, expected(reg, record));
    }
    for (unsigned int i = 0; i < ATA_FIELDS; i++) {
        set(&lab, ATA_ARG(i), i + 1);
    }
    for (unsigned int i = 0; i < ATA_FIELDS; i++) {
        g_assert_cmphex(get(&lab, ATA_ARG(i)), ==, i + 1);
    }
    agent_lab_stop(&lab);
}

/* -- The table ------------------------------------------------------------- */

/* Does a Translation Request for the page permit to read it? */
static bool found(AgentLab *lab, uint64_t iova)
{
    qpt_writel(&lab->d, PT_CTRL, PT_CTRL_FLUSH_ATC);
    return agent_touch(lab, PT_OP_READ, AGENT_PASID, iova) == PT_ST_DONE;
}

/* An entry is of one requester id and one PASID, and of a status there is */
static void test_entry(void)
{
    const uint64_t good[ATA_FIELDS] = {
        [ATA_PASID] = AGENT_PASID, [ATA_ADDR] = AGENT_IOVA,
        [ATA_TO] = AGENT_RAM, [ATA_MASK] = AGENT_PAGE - 1,
        [ATA_FLAGS] = ATA_READ,
    };
    static const struct {
        AtaField field;
        uint64_t flip;
    } wrong[] = {
        { ATA_RID, 1 },
        { ATA_PASID, 1 },
        { ATA_ADDR, AGENT_PAGE },
        { ATA_CODE, ATA_TR_CA + 1 },
    };
    uint64_t fields[ATA_FIELDS];
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
        memcpy(fields, good, sizeof(fields));
        fields[ATA_RID] = lab.d.rid;
        fields[wrong[i].field] ^= wrong[i].flip;
        agent_put(&lab, fields);
        g_assert_false(found(&lab, AGENT_IOVA));
        fields[wrong[i].field] ^= wrong[i].flip;
    }
    agent_put(&lab, fields);
    g_assert_true(found(&lab, AGENT_IOVA));
    agent_lab_stop(&lab);
}

/* All that an address is in go, by its first byte and by its last */
static void test_unmap(void)
{
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    for (unsigned int i = 0; i < 4; i++) {
        agent_map(&lab, AGENT_PASID, AGENT_IOVA + i * AGENT_PAGE, AGENT_RAM,
                  AGENT_PAGE, ATA_READ);
    }
    agent_map(&lab, AGENT_PASID, AGENT_IOVA, AGENT_RAM, 2 * AGENT_PAGE,
              ATA_READ);
    agent_unmap(&lab, AGENT_PASID, AGENT_IOVA + 2 * AGENT_PAGE - 1);
    g_assert_true(found(&lab, AGENT_IOVA));
    g_assert_false(found(&lab, AGENT_IOVA + AGENT_PAGE));
    g_assert_true(found(&lab, AGENT_IOVA + 2 * AGENT_PAGE));
    agent_unmap(&lab, AGENT_PASID, AGENT_IOVA + 3 * AGENT_PAGE);
    g_assert_true(found(&lab, AGENT_IOVA + 2 * AGENT_PAGE));
    g_assert_false(found(&lab, AGENT_IOVA + 3 * AGENT_PAGE));
    agent_lab_stop(&lab);
}

/* A table that is full takes no more */
static void test_full(void)
{
    const uint64_t end = AGENT_IOVA + ATA_TABLE_MAX * AGENT_PAGE;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    agent_map(&lab, AGENT_PASID, AGENT_IOVA, AGENT_RAM, AGENT_PAGE, ATA_READ);
    for (unsigned int i = 1; i <= ATA_TABLE_MAX; i++) {
        set(&lab, ATA_ARG(ATA_ADDR), AGENT_IOVA + i * AGENT_PAGE);
        set(&lab, ATA_DO, ATA_MAP);
    }
    g_assert_true(found(&lab, AGENT_IOVA));
    g_assert_true(found(&lab, end - AGENT_PAGE));
    g_assert_false(found(&lab, end));
    agent_lab_stop(&lab);
}

/* -- What goes down the link ----------------------------------------------- */

/* The newest entry of the function's own log */
static uint32_t logged(AgentLab *lab, uint32_t kind)
{
    uint32_t n = qpt_readl(&lab->d, PT_LOG_COUNT);

    do {
        qpt_writel(&lab->d, PT_LOG_SELECT, --n);
        g_assert_cmpuint(qpt_readl(&lab->d, PT_LOG_KIND), !=, 0);
    } while (qpt_readl(&lab->d, PT_LOG_KIND) != kind);
    return qpt_readl(&lab->d, PT_LOG_CODE);
}

/* A completion has the permissions of its entry and no other */
static void test_permissions(void)
{
    static const struct {
        uint32_t flags;
        uint32_t code;
    } rows[] = {
        { 0, 0 },
        { ATA_READ, PT_RAW_READ },
        { ATA_WRITE, PT_RAW_WRITE },
        { ATA_EXEC, PT_RAW_EXEC },
        { ATA_NON_SNOOPED, PT_LOG_NON_SNOOPED },
    };
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        agent_map(&lab, AGENT_PASID, AGENT_IOVA, AGENT_RAM, AGENT_PAGE,
                  rows[i].flags);
        found(&lab, AGENT_IOVA);
        g_assert_cmphex(logged(&lab, PT_LOG_TRANSLATION), ==, rows[i].code);
    }
    agent_lab_stop(&lab);
}

/* An Invalidate Request has the fields that it was given and no other */
static void test_invalidate(void)
{
    static const uint32_t flags[] = { 0, ATA_INV_SIZE, ATA_INV_GLOBAL };
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
        agent_invalidate(&lab, AGENT_PASID, AGENT_IOVA, 7, flags[i]);
        g_assert_cmphex(logged(&lab, PT_LOG_INV_REQUEST), ==, i);
        g_assert_cmpuint(qpt_readl(&lab.d, PT_LOG_TAG), ==, 7);
        g_assert_cmphex(agent_take(&lab).tag, ==, 1u << 7);
        g_assert_cmphex(logged(&lab, PT_LOG_INV_COMPLETION), ==, 1);
        g_assert_cmpuint(qpt_readl(&lab.d, PT_LOG_TAG), ==, 7);
    }
    agent_lab_stop(&lab);
}

/* -- Untranslated requests ------------------------------------------------- */

static uint32_t untranslated(AgentLab *lab, uint32_t cmd, uint64_t iova)
{
    QPtOp op = agent_op(cmd, AGENT_PASID, iova, 8);

    op.flags |= PT_FLAG_UNTRANSLATED;
    op.pattern = PATTERN;
    return qpt_run(&lab->d, 0, &op);
}

/* They need the permission, and go where the entry says, byte by byte */
static void test_untranslated(void)
{
    static const struct {
        uint32_t flags;
        uint32_t read, write;   /* PT_ST_* */
    } rows[] = {
        { 0, PT_ST_DMA_ERROR, PT_ST_DMA_ERROR },
        { ATA_READ, PT_ST_DONE, PT_ST_DMA_ERROR },
        { ATA_WRITE, PT_ST_DMA_ERROR, PT_ST_DONE },
        { RW, PT_ST_DONE, PT_ST_DONE },
    };
    const uint64_t to = AGENT_RAM + 4 * AGENT_PAGE;
    AgentLab lab;

    agent_lab_start(&lab, NULL, 0);
    g_assert_cmpuint(untranslated(&lab, PT_OP_FILL, AGENT_IOVA), ==,
                     PT_ST_DMA_ERROR);
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        agent_map(&lab, AGENT_PASID, AGENT_IOVA, to, 2 * AGENT_PAGE,
                  rows[i].flags);
        g_assert_cmpuint(untranslated(&lab, PT_OP_READ, AGENT_IOVA), ==,
                         rows[i].read);
        g_assert_cmpuint(untranslated(&lab, PT_OP_FILL, AGENT_IOVA), ==,
                         rows[i].write);
    }
    g_assert_cmpuint(untranslated(&lab, PT_OP_FILL,
                                  AGENT_IOVA + AGENT_PAGE + 0x128), ==,
                     PT_ST_DONE);
    g_assert_cmphex(qtest_readq(lab.qts, to + AGENT_PAGE + 0x128), ==,
                    PATTERN);
    agent_lab_stop(&lab);
}

int main(int argc, char **argv)
{
    agent_test_init(&argc, &argv);

    qtest_add_func("/agent/self/registers", test_registers);
    qtest_add_func("/agent/self/entry", test_entry);
    qtest_add_func("/agent/self/unmap", test_unmap);
    qtest_add_func("/agent/self/full", test_full);
    qtest_add_func("/agent/self/permissions", test_permissions);
    qtest_add_func("/agent/self/invalidate", test_invalidate);
    qtest_add_func("/agent/self/untranslated", test_untranslated);

    return g_test_run();
}
