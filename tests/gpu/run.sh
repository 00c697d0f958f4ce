#!/usr/bin/env bash
# On a machine with an NVIDIA GPU, Python with torch 2.11.0+cu130, and no network: what can be verified only there.
#
#   bash tests/gpu/run.sh DIR [OUT]
#
# DIR holds the carried binaries `driftlock` and `driftlock-selftest` (cargo build --release --features selftest).
# Writes OUT/results.json (default: results.json here), the single results beside it, and prints a table.
set -uo pipefail

dir=$(cd "${1:?the folder of the binaries}" && pwd)
out=${2:-.}
mkdir -p "$out"
export DRIFTLOCK_SELFTEST_WORKER=$dir/driftlock-selftest
python=${PYTHON:-$(command -v python3)}
rows=()

# name, seconds and exit code of a step; 0 and 1 are answers, 2 is a failure.
step() {
  local name=$1 begin end code
  shift
  begin=$(date +%s.%N)
  "$@" >"$out/$name.log" 2>&1
  code=$?
  end=$(date +%s.%N)
  local seconds
  seconds=$(echo "$begin $end" | awk '{printf "%.1f", $2 - $1}')
  printf '%-28s exit %s  %6s s\n' "$name" "$code" "$seconds"
  rows+=("{\"step\": \"$name\", \"exit\": $code, \"seconds\": $seconds}")
}

step capture-gpu "$dir/driftlock" capture --section gpu --section cuda -o "$out/gpu.lock" --timeout 60
step nvidia-smi nvidia-smi -q
for device in cuda:0 cpu; do
  name=${device%:0}
  step "selftest-$name-quick" "$dir/driftlock" selftest --python "$python" --engine tch --device "$device" --quick -o "$out/$name-quick.json"
  step "selftest-$name-tch" "$dir/driftlock" selftest --python "$python" --engine tch --device "$device" --full -o "$out/$name-tch.json"
  step "selftest-$name-python" "$dir/driftlock" selftest --python "$python" --engine python --device "$device" --against "$out/$name-tch.json" -o "$out/$name-python.json"
done
if [ "$(nvidia-smi -L 2>/dev/null | wc -l)" -gt 1 ]; then
  step selftest-all "$dir/driftlock" selftest --python "$python" --device cuda -o "$out/all.json"
fi
step capture-selftest "$dir/driftlock" capture --python "$python" --selftest -o "$out/with-selftest.lock" --timeout 60

{
  printf '{"steps": [\n'
  (IFS=$',\n'; printf '%s' "${rows[*]}")
  printf '],\n"selftests": {'
  first=1
  for file in "$out"/*-tch.json "$out"/*-python.json "$out"/all.json; do
    [ -s "$file" ] || continue
    [ $first = 1 ] || printf ','
    first=0
    printf '\n"%s": ' "$(basename "$file" .json)"
    cat "$file"
  done
  printf '\n}}\n'
} >"$out/results.json"
"$python" -c 'import json, sys; json.load(open(sys.argv[1]))' "$out/results.json" && echo "wrote $out/results.json"
