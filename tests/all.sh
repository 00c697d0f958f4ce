#!/usr/bin/env bash
# Installs what the tests need and runs every test.
#
#   bash tests/all.sh [arguments of cargo test]
#
# Needs Rust and Python 3. Everything it installs goes into target/test-venv (PyTorch and its CUDA libraries: about
# 5 GB), except system packages, which it asks apt-get for where it may and where they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

# Pinned: the version that the self-test worker is built against, and what the comparisons with torch's own words know.
torch=2.11.0
numpy=2.4.6

say() { printf '== %s\n' "$*" >&2; }

# System packages: a C compiler (libgit2, the stand-in NVML), git, Mercurial, and setpriv for tests as another user.
missing=()
command -v cc >/dev/null || missing+=(build-essential)
command -v git >/dev/null || missing+=(git)
command -v hg >/dev/null || missing+=(mercurial)
command -v setpriv >/dev/null || missing+=(util-linux)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing ${missing[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
  else
    say "not installed: ${missing[*]}; the tests that need them will skip or fail and say so"
  fi
fi

# The private virtual environment. The stamp names what is in it, so that a change of pins makes it anew.
venv=$PWD/target/test-venv
stamp="torch==$torch numpy==$numpy scipy scikit-learn threadpoolctl uv"
if [ "$(cat "$venv/.driftlock-stamp" 2>/dev/null)" != "$stamp" ]; then
  say "making $venv"
  rm -rf "$venv"
  mkdir -p target
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check uv
  UV_HTTP_TIMEOUT=600 "$venv/bin/uv" pip install -q --python "$venv/bin/python" \
    "torch==$torch" "numpy==$numpy" scipy scikit-learn threadpoolctl
  printf '%s' "$stamp" > "$venv/.driftlock-stamp"
fi
export DRIFTLOCK_TEST_VENV=$venv
export DRIFTLOCK_TEST_UV=$venv/bin/uv

# The self-test's worker, against the environment's torch. The tests themselves are built without the feature: nothing
# but the worker may need torch.
say "building the self-test worker"
torch_dir=$("$venv/bin/python" -c 'import importlib.util as u, os; print(os.path.dirname(u.find_spec("torch").origin))')
LIBTORCH=$torch_dir cargo build --locked --features selftest --bin driftlock-selftest
export DRIFTLOCK_TEST_WORKER=$PWD/target/debug/driftlock-selftest

say "cargo test"
cargo test --locked "$@"
