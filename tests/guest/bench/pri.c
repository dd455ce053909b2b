/*
 * Guest side of `./pri-lab bench`: page faults of a device, on command
 *
 * The second serial port is the line to the host, which says what to measure
 * and when, so that two guests can take turns:
 *
 *   guest: # bench: ready
 *   host:  fault N                 N single faults
 *   guest: # stat pri fault NS     median of a fault: from the start of an
 *                                  operation to its interrupt in the process
 *   host:  faults CHANNELS GROUP MS
 *   guest: # stat pri faults NS    time a page
 *   host:  bandwidth MS            writes to pages whose translation is cached
 *   guest: # stat pri bandwidth NS time a MiB
 *   host:  invalidate N            munmap-like invalidation of a page that the
 *   guest: # stat pri invalidate NS    device has used: median of madvise()
 *   host:  end
 *
 * With a command as its arguments it does that alone, as a test:
 * `./pri-lab run bench/pri --args fault,100 --record`.
 *
 * @device channels=32
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pt.h"

#define LINE        "/dev/ttyS1"
#define REGION      (64ull << 20)   /* of memory to fault in */
#define CHUNK       64ull           /* pages of one operation */
#define CACHED      (1ull << 20)    /* fits into the ATC */
#define MAX_N       4096

static struct pt pt;
static char *region;
static uint64_t used;               /* bytes of the region that are touched */

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int64_t median(int64_t *v, unsigned n)
{
    qsort(v, n, sizeof(v[0]), by_size);
    return v[n / 2];
}

/* Memory nobody has touched, not timed: where it ends, it begins again */
static char *fresh(uint64_t len)
{
    char *p;

    if (used + len > REGION) {
        CHECK(!madvise(region, REGION, MADV_DONTNEED), "madvise: %s",
              strerror(errno));
        used = 0;
    }
    p = region + used;
    used += len;
    return p;
}

static void channel(struct pt_chan *ch, unsigned index)
{
    static struct pt_chan open[PRI_TESTDEV_MAX_CHANNELS];

    if (!open[index].pt) {
        CHECK(index == 0 || open[index - 1].pt, "channels in order");
        pt_chan(&pt, &open[index]);
    }
    *ch = open[index];
}

static void bench_fault(unsigned n)
{
    static int64_t took[MAX_N];
    struct pt_op op = { .cmd = PT_OP_WRITE, .len = PT_PAGE, .pattern = 1 };
    struct pt_chan ch;
    unsigned i;

    channel(&ch, 0);
    for (i = 0; i < n; i++) {
        int64_t start;

        op.dst = fresh(PT_PAGE);
        start = now_ns();
        pt_start(&ch, &op);
        CHECK_EQ(pt_wait(&ch, &op, PT_TIMEOUT), PT_ST_DONE, "a fault");
        took[i] = now_ns() - start;
    }
    ktap_note("stat pri fault %lld", (long long)median(took, n));
}

static void bench_faults(unsigned channels, unsigned group, unsigned ms)
{
    struct pt_op op = { .cmd = PT_OP_WRITE, .len = CHUNK * PT_PAGE,
                        .pattern = 1, .group = group };
    struct pt_chan ch[PRI_TESTDEV_MAX_CHANNELS];
    int64_t took = 0;
    uint64_t pages = 0;
    unsigned i;

    for (i = 0; i < channels; i++) {
        channel(&ch[i], i);
    }
    while (took < ms * 1000000ll) {
        char *p = fresh(channels * op.len);
        int64_t start = now_ns();

        for (i = 0; i < channels; i++) {
            op.dst = p + i * op.len;
            pt_start(&ch[i], &op);
        }
        for (i = 0; i < channels; i++) {
            CHECK_EQ(pt_wait(&ch[i], &op, PT_TIMEOUT), PT_ST_DONE, "faults");
        }
        took += now_ns() - start;
        pages += channels * CHUNK;
    }
    ktap_note("stat pri faults %lld", (long long)(took / pages));
}

static void bench_bandwidth(unsigned ms)
{
    struct pt_op op = { .cmd = PT_OP_FILL, .len = CACHED, .pattern = 1,
                        .group = 32 };
    int64_t took = 0, mib = 0;
    struct pt_chan ch;

    channel(&ch, 0);
    op.dst = fresh(CACHED);
    memset(op.dst, 1, CACHED);
    pt_expect(&ch, &op, PT_ST_DONE, NULL);      /* fills the cache */
    while (took < ms * 1000000ll) {
        int64_t start = now_ns();

        pt_start(&ch, &op);
        CHECK_EQ(pt_wait(&ch, &op, PT_TIMEOUT), PT_ST_DONE, "a fill");
        took += now_ns() - start;
        mib += CACHED >> 20;
    }
    ktap_note("stat pri bandwidth %lld", (long long)(took / mib));
}

static void bench_invalidate(unsigned n)
{
    static int64_t took[MAX_N];
    struct pt_op op = { .cmd = PT_OP_WRITE, .len = PT_PAGE, .pattern = 1 };
    struct pt_chan ch;
    unsigned i;

    channel(&ch, 0);
    op.dst = fresh(PT_PAGE);
    for (i = 0; i < n; i++) {
        int64_t start;

        pt_expect(&ch, &op, PT_ST_DONE, NULL);
        start = now_ns();
        CHECK(!madvise(op.dst, PT_PAGE, MADV_DONTNEED), "madvise: %s",
              strerror(errno));
        took[i] = now_ns() - start;
    }
    ktap_note("stat pri invalidate %lld", (long long)median(took, n));
}

static bool command(const char *line)
{
    unsigned a, b, c;

    if (sscanf(line, "fault %u", &a) == 1 && a && a <= MAX_N) {
        bench_fault(a);
    } else if (sscanf(line, "faults %u %u %u", &a, &b, &c) == 3 && a &&
               a <= pt.channels) {
        bench_faults(a, b, c);
    } else if (sscanf(line, "bandwidth %u", &a) == 1) {
        bench_bandwidth(a);
    } else if (sscanf(line, "invalidate %u", &a) == 1 && a && a <= MAX_N) {
        bench_invalidate(a);
    } else {
        CHECK(!strncmp(line, "end", 3), "no such command: %s", line);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    FILE *f = fopen(LINE, "re");
    char line[64];

    CHECK(f, "%s: %s", LINE, strerror(errno));
    pt_open_bound(&pt, 0);
    region = pt_map_anon(REGION);
    if (argc > 1) {                     /* one thing, without a host */
        char words[64] = "";
        int i;

        for (i = 1; i < argc; i++) {
            strncat(words, argv[i], sizeof(words) - strlen(words) - 2);
            strcat(words, " ");
        }
        printf("KTAP version 1\n1..1\n");
        fflush(stdout);
        CHECK(command(words), "nothing to do");
        printf("ok 1 %s\n", argv[1]);
        return 0;
    }
    ktap_note("bench: ready");
    while (fgets(line, sizeof(line), f) && command(line)) {
        continue;
    }
    return 0;
}
