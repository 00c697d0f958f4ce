//! Which interpreter is found.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::place::{Place, agrees, installed, parse, run, text};
use crate::common::{fact, sh};

/// The environment and the road that a capture in `dir` finds.
fn found(place: &Place, dir: &str, env: &[(&str, &str)]) -> (String, String) {
    let mut command = place.command(&[]);
    command.current_dir(place.path(dir)).envs(env.iter().copied());
    let snapshot = parse(command);
    let get = |name: &str| text(&snapshot, &format!("volatile.python.{name}")).unwrap_or("none").to_owned();
    let executable = PathBuf::from(get("executable").replace("{project}", place.path("").to_str().unwrap()));
    let env = executable.parent().and_then(Path::parent).and_then(Path::file_name).unwrap_or_default();
    (env.to_str().unwrap().to_owned(), get("found_by"))
}

#[test]
fn the_interpreter_is_found_by_the_documented_order() {
    let place = Place::new();
    for name in
        ["active", "other", ".venv", "pyenv/versions/3.99.1", "pyenv/versions/3.99.10", "pyenv/versions/work"]
    {
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
        assert_eq!(found(&place, dir, env), (name.to_owned(), road.to_owned()), "in {dir} with {env:?}");
    };

    // An activated environment; one that only its variable names; one that something on PATH comes before.
    let (active, activated) = (dir("active"), path(&[bin("active"), bin("other")]));
    is("", &[("VIRTUAL_ENV", &active), ("PATH", &activated)], "active", "VIRTUAL_ENV");
    is("", &[("VIRTUAL_ENV", &active), ("PATH", &bin("other"))], "active", "VIRTUAL_ENV");
    is("", &[("VIRTUAL_ENV", &active), ("PATH", &path(&[bin("other"), bin("active")]))], "other", "PATH");
    is("", &[("VIRTUAL_ENV", "/nowhere"), ("PATH", &bin("other"))], ".venv", ".venv");
    is("", &[("CONDA_PREFIX", &active), ("PATH", &activated)], "active", "CONDA_PREFIX");
    let base = [("CONDA_PREFIX", &*active), ("CONDA_DEFAULT_ENV", "base"), ("PATH", &*activated)];
    is("", &base, ".venv", ".venv");
    is("outside", &base, "active", "PATH");
    // The project's environment, up to the repository's root and not above it.
    is("a/b", &[("PATH", &bin("other"))], ".venv", ".venv");
    is("outside/c", &[("PATH", &bin("other"))], "other", "PATH");
    // pyenv's shims stand for what they start.
    let shims = path(&[dir("pyenv/shims"), bin("other")]);
    is("outside/c", &[("PATH", &shims)], "work", "pyenv");
    is("outside/c", &[("PATH", &shims), ("PYENV_VERSION", "3.99")], "3.99.10", "pyenv");
    is("outside/c", &[("PATH", &shims), ("PYENV_VERSION", "system")], "other", "PATH");
    fs::remove_file(place.path("outside/.python-version")).unwrap();
    is("outside/c", &[("PATH", &shims)], "3.99.1", "pyenv");
    // `--python` comes before all of them, as a folder, an executable, a name and a shim.
    for named in [dir("other"), bin("other") + "/python", "other".to_owned()] {
        let mut command = place.command(&["--python", &named]);
        command.env("VIRTUAL_ENV", &active);
        let snapshot = parse(command);
        assert_eq!(text(&snapshot, "volatile.python.executable"), Some("{project}/other/bin/python"));
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
        assert!(messages.contains(words) && messages.contains("hint: "), "{path}: {messages}");
    }
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
        sh(place.dir.path(), "uv", &["venv", "-q", "--offline", "--python", "env/bin/python", "uv"]);
        let snapshot = agrees(&place, &place.path("uv/bin/python"), &[]);
        assert_eq!(text(&snapshot, "python.kind"), Some("venv"));
        assert_eq!(fact(&snapshot, "python.system_site"), Some(&false.into()));
    }
}
