//! The `python` section on real environments: what driftlock reads from files against what the interpreter says.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{TempDir, driftlock, fact, folder, sh};

/// What the interpreter says of itself: distributions (the first of each name on the path) and `sys.path` behind the
/// standard library.
const TRUTH: &str = r#"
import importlib.metadata, json, os, re, sys
names = {}
for dist in importlib.metadata.distributions():
    name = dist.metadata["Name"]
    if name:
        names.setdefault(re.sub(r"[-_.]+", "-", name).lower(), dist.version)
library = os.path.dirname(os.__file__)
library = (library, os.path.join(library, "lib-dynload"))
path = [p for p in sys.path if p and os.path.exists(p) and p not in library and not p.endswith(".zip")]
print(json.dumps({"names": names, "path": path, "prefix": sys.prefix, "base": sys.base_prefix,
                  "version": "%d.%d.%d" % sys.version_info[:3]}))
"#;

/// A PEP 517 and PEP 660 backend of one file, so that no build needs the network.
const BACKEND: &str = r#"
import base64, hashlib, os, zipfile

def wheel(folder, files):
    lines = []
    path = os.path.join(folder, "NAME-VERSION-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            lines.append('"%s",sha256=%s,%d' % (name, digest, len(text.encode())))
            archive.writestr(name, text)
        lines.append("NAME-VERSION.dist-info/RECORD,,")
        archive.writestr("NAME-VERSION.dist-info/RECORD", "\n".join(lines) + "\n")
    return os.path.basename(path)

META = {
    "NAME-VERSION.dist-info/METADATA": "Metadata-Version: 2.1\nName: NAME\nVersion: VERSION\n",
    "NAME-VERSION.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
CODE = {
    "NAME/__init__.py": "print('imported')\n",
    "NAME/with,comma.py": "",
    "NAME-VERSION.dist-info/entry_points.txt": "[console_scripts]\nNAME-tool = NAME:main\n",
}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return wheel(folder, {**CODE, **META})

def build_editable(folder, config_settings=None, metadata_directory=None):
    return wheel(folder, {"__editable__.NAME.pth": os.getcwd() + "\n", **META})

def get_requires_for_build_wheel(config_settings=None):
    return []

get_requires_for_build_editable = get_requires_for_build_wheel
"#;

/// A folder with environments and projects in it.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: folder() }
    }

    fn path(&self, name: &str) -> PathBuf {
        // The interpreter reports resolved paths; the temporary folder may be behind a link.
        self.dir.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// `python3 -m venv` without pip.
    fn venv(&self, name: &str, args: &[&str]) -> PathBuf {
        let args = [&["-m", "venv", "--without-pip"], args, &[name]].concat();
        sh(self.dir.path(), "python3", &args);
        self.path(name)
    }

    /// The site folder of an environment made with `python3`.
    fn site(&self, env: &str) -> PathBuf {
        let lib = self.path(env).join("lib");
        let names = fs::read_dir(&lib)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        lib.join(
            names
                .into_iter()
                .find(|name| name.starts_with("python3"))
                .unwrap(),
        )
        .join("site-packages")
    }

    /// A project with the backend above.
    fn project(&self, folder: &str, name: &str, version: &str) -> PathBuf {
        let backend = BACKEND.replace("NAME", name).replace("VERSION", version);
        self.write(&format!("{folder}/backend.py"), &backend);
        self.write(&format!("{folder}/{name}/__init__.py"), "");
        self.write(
            &format!("{folder}/pyproject.toml"),
            "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n",
        );
        self.path(folder)
    }

    /// The wheel of such a project.
    fn wheel(&self, name: &str, version: &str) -> PathBuf {
        let project = self.project(&format!("src-{name}"), name, version);
        sh(
            &project,
            "python3",
            &["-c", "import backend; backend.build_wheel('..')"],
        );
        self.path(&format!("{name}-{version}-py3-none-any.whl"))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = driftlock();
        command
            .args(["capture", "--section", "python", "-o", "-"])
            .args(args)
            .current_dir(self.path(""));
        command
    }

    fn capture(&self, args: &[&str]) -> toml::Table {
        parse(self.command(args))
    }
}

fn run(mut command: Command) -> Output {
    command.output().expect("driftlock runs")
}

fn parse(command: Command) -> toml::Table {
    let out = run(command);
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// A program's path if it is installed; a test that needs it says so and ends otherwise.
fn installed(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|out| out.status.success());
    if !found {
        println!("skipped: `{program}` is not installed");
    }
    found
}

fn text<'a>(snapshot: &'a toml::Table, path: &str) -> Option<&'a str> {
    fact(snapshot, path).and_then(toml::Value::as_str)
}

fn list(snapshot: &toml::Table, path: &str) -> Vec<String> {
    let items = fact(snapshot, path)
        .and_then(toml::Value::as_array)
        .cloned()
        .unwrap_or_default();
    items
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn unknown<'a>(snapshot: &'a toml::Table, path: &str) -> Option<&'a str> {
    snapshot.get("unknown")?.get(path)?.as_str()
}

/// Names and versions in a snapshot.
fn packages(snapshot: &toml::Table) -> BTreeMap<String, String> {
    let table = fact(snapshot, "python.packages")
        .and_then(toml::Value::as_table)
        .cloned()
        .unwrap_or_default();
    table
        .iter()
        .map(|(name, fields)| (name.clone(), fields["version"].as_str().unwrap().to_owned()))
        .collect()
}

/// Captures the environment of `executable` and asserts that version, distributions and path are what it says itself.
fn agrees(place: &Place, executable: &Path, env: &[(&str, &Path)]) -> toml::Table {
    let mut command = Command::new(executable);
    command
        .args(["-c", TRUTH])
        .current_dir("/")
        .envs(env.iter().copied());
    for name in [
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONNOUSERSITE",
        "PYTHONUSERBASE",
        "PYTHONSAFEPATH",
    ] {
        if !env.iter().any(|(set, _)| *set == name) {
            command.env_remove(name);
        }
    }
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let truth: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let mut command = place.command(&["--python", executable.to_str().unwrap()]);
    command.envs(env.iter().copied());
    let snapshot = parse(command);
    assert_eq!(text(&snapshot, "python.version"), truth["version"].as_str());
    let names: BTreeMap<String, String> = serde_json::from_value(truth["names"].clone()).unwrap();
    assert_eq!(packages(&snapshot), names);
    let roots = [
        ("{env}", truth["prefix"].as_str().unwrap().to_owned()),
        ("{base}", truth["base"].as_str().unwrap().to_owned()),
        (
            "{project}",
            place.path("").to_str().unwrap().trim_end_matches('/').to_owned(),
        ),
        ("~", std::env::var("HOME").unwrap_or_default()),
    ];
    let whole = |shown: &String| {
        let root = roots.iter().find(|(label, _)| shown.starts_with(label));
        root.map_or(shown.clone(), |(label, root)| shown.replacen(label, root, 1))
    };
    let path: Vec<String> = list(&snapshot, "python.sys_path").iter().map(whole).collect();
    let truth: Vec<String> = serde_json::from_value(truth["path"].clone()).unwrap();
    assert_eq!(path, truth);
    snapshot
}

#[test]
fn venv_with_a_wheel_an_editable_and_a_vcs_install() {
    let place = Place::new();
    sh(place.dir.path(), "python3", &["-m", "venv", "env"]);
    let wheel = place.wheel("demo", "1.2");
    let editable = place.project("libs/my lib", "edit", "0.1");
    let repo = place.project("repo", "vcs", "3.0");
    for args in [
        &["init", "-q"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@host.example",
            "commit",
            "-qm",
            "x",
        ],
    ] {
        sh(&repo, "git", args);
    }
    let commit = sh(&repo, "git", &["rev-parse", "HEAD"]).trim().to_owned();
    let url = format!("git+file://{}", repo.display());
    let pip = [
        "-m",
        "pip",
        "install",
        "--no-index",
        "--no-build-isolation",
        "--disable-pip-version-check",
        "-q",
    ];
    let what = [wheel.to_str().unwrap(), &url, "-e", editable.to_str().unwrap()];
    sh(
        place.dir.path(),
        place.path("env/bin/python").to_str().unwrap(),
        &[&pip[..], &what].concat(),
    );

    let snapshot = agrees(&place, &place.path("env/bin/python"), &[]);
    assert_eq!(text(&snapshot, "python.kind"), Some("venv"));
    assert_eq!(text(&snapshot, "python.packages.demo.installer"), Some("pip"));
    assert_eq!(text(&snapshot, "python.packages.demo.tag"), Some("py3-none-any"));
    let origin = text(&snapshot, "python.packages.demo.origin").unwrap();
    assert!(
        origin.starts_with("{project}/demo-1.2-py3-none-any.whl#sha256="),
        "{origin}"
    );
    assert_eq!(
        text(&snapshot, "python.packages.edit.origin"),
        Some("{project}/libs/my lib")
    );
    assert_eq!(
        fact(&snapshot, "python.packages.edit.editable"),
        Some(&true.into())
    );
    assert_eq!(fact(&snapshot, "python.packages.edit.record"), None);
    let expected = format!("git+{{project}}/repo@{commit}");
    assert_eq!(text(&snapshot, "python.packages.vcs.origin"), Some(&*expected));
    assert_eq!(fact(&snapshot, "python.packages.pip.origin"), None);

    // One line each, and the same bytes twice.
    let args = ["--python", "env"];
    let [first, second] = [(); 2].map(|()| String::from_utf8(run(place.command(&args)).stdout).unwrap());
    assert!(
        first
            .lines()
            .any(|line| line.starts_with("demo = { installer = \"pip\", origin = ")),
        "{first}"
    );
    let facts = |text: &str| text.split("[volatile").next().unwrap().to_owned();
    assert_eq!(facts(&first), facts(&second));

    if installed("uv") {
        sh(
            place.dir.path(),
            "uv",
            &["venv", "-q", "--offline", "--python", "env/bin/python", "uv"],
        );
        let args = [
            "pip",
            "install",
            "-q",
            "--offline",
            "--no-index",
            "--python",
            "uv",
            wheel.to_str().unwrap(),
        ];
        sh(place.dir.path(), "uv", &args);
        let by_uv = agrees(&place, &place.path("uv/bin/python"), &[]);
        assert_eq!(text(&by_uv, "python.packages.demo.installer"), Some("uv"));
        let record = text(&snapshot, "python.packages.demo.record").unwrap();
        assert!(record.starts_with("sha256:"));
        assert_eq!(text(&by_uv, "python.packages.demo.record"), Some(record));
    }
}

#[test]
fn path_order_with_system_user_and_pythonpath_packages() {
    let place = Place::new();
    place.venv("env", &["--system-site-packages"]);
    let site = place.site("env");
    let folder = site
        .parent()
        .unwrap()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let dist = |folder: &str, version: &str| {
        let text = format!("Metadata-Version: 2.1\nName: Twice.Here\nVersion: {version}\n");
        place.write(
            &format!("{folder}/twice_here-{version}.dist-info/METADATA"),
            &text,
        );
    };
    let site_name = format!("env/lib/{folder}/site-packages");
    let user_name = format!("userbase/lib/{folder}/site-packages");
    for (at, version) in [("first", "3"), (&*site_name, "1"), (&*user_name, "2")] {
        dist(at, version);
    }
    place.write(
        "added/late.egg-info/PKG-INFO",
        "Metadata-Version: 1.1\nName: late\nVersion: 0.5\n",
    );
    place.write(
        &format!("{user_name}/b.pth"),
        &format!("{}\nimport sys\n/nowhere\n", place.path("added").display()),
    );
    place.write(
        &format!("{user_name}/flat-1.0-py3.egg-info"),
        "Metadata-Version: 1.1\nName: flat\nVersion: 1.0\n",
    );
    place.write(&format!("{user_name}/ignored.txt"), "");

    let path = PathBuf::from(format!("{}:/nowhere", place.path("first").display()));
    let base = place.path("userbase");
    let env = [("PYTHONPATH", path.as_path()), ("PYTHONUSERBASE", base.as_path())];
    let snapshot = agrees(&place, &place.path("env/bin/python"), &env);
    assert_eq!(text(&snapshot, "python.packages.twice-here.version"), Some("3"));
    assert_eq!(
        text(&snapshot, "python.packages.twice-here.site"),
        Some("PYTHONPATH")
    );
    assert_eq!(text(&snapshot, "python.packages.flat.site"), Some("user"));
    assert_eq!(text(&snapshot, "python.packages.late.site"), Some("pth"));
    assert_eq!(
        text(&snapshot, "python.packages.late.origin"),
        Some("{project}/added")
    );
    assert_eq!(fact(&snapshot, "python.user_site"), Some(&true.into()));
    let shadowed = list(&snapshot, "python.shadowed");
    let ours: Vec<&String> = shadowed
        .iter()
        .filter(|line| line.starts_with("twice-here"))
        .collect();
    assert_eq!(ours.len(), 2, "{shadowed:?}");
    assert_eq!(
        *ours[0],
        format!("twice-here 1: {{env}}/lib/{folder}/site-packages/twice_here-1.dist-info")
    );
    let code = list(&snapshot, "python.pth_code");
    assert!(
        code.iter().any(|line| line.starts_with("b.pth sha256:")),
        "{code:?}"
    );

    // Switched off, the user's folder is gone from both.
    let env = [env[0], env[1], ("PYTHONNOUSERSITE", Path::new("1"))];
    let snapshot = agrees(&place, &place.path("env/bin/python"), &env);
    assert_eq!(fact(&snapshot, "python.user_site"), Some(&false.into()));
    assert_eq!(fact(&snapshot, "python.packages.late"), None);

    // Without the system's packages, the user's are off too.
    place.venv("alone", &[]);
    let snapshot = agrees(&place, &place.path("alone/bin/python"), &env[..2]);
    assert_eq!(fact(&snapshot, "python.system_site"), Some(&false.into()));
    assert_eq!(packages(&snapshot).keys().collect::<Vec<_>>(), ["twice-here"]);
}

#[test]
fn a_broken_distribution_is_unknown_and_the_others_are_not() {
    let place = Place::new();
    place.venv("env", &[]);
    let site = place.site("env");
    let site = site.strip_prefix(place.path("")).unwrap().to_str().unwrap();
    let whole = |name: &str| {
        place.write(
            &format!("{site}/{name}-1.0.dist-info/METADATA"),
            "Metadata-Version: 2.1\n",
        )
    };
    place.write(
        &format!("{site}/gone-1.0.dist-info/RECORD"),
        "gone/__init__.py,,\n",
    );
    place.write(&format!("{site}/empty-1.0.dist-info/METADATA"), "");
    place.write(
        &format!("{site}/nameless.egg-info/PKG-INFO"),
        "Metadata-Version: 1.0\n",
    );
    place.write(
        &format!("{site}/~orn-1.0.dist-info/METADATA"),
        "Metadata-Version: 2.1\n",
    );
    whole("sound");
    whole("badurl");
    place.write(
        &format!("{site}/badurl-1.0.dist-info/direct_url.json"),
        "{\"url\":",
    );
    let snapshot = place.capture(&["--python", "env"]);
    assert_eq!(
        unknown(&snapshot, "python.packages.gone"),
        Some("gone-1.0.dist-info: no METADATA")
    );
    assert_eq!(
        unknown(&snapshot, "python.packages.empty"),
        Some("empty-1.0.dist-info: METADATA is empty")
    );
    assert_eq!(
        unknown(&snapshot, "python.packages.nameless"),
        Some("nameless.egg-info: no version in PKG-INFO")
    );
    let reason = unknown(&snapshot, "python.packages.badurl.origin").unwrap();
    assert!(reason.starts_with("direct_url.json: "), "{reason}");
    let names: Vec<String> = packages(&snapshot).into_keys().collect();
    assert_eq!(names, ["badurl", "sound"]);
}

#[test]
fn of_two_versions_in_one_folder_the_one_whose_files_are_there_counts() {
    let place = Place::new();
    place.venv("env", &[]);
    let site = place.site("env");
    let site = site.strip_prefix(place.path("")).unwrap().to_str().unwrap();
    for (version, length) in [("1.0", 4), ("2.0", 400)] {
        let dist = format!("{site}/half-{version}.dist-info");
        place.write(
            &format!("{dist}/METADATA"),
            &format!("Name: half\nVersion: {version}\n"),
        );
        place.write(
            &format!("{dist}/RECORD"),
            &format!("half/__init__.py,sha256=x,{length}\n"),
        );
    }
    for (content, version, behind) in [("1234".to_owned(), "1.0", "2.0"), ("x".repeat(400), "2.0", "1.0")] {
        place.write(&format!("{site}/half/__init__.py"), &content);
        let snapshot = place.capture(&["--python", "env"]);
        assert_eq!(text(&snapshot, "python.packages.half.version"), Some(version));
        let shadowed = list(&snapshot, "python.shadowed");
        assert!(
            shadowed[0].starts_with(&format!("half {behind}: {{env}}/")),
            "{shadowed:?}"
        );
    }
}

#[test]
fn edited_and_missing_files_are_named() {
    let place = Place::new();
    place.venv("env", &[]);
    let wheel = place.wheel("demo", "1.0");
    let site = place.site("env");
    sh(
        &site,
        "python3",
        &["-m", "zipfile", "-e", wheel.to_str().unwrap(), "."],
    );
    let clean = place.capture(&["--python", "env", "--verify-packages"]);
    assert_eq!(
        fact(&clean, "python.edited")
            .and_then(toml::Value::as_array)
            .map(Vec::len),
        Some(0)
    );
    assert_eq!(fact(&clean, "volatile.python.verified_files"), Some(&5.into()));

    fs::write(site.join("demo/__init__.py"), "print('edited')\n").unwrap();
    fs::remove_file(site.join("demo/with,comma.py")).unwrap();
    fs::create_dir(site.join("plain-1.0.dist-info")).unwrap();
    fs::write(
        site.join("plain-1.0.dist-info/METADATA"),
        "Name: plain\nVersion: 1.0\n",
    )
    .unwrap();
    let snapshot = place.capture(&["--python", "env", "--verify-packages"]);
    let edited = list(&snapshot, "python.edited");
    assert_eq!(
        edited,
        [
            "demo: demo/__init__.py (modified)",
            "demo: demo/with,comma.py (missing)"
        ]
    );
    assert_eq!(list(&snapshot, "python.unverified"), ["plain"]);
    // Without the option nothing is hashed, and nothing is claimed.
    assert_eq!(fact(&place.capture(&["--python", "env"]), "python.edited"), None);
}

/// The environment and the road that a capture in `dir` finds.
fn found(place: &Place, dir: &str, env: &[(&str, &str)]) -> (String, String) {
    let mut command = place.command(&[]);
    command.current_dir(place.path(dir)).envs(env.iter().copied());
    let snapshot = parse(command);
    let get = |name: &str| {
        text(&snapshot, &format!("volatile.python.{name}"))
            .unwrap_or("none")
            .to_owned()
    };
    let executable = PathBuf::from(get("executable").replace("{project}", place.path("").to_str().unwrap()));
    let env = executable
        .parent()
        .and_then(Path::parent)
        .and_then(Path::file_name)
        .unwrap_or_default();
    (env.to_str().unwrap().to_owned(), get("found_by"))
}

#[test]
fn the_interpreter_is_found_by_the_documented_order() {
    let place = Place::new();
    for name in [
        "active",
        "other",
        ".venv",
        "pyenv/versions/3.99.1",
        "pyenv/versions/3.99.10",
        "pyenv/versions/work",
    ] {
        place.venv(name, &[]);
    }
    fs::create_dir_all(place.path("a/b")).unwrap();
    fs::create_dir_all(place.path(".git")).unwrap();
    fs::create_dir_all(place.path("outside/c")).unwrap();
    fs::create_dir_all(place.path("outside/.git")).unwrap();
    let shim = place.write("pyenv/shims/python", "#!/bin/sh\nexit 1\n");
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    place.write("pyenv/version", "3.99.1\n");
    place.write("outside/.python-version", "# note\nwork\n");
    let dir = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let bin = |name: &str| dir(&format!("{name}/bin"));
    let path = |folders: &[String]| folders.join(":");
    let is = |dir: &str, env: &[(&str, &str)], name: &str, road: &str| {
        assert_eq!(
            found(&place, dir, env),
            (name.to_owned(), road.to_owned()),
            "in {dir} with {env:?}"
        );
    };

    // An activated environment; one that only its variable names; one that something on PATH comes before.
    let (active, activated) = (dir("active"), path(&[bin("active"), bin("other")]));
    is(
        "",
        &[("VIRTUAL_ENV", &active), ("PATH", &activated)],
        "active",
        "VIRTUAL_ENV",
    );
    is(
        "",
        &[("VIRTUAL_ENV", &active), ("PATH", &bin("other"))],
        "active",
        "VIRTUAL_ENV",
    );
    is(
        "",
        &[
            ("VIRTUAL_ENV", &active),
            ("PATH", &path(&[bin("other"), bin("active")])),
        ],
        "other",
        "PATH",
    );
    is(
        "",
        &[("VIRTUAL_ENV", "/nowhere"), ("PATH", &bin("other"))],
        ".venv",
        ".venv",
    );
    is(
        "",
        &[("CONDA_PREFIX", &active), ("PATH", &activated)],
        "active",
        "CONDA_PREFIX",
    );
    let base = [
        ("CONDA_PREFIX", &*active),
        ("CONDA_DEFAULT_ENV", "base"),
        ("PATH", &*activated),
    ];
    is("", &base, ".venv", ".venv");
    is("outside", &base, "active", "PATH");
    // The project's environment, up to the repository's root and not above it.
    is("a/b", &[("PATH", &bin("other"))], ".venv", ".venv");
    is("outside/c", &[("PATH", &bin("other"))], "other", "PATH");
    // pyenv's shims stand for what they start.
    let shims = path(&[dir("pyenv/shims"), bin("other")]);
    is("outside/c", &[("PATH", &shims)], "work", "pyenv");
    is(
        "outside/c",
        &[("PATH", &shims), ("PYENV_VERSION", "3.99")],
        "3.99.10",
        "pyenv",
    );
    is(
        "outside/c",
        &[("PATH", &shims), ("PYENV_VERSION", "system")],
        "other",
        "PATH",
    );
    fs::remove_file(place.path("outside/.python-version")).unwrap();
    is("outside/c", &[("PATH", &shims)], "3.99.1", "pyenv");
    // `--python` comes before all of them, as a folder, an executable, a name and a shim.
    for named in [dir("other"), bin("other") + "/python", "other".to_owned()] {
        let mut command = place.command(&["--python", &named]);
        command.env("VIRTUAL_ENV", &active);
        let snapshot = parse(command);
        assert_eq!(
            text(&snapshot, "volatile.python.executable"),
            Some("{project}/other/bin/python")
        );
        assert_eq!(text(&snapshot, "volatile.python.found_by"), Some("--python"));
    }
    let snapshot = place.capture(&["--python", "pyenv/shims/python"]);
    let executable = text(&snapshot, "volatile.python.executable");
    assert_eq!(executable, Some("{project}/pyenv/versions/3.99.1/bin/python"));
}

#[test]
fn no_python_leaves_the_section_out_and_a_bad_path_is_an_error() {
    let place = Place::new();
    fs::create_dir(place.path("hollow")).unwrap();
    place.write("text", "");
    let snapshot = place.capture(&["--no-python"]);
    assert_eq!(snapshot.get("python"), None);
    assert_eq!(fact(&snapshot, "digest.python"), None);
    // A machine without Python is no error.
    let mut command = place.command(&[]);
    command.env("PATH", place.path("hollow"));
    let snapshot = parse(command);
    assert_eq!(snapshot.get("python"), None);
    assert_eq!(snapshot.get("unknown"), None);
    for (path, words) in [
        ("nowhere", "no such file or folder"),
        ("hollow", "no interpreter in this folder"),
        ("text", "not an executable file"),
        ("/bin/sh", "not a Python interpreter"),
    ] {
        let out = run(place.command(&["--python", path]));
        let messages = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{path}: {messages}");
        assert!(
            messages.contains(words) && messages.contains("hint: "),
            "{path}: {messages}"
        );
    }
}

#[test]
fn deep_asks_the_interpreter_and_keeps_each_librarys_failure_to_itself() {
    let place = Place::new();
    place.venv("env", &[]);
    let site = place.site("env");
    let site = site.strip_prefix(place.path("")).unwrap().to_str().unwrap();
    let fake = |dist: &str, module: &str, code: &str| {
        place.write(
            &format!("{site}/{dist}-1.0.dist-info/METADATA"),
            &format!("Name: {dist}\nVersion: 1.0\n"),
        );
        place.write(&format!("{site}/{module}.py"), code);
    };
    fake(
        "torch",
        "torch",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    );
    fake(
        "scipy",
        "scipy",
        "import os\nprint('noise')\nos.write(1, b'driftlock/deep/1 {}\\n')\nraise OSError('no libfoo\\nx')\n",
    );
    fake(
        "jax",
        "jax",
        "import os\nos.write(1, b'\\xff\\x00 rubbish')\nos._exit(3)\n",
    );
    let good = "print('noise')\n__version__ = '9.9'\ndef geterr():\n    return {'over': 'warn'}\n";
    fake("numpy", "numpy", good);
    place.write(
        &format!("{site}/noisy.pth"),
        "import sys; sys.stdout.write('noise from start-up\\n')\n",
    );
    // A file of the working directory must not stand in for the standard library.
    place.write("json.py", "raise SystemExit('the wrong json')\n");
    let user = place.write("extra/marker.py", "");

    let mut command = place.command(&["--python", "env", "--deep"]);
    command
        .env("PYTHONPATH", user.parent().unwrap())
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONINSPECT", "1");
    let snapshot = parse(command);
    assert_eq!(text(&snapshot, "python.deep.numpy.version"), Some("9.9"));
    assert_eq!(text(&snapshot, "python.deep.numpy.errstate.over"), Some("warn"));
    assert_eq!(
        unknown(&snapshot, "python.deep.torch"),
        Some("the interpreter died of signal 11")
    );
    assert_eq!(
        unknown(&snapshot, "python.deep.scipy"),
        Some("import: OSError: no libfoo")
    );
    let reason = unknown(&snapshot, "python.deep.jax").unwrap();
    assert!(
        reason.starts_with("the interpreter gave no answer (exit code 3)"),
        "{reason}"
    );
    assert_eq!(fact(&snapshot, "python.deep.tensorflow"), None);
    // The variables of the user's run are in effect.
    assert_eq!(
        fact(&snapshot, "python.flags.hash_randomization"),
        Some(&false.into())
    );
    assert_eq!(
        fact(&snapshot, "python.deep.interpreter.flags.hash_randomization"),
        Some(&0.into())
    );
    let path = list(&snapshot, "python.deep.interpreter.sys_path");
    assert_eq!(path.first().map(String::as_str), Some("{project}/extra"));
    // The interpreter's own words and those of its files agree.
    let version = text(&snapshot, "python.version").unwrap();
    assert!(
        text(&snapshot, "python.deep.interpreter.version")
            .unwrap()
            .starts_with(&format!("{version} "))
    );
    // Nothing was left behind.
    assert!(!place.path("__pycache__").exists() && !place.path("extra/__pycache__").exists());
}

#[test]
fn a_uv_environment_and_a_link_to_an_environments_python() {
    let place = Place::new();
    place.venv("env", &[]);
    // A link elsewhere to a venv's python is the base interpreter, as Python itself has it.
    symlink(place.path("env/bin/python"), place.path("linked")).unwrap();
    let snapshot = agrees(&place, &place.path("linked"), &[]);
    assert_ne!(text(&snapshot, "python.kind"), Some("venv"));
    if installed("uv") {
        sh(
            place.dir.path(),
            "uv",
            &["venv", "-q", "--offline", "--python", "env/bin/python", "uv"],
        );
        let snapshot = agrees(&place, &place.path("uv/bin/python"), &[]);
        assert_eq!(text(&snapshot, "python.kind"), Some("venv"));
        assert_eq!(fact(&snapshot, "python.system_site"), Some(&false.into()));
    }
}
