//! ELF files, the dynamic loader's choices, and the sections of libraries with native code.
//!
//! The libraries are small ones, built here by the C compiler. Where the loader chooses, the real loader is asked
//! too: a real interpreter imports the stand-in for torch, and its `/proc/self/maps` must agree.

mod elf;
mod frameworks;
mod loader;
mod real;
mod toolkits;
mod venv;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{fact, sh};

/// Builds a shared library; `source` may be empty.
fn library(path: &Path, source: &str, flags: &[&str]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let code = path.with_extension("c");
    fs::write(&code, source).unwrap();
    let mut args =
        vec!["-shared", "-fPIC", "-o", path.to_str().unwrap(), code.to_str().unwrap(), "-Wl,--no-as-needed"];
    args.extend(flags);
    sh(path.parent().unwrap(), "cc", &args);
    fs::remove_file(code).unwrap();
}

/// A library with this soname and build id, and further flags.
fn named(path: &Path, soname: &str, id: &str, flags: &[&str]) {
    let (soname, id) = (format!("-Wl,-soname,{soname}"), format!("-Wl,--build-id=0x{id}"));
    let flags: Vec<&str> = [soname.as_str(), id.as_str()].into_iter().chain(flags.iter().copied()).collect();
    // A symbol keeps the linker from dropping the file's own code; nobody calls it.
    library(path, "int driftlock_test(void) { return 1; }", &flags);
}

/// The resolved paths of shared objects that `python -c 'import torch'` has mapped.
fn mapped(python: &Path, dir: &Path, env: &[(&str, &str)]) -> Vec<PathBuf> {
    let code =
        "import torch\nfor line in open('/proc/self/maps'):\n    print(line.split(None, 5)[-1].strip())";
    let mut command = Command::new(python);
    command.args(["-c", code]).current_dir(dir).env_remove("LD_LIBRARY_PATH").env_remove("LD_PRELOAD");
    let out = command.env_remove("PYTHONPATH").envs(env.iter().copied()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let mut paths: Vec<PathBuf> = String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter(|l| l.contains(".so"))
        .map(PathBuf::from)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The one mapped file whose name is `STEM.so…`.
fn only(mapped: &[PathBuf], stem: &str) -> PathBuf {
    let is = |path: &&PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{stem}.so"));
    let found: Vec<&PathBuf> = mapped.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "{stem}: {found:?}");
    found[0].clone()
}

fn text<'a>(snapshot: &'a toml::Table, path: &str) -> &'a str {
    fact(snapshot, path).unwrap_or_else(|| panic!("no {path} in\n{snapshot}")).as_str().unwrap()
}

fn list(snapshot: &toml::Table, path: &str) -> Vec<String> {
    let list = fact(snapshot, path).unwrap_or_else(|| panic!("no {path} in\n{snapshot}")).as_array().unwrap();
    list.iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

/// A shown path as it is on the machine; the project is the working directory.
fn real_path(env: &Path, project: &Path, shown: &str) -> PathBuf {
    let project = project.canonicalize().unwrap();
    let shown = shown.replace("{env}", env.to_str().unwrap()).replace("{project}", project.to_str().unwrap());
    PathBuf::from(shown.replace('~', &std::env::var("HOME").unwrap_or_default()))
}
