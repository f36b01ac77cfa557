#!/bin/sh
# Builds the runtime and every payload into prebuilt/, and writes their digests into ../manifest.json.
#
#   build.sh           build
#   build.sh --check   build elsewhere, and compare with what is there
#
# Ends with 77 when there is no cross compiler, and --check with 78 when it is of another version than the files were made with.
#
# The same tool chain gives the same bytes: nothing of the machine, the folder or the time goes into the files.
set -eu
cd "$(dirname "$0")"
export LC_ALL=C

prefix=${CROSS_COMPILE:-aarch64-linux-gnu-}
# The tool chain of Debian 12, which made the files that are committed.
gcc_version=12.2.0
ld_version=2.40

if ! command -v "${prefix}gcc" >/dev/null; then
    echo "${prefix}gcc is missing; install it with: sudo apt-get install gcc-aarch64-linux-gnu" >&2
    exit 77
fi
found="gcc $("${prefix}gcc" -dumpfullversion), ld $("${prefix}ld" --version | sed -n '1s/.* //p')"
same_tools=true
[ "$found" = "gcc $gcc_version, ld $ld_version" ] || same_tools=false

if [ "${1-}" = --check ]; then
    if ! $same_tools; then
        echo "cannot compare: the files were made with gcc $gcc_version, ld $ld_version; here is $found" >&2
        exit 78
    fi
elif ! $same_tools; then
    echo "note: digests will differ from those of gcc $gcc_version, ld $ld_version; here is $found" >&2
fi
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
output=$objects/output
mkdir "$output"

compile() { # SOURCE OBJECT [FLAG...]
    source=$1 object=$2
    shift 2
    "${prefix}gcc" @runtime/cflags.rsp -O2 -ffile-prefix-map="$PWD"=. "$@" -c "$source" -o "$object"
}

for part in start vectors; do
    "${prefix}gcc" -c "runtime/$part.S" -o "$objects/$part.o"
done
for part in main exceptions format memory stack; do
    # The runtime leaves SIMD alone, and must not be compiled into calls of itself.
    compile "runtime/$part.c" "$objects/$part.o" -mgeneral-regs-only -fno-tree-loop-distribute-patterns
done

# A payload is a C file, or a folder of them with main.c, whose tests come first. One with a start.S starts by itself, without
# what the runtime does before tmk_main, and without its exception vectors.
for payload in payloads/*; do
    name=$(basename "$payload" .c)
    mkdir "$objects/$name"
    linked=
    if [ -d "$payload" ]; then sources="$payload/main.c $(ls "$payload"/*.c)"; else sources=$payload; fi
    for source in $sources; do
        object=$objects/$name/$(basename "$source" .c).o
        [ ! -e "$object" ] || continue
        compile "$source" "$object" -Iruntime
        linked="$linked $object"
    done
    start="$objects/start.o" vectors="$objects/vectors.o $objects/exceptions.o"
    if [ -e "$payload/start.S" ]; then
        start=$objects/$name/start.o vectors=
        "${prefix}gcc" -c "$payload/start.S" -o "$start"
    fi
    "${prefix}gcc" @runtime/ldflags.rsp -Wl,-T,runtime/tmk.ld "$start" $linked "$objects/main.o" $vectors \
        "$objects/format.o" "$objects/memory.o" "$objects/stack.o" -o "$output/$name.elf"
    "${prefix}strip" --strip-debug "$output/$name.elf"
    chmod 644 "$output/$name.elf"
done

if [ "${1-}" = --check ]; then
    diff -rq "$output" prebuilt
    node update-manifest.mjs --check
    echo "all payloads are what their sources say"
else
    mkdir -p prebuilt
    mv "$output"/*.elf prebuilt/
    node update-manifest.mjs
fi
