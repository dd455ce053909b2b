/*
 * pri-testdev: operations, and where one stands
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_TESTDEV_OP_H
#define PRI_TESTDEV_OP_H

#include "types.h"

/* What a channel is asked to do; sampled when it starts */
typedef struct PtOp {
    uint32_t cmd;
    uint32_t flags;
    uint32_t pasid;
    uint32_t group;
    uint32_t retries;
    uint64_t src;
    uint64_t dst;
    uint64_t len;
    uint64_t pattern;
    uint64_t list;
    uint32_t list_len;
} PtOp;

static inline bool pt_op_reads(const PtOp *op)
{
    return op->cmd == PT_OP_READ || op->cmd == PT_OP_COPY;
}

static inline bool pt_op_writes(const PtOp *op)
{
    return op->cmd == PT_OP_WRITE || op->cmd == PT_OP_FILL ||
           op->cmd == PT_OP_COPY;
}

/* Is one side of it a list? */
static inline bool pt_op_has_list(const PtOp *op)
{
    return op->flags & (PT_FLAG_GATHER | PT_FLAG_SCATTER);
}

/* One side of an operation: what is left of its source or its destination */
typedef struct PtSide {
    uint64_t addr;          /* where it is now */
    uint64_t last;          /* its last byte, or that of the entry of a list */
    AtsAccess acc;
} PtSide;

/* The entry of a list that is being done; len is 0 if there is none */
typedef struct PtPiece {
    uint64_t addr;
    uint32_t len;
    uint32_t done;
    bool last;
} PtPiece;

/* What a channel waits for */
typedef enum PtRun {
    PT_RUN_STOPPED,     /* a command */
    PT_RUN_READY,       /* its turn */
    PT_RUN_RESPONSE,    /* the response to its group */
    PT_RUN_CREDITS,     /* credits or a PRG index; it is in the queue */
    PT_RUN_TRANSLATION, /* a Translation Completion */
    PT_RUN_PAUSE,       /* retry-delay-us */
} PtRun;

typedef struct PtChannel {
    PtOp next;              /* parameter registers */
    PtOp op;                /* the operation that runs or has ended */
    uint8_t run;            /* PtRun */
    uint32_t seq;           /* of the operation; ties a group to it */

    /* Result registers */
    uint32_t status;
    uint32_t irq_status;
    uint32_t crc;
    uint32_t resp_code;
    uint32_t requests;
    uint32_t groups;
    uint32_t refused;
    uint32_t list_done;
    uint64_t done;
    uint64_t err_addr;

    PtPiece piece;

    /* The fault being served */
    bool fault;
    bool fault_write;       /* on the destination */
    bool answered;          /* with Success, and not looked at since */
    uint32_t tries;         /* times it was answered without an effect */
    uint64_t fault_page;
} PtChannel;

/**
 * pt_op_pasid: the PASID of @op, or ATS_NO_PASID
 */
uint32_t pt_op_pasid(const PtOp *op);

/**
 * pt_op_valid: can @op be started, as far as its parameters tell?
 */
bool pt_op_valid(const PriTestdev *d, const PtOp *op);

/**
 * pt_op_left: bytes that are left, of the entry if there is a list
 */
uint64_t pt_op_left(const PtChannel *ch);

/**
 * pt_op_side: the source or the destination
 */
PtSide pt_op_side(const PtChannel *ch, bool write);

/**
 * pt_op_position: where it stands, for an end that has no address of its own
 */
uint64_t pt_op_position(const PtChannel *ch);

/**
 * pt_op_advance: @len more bytes are done
 *
 * Returns: true if that was all.
 */
bool pt_op_advance(PtChannel *ch, uint32_t len);

/**
 * pt_op_wants_entry: must an entry of the list be read before anything else?
 */
static inline bool pt_op_wants_entry(const PtChannel *ch)
{
    return pt_op_has_list(&ch->op) && !ch->piece.len;
}

/**
 * pt_list_side: the rest of the list; its first entry is the one to read
 */
PtSide pt_list_side(const PtChannel *ch);

/**
 * pt_list_take: go on with the entry whose PT_LIST_ENTRY_SIZE bytes are @entry
 *
 * Returns: false if it is invalid.
 */
bool pt_list_take(PtChannel *ch, const uint8_t *entry);

/**
 * pt_op_started: is it an operation that a command has started, and that has
 * not come to its end?  Asked of what was migrated.
 */
bool pt_op_started(const PriTestdev *d, const PtChannel *ch);

#endif /* PRI_TESTDEV_OP_H */
