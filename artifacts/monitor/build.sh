#!/bin/sh
# Builds the monitor into prebuilt/, and writes its digest into ../manifest.json.
#
#   build.sh           build
#   build.sh --check   build elsewhere, and compare with what is there
#
# Ends with 77 when there is no cross compiler, and --check with 78 when it is of another version than the file was made with.
set -eu
cd "$(dirname "$0")"
export LC_ALL=C

prefix=${CROSS_COMPILE:-aarch64-linux-gnu-}
# The tool chain of Debian 12, which made the file that is committed.
made_with="gcc 12.2.0, ld 2.40"

if ! command -v "${prefix}gcc" >/dev/null; then
    echo "${prefix}gcc is missing; install it with: sudo apt-get install gcc-aarch64-linux-gnu" >&2
    exit 77
fi
found="gcc $("${prefix}gcc" -dumpfullversion), ld $("${prefix}ld" --version | sed -n '1s/.* //p')"
if [ "$found" != "$made_with" ]; then
    echo "the file was made with $made_with; here is $found" >&2
    [ "${1-}" != --check ] || exit 78
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${prefix}gcc" -std=gnu11 -O2 -march=armv8-a+crc -mgeneral-regs-only -mstrict-align -ffreestanding -fno-pie -no-pie \
    -fno-stack-protector -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables -ffile-prefix-map="$PWD"=. \
    -Wall -Wextra -Werror -nostdlib -static -Wl,-T,monitor.ld -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments \
    start.S monitor.c records.c channel.c interrupts.c -o "$work/monitor.elf"
"${prefix}strip" --strip-all "$work/monitor.elf"
chmod 644 "$work/monitor.elf"

if [ "${1-}" = --check ]; then
    cmp "$work/monitor.elf" prebuilt/monitor.elf
    node update-manifest.mjs --check
    echo "the monitor is what its sources say"
else
    mkdir -p prebuilt
    mv "$work/monitor.elf" prebuilt/
    node update-manifest.mjs
fi
