#!/bin/sh
# Runs commands for the machine's owner: agent.sh DEVICE NONCE
#
# Uses a serial port of its own, not the console, so the output of a command cannot be taken for an answer. A request is a line
# `exec ID SECONDS LENGTH BASE64`, or `off ID`. The answer to `exec` consists of lines `o BASE64` and `e BASE64` for standard output
# and error, between the frames `##petri ID begin##` and `##petri ID end rc=N stdout=BYTES stderr=BYTES##`.
device=$1
nonce=$2

# Maximum size of a file that a command writes, in blocks of 512 bytes.
file_limit=32768
work=/run/petri-agent

umask 077
mkdir -p "$work"
trap '' HUP
stty raw -echo clocal <"$device"
exec 3<>"$device"

frame() {
    printf '##petri %s##\n' "$*" >&3
}

run() { # ID SECONDS
    (
        ulimit -f "$file_limit"
        exec timeout -s KILL "$2" sh "$work/command"
    ) <"${device%/*}/null" >"$work/stdout" 2>"$work/stderr" 3>&-
    code=$?
    frame "$1 begin"
    send o stdout
    sizes="stdout=$bytes"
    send e stderr
    frame "$1 end rc=$code $sizes stderr=$bytes"
}

send() { # PREFIX FILE; sets bytes
    bytes=0
    # Most commands write nothing to one of the two: each program that is started takes longer than many a command.
    if [ -s "$work/$2" ]; then
        base64 <"$work/$2" | sed "s/^/$1 /" >&3
        bytes=$(wc -c <"$work/$2")
    fi
}

printf '\n' >&3
frame "$nonce ready"
while read -r verb id seconds length text <&3; do
    case $verb in
    exec)
        if [ "${#text}" = "$length" ] && printf '%s' "$text" | base64 -d >"$work/command"; then
            run "$id" "$seconds"
        else
            frame "$id refused"
        fi
        ;;
    off)
        frame "$id off"
        sync
        poweroff -f
        ;;
    esac
done
