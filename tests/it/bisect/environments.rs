//! Python packages: environments of mixtures.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Bench, causes, digest};
use crate::common::sh;

/// What a wheel's installer writes for a package of one module.
fn install(site: &Path, name: &str, version: &str, text: &str, requires: &str) {
    let info = site.join(format!("{name}-{version}.dist-info"));
    std::fs::create_dir_all(&info).unwrap();
    std::fs::write(site.join(format!("{name}.py")), text).unwrap();
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}");
    std::fs::write(info.join("METADATA"), metadata).unwrap();
    std::fs::write(info.join("WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        .unwrap();
    std::fs::write(info.join("INSTALLER"), "pip\n").unwrap();
    let hash = format!("sha256={}", text.len());
    let record = format!(
        "{name}.py,{hash},{}\n{name}-{version}.dist-info/METADATA,,\n{name}-{version}.dist-info/WHEEL,,\n\
         {name}-{version}.dist-info/INSTALLER,,\n{name}-{version}.dist-info/RECORD,,\n",
        text.len()
    );
    std::fs::write(info.join("RECORD"), record).unwrap();
}

/// An environment without pip; its site folder.
fn environment(bench: &Bench, name: &str) -> PathBuf {
    let dir = bench.beside(name);
    sh(&bench.project(), "python3", &["-m", "venv", "--without-pip", &dir.display().to_string()]);
    let lib = std::fs::read_dir(dir.join("lib")).unwrap().next().unwrap().unwrap().path();
    lib.join("site-packages")
}

fn capture(bench: &Bench, lock: &str, environment: &str) {
    let python = bench.beside(environment).display().to_string();
    bench.capture(lock, &[], &["--section", "env", "--section", "python", "--python", &python]);
}

/// Two environments that differ in four packages of which one matters, and two that must move together.
fn two(bench: &Bench) {
    for (name, version, value) in [("env-a", "1.0", "1"), ("env-b", "2.0", "2")] {
        let site = environment(bench, name);
        install(&site, "alpha", version, &format!("value = {value}\n"), "");
        install(&site, "beta", version, &format!("value = {value}\n"), "");
        // `gamma` works only with the very `delta` that it was built for.
        let gamma = format!("import delta\nassert delta.value == {value}\n");
        install(&site, "gamma", version, &gamma, &format!("Requires-Dist: delta=={version}\n"));
        install(&site, "delta", version, &format!("value = {value}\n"), "");
        install(&site, "same", "1.0", "", "");
    }
    bench.put("prog.py", "import alpha, beta, gamma, same\nprint(beta.value)\n");
    capture(bench, "a.lock", "env-a");
    capture(bench, "b.lock", "env-b");
}

#[test]
fn one_package_of_four() {
    let bench = Bench::new();
    two(&bench);
    let before = [digest(&bench.beside("env-a")), digest(&bench.beside("env-b"))];
    let python = bench.beside("env-a/bin/python").display().to_string();
    let report = bench.json(&[], &[&python, "prog.py"]);
    assert_eq!(causes(&report), [["packages.beta"]], "{report:#}");
    let ids: Vec<&str> =
        report["factors"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3, "gamma and delta move together: {ids:?}");
    assert!(report["probes"].as_array().unwrap().iter().all(|p| p["outcome"] != "?"), "{report:#}");
    assert_eq!(report["touched"], serde_json::json!([]));
    assert!(digest(&bench.beside("env-a")) == before[0] && digest(&bench.beside("env-b")) == before[1]);
    // Made once, shared by all probes and by another bisection.
    let made = || std::fs::read_dir(bench.cache().join("venvs")).unwrap().count();
    let before = made();
    assert!(before >= 1 && before < report["probes"].as_array().unwrap().len());
    bench.put("prog.py", "import alpha, beta, gamma, same\nprint('another', beta.value)\n");
    assert_eq!(causes(&bench.json(&[], &[&python, "prog.py"])), [["packages.beta"]]);
    assert_eq!(made(), before);
}

/// Neither side's environment is here: they are made from wheels, by uv and without any network.
#[test]
fn packages_are_installed_where_they_are_not_here() {
    let uv = std::env::var_os("DRIFTLOCK_TEST_UV").map(PathBuf::from);
    let Some(uv) = uv.filter(|uv| uv.exists()) else {
        eprintln!("skipped: DRIFTLOCK_TEST_UV names no uv");
        return;
    };
    let bench = Bench::new();
    let wheels = bench.beside("wheels");
    std::fs::create_dir(&wheels).unwrap();
    let zip = "import sys, zipfile, os\nout, site, *roots = sys.argv[1:]\nz = zipfile.ZipFile(out, 'w')\n\
               for root in roots:\n    p = os.path.join(site, root)\n    files = [p] if os.path.isfile(p) else [os.path.join(p, f) for f in os.listdir(p)]\n    for f in files: z.write(f, os.path.relpath(f, site))\n";
    std::fs::write(bench.beside("zip.py"), zip).unwrap();
    for (name, version, value) in [("env-a", "1.0", "1"), ("env-b", "2.0", "2")] {
        let site = environment(&bench, name);
        for package in ["alpha", "beta"] {
            install(&site, package, version, &format!("value = {value}\n"), "");
            let wheel = wheels.join(format!("{package}-{version}-py3-none-any.whl"));
            let (module, info) = (format!("{package}.py"), format!("{package}-{version}.dist-info"));
            let script = bench.beside("zip.py").display().to_string();
            let words = [&script, &wheel.display().to_string(), &site.display().to_string(), &module, &info];
            sh(&bench.project(), "python3", &words.map(String::as_str));
        }
        let lock = if name == "env-a" { "a.lock" } else { "b.lock" };
        capture(&bench, lock, name);
        std::fs::remove_dir_all(bench.beside(name)).unwrap();
    }
    bench.put("prog.py", "import alpha, beta\nprint(beta.value)\n");
    environment(&bench, "own");
    let python = bench.beside("own/bin/python").display().to_string();
    let path = std::env::join_paths(
        uv.parent()
            .map(Path::to_path_buf)
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut command: Command = bench.command(&["--format", "json"], &[&python, "prog.py"]);
    command
        .env("PATH", path.unwrap())
        .env("UV_OFFLINE", "1")
        .env("UV_NO_INDEX", "1")
        .env("UV_FIND_LINKS", &wheels);
    let out = command.output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e} {}", String::from_utf8_lossy(&out.stderr)));
    assert_eq!(causes(&report), [["packages.beta"]], "{report:#}");
    // What cannot be had is a side that does not run, with the installer's words.
    let fresh = bench.beside("fresh").display().to_string();
    let mut command: Command = bench.command(&["--cache", &fresh], &[&python, "prog.py"]);
    let args: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
    let first = args.iter().position(|a| a == "--cache").unwrap();
    let kept: Vec<_> =
        args.iter().enumerate().filter(|(i, _)| *i != first && *i != first + 1).map(|(_, a)| a).collect();
    let mut again = crate::common::driftlock();
    again.args(kept).current_dir(bench.project()).env(
        "PATH",
        command
            .get_envs()
            .find_map(|(n, v)| (n == "PATH").then_some(v?))
            .unwrap_or(&std::env::var_os("PATH").unwrap()),
    );
    again.env("UV_OFFLINE", "1").env("UV_NO_INDEX", "1");
    command = again;
    let out = command.output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(2), "{text}{}", String::from_utf8_lossy(&out.stderr));
    assert!(text.contains("cannot install"), "{text}");
}

/// A package that is installed from the project itself is the copy's in every probe: else no commit could matter.
#[test]
fn an_editable_package_is_the_copys() {
    let bench = Bench::new();
    let dir = bench.project();
    let site = environment(&bench, "env-a");
    std::fs::write(site.join("mine.pth"), format!("{}\n", dir.join("src").display())).unwrap();
    std::fs::create_dir(dir.join("src")).unwrap();
    bench.put("prog.py", "import mine, os\nprint(mine.value)\n");
    sh(&dir, "git", &["init", "-q"]);
    for (lock, value) in [("a.lock", "1"), ("b.lock", "2")] {
        bench.put("src/mine.py", &format!("value = {value}\n"));
        sh(&dir, "git", &["add", "-A"]);
        sh(&dir, "git", &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", value]);
        let python = bench.beside("env-a").display().to_string();
        let sections = ["--section", "env", "--section", "python", "--section", "git", "--python", &python];
        bench.capture(lock, &[("V1_SEED", value)], &sections);
    }
    let python = bench.beside("env-a/bin/python").display().to_string();
    let report = bench.json(&[], &[&python, "prog.py"]);
    assert_eq!(causes(&report), [["git.commit"]], "{report:#}");
}
