#!/usr/bin/env bash
# The whole-process time of `driftlock capture` beside its peers, in one run:
#
#   bash tests/bench/capture.sh [VENV]
#
# VENV is a virtual environment with torch and pip (default: target/test-venv, which tests/all.sh makes). Makes a git
# repository of 10,000 files in a temporary folder and measures there, everything in the page cache, with hyperfine.
# Prints each command's mean and the ratios that docs/benchmarks.md quotes, and exits with 1 where a target is missed.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=$(realpath "${1:-target/test-venv}")
command -v hyperfine >/dev/null || { echo "hyperfine is not installed" >&2; exit 2; }
"$venv/bin/python" -c 'import torch, pip' || { echo "$venv holds no torch or no pip" >&2; exit 2; }

cargo build --release --locked
driftlock=$PWD/target/release/driftlock

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/repo" && cd "$work/repo"
python3 - <<'PY'
import os
for i in range(100):
    os.mkdir(f"d{i:02}")
    for j in range(100):
        with open(f"d{i:02}/f{j:02}.py", "w") as f:
            f.write(f"value = {i * 100 + j}\n" * 20)
PY
git init -q -b main . && git add -A && git -c user.name=bench -c user.email=bench@example.com commit -qm files
sleep 2   # past the index's time stamp, so that git trusts its cached stat data
git status >/dev/null
echo 'value = -1' >> d00/f00.py

export VIRTUAL_ENV=$venv PATH=$venv/bin:$PATH
run() { hyperfine --style none --warmup "$2" --runs "$3" --export-json "$work/$1.json" "$4" >/dev/null; }
run capture 5 40 "$driftlock capture -o $work/a.lock"
run small 5 60 "$driftlock capture --no-python --section os -o $work/b.lock"
run status 5 40 "git status"
run piplist 1 10 "python -m pip list --disable-pip-version-check"
run collect_env 1 5 "python -m torch.utils.collect_env"

memory=$(python3 - "$driftlock" "$work/a.lock" <<'PY'
import resource, subprocess, sys
subprocess.run([sys.argv[1], "capture", "-o", sys.argv[2]], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
)
python3 - "$work" "$memory" <<'PY'
import json, sys
work, memory = sys.argv[1], int(sys.argv[2]) / 1024
def mean(name):
    r = json.load(open(f"{work}/{name}.json"))["results"][0]
    return r["mean"] * 1e3, (r["stddev"] or 0) * 1e3
names = {"capture": "driftlock capture", "small": "driftlock capture --no-python --section os", "status": "git status",
         "piplist": "pip list", "collect_env": "python -m torch.utils.collect_env"}
t = {n: mean(n) for n in names}
for n, label in names.items():
    print(f"{label:<46} {t[n][0]:9.1f} ms ± {t[n][1]:.1f}")
print(f"{'peak memory of driftlock capture':<46} {memory:9.1f} MiB")
c = t["capture"][0]
checks = [
    (f"collect_env / capture = {t['collect_env'][0] / c:.0f}", t["collect_env"][0] / c >= 50, "at least 50"),
    (f"pip list / capture = {t['piplist'][0] / c:.1f}", t["piplist"][0] > c, "above 1"),
    (f"capture - 1.3 x git status = {c - 1.3 * t['status'][0]:.1f} ms", c < 1.3 * t["status"][0] + 30, "under 30 ms"),
    (f"capture --no-python --section os = {t['small'][0]:.1f} ms", t["small"][0] < 10, "under 10 ms"),
    (f"peak memory = {memory:.1f} MiB", memory < 60, "under 60 MiB"),
]
print()
for text, ok, target in checks:
    print(f"{'met   ' if ok else 'MISSED'} {text}  (target: {target})")
sys.exit(not all(ok for _, ok, _ in checks))
PY
