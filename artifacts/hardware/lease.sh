#!/bin/sh
# Leases of a host: who may use it now, who is next.
#
#   lease.sh acquire ROOT/NAME CAPACITY EXPIRES ID OWNER   -> granted PATH | waiting PLACE SECONDS OWNER
#   lease.sh renew ROOT/NAME EXPIRES ID                    -> held WAITING | lost
#   lease.sh release ROOT/NAME ID                          -> released | not-held
#   lease.sh show ROOT/NAME                                -> (holder|waiting) SECONDS OWNER, a line for each
#   lease.sh break ROOT/NAME                               -> broken NUMBER
#
# The users of a host share ROOT and do not trust each other. Each writes only to a folder of its own:
#
#   ROOT/petri-vm-UID/BOOT/NAME/holders/ID/ENTRY   a holder of the lease; it ends when PATH, the folder ID, is removed
#   ROOT/petri-vm-UID/BOOT/NAME/queue/ID/ENTRY     a process that waits for it
#   ROOT/petri-vm-UID/BOOT/NAME/broken/ID          a lease that was taken away from another user
#
# All of these are folders. ENTRY is DEADLINE,SINCE,OWNER: the uptime in seconds at which it expires, the uptime in hundredths of
# a second at which it began, and its owner. Files of other users are never opened: names contain all data, and invalid names
# are ignored.
#
# For sh of dash, bash and busybox on Linux, with flock.

set -u
umask 022
LC_ALL=C
export LC_ALL

# Seconds after which a waiting process that has stopped asking loses its place.
patience=15
root=${2%/*} name=${2##*/}
uid=$(id -u)

is_word() {
    case $1 in '' | . | .. | *[!A-Za-z0-9._@:-]*) return 1 ;; esac
}

is_number() {
    case $1 in '' | *[!0-9]* | 0?* | ????????????*) return 1 ;; esac
}

# Whether only root and we can replace what root or we have in this folder.
is_safe() {
    set -- $(ls -ldn .)
    [ "$3" = 0 ] || [ "$3" = "$uid" ] || return 1
    case $1 in
    d????-??-* | d????????[tT]*) return 0 ;;
    esac
    return 1
}

is_word "$name" || exit 64
mkdir -p -m 1777 "$root/" 2>/dev/null
cd -P "$root/" || exit 73
is_safe || { echo "unsafe $PWD"; exit 73; }
command -v flock >/dev/null || { echo 'missing flock'; exit 72; }
# Locks the folder itself: a lock file would belong to one of the users.
exec 9<.
flock -w 20 9 || { echo busy; exit 75; }

read -r boot </proc/sys/kernel/random/boot_id
read -r uptime rest </proc/uptime
up=${uptime%%.*}
now=$up${uptime#*.}
ours=petri-vm-$uid
mine=$ours/$boot/$name

is_ours() {
    [ ! -L "$1" ] && [ -d "$1" ] && [ -O "$1" ]
}

make_ours() {
    for folder in "$ours" "$ours/$boot" "$mine" "$mine/holders" "$mine/queue" "$mine/broken"; do
        mkdir "$folder" 2>/dev/null
        is_ours "$folder" && chmod 755 "$folder" && continue
        echo "not ours: $PWD/$folder"
        exit 73
    done
}

# Makes an entry, or renames an existing one.
put() {
    mkdir "$1" 2>/dev/null
    for old in "$1"/*; do
        [ "$old" = "$1/$2" ] && return
        [ -d "$old" ] || continue
        mv "$old" "$1/$2"
        return
    done
    mkdir "$1/$2"
}

is_broken() {
    for mark in petri-vm-*/"$boot/$name/broken/$1"; do
        [ -d "$mark" ] && return
    done
    return 1
}

# Splits the path of an entry into variables.
parse() {
    user=${1%%/*} id=${1%/*} entry=${1##*/}
    id=${id##*/} deadline=${entry%%,*} entry=${entry#*,}
    since=${entry%%,*} owner=${entry#*,}
    is_word "$id" && is_number "$deadline" && is_number "$since" && is_word "$owner"
}

# Prints holders or waiting processes of all users: USER ID SINCE OWNER.
live() {
    for path in petri-vm-*/"$boot/$name/$1"/*/*; do
        parse "$path" && [ "$up" -lt "$deadline" ] && ! [ -L "$user" ] || continue
        [ "$1" = holders ] && is_broken "$id" && continue
        echo "$user $id $since $owner"
    done
}

count() {
    live "$1" | wc -l
}

# Removes our entries that have expired, were taken by others, belong to another boot, or refer to a lease that has ended.
tidy() {
    is_ours "$ours" || return
    for path in "$ours"/*; do
        [ "$path" = "$ours/$boot" ] || rm -rf "$path"
    done
    for path in "$mine"/holders/*/* "$mine"/queue/*/*; do
        parse "$path" && [ "$up" -lt "$deadline" ] && ! is_broken "$id" || rm -rf "${path%/*}"
    done
    for path in "$mine"/broken/*; do
        set -- petri-vm-*/"$boot/$name/holders/${path##*/}"
        [ -d "$1" ] || rm -rf "$path"
    done
}

# How many arrived earlier: by SINCE, and by ID if that is equal.
place_of() {
    live queue | {
        place=0
        while read -r user id since owner; do
            [ "$since" -lt "$2" ] || { [ "$since" -eq "$2" ] && expr "x$id" \< "x$1" >/dev/null; } || continue
            place=$((place + 1))
        done
        echo "$place"
    }
}

tidy
case $1 in
acquire)
    capacity=$3 expires=$4 wanted=$5 who=$6
    is_word "$wanted" && is_word "$who" || exit 64
    make_ours
    if [ -d "$mine/holders/$wanted" ]; then
        echo "granted $PWD/$mine/holders/$wanted"
        exit 0
    fi
    came=$now
    for path in "$mine/queue/$wanted"/*; do
        parse "$path" && came=$since
    done
    put "$mine/queue/$wanted" "$((up + patience)),$came,$who" || exit 73
    place=$(place_of "$wanted" "$came")
    if [ $(($(count holders) + place)) -lt "$capacity" ]; then
        put "$mine/holders/$wanted" "$((up + expires)),$now,$who" || exit 73
        rm -rf "$mine/queue/$wanted"
        echo "granted $PWD/$mine/holders/$wanted"
        exit 0
    fi
    { live holders; live queue; } | {
        read -r user id since owner
        echo "waiting $((place + 1)) $(((now - since) / 100)) $owner"
    }
    ;;
renew)
    is_word "$4" || exit 64
    for path in "$mine/holders/$4"/*; do
        if ! parse "$path"; then
            echo lost
            exit 0
        fi
        # If the disk is full the old deadline stays.
        put "$mine/holders/$4" "$((up + $3)),$since,$owner"
        echo "held $(count queue)"
    done
    ;;
release)
    is_word "$3" || exit 64
    if is_ours "$ours" && [ -d "$mine/holders/$3" ]; then echo released; else echo not-held; fi
    is_ours "$ours" && rm -rf "$mine/queue/$3" "$mine/holders/$3"
    ;;
show)
    live holders | while read -r user id since owner; do echo "holder $(((now - since) / 100)) $owner"; done
    live queue | while read -r user id since owner; do echo "waiting $(((now - since) / 100)) $owner"; done
    ;;
break)
    make_ours
    echo "broken $(count holders)"
    live holders | while read -r user id since owner; do
        if [ "$user" = "$ours" ]; then rm -rf "$mine/holders/$id"; else mkdir "$mine/broken/$id"; fi
    done
    ;;
*) exit 64 ;;
esac
exit 0
