#!/bin/sh
# Prints the properties of a host, one line `key value` for each. Its arguments are programs and files to look for.
# Changes nothing. For sh of dash, bash and busybox on Linux.

say() {
    printf 'petri-probe %s\n' "$*"
}

parameter() {
    [ -r "$2" ] && read -r value <"$2" && say "$1" "$value"
}

say arch "$(uname -m)"
say kernel "$(uname -r)"
say cpus "$(grep -c ^processor /proc/cpuinfo)"
while read -r key value unit; do
    case $key in
    MemAvailable:) say memory "$value" ;;
    esac
done </proc/meminfo
if [ -c /dev/kvm ]; then
    if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then say kvm yes; else say kvm denied; fi
else
    say kvm no
fi
# The only reliable test whether kernel and firmware support realms is to make a VM of type realm (bit 30).
# Capability numbers differ between kernels, since the patches have not been merged.
python=$(command -v python3)
if [ -n "$python" ] && [ "$(uname -m)" = aarch64 ] && [ -w /dev/kvm ]; then
    "$python" -c '
import fcntl, os
kvm = os.open("/dev/kvm", os.O_RDWR)
for bits in (40, 36, 33):
    try:
        os.close(fcntl.ioctl(kvm, 0xAE01, (1 << 30) | bits))
        print("petri-probe realm-vm yes")
        break
    except OSError as error:
        reason = error.strerror
else:
    print("petri-probe realm-vm no:", reason)
' 2>/dev/null
fi
rmi=$(dmesg 2>/dev/null | grep -E 'kvm \[[0-9]+\]: .*RMI ABI version' | tail -n 1)
[ -n "$rmi" ] && say rmi "${rmi#*: }"
parameter kvm_cap_arm_rmi /sys/module/kvm/parameters/kvm_cap_arm_rmi
parameter sev_snp /sys/module/kvm_amd/parameters/sev_snp
parameter tdx /sys/module/kvm_intel/parameters/tdx
for wanted; do
    case $wanted in
    */*) [ -r "$wanted" ] && say "has $wanted" ;;
    *) command -v -- "$wanted" >/dev/null 2>&1 && say "has $wanted" ;;
    esac
    case $wanted in
    *qemu-system-*)
        command -v -- "$wanted" >/dev/null 2>&1 || continue
        "$wanted" --version 2>/dev/null | {
            read -r version
            say "version $wanted $version"
        }
        for object in $("$wanted" -object help 2>/dev/null | grep -Eo 'rme-guest|sev-snp-guest|tdx-guest'); do
            say "object $wanted $object"
        done
        ;;
    esac
done
for needed in setsid mkfifo tail dd base64 sha256sum flock find; do
    command -v "$needed" >/dev/null 2>&1 || say "lacks $needed"
done
exit 0
