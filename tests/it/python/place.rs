//! Folders with real environments, and what their interpreters say of themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{TempDir, driftlock, fact, folder, sh};

/// What the interpreter says of itself: distributions (the first of each name on the path) and `sys.path` behind the
/// standard library.
pub(crate) const TRUTH: &str = r#"
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
pub(crate) const BACKEND: &str = r#"
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
pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: folder() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        // The interpreter reports resolved paths; the temporary folder may be behind a link.
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// `python3 -m venv` without pip.
    pub(crate) fn venv(&self, name: &str, args: &[&str]) -> PathBuf {
        let args = [&["-m", "venv", "--without-pip"], args, &[name]].concat();
        sh(self.dir.path(), "python3", &args);
        self.path(name)
    }

    /// The site folder of an environment made with `python3`.
    pub(crate) fn site(&self, env: &str) -> PathBuf {
        let lib = self.path(env).join("lib");
        let names =
            fs::read_dir(&lib).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        lib.join(names.into_iter().find(|name| name.starts_with("python3")).unwrap()).join("site-packages")
    }

    /// A project with the backend above.
    pub(crate) fn project(&self, folder: &str, name: &str, version: &str) -> PathBuf {
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
    pub(crate) fn wheel(&self, name: &str, version: &str) -> PathBuf {
        let project = self.project(&format!("src-{name}"), name, version);
        sh(&project, "python3", &["-c", "import backend; backend.build_wheel('..')"]);
        self.path(&format!("{name}-{version}-py3-none-any.whl"))
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = driftlock();
        command.args(["capture", "--section", "python", "-o", "-"]).args(args).current_dir(self.path(""));
        command
    }

    pub(crate) fn capture(&self, args: &[&str]) -> toml::Table {
        parse(self.command(args))
    }
}

pub(crate) fn run(mut command: Command) -> Output {
    command.output().expect("driftlock runs")
}

pub(crate) fn parse(command: Command) -> toml::Table {
    let out = run(command);
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    text.parse().unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// A program's path if it is installed; a test that needs it says so and ends otherwise.
pub(crate) fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
    if !found {
        println!("skipped: `{program}` is not installed");
    }
    found
}

pub(crate) fn text<'a>(snapshot: &'a toml::Table, path: &str) -> Option<&'a str> {
    fact(snapshot, path).and_then(toml::Value::as_str)
}

pub(crate) fn list(snapshot: &toml::Table, path: &str) -> Vec<String> {
    let items = fact(snapshot, path).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

pub(crate) fn unknown<'a>(snapshot: &'a toml::Table, path: &str) -> Option<&'a str> {
    snapshot.get("unknown")?.get(path)?.as_str()
}

/// Names and versions in a snapshot.
pub(crate) fn packages(snapshot: &toml::Table) -> BTreeMap<String, String> {
    let table =
        fact(snapshot, "python.packages").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    table
        .iter()
        .map(|(name, fields)| (name.clone(), fields["version"].as_str().unwrap().to_owned()))
        .collect()
}

/// Captures the environment of `executable` and asserts that version, distributions and path are what it says itself.
pub(crate) fn agrees(place: &Place, executable: &Path, env: &[(&str, &Path)]) -> toml::Table {
    let mut command = Command::new(executable);
    command.args(["-c", TRUTH]).current_dir("/").envs(env.iter().copied());
    for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONUSERBASE", "PYTHONSAFEPATH"] {
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
        ("{project}", place.path("").to_str().unwrap().trim_end_matches('/').to_owned()),
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
