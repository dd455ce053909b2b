#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# In the guest: gives the first pri-testdev to vfio-pci and runs every program
# beside this file on it, as KTAP subtests.  Of the ways to an IOMMU that the
# programs know, those that this kernel has: without a VFIO container only
# iommufd's own.
cd "${0%/*}" || exit 2

for dev in /sys/bus/pci/devices/*; do
    [ "$(cat "$dev/vendor") $(cat "$dev/device")" = "0x1234 0x5052" ] && break
done
bdf=${dev##*/}
echo "$bdf" > /sys/bus/pci/drivers/pri_testdev/unbind
echo vfio-pci > "$dev/driver_override"
echo "$bdf" > /sys/bus/pci/drivers/vfio-pci/bind || exit 2
modes='-v iommufd'
[ ! -c /dev/vfio/vfio ] || modes=

failed=0
n=0
set -- vfio_*
echo "KTAP version 1"
echo "1..$#"
for program; do
    n=$((n + 1))
    variants=
    # those that know several ways have `-v`, an option of the test harness
    case $program in
    *driver_test|*mapping_test|*mapping_mmio_test)
        variants=$modes ;;
    esac
    echo "# Subtest: $program"
    # shellcheck disable=SC2086
    { ./$program $variants "$bdf" 2>&1; echo $? > /tmp/status; } |
        while IFS= read -r line; do
            case $line in
            TAP*) line="KTAP version 1" ;;
            esac
            printf '  %s\n' "$line"
        done
    case $(cat /tmp/status) in
    0) echo "ok $n $program" ;;
    4) echo "ok $n $program # SKIP" ;;
    *) echo "not ok $n $program"; failed=1 ;;
    esac
done
exit $failed
