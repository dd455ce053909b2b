#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Write tests/qtest/libqos/sched-guest.h, the guest of pri-sched-test as bytes
# and addresses, from sched-guest.S.  Needs gcc and binutils for x86.
set -eu

dir=$(cd "$(dirname "$0")/../tests/qtest/libqos" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
at=0x8000

gcc -m32 -c -o "$tmp/guest.o" "$dir/sched-guest.S"
ld -m elf_i386 -Ttext $at -e _start -o "$tmp/guest" "$tmp/guest.o"
objcopy -O binary "$tmp/guest" "$tmp/guest.bin"

address()
{
    nm "$tmp/guest" | awk -v name="$1" '$3 == name { print "0x" $1 }'
}

{
    cat <<END
/*
 * The guest of pri-sched-test: made by scripts/gen-sched-guest.sh
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef PRI_LAB_LIBQOS_SCHED_GUEST_H
#define PRI_LAB_LIBQOS_SCHED_GUEST_H

#define GUEST_AT        $at
END
    for name in _start focus focus_end MODE COUNTER FIRST THROUGH FLAG RANDOM \
            DONE SEEN LOCK TABLES locked locked_end take give ROUNDS; do
        upper=$(echo "$name" | tr a-z A-Z | sed 's/^_//')
        printf '#define GUEST_%-9s %s\n' "$upper" "$(address "$name")"
    done
    printf '\nstatic const uint8_t guest_code[] = {\n'
    od -An -v -tx1 -w12 "$tmp/guest.bin" | sed 's/ \(..\)/ 0x\1,/g; s/^/   /'
    printf '};\n\n#endif /* PRI_LAB_LIBQOS_SCHED_GUEST_H */\n'
} > "$dir/sched-guest.h"
