/*
 * Another kernel after this one: kexec, and kdump after a panic
 *
 * kexec_load() takes segments of memory and an address to jump to
 * (Documentation/admin-guide/kdump/, man kexec_load).  The kernel's ELF image
 * is entered in 64-bit mode with the physical address of boot_params in RSI
 * (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol"); a few bytes of
 * code put it there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hw/i386/vtd-knobs.h"
#include "hw/misc/pri-testdev-knobs.h"
#include "hw/pci/ats-rule-knobs.h"
#include "klog.h"
#include "nextkernel.h"
#include "owner.h"
#include "race.h"
#include "sysfs.h"

#define IMAGE           "/lib/vmlinux"
#define PARAMS          "/sys/kernel/boot_params/data"
#define ARCHIVE         "/tmp/next.cpio"

#define GROUP           4           /* requests of one, owner.c */
#define INV_DROP        1           /* inv-reply */
#define SECOND          2           /* descriptor, where C-02 is for good */
#define ASK_MS          2           /* until the function is asked */

#define PAGE            4096ull
#define MAX_SEGMENTS    16
#define WORDS           2048            /* COMMAND_LINE_SIZE */
#define LOW_END         0x100000ull     /* RAM below it is kept free, too */
#define E820_RAM        1

/* Where things go, from the place of the kernel on: above all of it */
#define ENTRY_AT        0x6000000ull    /* code, boot_params, words, ELF core */
#define ARCHIVE_AT      0x6010000ull

static const char *more_words = "";

struct next {
    struct kexec_segment segment[MAX_SEGMENTS];
    unsigned n;
    int64_t moved;                      /* from where it was linked to run */
    uint64_t base;                      /* of the kernel */
    uint64_t end;                       /* of the memory it may use; crash */
    uint64_t entry;
};

static void *read_all(const char *path, size_t *len)
{
    uint8_t *data = NULL;
    size_t have = 0, room = 0;
    int fd = open(path, O_RDONLY);
    ssize_t n;

    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    do {
        if (room - have < PAGE) {
            room = room ? 2 * room : 16 * PAGE;
            data = realloc(data, room);
            CHECK(data, "no memory for %s", path);
        }
        n = read(fd, data + have, room - have);
        CHECK(n >= 0, "%s: %s", path, strerror(errno));
        have += n;
    } while (n);
    close(fd);
    *len = have;
    return data;
}

static void add(struct next *k, uint64_t at, const void *data, size_t len,
                size_t room)
{
    CHECK(k->n < MAX_SEGMENTS, "too many segments");
    k->segment[k->n++] = (struct kexec_segment) {
        .buf = data, .bufsz = len, .mem = (void *)(uintptr_t)at,
        .memsz = (room + PAGE - 1) & ~(PAGE - 1),
    };
}

/* The memory that is kept for a kernel after a panic; false: none is */
static bool crash_memory(struct next *k)
{
    unsigned long long start, end;
    bool found = false;
    char line[256];
    FILE *f = fopen("/proc/iomem", "re");

    CHECK(f, "/proc/iomem: %s", strerror(errno));
    while (!found && fgets(line, sizeof(line), f)) {
        found = strstr(line, "Crash kernel") &&
            sscanf(line, " %llx-%llx", &start, &end) == 2;
    }
    fclose(f);
    if (found) {
        k->base = start;
        k->end = end + 1;
    }
    return found;
}

/* Its segments, moved to where it is to run; sets the entry */
static void add_kernel(struct next *k, bool crash)
{
    size_t len;
    uint8_t *image = read_all(IMAGE, &len);
    Elf64_Ehdr *eh = (Elf64_Ehdr *)image;
    Elf64_Phdr *ph = (Elf64_Phdr *)(image + eh->e_phoff);
    bool first = true;

    CHECK(len > sizeof(*eh) && !memcmp(eh->e_ident, ELFMAG, SELFMAG),
          "%s is no ELF file", IMAGE);
    for (unsigned i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type != PT_LOAD) {
            continue;
        }
        if (first && crash) {
            k->moved = k->base - ph[i].p_paddr;
        } else if (first) {
            k->base = ph[i].p_paddr;
        }
        first = false;
        CHECK(ph[i].p_paddr + k->moved + ph[i].p_memsz <= k->base + ENTRY_AT,
              "the kernel is larger than 0x%llx", ENTRY_AT);
        add(k, ph[i].p_paddr + k->moved, image + ph[i].p_offset,
            ph[i].p_filesz, ph[i].p_memsz);
    }
    k->entry = eh->e_entry + k->moved;
}

/* A user space of what there is here, but for the kernel and other programs */
static void *pack(const char *program, size_t *len)
{
    char command[512];
    void *data;

    snprintf(command, sizeof(command),
             "cd / && { echo bin; echo bin/busybox; echo bin/pri-lab-mark;"
             " echo init; echo lib; find lib -type f ! -name vmlinux;"
             " echo lib64; echo tests;"
             " echo tests/races; echo tests/%s; echo proc; echo sys; echo tmp;"
             " echo dev; echo root; } | cpio -o -H newc > %s 2>/dev/null",
             program, ARCHIVE);
    CHECK(!system(command), "the user space of the next kernel: %s", command);
    data = read_all(ARCHIVE, len);
    unlink(ARCHIVE);
    return data;
}

/* Words of this kernel that are not for the next one */
static bool dropped(const char *word)
{
    static const char *const words[] = {
        "pri_lab.go", "pri_lab.job=", "pri_lab.args=", "pri_lab.record=",
        "crashkernel=",
    };

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strncmp(word, words[i], strlen(words[i]))) {
            return true;
        }
    }
    return false;
}

static void make_words(char *words, const char *program, uint64_t core)
{
    size_t len, n = 0;
    char *have = read_all("/proc/cmdline", &len);

    have[len ? len - 1 : 0] = 0;                    /* the end of the line */
    for (char *w = strtok(have, " "); w; w = strtok(NULL, " ")) {
        if (!dropped(w)) {
            n += snprintf(words + n, WORDS - n, "%s ", w);
            CHECK(n < WORDS, "too many words for the next kernel");
        }
    }
    n += snprintf(words + n, WORDS - n, "%s pri_lab.job=%s pri_lab.boot=2",
                  more_words, program);
    if (core && n < WORDS) {    /* is_kdump_kernel(); nr_cpus: kdump.rst */
        n += snprintf(words + n, WORDS - n, " nr_cpus=1 elfcorehdr=0x%llx",
                      (unsigned long long)core);
    }
    CHECK(n < WORDS, "too many words for the next kernel");
}

/*
 * Of the memory that firmware tells, RAM is only what a crash kernel may use:
 * with crashkernel= the first MiB is not used by the kernel before it
 */
static void crash_map(struct boot_params *bp, const struct next *k)
{
    unsigned n = 0;

    for (unsigned i = 0; i < bp->e820_entries; i++) {
        const struct boot_e820_entry e = bp->e820_table[i];

        if (e.type != E820_RAM || e.addr < LOW_END) {
            bp->e820_table[n++] = e;
        }
    }
    CHECK(n < E820_MAX_ENTRIES_ZEROPAGE, "the memory map is full");
    bp->e820_table[n++] = (struct boot_e820_entry) {
        .addr = k->base, .size = k->end - k->base, .type = E820_RAM,
    };
    bp->e820_entries = n;
}

static struct boot_params *make_params(const struct next *k, bool crash,
                                       uint64_t words, size_t archive)
{
    size_t len;
    struct boot_params *bp = read_all(PARAMS, &len);

    CHECK(len == sizeof(*bp), "%s has %zu bytes", PARAMS, len);
    bp->hdr.boot_flag = 0xaa55;
    bp->hdr.header = 0x53726448;                    /* "HdrS" */
    bp->hdr.type_of_loader = 0xff;
    bp->hdr.setup_data = 0;
    bp->hdr.ramdisk_image = k->base + ARCHIVE_AT;
    bp->hdr.ramdisk_size = archive;
    bp->hdr.cmd_line_ptr = words;
    bp->hdr.cmdline_size = WORDS;
    bp->ext_ramdisk_image = bp->ext_ramdisk_size = bp->ext_cmd_line_ptr = 0;
    if (crash) {
        crash_map(bp, k);
    }
    return bp;
}

/* mov $params, %rsi; mov $entry, %rax; jmp *%rax */
static void make_code(uint8_t *code, uint64_t params, uint64_t entry)
{
    memcpy(code, "\x48\xbe", 2);
    memcpy(code + 2, &params, 8);
    memcpy(code + 10, "\x48\xb8", 2);
    memcpy(code + 12, &entry, 8);
    memcpy(code + 20, "\xff\xe0", 2);
}

void next_words(const char *words)
{
    more_words = words;
}

void next_load(const char *program, bool crash)
{
    static char words[WORDS];
    static uint8_t code[PAGE], core[PAGE];
    struct next k = { .n = 0 };
    struct boot_params *bp;
    uint64_t at;
    size_t len;
    void *archive;

    CHECK(!access(IMAGE, R_OK), "there is no %s (@image kernel)", IMAGE);
    if (crash && !crash_memory(&k)) {
        ktap_skip("no memory is kept for a kernel after a panic");
    }
    add_kernel(&k, crash);
    at = k.base + ENTRY_AT;
    archive = pack(program, &len);
    CHECK(!crash || k.base + ARCHIVE_AT + len < k.end,
          "crashkernel= keeps too little memory");
    make_words(words, program, crash ? at + 3 * PAGE : 0);
    bp = make_params(&k, crash, at + 2 * PAGE, len);
    make_code(code, at + PAGE, k.entry);
    add(&k, at, code, sizeof(code), sizeof(code));
    add(&k, at + PAGE, bp, sizeof(*bp), sizeof(*bp));
    add(&k, at + 2 * PAGE, words, sizeof(words), sizeof(words));
    add(&k, at + 3 * PAGE, core, sizeof(core), sizeof(core));
    add(&k, k.base + ARCHIVE_AT, archive, len, len);
    if (syscall(SYS_kexec_load, at, k.n, k.segment, KEXEC_ARCH_X86_64 |
                (crash ? KEXEC_ON_CRASH : 0))) {
        if (errno == ENOSYS) {
            ktap_skip("the kernel has no kexec (CONFIG_KEXEC)");
        }
        FAIL("kexec_load: %s", strerror(errno));
    }
}

void next_requests_out(unsigned later_us)
{
    struct owner a;
    struct pt pt;

    pt_open(&pt, 0);
    owner_start(&a, 0);
    CHECK_EQ(owner_do(&a, OWNER_WRITE), PT_ST_DONE, "the write before");
    owner_do(&a, OWNER_FREE);
    race_ready();

    pt_rule(&pt, 0, ATS_RULE_KNOB_DELAY_US, later_us);
    pt_rule(&pt, 0, ATS_RULE_KNOB_KIND, ATS_RULE_PAGE_REQUEST);
    pt_rule(&pt, 0, ATS_RULE_KNOB_COUNT, GROUP);
    pt_rule(&pt, 0, ATS_RULE_KNOB_ACTION, ATS_RULE_DELAY);
    owner_do(&a, OWNER_START);
}

/* A process on CPU 1 that the function has translations of */
static void owner_of_pages(struct pt *pt, struct owner *a)
{
    pt_open(pt, 0);
    race_cpu(1);
    owner_start(a, 0);
    race_cpu(0);
    CHECK_EQ(owner_do(a, OWNER_WRITE), PT_ST_DONE, "the write before");
    race_ready();
}

/* It gives its memory back, and CPU 1 does not come back from that */
static void free_without_end(struct owner *a)
{
    owner_tell(a, OWNER_FREE);
    pt_sleep_ms(ASK_MS);
    CHECK(!owner_done(a, 0, NULL), "the invalidation has an end");
}

void next_invalidation_out(bool for_good)
{
    struct owner a;
    struct pt pt;

    owner_of_pages(&pt, &a);
    pt_knob(&pt, PT_KNOB_INV_REPLY, INV_DROP);
    if (!for_good) {
        pt_knob(&pt, PT_KNOB_INV_NTH, 1);
    }
    free_without_end(&a);
}

void next_queue_stopped(void)
{
    struct owner a;
    struct pt pt;

    owner_of_pages(&pt, &a);
    pt_iommu_knob(&pt, VTD_KNOB_INJECT_IQE, SECOND);
    free_without_end(&a);
}

void next_start(void)
{
    reboot(LINUX_REBOOT_CMD_KEXEC);
    FAIL("the next kernel does not start: %s", strerror(errno));
}

void next_panic(void)
{
    sysfs_write("/proc/sysrq-trigger", "c");
    FAIL("sysrq c does not panic");
}

void next_served(void)
{
    struct owner a;
    struct pt pt;

    ktap_note("the next kernel");
    pt_open(&pt, 0);
    owner_start(&a, 0);
    owner_need_answer(&a, &pt);
}

void next_error_left(const char *error)
{
    if (klog_has(error)) {
        race_sign("error-left", "this kernel's log has \"%s\"", error);
    }
}
