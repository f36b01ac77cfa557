#!/bin/sh
# Runs tests of a TMK under QEMU, one after the other: run.sh FILE.elf [TEST_INDEX [COUNT [RAM_IPA]]]
#
# Needs qemu-system-aarch64 and aarch64-linux-gnu-gcc. Prints what the monitor says; ends when the tests do, or after
# TIMEOUT seconds (30).
set -eu
here=$(dirname "$0")
file=$1
index=${2:-0}
count=${3:-1}
ipa=${4:-0x80000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
aarch64-linux-gnu-gcc -std=gnu11 -O2 -ffreestanding -fno-pie -no-pie -mstrict-align -mgeneral-regs-only -Wall -Wextra \
    -fno-stack-protector -nostdlib -static -Wl,-T,"$here/monitor.ld" -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
    "$here/monitor.S" "$here/monitor.c" -o "$work/monitor.elf"
timeout "${TIMEOUT:-30}" qemu-system-aarch64 -M virt,virtualization=on -cpu max -m 256 -display none -monitor none \
    -serial stdio -kernel "$work/monitor.elf" \
    -device loader,file="$file",addr=0x48000000,force-raw=on \
    -device loader,addr=0x4c000000,data="$index",data-len=8 \
    -device loader,addr=0x4c000008,data="$count",data-len=8 \
    -device loader,addr=0x4c000010,data="$ipa",data-len=8 </dev/null
