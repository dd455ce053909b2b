/*
 * The link between functions with an ATC and the translation agent
 *
 * Every ATS and PRI message passes here, in posted order per direction:
 *
 *   upstream    Page Request (stop markers included), Invalidate Completion
 *   downstream  PRG Response, Invalidate Request
 *
 * Messages are data, not calls with side effects: what is not in AtsMsg does
 * not travel.  A message is delivered at once, inside ats_link_send(), unless
 * another one is being delivered; then it waits in a FIFO and the outermost
 * ats_link_send() delivers it before it returns.  So no receiver is ever
 * re-entered, and a sender must have its own state up to date before it sends.
 * Nothing is allocated for a message that is delivered at once.
 *
 * A Translation Request is answered in the call, with the completion status
 * that the translation agent would put on the wire; unless a rule of the link
 * takes the completion.  Then the call says so, and the completion comes to the
 * port later, or never.
 *
 * Rules (ats_ruleset.h) can hold, delay, lose, duplicate, reorder and change
 * messages.  What they keep is released by the functions below.
 *
 * Locking: everything here runs under the BQL.  There are no threads, timers
 * or host clocks in this file.
 *
 * PCIe 6.2 chapter 10; VT-d 4.2, 4.3, 7.4, 7.6
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_LINK_H
#define HW_PCI_ATS_LINK_H

/* The message carries no PASID TLP prefix */
#define ATS_NO_PASID        UINT32_MAX
#define ATS_PASID_BITS      20
#define ATS_PRGI_NR         512         /* PCIe 6.2 10.4.1: 9-bit index */
#define ATS_ITAG_NR         32          /* PCIe 6.2 10.3.1: 5-bit tag */

typedef enum AtsMsgKind {
    ATS_MSG_PAGE_REQUEST,
    ATS_MSG_INV_COMPLETION,
    ATS_MSG_PRG_RESPONSE,
    ATS_MSG_INV_REQUEST,
    ATS_MSG_TRANSLATION,    /* a Translation Completion that is kept */
    ATS_MSG_KIND_NR,
} AtsMsgKind;

/* PRG Response Code, PCIe 6.2 table 10-7; 2h-Eh are handled as Fh */
#define ATS_PRG_SUCCESS             0x0
#define ATS_PRG_INVALID_REQUEST     0x1
#define ATS_PRG_RESPONSE_FAILURE    0xf

/**
 * struct AtsMsg - one ATS or PRI message
 *
 * @kind: AtsMsgKind
 * @rid: the function: sender of an upstream, destination of a downstream
 *       message
 * @pasid: PASID, or ATS_NO_PASID if there is no PASID prefix
 * @addr: Page Request: page address, 63:12.
 *        Invalidate Request: untranslated address, 63:12, whose trailing ones
 *        give the size when @size is set (PCIe 6.2 10.3.2)
 * @prgi: Page Request Group Index (Page Request, PRG Response)
 * @itag: ITag (Invalidate Request)
 * @itags: ITag vector (Invalidate Completion)
 * @cc: completion count, 1..8 (Invalidate Completion); 8 is 0 on the wire
 * @code: PRG Response Code, 4 bits (PRG Response)
 * @read, @write: R and W of a Page Request
 * @last: L, last request of its group (Page Request)
 * @priv, @exec: bits of the PASID prefix (Page Request)
 * @size: S bit (Invalidate Request)
 * @global: G bit: all PASIDs (Invalidate Request)
 *
 * A stop marker is a Page Request with a PASID, L=1 and R=W=0
 * (PCIe 6.2 10.4.1.2.1); ats_msg_is_stop_marker() says so.
 */
typedef struct AtsMsg {
    uint64_t addr;
    uint32_t pasid;
    uint32_t itags;
    uint16_t rid;
    uint16_t prgi;
    uint8_t kind;
    uint8_t itag;
    uint8_t cc;
    uint8_t code;
    bool read;
    bool write;
    bool last;
    bool priv;
    bool exec;
    bool size;
    bool global;
} AtsMsg;

static inline bool ats_msg_is_upstream(const AtsMsg *msg)
{
    return msg->kind == ATS_MSG_PAGE_REQUEST ||
           msg->kind == ATS_MSG_INV_COMPLETION;
}

static inline bool ats_msg_is_stop_marker(const AtsMsg *msg)
{
    return msg->kind == ATS_MSG_PAGE_REQUEST && msg->pasid != ATS_NO_PASID &&
           msg->last && !msg->read && !msg->write;
}

/**
 * ats_inv_range: the bytes an Invalidate Request names
 *
 * @addr: AtsMsg::addr
 * @size: AtsMsg::size
 * @base: set to the first byte of the range
 *
 * S=0 is one 4 KiB page; S=1 is 8 KiB shifted left once for every one bit from
 * bit 12 up; all ones in 62:12 is the whole address space (PCIe 6.2 10.3.2,
 * VT-d 6.5.2.5 table 28).
 *
 * Returns: the offset of the last byte of the range from @base.
 */
static inline uint64_t ats_inv_range(uint64_t addr, bool size, uint64_t *base)
{
    uint64_t last = 0xfff;

    if (size) {
        unsigned int ones = 0;

        while (ones < 51 && (addr >> (12 + ones)) & 1) {
            ones++;
        }
        last = ones == 51 ? UINT64_MAX : (0x2000ULL << ones) - 1;
    }
    *base = addr & ~last;
    return last;
}

/* Completion status of a Translation Request, PCIe 6.2 10.2.3 */
typedef enum AtsTrStatus {
    ATS_TR_SUCCESS,
    ATS_TR_UR,          /* Unsupported Request: the function may stop ATS */
    ATS_TR_CA,          /* Completer Abort */
    ATS_TR_PENDING,     /* no completion yet: AtsPortOps::translated has it */
} AtsTrStatus;

/* Tag of a Translation Request whose sender cannot wait for the completion */
#define ATS_TR_NO_TAG       0

/**
 * struct AtsTrReq - a Translation Request for one translation
 *
 * @addr: untranslated address
 * @pasid: PASID or ATS_NO_PASID
 * @tag: comes back with the completion; longer than on the wire, so that a
 *       completion from before a reset never meets a request from after it.
 *       With ATS_TR_NO_TAG rules leave the completion alone
 * @rid: requester
 * @no_write: NW: write permission is not asked for
 * @priv, @exec: bits of the PASID prefix
 */
typedef struct AtsTrReq {
    uint64_t addr;
    uint32_t pasid;
    uint32_t tag;
    uint16_t rid;
    bool no_write;
    bool priv;
    bool exec;
} AtsTrReq;

/**
 * struct AtsTrEntry - the translation in a completion with status Success
 *
 * @iova: first byte of the untranslated range
 * @addr: first byte of the translated range
 * @mask: size of the range minus one, a power of two minus one, >= 0xfff
 * @read, @write, @exec: permissions. R=W=0 means: no translation, must not be
 *                       cached
 * @untranslated: U: use untranslated requests only
 * @non_snooped: N: requests that use it must not set No Snoop
 */
typedef struct AtsTrEntry {
    uint64_t iova;
    uint64_t addr;
    uint64_t mask;
    bool read;
    bool write;
    bool exec;
    bool untranslated;
    bool non_snooped;
} AtsTrEntry;

struct PCIDevice;

/*
 * What the translation agent does with what comes up the link, and the knobs
 * it lets a function turn (ats_knobs.h; their owner is @opaque); may be NULL.
 *
 * @untranslated: see ats_link_untranslated(); may be NULL.
 *
 * @blocks: see ats_link_blocks(); NULL: none.
 *
 * @translated: see ats_link_translated(); NULL: all may pass.
 *
 * @now: the virtual clock, ns; @alarm: call ats_link_alarm() at that time, or
 * never if it is INT64_MAX; @rules_changed: a rule has counted down, or what it
 * keeps has changed.  All three may be NULL for a link without rules.  @rules:
 * see ats_link_rules(); may be NULL.
 */
typedef struct AtsAgentOps {
    void (*page_request)(void *opaque, const AtsMsg *msg);
    void (*inv_completion)(void *opaque, const AtsMsg *msg);
    AtsTrStatus (*translate)(void *opaque, const AtsTrReq *req,
                             AtsTrEntry *entry);
    bool (*untranslated)(void *opaque, struct PCIDevice *dev,
                         uint32_t pasid, uint64_t addr, bool write,
                         uint64_t *out);
    bool (*blocks)(void *opaque, struct PCIDevice *dev, uint64_t addr,
                   bool write);
    bool (*translated)(void *opaque, uint16_t rid, uint64_t addr, bool write);
    const struct AtsKnobTable *knobs;
    int64_t (*now)(void *opaque);
    void (*alarm)(void *opaque, int64_t due);
    void (*rules_changed)(void *opaque);
    struct AtsRules *(*rules)(void *opaque);
} AtsAgentOps;

/*
 * What a function does with what comes down the link.  @reset may be NULL: all
 * messages under way were lost, those that software had as well.  @translated:
 * the completion of the Translation Request with that tag; may be NULL if the
 * function sends none with a tag.
 */
typedef struct AtsPortOps {
    uint16_t (*rid)(void *opaque);
    void (*prg_response)(void *opaque, const AtsMsg *msg);
    void (*inv_request)(void *opaque, const AtsMsg *msg);
    void (*translated)(void *opaque, uint32_t tag, AtsTrStatus status,
                       const AtsTrEntry *entry);
    void (*reset)(void *opaque);
} AtsPortOps;

typedef struct AtsLink AtsLink;
typedef struct AtsPort AtsPort;
struct AtsRuleSet;
struct AtsRule;

/**
 * ats_link_new: make the link of one translation agent
 *
 * @ruleset: rules and what they keep, which the agent migrates; NULL: no rules
 */
AtsLink *ats_link_new(const AtsAgentOps *ops, struct AtsRuleSet *ruleset,
                      void *opaque);
void ats_link_free(AtsLink *link);

/**
 * ats_link_rules: the rules of the link (ats_rules.h), or NULL if it has none
 */
struct AtsRules *ats_link_rules(AtsLink *link);

/**
 * ats_link_agent_knobs: the knobs of the translation agent
 *
 * @owner: set to the object that they belong to
 *
 * Returns: the table, or NULL if there is none.
 */
const struct AtsKnobTable *ats_link_agent_knobs(AtsLink *link, void **owner);

/**
 * ats_link_reset: forget every message that is under way, and tell the ports
 */
void ats_link_reset(AtsLink *link);

/**
 * ats_link_attach: connect a function
 *
 * @ops: callbacks; @ops->rid is asked whenever the requester id is needed,
 *       because the guest renumbers buses
 *
 * Returns: the port, to be given back to ats_link_detach().
 */
AtsPort *ats_link_attach(AtsLink *link, const AtsPortOps *ops, void *opaque);

/**
 * ats_link_detach: disconnect a function; messages for it are lost from now on,
 * those that a rule keeps as well.  What it has sent arrives
 */
void ats_link_detach(AtsLink *link, AtsPort *port);

/**
 * ats_link_has_port: is there a function with requester id @rid on the link?
 */
bool ats_link_has_port(AtsLink *link, uint16_t rid);

/**
 * ats_link_send: send a message up or down, as its kind says
 *
 * A downstream message to a requester id without a function is lost
 * (counted); VT-d 7.6.1 asks for nothing more.
 */
void ats_link_send(AtsLink *link, const AtsMsg *msg);

/**
 * ats_link_translate: a Translation Request and its completion
 *
 * @entry: filled in when the status is ATS_TR_SUCCESS
 *
 * Returns: the status; ATS_TR_PENDING only for a request with a tag.
 */
AtsTrStatus ats_link_translate(AtsLink *link, const AtsTrReq *req,
                               AtsTrEntry *entry);

/**
 * ats_link_untranslated: where an untranslated request with a PASID goes
 *
 * It is no message of ATS, so no rule of the link applies to it; what it meets
 * is not recoverable, and has been reported when this returns (VT-d 7.1.3).
 * Without a PASID such a request goes through the address space of @dev.
 *
 * @out: the address in the system's memory, good to the end of the 4-KByte page
 *
 * Returns: false if the request was blocked.
 */
bool ats_link_untranslated(AtsLink *link, struct PCIDevice *dev,
                           uint32_t pasid, uint64_t addr, bool write,
                           uint64_t *out);

/**
 * ats_link_blocks: is an untranslated request without PASID blocked where it
 * would reach no memory?
 *
 * For one that may reach memory alone: what it meets in the address space of
 * @dev beside memory sees nothing of it.  Reported as above.
 */
bool ats_link_blocks(AtsLink *link, struct PCIDevice *dev, uint64_t addr,
                     bool write);

/**
 * ats_link_translated: may a Memory Request with a translated address (AT=10b)
 * go on to memory?
 *
 * The translation agent takes the address as it is, but not from everybody
 * (VT-d 4.2.5).  No rule of the link applies, as above, and what is wrong has
 * been reported when this returns.
 *
 * @rid: requester; @addr: translated address
 */
bool ats_link_translated(AtsLink *link, uint16_t rid, uint64_t addr,
                         bool write);

/**
 * ats_link_add_rule: @rule, which stays the caller's, is asked from now on
 *
 * Returns: false if the link has as many rules as it can have.
 */
bool ats_link_add_rule(AtsLink *link, struct AtsRule *rule);

/**
 * ats_link_remove_rule: @rule is asked no more; what it keeps is delivered,
 * oldest first
 */
void ats_link_remove_rule(AtsLink *link, struct AtsRule *rule);

/**
 * ats_link_rule_changed: somebody has turned a knob of @rule
 */
void ats_link_rule_changed(AtsLink *link, struct AtsRule *rule);

/**
 * ats_link_release_of: deliver up to @count of what @rule keeps, oldest first
 */
void ats_link_release_of(AtsLink *link, struct AtsRule *rule, uint64_t count);

/**
 * ats_link_release: deliver up to @count of the messages that rules keep, the
 * oldest or the newest first; no rule is applied to them again
 */
void ats_link_release(AtsLink *link, uint64_t count, bool newest);

/**
 * ats_link_release_at: deliver one of them, 0 is the oldest
 */
void ats_link_release_at(AtsLink *link, uint64_t index);

/**
 * ats_link_discard: lose up to @count of them, oldest first
 */
void ats_link_discard(AtsLink *link, uint64_t count);

/**
 * ats_link_alarm: the time of AtsAgentOps::alarm has come
 */
void ats_link_alarm(AtsLink *link);

/**
 * ats_link_rearm: ask for the next alarm, after migration
 */
void ats_link_rearm(AtsLink *link);

/* Messages sent, by kind, and downstream messages that found no function */
typedef struct AtsLinkCounters {
    uint64_t sent[ATS_MSG_KIND_NR];
    uint64_t lost;
} AtsLinkCounters;

const AtsLinkCounters *ats_link_counters(const AtsLink *link);

#endif /* HW_PCI_ATS_LINK_H */
