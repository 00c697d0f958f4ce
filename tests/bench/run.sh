#!/usr/bin/env bash
# What `driftlock run` costs the command that it wraps:
#
#   bash tests/bench/run.sh [SECONDS] [PROCESSES] [ROUNDS]
#
# 1. A job of 32 Python processes of 60 seconds (defaults), each loading extension modules from time to time, bare and
#    wrapped in turn, three times each (ROUNDS): the difference of wall and CPU time, and the watcher's own CPU time.
# 2. The start: `driftlock run -- true` against `driftlock capture`, with hyperfine.
#
# Every process does a fixed amount of work: wall time is what the machine needs for it. Exits with 1 where a target is
# missed.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60} processes=${2:-32} rounds=${3:-3}
cargo build --release --locked
driftlock=$PWD/target/release/driftlock
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > worker.py <<'PY'
import sys, time
amount = int(sys.argv[1])
modules = ["decimal", "sqlite3", "ssl", "lzma", "bz2", "ctypes", "array", "cmath", "mmap", "csv"]
step = max(1, amount // 40)
x = 0
for i in range(amount):
    if i % step == 0 and modules:
        __import__(modules.pop())
    for j in range(1000):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
PY
cat > job.py <<'PY'
import subprocess, sys
n, amount = int(sys.argv[1]), sys.argv[2]
ranks = [subprocess.Popen([sys.executable, "worker.py", amount]) for _ in range(n)]
sys.exit(max(rank.wait() for rank in ranks))
PY
cat > measure.py <<'PY'
import json, os, resource, subprocess, sys, time
python, driftlock, seconds, processes = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
def timed(words):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(words, check=True)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
# How much work fills the time on this machine with that many processes.
probe, wall = 500, 0
while wall < min(8, seconds / 4):
    probe *= 2
    wall, _ = timed([python, "job.py", str(processes), str(probe)])
amount = str(max(1, int(probe * seconds / wall)))
bare, wrapped = [python, "job.py", str(processes), amount], None
wrapped = [driftlock, "run", "-o", "run.lock", "--"] + bare
capture = [driftlock, "capture", "-o", "capture.lock", "--python", python]
rounds = [(timed(bare), timed(wrapped), timed(capture)) for _ in range(int(sys.argv[5]))]
best = lambda which, what: min(r[which][what] for r in rounds)
import tomllib
run = tomllib.load(open("run.lock", "rb"))["volatile"]["run"]
print(f"processes seen {run['processes']}, looks {run['samples']}, watcher's CPU {run['watcher_cpu_us'] / 1e3:.1f} ms")
misses = 0
for what, name in enumerate(("wall", "CPU")):
    b, w, c = best(0, what), best(1, what), best(2, what)
    over = (w - c - b) / b * 100
    print(f"{name}: bare {b:.3f} s, wrapped {w:.3f} s, capture alone {c:.3f} s, over {over:+.3f} % (spread of bare {(max(r[0][what] for r in rounds) - b) / b * 100:.3f} %)")
    misses += over > 0.5
share = run["watcher_cpu_us"] / 1e6 / best(0, 1) * 100
print(f"watcher's CPU time: {share:.3f} % of the job's CPU time, {run['watcher_cpu_us'] / 1e6 / best(0, 0) * 100:.3f} % of its wall time")
misses += share > 0.5
sys.exit(misses > 0)
PY
status=0
"$python" measure.py "$python" "$driftlock" "$seconds" "$processes" "$rounds" || status=1

if command -v hyperfine >/dev/null; then
  hyperfine --style none -N --warmup 3 --runs 30 --export-json start.json \
    "$driftlock capture -o a.lock --python $python" "$driftlock run -o b.lock --python $python -- true" >/dev/null 2>&1
  "$python" - <<'PY' || status=1
import json, sys
capture, run = (r["median"] * 1e3 for r in json.load(open("start.json"))["results"])
print(f"capture {capture:.1f} ms, run -- true {run:.1f} ms: {run - capture:+.1f} ms (target: under 60 ms)")
sys.exit(run - capture >= 60)
PY
else
  echo "hyperfine is not installed: the start was not measured" >&2
fi
exit $status
