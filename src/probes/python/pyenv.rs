//! pyenv: which interpreter its shims start.

use std::path::{Path, PathBuf};

use super::names;
use crate::host::Host;

/// The root that owns a folder of shims: the folder is called `shims` and stands beside `versions`.
pub(super) fn root_of_shims(host: &dyn Host, dir: &Path) -> Option<PathBuf> {
    let root = dir.parent()?;
    (dir.file_name()? == "shims" && host.exists(&root.join("versions"))).then(|| root.to_path_buf())
}

/// Whether an interpreter's prefix is one of pyenv's versions.
pub(super) fn holds(host: &dyn Host, prefix: &Path) -> bool {
    let root = host.env("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| host.system().home.map(|home| home.join(".pyenv")));
    let real = |path: &Path| host.canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    root.is_some_and(|root| real(prefix).starts_with(real(&root.join("versions"))))
}

/// The executable that the shim `program` starts: that of the first selected version that holds one. `None` where
/// the search goes on behind the shims (`system`, or no selected version holds it).
pub(super) fn resolve(host: &dyn Host, root: &Path, program: &str) -> Option<PathBuf> {
    let installed = host.names(root.join("versions"));
    selected(host, root).iter().find_map(|version| {
        let version = version_folder(&installed, version)?;
        let path = root.join("versions").join(version).join("bin").join(program);
        super::discover::is_program(host, &path).then_some(path)
    })
}

/// The versions that pyenv would use here: `PYENV_VERSION`, else the first `.python-version` from the working
/// directory upwards, else `$PYENV_ROOT/version` (pyenv, README, "Understanding Python version selection").
fn selected(host: &dyn Host, root: &Path) -> Vec<String> {
    if let Some(versions) = host.env("PYENV_VERSION").filter(|v| !v.is_empty()) {
        return versions.split(':').map(str::to_owned).collect();
    }
    let cwd = host.cwd();
    let local = cwd.ancestors().find_map(|dir| host.maybe(dir.join(".python-version")));
    local
        .or_else(|| host.maybe(root.join("version")))
        .map(|text| parse_version_file(&text))
        .unwrap_or_default()
}

/// The versions in a `.python-version` file: the first word of each line that is no comment.
///
/// ```text
/// # the one we train with
/// 3.11.7
/// 3.10.13
/// ```
fn parse_version_file(text: &str) -> Vec<String> {
    let words = text.lines().filter_map(|line| line.split_whitespace().next());
    // A path would lead out of `versions` (CVE-2022-35861).
    words
        .filter(|word| !word.starts_with('#') && *word != ".." && !word.contains('/'))
        .map(str::to_owned)
        .collect()
}

/// The folder of a version: its own name, the name without `python-`, or the latest that it is a prefix of
/// (`3.11` means `3.11.7`; `pyenv latest`).
fn version_folder<'a>(installed: &'a [String], version: &str) -> Option<&'a str> {
    let plain = version.strip_prefix("python-").unwrap_or(version);
    let exact = installed
        .iter()
        .find(|name| *name == version)
        .or_else(|| installed.iter().find(|name| *name == plain));
    let latest = || {
        let is_release = |name: &&String| {
            let rest = name.strip_prefix(plain).and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        };
        installed.iter().filter(is_release).max_by_key(|name| names::numbers(name))
    };
    exact.or_else(latest).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_files_hold_a_version_a_line() {
        assert_eq!(parse_version_file("# note\n\n 3.11.7 extra\r\n3.10\n../../x\n"), ["3.11.7", "3.10"]);
    }

    #[test]
    fn a_prefix_means_the_latest_release() {
        let installed = ["3.9.18", "3.11.10", "3.11.7", "3.11-dev", "work"].map(str::to_owned);
        for (version, folder) in [
            ("3.11", Some("3.11.10")),
            ("python-3.11.7", Some("3.11.7")),
            ("3.11.7", Some("3.11.7")),
            ("3.1", None),
            ("work", Some("work")),
            ("system", None),
        ] {
            assert_eq!(version_folder(&installed, version), folder, "{version}");
        }
    }
}
