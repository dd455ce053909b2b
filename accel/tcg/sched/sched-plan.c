/*
 * The plan of the schedule machine: one line of text, and what it says
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "sched-plan.h"

const char *sched_event_name(unsigned int kind)
{
#define SCHED_EVENT_NAME(kind, name, what) name,
    static const char *const names[] = { ATS_EVENTS(SCHED_EVENT_NAME) };
#undef SCHED_EVENT_NAME

    return kind < ARRAY_SIZE(names) ? names[kind] : "?";
}

void sched_point_print(GString *to, const SchedPoint *point)
{
    switch (point->kind) {
    case SCHED_POINT_ACCESS:
        g_string_append_printf(to, "%u:%" PRIu64, point->who, point->n);
        break;
    case SCHED_POINT_LOCK:
        g_string_append_printf(to, "%u:l%" PRIu64, point->who, point->n);
        break;
    case SCHED_POINT_CPU_INSNS:
        g_string_append_printf(to, "%u:i%" PRIu64, point->who, point->n);
        break;
    case SCHED_POINT_INSNS:
        g_string_append_printf(to, "i%" PRIu64, point->n);
        break;
    default:
        g_string_append_printf(to, "%s#%" PRIu64,
                               sched_event_name(point->who), point->n);
        break;
    }
}

void sched_slice_print(GString *to, const SchedSlice *slice,
                       unsigned int n_cpus)
{
    for (unsigned int i = 0; i < n_cpus; i++) {
        g_string_append_printf(to, "%x",
                               (unsigned int)(slice->order >> (4 * i)) & 0xf);
    }
    g_string_append_printf(to, ":%" PRIu64, slice->n);
}

/* -- Pieces of words: each moves *@p behind what it has read --------------- */

static bool read_char(const char **p, char c)
{
    if (**p != c) {
        return false;
    }
    (*p)++;
    return true;
}

/* A decimal number that fits in 63 bits */
static bool read_number(const char **p, uint64_t *n)
{
    const char *start = *p;

    *n = 0;
    while (g_ascii_isdigit(**p)) {
        unsigned int digit = *(*p)++ - '0';

        if (*n > ((uint64_t)INT64_MAX - digit) / 10) {
            return false;
        }
        *n = *n * 10 + digit;
    }
    return *p != start;
}

static bool read_cpu(const char **p, unsigned int n_cpus, unsigned int *cpu)
{
    int digit = g_ascii_xdigit_value(**p);

    if (digit < 0 || (unsigned int)digit >= n_cpus) {
        return false;
    }
    (*p)++;
    *cpu = digit;
    return true;
}

static bool read_kind(const char **p, unsigned int *kind)
{
    for (unsigned int i = 0; i < ATS_EVENT_KIND_NR; i++) {
        const char *name = sched_event_name(i);
        size_t len = strlen(name);

        if (!strncmp(*p, name, len) && !g_ascii_isalnum((*p)[len])) {
            *p += len;
            *kind = i;
            return true;
        }
    }
    return false;
}

/* V:N, V:lN, V:iN, iN, KIND#N */
static bool read_point(const char **p, unsigned int n_cpus, SchedPoint *point)
{
    unsigned int who = 0;

    if ((*p)[0] == 'i' && g_ascii_isdigit((*p)[1])) {
        (*p)++;
        point->kind = SCHED_POINT_INSNS;
    } else if (read_kind(p, &who)) {
        point->kind = SCHED_POINT_EVENT;
        if (!read_char(p, '#')) {
            return false;
        }
    } else if (read_cpu(p, n_cpus, &who) && read_char(p, ':')) {
        point->kind = read_char(p, 'l') ? SCHED_POINT_LOCK :
                      read_char(p, 'i') ? SCHED_POINT_CPU_INSNS :
                      SCHED_POINT_ACCESS;
    } else {
        return false;
    }
    point->who = who;
    return read_number(p, &point->n) && point->n;
}

/* -- Words: each returns NULL or what is wrong ----------------------------- */

static const char *parse_order(SchedPlan *plan, const char *p,
                               unsigned int n_cpus)
{
    unsigned int seen = 0, cpu;

    plan->n_order = 0;
    while (*p) {
        if (!read_cpu(&p, n_cpus, &cpu)) {
            return "there is no such vCPU";
        }
        if (seen & (1u << cpu)) {
            return "a vCPU is named twice";
        }
        seen |= 1u << cpu;
        plan->order[plan->n_order++] = cpu;
    }
    return plan->n_order ? NULL : "no vCPU is named";
}

/* slice=ORDER:N, all vCPUs of the machine; @p is behind the = */
static const char *parse_slice(SchedPlan *plan, const char *p,
                               unsigned int n_cpus)
{
    SchedSlice *slice = &plan->listed[plan->n_listed];
    unsigned int seen = 0, cpu;

    if (plan->n_listed == SCHED_SLICES_MAX) {
        return "too many slices";
    }
    slice->order = 0;
    for (unsigned int i = 0; i < n_cpus; i++) {
        if (!read_cpu(&p, n_cpus, &cpu) || (seen & (1u << cpu))) {
            return "the order of a slice names each vCPU once";
        }
        seen |= 1u << cpu;
        slice->order |= (uint64_t)cpu << (4 * i);
    }
    if (!read_char(&p, ':') || !read_number(&p, &slice->n) || *p ||
        !slice->n) {
        return "a slice is ORDER:INSTRUCTIONS, of one at least";
    }
    plan->n_listed++;
    return NULL;
}

static const char *parse_at(SchedPlan *plan, const char *p,
                            unsigned int n_cpus)
{
    SchedChange *change = &plan->change[plan->n_changes];
    unsigned int cpu;

    if (plan->n_changes == SCHED_WORDS_MAX) {
        return "too many change points";
    }
    if (!read_point(&p, n_cpus, &change->at)) {
        return "a point is V:N, V:lN, V:iN, iN or KIND#N, with N from 1";
    }
    change->first = -1;
    if (read_char(&p, '>')) {
        if (!read_cpu(&p, n_cpus, &cpu)) {
            return "there is no such vCPU";
        }
        change->first = cpu;
    }
    if (*p) {
        return "there is something behind the point";
    }
    plan->n_changes++;
    return NULL;
}

static const char *parse_rand(SchedPlan *plan, const char *p)
{
    if (!read_number(&p, &plan->seed) || !read_char(&p, ':') ||
        !read_number(&p, &plan->slice_min) || !read_char(&p, ':') ||
        !read_number(&p, &plan->slice_max) || *p) {
        return "it is SEED:SHORTEST:LONGEST";
    }
    if (!plan->slice_min || plan->slice_max < plan->slice_min) {
        return "a slice has one instruction at least";
    }
    plan->random = true;
    return NULL;
}

static const char *parse_when(SchedRule *rule, const char *p,
                              unsigned int n_cpus)
{
    static const struct {
        const char *word;
        SchedWhen when;
    } words[] = {
        { "now", SCHED_WHEN_NOW }, { "idle", SCHED_WHEN_IDLE },
        { "lost", SCHED_WHEN_LOST }, { "twice", SCHED_WHEN_TWICE },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcmp(p, words[i].word)) {
            rule->when = words[i].when;
            return NULL;
        }
    }
    if (read_char(&p, '+')) {
        rule->when = SCHED_WHEN_DELAY;
        return read_number(&p, &rule->delay) && !*p ? NULL :
               "a delay is +INSTRUCTIONS";
    }
    rule->when = SCHED_WHEN_POINT;
    return read_point(&p, n_cpus, &rule->point) && !*p ? NULL :
           "the moment is now, +N, a point, idle, lost or twice";
}

/* Nobody keeps in mind that these are under way: they can be lost or doubled */
static bool is_message(unsigned int kind)
{
    return kind == ATS_EVENT_PAGE_REQUEST || kind == ATS_EVENT_PRG_RESPONSE ||
           kind == ATS_EVENT_INV_REQUEST || kind == ATS_EVENT_INV_COMPLETION ||
           kind == ATS_EVENT_TRANSLATION || kind == ATS_EVENT_MSI;
}

/* KIND=WHEN, KIND#N=WHEN; @p is behind the kind */
static const char *parse_rule(SchedPlan *plan, unsigned int kind,
                              const char *p, unsigned int n_cpus)
{
    SchedRule *rule = &plan->rule[plan->n_rules];
    const char *wrong;

    if (plan->n_rules == SCHED_WORDS_MAX) {
        return "too many rules for device events";
    }
    memset(rule, 0, sizeof(*rule));
    rule->kind = kind;
    if (read_char(&p, '#') && (!read_number(&p, &rule->nth) || !rule->nth)) {
        return "events are counted from 1";
    }
    if (!read_char(&p, '=')) {
        return "it is KIND=WHEN or KIND#N=WHEN";
    }
    if (kind == ATS_EVENT_PRQ_DRAIN) {
        return "it can only be a point, nothing is delivered";
    }
    wrong = parse_when(rule, p, n_cpus);
    if (!wrong && !is_message(kind) && (rule->when == SCHED_WHEN_LOST ||
                                       rule->when == SCHED_WHEN_TWICE)) {
        wrong = "only messages and interrupts get lost or double";
    }
    plan->n_rules += !wrong;
    return wrong;
}

static const char *parse_word(SchedPlan *plan, const char *word,
                              unsigned int n_cpus)
{
    const struct {
        const char *name;
        uint64_t *value;
        bool zero;
    } numbers[] = {
        { "slice=", &plan->slice, false },
        { "yield=", &plan->yield, true },
        { "limit=", &plan->limit, false },
        { "hold=", &plan->hold, true },
    };
    const char *p = word;
    unsigned int kind;

    if (!strcmp(word, "on")) {
        return NULL;
    }
    if (!strcmp(word, "broken")) {
        plan->broken = true;
        return NULL;
    }
    if (g_str_has_prefix(word, "slice=") && strchr(word, ':')) {
        return parse_slice(plan, word + strlen("slice="), n_cpus);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (g_str_has_prefix(word, numbers[i].name)) {
            p += strlen(numbers[i].name);
            return read_number(&p, numbers[i].value) && !*p &&
                   (*numbers[i].value || numbers[i].zero) ? NULL :
                   "it is a number of instructions";
        }
    }
    if (g_str_has_prefix(word, "order=")) {
        return parse_order(plan, word + strlen("order="), n_cpus);
    }
    if (g_str_has_prefix(word, "at=")) {
        return parse_at(plan, word + strlen("at="), n_cpus);
    }
    if (g_str_has_prefix(word, "rand=")) {
        return parse_rand(plan, word + strlen("rand="));
    }
    if (read_kind(&p, &kind)) {
        return parse_rule(plan, kind, p, n_cpus);
    }
    return "no plan has such a word";
}

static const char *sched_plan_check(const SchedPlan *plan)
{
    if (plan->random && plan->n_listed) {
        return "rand makes the slices, none can be listed";
    }
    for (unsigned int i = 0; i < plan->n_rules && !plan->broken; i++) {
        if (plan->rule[i].when == SCHED_WHEN_LOST ||
            plan->rule[i].when == SCHED_WHEN_TWICE) {
            return "to lose or double an event is for broken hardware: add "
                   "the word broken";
        }
    }
    return NULL;
}

bool sched_plan_parse(SchedPlan *plan, const char *text, unsigned int n_cpus,
                      char **error)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);
    const char *wrong;

    memset(plan, 0, sizeof(*plan));
    plan->slice = SCHED_SLICE;
    plan->yield = SCHED_YIELD;
    plan->hold = SCHED_HOLD;
    for (char **word = words; *word; word++) {
        if (!**word) {
            continue;
        }
        plan->on = true;
        wrong = parse_word(plan, *word, n_cpus);
        if (wrong) {
            *error = g_strdup_printf("%s: %s", *word, wrong);
            return false;
        }
    }
    wrong = sched_plan_check(plan);
    if (wrong) {
        *error = g_strdup(wrong);
        return false;
    }
    return true;
}

uint64_t sched_plan_hold(const SchedPlan *plan, unsigned int kind)
{
    return kind == ATS_EVENT_TRANSLATION && !plan->broken ?
           MIN(plan->hold, SCHED_HOLD_TR) : plan->hold;
}
