#!/bin/busybox sh
# The init of an initramfs: Debian's kernel has the disk and its file system as modules.
busybox=/bin/busybox
$busybox mount -t devtmpfs dev /dev
while read -r module; do
    $busybox insmod "/modules/$module"
done </modules/load
tries=0
until [ -b /dev/vda ] || [ "$tries" -ge 600 ]; do
    tries=$((tries + 1))
    $busybox usleep 100000
done
$busybox mount -t ext4 /dev/vda /host && $busybox mount --move /dev /host/dev || $busybox poweroff -f
exec $busybox switch_root /host /sbin/init
