#!/bin/sh
# Downloads what `linux()` boots without further options: Debian's arm64 kernel, and busybox; and what this kernel needs to mount an
# ext4 file system from a virtio disk. prepare.sh [FOLDER]
#
# FOLDER is .petri/linux without one, which is where `linux()` looks. Needs apt-get and dpkg-deb, as any user: apt works in a folder of
# its own, for the architecture of the guest, and verifies signatures with the keys of the system.
set -eu
target=${1:-.petri/linux}
mkdir -p "$target"
target=$(cd "$target" && pwd)
if [ -s "$target/vmlinuz" ] && [ -s "$target/busybox" ] && [ -s "$target/modules/load" ]; then
    echo "$target is complete: $(cat "$target/versions")"
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/packages"
chmod -R go+rX "$work"
apt() { # PROGRAM ARGUMENT...
    program=$1
    shift
    "$program" -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= -o Dir::State="$work/state" \
        -o Dir::State::status=/dev/null -o Dir::Cache="$work/cache" "$@"
}

apt apt-get update
# The newest of the kernel's packages, by way of the one that depends on it.
kernel=$(apt apt-cache depends linux-image-arm64 | sed -n 's/^ *Depends: //p' | head -n 1)
case $kernel in
linux-image-*) ;;
*)
    echo "linux-image-arm64 does not depend on a kernel here: '$kernel'" >&2
    exit 1
    ;;
esac
(cd "$work/packages" && apt apt-get download "$kernel" busybox-static)
for package in "$work"/packages/*.deb; do
    dpkg-deb -x "$package" "$work/root"
    dpkg-deb -W "$package" | tr '\t\n' '= ' >>"$work/versions"
done
cp "$work"/root/boot/vmlinuz-* "$target/vmlinuz"
for busybox in "$work/root/usr/bin/busybox" "$work/root/bin/busybox"; do
    [ ! -e "$busybox" ] || cp "$busybox" "$target/busybox"
done
# In the order in which they are to be loaded. What is not there is built in, or its work is done elsewhere.
rm -rf "$target/modules"
mkdir "$target/modules"
for module in virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk mbcache jbd2 crc16 crc32c_generic ext4; do
    for file in $(find "$work/root" -name "$module.ko" -o -name "$module.ko.xz"); do
        case $file in
        *.xz) xz -dc "$file" >"$target/modules/$module.ko" ;;
        *) cp "$file" "$target/modules/$module.ko" ;;
        esac
        echo "$module.ko" >>"$work/load"
    done
done
cp "$work/load" "$target/modules/load"
chmod 644 "$target/vmlinuz" "$target/busybox"
cp "$work/versions" "$target/versions"
echo "$target holds $(cat "$target/versions")"
