//! `driftlock import` of package lists, lock files and trackers' records: our own small files of each shape, the
//! shared corpus, and lists that pip writes of a real environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use driftlock::snapshot::{FactPath, Facts, Looked, Snapshot, read};
use proptest::prelude::*;

use crate::common::{driftlock, folder, root};

const COMMIT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334";

fn fixture(name: &str) -> PathBuf {
    root().join("fixtures/import_locks").join(name)
}

/// What the built binary makes of a dump, and its text.
fn import(path: &Path, from: Option<&str>) -> (Snapshot, String) {
    let mut command = driftlock();
    command.arg("import").arg(path);
    if let Some(from) = from {
        command.args(["--from", from]);
    }
    let out = command.output().unwrap();
    let shown = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{}: {shown}", path.display());
    let text = String::from_utf8(out.stdout).unwrap();
    let read = read::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", path.display()));
    (read.snapshot, text)
}

/// A fact in words: its value, `absent`, or `unknown: REASON`.
fn look(snapshot: &Snapshot, path: &str) -> String {
    let path: FactPath = path.parse().unwrap();
    match snapshot.look(&path) {
        Looked::Value(value) => value.plain(),
        Looked::Absent => "absent".into(),
        Looked::Unknown(reason) => format!("unknown: {reason}"),
    }
}

/// Imports a fixture, and checks what kind it is taken for and what is known of some facts. An expectation that ends
/// in `…` is how the words begin.
fn check(name: &str, kind: &str, facts: &[(&str, &str)]) -> String {
    let (snapshot, text) = import(&fixture(name), None);
    assert_eq!(look(&snapshot, "meta.imported_from"), kind, "{name}");
    for (path, expected) in facts {
        let found = look(&snapshot, path);
        match expected.strip_suffix('…') {
            Some(start) => assert!(found.starts_with(start), "{name}: {path}: {found}"),
            None => assert_eq!(&found, expected, "{name}: {path}"),
        }
    }
    for secret in ["hunter2", "tok:x", "tok@", "tk-secret", "zwiebelfisch", "brachiosaurus", "/home/ada"] {
        assert!(!text.contains(secret), "{name} tells `{secret}`:\n{text}");
    }
    text
}

#[test]
fn lists_of_pip() {
    let git = format!("git+https://github.com/lovelace/model.git@{COMMIT}");
    check(
        "pip_freeze.txt",
        "pip_freeze",
        &[
            ("python.packages.numpy.version", "1.26.4"),
            ("python.packages.jinja2.version", "3.1.4"),
            ("python.packages.ruamel-yaml.version", "0.18.6"),
            ("python.packages.my-model.origin", &git),
            ("python.packages.my-model.editable", "true"),
            ("python.packages.my-model.version", "unknown: named by where…"),
            ("python.packages.tools.version", "0.3"),
            ("python.packages.tools.origin", "~/tools"),
            ("python.packages.torch.version", "2.1.0+cu118"),
            ("python.packages.certifi.origin", "unknown: pip freeze gives…"),
            ("python.packages.numpy.record", "unknown: pip freeze gives…"),
            ("python.packages.scipy.version", "absent"),
            ("python.packages.setuptools.version", "unknown: pip freeze leaves it out"),
            ("python.version", "unknown: …"),
            ("os.family", "unknown: the section was not captured"),
        ],
    );
    for name in ["pip_list.txt", "pip_list.json"] {
        check(
            name,
            "pip_list",
            &[
                ("python.packages.numpy.version", "1.26.4"),
                ("python.packages.my-model.editable", "true"),
                ("python.packages.my-model.origin", "~/model"),
                ("python.packages.pip.version", "24.0"),
                ("python.packages.setuptools.version", "absent"),
                ("python.packages.numpy.origin", "unknown: pip list gives…"),
            ],
        );
    }
    check(
        "pip_inspect.json",
        "pip_inspect",
        &[
            ("python.packages.numpy.installer", "uv"),
            (
                "python.packages.model.origin",
                &format!("git+https://github.com/lovelace/model@{COMMIT}#subdirectory=py"),
            ),
            ("python.packages.torch.version", "absent"),
            ("python.version", "3.11.7"),
            ("os.kernel", "6.1.0-18-amd64"),
            ("os.arch", "x86_64"),
            ("os.libc_version", "unknown: …"),
        ],
    );
    let text = check(
        "requirements.txt",
        "requirements",
        &[
            ("python.packages.numpy.version", "1.26.4"),
            ("python.packages.torch.version", "unknown: a range is no version: `>=2.0`"),
            ("python.packages.tqdm.version", "unknown: no version is given"),
            ("python.packages.tomli.version", "unknown: `2.0.1` only where `python_version < '3.11'`"),
            ("python.packages.colorama.version", "unknown: a requirements file names…"),
            ("python.packages.scipy.version", "unknown: a requirements file names…"),
        ],
    );
    assert!(!text.contains("pypi.example.org"));
}

#[test]
fn lists_of_conda() {
    check(
        "conda_list.txt",
        "conda_list",
        &[
            ("python.conda.numpy.version", "1.26.4"),
            ("python.conda.numpy.build", "py310hb13e2d6_0"),
            ("python.conda.numpy.channel", "conda-forge"),
            ("python.conda.numpy.md5", "unknown: conda list does not say"),
            ("python.conda.blas.channel", "unknown: conda list does not say"),
            ("python.conda.scipy.version", "absent"),
            ("python.packages.einops.version", "0.7.0"),
            ("python.packages.my-model.editable", "true"),
            ("python.packages.numpy.version", "unknown: conda list does not say which…"),
            ("python.version", "3.10.14"),
            ("python.implementation", "cpython"),
            ("python.kind", "conda"),
        ],
    );
    check(
        "conda_explicit.txt",
        "conda_list",
        &[
            ("python.conda._libgcc_mutex.md5", "d7c89558ba9fa0495403155b64376d81"),
            ("python.conda.font-ttf-ubuntu.channel", "mine"),
            ("python.conda.font-ttf-ubuntu.subdir", "noarch"),
            ("python.conda.font-ttf-ubuntu.build", "h77eed37_3"),
            ("python.conda.python.channel", "pkgs/main"),
            (
                "python.conda.python.sha256",
                "26ad7c2a9b4f2a8f9c3c1a3a0e4cfe43ad7c2a9b4f2a8f9c3c1a3a0e4cfe43aa",
            ),
            ("python.version", "3.10.14"),
            ("python.packages.einops.version", "unknown: …"),
            ("os.family", "linux"),
            ("os.kernel", "unknown: …"),
        ],
    );
    check(
        "conda_export.txt",
        "conda_list",
        &[
            ("python.conda.numpy.build", "py310h_0"),
            ("python.packages.einops.version", "0.7.0"),
            ("os.arch", "arm64"),
        ],
    );
    check(
        "conda_list.json",
        "conda_list",
        &[
            ("python.conda.numpy.subdir", "linux-64"),
            ("python.packages.einops.version", "0.7.0"),
            ("python.conda.einops.version", "absent"),
        ],
    );
    check(
        "environment.yml",
        "conda_env",
        &[
            ("python.conda.numpy.version", "1.10"),
            ("python.conda.numpy.build", "py310_0"),
            ("python.conda.\"ld_impl_linux-64\".channel", "conda-forge"),
            ("python.conda.scipy.version", "absent"),
            ("python.packages.einops.version", "0.7.0"),
            ("python.packages.model.origin", &format!("git+https://github.com/lovelace/model@{COMMIT}")),
            ("python.version", "3.10.14"),
            ("env.OMP_NUM_THREADS", "4"),
            ("env.HF_TOKEN", "secret:redacted"),
        ],
    );
    check(
        "environment_by_hand.yml",
        "conda_env",
        &[
            ("python.conda.numpy.version", "1.26.4"),
            ("python.conda.pytorch.version", "unknown: a range is no version: `>=2.0`"),
            ("python.conda.python.version", "unknown: a range is no version: `3.10`"),
            ("python.version", "unknown: a range is no version: `3.10`"),
            ("python.conda.scipy.version", "unknown: the file names a choice…"),
            ("python.packages.einops.version", "unknown: a range is no version: `einops>=0.7`"),
        ],
    );
}

#[test]
fn lock_files() {
    let numpy =
        "unknown: the lock leaves it open: `2.2.6` for Python 3.10, `2.3.5` for Python 3.11 and newer";
    let aside = "unknown: the lock has it only for an extra or a group…";
    check(
        "uv.lock",
        "uv_lock",
        &[
            ("python.packages.demo.editable", "true"),
            ("python.packages.demo.origin", "{project}"),
            ("python.packages.tqdm.version", "4.67.1"),
            ("python.packages.pysocks.version", "1.7.1"),
            ("python.packages.iniconfig.version", "2.1.0"),
            (
                "python.packages.model.origin",
                &format!("git+https://github.com/lovelace/model@{COMMIT}#subdirectory=py"),
            ),
            ("python.packages.numpy.version", numpy),
            ("python.packages.colorama.version", "absent"),
            ("python.packages.other.version", "absent"),
            ("python.packages.scipy.version", "absent"),
            ("python.packages.cycler.version", aside),
            ("python.packages.markupsafe.version", aside),
            ("python.version", "unknown: the lock allows `>=3.10`"),
        ],
    );
    check(
        "pylock.toml",
        "pylock",
        &[
            ("python.packages.attrs.version", "25.1.0"),
            ("python.packages.colorama.version", "unknown: an installer leaves…"),
            ("python.packages.cycler.version", aside),
            ("python.packages.markupsafe.version", aside),
            ("python.packages.idna.version", "unknown: the lock leaves it open: perhaps `3.10`"),
            ("python.packages.model.origin", &format!("git+https://github.com/lovelace/model@{COMMIT}")),
            ("python.packages.model.version", "unknown: the lock gives its source and no version"),
            ("python.packages.local.editable", "true"),
            ("python.packages.direct.origin", "https://h.example/direct-2.0-py3-none-any.whl#sha256=00"),
        ],
    );
    check(
        "poetry-1.lock",
        "poetry_lock",
        &[
            ("python.packages.click.version", "8.1.7"),
            ("python.packages.model.origin", &format!("git+https://github.com/lovelace/model.git@{COMMIT}")),
            ("python.packages.model.editable", "true"),
            ("python.packages.colorama.version", "unknown: the lock leaves it open: perhaps `0.4.6`"),
            ("python.packages.cycler.version", "unknown: the lock has it only for an extra"),
        ],
    );
    check(
        "poetry-2.lock",
        "poetry_lock",
        &[
            ("python.packages.tqdm.version", "4.67.1"),
            ("python.packages.pytest.version", "8.3.4"),
            ("python.packages.numpy.version", numpy),
            ("python.packages.colorama.version", "unknown: `poetry install` leaves…"),
            ("python.packages.markupsafe.version", "unknown: the lock has it only for the group `docs`…"),
        ],
    );
    check(
        "Pipfile.lock",
        "pipfile_lock",
        &[
            ("python.packages.numpy.version", "1.26.4"),
            ("python.packages.model.origin", &format!("git+https://github.com/lovelace/model.git@{COMMIT}")),
            ("python.packages.model.version", "unknown: the lock gives no version"),
            ("python.packages.pytest.version", "unknown: the lock has it only for development"),
            ("python.packages.colorama.version", "unknown: `pipenv sync` leaves…"),
            ("python.version", "unknown: the lock asks for `==3.9.*`"),
        ],
    );
    check(
        "pixi-4.lock",
        "pixi_lock",
        &[
            ("python.conda.python.md5", "0179b8007ba008cf5bec11f3b3853902"),
            ("python.conda.python.channel", "conda-forge"),
            ("python.conda.ucrt.version", "absent"),
            ("python.version", "3.12.2"),
            ("python.packages.model.version", "0.10"),
            ("python.packages.model.origin", &format!("git+https://github.com/lovelace/model.git@{COMMIT}")),
            ("python.packages.minimal-project.editable", "true"),
            ("python.packages.minimal-project.origin", "{project}/minimal"),
        ],
    );
    check(
        "pixi-6.lock",
        "pixi_lock",
        &[
            ("python.conda.python.version", "3.13.0"),
            ("python.conda.python.build", "h9ebbce0_101_cp313"),
            ("python.conda.tzdata.subdir", "noarch"),
            ("python.conda.tzdata.md5", "unknown: pixi.lock does not say"),
            ("python.packages.numpy.version", "2.2.1"),
            ("python.packages.scipy.version", "unknown: …"),
            ("python.conda.scipy.version", "absent"),
        ],
    );
}

#[test]
fn trackers() {
    for name in ["wandb", "wandb/files", "wandb/files/wandb-metadata.json"] {
        check(
            name,
            "wandb",
            &[
                ("python.version", "3.10.16"),
                ("python.implementation", "cpython"),
                ("os.kernel", "6.8.0-48-generic"),
                ("os.libc_version", "2.35"),
                ("cpu.physical_cores", "12"),
                ("cpu.logical_cpus", "24"),
                ("gpu.count", "1"),
                ("gpu.0.name", "NVIDIA RTX A6000"),
                ("gpu.0.compute_capability", "8.6"),
                ("gpu.0.memory_total", "51527024640"),
                ("gpu.0.uuid", "private:…"),
                ("gpu.driver.cuda_max", "12.4"),
                ("gpu.driver.version", "unknown: wandb does not say"),
                ("git.commit", COMMIT),
                ("git.remotes.origin", "https://github.com/lovelace/model.git"),
                ("git.dirty", "unknown: wandb does not say"),
                (
                    "run.command",
                    "python {project}/train.py --lr=0.1 --api-key secret:redacted --data {project}/data",
                ),
                ("meta.host", "private:…"),
                ("meta.user", "private:…"),
                ("meta.imported_version", "0.16.1"),
                ("config.lr", "0.001"),
                ("config.optimizer.name", "adam"),
                ("config.api_key", "secret:redacted"),
                ("config.data", "{project}/data"),
                ("config.wandb_version", "unknown: …"),
                ("python.packages.torch.version", "2.1.0+cu118"),
                ("python.packages.scipy.version", "absent"),
                ("memory.total", "134687490048"),
            ],
        );
    }
    check(
        "wandb-2020.json",
        "wandb",
        &[
            ("cpu.logical_cpus", "24"),
            ("cpu.physical_cores", "unknown: wandb does not say"),
            ("gpu.0.name", "TITAN RTX"),
            ("gpu.count", "4"),
            // platform.platform() of Python 3.8 gives the oldest glibc that the interpreter runs on.
            ("os.libc_version", "unknown: wandb does not say"),
            ("python.packages.numpy.version", "unknown: wandb does not say"),
        ],
    );
    check(
        "mlflow",
        "mlflow",
        &[
            ("git.commit", COMMIT),
            ("git.remotes.origin", "https://github.com/lovelace/model.git"),
            ("config.lr", "0.001"),
            ("config.amp", "true"),
            ("config.model.layers", "12"),
            ("config.api_key", "secret:redacted"),
            ("run.command", "train.py"),
            ("meta.user", "private:…"),
            ("python.version", "3.10.12"),
            ("python.packages.numpy.version", "1.26.4"),
            ("python.packages.scikit-learn.version", "1.3.2"),
            ("python.packages.pip.version", "23.1.2"),
            ("python.packages.setuptools.version", "unknown: a range is no version: `<=67.7.2`"),
            ("python.packages.scipy.version", "unknown: MLflow keeps…"),
        ],
    );
    check(
        "heretic.json",
        "heretic",
        &[
            ("python.version", "3.12.3"),
            ("python.kind", "venv"),
            ("os.libc_version", "2.39"),
            ("cpu.model", "AMD EPYC 7763 64-Core Processor"),
            ("cpu.family", "25"),
            ("cpu.dispatch.aten", "avx2"),
            ("torch.version", "2.8.0+cu128"),
            ("torch.cuda", "12.8"),
            ("gpu.driver.version", "570.86.10"),
            ("gpu.0.name", "NVIDIA H100 80GB HBM3"),
            ("gpu.count", "unknown: …"),
            ("python.packages.torch.version", "2.8.0"),
            ("python.packages.heretic-llm.origin", &format!("git+https://github.com/p/heretic@{COMMIT}")),
            ("python.packages.scipy.version", "unknown: …"),
            ("config.seed", "42"),
            ("config.layers.first", "0.5"),
            ("config.api_key", "secret:redacted"),
        ],
    );
    check(
        "mlenv.json",
        "mlenv",
        &[
            ("python.version", "3.11.7"),
            ("os.libc_version", "2.36"),
            ("python.packages.torch.version", "2.1.0"),
            ("python.packages.scipy.version", "absent"),
            ("torch.cuda", "11.8"),
            ("gpu.count", "2"),
            ("gpu.1.name", "NVIDIA A100-SXM4-80GB"),
            ("gpu.1.compute_capability", "8.0"),
            ("gpu.driver.version", "535.104.05"),
            ("env.CUDA_VISIBLE_DEVICES", "0,1"),
            ("env.HF_TOKEN", "secret:redacted"),
        ],
    );
    check(
        "mlcube.yaml",
        "mlcube",
        &[
            ("container.mlcube.platform.accelerator_count", "2"),
            ("container.mlcube.platform.tags", "a b"),
            ("container.mlcube.docker.image", "example/mnist:1.10"),
            ("container.mlcube.docker.env.API_TOKEN", "secret:redacted"),
            ("container.runtime", "unknown: mlcube.yaml does not say"),
        ],
    );
}

/// A list that is named as a choice is taken for one; the user may know better.
#[test]
fn the_same_lines_can_be_a_list_or_a_choice() {
    let dir = folder();
    let path = dir.path().join("requirements.txt");
    std::fs::write(&path, "numpy==1.26.4\n").unwrap();
    let scipy = "python.packages.scipy.version";
    assert!(look(&import(&path, None).0, scipy).starts_with("unknown"));
    assert_eq!(look(&import(&path, Some("pip_freeze")).0, scipy), "absent");
}

#[test]
fn errors_name_file_line_and_remedy() {
    let dir = folder();
    for (name, text, from, words) in [
        ("uv.lock", "version = 1\nrequires-python = \">=3\"\n[[package]\n", None, ", line 3: not TOML"),
        ("uv.lock", "version = 9\nrequires-python = \">=3\"\n[[package]]\nname = 'a'\n", None, "version 9"),
        ("pixi.lock", "version: 6\nenvironments:\n  a: [\n", None, "line "),
        ("pixi.lock", "version: 99\nenvironments: {}\n", None, "version 99"),
        ("x.json", "{\"os\": 1,\n \"python\": }", Some("wandb"), ", line 2: not JSON"),
        ("r.txt", "numpy==1\n!!\n", Some("requirements"), ", line 2: `!!` is no requirement"),
        ("e.txt", "@EXPLICIT\nnumpy\n", None, ", line 2: not the address"),
        ("f.txt", "hello\n", Some("pip_freeze"), "name==version"),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let mut command = driftlock();
        command.arg("import").arg(&path);
        if let Some(from) = from {
            command.args(["--from", from]);
        }
        let out = command.output().unwrap();
        let shown = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{text}");
        assert!(shown.contains(words) && shown.contains(name) && shown.contains("hint"), "{shown}");
    }
}

/// Every file of the shared corpus that is of our kinds.
#[test]
fn the_corpus_imports() {
    let corpus = root().join("../shared/corpus/other");
    let kinds = [
        ("pip_freeze", "pip_freeze"),
        ("conda_explicit", "conda_list"),
        ("conda_env_yaml", "conda_env"),
        ("wandb_metadata", "wandb"),
    ];
    for (folder, kind) in kinds {
        let Ok(files) = std::fs::read_dir(corpus.join(folder)) else {
            eprintln!("skipped: no corpus at {}", corpus.join(folder).display());
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            let (snapshot, _) = import(&path, None);
            assert_eq!(look(&snapshot, "meta.imported_from"), kind, "{}", path.display());
            let facts = snapshot.facts.len();
            let text = std::fs::read_to_string(&path).unwrap();
            // Each line that names a package is at least one fact; a name may come twice.
            let names =
                text.lines().filter(|l| l.contains("==") || l.ends_with(".conda") || l.ends_with(".bz2"));
            let names: std::collections::BTreeSet<&str> =
                names.map(|l| l.split("==").next().unwrap_or(l)).collect();
            let (lines, enough) = (names.len(), if kind == "wandb" { 8 } else { names.len() });
            assert!(facts >= enough, "{}: {facts} facts of {lines} lines", path.display());
        }
    }
}

/// pip's lists of the test environment agree with what a capture of it finds.
#[test]
fn lists_of_a_real_environment_agree_with_a_capture() {
    let Some(venv) = std::env::var_os("DRIFTLOCK_TEST_VENV").map(PathBuf::from) else {
        return eprintln!("skipped: DRIFTLOCK_TEST_VENV names no environment");
    };
    let dir = folder();
    let lock = dir.path().join("a.lock");
    let python = venv.join("bin/python");
    let done = driftlock()
        .args(["capture", "--section", "python", "--python"])
        .arg(&python)
        .arg("-o")
        .arg(&lock)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let captured = read::from_str(&std::fs::read_to_string(&lock).unwrap()).unwrap().snapshot;
    let versions = |facts: &Facts| -> BTreeMap<String, String> {
        let packages = facts.iter().filter(|(path, _)| {
            let path = path.segments();
            path.len() == 4 && path[1] == "packages" && path[3] == "version"
        });
        packages.map(|(path, value)| (path.segments()[2].clone(), value.plain())).collect()
    };
    let expected = versions(&captured.facts);
    assert!(expected.len() > 5, "{expected:?}");
    let lists: [(&str, &[&str], &str); 4] = [
        ("freeze.txt", &["freeze", "--all"], "pip_freeze"),
        ("list.txt", &["list"], "pip_list"),
        ("list.json", &["list", "--format=json"], "pip_list"),
        ("inspect.json", &["inspect", "--local"], "pip_inspect"),
    ];
    for (name, args, kind) in lists {
        let out = Command::new(&python)
            .args(["-m", "pip", "--disable-pip-version-check"])
            .args(args)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let path = dir.path().join(name);
        std::fs::write(&path, out.stdout).unwrap();
        let (imported, _) = import(&path, None);
        assert_eq!(look(&imported, "meta.imported_from"), kind);
        assert_eq!(versions(&imported.facts), expected, "{name}");
        if kind == "pip_inspect" {
            assert_eq!(look(&imported, "python.version"), look(&captured, "python.version"));
        }
    }
}

/// The texts of all fixtures, with their paths.
fn texts() -> Vec<(PathBuf, String)> {
    let files = walkdir::WalkDir::new(fixture("")).sort_by_file_name().into_iter().flatten();
    let files = files.filter(|file| file.file_type().is_file()).map(walkdir::DirEntry::into_path);
    files.filter_map(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damaged files are imported or refused, never a panic; each is tried as every format, too.
    #[test]
    fn damaged_files_never_panic(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, "[\\PC\\n]{0,12}"), 1..6),
        all in prop::bool::weighted(0.2),
    ) {
        let texts = texts();
        let (path, text) = &texts[which.index(texts.len())];
        let mut chars: Vec<char> = text.chars().collect();
        for (at, length, insert) in cuts {
            let at = at.index(chars.len() + 1);
            let end = (at + length).min(chars.len());
            chars.splice(at..end, insert.chars());
        }
        let text: String = chars.into_iter().collect();
        let _read_or_refused = driftlock::import::read_any(path, &text, None);
        if all {
            for format in driftlock::import::ALL {
                let _read_or_refused = driftlock::import::read_any(path, &text, Some(format.name()));
            }
        }
    }
}

/// Deep nesting and long input end in bounded time and stack, as every format.
#[test]
fn hostile_texts_are_survived() {
    let many = "[[package]]\nname = \"a\"\nversion = \"1\"\ndependencies = [{ name = \"a\" }]\n".repeat(300);
    let hostile = [
        "[".repeat(200_000),
        "{\"a\":".repeat(100_000),
        "(".repeat(100_000),
        "- ".repeat(50_000),
        format!("version: 6\nenvironments: {}", "[".repeat(50_000)),
        format!("version = 1\nrequires-python = \">=3.8\"\n{many}"),
        format!("x==1 ; {}", "(".repeat(100_000)),
        format!(
            "[metadata]\npython-versions = \"*\"\ncontent-hash = \"\"\n{}",
            many.replace("[{ name = \"a\" }]", "{ a = \"*\" }")
        ),
        "\0\u{feff}\u{202e}".repeat(1000),
        "a==1\n".repeat(200_000),
    ];
    for text in &hostile {
        for format in driftlock::import::ALL {
            let path = Path::new("-");
            let _read_or_refused = driftlock::import::read_any(path, text, Some(format.name()));
        }
        let _read_or_refused = driftlock::import::read_any(Path::new("x"), text, None);
    }
}
