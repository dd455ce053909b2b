/*
 * Guest side of `./pri-lab bench`: reads of a virtio disk, as process 1
 *
 * The kernel maps the buffers of every read for the device and unmaps them
 * when it is done; with iommu.strict=1 each unmap is an invalidation that is
 * waited for.  The second serial port is the line to the host, which says
 * when to work, so that two guests can take turns:
 *
 *   guest: # stat blk domain TYPE      group type of the disk's domain
 *          # stat blk ats 0|1          ATS enabled in the disk's function
 *          # bench: ready
 *   host:  run MILLISECONDS
 *   guest: # stat blk ns_per_read NANOSECONDS
 *   host:  end
 *   guest: powers off
 *
 * or `# bench: error WHAT` and power-off.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define DISK        "/dev/vda"
#define FUNCTION    "/sys/block/vda/device/.."
#define LINE        "/dev/ttyS1"
#define BLOCK       4096
#define BLOCKS      1024            /* the reads go round in 4 MiB */
#define BATCH       16              /* reads between two looks at the clock */

#define PCI_EXT_CAP         0x100
#define PCI_EXT_CAP_ATS     0x000f
#define PCI_ATS_CTRL        6
#define PCI_ATS_CTRL_E      0x8000

static FILE *host;                  /* to it */

static void power_off(void)
{
    fflush(host);
    tcdrain(fileno(host));
    reboot(RB_POWER_OFF);
    for (;;) {
        pause();
    }
}

static void die(const char *what)
{
    fprintf(host, "# bench: error %s: %s\n", what, strerror(errno));
    power_off();
}

/* The line, for reading; host is for writing */
static FILE *open_line(void)
{
    struct termios t;
    FILE *f = fopen(LINE, "r");

    host = f ? fopen(LINE, "w") : NULL;
    if (!host) {
        host = stdout;              /* the console */
        die(LINE);
    }
    tcgetattr(fileno(f), &t);
    t.c_iflag = 0;
    t.c_oflag = 0;
    t.c_lflag = ICANON;             /* whole lines, no echo */
    tcsetattr(fileno(f), TCSANOW, &t);
    return f;
}

/* Wait for the disk, the kernel may still be looking for it */
static int open_disk(void)
{
    int fd = -1;

    for (int i = 0; fd < 0 && i < 100; i++) {
        fd = open(DISK, O_RDONLY | O_DIRECT);
        if (fd < 0) {
            usleep(100 * 1000);
        }
    }
    if (fd < 0) {
        die(DISK);
    }
    return fd;
}

static void tell_domain(void)
{
    char type[32] = "none";
    FILE *f = fopen(FUNCTION "/iommu_group/type", "r");

    if (f) {
        if (fscanf(f, "%31s", type) != 1) {
            die("iommu_group/type");
        }
        fclose(f);
    }
    fprintf(host, "# stat blk domain %s\n", type);
}

static uint32_t config_read(int fd, unsigned int offset, unsigned int size)
{
    uint32_t v = 0;

    if (pread(fd, &v, size, offset) != size) {
        die("configuration space");
    }
    return v;
}

/* PCIe 6.2, 7.6.3 (header), 10.5.1.3 (ATS Control) */
static void tell_ats(void)
{
    int fd = open(FUNCTION "/config", O_RDONLY);
    unsigned int at = PCI_EXT_CAP;
    int on = 0;

    if (fd < 0) {
        die(FUNCTION "/config");
    }
    for (int i = 0; at >= PCI_EXT_CAP && i < 64; i++) {
        uint32_t header = config_read(fd, at, 4);

        if ((header & 0xffff) == PCI_EXT_CAP_ATS) {
            on = !!(config_read(fd, at + PCI_ATS_CTRL, 2) & PCI_ATS_CTRL_E);
        }
        at = header >> 20 & ~3u;
    }
    close(fd);
    fprintf(host, "# stat blk ats %d\n", on);
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Read for that long; nanoseconds a read took on average */
static double measure(int fd, void *buffer, unsigned int milliseconds)
{
    int64_t start = now();
    int64_t end = start + milliseconds * 1000000LL;
    int64_t t = start;
    uint64_t n = 0;

    while (t < end) {
        for (int i = 0; i < BATCH; i++, n++) {
            off_t at = n % BLOCKS * BLOCK;

            if (pread(fd, buffer, BLOCK, at) != BLOCK) {
                die("read of " DISK);
            }
        }
        t = now();
    }
    return (double)(t - start) / n;
}

static void serve(FILE *line_in, int fd)
{
    char line[64];
    void *buffer;

    if (posix_memalign(&buffer, BLOCK, BLOCK)) {
        die("memory");
    }
    memset(buffer, 0, BLOCK);
    fprintf(host, "# bench: ready\n");
    fflush(host);
    while (fgets(line, sizeof(line), line_in)) {
        unsigned int ms;

        if (sscanf(line, "run %u", &ms) == 1) {
            fprintf(host, "# stat blk ns_per_read %.0f\n",
                    measure(fd, buffer, ms));
            fflush(host);
        } else if (!strncmp(line, "end", 3)) {
            return;
        }
    }
}

int main(void)
{
    FILE *line_in;
    int fd;

    mkdir("/dev", 0755);
    mkdir("/sys", 0755);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    mount("sys", "/sys", "sysfs", 0, NULL);
    line_in = open_line();
    fd = open_disk();
    tell_domain();
    tell_ats();
    serve(line_in, fd);
    power_off();
}
