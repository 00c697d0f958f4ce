#!/usr/bin/env python3
"""Runs `driftlock bisect` on measured pairs that differ by what it can set, and checks what it names against the truth.

  bisect.py --driftlock PATH --bench DIR [--noise N] [--only REGEX] [--json FILE] [--budget SECONDS]

DIR holds cases.toml, run_bench.py and workloads/ of the benchmark (its README says how to make the environments; all of
it goes under $BENCH_WORK). For each case with truth `different`, both sides run once under `driftlock run`, with N
variables more that differ and that no program reads; then `driftlock bisect A B -- COMMAND` runs in a clean environment.
Right is the exact set of true factors, verified from both sides. Where bisect finds both sides equal, they are run once
more without driftlock: a pair that agrees on this machine (its truth was measured on another CPU) is no pair here and is
left out. So are HOME, of which a snapshot holds a digest alone, PYTHONDONTWRITEBYTECODE, which probes hold at 1, and a
data file whose contents changed at its path: only the later ones are there.
"""
import sys
sys.path.pop(0)   # this file is called as a module of the standard library
import argparse, json, os, re, shlex, statistics, subprocess, tempfile, time

KINDS = {"env", "pkg", "arg", "affinity", "git", "data"}
NOT_SET = {"env:HOME", "env:PYTHONDONTWRITEBYTECODE", "data:v2"}


def names(factor):
    """The name of a factor of the benchmark, as a pattern on those of bisect."""
    kind, _, name = factor.partition(":")
    if kind == "env": return rf"env\.{re.escape(name)}"
    if kind == "pkg": return r"packages\.(%s)" % "|".join(re.escape(n) for n in name.split(","))
    if kind == "git": return r"git\.(commit|patch)"
    if kind in ("arg", "data"): return r"arguments.*"
    return {"affinity": r"cpu\.(affinity|threads)"}.get(kind, re.escape(factor))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--driftlock", required=True); ap.add_argument("--bench", required=True)
    ap.add_argument("--noise", type=int, default=0); ap.add_argument("--only", default=""); ap.add_argument("--json", default="")
    ap.add_argument("--budget", type=float, default=1e9)
    a = ap.parse_args(); tool = os.path.abspath(a.driftlock); a.bench = os.path.abspath(a.bench); sys.path.insert(0, a.bench)
    import run_bench as rb
    rows = []; began = time.time()
    with tempfile.TemporaryDirectory() as work:
        for case in rb.load_cases(os.path.join(a.bench, "cases.toml")):
            if case["ground_truth"] != "different" or (a.only and not re.search(a.only, case["id"])): continue
            if {f.partition(":")[0] for f in case["factors"]} - KINDS or set(case["cause"]) & NOT_SET: continue
            if time.time() - began > a.budget: print("the budget is spent"); break
            r = one(case, rb, tool, work, a.noise)
            if r["outcome"] == "equal" and rb.execute(rb.side(case, "a"))["digest"] == rb.execute(rb.side(case, "b"))["digest"]:
                print(f"moot   {r['id']:<40} A and B agree on this machine", flush=True); continue
            rows.append(r)
            print(f"{'right' if r['ok'] else 'WRONG':<6} {r['id']:<40} {r['factors']:>3} factors {r['searched']:>3} probes {r['seconds']:>6.1f} s  {r['named']}"
                  + ("" if r["ok"] else f"   truth {case['cause']}  {r['outcome']}: {r['summary'][:160]}"), flush=True)
    if not rows: return
    probes = sorted(r["searched"] for r in rows if r["ok"]); single = sorted(r["searched"] for r in rows if r["ok"] and r["causes"] == 1)
    over = [r["id"] for r in rows if r["searched"] > r["factors"] ** 2 + 3 * r["factors"]]
    print(f"\nright {sum(r['ok'] for r in rows)} of {len(rows)}; factors {min(r['factors'] for r in rows)} to {max(r['factors'] for r in rows)}")
    if probes: print(f"probes beside the ground: median {statistics.median(probes)}, most {probes[-1]}; with one true factor: median {statistics.median(single) if single else '-'}")
    print(f"beyond n^2 + 3n: {over or 'none'}")
    if a.json: json.dump(rows, open(a.json, "w"), indent=0)


def one(case, rb, tool, work, noise):
    started = time.time(); sides = [rb.side(case, s) for s in "ab"]; locks = []
    row = {"id": case["id"], "ok": False, "named": [], "factors": 0, "searched": 0, "seconds": 0.0, "outcome": "error", "summary": "", "causes": len(case["cause"])}
    try:
        for s, side in zip("ab", sides):
            env = dict(rb.BASE_ENV) | {f"NOISE{i}_SEED": s for i in range(noise)}
            for (kind, name), value in side.items():
                if kind == "env": env.pop(name, None) if value == "__unset__" else env.__setitem__(name, value)
            if side["pre", ""]: subprocess.run(["bash", "-c", side["pre", ""]], check=True, cwd=rb.FIXTURES, capture_output=True)
            lock = os.path.join(work, s + ".lock"); command = words(side, rb); cwd = folder(side, rb)
            p = subprocess.run(shlex.split(side["prefix", ""]) + [tool, "run", "-o", lock, "--"] + command, env=env, cwd=cwd, capture_output=True, text=True, timeout=600)
            if p.returncode: raise RuntimeError(p.stderr[-300:])
            locks.append(lock)
        command = words(sides[0], rb); cwd = folder(sides[0], rb)
        p = subprocess.run([tool, "bisect", *locks, "--cache", os.path.join(work, "cache"), "--format", "json", "--"] + command, env=rb.BASE_ENV, cwd=cwd, capture_output=True, text=True, timeout=1200)
        if not p.stdout: raise RuntimeError(p.stderr[-300:])
        report = json.loads(p.stdout)
        named = sorted(f for cause in report["causes"] for f in cause["factors"]); wanted = [names(f) for f in case["cause"]]
        # One factor of the benchmark may be several packages of two environments.
        exact = all(any(re.fullmatch(w, n) for n in named) for w in wanted) and all(any(re.fullmatch(w, n) for w in wanted) for n in named)
        row |= {"ok": exact and report["outcome"] == "proved", "named": named, "factors": len(report["factors"]), "searched": report["searched"],
                "outcome": report["outcome"], "summary": report["summary"], "touched": report["touched"]}
        if report["touched"]: row |= {"ok": False, "summary": f"touched {report['touched'][:3]}"}
    except Exception as e:   # a failure of the tool counts against it
        row["summary"] = str(e)[-300:]
    row["seconds"] = round(time.time() - started, 1)
    return row


def folder(side, rb):
    """Where the command runs: in the repository of the program, where it has one, as its commit is recorded only there."""
    own = os.path.dirname(side["workload", ""])
    return own if own and os.path.isdir(os.path.join(own, ".git")) else side["cwd", ""] or rb.FIXTURES


def words(side, rb):
    python = rb.PY.get(side["venv", ""]) or f"{rb.ENVS}/{side['venv', '']}/bin/python"; work = side["workload", ""]
    path = work if work.startswith("/") else os.path.join(rb.HERE, work if "/" in work else "workloads/" + work)
    return [python, path] + shlex.split(side["args", ""])


if __name__ == "__main__":
    main()
