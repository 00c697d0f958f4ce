//! Toolkits and the libraries of a machine without a framework.

use std::fs;
use std::path::{Path, PathBuf};

use super::text;
use crate::common::{driftlock, fact, folder};

/// A recorded machine with two toolkits, no framework, and the forward-compatibility package in use.
fn recorded(dir: &Path) -> PathBuf {
    let mut cache = b"glibc-ld.so.cache1.1".to_vec();
    let (name, path) = ("libcublas.so.12", "/usr/local/cuda-12.4/lib64/libcublas.so.12");
    cache.extend(1_u32.to_le_bytes());
    cache.extend([0; 24]);
    let strings = 48 + 24;
    cache.extend(0x0303_u32.to_le_bytes());
    cache.extend(u32::try_from(strings).unwrap().to_le_bytes());
    cache.extend(u32::try_from(strings + name.len() + 1).unwrap().to_le_bytes());
    cache.extend([0; 12]);
    cache.extend(name.bytes().chain([0]).chain(path.bytes()).chain([0]));
    let hex: String = cache.iter().map(|b| format!("{b:02x}")).collect();
    let text = format!(
        r#"
about = "two toolkits"
cwd = "/home/u/p"
executables = ["/usr/local/cuda-12.4/bin/nvcc"]

[system]
sysname = "Linux"
machine = "x86_64"

[env]
CUDA_PATH = "/usr/local/cuda-11.8"
PATH = "/usr/bin:/usr/local/cuda/bin"
LD_LIBRARY_PATH = "/usr/local/cuda/compat"

[links]
"/usr/local/cuda" = "cuda-12.4"
"/usr/local/cuda-12.4/lib64/libcublas.so.12" = "libcublas.so.12.4.5.8"
"/usr/local/cuda-12.4/compat/libcuda.so.1" = "libcuda.so.550.54.15"

[files]
"/usr/local/cuda-12.4/version.json" = '{{"cuda": {{"version": "12.4.1"}}, "cuda_nvcc": {{"version": "12.4.131"}}}}'
"/usr/local/cuda-11.8/version.txt" = "CUDA Version 11.8.89"
"/usr/local/cuda-samples/README" = "no toolkit"

[bytes]
"/etc/ld.so.cache" = "{hex}"

[elf."/usr/local/cuda-12.4/lib64/libcublas.so.12.4.5.8"]
soname = "libcublas.so.12"
build_id = "ab"
machine = "x86_64"

[elf."/usr/local/cuda-12.4/compat/libcuda.so.550.54.15"]
soname = "libcuda.so.1"
build_id = "cd"
machine = "x86_64"
"#
    );
    let path = dir.join("host.toml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn toolkits_system_libraries_and_forward_compatibility() {
    let dir = folder();
    let host = recorded(dir.path());
    let args = ["capture", "-o", "-", "--no-python", "--section", "cuda", "--replay"];
    let out = driftlock().args(args).arg(host).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let snapshot: toml::Table = String::from_utf8_lossy(&out.stdout).parse().unwrap();
    let toolkits = snapshot["cuda"]["toolkits"].as_table().unwrap();
    assert_eq!(toolkits.keys().collect::<Vec<_>>(), ["/usr/local/cuda-11.8", "/usr/local/cuda-12.4"]);
    let new = toolkits["/usr/local/cuda-12.4"].as_table().unwrap();
    assert_eq!(new["version"].as_str(), Some("12.4.1"));
    assert_eq!(new["nvcc"].as_bool(), Some(true));
    assert_eq!(new["nvcc_version"].as_str(), Some("12.4.131"));
    let roads = &snapshot["volatile"]["cuda"]["toolkits"];
    assert_eq!(roads["/usr/local/cuda-12.4"]["found_by"].as_array().unwrap().len(), 2, "{roads:?}");
    let old = toolkits["/usr/local/cuda-11.8"].as_table().unwrap();
    assert_eq!(roads["/usr/local/cuda-11.8"]["version_found_by"].as_str(), Some("version.txt"));
    assert_eq!(old["nvcc"].as_bool(), Some(false));
    let get = |path: &str| text(&snapshot, path).to_owned();
    assert_eq!(get("cuda.home"), "/usr/local/cuda-11.8");
    assert_eq!(get("cuda.home_found_by"), "CUDA_PATH");
    assert_eq!(get("cuda.nvcc"), "/usr/local/cuda-12.4/bin/nvcc");
    assert_eq!(get("cuda.client"), "none");
    assert_eq!(get("cuda.libraries.cublas.version"), "12.4.5.8");
    assert_eq!(get("cuda.libraries.cublas.path_found_by"), "ld.so.cache");
    assert_eq!(get("cuda.libraries.cublas.origin"), "toolkit");
    assert_eq!(get("cuda.libraries.driver.version"), "550.54.15");
    assert_eq!(get("cuda.compat.version"), "550.54.15");
    assert_eq!(fact(&snapshot, "cuda.compat.active"), Some(&true.into()));
}
