#!/usr/bin/env bash
# The data digest beside openssl, on a tree in the page cache: tests/bench/data.sh [GIB] [FILES]
#
# Prints bytes per second of `openssl dgst -sha256` on one core, of as many of them as there are cores side by side, of
# `driftlock capture --data` on the tree, and the ratio of the last to the first times the cores. Needs the release build,
# openssl, GIB (default 4) of room in $TMPDIR and as much memory. Fails where the ratio is below 0.9.
set -euo pipefail

gib=${1:-4} files=${2:-64}
root=$(cd "$(dirname "$0")/../.." && pwd)
driftlock=${DRIFTLOCK:-$root/target/release/driftlock}
[ -x "$driftlock" ] || { echo "no $driftlock: cargo build --release first" >&2; exit 2; }
cores=$(nproc)
work=$(mktemp -d "${TMPDIR:-/tmp}/driftlock-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

mkdir "$work/tree"
length=$((gib * 1024 * 1024 * 1024 / files))
for ((i = 0; i < files; i++)); do head -c "$length" /dev/urandom > "$work/tree/$i.bin"; done
bytes=$((length * files))
cat "$work"/tree/*.bin > /dev/null

one() { openssl dgst -sha256 "$work"/tree/*.bin; }
all() { printf '%s\0' "$work"/tree/*.bin | xargs -0 -n 1 -P "$cores" openssl dgst -sha256; }
ours() { "$driftlock" capture --no-python --section data --data "$work/tree" -o -; }

# The best of three rounds of all, in nanoseconds: what else the machine does hits each of them alike.
declare -A best
for round in 1 2 3; do
  for what in one all ours; do
    start=$(date +%s%N); "$what" > /dev/null; took=$(($(date +%s%N) - start))
    if [ "$round" = 1 ] || [ "$took" -lt "${best[$what]}" ]; then best[$what]=$took; fi
  done
done
awk -v b="$bytes" -v f="$files" -v c="$cores" -v one="${best[one]}" -v all="${best[all]}" -v ours="${best[ours]}" 'BEGIN {
  printf "tree                        %.2f GB in %d files, %d cores\n", b / 1e9, f, c
  printf "openssl dgst, one core      %6.2f GB/s\n", b / one
  printf "openssl dgst, %2d at a time  %6.2f GB/s\n", c, b / all
  printf "driftlock capture --data    %6.2f GB/s\n", b / ours
  printf "ratio to one core x cores   %6.2f\n", one / ours / c
  printf "ratio to all cores measured %6.2f\n", all / ours
  exit one / ours / c < 0.9
}'
