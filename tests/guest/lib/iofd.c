/*
 * pri-testdev in the hands of user space alone: vfio-pci and iommufd
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iofd.h"
#include "sysfs.h"

#define DEVICES     "/sys/bus/pci/devices/"
#define DRIVERS     "/sys/bus/pci/drivers/"
#define FAULTS      8       /* requests that are read at once */

static bool is_testdev(const char *pci_name)
{
    char path[128], text[16] = "";
    unsigned id[2] = {};
    unsigned i;

    for (i = 0; i < 2; i++) {
        int fd;

        snprintf(path, sizeof(path), DEVICES "%.31s/%s", pci_name,
                 i ? "device" : "vendor");
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return false;
        }
        if (read(fd, text, sizeof(text) - 1) > 0) {
            id[i] = strtoul(text, NULL, 0);
        }
        close(fd);
    }
    return id[0] == PRI_TESTDEV_VENDOR_ID && id[1] == PRI_TESTDEV_DEVICE_ID;
}

/* Function n in the order of addresses */
static void find_testdev(char *pci_name, size_t size, unsigned nth)
{
    struct dirent **list;
    int i, n = scandir(DEVICES, &list, NULL, alphasort);

    pci_name[0] = 0;
    for (i = 0; i < n; i++) {
        if (!pci_name[0] && is_testdev(list[i]->d_name) && !nth--) {
            snprintf(pci_name, size, "%.31s", list[i]->d_name);
        }
        free(list[i]);
    }
    free(list);
    CHECK(pci_name[0], "there are not so many pri-testdevs");
}

static bool has_driver(const char *pci_name, const char *driver)
{
    char path[128];

    snprintf(path, sizeof(path), DRIVERS "%s/%s", driver, pci_name);
    return !access(path, F_OK);
}

/* Put a driver in the place of another one */
static void switch_driver(const char *pci_name, const char *from,
                          const char *to)
{
    char path[128];

    if (has_driver(pci_name, to)) {
        return;
    }
    snprintf(path, sizeof(path), DEVICES "%s/driver_override", pci_name);
    sysfs_write(path, to);
    if (has_driver(pci_name, from)) {
        snprintf(path, sizeof(path), DRIVERS "%s/unbind", from);
        sysfs_write(path, pci_name);
    }
    sysfs_write("/sys/bus/pci/drivers_probe", pci_name);
    CHECK(has_driver(pci_name, to), "%s does not take %s", to, pci_name);
}

/*
 * Out of D3hot, where vfio-pci has a function that nobody has opened: the
 * IOMMU driver sends it Invalidate Requests, which may be lost there, when it
 * is bound to an iommufd and when that is over
 * (docs/findings/O-K-d3-invalidation.md)
 */
static void keep_in_d0(const char *pci_name)
{
    char path[128];

    snprintf(path, sizeof(path), DEVICES "%.31s/power/control", pci_name);
    sysfs_write(path, "on");
}

static int open_cdev(const char *pci_name)
{
    char path[128], name[64] = "";
    struct dirent *e;
    DIR *dir;
    int fd;

    snprintf(path, sizeof(path), DEVICES "%s/vfio-dev", pci_name);
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        if (!strncmp(e->d_name, "vfio", 4)) {
            snprintf(name, sizeof(name), "/dev/vfio/devices/%.31s",
                     e->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (!name[0]) {
        ktap_skip("this kernel has no VFIO character devices");
    }
    fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        ktap_skip("this kernel has no VFIO character devices");
    }
    CHECK(fd >= 0, "%s: %s", name, strerror(errno));
    return fd;
}

static uint64_t region(struct iofd *io, unsigned index, uint64_t *size)
{
    struct vfio_fd_region_info info = {
        .argsz = sizeof(info), .index = index,
    };

    CHECK(!ioctl(io->dev, VFIO_FD_REGION_INFO, &info), "region %u: %s", index,
          strerror(errno));
    *size = info.size;
    return info.offset;
}

static void set_master(struct iofd *io)
{
    uint64_t size, offset = region(io, VFIO_FD_REGION_CONFIG, &size);
    uint16_t command;

    CHECK(pread(io->dev, &command, 2, offset + 4) == 2, "PCI command: %s",
          strerror(errno));
    command |= 6;               /* memory, bus master */
    CHECK(pwrite(io->dev, &command, 2, offset + 4) == 2, "PCI command: %s",
          strerror(errno));
}

static int open_iommu(void)
{
    int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

    if (fd < 0 && (errno == ENOENT || errno == ENODEV)) {
        ktap_skip("this kernel has no iommufd");
    }
    CHECK(fd >= 0, "/dev/iommu: %s", strerror(errno));
    if (access(DRIVERS "vfio-pci", F_OK)) {
        ktap_skip("this kernel has no vfio-pci");
    }
    return fd;
}

static void take(struct iofd *io, unsigned n)
{
    memset(io, 0, sizeof(*io));
    io->iommu = open_iommu();
    find_testdev(io->pci_name, sizeof(io->pci_name), n);
    switch_driver(io->pci_name, "pri_testdev", "vfio-pci");
}

void iofd_take(struct iofd *io)
{
    take(io, 0);
}

void iofd_bind(struct iofd *io)
{
    struct vfio_fd_bind bind = { .argsz = sizeof(bind) };
    uint64_t size, offset;
    void *p;

    io->dev = open_cdev(io->pci_name);
    bind.iommufd = io->iommu;
    CHECK(!ioctl(io->dev, VFIO_FD_BIND, &bind), "bind: %s", strerror(errno));
    io->dev_id = bind.out_devid;

    offset = region(io, VFIO_FD_REGION_BAR0, &size);
    p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, io->dev, offset);
    CHECK(p != MAP_FAILED, "mmap of BAR0: %s", strerror(errno));
    set_master(io);
    io->pt.fd = -1;
    io->pt.func = p;
    io->bar0_size = size;
    CHECK_EQ(pt_rd32(io->pt.func, PT_ID), PT_ID_MAGIC, "PT_ID");
    io->pt.channels = pt_rd32(io->pt.func, PT_CHANNELS);
}

void iofd_open_nth(struct iofd *io, unsigned n)
{
    take(io, n);
    keep_in_d0(io->pci_name);
    iofd_bind(io);
}

void iofd_open(struct iofd *io)
{
    iofd_open_nth(io, 0);
}

void iofd_open_names(struct iofd *io, const char *const *names, unsigned n)
{
    int iommu = open_iommu();

    for (unsigned i = 0; i < n; i++) {
        memset(&io[i], 0, sizeof(io[i]));
        io[i].iommu = iommu;
        snprintf(io[i].pci_name, sizeof(io[i].pci_name), "%.31s", names[i]);
        switch_driver(names[i], "pri_testdev", "vfio-pci");
        keep_in_d0(names[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        iofd_bind(&io[i]);
    }
}

void iofd_close(struct iofd *io)
{
    munmap((void *)io->pt.func, io->bar0_size);
    close(io->dev);
    close(io->iommu);
}

unsigned iofd_back_name(const char *pci_name)
{
    switch_driver(pci_name, "vfio-pci", "pri_testdev");
    return sysfs_wait_node(pci_name);
}

unsigned iofd_back_nth(unsigned n)
{
    char pci_name[32];

    find_testdev(pci_name, sizeof(pci_name), n);
    return iofd_back_name(pci_name);
}

unsigned iofd_back(void)
{
    return iofd_back_nth(0);
}

void iofd_chan(struct iofd *io, struct pt_chan *ch, unsigned n)
{
    CHECK(n < io->pt.channels, "only %u channels", io->pt.channels);
    ch->pt = &io->pt;
    ch->index = n;
    ch->regs = io->pt.func + PT_CHANNEL(n);
}

void iofd_pt_alloc(struct iofd *io, struct iofd_pt *pt, bool faults)
{
    struct iofd_ioas_alloc ioas = { .size = sizeof(ioas) };
    struct iofd_fault_alloc fault = { .size = sizeof(fault) };
    struct iofd_hwpt_alloc hwpt = {
        .size = sizeof(hwpt), .flags = IOFD_HWPT_PASID, .dev_id = io->dev_id,
    };
    int ret;

    CHECK(!ioctl(io->iommu, IOFD_IOAS_ALLOC, &ioas), "ioas: %s",
          strerror(errno));
    if (faults) {
        ret = ioctl(io->iommu, IOFD_FAULT_ALLOC, &fault);
        if (ret && errno == ENOTTY) {
            ktap_skip("this kernel's iommufd has no fault queues");
        }
        CHECK(!ret, "fault queue: %s", strerror(errno));
        hwpt.flags |= IOFD_HWPT_FAULT_ID;
        hwpt.fault_id = fault.out_fault_id;
    }
    hwpt.pt_id = ioas.out_ioas_id;
    ret = ioctl(io->iommu, IOFD_HWPT_ALLOC, &hwpt);
    if (ret && errno == EOPNOTSUPP) {
        ktap_skip("this kernel has no page tables with PASID and fault queue "
                  "on VT-d");
    }
    CHECK(!ret, "page table: %s", strerror(errno));
    pt->ioas = ioas.out_ioas_id;
    pt->hwpt = hwpt.out_hwpt_id;
    pt->fault = fault.out_fault_id;
    pt->fault_fd = faults ? (int)fault.out_fault_fd : -1;
}

int iofd_try_attach(struct iofd *io, uint32_t pt_id, uint32_t pasid)
{
    struct vfio_fd_attach req = { .argsz = sizeof(req), .pt_id = pt_id };

    if (pasid) {
        req.flags = VFIO_FD_WITH_PASID;
        req.pasid = pasid;
    }
    return ioctl(io->dev, VFIO_FD_ATTACH, &req) ? errno : 0;
}

void iofd_attach(struct iofd *io, uint32_t pt_id, uint32_t pasid)
{
    int err = iofd_try_attach(io, pt_id, pasid);

    if (pasid && (err == EOPNOTSUPP || err == ENOTTY)) {
        ktap_skip("this kernel's vfio-pci has no PASIDs");
    }
    CHECK(!err, "attach to PASID %u: %s", pasid, strerror(err));
}

void iofd_detach(struct iofd *io, uint32_t pasid)
{
    struct vfio_fd_detach req = { .argsz = sizeof(req) };

    if (pasid) {
        req.flags = VFIO_FD_WITH_PASID;
        req.pasid = pasid;
    }
    CHECK(!ioctl(io->dev, VFIO_FD_DETACH, &req), "detach of PASID %u: %s",
          pasid, strerror(errno));
}

void iofd_map(struct iofd *io, uint32_t ioas, uint64_t iova, void *addr,
              size_t len)
{
    struct iofd_ioas_map req = {
        .size = sizeof(req),
        .flags = IOFD_MAP_FIXED_IOVA | IOFD_MAP_READ | IOFD_MAP_WRITE,
        .ioas_id = ioas, .user_va = (uintptr_t)addr, .length = len,
        .iova = iova,
    };

    CHECK(!ioctl(io->iommu, IOFD_IOAS_MAP, &req), "map of 0x%llx: %s",
          (unsigned long long)iova, strerror(errno));
}

void iofd_unmap(struct iofd *io, uint32_t ioas, uint64_t iova, size_t len)
{
    struct iofd_ioas_unmap req = {
        .size = sizeof(req), .ioas_id = ioas, .iova = iova, .length = len,
    };

    CHECK(!ioctl(io->iommu, IOFD_IOAS_UNMAP, &req), "unmap of 0x%llx: %s",
          (unsigned long long)iova, strerror(errno));
}

void iofd_destroy(struct iofd *io, uint32_t id)
{
    struct iofd_destroy req = { .size = sizeof(req), .id = id };

    CHECK(!ioctl(io->iommu, IOFD_DESTROY, &req), "destroy of %u: %s", id,
          strerror(errno));
}

void iofd_wait(struct iofd_pt *pt)
{
    struct pollfd pfd = { .fd = pt->fault_fd, .events = POLLIN };

    CHECK(poll(&pfd, 1, PT_TIMEOUT) == 1 && (pfd.revents & POLLIN),
          "no group has come");
}

void iofd_read(struct iofd_pt *pt, struct iofd_pgfault *faults, unsigned n)
{
    ssize_t got;

    iofd_wait(pt);
    got = read(pt->fault_fd, faults, n * sizeof(*faults));
    CHECK(got == (ssize_t)(n * sizeof(*faults)), "read of %u requests: %zd, %s",
          n, got, got < 0 ? strerror(errno) : "too few");
}

void iofd_respond(struct iofd_pt *pt, uint32_t cookie, uint32_t code)
{
    struct iofd_response resp = { .cookie = cookie, .code = code };

    CHECK(write(pt->fault_fd, &resp, sizeof(resp)) == sizeof(resp),
          "response: %s", strerror(errno));
}

bool iofd_answer(struct iofd_pt *pt, int ms)
{
    struct pollfd pfd = { .fd = pt->fault_fd, .events = POLLIN };
    struct iofd_pgfault fault[FAULTS];
    ssize_t n;

    if (poll(&pfd, 1, ms) != 1) {
        return false;
    }
    n = read(pt->fault_fd, fault, sizeof(fault));
    for (ssize_t i = 0; i < n / (ssize_t)sizeof(fault[0]); i++) {
        struct iofd_response resp = {
            .cookie = fault[i].cookie, .code = IOFD_RESP_SUCCESS,
        };

        if (write(pt->fault_fd, &resp, sizeof(resp)) < 0) {
            return false;
        }
    }
    return n > 0;
}
