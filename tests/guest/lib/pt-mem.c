/*
 * Drive pri-testdev from a program of the guest: memory, processes, time
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pt.h"

void *pt_map_anon(size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED, "mmap of %zu bytes: %s", len, strerror(errno));
    /* Small pages, unless a test wants others */
    madvise(p, len, MADV_NOHUGEPAGE);
    return p;
}

void *pt_map_shared(size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED, "mmap of %zu bytes: %s", len, strerror(errno));
    return p;
}

void *pt_map_file(size_t len, uint64_t seed, int *fd)
{
    int file = memfd_create("pt", MFD_CLOEXEC);
    uint64_t buf[512];
    size_t at;
    void *p;

    CHECK(file >= 0, "memfd: %s", strerror(errno));
    for (at = 0; at < len; at += sizeof(buf)) {
        size_t n = len - at < sizeof(buf) ? len - at : sizeof(buf);
        unsigned i;

        for (i = 0; i < 512; i++) {
            buf[i] = pt_random(&seed);
        }
        CHECK(write(file, buf, n) == (ssize_t)n, "write: %s",
              strerror(errno));
    }
    p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(p != MAP_FAILED, "mmap of %zu bytes: %s", len, strerror(errno));
    if (fd) {
        *fd = file;
    } else {
        close(file);
    }
    return p;
}

bool pt_resident(const void *page)
{
    unsigned char vec;

    CHECK(!mincore((void *)((uintptr_t)page & ~(PT_PAGE - 1)), PT_PAGE, &vec),
          "mincore: %s", strerror(errno));
    return vec & 1;
}

#define CHECK_BYTES(p, len, expected) \
    do { \
        const unsigned char *p_ = (p); \
        size_t i_; \
        for (i_ = 0; i_ < (len); i_++) { \
            uint64_t a = (uintptr_t)(p_ + i_); \
            unsigned char want_ = (expected); \
            (void)a; \
            CHECK(p_[i_] == want_, \
                  "byte %zu of %zu at %p is 0x%02x, not 0x%02x", i_, \
                  (size_t)(len), (void *)(p_ + i_), p_[i_], want_); \
        } \
    } while (0)

void pt_check_stamp(const void *p, size_t len, uint64_t pattern)
{
    CHECK_BYTES(p, len, PT_STAMP_BYTE(pattern, a));
}

void pt_check_fill(const void *p, size_t len, uint64_t pattern)
{
    CHECK_BYTES(p, len, PT_FILL_BYTE(pattern, a));
}

void pt_check_zero(const void *p, size_t len)
{
    CHECK_BYTES(p, len, 0);
}

void pt_check_equal(const void *p, const void *q,
                    size_t len)
{
    const unsigned char *other = q;

    CHECK_BYTES(p, len, other[i_]);
}

uint32_t pt_crc32(const void *p, size_t len)
{
    static uint32_t table[256];
    const unsigned char *byte = p;
    uint32_t crc = ~0u;
    unsigned i, k;

    if (!table[1]) {
        for (i = 0; i < 256; i++) {
            uint32_t c = i;

            for (k = 0; k < 8; k++) {
                c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
            }
            table[i] = c;
        }
    }
    while (len--) {
        crc = crc >> 8 ^ table[(crc ^ *byte++) & 0xff];
    }
    return ~crc;
}

/* xorshift64*: the same numbers in every run */
uint64_t pt_random(uint64_t *state)
{
    uint64_t x = *state ? *state : 0x9e3779b97f4a7c15ull;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dull;
}

void pt_reap(pid_t pid, int status)
{
    int got;

    CHECK(waitpid(pid, &got, 0) == pid, "waitpid: %s", strerror(errno));
    CHECK(!WIFSIGNALED(got), "child ended by signal %d (%s)", WTERMSIG(got),
          strsignal(WTERMSIG(got)));
    if (WEXITSTATUS(got) == KTAP_SKIP && status != KTAP_SKIP) {
        _exit(KTAP_SKIP);       /* the child has said why */
    }
    CHECK(WEXITSTATUS(got) == status, "child ended with status %d, not %d",
          WEXITSTATUS(got), status);
}

double pt_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

void pt_sleep_ms(unsigned ms)
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000l };

    while (nanosleep(&ts, &ts) && errno == EINTR) {
        continue;
    }
}
