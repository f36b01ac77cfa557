#!/bin/sh
# The host agent: takes commands from the console of the host Linux, and launches realms.
#
#   ping NONCE                          -> pong
#   realm NONCE MIB ALGORITHM RPV       -> realm-begin, then lkvm has the console, then realm-end rc=N
#   off NONCE                           -> off, and the machine goes down
#
# Answers are lines `##petri NONCE VERB [KEY=VALUE ...]##`. RPV is '-' or a text with printf's \0ooo escapes.
# For sh of busybox and dash. PETRI_ROOT is prepended to every path of the machine; it is empty on a real one.

root=${PETRI_ROOT:-}
cca=$root/cca
HOME=${root:-/}
export HOME

# The line end comes first, since a kernel message may have left the cursor within a line.
say() {
    printf '\n##petri %s##\n' "$*"
}

terminal() {
    stty sane -echo -onlcr 2>/dev/null
}

# lkvm makes the root directory of plane 0 while it starts, so additional files are copied into it concurrently.
furnish_plane0() {
    guest=$root/.lkvm/default
    tries=0
    until [ -d "$guest/root" ] && [ -e "$guest/virt/init" ]; do
        tries=$((tries + 1))
        [ "$tries" -gt 300 ] && return 1
        sleep 1
    done
    if [ -x "$root/bin/busybox" ]; then
        cp "$root/bin/busybox" "$guest/root/busybox.new" && mv -f "$guest/root/busybox.new" "$guest/root/busybox"
    fi
    cp "$cca/plane0-agent.sh" "$guest/root/plane0-agent.new" &&
        mv -f "$guest/root/plane0-agent.new" "$guest/root/plane0-agent.sh"
}

# Memory that plane 0 shares with the host goes through bounce buffers: 4 MiB are enough for a console and a few files; sharing the
# granules of Linux's default of 64 MiB takes half a minute under emulation. Without rodata=full Linux cannot share its linear map.
plane0_parameters='console=hvc0 root=/dev/vda2 swiotlb=2048 rodata=full'

# Early messages of Linux, before hvc0, go to kvmtool's UART, at 0x1000000 in the unprotected half of the realm's IPA space (Linux,
# Documentation/arch/arm64/arm-cca.rst). In kvmtool that half starts at 4 GiB, or at the next power of two above RAM, which starts at 2 GiB.
early_console() {
    half=4294967296
    while [ $((2147483648 + $1 * 1048576)) -gt "$half" ]; do half=$((half * 2)); done
    printf 'earlycon=uart,mmio,0x%x' $((half + 16777216))
}

launch_realm() {
    nonce=$1 memory=$2 algorithm=$3 rpv=$4
    set --
    if [ -n "$rpv" ] && [ "$rpv" != - ]; then
        set -- "--realm-pv=$(printf '%b' "$rpv")"
    fi
    # kvmtool had this option in the versions for KVM's older interface, and has rejected it since. If no options are listed, pass it.
    case $("$cca/lkvm" run --help </dev/null 2>&1) in
    *--restricted_mem*) set -- --restricted_mem "$@" ;;
    *--realm*) ;;
    *) set -- --restricted_mem "$@" ;;
    esac
    furnish_plane0 </dev/null >/dev/null 2>&1 &
    furnisher=$!
    say "$nonce realm-begin"
    "$cca/lkvm" run --realm --disable-sve --irqchip=gicv3-its -c 1 -m "$memory" --no-pvtime --force-pci \
        --console virtio --kernel "$cca/Image" --9p "$cca/,cca_mount" -p "$(early_console "$memory") $plane0_parameters" \
        "--measurement-algo=$algorithm" "$@"
    code=$?
    terminal
    kill "$furnisher" 2>/dev/null
    wait "$furnisher" 2>/dev/null
    say "$nonce realm-end rc=$code"
}

# Between our lines only emergency messages may appear.
echo 1 2>/dev/null >"$root/proc/sys/kernel/printk"
terminal
cd "$HOME" || exit 1
say "$(cat "$cca/nonce") host-ready"

while read -r verb nonce a b c; do
    case $verb in
    ping) say "$nonce pong" ;;
    realm) launch_realm "$nonce" "$a" "$b" "$c" ;;
    off)
        say "$nonce off"
        sync
        "$root/sbin/poweroff" -f
        exit 0
        ;;
    '') ;;
    *) say "$nonce unknown-command" ;;
    esac
done
