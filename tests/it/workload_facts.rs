//! What `driftlock run` says of a program before it starts, on real programs, interpreters and libraries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use driftlock::workload::normalise::{Form, Program, normalise};
use sha2::{Digest as _, Sha256};

use crate::common::{driftlock, fact, folder, sh};

/// The interpreter that `python3` starts, behind a version manager's shim.
fn python() -> String {
    sh(Path::new("/"), "python3", &["-c", "import os, sys; print(os.path.realpath(sys.executable))"])
        .trim()
        .to_owned()
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The section of a command that would start in `dir`.
fn workload(dir: &Path, command: &[&str]) -> toml::Table {
    let out = driftlock().arg("__workload").args(command).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn list(snapshot: &toml::Table, path: &str) -> Vec<String> {
    let items = fact(snapshot, path).unwrap_or_else(|| panic!("no {path}:\n{snapshot}")).as_array().unwrap();
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// A fact whose last segment holds dots.
fn at<'a>(snapshot: &'a toml::Table, path: &str, name: &str) -> Option<&'a str> {
    fact(snapshot, path)?.get(name)?.as_str()
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

const SCRIPT: &str =
    "import os\nimport helper\nseed = int(os.environ.get('MY_SCALE', '0'))\nprint(helper.f(seed))\n";
const HELPER: &str = "import random\n\ndef f(seed):\n    r = random.Random(seed)\n    return r.random()\n";

#[test]
fn a_comment_moves_the_exact_digest_alone() {
    let dir = folder();
    write(dir.path(), &[("train.py", SCRIPT), ("helper.py", HELPER)]);
    let python = python();
    let before = workload(dir.path(), &[&python, "train.py"]);
    write(
        dir.path(),
        &[(
            "helper.py",
            &format!("# A note.\n{}", HELPER.replace("r = ", "rng  =  ").replace("r.r", "rng.r")),
        )],
    );
    let after = workload(dir.path(), &[&python, "train.py"]);
    assert_eq!(fact(&before, "workload.code"), fact(&after, "workload.code"));
    assert_ne!(
        at(&before, "workload.code_exact", "{project}/helper.py"),
        at(&after, "workload.code_exact", "{project}/helper.py")
    );
    write(dir.path(), &[("helper.py", &HELPER.replace("random()", "gauss(0, 1)"))]);
    let edited = workload(dir.path(), &[&python, "train.py"]);
    assert_ne!(
        at(&before, "workload.code", "{project}/helper.py"),
        at(&edited, "workload.code", "{project}/helper.py")
    );
    assert_eq!(
        at(&before, "workload.code", "{project}/train.py"),
        at(&edited, "workload.code", "{project}/train.py")
    );
    assert_eq!(
        at(&before, "workload.code_exact", "{project}/train.py"),
        Some(digest(SCRIPT.as_bytes()).as_str())
    );
    assert_eq!(list(&before, "workload.reads"), ["env.MY_SCALE"]);
    assert_eq!(fact(&before, "workload.script").and_then(|s| s.as_str()), Some("{project}/train.py"));
}

#[test]
fn the_same_program_in_another_place_has_the_same_facts() {
    let (a, b) = (folder(), folder());
    for dir in [a.path(), b.path()] {
        write(dir, &[("code/train.py", SCRIPT), ("code/helper.py", HELPER)]);
    }
    sh(b.path(), "git", &["init", "-q", "code"]);
    let python = python();
    let script = |dir: &Path| dir.join("code/train.py").display().to_string();
    let one = workload(&a.path().join("code"), &[&python, "train.py"]);
    let two = workload(&b.path().join("code"), &[&python, "train.py"]);
    let three = workload(a.path(), &[&python, &script(b.path())]);
    assert_eq!(fact(&one, "digest.workload"), fact(&two, "digest.workload"));
    assert_eq!(fact(&one, "digest.workload"), fact(&three, "digest.workload"), "{one}\n{three}");
}

#[test]
fn run_records_them_and_the_variables_that_the_program_reads() {
    let dir = folder();
    write(dir.path(), &[("train.py", SCRIPT), ("helper.py", HELPER)]);
    let run = |seed: &str| {
        let mut command = driftlock();
        command.args(["run", "-o", "run.lock", "--", &python(), "train.py"]).env("MY_SCALE", seed);
        let out = command.current_dir(dir.path()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = std::fs::read_to_string(dir.path().join("run.lock")).unwrap();
        (out.stdout, text.parse::<toml::Table>().unwrap())
    };
    let (printed, lock) = run("7");
    assert!(!printed.is_empty());
    assert_eq!(fact(&lock, "env.MY_SCALE").and_then(|v| v.as_str()), Some("7"));
    assert_eq!(list(&lock, "workload.imports"), Vec::<String>::new());
    assert_eq!(fact(&lock, "workload.script"), fact(&lock, "run.script"));
    let shown = driftlock().args(["verify", "run.lock"]).current_dir(dir.path()).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stdout));
    // What the program does not read is not recorded.
    write(dir.path(), &[("train.py", "print(1)\n")]);
    assert_eq!(fact(&run("7").1, "env.MY_SCALE"), None);
}

#[test]
fn data_files_and_listings_before_the_start() {
    let dir = folder();
    write(
        dir.path(),
        &[
            (
                "train.py",
                "import os\nprint(open('words.txt').read(), open('gone.txt'))\nprint(os.listdir('data'))\n",
            ),
            ("words.txt", "a\nb\n"),
            ("data/c", ""),
            ("data/a", ""),
            ("data/b\u{e9}", ""),
        ],
    );
    let facts = workload(dir.path(), &[&python(), "train.py"]);
    assert_eq!(at(&facts, "workload.files", "{project}/words.txt"), Some(digest(b"a\nb\n").as_str()));
    assert_eq!(at(&facts, "workload.files", "{project}/gone.txt"), None);
    let ask = "import os, sys; sys.stdout.buffer.write(b''.join(n + b'\\0' for n in os.listdir(b'data')))";
    let order = Command::new("python3").args(["-c", ask]).current_dir(dir.path()).output().unwrap().stdout;
    assert_eq!(at(&facts, "workload.listings", "{project}/data"), Some(digest(&order).as_str()));
    let sorted = "a\0b\u{e9}\0c\0";
    assert_eq!(
        at(&facts, "workload.listings_sorted", "{project}/data"),
        Some(digest(sorted.as_bytes()).as_str())
    );
}

#[test]
fn what_cannot_be_parsed_counts_byte_by_byte_and_says_so() {
    let dir = folder();
    let text = "x = (\nprint(1)\n";
    write(dir.path(), &[("train.py", text)]);
    let facts = workload(dir.path(), &[&python(), "train.py"]);
    assert_eq!(at(&facts, "workload.code", "{project}/train.py"), Some(digest(text.as_bytes()).as_str()));
    assert_eq!(at(&facts, "workload.code_as_is", "{project}/train.py"), Some("it has a syntax error"));
    assert!(facts.get("unknown").unwrap().get("workload.packages").is_some());
}

#[test]
fn arguments_without_secrets_and_with_names_for_paths() {
    let dir = folder();
    let token = format!("hf_{}", "abcdefghijklmnopqrstuvwxyzABCDEFGH");
    write(
        dir.path(),
        &[(
            "train.py",
            "import argparse, random\np = argparse.ArgumentParser()\np.add_argument('--hub-token')\np.add_argument('--seed', \
             type=int, default=3)\np.add_argument('--data')\na = p.parse_args()\nrandom.seed(a.seed)\nprint(a.hub_token, \
             open(a.data).read(), random.random())\n",
        )],
    );
    let data = dir.path().join("d.txt").display().to_string();
    let facts = workload(dir.path(), &[&python(), "train.py", "--hub-token", &token, "--data", &data]);
    assert!(!facts.to_string().contains(&token), "{facts}");
    assert_eq!(fact(&facts, "workload.arguments.seed").and_then(toml::Value::as_integer), Some(3));
    assert_eq!(fact(&facts, "workload.arguments.data").and_then(|v| v.as_str()), Some("{project}/d.txt"));
    assert_eq!(list(&facts, "workload.seeds.random"), ["3"]);
}

/// A virtual environment with these files in its site folder.
fn environment(dir: &Path, files: &[(&str, &str)]) -> PathBuf {
    sh(dir, &python(), &["-m", "venv", "--without-pip", "env"]);
    let bin = dir.join("env/bin/python");
    let site = sh(
        dir,
        &bin.display().to_string(),
        &["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
    );
    write(Path::new(site.trim()), files);
    bin
}

#[test]
fn packages_are_found_by_what_they_installed_and_require() {
    let dir = folder();
    let bin = environment(
        dir.path(),
        &[
            ("torchlike/__init__.py", ""),
            (
                "torchlike-1.0.dist-info/METADATA",
                "Name: torchlike\nRequires-Dist: Base_Lib>=1\nRequires-Dist: toolkit[fast,More]==1; sys_platform == 'linux'\n\
                 Requires-Dist: only-windows; sys_platform == 'win32'\nRequires-Dist: extra-only; extra == 'x'\n\
                 Requires-Dist: not-installed\n\nRequires-Dist: prose\n",
            ),
            ("base_lib-1.0.dist-info/METADATA", "Name: base-lib\nRequires-Dist: torchlike\n"),
            (
                "toolkit-1.0.dist-info/METADATA",
                "Name: toolkit\nRequires-Dist: fast-part; extra == 'fast'\nRequires-Dist: more-part; extra == \"more\"\n\
                 Requires-Dist: slow-part; extra == 'slow'\n",
            ),
            ("fast_part-1.0.dist-info/METADATA", "Name: fast-part\n"),
            ("more_part-1.0.dist-info/METADATA", "Name: more-part\n"),
            ("slow_part-1.0.dist-info/METADATA", "Name: slow-part\n"),
            ("only_windows-1.0.dist-info/METADATA", "Name: only-windows\n"),
            ("extra_only-1.0.dist-info/METADATA", "Name: extra-only\n"),
            ("prose-1.0.dist-info/METADATA", "Name: prose\n"),
            ("plugin-1.0.dist-info/METADATA", "Name: plugin\n"),
            ("plugin-1.0.dist-info/entry_points.txt", "[torchlike.backends]\nx = plugin:x\n"),
            ("script-1.0.dist-info/METADATA", "Name: script\n"),
            ("script-1.0.dist-info/entry_points.txt", "[console_scripts]\nx = script:x\n"),
            ("yamlish/__init__.py", ""),
            ("PyYamlish-1.0.dist-info/METADATA", "Name: PyYamlish\n"),
            ("PyYamlish-1.0.dist-info/top_level.txt", "_yamlish\nyamlish\n"),
            ("_native.cpython-311-x86_64-linux-gnu.so", ""),
            ("Native.Thing-1.0.dist-info/METADATA", "Name: Native.Thing\n"),
            (
                "Native.Thing-1.0.dist-info/RECORD",
                "x/_native/y.py,,\n_native.cpython-311-x86_64-linux-gnu.so,sha256=a,1\n",
            ),
            ("loose.py", ""),
        ],
    );
    let bin = bin.display().to_string();
    let packages = |imports: &str| {
        write(dir.path(), &[("train.py", &format!("import {imports}\n"))]);
        workload(dir.path(), &[&bin, "train.py"])
    };
    let expected = ["base-lib", "fast-part", "more-part", "plugin", "toolkit", "torchlike"];
    assert_eq!(list(&packages("torchlike"), "workload.packages"), expected);
    assert_eq!(list(&packages("yamlish"), "workload.packages"), ["pyyamlish"]);
    assert_eq!(list(&packages("_native"), "workload.packages"), ["native-thing"]);
    assert_eq!(list(&packages("os, json"), "workload.packages"), Vec::<String>::new());
    let stray = packages("loose, yamlish");
    let reason = stray.get("unknown").and_then(|u| u.get("workload.packages")).and_then(|r| r.as_str());
    assert_eq!(reason, Some("no distribution says that it installed loose"));
}

/// What is really imported, by the interpreter's own account, must be among the packages.
#[test]
fn packages_hold_whatever_a_real_import_loads() {
    let Some(venv) = std::env::var_os("DRIFTLOCK_TEST_VENV").map(PathBuf::from) else {
        return eprintln!(
            "skipped: set DRIFTLOCK_TEST_VENV to a virtual environment with torch and scikit-learn"
        );
    };
    let bin = venv.join("bin/python").display().to_string();
    let dir = folder();
    for import in ["numpy", "scipy.stats", "sklearn.ensemble", "torch"] {
        let ask = format!(
            "import {import}, sys, re, importlib.metadata as m\nby = m.packages_distributions()\nfound = set()\nfor name in \
             list(sys.modules):\n    found.update(by.get(name.split('.')[0], []))\nprint(*sorted(re.sub('[-_.]+', '-', \
             n).lower() for n in found))"
        );
        let loaded = sh(dir.path(), &bin, &["-c", &ask]);
        let loaded: BTreeSet<&str> = loaded.split_whitespace().collect();
        write(dir.path(), &[("train.py", &format!("import {import}\n"))]);
        let packages: BTreeSet<String> =
            list(&workload(dir.path(), &[&bin, "train.py"]), "workload.packages").into_iter().collect();
        // setuptools puts itself into every start of Python by a `.pth` file; nothing here imports it.
        let missing: Vec<_> =
            loaded.iter().filter(|name| !packages.contains(**name) && **name != "setuptools").collect();
        assert!(missing.is_empty(), "{import} loads {missing:?}, and {packages:?} are known");
        assert!(packages.len() < 45 && !loaded.is_empty());
    }
    let torch: BTreeMap<String, ()> = list(&workload(dir.path(), &[&bin, "train.py"]), "workload.packages")
        .into_iter()
        .map(|n| (n, ()))
        .collect();
    assert!(torch.contains_key("nvidia-curand") && !torch.contains_key("scikit-learn"), "{torch:?}");
}

fn form(text: &str) -> Form {
    let files = [(PathBuf::from("/p/x.py"), text.to_owned())];
    let script = Some(Path::new("/p/x.py"));
    let imports = BTreeSet::new();
    // Trees are walked as deep as they are nested, and a test's thread has little stack.
    let mut forms = std::thread::scope(|scope| {
        let program = Program { files: &files, script, imports: &imports, followed: true, docstrings: false };
        let thread = std::thread::Builder::new().stack_size(256 << 20);
        thread.spawn_scoped(scope, move || normalise(&program)).unwrap().join().unwrap()
    });
    forms.pop().unwrap()
}

/// Over the standard library: the same tree in another layout has the same form, and a change that shows in the byte
/// code shows in the form.
#[test]
fn forms_agree_with_the_compiler() {
    let dir = folder();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/workload_mutants.py");
    let out = sh(dir.path(), "python3", &[script, "60", "30"]);
    let (mut files, mut mutants) = (0, 0);
    for line in out.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| case[key].as_str().unwrap();
        let own = form(text("text"));
        if matches!(own, Form::Normal(_)) {
            assert!(own == form(text("other")), "{}: another layout, another form", text("name"));
        }
        let other = form(text("other"));
        for mutant in case["mutants"].as_array().unwrap() {
            let mutant = mutant.as_str().unwrap();
            if matches!(other, Form::Normal(_)) && other == form(mutant) {
                let at = text("other").lines().zip(mutant.lines()).find(|(a, b)| a != b);
                panic!("{}: another program has the same form: {at:?}", text("name"));
            }
            mutants += 1;
        }
        files += 1;
    }
    assert!(files > 30 && mutants > 500, "{files} files, {mutants} mutants");
}
