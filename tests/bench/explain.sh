#!/usr/bin/env bash
# How often explanations name the true cause, over pairs of real runs with a measured truth:
#
#   bash tests/bench/explain.sh [--only REGEX] [--fresh]
#
# The pairs, their programs and environments stand beside the project, in ../shared/bench: see its README.md. Snapshots
# of an earlier scoring are used again; --fresh runs every program anew, as it must after a change of `driftlock run`.
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=$PWD/../shared/bench
if [ ! -f "$bench/score.py" ]; then
  echo "skipped: $bench is not here" >&2
  exit 0
fi
cargo build --release --locked
echo "load: $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) CPUs"
driftlock=$PWD/target/release/driftlock
python=${BENCH_WORK:-$HOME/.cache/driftlock-bench}/envs/np/bin/python
[ -x "$python" ] || python=python3
"$python" -c 'import numpy' 2>/dev/null || { echo "skipped: $python has no numpy; run $bench/make_envs.sh" >&2; exit 0; }
cd "$bench"
"$python" score.py --driftlock "$driftlock" "$@"
