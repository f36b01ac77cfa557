#!/bin/sh
# Runs a launcher on a host independently of the connection of its user, who may reconnect or not. Each launch has a folder:
#
#   out in events     output of the launcher, its input, its events (one line each)
#   PORT PORT-in      output of a port, its input; the launcher opens PORT.out and PORT.in for it, which are FIFOs
#   deadline          seconds of uptime at which the time since the last heartbeat is too long
#   keeper launcher writer.* attendant reader.*   processes: PID STARTTIME
#
#   launch.sh start FOLDER TOKEN HEARTBEAT LIMIT_KIB GRACE TERMINAL LEASE INPUT FILES PORTS PROGRAM [ARGUMENT ...]
#                                       returns when it runs. LEASE is a file without which it must not run, INPUT is its
#                                       initial input ('-': none), FILES are additional files that it writes, such as "a b";
#                                       its standard error is appended to a file err if that is listed. PORTS are additional
#                                       streams, such as "agent"
#   launch.sh attend FOLDER HEARTBEAT   prints the events; reads: beat | in FILE OFFSET BASE64 | stop
#                                       -> beat | in FILE SIZE
#   launch.sh follow FOLDER FILE OFFSET prints a file from OFFSET on, and what is appended to it
#   launch.sh remove FOLDER             ends the launch if necessary, and removes the folder
#   launch.sh sweep ROOT                ends and removes launches in ROOT/launches without a keeper
#
# For sh of dash, bash and busybox on Linux. All processes of the launcher have PETRI_LAUNCH=TOKEN in their environment.

set -u
umask 077

uptime() {
    read -r up rest </proc/uptime
    up=${up%%.*}
}

# PID and start time: the PID alone may have been reused (proc(5), /proc/PID/stat, field 22).
identity() {
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    set -- "$1" ${stat##*) }
    [ "$2" != Z ] || return 1
    printf '%s %s\n' "$1" "${21}"
}

# Whether the process in a file is still alive.
lives() {
    [ -r "$1" ] && read -r pid started <"$1" 2>/dev/null && [ "$(identity "$pid" 2>/dev/null)" = "$pid $started" ]
}

end_one() {
    if lives "$1"; then kill "$pid" 2>/dev/null; fi
    rm -f "$1"
}

# Overwrites the file in place, which works on a full disk.
write_deadline() {
    uptime
    printf '%012d\n' $((up + $1)) | dd of=deadline conv=notrunc 2>/dev/null
}

# Space was reserved for a full disk.
tell() {
    echo "$*" 2>/dev/null >>events && return
    rm -f reserve
    echo >>events
    echo "$*" >>events
}

sizes() {
    for file in out $(cat files ports); do
        set -- $(wc -c <"$file")
        printf ' %s=%s' "$file" "$1"
    done
}

has_ended() {
    grep -q '^exit ' events
}

end_readers() {
    end_one attendant
    for reader in reader.*; do end_one "$reader"; done
}

# Ends all processes with the token: leaving the process group does not hide them.
end_strays() {
    read -r token <token || return 0
    tries=0
    while [ "$tries" -lt 20 ]; do
        strays=$(grep -ls -- "PETRI_LAUNCH=$token" /proc/[0-9]*/environ 2>/dev/null)
        [ -n "$strays" ] || return 0
        for stray in $strays; do
            stray=${stray#/proc/}
            kill "-$1" "${stray%/environ}" 2>/dev/null
        done
        [ "$1" = KILL ] || return 0
        tries=$((tries + 1))
        sleep 0.1 2>/dev/null || sleep 1
    done
}

# Sends SIGTERM to the launcher's group, and SIGKILL after the grace period.
end_launcher() {
    lives launcher || return 0
    kill -TERM "-$pid" 2>/dev/null
    uptime
    last=$((up + $1))
    while lives launcher; do
        uptime
        if [ "$up" -ge "$last" ]; then
            kill -KILL "-$pid" 2>/dev/null
            return 0
        fi
        sleep 0.1 2>/dev/null || sleep 1
    done
}

# Saves a stream to a file, up to the limit, which applies only to this writer: a launcher may write larger files.
collect() {
    (
        ulimit -f "$limit"
        exec cat <"$1" >"$2" 2>/dev/null 3>&-
    ) &
    writers="$writers $!"
    identity "$!" >"writer.$2"
}

feed() {
    tail -c +1 -f "$1" >"$2" 2>/dev/null 3>&- &
    feeders="$feeders $!"
}

writers_live() {
    for one in writer.*; do lives "$one" || return 1; done
}

# Whether a lease is still held: neither given back nor taken away (lease.sh).
is_leased() {
    [ -e "$1" ] || return 1
    place=${1%/holders/*}
    for mark in "${place%/petri-vm-*}"/petri-vm-*"/${place#*/petri-vm-*/}/broken/${1##*/}"; do
        [ -d "$mark" ] && return 1
    done
    return 0
}

# Checks each second for heartbeats and for the output limit.
watch() {
    while sleep 1; do
        lives launcher || return 0
        uptime
        read -r deadline <deadline
        if [ "$up" -ge "$deadline" ]; then
            tell 'reason expired'
        elif [ "$2" != - ] && ! is_leased "$2"; then
            tell 'reason lease-lost'
        elif writers_live; then
            continue
        fi
        end_launcher "$1"
        return 0
    done
}

# Runs in a session of its own.
keep() {
    cd "$1" || exit 1
    limit=$(($2 * 2)) grace=$3 terminal=$4 lease=$5
    shift 5
    writers='' feeders=''
    identity $$ >keeper
    read -r token <token
    mkfifo feed
    # Opened for reading and writing, so that the launcher's input neither waits for a writer nor ends with one.
    exec 3<>feed
    feed in feed
    mkfifo drain
    collect drain out
    for port in $(cat ports); do
        mkfifo "$port.in" "$port.out"
        feed "$port-in" "$port.in"
        collect "$port.out" "$port"
    done
    if [ "$terminal" = 1 ]; then
        PETRI_LAUNCH=$token setsid script -qefc "$1" /dev/null <feed >drain 2>&1 3>&- &
    elif [ -e err ]; then
        PETRI_LAUNCH=$token setsid "$@" <feed >drain 2>>err 3>&- &
    else
        PETRI_LAUNCH=$token setsid "$@" <feed >drain 2>&1 3>&- &
    fi
    launched=$!
    identity "$launched" >launcher
    tell "started $launched"
    watch "$grace" "$lease" &
    watcher=$!
    wait "$launched"
    code=$?
    # Children that the launcher left, and their last output, belong to the launch.
    end_strays TERM
    end_strays KILL
    kill "$watcher" $feeders 2>/dev/null
    wait "$watcher" $feeders 2>/dev/null
    # The collector of a port that the launcher never opened still waits for a writer.
    for port in $(cat ports); do : <>"$port.out"; done
    # A process that hid its environment may hold the other end.
    tries=0
    for one in writer.*; do
        while lives "$one" && [ "$tries" -lt 30 ]; do
            tries=$((tries + 1))
            sleep 0.1 2>/dev/null || sleep 1
        done
    done
    kill $writers 2>/dev/null
    for writer in $writers; do
        wait "$writer"
        case $? in
        0 | 143) ;;
        1) tell 'reason disk-full' ;;
        *) tell 'reason output-limit' ;;
        esac
    done
    tell "exit $code$(sizes)"
    # The user fetches the rest of the output; if nobody does, the folder expires.
    while sleep 1; do
        [ -e events ] || exit 0
        uptime
        read -r deadline <deadline || exit 0
        if [ "$up" -ge "$deadline" ]; then
            end_readers
            folder=$PWD
            cd / && rm -rf "$folder"
            exit 0
        fi
    done
}

case $1 in
start)
    folder=$2 token=$3 heartbeat=$4 limit=$5 grace=$6 terminal=$7 lease=$8 input=$9
    shift 9
    files=$1 ports=$2
    shift 2
    if [ "$terminal" = 1 ]; then program=script; else program=$1; fi
    for needed in setsid mkfifo tail wc dd base64 "$program"; do
        command -v -- "$needed" >/dev/null 2>&1 && continue
        echo "missing $needed"
        exit 72
    done
    # If the request is repeated because its answer was lost, the folder exists already.
    if mkdir "$folder" 2>/dev/null; then
        cd "$folder" || exit 73
        {
            for file in in out events $files $ports; do : >"$file"; done
            for port in $ports; do : >"$port-in"; done
            [ "$input" = - ] || cat "$input" >in
            echo "$token" >token && echo "$grace" >grace && echo "$files" >files && echo "$ports" >ports && write_deadline "$heartbeat"
            dd if=/dev/zero of=reserve bs=4096 count=8
        } 2>/dev/null
        if ! [ -s ports ] || ! [ -s deadline ] || [ "$(wc -c <reserve)" -lt 32768 ]; then
            echo full
            cd / && rm -rf "$folder"
            exit 73
        fi
        setsid sh "$0" keep "$folder" "$limit" "$grace" "$terminal" "$lease" "$@" </dev/null >/dev/null 2>&1 &
    fi
    cd "$folder" || exit 73
    tries=0
    until [ -s events ]; do
        tries=$((tries + 1))
        [ "$tries" -gt 100 ] && exit 73
        sleep 0.1 2>/dev/null || sleep 1
    done
    echo launched
    ;;
keep)
    shift
    keep "$@"
    ;;
attend)
    cd "$2" 2>/dev/null || { echo gone; exit 0; }
    heartbeat=$3
    # Of two connections the older one is dead, even if it has not noticed.
    end_one attendant
    identity $$ >attendant
    write_deadline "$heartbeat"
    lives keeper || has_ended || echo lost
    tail -c +1 -f events &
    teller=$!
    trap 'kill "$teller" 2>/dev/null; exit 0' TERM HUP INT PIPE
    while read -r verb file offset data; do
        case $verb in
        beat)
            write_deadline "$heartbeat"
            echo beat || break
            lives keeper || has_ended || echo lost
            ;;
        in)
            set -- $(wc -c <"$file")
            # If the input is repeated because its answer was lost, it is in the file already.
            if [ "$1" -eq "$offset" ]; then printf '%s' "$data" | base64 -d >>"$file"; fi
            set -- $(wc -c <"$file")
            echo "in $file $1" || break
            ;;
        stop)
            tell 'reason stopped'
            read -r grace <grace
            end_launcher "$grace"
            ;;
        esac
    done
    kill "$teller" 2>/dev/null
    ;;
follow)
    cd "$2" 2>/dev/null || exit 0
    case $3 in
    */* | .*) exit 64 ;;
    esac
    end_one "reader.$3"
    identity $$ >"reader.$3"
    exec tail -c +$(($4 + 1)) -f "$3"
    ;;
remove)
    cd "$2" 2>/dev/null || exit 0
    end_readers
    end_launcher 0
    end_strays KILL
    if lives keeper; then kill -KILL "-$pid" 2>/dev/null; fi
    cd / && rm -rf "$2"
    ;;
sweep)
    for folder in "$2"/launches/*/; do
        cd "$folder" 2>/dev/null && [ -s deadline ] || continue
        lives keeper && continue
        read -r deadline <deadline
        uptime
        # A launch that is being started has no keeper yet.
        [ -e keeper ] || [ "$up" -ge "$deadline" ] || continue
        end_readers
        end_strays KILL
        cd / && rm -rf "$folder"
        echo "swept $folder"
    done
    ;;
*) exit 64 ;;
esac
