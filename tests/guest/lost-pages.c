/*
 * What the device wrote must be there after the kernel has taken the page away
 * and brought it back
 *
 * The kernel drops a page without writing it anywhere if no Dirty flag says
 * that its contents are newer than the copy elsewhere, so a Dirty flag that the
 * IOMMU owes is data lost (VT-d 3.6.2).  Three kinds of memory, each read by
 * one and then written by one of: the CPU, the device through ATS, the device
 * by untranslated requests with the PASID of the process.
 *
 *   free   anonymous memory after MADV_FREE: dropped if it is clean
 *   swap   anonymous memory that comes back from a swap device and goes there
 *          again.  The device is a RAM disk, of which Linux has no copy in the
 *          swap cache (SWP_SYNCHRONOUS_IO); so this shows that accesses are
 *          served, and not what becomes of a clean page
 *   file   a shared mapping of a file: written back by msync(), read again from
 *          the file
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "pt.h"

#define PAGES       64u
#define LEN         (PAGES * PT_PAGE)
#define OLD         0x1111111111111111ull
#define NEW         0x2222222222222222ull
#define SWAP        "/dev/ram0"
#define DISK        "/dev/ram1"
#define MOUNT       "/tmp/lost-pages"

enum who { NOBODY, CPU, ATS, UNTRANSLATED };
enum kind { FREE, SWAPPED, FILE_MAPPED };

struct fix {
    struct pt pt;
    struct pt_chan ch;
    enum kind kind;
    unsigned char *p;
    int fd;
};

/* -- reading and writing --------------------------------------------------- */

static void cpu_stamp(void *to, uintptr_t addr, size_t len, uint64_t pattern)
{
    unsigned char *byte = to;
    size_t i;

    for (i = 0; i < len; i++) {
        byte[i] = PT_STAMP_BYTE(pattern, addr + i);
    }
}

/* One byte a page: enough to have the page, and its Accessed flag */
static void cpu_touch(const unsigned char *p)
{
    unsigned i;

    for (i = 0; i < PAGES; i++) {
        (void)*(volatile const unsigned char *)(p + i * PT_PAGE);
    }
}

static void device(struct fix *f, uint32_t cmd, enum who who)
{
    struct pt_op op = {
        .cmd = cmd, .src = f->p, .dst = f->p, .len = LEN, .pattern = NEW,
        .flags = who == UNTRANSLATED ? PT_FLAG_UNTRANSLATED : 0,
    };

    pt_expect(&f->ch, &op, PT_ST_DONE, NULL);
}

static void read_by(struct fix *f, enum who who)
{
    if (who == CPU || who == UNTRANSLATED) {
        cpu_touch(f->p);        /* an untranslated request asks for no page */
    }
    if (who == ATS || who == UNTRANSLATED) {
        device(f, PT_OP_READ, who);
    }
}

static void write_by(struct fix *f, enum who who)
{
    if (who == CPU) {
        cpu_stamp(f->p, (uintptr_t)f->p, LEN, NEW);
    } else if (who != NOBODY) {
        device(f, PT_OP_WRITE, who);
    }
}

/* -- the kinds of memory --------------------------------------------------- */

static void command(const char *line)
{
    CHECK(!system(line), "%s: failed", line);
}

static void drop_caches(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

    CHECK(fd >= 0 && write(fd, "1", 1) == 1, "drop_caches: %s",
          strerror(errno));
    close(fd);
}

static void need_disk(const char *path)
{
    if (access(path, F_OK)) {
        ktap_skip("no %s (CONFIG_BLK_DEV_RAM)", path);
    }
}

/* Pages that are on the swap device; they have no page frame then */
static unsigned swapped(struct fix *f)
{
    uint64_t entries[PAGES];
    int fd = open("/proc/self/pagemap", O_RDONLY);
    unsigned i, n = 0;

    CHECK(fd >= 0, "pagemap: %s", strerror(errno));
    CHECK(pread(fd, entries, sizeof(entries),
                (uintptr_t)f->p / PT_PAGE * sizeof(entries[0])) ==
          sizeof(entries), "pagemap: %s", strerror(errno));
    close(fd);
    for (i = 0; i < PAGES; i++) {
        n += entries[i] >> 62 & 1;
    }
    return n;
}

/*
 * The kernel leaves out pages that something else is just looking at, and
 * those that the CPU which faulted them in (for the device: a kworker's) has
 * not put on the LRU lists yet.  MADV_PAGEOUT empties the batch of this CPU
 * alone, drop_caches those of all.
 */
static void page_out(struct fix *f)
{
    unsigned tries;

    for (tries = 0; tries < 100; tries++) {
        drop_caches();
        CHECK(!madvise(f->p, LEN, MADV_PAGEOUT), "MADV_PAGEOUT: %s",
              strerror(errno));
        if (f->kind == FREE ? tries > 2 : swapped(f) == PAGES) {
            return;
        }
        pt_sleep_ms(10);
    }
    FAIL("%u of %u pages on the swap device", swapped(f), PAGES);
}

static void prepare_free(struct fix *f)
{
    f->p = pt_map_anon(LEN);
    cpu_stamp(f->p, (uintptr_t)f->p, LEN, OLD);
    CHECK(!madvise(f->p, LEN, MADV_FREE), "MADV_FREE: %s", strerror(errno));
}

/* The file system of a test that ended in between is still there */
static void prepare_swap(struct fix *f)
{
    need_disk(SWAP);
    swapoff(SWAP);
    command("mkswap " SWAP " > /dev/null");
    if (swapon(SWAP, 0)) {
        CHECK(errno == ENOSYS, "swapon: %s", strerror(errno));
        ktap_skip("no swap (CONFIG_SWAP)");
    }
    f->p = pt_map_anon(LEN);
    cpu_stamp(f->p, (uintptr_t)f->p, LEN, OLD);
    page_out(f);
}

static void prepare_file(struct fix *f)
{
    need_disk(DISK);
    umount(MOUNT);
    mkdir(MOUNT, 0700);
    command("mke2fs " DISK " 4096 > /dev/null 2>&1");    /* KiB */
    if (mount(DISK, MOUNT, "ext2", 0, NULL)) {
        CHECK(errno == ENODEV, "mount: %s", strerror(errno));
        ktap_skip("no ext2 (CONFIG_EXT2_FS)");
    }
    f->fd = open(MOUNT "/file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(f->fd >= 0 && !ftruncate(f->fd, LEN), "file: %s", strerror(errno));
    f->p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    CHECK(f->p != MAP_FAILED, "mmap: %s", strerror(errno));
    /* The kernel lets nobody write before it knows that somebody will */
    cpu_stamp(f->p, (uintptr_t)f->p, LEN, OLD);
}

/* Take the pages away, and bring back what the kernel has of them */
static void take_away(struct fix *f, unsigned char *back)
{
    if (f->kind != FILE_MAPPED) {
        page_out(f);
        memcpy(back, f->p, LEN);
        return;
    }
    CHECK(!msync(f->p, LEN, MS_SYNC), "msync: %s", strerror(errno));
    CHECK(!munmap(f->p, LEN), "munmap: %s", strerror(errno));
    drop_caches();
    CHECK(pread(f->fd, back, LEN, 0) == (ssize_t)LEN, "read: %s",
          strerror(errno));
}

static void clean_up(struct fix *f)
{
    if (f->kind == SWAPPED) {
        CHECK(!swapoff(SWAP), "swapoff: %s", strerror(errno));
    } else if (f->kind == FILE_MAPPED) {
        close(f->fd);
        CHECK(!umount(MOUNT), "umount: %s", strerror(errno));
    }
}

/* -- the tests ------------------------------------------------------------- */

/* Pages that do not read as the last one left them */
static unsigned count_lost(const unsigned char *back, const void *addr)
{
    unsigned char want[PT_PAGE];
    unsigned i, lost = 0;

    for (i = 0; i < PAGES; i++) {
        cpu_stamp(want, (uintptr_t)addr + i * PT_PAGE, PT_PAGE, NEW);
        lost += memcmp(want, back + i * PT_PAGE, PT_PAGE) != 0;
    }
    return lost;
}

static void run(enum kind kind, enum who reader, enum who writer)
{
    static void (*const prepare[])(struct fix *) = {
        [FREE] = prepare_free, [SWAPPED] = prepare_swap,
        [FILE_MAPPED] = prepare_file,
    };
    static unsigned char back[LEN];
    struct fix f = { .kind = kind };
    unsigned lost;

    pt_open_bound(&f.pt, 0);
    pt_chan(&f.pt, &f.ch);
    prepare[kind](&f);
    read_by(&f, reader);
    write_by(&f, writer);
    take_away(&f, back);
    lost = count_lost(back, f.p);
    ktap_note("pages lost: %u of %u", lost, PAGES);
    if (writer == NOBODY) {
        CHECK_EQ(lost, PAGES, "pages that nobody wrote");
    } else {
        CHECK_EQ(lost, 0, "pages lost");
    }
    clean_up(&f);
}

/*
 * What nobody writes must be taken away: else the other tests prove nothing.
 * For swap the page has to leave memory a second time, without a write.
 */
static void test_free_control(void)
{
    run(FREE, CPU, NOBODY);
}

static void test_swap_control(void)
{
    struct fix f = { .kind = SWAPPED };

    pt_open_bound(&f.pt, 0);
    prepare_swap(&f);
    read_by(&f, CPU);
    CHECK_EQ(swapped(&f), 0, "pages on the swap device, read");
    page_out(&f);
    clean_up(&f);
}

#define TEST(kind, k, reader, r, writer, w) \
    static void k ## _ ## r ## _ ## w(void) \
    { \
        run(kind, reader, writer); \
    }
#define WRITERS(kind, k, reader, r) \
    TEST(kind, k, reader, r, CPU, cpu) \
    TEST(kind, k, reader, r, ATS, ats) \
    TEST(kind, k, reader, r, UNTRANSLATED, untranslated)
#define READERS(kind, k) \
    WRITERS(kind, k, CPU, cpu) \
    WRITERS(kind, k, ATS, ats) \
    WRITERS(kind, k, UNTRANSLATED, untranslated)

READERS(FREE, free)
READERS(SWAPPED, swap)
READERS(FILE_MAPPED, file)

static const struct ktap_test tests[] = {
    { "free-control", test_free_control, 0 },
    { "swap-control", test_swap_control, 0 },
    { "free-read-cpu-write-cpu", free_cpu_cpu, 0 },
    { "free-read-cpu-write-ats", free_cpu_ats, 0 },
    { "free-read-cpu-write-untranslated", free_cpu_untranslated, 0 },
    { "free-read-ats-write-cpu", free_ats_cpu, 0 },
    { "free-read-ats-write-ats", free_ats_ats, 0 },
    { "free-read-ats-write-untranslated", free_ats_untranslated, 0 },
    { "free-read-untranslated-write-cpu", free_untranslated_cpu, 0 },
    { "free-read-untranslated-write-ats", free_untranslated_ats, 0 },
    { "free-read-untranslated-write-untranslated",
      free_untranslated_untranslated, 0 },
    { "swap-read-cpu-write-cpu", swap_cpu_cpu, 0 },
    { "swap-read-cpu-write-ats", swap_cpu_ats, 0 },
    { "swap-read-cpu-write-untranslated", swap_cpu_untranslated, 0 },
    { "swap-read-ats-write-cpu", swap_ats_cpu, 0 },
    { "swap-read-ats-write-ats", swap_ats_ats, 0 },
    { "swap-read-ats-write-untranslated", swap_ats_untranslated, 0 },
    { "swap-read-untranslated-write-cpu", swap_untranslated_cpu, 0 },
    { "swap-read-untranslated-write-ats", swap_untranslated_ats, 0 },
    { "swap-read-untranslated-write-untranslated",
      swap_untranslated_untranslated, 0 },
    { "file-read-cpu-write-cpu", file_cpu_cpu, 0 },
    { "file-read-cpu-write-ats", file_cpu_ats, 0 },
    { "file-read-cpu-write-untranslated", file_cpu_untranslated, 0 },
    { "file-read-ats-write-cpu", file_ats_cpu, 0 },
    { "file-read-ats-write-ats", file_ats_ats, 0 },
    { "file-read-ats-write-untranslated", file_ats_untranslated, 0 },
    { "file-read-untranslated-write-cpu", file_untranslated_cpu, 0 },
    { "file-read-untranslated-write-ats", file_untranslated_ats, 0 },
    { "file-read-untranslated-write-untranslated",
      file_untranslated_untranslated, 0 },
};

KTAP_MAIN(tests)
