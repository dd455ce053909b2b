/*
 * pri-testdev at work: loads and the one job that must always succeed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "pt.h"

#define PATTERN     0x1122334455667788ull
#define LOAD_BYTES  (64ull << 20)

void pt_load(struct pt *pt, struct pt_chan *ch, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        struct pt_op op = {
            .cmd = PT_OP_WRITE, .len = LOAD_BYTES, .pattern = PATTERN,
            .group = 1 + i, .no_irq = true,
        };

        if (!ch[i].regs) {
            pt_chan(pt, &ch[i]);
        }
        op.dst = pt_map_anon(op.len);
        pt_start(&ch[i], &op);
    }
    for (i = 0; i < n; i++) {
        while (!pt_rd64(ch[i].regs, PT_CH_DONE)) {
            CHECK(pt_rd32(ch[i].regs, PT_CH_STATUS) == PT_ST_RUNNING,
                  "channel %u ended: %s", i,
                  pt_status_name(pt_rd32(ch[i].regs, PT_CH_STATUS)));
        }
    }
}

void pt_check_works(struct pt_chan *ch)
{
    struct pt_op op = {
        .cmd = PT_OP_WRITE, .len = 16 * PT_PAGE, .pattern = PATTERN,
        .group = 4,
    };
    struct pt_result res;

    op.dst = pt_map_anon(op.len);
    pt_expect(ch, &op, PT_ST_DONE, &res);
    CHECK_EQ(res.requests, 16, "page requests");
    pt_check_stamp(op.dst, op.len, PATTERN);
    CHECK(!munmap(op.dst, op.len), "munmap: %s", strerror(errno));
}
