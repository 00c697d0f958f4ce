#!/usr/bin/env bash
# The whole-process time of `driftlock diff` over two snapshots of 400 packages, and the time of the rules in it:
#
#   bash tests/bench/diff.sh [RUNS]
#
# The snapshots are made from a recorded machine by snapshots.py: every tenth package of another version, another
# processor, another number of threads. Prints the median of RUNS (default 50) and exits with 1 where a target is missed.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-50}

cargo build --release --locked
driftlock=$PWD/target/release/driftlock

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 tests/bench/snapshots.py fixtures/hosts/dgx-h100/snapshot.lock 400 "$work"
cd "$work"
echo "load: $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) CPUs"

python3 - "$driftlock" "$runs" <<'PY'
import statistics, subprocess, sys, time
driftlock, runs = sys.argv[1], int(sys.argv[2])


def run(*args):
    begin = time.perf_counter()
    out = subprocess.run([driftlock, "diff", *args], capture_output=True, text=True)
    assert out.returncode in (0, 1), out.stderr
    return (time.perf_counter() - begin) * 1e3, out


parts, whole, equal, bare = {}, [], [], []
for i in range(runs + 3):
    ms, _ = run("a.lock", "b.lock", "--format", "json")
    same, _ = run("a.lock", "a.lock")
    _, out = run("a.lock", "b.lock", "--format", "json", "--timings")
    begin = time.perf_counter()
    subprocess.run([driftlock, "--version"], capture_output=True)
    start = (time.perf_counter() - begin) * 1e3
    if i < 3:
        continue
    whole.append(ms), equal.append(same), bare.append(start)
    for line in out.stderr.splitlines():
        name, number, _ = line.split()
        parts.setdefault(name, []).append(float(number))
median = statistics.median
print(f"{'driftlock --version, whole process':<44} {median(bare):8.2f} ms")
print(f"{'driftlock diff A A, whole process':<44} {median(equal):8.2f} ms")
print(f"{'driftlock diff A B --format json, whole process':<44} {median(whole):8.2f} ms (fastest {min(whole):.2f})")
for name, times in parts.items():
    print(f"  {name:<42} {median(times):8.2f} ms (fastest {min(times):.2f})")
checks = [
    (f"whole process = {median(whole):.1f} ms", median(whole) < 15, "under 15 ms"),
    (f"rules over the pair = {median(parts['judged']):.2f} ms", median(parts["judged"]) < 2, "under 2 ms"),
]
print()
for text, ok, target in checks:
    print(f"{'met   ' if ok else 'MISSED'} {text}  (target: {target})")
sys.exit(not all(ok for _, ok, _ in checks))
PY
