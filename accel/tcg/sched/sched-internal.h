/*
 * What the files of the schedule machine share
 *
 * sched.c          whose turn it is
 * sched-access.c   focus, accesses, lock operations
 * sched-event.c    device events: which are kept, and until when
 * sched-point.c    points of the plan that have come
 * sched-report.c   what has happened: hash, trace, report
 * sched-object.c   /sched
 * sched-plan.c     the text of a plan
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_TCG_SCHED_INTERNAL_H
#define ACCEL_TCG_SCHED_INTERNAL_H

#include "accel/tcg/sched.h"
#include "sched-plan.h"

#define SCHED_RANGES_MAX    512
#define SCHED_LOCKS_MAX     256
#define SCHED_LOG_MAX       256

typedef enum SchedState {
    SCHED_STATE_OFF,
    SCHED_STATE_RUNNING,
    SCHED_STATE_READY,      /* stopped by a marker */
    SCHED_STATE_END,        /* stopped by a marker */
    SCHED_STATE_LIMIT,      /* stopped by `limit` of the plan */
} SchedState;

/**
 * struct SchedCpu - one vCPU
 *
 * @insns: executed; @turn_start: instructions of all when its turn began
 * @accesses, @locks, @switches: counted
 * @row: instructions of its slice: since it came, but for its PAUSEs
 * @yield_until: instructions of all; lets others go first until then
 */
typedef struct SchedCpu {
    CPUState *cpu;
    uint64_t insns;
    uint64_t accesses;
    uint64_t locks;
    uint64_t switches;
    uint64_t row;
    uint64_t yield_until;
} SchedCpu;

/* A point of the plan that has come, for the report */
typedef struct SchedHit {
    bool done;
    int cpu;
    uint64_t n;
    uint64_t pc;
    uint64_t addr;
    uint64_t insns;
    uint64_t task;
    char comm[17];
    uint8_t size;
    bool write;
} SchedHit;

/* A function that takes ('a'), gives ('r') or tries ('t') a lock */
typedef struct SchedLock {
    vaddr pc;
    char what;
} SchedLock;

typedef struct SchedRange {
    vaddr lo;
    vaddr hi;       /* the first address behind it */
} SchedRange;

/**
 * struct Sched - the machine; there is one
 *
 * What is set by properties and stays:
 * @focus, @locks: sorted by address
 * @gs_offset, @comm_offset: of `tasks`; @tasks: they are given
 * @markers: markers stop the machine without a plan, too
 *
 * What setting a plan resets:
 * @text: the plan as it was given
 * @fresh: no turn has begun, the vCPUs have to be settled
 * @frozen: no vCPU may run
 * @start: instructions of the machine when the plan was set
 * @order: vCPUs, the first one that can run does
 * @current: whose turn it is, -1: nobody's
 * @decide: something has happened that may make it another vCPU's turn
 * @in_turn: the thread executes @current
 * @turn_start: instructions since @start at the begin of the turn
 * @slice: instructions that a vCPU has until others go first
 * @rng: state of `rand`; @made: the slices that it has made so far
 * @listed: so many slices of the plan have begun
 * @looking: this reads guest memory itself
 * @event_kind, @event_n: the device event that has happened last, for the trace
 */
typedef struct Sched {
    SchedRange focus[SCHED_RANGES_MAX];
    unsigned int n_focus;
    SchedLock locks[SCHED_LOCKS_MAX];
    unsigned int n_locks;
    uint64_t gs_offset;
    uint64_t comm_offset;
    bool tasks;
    bool markers;
    char *trace_path;
    char *focus_text;
    char *locks_text;
    char *tasks_text;

    SchedPlan plan;
    char *text;
    SchedState state;
    bool fresh;
    bool frozen;
    int64_t start;
    SchedCpu cpu[SCHED_CPUS_MAX];
    unsigned int n_cpus;
    unsigned int order[SCHED_CPUS_MAX];
    int current;
    bool decide;
    bool in_turn;
    bool paused;
    uint64_t turn_start;
    uint64_t slice;
    uint64_t rng;
    GArray *made;           /* of SchedSlice, SCHED_SLICES_MAX at most */
    unsigned int listed;
    bool looking;
    uint8_t event_kind;
    uint32_t event_n;

    SchedHit hit[SCHED_WORDS_MAX];
    uint64_t hash;
    uint64_t accesses;
    uint64_t switches;
    uint64_t slices;
    uint64_t pauses;
    uint64_t records;
    bool switched;          /* since the last record, at @switch_at */
    uint64_t switch_at;
    FILE *trace;
    GPtrArray *log;
    GArray *notes;          /* of two uint64_t: instructions, value */
} Sched;

extern Sched sched;

/* -- sched.c --------------------------------------------------------------- */

/* Instructions since the plan was set, those of the running turn included */
uint64_t sched_now(void);

/* Those that vCPU @v has executed */
uint64_t sched_cpu_insns(unsigned int v);

/* The order is another one, or somebody may have become able to run */
void sched_reconsider(void);

/* vCPU @v goes last; @first, if there is one, goes first */
void sched_demote(int v, int first);

/* Begin with a plan that was parsed, or end with all of it */
void sched_begin(const char *text, const SchedPlan *plan);

/* Let no vCPU run any more and stop the machine */
void sched_freeze(SchedState state);

/* -- sched-access.c -------------------------------------------------------- */

bool sched_set_focus(const char *text, char **error);
bool sched_set_locks(const char *text, char **error);

/* -- sched-point.c --------------------------------------------------------- */

/*
 * Something has happened: is it a point of the plan?  The facts are for the
 * report and may be NULL.
 */
void sched_point_reached(SchedPointKind kind, unsigned int who, uint64_t n,
                         const SchedHit *facts);

/* Points of the kinds that count instructions */
void sched_points_by_insns(void);

/* Instructions until the next of them for @current; UINT64_MAX: never */
uint64_t sched_points_budget(void);

/* Instructions until a point that counts them; UINT64_MAX: it is none */
uint64_t sched_point_distance(const SchedPoint *point);

/* -- sched-event.c --------------------------------------------------------- */

/* Events of a kind: come up, kept for a while, delivered */
typedef struct SchedEvents {
    uint64_t sent;
    uint64_t held;
    uint64_t delivered;
} SchedEvents;

const SchedEvents *sched_events(unsigned int kind);

/* Forget the last plan, what it kept is delivered; begin with this one */
void sched_events_end(void);
void sched_events_begin(void);

/* Between two turns: deliver what is due */
void sched_events_step(void);

/* Instructions until something is due; UINT64_MAX: nothing is */
uint64_t sched_events_budget(uint64_t now);

/* A point has come: what waits for it is due */
void sched_events_at_point(SchedPointKind kind, unsigned int who, uint64_t n);

/* No vCPU can run: deliver one event; false: none is kept */
bool sched_events_idle(void);

/* Deliver all */
void sched_events_flush(void);

/* -- sched-report.c -------------------------------------------------------- */

/* Kinds of records */
enum {
    SCHED_RECORD_ACCESS,
    SCHED_RECORD_LOCK,
    SCHED_RECORD_SWITCH,
    SCHED_RECORD_SENT,
    SCHED_RECORD_DELIVERED,
    SCHED_RECORD_DEVICE,
    SCHED_RECORD_MARKER,
};

#define SCHED_ACTOR_DEVICE      255
#define SCHED_RECORD_WRITE      1
#define SCHED_RECORD_HELD       4

/**
 * struct SchedRecord - a record of the trace, little-endian
 *
 * The fields mean what docs/internals.md says.
 */
typedef struct SchedRecord {
    uint64_t icount;
    uint64_t pc;
    uint64_t addr;
    uint64_t phys;
    uint64_t value;
    uint64_t task;
    uint32_t n;
    uint8_t actor;
    uint8_t kind;
    uint8_t what;
    uint8_t flags;
    uint64_t size;
} SchedRecord;

QEMU_BUILD_BUG_ON(sizeof(SchedRecord) != 64);

void sched_mix(uint64_t x);
uint64_t sched_hash_value(uint64_t x);
void sched_log(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/* Append to the trace, if there is one; fills in icount and task */
void sched_record(SchedRecord *record);

/* The guest's task on the running vCPU, and its name; 0: not known */
uint64_t sched_task(char comm[17]);

void sched_trace_begin(void);
void sched_trace_flush(void);
char *sched_report(void);

#endif /* ACCEL_TCG_SCHED_INTERNAL_H */
