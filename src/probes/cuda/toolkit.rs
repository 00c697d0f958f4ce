//! CUDA toolkits: whole installations of compiler and libraries.

use std::path::{Path, PathBuf};

use crate::host::Host;

/// A toolkit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toolkit {
    /// Its folder, links resolved.
    pub(super) root: PathBuf,
    /// Its version.
    pub(super) version: Option<String>,
    /// The road to the version.
    pub(super) version_found_by: Option<&'static str>,
    /// Whether its compiler is installed.
    pub(super) nvcc: bool,
    /// The compiler's own version, where the toolkit tells it.
    pub(super) nvcc_version: Option<String>,
    /// The roads by which the toolkit was found, first tried first.
    pub(super) found_by: Vec<&'static str>,
}

/// Every toolkit, by folder.
pub(super) fn all(host: &dyn Host, conda: Option<&Path>) -> Vec<Toolkit> {
    let mut roots: Vec<(&'static str, PathBuf)> = Vec::new();
    for name in ["CUDA_HOME", "CUDA_PATH"] {
        roots.extend(host.env(name).filter(|v| !v.is_empty()).map(|dir| (name, host.cwd().join(dir))));
    }
    roots.extend(nvcc_on_path(host).and_then(|nvcc| Some(("PATH", nvcc.parent()?.parent()?.to_path_buf()))));
    roots.extend(conda.map(|prefix| ("conda", prefix.to_path_buf())));
    let local =
        host.names("/usr/local").into_iter().filter(|name| *name == "cuda" || name.starts_with("cuda-"));
    roots.extend(local.map(|name| ("/usr/local", Path::new("/usr/local").join(name))));
    roots.push(("/opt/cuda", PathBuf::from("/opt/cuda")));

    let mut toolkits: Vec<Toolkit> = Vec::new();
    for (road, root) in roots {
        let Ok(root) = host.canonicalize(&root) else {
            continue;
        };
        match toolkits.iter_mut().find(|t| t.root == root) {
            Some(known) if known.found_by.contains(&road) => {}
            Some(known) => known.found_by.push(road),
            None => toolkits.extend(describe(host, root, road)),
        }
    }
    toolkits.sort_by(|a, b| a.root.cmp(&b.root));
    toolkits
}

/// The `nvcc` that a shell would start, links resolved.
pub(super) fn nvcc_on_path(host: &dyn Host) -> Option<PathBuf> {
    host.which("nvcc").map(|nvcc| host.canonicalize(&nvcc).unwrap_or(nvcc))
}

/// The toolkit that torch's extension builder uses, and why (`torch.utils.cpp_extension._find_cuda_home`).
pub(super) fn home(host: &dyn Host) -> Option<(PathBuf, &'static str)> {
    for name in ["CUDA_HOME", "CUDA_PATH"] {
        if let Some(dir) = host.env(name).filter(|v| !v.is_empty()) {
            return Some((PathBuf::from(dir), name));
        }
    }
    if let Some(root) = host.which("nvcc").and_then(|nvcc| Some(nvcc.parent()?.parent()?.to_path_buf())) {
        return Some((root, "PATH"));
    }
    let usual = PathBuf::from("/usr/local/cuda");
    host.exists(&usual).then_some((usual, "/usr/local/cuda"))
}

/// The toolkit in a folder; none where the folder has no part of one.
fn describe(host: &dyn Host, root: PathBuf, road: &'static str) -> Option<Toolkit> {
    let nvcc = host.exists(&root.join("bin/nvcc"));
    let json = host.maybe(root.join("version.json")).unwrap_or_default();
    let text = host.maybe(root.join("version.txt")).unwrap_or_default();
    let (version, version_found_by) = match (part_version(&json, "cuda"), version_txt(&text)) {
        (Some(version), _) => (Some(version), Some("version.json")),
        (None, Some(version)) => (Some(version), Some("version.txt")),
        (None, None) => (None, None),
    };
    // An empty folder, or one of another kind on CUDA_HOME, is no toolkit; nor is every conda environment.
    let is_one = nvcc || version.is_some() || host.exists(&root.join("lib64/libcudart.so"));
    let nvcc_version = part_version(&json, "cuda_nvcc").filter(|_| nvcc);
    is_one.then(|| Toolkit { root, version, version_found_by, nvcc, nvcc_version, found_by: vec![road] })
}

/// The version of one part of a toolkit since CUDA 11.1:
///
/// ```text
/// { "cuda" : { "name" : "CUDA SDK", "version" : "12.4.20240301" }, "cuda_nvcc" : { …, "version" : "12.4.99" } }
/// ```
fn part_version(json: &str, part: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(json).ok()?;
    json.get(part)?.get("version")?.as_str().map(str::to_owned)
}

/// `CUDA Version 10.2.89`, before CUDA 11.1.
fn version_txt(text: &str) -> Option<String> {
    let version = text.lines().find_map(|line| line.trim().strip_prefix("CUDA Version "))?;
    Some(version.trim().to_owned()).filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_files() {
        let json =
            r#"{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}, "cuda_nvcc": {"version": "12.4.131"}}"#;
        assert_eq!(part_version(json, "cuda").as_deref(), Some("12.4.1"));
        assert_eq!(part_version(json, "cuda_nvcc").as_deref(), Some("12.4.131"));
        assert_eq!(part_version("{", "cuda"), None);
        assert_eq!(
            version_txt("CUDA Version 10.2.89\nCUDA Patch Version 10.2.1\n").as_deref(),
            Some("10.2.89")
        );
    }
}
