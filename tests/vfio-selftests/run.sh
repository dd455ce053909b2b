#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds the VFIO selftests of a Linux tree with our driver in them, and runs
# them in the lab's guest on pri-testdev:
#   tests/vfio-selftests/run.sh [LINUX-TREE [OPTIONS OF ./pri-lab run]]
# The tree is only read; without one it is the source of the lab's own kernel.
# PROGRAMS="vfio_pci_driver_test ..." chooses among its programs.
set -eu

cd "$(dirname "$0")"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pri-lab
tree=${1:-$cache/linux/linux-source-7.3}
[ $# = 0 ] || shift
work=$cache/vfio-selftests
self=tools/testing/selftests
programs=${PROGRAMS:-"vfio_pci_device_test vfio_pci_driver_test
    vfio_dma_mapping_test vfio_dma_mapping_mmio_test
    vfio_iommufd_setup_test vfio_pci_iopf_test"}

[ -d "$tree/$self/vfio" ] || {
    echo "$tree has no $self/vfio; give a Linux tree, or build the lab's" \
        "kernel first: ./pri-lab kernel build" >&2
    exit 1
}
tree=$(cd "$tree" && pwd)

# What the selftests include and link, and nothing else of the tree
mkdir -p "$work"
rm -rf "$work/tree" "$work/out" "$work/vfio-selftests"
mkdir -p "$work/tree/$self" "$work/tree/scripts" "$work/out"
cp -rL "$tree/tools/include" "$tree/tools/arch" "$work/tree/tools/"
cp -rL "$tree/$self/vfio" "$tree/$self/lib.mk" "$tree/$self"/*.h \
    "$work/tree/$self/"
cp "$tree/scripts/subarch.include" "$work/tree/scripts/"
if [ "$(cat "$work/headers.of" 2>/dev/null)" != "$tree" ]; then
    echo "headers of $tree ..." >&2
    # not headers_install, which wants rsync
    rm -rf "$work/headers" "$work/o"
    make -s -C "$tree" O="$work/o" headers
    mkdir -p "$work/headers"
    mv "$work/o/usr/include" "$work/headers/include"
    rm -rf "$work/o"
    echo "$tree" > "$work/headers.of"
fi
./install.sh "$work/tree"
# An emulated CPU takes longer for a gigabyte of pinned memory than the
# tests have
sed -i 's/\(define TEST_TIMEOUT_DEFAULT\) [0-9]*/\1 300/' \
    "$work/tree/$self/kselftest_harness.h"
sed -i 's/^\(TEST_F_TIMEOUT(.*,\) [0-9]*)/\1 600)/' \
    "$work/tree/$self"/vfio/*_test.c

# Static: the guest has no libraries.  libuuid is in the package uuid-dev
for p in $programs; do
    [ -f "$work/tree/$self/vfio/$p.c" ] || continue
    make -s -C "$work/tree/$self/vfio" OUTPUT="$work/out" LDFLAGS=-static \
        KHDR_INCLUDES="-isystem $work/headers/include" "$work/out/$p"
done
mkdir "$work/vfio-selftests"
cp guest.sh "$work/vfio-selftests/run"
find "$work/out" -maxdepth 1 -type f -perm -100 \
    -exec cp {} "$work/vfio-selftests/" \;

exec ../../pri-lab run vfio-selftests/run --add "$work/vfio-selftests" "$@"
