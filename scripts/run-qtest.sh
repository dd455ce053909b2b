#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run-qtest.sh QEMU-BUILD-DIR NAME [ARGUMENTS]: run one qtest binary of a QEMU
# build directory, with the environment it wants, speaking TAP and continuing
# after a failure.
set -eu
build=$1 name=$2
shift 2
cd "$build"
QTEST_QEMU_BINARY=$build/qemu-system-x86_64
G_TEST_SRCDIR=$build G_TEST_BUILDDIR=$build
export QTEST_QEMU_BINARY G_TEST_SRCDIR G_TEST_BUILDDIR
exec "tests/qtest/$name" --tap -k "$@"
