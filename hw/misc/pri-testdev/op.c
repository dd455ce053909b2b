/*
 * pri-testdev: operations: which are valid, and where one stands
 *
 * A side of an operation is one range of memory, or the ranges of a list in
 * memory: then an entry is read when its turn comes, once, and what is read is
 * what is done, whatever becomes of the list meanwhile.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "pri-testdev.h"

/* -- Validity -------------------------------------------------------------- */

static bool pt_range_wraps(uint64_t start, uint64_t len)
{
    return start + (len - 1) < start;
}

/* One side may be a list, and is one that the operation has */
static bool pt_op_list_valid(const PtOp *op)
{
    bool gather = op->flags & PT_FLAG_GATHER;
    bool scatter = op->flags & PT_FLAG_SCATTER;

    return gather != scatter && (!gather || pt_op_reads(op)) &&
           (!scatter || pt_op_writes(op)) &&
           !(op->list % PT_LIST_ENTRY_SIZE) &&
           op->list_len && op->list_len <= PT_LIST_MAX &&
           !pt_range_wraps(op->list,
                           (uint64_t)op->list_len * PT_LIST_ENTRY_SIZE);
}

static bool pt_op_range_valid(const PtOp *op)
{
    return op->len &&
           !(pt_op_reads(op) && pt_range_wraps(op->src, op->len)) &&
           !(pt_op_writes(op) && pt_range_wraps(op->dst, op->len));
}

bool pt_op_valid(const PriTestdev *d, const PtOp *op)
{
    uint32_t flags = op->flags;

    if ((!pt_op_reads(op) && !pt_op_writes(op)) || !op->group ||
        op->group > ATS_PRGI_NR ||
        !(pt_op_has_list(op) ? pt_op_list_valid(op) : pt_op_range_valid(op))) {
        return false;
    }
    if (flags & PT_FLAG_PASID) {
        return !(flags & PT_FLAG_UNTRANSLATED &&
                 flags & (PT_FLAG_PRIV | PT_FLAG_EXEC)) &&
               !(op->pasid >> d->cfg.pasid_bits) &&
               (!(flags & PT_FLAG_EXEC) || pt_op_reads(op));
    }
    return !(flags & (PT_FLAG_PRIV | PT_FLAG_EXEC));
}

/* -- Where it stands ------------------------------------------------------- */

uint64_t pt_op_left(const PtChannel *ch)
{
    return pt_op_has_list(&ch->op) ? ch->piece.len - ch->piece.done :
           ch->op.len - ch->done;
}

static uint64_t pt_op_addr(const PtChannel *ch, bool write)
{
    if (ch->op.flags & (write ? PT_FLAG_SCATTER : PT_FLAG_GATHER)) {
        return ch->piece.addr + ch->piece.done;
    }
    return (write ? ch->op.dst : ch->op.src) + ch->done;
}

uint32_t pt_op_pasid(const PtOp *op)
{
    return op->flags & PT_FLAG_PASID ? op->pasid : ATS_NO_PASID;
}

PtSide pt_op_side(const PtChannel *ch, bool write)
{
    const PtOp *op = &ch->op;
    uint64_t addr = pt_op_addr(ch, write);

    return (PtSide) {
        .addr = addr,
        .last = addr + (pt_op_left(ch) - 1),
        .acc = {
            .addr = addr,
            .pasid = pt_op_pasid(op),
            .priv = op->flags & PT_FLAG_PRIV,
            .exec = !write && (op->flags & PT_FLAG_EXEC),
            .read = !write,
            .write = write,
        },
    };
}

static uint64_t pt_list_entry(const PtChannel *ch)
{
    return ch->op.list + (uint64_t)ch->list_done * PT_LIST_ENTRY_SIZE;
}

uint64_t pt_op_position(const PtChannel *ch)
{
    if (ch->fault) {
        return ch->fault_page;
    }
    return pt_op_wants_entry(ch) ? pt_list_entry(ch) :
           pt_op_addr(ch, !pt_op_reads(&ch->op));
}

bool pt_op_advance(PtChannel *ch, uint32_t len)
{
    bool last = ch->piece.last;

    ch->done += len;
    if (!pt_op_has_list(&ch->op)) {
        return ch->done == ch->op.len;
    }
    ch->piece.done += len;
    if (ch->piece.done != ch->piece.len) {
        return false;
    }
    memset(&ch->piece, 0, sizeof(ch->piece));
    ch->list_done++;
    return last || ch->list_done == ch->op.list_len;
}

/* -- Lists ----------------------------------------------------------------- */

PtSide pt_list_side(const PtChannel *ch)
{
    const PtOp *op = &ch->op;
    uint64_t addr = pt_list_entry(ch);

    return (PtSide) {
        .addr = addr,
        .last = op->list +
                ((uint64_t)op->list_len * PT_LIST_ENTRY_SIZE - 1),
        .acc = {
            .addr = addr,
            .pasid = pt_op_pasid(op),
            .priv = op->flags & PT_FLAG_PRIV,
            .read = true,
        },
    };
}

bool pt_list_take(PtChannel *ch, const uint8_t *entry)
{
    uint32_t flags = ldl_le_p(entry + PT_LIST_FLAGS);
    PtPiece piece = {
        .addr = ldq_le_p(entry + PT_LIST_ADDR),
        .len = ldl_le_p(entry + PT_LIST_LEN),
        .last = flags & PT_LIST_LAST,
    };
    uint64_t other = (ch->op.flags & PT_FLAG_GATHER ? ch->op.dst :
                      ch->op.src) + ch->done;

    if (!piece.len || (flags & ~PT_LIST_LAST) ||
        pt_range_wraps(piece.addr, piece.len) ||
        (ch->op.cmd == PT_OP_COPY && pt_range_wraps(other, piece.len))) {
        return false;
    }
    ch->piece = piece;
    return true;
}

bool pt_op_started(const PriTestdev *d, const PtChannel *ch)
{
    if (!pt_op_valid(d, &ch->op)) {
        return false;
    }
    return pt_op_has_list(&ch->op) ?
           ch->list_done < ch->op.list_len &&
           (ch->piece.done < ch->piece.len || !ch->piece.len) :
           ch->done < ch->op.len;
}
