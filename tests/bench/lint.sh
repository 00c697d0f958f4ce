#!/usr/bin/env bash
# The lint of source on one core: tests/bench/lint.sh [FOLDER]...
#
# Prints megabytes (10^6 bytes of Python) per second of processor time for each folder, the best of three rounds; without folders
# for torch, scikit-learn and SciPy of target/test-venv. Needs the release build.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
driftlock=${DRIFTLOCK:-$root/target/release/driftlock}
[ -x "$driftlock" ] || { echo "no $driftlock: cargo build --release first" >&2; exit 2; }
folders=("$@")
if [ ${#folders[@]} -eq 0 ]; then
  site=$(echo "$root"/target/test-venv/lib/python3*/site-packages)
  folders=("$site/torch" "$site/sklearn" "$site/scipy")
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
export RAYON_NUM_THREADS=1

for folder in "${folders[@]}"; do
  [ -d "$folder" ] || { echo "no $folder" >&2; continue; }
  # Once to read the files into the page cache, and to have the lint's own count of those that it looked at.
  "$driftlock" lint --format json -o "$out" "$folder" 2>/dev/null || [ $? -eq 1 ]
  bytes=$(find "$folder" -name '*.py' -type f -size -4096k -printf '%s\n' | awk '{ s += $1 } END { print s }')
  best=
  for round in 1 2 3; do
    TIMEFORMAT='%U %S'
    took=$({ time { "$driftlock" lint --format json -o "$out" "$folder" 2>/dev/null || [ $? -eq 1 ]; }; } 2>&1)
    seconds=$(awk '{ print $1 + $2 }' <<< "$took")
    if [ -z "$best" ] || awk "BEGIN { exit !($seconds < $best) }"; then best=$seconds; fi
  done
  awk -v b="$bytes" -v s="$best" -v f="$(basename "$folder")" \
    'BEGIN { printf "%-10s %7.1f MB %6.2f s %6.1f MB/s\n", f, b / 1e6, s, b / 1e6 / s }'
done
