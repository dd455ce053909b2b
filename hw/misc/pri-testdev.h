/*
 * pri-testdev: what its files share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_PRI_TESTDEV_H
#define HW_MISC_PRI_TESTDEV_H

#include "hw/misc/pri-testdev-knobs.h"
#include "hw/misc/pri-testdev-regs.h"
#include "hw/pci/ats_function.h"
#include "hw/pci/ats_knobs.h"
#include "hw/pci/pci_device.h"
#include "qom/object.h"

#define PT_PAGE             4096
#define PT_PAGE_MASK        (~(uint64_t)(PT_PAGE - 1))

#define PT_ALL_CHANNELS     UINT64_MAX

#define TYPE_PRI_TESTDEV "pri-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(PriTestdev, PRI_TESTDEV)

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

/* What a channel waits for */
typedef enum PtRun {
    PT_RUN_STOPPED,     /* a command */
    PT_RUN_READY,       /* its turn */
    PT_RUN_RESPONSE,    /* the response to its group */
    PT_RUN_CREDITS,     /* credits or a PRG index; it is in the queue */
    PT_RUN_TRANSLATION, /* a Translation Completion */
    PT_RUN_PAUSE,       /* retry-delay-us */
} PtRun;

/* The entry of a list that is being done; len is 0 if there is none */
typedef struct PtPiece {
    uint64_t addr;
    uint32_t len;
    uint32_t done;
    bool last;
} PtPiece;

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
    uint32_t tries;         /* times it was answered in vain */
    uint64_t fault_page;
} PtChannel;

typedef struct PtCounters {
    uint64_t bytes_read;
    uint64_t bytes_written;
    uint64_t dma_errors;
} PtCounters;

/* Raw Page Request registers */
typedef struct PtRaw {
    uint64_t addr;
    uint32_t pasid;
    uint32_t flags;
    uint32_t prgi;
    uint32_t resp;
    uint32_t resp_pasid;
    uint32_t resp_count;
} PtRaw;

/* Knob registers */
typedef struct PtKnob {
    uint32_t select;
    uint32_t status;
    uint32_t low;           /* lower half of a value that is being written */
} PtKnob;

/* A completion that is sent later; due is PT_INV_HELD until it is released */
#define PT_INV_HELD         INT64_MAX

typedef struct PtInvCompletion {
    int64_t due;            /* QEMU_CLOCK_VIRTUAL, ns */
    uint8_t itag;
    uint8_t cc;             /* Completion Count */
    uint8_t messages;       /* how many are sent, which may be wrong */
    uint16_t rid_flip;      /* bits of the requester id that are wrong */
} PtInvCompletion;

typedef struct PtInv {
    QEMUTimer *timer;
    uint32_t n;
    PtInvCompletion waiting[ATS_ITAG_NR];   /* in order of the requests */
} PtInv;

/* Stop of a PASID */
typedef struct PtStop {
    QEMUTimer *timer;       /* Page Requests are about to be Stopped */
    uint32_t request;       /* what was written to PT_STOP_PASID */
    uint32_t status;
} PtStop;

/* Function events */
typedef struct PtEvent {
    uint32_t status;
    uint32_t enable;
    bool irq;               /* vector 0 shall be sent */
} PtEvent;

typedef struct PtLogEntry {
    uint64_t time;
    uint64_t addr;
    uint32_t kind;
    uint32_t pasid;         /* as in PT_LOG_PASID */
    uint32_t tag;
    uint32_t code;
} PtLogEntry;

typedef struct PtLog {
    uint64_t count;         /* entries ever written */
    uint32_t select;
    PtLogEntry entry[PT_LOG_SIZE];
} PtLog;

/* PT_RESET_* of the register header */
typedef uint8_t PtResetKind;

/* How the function can be reset, and what it says about it */
typedef struct PtResetConfig {
    bool pcie_flr;
    bool af_flr;
    bool acpi;
    bool no_soft_reset;
    bool immediate;         /* Immediate Readiness */
} PtResetConfig;

/*
 * Who the function says it is, PCIe 6.2 7.5.1.1, 7.5.1.2.  @class_code: base
 * class, sub-class and programming interface, 24 bits.  @vf_device: VF Device
 * ID of SR-IOV; the rest is the same in Virtual Functions.
 */
typedef struct PtIdentity {
    uint16_t vendor;
    uint16_t device;
    uint16_t vf_device;
    uint16_t subsystem_vendor;
    uint16_t subsystem;
    uint8_t revision;
    uint32_t class_code;
} PtIdentity;

/* What a reset has not ended */
typedef struct PtLateRequest {
    uint64_t addr;
    uint32_t pasid;
    bool write;
} PtLateRequest;

typedef struct PtLate {
    bool due;               /* the reset is over */
    uint32_t n;
    PtLateRequest request[PRI_TESTDEV_MAX_CHANNELS];
    bool write;             /* to addr, which was the translation of iova */
    uint32_t pasid;
    uint64_t iova;
    uint64_t addr;
} PtLate;

#define PT_MSIX_BAR         2

/* A Virtual Function is a PriTestdev as well */
#define TYPE_PRI_TESTDEV_VF "pri-testdev-vf"

struct PriTestdev {
    PCIDevice parent_obj;
    MemoryRegion mmio;

    uint32_t n_channels;
    uint64_t sn;
    bool acs;
    PtIdentity ident;
    PtResetConfig reset;
    uint32_t n_vfs;         /* Virtual Functions that it can have */
    AtsFunctionConfig cfg;
    AtsFunction fn;

    /* Everything but register accesses happens in one bottom half */
    QEMUBH *bh;
    VMChangeStateEntry *vm_state;
    bool bh_scheduled;
    QEMUTimer *pause_timer; /* of all that are PT_RUN_PAUSE */
    bool wake;              /* those who wait for credits shall try */
    uint64_t ready;         /* bit n: channel n is PT_RUN_READY */
    uint64_t irqs;          /* bit n: send the interrupt of channel n */
    uint32_t errors;        /* PCI_ERR_UNC_* that are to be reported */
    uint8_t waiters[PRI_TESTDEV_MAX_CHANNELS];  /* for credits, in order */
    uint32_t n_waiters;
    uint32_t turn;          /* channel that runs next */

    uint32_t scratch;
    uint64_t flrs;
    PtRaw raw;
    PtKnob knob;
    PriTestdevKnobs knobs;
    AtsKnobsGiven given;    /* those that somebody set at the start */
    uint64_t platform;      /* property "platform", PtPlatform */
    PtInv inv;
    bool in_reset;          /* one that takes its time, until the timer */
    PtResetKind reset_kind; /* of the last one */
    PtResetKind wanted;     /* by whoever is about to begin one */
    PtResetKind beginning;  /* between its phases */
    uint32_t resets;        /* since power on */
    bool link_down;         /* hot reset is asserted, or there is no link */
    PtLate late;
    bool gone;              /* knobs.gone, once it has taken effect */
    QEMUTimer *reset_timer;
    QEMUTimer *gone_timer;
    QEMUTimer *timeout_timer;   /* of Translation Requests */
    QEMUTimer *dma_timer;       /* of posted writes */
    MSITriggerFunc *msi_trigger;    /* PCI's own */
    MemoryRegion no_msix;   /* in place of the MSI-X BAR's while silent */
    PtStop stop;
    PtEvent event;
    PtLog log;
    PtCounters cnt;
    PtChannel ch[PRI_TESTDEV_MAX_CHANNELS];
};

/* Has the function PASIDs, its own or those of its Physical Function? */
static inline bool pt_has_pasid(const PriTestdev *d)
{
    return d->fn.pf ? d->fn.pf->cfg->pasid : d->cfg.pasid;
}

/* -- Channels: pri-testdev-channel.c --------------------------------------- */

extern const AtsFunctionOps pt_channel_function_ops;

/**
 * pt_channel_command: start the operation whose parameters are in ch[@n].next,
 * or abort the one that runs
 *
 * @cmd: PT_OP_*, or anything else, which is a bad command
 */
void pt_channel_command(PriTestdev *d, unsigned int n, uint32_t cmd);

/**
 * pt_channels_abort: end what is running on any channel
 */
void pt_channels_abort(PriTestdev *d);

/**
 * pt_channels_stop: end what uses the PASID being stopped, but for the channels
 * that wait for a response
 */
void pt_channels_stop(PriTestdev *d);

/**
 * pt_channels_reset: all channels as after power on
 */
void pt_channels_reset(PriTestdev *d);

/**
 * pt_channel_reset: one channel as after power on, its groups forgotten
 */
void pt_channel_reset(PriTestdev *d, unsigned int n);

/**
 * pt_channel_timed_out: channel @n waits for a translation in vain
 *
 * @addr: the address of the request
 */
void pt_channel_timed_out(PriTestdev *d, unsigned int n, uint64_t addr);

/**
 * pt_channels_realize, pt_channels_exit: the bottom half and the timer
 */
void pt_channels_realize(PriTestdev *d);
void pt_channels_exit(PriTestdev *d);

/**
 * pt_channels_kick: go on with what was left when the machine stopped
 */
void pt_channels_kick(PriTestdev *d);

/**
 * pt_set_run: channel @n waits for something else now
 */
void pt_set_run(PriTestdev *d, unsigned int n, PtRun run);

/**
 * pt_end: the operation of channel @n is over
 *
 * @status: PT_ST_*
 * @err_addr: what PT_CH_ERR_ADDR will say
 */
void pt_end(PriTestdev *d, unsigned int n, uint32_t status,
            uint64_t err_addr);

/* -- Page faults of a channel: pri-testdev-fault.c ------------------------- */

void pt_fault_realize(PriTestdev *d);
void pt_fault_exit(PriTestdev *d);

/**
 * pt_fault: a page of channel @n may not be accessed: ask for it
 *
 * @waited: the channel was first in the queue for credits, and is still
 * @budget: pages that may be looked at; less what the group took
 */
void pt_fault(PriTestdev *d, unsigned int n, const PtSide *side, bool waited,
              int32_t *budget);

/**
 * pt_cookie: what tells the groups of one operation from those of others
 */
uint64_t pt_cookie(const PtChannel *ch, unsigned int n);

/* -- Operations: pri-testdev-op.c ------------------------------------------ */

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
 * pt_op_post_load: is what was migrated possible?
 */
bool pt_op_post_load(const PtChannel *ch);

/* -- Memory: pri-testdev-dma.c --------------------------------------------- */

typedef enum PtDma {
    PT_DMA_READ,
    PT_DMA_WRITE,
    PT_DMA_LANDS,       /* a write from before: to RAM alone */
} PtDma;

/**
 * pt_dma_access: read or write @len bytes that do not leave a page, now
 *
 * @entry: translation of @addr; or untranslated, then @addr is accessed as it
 *         is, with @pasid if that is not ATS_NO_PASID
 *
 * Returns: false if memory cannot be accessed; that is counted.
 */
bool pt_dma_access(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                   uint64_t addr, uint8_t *buf, uint32_t len, PtDma how);

/**
 * pt_dma_generate: the bytes that WRITE or FILL has for @addr
 */
void pt_dma_generate(const PtOp *op, uint64_t addr, uint8_t *buf,
                     uint32_t len);

/* -- DMA and what it pushes: pri-testdev-posted.c -------------------------- */

/**
 * pt_dma_read, pt_dma_write: as pt_dma_access(), in the order of the link; a
 * write reaches memory when the knob dma-do says
 */
bool pt_dma_read(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                 uint64_t addr, uint8_t *buf, uint32_t len);
bool pt_dma_write(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                  uint64_t addr, uint8_t *buf, uint32_t len);

/**
 * pt_posted_land: see AtsFunctionOps
 */
void pt_posted_land(void *opaque, const AtsPostedWrite *w);

/**
 * pt_posted_reset: the function is about to be reset, or is gone
 *
 * @link: there is one, and stays
 */
void pt_posted_reset(PriTestdev *d, bool link);

/**
 * pt_posted_outlive: are posted writes for the knob flr-dma, also when a
 * configuration write begins the reset, whose completion would push them?
 */
bool pt_posted_outlive(const PriTestdev *d);

void pt_posted_add_property(ObjectClass *klass);
void pt_posted_realize(PriTestdev *d);
void pt_posted_exit(PriTestdev *d);
void pt_posted_post_load(PriTestdev *d);

/* -- Interrupts: pri-testdev-msi.c ----------------------------------------- */

/**
 * pt_msi_realize: all MSI go by the gate of ats_function_sending()
 */
void pt_msi_realize(PriTestdev *d);

/**
 * pt_msi_permitted: the function may have become able to send pending MSI
 */
void pt_msi_permitted(PriTestdev *d);

/* -- Knobs: pri-testdev-knobs.c -------------------------------------------- */

extern const AtsKnobTable pt_knob_table;

/**
 * pt_knobs_class_init: knobs, and property "platform", which sets their defaults
 */
void pt_knobs_class_init(ObjectClass *klass);

/**
 * pt_knob_read, pt_knob_write: PT_KNOB_VALUE of the selected knob
 */
uint64_t pt_knob_read(PriTestdev *d);
void pt_knob_write(PriTestdev *d, uint64_t val);

/**
 * pt_knobs_realize: let the knobs of the command line take effect
 */
void pt_knobs_realize(PriTestdev *d);

/**
 * pt_knobs_post_load: check what was migrated, let it take effect
 *
 * Returns: 0, or -EINVAL if a value is impossible.
 */
int pt_knobs_post_load(PriTestdev *d);

/* -- Invalidations: pri-testdev-inv.c -------------------------------------- */

/**
 * pt_inv_request: an Invalidate Request has arrived; see AtsFunctionOps
 */
void pt_inv_request(void *opaque, const AtsMsg *msg);

/**
 * pt_inv_release: send up to @count completions that are held
 */
void pt_inv_release(PriTestdev *d, uint64_t count, bool newest_first);

/**
 * pt_inv_vector: send one completion for all of @itags, outstanding or not;
 * completions of them that are held are dropped
 */
void pt_inv_vector(PriTestdev *d, uint32_t itags);

/**
 * pt_inv_reset: the function is about to be reset
 *
 * @can_answer: there is a link, and the function was not silent
 */
void pt_inv_reset(PriTestdev *d, bool can_answer);

/**
 * pt_inv_lose: forget all completions that wait
 */
void pt_inv_lose(PriTestdev *d);

/**
 * pt_inv_leave_d0: the function goes to D3hot
 */
void pt_inv_leave_d0(PriTestdev *d);

void pt_inv_realize(PriTestdev *d);
void pt_inv_exit(PriTestdev *d);

/**
 * pt_inv_post_load: check what was migrated
 *
 * Returns: 0, or -EINVAL if the state is impossible.
 */
int pt_inv_post_load(PriTestdev *d);

/* -- Stop of a PASID: pri-testdev-stop.c ----------------------------------- */

/**
 * pt_stop: write to PT_STOP_PASID
 */
void pt_stop(PriTestdev *d, uint32_t val);

/**
 * pt_stop_check: a group has ended
 */
void pt_stop_check(PriTestdev *d);

/**
 * pt_pri_stopping: see AtsFunctionOps
 */
void pt_pri_stopping(void *opaque);

void pt_stop_realize(PriTestdev *d);
void pt_stop_reset(PriTestdev *d);
void pt_stop_exit(PriTestdev *d);

/**
 * pt_stopping: does @op use the PASID that is being stopped?
 */
bool pt_stopping(const PriTestdev *d, const PtOp *op);

/* -- Completion Timeout: pri-testdev-timeout.c ----------------------------- */

/* See AtsFunctionOps */
int64_t pt_translation_due(void *opaque);
void pt_translation_timed_out(void *opaque, const AtsTrReq *req,
                              uint32_t owner);

/**
 * pt_timeout_add_capability: bits of the PCI Express capability
 */
void pt_timeout_add_capability(PriTestdev *d);

void pt_timeout_realize(PriTestdev *d);
void pt_timeout_reset(PriTestdev *d);
void pt_timeout_post_load(PriTestdev *d);
void pt_timeout_exit(PriTestdev *d);

/* -- Event log: pri-testdev-log.c ------------------------------------------ */

/**
 * pt_event: PT_EVENT_* has happened
 */
void pt_event(PriTestdev *d, uint32_t bit);

/**
 * pt_report: report an uncorrectable error, PCI_ERR_UNC_* or 0, some time later
 *
 * The port above may contain it and reset the function, so this does not happen
 * in the middle of something.
 */
void pt_report(PriTestdev *d, uint32_t error);

/**
 * pt_report_now: from the bottom half
 */
void pt_report_now(PriTestdev *d);

/**
 * pt_event_enable: write to PT_EVENT_ENABLE
 */
void pt_event_enable(PriTestdev *d, uint32_t val);

/**
 * pt_log: write an entry
 *
 * @kind: PT_LOG_*; PT_LOG_KINDS says what the others are
 * @pasid: PASID or ATS_NO_PASID
 */
void pt_log(PriTestdev *d, uint32_t kind, uint32_t pasid, uint32_t tag,
            uint64_t addr, uint32_t code);

/* See AtsFunctionOps */
void pt_log_message(void *opaque, const AtsMsg *msg);
void pt_log_translation(void *opaque, const AtsTrReq *req, AtsTrStatus status,
                        const AtsTrEntry *entry, bool discarded);
void pt_log_note(void *opaque, PciePriNote note, uint16_t prgi);

/**
 * pt_log_read: read a register PT_LOG_*
 */
uint32_t pt_log_read(const PriTestdev *d, uint32_t reg);

/**
 * pt_log_post_load: check what was migrated
 *
 * Returns: 0, or -EINVAL if an entry is impossible.
 */
int pt_log_post_load(PriTestdev *d);

void pt_log_add_property(ObjectClass *klass);

/* -- Configuration space: pri-testdev-config.c ----------------------------- */

/**
 * pt_identity_check: can a function be found that says this?
 *
 * Returns: false with @errp set, naming the property, if not.
 */
bool pt_identity_check(const PtIdentity *id, Error **errp);

/**
 * pt_config_realize: identity, and the capabilities that are not for ATS
 *
 * Returns: false with @errp set if it cannot be done; nothing is left behind.
 */
bool pt_config_realize(PriTestdev *d, Error **errp);
void pt_config_exit(PriTestdev *d);

/**
 * pt_config_ats_offset: where the capabilities for ATS can begin
 */
uint16_t pt_config_ats_offset(void);

/**
 * pt_acs_check: can the function have what acs=on asks for?
 *
 * Returns: false with @errp set if not.
 */
bool pt_acs_check(PriTestdev *d, Error **errp);

/**
 * pt_config_add_acs: Access Control Services, with acs=on
 *
 * Returns: the first free byte behind @offset.
 */
uint16_t pt_config_add_acs(PriTestdev *d, uint16_t offset);

/**
 * pt_config_power_on: sticky registers as after power on
 */
void pt_config_power_on(PriTestdev *d);

/**
 * pt_config_platform_reset_offset: of PT_VNDR_RESET in configuration space
 */
uint32_t pt_config_platform_reset_offset(void);

uint32_t pt_config_read(PCIDevice *dev, uint32_t addr, int len);
void pt_config_write(PCIDevice *dev, uint32_t addr, uint32_t val, int len);

/* -- Resets: pri-testdev-reset.c ------------------------------------------- */

void pt_reset_enter(Object *obj, ResetType type);
void pt_reset_hold(Object *obj, ResetType type);

/**
 * pt_reset: reset the function now
 *
 * @kind: PT_RESET_* for the log
 */
void pt_reset(PriTestdev *d, PtResetKind kind);

/**
 * pt_soft_reset: write to PT_SOFT_RESET
 */
void pt_soft_reset(PriTestdev *d, uint32_t val);

/**
 * pt_in_reset: does a reset go on that is not device-specific?
 */
bool pt_in_reset(const PriTestdev *d);

/**
 * pt_in_soft_reset: does a device-specific reset go on?
 */
bool pt_in_soft_reset(const PriTestdev *d);

/**
 * pt_silent: is the function in reset or gone?
 */
bool pt_silent(const PriTestdev *d);

/**
 * pt_reset_end_time: when the reset that goes on, or is about to, will be over
 */
int64_t pt_reset_end_time(const PriTestdev *d);

/**
 * pt_set_gone: vanish or come back, as the knob says
 */
void pt_set_gone(PriTestdev *d);

/**
 * pt_raise_error: detect an error, as the knob aer-error says
 */
void pt_raise_error(PriTestdev *d);

void pt_reset_realize(PriTestdev *d);
void pt_reset_exit(PriTestdev *d);

/**
 * pt_reset_post_load: check what was migrated, let it take effect
 *
 * Returns: 0, or -EINVAL if the state is impossible.
 */
int pt_reset_post_load(PriTestdev *d);

/* -- What resets have not ended: pri-testdev-late.c ------------------------ */

/**
 * pt_late_take: a reset of @channels begins: what will be left of them, as the
 * knobs say
 *
 * @link: messages can be sent
 */
void pt_late_take(PriTestdev *d, uint64_t channels, bool link);

/**
 * pt_late_begin: the reset is over; the bottom half will call pt_late_run()
 */
void pt_late_begin(PriTestdev *d);
void pt_late_run(PriTestdev *d);
void pt_late_forget(PriTestdev *d);

/**
 * pt_late_post_load: check what was migrated
 *
 * Returns: 0, or -EINVAL if the state is impossible.
 */
int pt_late_post_load(PriTestdev *d);

/* -- ACPI: pri-testdev-acpi.c ---------------------------------------------- */

struct AcpiDevAmlIf;
struct Aml;

/**
 * pt_acpi_build: add what the function has in the ACPI tables to @scope
 */
void pt_acpi_build(struct AcpiDevAmlIf *adev, struct Aml *scope);

/* -- Migration: pri-testdev-vmstate.c -------------------------------------- */

extern const VMStateDescription vmstate_pri_testdev;

/* -- Registers: pri-testdev-regs.c ----------------------------------------- */

extern const MemoryRegionOps pt_mmio_ops;

/**
 * pt_raw_response: note a response to a raw Page Request
 */
void pt_raw_response(void *opaque, const AtsMsg *msg);

static inline uint32_t pt_half(uint64_t reg, uint32_t addr)
{
    return addr & 4 ? reg >> 32 : reg;
}

static inline void pt_set_half(uint64_t *reg, uint32_t addr, uint32_t val)
{
    unsigned int shift = (addr & 4) * 8;

    *reg = (*reg & ~(0xffffffffULL << shift)) | (uint64_t)val << shift;
}

#endif /* HW_MISC_PRI_TESTDEV_H */
