#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Puts the driver for pri-testdev into a Linux tree's VFIO selftests:
#   tests/vfio-selftests/install.sh ~/linux
# Two files in lib/drivers/pri_testdev, a line in lib/libvfio.mk, two in
# lib/vfio_pci_driver.c, and the test of I/O page faults
# (contrib/kernel/vfio-selftests-iopf.patch) if the tree takes it.  A second time
# it only brings the files up to date.
set -eu

[ $# = 1 ] || { echo "usage: $0 LINUX-TREE" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
self=tools/testing/selftests/vfio
lib=$1/$self/lib
mk=$lib/libvfio.mk
table=$lib/vfio_pci_driver.c
array='static struct vfio_pci_driver_ops \*driver_ops\[\] = {'

[ -f "$mk" ] && grep -q "^$array" "$table" || {
    echo "$1 has no VFIO selftests with drivers (Linux 6.18 has them)" >&2
    exit 1
}
mkdir -p "$lib/drivers/pri_testdev"
cp "$here/pri_testdev.c" "$here/../../include/hw/misc/pri-testdev-regs.h" \
    "$lib/drivers/pri_testdev"

if ! grep -q pri_testdev "$mk"; then
    sed -i '/^LIBVFIO_OUTPUT/i LIBVFIO_C += drivers/pri_testdev/pri_testdev.c\n' \
        "$mk"
fi
if ! grep -q pri_testdev "$table"; then
    sed -i "/^$array/i extern struct vfio_pci_driver_ops pri_testdev_ops;\n
/^$array/a \\\\t&pri_testdev_ops," "$table"
fi
grep -q pri_testdev "$mk" && grep -q pri_testdev_ops, "$table" || {
    echo "$lib looks different from what this script knows" >&2
    exit 1
}

patch=$here/../../contrib/kernel/vfio-selftests-iopf.patch
if [ ! -f "$1/$self/vfio_pci_iopf_test.c" ]; then
    if patch -d "$1" -p1 -s -f --dry-run < "$patch" > /dev/null; then
        patch -d "$1" -p1 -s < "$patch"
    else                        # an older library: DMA without PASID
        echo "without vfio_pci_iopf_test: $patch does not apply to $1" >&2
        sed -i 's/device->driver\.pasid/0/' \
            "$lib/drivers/pri_testdev/pri_testdev.c"
    fi
fi
