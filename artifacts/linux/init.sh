#!/bin/sh
# The init of an initramfs with busybox and nothing else: a shell on the console, again and again.
PATH=/bin:/sbin:/usr/bin:/usr/sbin
export PATH
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo 'petri: init has started'
while :; do
    setsid cttyhack sh
done
