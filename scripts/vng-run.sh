#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vng-run.sh [JOB [OPTION...]], in a kernel source tree: configure and build it
# with virtme-ng, with what the lab's guest needs on top, and run a job of the
# lab (default: sva-basic) on it.  OPTIONs are those of `pri-lab run`.
#
# A .config of the tree is kept if it has what the guest needs; remove it, or
# set VNG_CONFIG=force, to have a new one made.  VNG is the command, if it is
# not `vng`.
set -eu
lab=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
vng=${VNG:-vng}
fragment=$lab/guest/kernel/base.config

die() {
    echo "vng-run.sh: $1" >&2
    exit 2
}

case ${1-} in
-h|--help)
    sed -n '4,11s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
[ -f Kconfig ] && [ -f Makefile ] || die 'not in a Linux source tree'
command -v "${vng%% *}" > /dev/null ||
    die 'there is no vng: apt-get install virtme-ng (Debian 13)'

# every line of the fragment, as it should be in .config
kept() {
    [ -f .config ] || return 1
    grep '^CONFIG_[A-Z0-9_]*=y' "$fragment" | while read -r line; do
        grep -qx "$line" .config || exit 1
    done
}

if [ "${VNG_CONFIG-}" = force ] || ! kept; then
    $vng --kconfig --config "$fragment"
    kept || echo 'vng-run.sh: some lines of base.config did not survive;' \
        'pri-lab says so if the guest cannot do without' >&2
fi
$vng --build
tree=$PWD
job=${1:-sva-basic}
[ $# -eq 0 ] || shift
exec "$lab/pri-lab" run "$job" --kernel "$tree" "$@"
