#!/usr/bin/env bash
# The whole-process time of `driftlock check` in a repository with a virtual environment, and of its parts:
#
#   bash tests/bench/check.sh [VENV] [RUNS]
#
# VENV is the tests' environment unless named (tests/all.sh makes it). Prints the median of RUNS (default 30) and exits
# with 1 where the target is missed.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${1:-$PWD/target/test-venv}
runs=${2:-30}

cargo build --release --locked
driftlock=$PWD/target/release/driftlock
containers=$PWD/fixtures/check

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
git init -q
cp "$containers"/ngc-*.lock .
git add -A
git -c user.name=N -c user.email=n@example.org commit -q -m x
export VIRTUAL_ENV=$venv PATH=$venv/bin:$PATH
"$driftlock" init 2>/dev/null
echo "load: $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) CPUs"

python3 - "$driftlock" "$runs" <<'PY'
import statistics, subprocess, sys, time
driftlock, runs = sys.argv[1], int(sys.argv[2])


def run(*args):
    begin = time.perf_counter()
    out = subprocess.run([driftlock, *args], capture_output=True, text=True)
    assert out.returncode in (0, 1), out.stderr
    return (time.perf_counter() - begin) * 1e3, out


whole, files, capture, parts = [], [], [], {}
for i in range(runs + 3):
    ms, out = run("check", "--timings")
    two, _ = run("check", "ngc-26.02.lock", "--against", "ngc-26.04.lock")
    alone, _ = run("capture", "-o", "-")
    if i < 3:
        continue
    whole.append(ms), files.append(two), capture.append(alone)
    last = 0.0
    for line in out.stderr.splitlines():
        name, number, _ = line.split()
        parts.setdefault(name, []).append(float(number) - last)
        last = float(number)
median = statistics.median
print(f"{'driftlock check, whole process':<44} {median(whole):8.2f} ms (fastest {min(whole):.2f})")
for name, times in parts.items():
    print(f"  {name:<42} {median(times):8.2f} ms (fastest {min(times):.2f})")
print(f"{'driftlock capture -o -':<44} {median(capture):8.2f} ms (fastest {min(capture):.2f})")
print(f"{'driftlock check of two files, 13 findings':<44} {median(files):8.2f} ms (fastest {min(files):.2f})")
ok = median(whole) < 150
print(f"\n{'met   ' if ok else 'MISSED'} check without a GPU = {median(whole):.1f} ms  (target: under 150 ms)")
sys.exit(not ok)
PY
