#!/bin/sh
# Makes the folder that a host shares with its guest, and then becomes the guest's launcher.
#
#   share.sh FOLDER PAYLOAD TMK_VMM AGENT PROGRAM [ARGUMENT ...]
#
# FOLDER/share gets tmk_vmm, the payload and the agent. lkvm keeps the root directory of its guest below HOME, which is set to
# FOLDER, so that every launch has its own and leaves none behind. For sh of dash, bash and busybox on Linux.

set -u
folder=$1 payload=$2 tmk_vmm=$3 agent=$4
shift 4
HOME=$folder
export HOME

mkdir -p "$folder/share" || exit 73
cp "$payload" "$folder/share/payload.elf" && cp "$agent" "$folder/share/plane0-agent.sh" &&
    cp "$tmk_vmm" "$folder/share/tmk_vmm" && chmod 755 "$folder/share" "$folder/share/"* || exit 73

# kvmtool had --restricted_mem in the versions for KVM's older interface, and has rejected it since. If no options are listed, pass it.
case " $* " in
*' --restricted_mem '*)
    case $("$1" run --help </dev/null 2>&1) in
    *--restricted_mem*) ;;
    *--realm*)
        for argument; do
            shift
            [ "$argument" = --restricted_mem ] || set -- "$@" "$argument"
        done
        ;;
    esac
    ;;
esac

# lkvm makes the root directory while it starts; programs that the guest may lack are added to it.
furnish() {
    guest=$folder/.lkvm/default
    tries=0
    until [ -d "$guest/root" ] && [ -e "$guest/virt/init" ]; do
        tries=$((tries + 1))
        [ "$tries" -gt 300 ] && return
        sleep 1
    done
    busybox=$(command -v busybox) && cp "$busybox" "$guest/root/busybox"
    cp "$agent" "$guest/root/plane0-agent.new" && mv -f "$guest/root/plane0-agent.new" "$guest/root/plane0-agent.sh"
}
furnish </dev/null >/dev/null 2>&1 &
exec "$@"
