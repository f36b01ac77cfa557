#!/bin/sh
# Started by the kernel as rdinit: starts the agent, and goes on as the initramfs' own init. Mounts nothing where that will.
PATH=/bin:/sbin:/usr/bin:/usr/sbin
export PATH
mkdir -p /petri/dev /petri/proc /run
mount -t devtmpfs dev /petri/dev
mount -t proc proc /petri/proc
for word in $(cat /petri/proc/cmdline); do
    case $word in
    petri.agent=*) agent=${word#petri.agent=} ;;
    petri.port=*) port=${word#petri.port=} ;;
    esac
done
for module in /petri/modules/*.ko; do
    # One that the kernel has built in, or does not take, is for what starts later to miss.
    [ -e "$module" ] && insmod "$module" 2>/petri/dev/null
done
# In no session of its own: its port must not become a controlling terminal, whose hang-up would end it.
/bin/sh /petri/agent.sh "/petri/dev/$port" "$agent" </petri/dev/null >/petri/dev/null 2>&1 &
exec /init
