#!/bin/sh
# The agent in plane 0 of a realm: runs tmk_vmm on request. Its argument is the nonce of its first answer, plane0-ready.
#
#   ping NONCE                   -> pong
#   run NONCE FILE TEST          -> begin, the output of tmk_vmm, end rc=N bytes=B sha=S
#   again NONCE                  -> the same output again, from the kept copy
#   put NONCE NAME SIZE          -> send, then base64 lines and '.', with got lines=N after every 16, -> stored bytes=B sha=S
#   exit NONCE                   -> bye, and the realm ends
#
# Answers are lines `##petri NONCE VERB [KEY=VALUE ...]##`. FILE and NAME are relative to the shared folder; TEST is a text
# with printf's \0ooo escapes. S is their SHA-256. Byte 0x03 ends a run.
# For sh of busybox, dash and bash. PETRI_ROOT is prepended to every path of the machine; it is empty on a real one.

root=${PETRI_ROOT:-}
shared=$root/root/mount
kept=$root/root/petri-output
code=0

say() {
    printf '\n##petri %s##\n' "$*"
}

# Plane 0 has the programs of the host if lkvm's init could link them, and busybox in any case.
tool() {
    if command -v "$1" >/dev/null 2>&1; then "$@"; else "$root/root/busybox" "$@"; fi
}

has() {
    command -v "$1" >/dev/null 2>&1 && return
    # Unquoted, so that lines become words.
    case " $(echo $("$root/root/busybox" --list 2>/dev/null)) " in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}

# A dot preserves trailing line ends, which a command substitution removes.
decode() {
    decoded=$(printf '%b.' "$1")
    decoded=${decoded%.}
}

run_test() {
    decode "$2"
    file=$1 name=$decoded
    set -- "$name"
    case $name in -*) set -- -- "$name" ;; esac
    tool rm -f "$kept.rc"
    # 0x03 signals every process of this terminal: it must end tmk_vmm, but not this script and tee.
    {
        trap : INT
        NO_COLOR=1 ./tmk_vmm --hv cca --tmk "$file" "$@" </dev/null
        echo $? >"$kept.rc"
    } 2>&1 | (
        trap '' INT
        tool tee "$kept"
    )
    code=$(tool cat "$kept.rc" 2>/dev/null)
    [ -n "$code" ] || code=255
}

digest() {
    bytes=$(tool wc -c <"$1")
    set -- $(tool sha256sum <"$1")
    printf 'bytes=%s sha=%s' "$((bytes))" "$1"
}

receive() {
    nonce=$1 name=$2
    lines=0
    say "$nonce send"
    while read -r line && [ "$line" != . ]; do
        printf '%s\n' "$line" >&3
        lines=$((lines + 1))
        [ $((lines % 16)) -ne 0 ] || say "$nonce got lines=$lines"
    done 3>"$kept.put"
    tool base64 -d <"$kept.put" >"$shared/$name.new" && tool mv -f "$shared/$name.new" "$shared/$name"
    tool rm -f "$kept.put"
    say "$nonce stored $(digest "$shared/$name")"
}

trap : INT
tool stty sane -echo -onlcr 2>/dev/null
echo 1 2>/dev/null >"$root/proc/sys/kernel/printk"
for program in base64 cat mkdir mv rm sha256sum stty tee wc; do
    has "$program" && continue
    say "$1 plane0-failed lacks=$program"
    exit 1
done
tool mkdir -p "$shared"
[ -x "$shared/tmk_vmm" ] || tool mount -t 9p -o trans=virtio,version=9p2000.L cca_mount "$shared"
if ! cd "$shared" || ! [ -x ./tmk_vmm ]; then
    say "$1 plane0-failed"
    exit 1
fi
say "$1 plane0-ready"

while read -r verb nonce a b; do
    case $verb in
    ping) say "$nonce pong" ;;
    run)
        say "$nonce begin"
        run_test "$a" "$b"
        say "$nonce end rc=$code $(digest "$kept")"
        ;;
    again)
        say "$nonce begin"
        tool cat "$kept"
        say "$nonce end rc=$code $(digest "$kept")"
        ;;
    put) receive "$nonce" "$a" ;;
    exit)
        say "$nonce bye"
        exit 0
        ;;
    '') ;;
    *) say "$nonce unknown-command" ;;
    esac
done
