/*
 * What of the kernel's iommufd and VFIO interfaces the tests use
 *
 * The distribution's headers may be older than the kernel under test, so the
 * numbers and layouts (Linux 6.15, include/uapi/linux/iommufd.h and vfio.h)
 * are written down here.  Sizes are given in bytes in the first field.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_GUEST_IOFD_ABI_H
#define TESTS_GUEST_IOFD_ABI_H

#include <stdint.h>
#include <sys/ioctl.h>

#define IOFD_TYPE   ';'

#define IOFD_DESTROY        _IO(IOFD_TYPE, 0x80)
#define IOFD_IOAS_ALLOC     _IO(IOFD_TYPE, 0x81)
#define IOFD_IOAS_MAP       _IO(IOFD_TYPE, 0x85)
#define IOFD_IOAS_UNMAP     _IO(IOFD_TYPE, 0x86)
#define IOFD_HWPT_ALLOC     _IO(IOFD_TYPE, 0x89)
#define IOFD_FAULT_ALLOC    _IO(IOFD_TYPE, 0x8e)

struct iofd_destroy {
    uint32_t size;
    uint32_t id;
};

struct iofd_ioas_alloc {
    uint32_t size;
    uint32_t flags;
    uint32_t out_ioas_id;
};

#define IOFD_MAP_FIXED_IOVA (1u << 0)
#define IOFD_MAP_WRITE      (1u << 1)
#define IOFD_MAP_READ       (1u << 2)

struct iofd_ioas_map {
    uint32_t size;
    uint32_t flags;
    uint32_t ioas_id;
    uint32_t reserved;
    uint64_t user_va;
    uint64_t length;
    uint64_t iova;
};

struct iofd_ioas_unmap {
    uint32_t size;
    uint32_t ioas_id;
    uint64_t iova;
    uint64_t length;
};

#define IOFD_HWPT_FAULT_ID  (1u << 2)
#define IOFD_HWPT_PASID     (1u << 3)

struct iofd_hwpt_alloc {
    uint32_t size;
    uint32_t flags;
    uint32_t dev_id;
    uint32_t pt_id;
    uint32_t out_hwpt_id;
    uint32_t reserved;
    uint32_t data_type;
    uint32_t data_len;
    uint64_t data;
    uint32_t fault_id;
    uint32_t reserved2;
};

struct iofd_fault_alloc {
    uint32_t size;
    uint32_t flags;
    uint32_t out_fault_id;
    uint32_t out_fault_fd;
};

/* What a read of the fault queue gives: one a request, whole groups */
#define IOFD_PGFAULT_PASID  (1u << 0)
#define IOFD_PGFAULT_LAST   (1u << 1)

struct iofd_pgfault {
    uint32_t flags;
    uint32_t dev_id;
    uint32_t pasid;
    uint32_t grpid;
    uint32_t perm;
    uint32_t reserved;
    uint64_t addr;
    uint32_t length;
    uint32_t cookie;
};

#define IOFD_RESP_SUCCESS   0
#define IOFD_RESP_INVALID   1

struct iofd_response {
    uint32_t cookie;
    uint32_t code;
};

#define VFIO_FD_TYPE    ';'
#define VFIO_FD_BASE    100

#define VFIO_FD_REGION_INFO _IO(VFIO_FD_TYPE, VFIO_FD_BASE + 8)
#define VFIO_FD_RESET       _IO(VFIO_FD_TYPE, VFIO_FD_BASE + 11)
#define VFIO_FD_BIND        _IO(VFIO_FD_TYPE, VFIO_FD_BASE + 18)
#define VFIO_FD_ATTACH      _IO(VFIO_FD_TYPE, VFIO_FD_BASE + 19)
#define VFIO_FD_DETACH      _IO(VFIO_FD_TYPE, VFIO_FD_BASE + 20)

#define VFIO_FD_FEATURE     _IO(VFIO_FD_TYPE, VFIO_FD_BASE + 17)

#define VFIO_FD_FEATURE_SET     (1u << 17)
#define VFIO_FD_LOW_POWER_ENTRY 3u

struct vfio_fd_feature {
    uint32_t argsz;
    uint32_t flags;
};

#define VFIO_FD_REGION_BAR0     0
#define VFIO_FD_REGION_CONFIG   7

struct vfio_fd_region_info {
    uint32_t argsz;
    uint32_t flags;
    uint32_t index;
    uint32_t cap_offset;
    uint64_t size;
    uint64_t offset;
};

struct vfio_fd_bind {
    uint32_t argsz;
    uint32_t flags;
    int32_t iommufd;
    uint32_t out_devid;
};

#define VFIO_FD_WITH_PASID  (1u << 0)

struct vfio_fd_attach {
    uint32_t argsz;
    uint32_t flags;
    uint32_t pt_id;
    uint32_t pasid;             /* with the flag only */
};

struct vfio_fd_detach {
    uint32_t argsz;
    uint32_t flags;
    uint32_t pasid;             /* with the flag only */
};

#endif
