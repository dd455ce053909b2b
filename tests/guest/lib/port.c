/*
 * The pri-root-port above a function
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port.h"
#include "sysfs.h"

#define DEVICES     "/sys/bus/pci/devices/"
#define DRIVER      "/sys/bus/pci/drivers/pri_testdev"
#define SLOTS       "/sys/bus/pci/slots/"

#define CAP_LIST    0x34
#define CAP_EXP     0x10
#define EXT_VSEC    0x000b
#define EXT_DPC     0x001d

/* -- Configuration space --------------------------------------------------- */

static void port_read(struct port *port, unsigned offset, void *buf, size_t n)
{
    CHECK(pread(port->config, buf, n, offset) == (ssize_t)n,
          "configuration space of %s at 0x%x: %s", port->name, offset,
          strerror(errno));
}

uint32_t port_rd32(struct port *port, unsigned offset)
{
    uint32_t v;

    port_read(port, offset, &v, sizeof(v));
    return v;
}

uint16_t port_rd16(struct port *port, unsigned offset)
{
    uint16_t v;

    port_read(port, offset, &v, sizeof(v));
    return v;
}

static void port_write(struct port *port, unsigned offset, const void *buf,
                       size_t n)
{
    CHECK(pwrite(port->config, buf, n, offset) == (ssize_t)n,
          "configuration space of %s at 0x%x: %s", port->name, offset,
          strerror(errno));
}

void port_wr16(struct port *port, unsigned offset, uint16_t value)
{
    port_write(port, offset, &value, sizeof(value));
}

static unsigned find_cap(struct port *port, unsigned id)
{
    unsigned at = port_rd16(port, CAP_LIST) & 0xfc;
    unsigned left;

    for (left = 48; at && left; left--) {
        uint16_t header = port_rd16(port, at);

        if ((header & 0xff) == id) {
            return at;
        }
        at = header >> 8 & 0xfc;
    }
    return 0;
}

static unsigned find_ext_cap(struct port *port, unsigned id)
{
    unsigned at = 0x100;
    unsigned left;

    for (left = 960; at && left; left--) {
        uint32_t header = port_rd32(port, at);

        if ((header & 0xffff) == id) {
            return at;
        }
        at = header >> 20 & 0xffc;
    }
    return 0;
}

/* -- Open ------------------------------------------------------------------ */

/* The slot whose address is that of the function, without its number */
static void find_slot(struct port *port)
{
    struct dirent *e;
    DIR *dir = opendir(SLOTS);

    while (dir && (e = readdir(dir))) {
        char path[PATH_MAX], address[32] = "";
        FILE *f;

        snprintf(path, sizeof(path), SLOTS "%s/address", e->d_name);
        f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (f && fscanf(f, "%31s", address) == 1 &&
            !strncmp(address, port->below, strlen(address))) {
            snprintf(port->slot, sizeof(port->slot), "%.31s", e->d_name);
        }
        if (f) {
            fclose(f);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void find_function(struct port *port, unsigned n)
{
    struct dirent **names;
    int found = scandir(DRIVER, &names, NULL, alphasort);
    int i;

    CHECK(found >= 0, DRIVER ": %s", strerror(errno));
    for (i = 0; i < found; i++) {
        if (strchr(names[i]->d_name, ':') && !n--) {
            snprintf(port->below, sizeof(port->below), "%.31s",
                     names[i]->d_name);
        }
        free(names[i]);
    }
    free(names);
    CHECK(port->below[0], "the driver has no such function");
}

unsigned port_node(struct port *port)
{
    return sysfs_wait_node(port->below);
}

static void port_open_it(struct port *port)
{
    char path[PATH_MAX], real[PATH_MAX];

    snprintf(path, sizeof(path), DEVICES "%s", port->below);
    CHECK(realpath(path, real), "%s: %s", path, strerror(errno));
    snprintf(port->name, sizeof(port->name), "%.31s", basename(dirname(real)));
    snprintf(path, sizeof(path), DEVICES "%s/config", port->name);
    port->config = open(path, O_RDWR | O_CLOEXEC);
    CHECK(port->config >= 0, "%s: %s", path, strerror(errno));
    if (port_rd32(port, 0) !=
        (PRI_ROOT_PORT_DEVICE_ID << 16 | PRI_ROOT_PORT_VENDOR_ID)) {
        ktap_skip("the port above %s is no pri-root-port", port->below);
    }
    port->exp = find_cap(port, CAP_EXP);
    port->dpc = find_ext_cap(port, EXT_DPC);
    port->vsec = find_ext_cap(port, EXT_VSEC);
    find_slot(port);
}

void port_open(struct port *port, unsigned n)
{
    memset(port, 0, sizeof(*port));
    find_function(port, n);
    port_open_it(port);
}

void port_open_above(struct port *port, const char *function)
{
    memset(port, 0, sizeof(*port));
    snprintf(port->below, sizeof(port->below), "%.31s", function);
    port_open_it(port);
}

void port_close(struct port *port)
{
    close(port->config);
}

/* -- Knobs and slot -------------------------------------------------------- */

void port_knob(struct port *port, const char *knob, uint32_t value)
{
    uint32_t hash = pt_knob_hash(knob);

    port_write(port, port->vsec + PRP_VSEC_KNOB_NAME, &hash, 4);
    port_write(port, port->vsec + PRP_VSEC_KNOB_VALUE, &value, 4);
    CHECK_EQ(port_rd32(port, port->vsec + PRP_VSEC_KNOB_STATUS), PT_KNOB_OK,
             "status of the port's knob");
}

static bool port_knows(struct port *port)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), DEVICES "%s", port->below);
    return !access(path, F_OK);
}

/*
 * pciehp is busy with a slot for a second after it has switched it off, and
 * says ENODEV to a request to switch it on.  It says the same if a card came
 * back in that second: then it switches the slot on by itself.
 */
void port_power(struct port *port, bool on)
{
    double until = pt_now() + 30;
    char path[PATH_MAX];
    ssize_t done;
    int fd;

    CHECK(port->slot[0], "%s has no slot: pciehp is not there", port->name);
    snprintf(path, sizeof(path), SLOTS "%s/power", port->slot);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s: %s", path, strerror(errno));
    do {
        pt_sleep_ms(50);
        done = write(fd, on ? "1" : "0", 1);
    } while (done < 0 && errno == ENODEV && !(on && port_knows(port)) &&
             pt_now() < until);
    CHECK(done == 1 || (on && port_knows(port)), "power of slot %s: %s",
          port->slot, strerror(errno));
    close(fd);
}

void port_wait_gone(struct port *port, unsigned ms)
{
    double until = pt_now() + ms / 1000.0;

    while (port_knows(port)) {
        CHECK(pt_now() < until, "%s is still there after %u ms", port->below,
              ms);
        pt_sleep_ms(10);
    }
}

unsigned port_wait_back(struct port *port, unsigned ms)
{
    double until = pt_now() + ms / 1000.0;

    while (!port_knows(port)) {
        CHECK(pt_now() < until, "%s has not come back after %u ms",
              port->below, ms);
        pt_sleep_ms(10);
    }
    return sysfs_wait_node(port->below);
}

/* -- Work ------------------------------------------------------------------ */

void port_check_works(unsigned index)
{
    struct pt_chan ch;
    struct pt pt;

    pt_open_bound(&pt, index);
    pt_chan(&pt, &ch);
    pt_check_works(&ch);
    CHECK_EQ(pt_counter(&pt, PT_CNT_VIOLATIONS), 0, "violations");
    pt_unbind(&pt);
    pt_close(&pt);
}
