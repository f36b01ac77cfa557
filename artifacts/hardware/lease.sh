#!/bin/sh
# Leases of a host: who may use it now, who is next. Each lease has a folder with a file for each holder and each who waits:
# the seconds of uptime at which it expires, those at which it began, and who it is.
#
#   lease.sh acquire FOLDER CAPACITY EXPIRES ID OWNER   -> granted | waiting PLACE SECONDS OWNER
#   lease.sh renew FOLDER EXPIRES ID                    -> held WAITING | lost
#   lease.sh release FOLDER ID                          -> released | not-held
#   lease.sh show FOLDER                                -> (holder|waiting) SECONDS OWNER, a line for each
#   lease.sh break FOLDER                               -> broken NUMBER
#
# For sh of dash, bash and busybox on Linux, with flock. Several users share the folder.

set -u
umask 0

folder=$2
mkdir -p "$folder/holders" "$folder/queue" && cd "$folder" || exit 73
command -v flock >/dev/null || { echo 'missing flock'; exit 72; }
exec 9>>lock || exit 73
flock -w 20 9 || { echo busy; exit 75; }

read -r up rest </proc/uptime
up=${up%%.*}

# Renamed into place, so that no link is followed and a full disk leaves what was there.
put() {
    echo "$2" >"$1.new" && [ -s "$1.new" ] && mv -f "$1.new" "$1"
}

read -r boot </proc/sys/kernel/random/boot_id
known=
[ -r boot ] && read -r known <boot
if [ "$boot" != "$known" ]; then
    rm -f holders/* queue/*
    put boot "$boot" || exit 73
fi
for file in holders/* queue/*; do
    read -r deadline since owner 2>/dev/null <"$file" || continue
    case $deadline in '' | *[!0-9]*) deadline=0 ;; esac
    [ "$up" -lt "$deadline" ] || rm -f "$file"
done

count() {
    set -- "$1"/*
    if [ -e "$1" ]; then echo $#; else echo 0; fi
}

case $1 in
acquire)
    capacity=$3 expires=$4 id=$5 owner=$6
    if [ -e "holders/$id" ]; then
        echo granted
        exit 0
    fi
    ticket=
    for file in queue/*-"$id"; do [ -e "$file" ] && ticket=$file; done
    if [ -z "$ticket" ]; then
        number=0
        [ -r number ] && read -r number <number
        case $number in '' | *[!0-9]* | ??????????*) number=0 ;; esac
        number=$((number + 1))
        put number "$number" || exit 73
        ticket=queue/$(printf '%010d' "$number")-$id
        since=$up
    else
        read -r deadline since owner <"$ticket"
    fi
    place=0
    for file in queue/*; do
        [ "$file" = "$ticket" ] && break
        [ -e "$file" ] && place=$((place + 1))
    done
    if [ $(($(count holders) + place)) -lt "$capacity" ]; then
        put "holders/$id" "$((up + expires)) $up $owner" || exit 73
        rm -f "$ticket"
        echo granted
        exit 0
    fi
    # Whoever does not ask any more does not want it any more.
    put "$ticket" "$((up + 15)) $since $owner" || exit 73
    for file in holders/*; do
        read -r deadline since owner 2>/dev/null <"$file" && break
    done
    echo "waiting $((place + 1)) $((up - since)) $owner"
    ;;
renew)
    if read -r deadline since owner 2>/dev/null <"holders/$4"; then
        # Where the disk is full the old deadline stays.
        put "holders/$4" "$((up + $3)) $since $owner"
        echo "held $(count queue)"
    else
        echo lost
    fi
    ;;
release)
    rm -f queue/*-"$3"
    if [ -e "holders/$3" ]; then
        rm -f "holders/$3"
        echo released
    else
        echo not-held
    fi
    ;;
show)
    for file in holders/* queue/*; do
        read -r deadline since owner 2>/dev/null <"$file" || continue
        case $file in holders/*) what=holder ;; *) what=waiting ;; esac
        echo "$what $((up - since)) $owner"
    done
    ;;
break)
    echo "broken $(count holders)"
    rm -f holders/*
    ;;
*) exit 64 ;;
esac
