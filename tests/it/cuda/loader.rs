//! Which copy the loader takes: driftlock's word against the real loader's.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::venv::{Preload, Venv};
use super::{list, named, text};
use crate::common::fact;

/// How torch's own libraries look for the wheels.
const RPATH: &str = "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../../nvidia/cublas/lib:$ORIGIN/../../nvidia/cuda_runtime/lib:\
     $ORIGIN/../../nvidia/cuda_nvrtc/lib:$ORIGIN";
const RUNPATH: &str = "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../../nvidia/cublas/lib:$ORIGIN/../../nvidia/cuda_runtime/lib:\
     $ORIGIN/../../nvidia/cuda_nvrtc/lib:$ORIGIN";

/// Other copies of libcublas and libcublasLt, laid out as a toolkit's; the folder for `LD_LIBRARY_PATH`.
fn other_copies(venv: &Venv) -> String {
    let lib = venv.dir.path().canonicalize().unwrap().join("toolkit/lib64");
    named(&lib.join("libcublasLt.so.12.1.3.1"), "libcublasLt.so.12", "0d0001", &[]);
    symlink("libcublasLt.so.12.1.3.1", lib.join("libcublasLt.so.12")).unwrap();
    let flags = ["-Wl,--enable-new-dtags,-rpath,$ORIGIN", "-L.", "-l:libcublasLt.so.12"];
    named(&lib.join("libcublas.so.12.1.3.1"), "libcublas.so.12", "0d0002", &flags);
    symlink("libcublas.so.12.1.3.1", lib.join("libcublas.so.12")).unwrap();
    lib.to_str().unwrap().to_owned()
}

#[test]
fn wheels_are_found_by_the_rpath_of_torch() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RPATH, Preload::OnFailure);
    let snapshot = venv.agree(&[]);
    let get = |path: &str| text(&snapshot, path).to_owned();
    assert_eq!(get("cuda.client"), "torch");
    assert_eq!(get("cuda.libraries.cublas.version"), "12.4.5.8");
    assert_eq!(get("cuda.libraries.cublas.version_found_by"), "wheel metadata");
    assert_eq!(get("cuda.libraries.cublas.origin"), "wheel");
    assert_eq!(get("cuda.libraries.cublas.build_id"), "c0de04");
    assert_eq!(get("cuda.libraries.cublas.path_found_by"), "RPATH of libtorch_global_deps.so");
    assert_eq!(get("cuda.libraries.cudart.path_found_by"), "RPATH of libtorch_global_deps.so");
    assert_eq!(get("torch.version"), "2.6.0+cu124");
    assert_eq!(get("torch.local_tag"), "cu124");
    assert_eq!(get("torch.git_commit"), "abc123");
    assert_eq!(get("torch.cuda"), "12.4");
    assert_eq!(get("torch.libraries.torch_cuda.build_id"), "70c404");
    assert_eq!(fact(&snapshot, "torch.hip"), None);
    assert_eq!(fact(&snapshot, "cuda.duplicates"), None);
}

#[test]
fn an_rpath_precedes_ld_library_path_for_torch_but_not_for_what_cublas_needs() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RPATH, Preload::OnFailure);
    let dir = other_copies(&venv);
    let snapshot = venv.agree(&[("LD_LIBRARY_PATH", &dir)]);
    let get = |path: &str| text(&snapshot, path).to_owned();
    assert_eq!(get("cuda.libraries.cublas.build_id"), "c0de04");
    // libcublas has a RUNPATH, so the RPATH of torch does not count for it: the mixture that torch's preload avoids.
    assert_eq!(get("cuda.libraries.cublasLt.build_id"), "0d0001");
    assert_eq!(get("cuda.libraries.cublasLt.path_found_by"), "LD_LIBRARY_PATH");
    assert_eq!(get("cuda.libraries.cublasLt.version"), "12.1.3.1");
    assert_eq!(get("cuda.libraries.cublasLt.version_found_by"), "file name");
    assert_eq!(list(&snapshot, "cuda.duplicates"), ["cublas", "cublasLt"]);
    let copies = list(&snapshot, "cuda.libraries.cublasLt.copies");
    assert_eq!(copies.len(), 2, "{copies:?}");
    assert_eq!(copies[0], get("cuda.libraries.cublasLt.path"));
}

#[test]
fn preloading_by_torch_decides_before_any_search() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RPATH, Preload::Always);
    let dir = other_copies(&venv);
    let snapshot = venv.agree(&[("LD_LIBRARY_PATH", &dir)]);
    assert_eq!(text(&snapshot, "cuda.libraries.cublasLt.build_id"), "c0de03");
    assert_eq!(text(&snapshot, "cuda.libraries.cublasLt.path_found_by"), "preloaded by torch");
    assert_eq!(list(&snapshot, "cuda.duplicates"), ["cublas", "cublasLt"]);
    let copies = list(&snapshot, "cuda.libraries.cublasLt.copies");
    assert_eq!(copies[0], text(&snapshot, "cuda.libraries.cublasLt.path"));
}

#[test]
fn two_copies_in_one_process_are_both_named() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RPATH, Preload::Late);
    let dir = other_copies(&venv);
    let env = [("LD_LIBRARY_PATH", dir.as_str())];
    let snapshot = venv.capture(&env, &["cuda"]);
    assert_eq!(text(&snapshot, "cuda.libraries.cublasLt.build_id"), "0d0001");
    let also = list(&snapshot, "cuda.libraries.cublasLt.also_loaded");
    assert_eq!(also.len(), 1, "{also:?}");
    assert!(also[0].ends_with("nvidia/cublas/lib/libcublasLt.so.12"), "{also:?}");
    let mapped = venv.mapped(&env);
    let names = |path: &&PathBuf| path.to_string_lossy().contains("libcublasLt.so");
    assert_eq!(mapped.iter().filter(names).count(), 2, "{mapped:?}");
}

#[test]
fn ld_library_path_precedes_a_runpath() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RUNPATH, Preload::OnFailure);
    let dir = other_copies(&venv);
    let snapshot = venv.agree(&[("LD_LIBRARY_PATH", &dir)]);
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.build_id"), "0d0002");
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.path_found_by"), "LD_LIBRARY_PATH");
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.origin"), "system");
    assert_eq!(text(&snapshot, "cuda.libraries.cudart.path_found_by"), "RUNPATH of libtorch_global_deps.so");
    // An empty item is the working directory, and a folder that does not exist is passed over.
    let snapshot = venv.agree(&[("LD_LIBRARY_PATH", &format!("/nowhere::{dir}"))]);
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.build_id"), "0d0002");
}

#[test]
fn ld_preload_precedes_everything() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RPATH, Preload::OnFailure);
    let dir = other_copies(&venv);
    let snapshot = venv.agree(&[("LD_PRELOAD", &format!("{dir}/libcublas.so.12"))]);
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.build_id"), "0d0002");
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.path_found_by"), "LD_PRELOAD");
    assert_eq!(text(&snapshot, "cuda.libraries.cublasLt.path_found_by"), "RUNPATH of libcublas.so.12");
}

#[test]
fn without_a_search_path_torch_loads_the_wheels_itself() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch("-Wl,--disable-new-dtags,-rpath,$ORIGIN", Preload::OnFailure);
    let snapshot = venv.agree(&[]);
    assert_eq!(text(&snapshot, "cuda.libraries.cudart.path_found_by"), "preloaded by torch");
    assert_eq!(fact(&snapshot, "torch.missing_libraries"), None);
    // What the failed attempt had loaded before it failed is gone again.
    let dir = other_copies(&venv);
    let snapshot = venv.agree(&[("LD_LIBRARY_PATH", &dir)]);
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.build_id"), "c0de04");
    // Without the wheel, the import fails, and the snapshot says why.
    fs::remove_dir_all(venv.site.join("nvidia/cuda_runtime")).unwrap();
    let snapshot = venv.capture(&[], &["cuda", "torch"]);
    assert_eq!(list(&snapshot, "cuda.missing"), ["libcudart.so.12"]);
    assert_eq!(list(&snapshot, "torch.missing_libraries"), ["libcudart.so.12 (for libtorch_cuda.so)"]);
}

#[test]
fn files_that_are_links_into_a_cache_are_the_environments() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RPATH, Preload::OnFailure);
    // `uv pip install --link-mode symlink`: `$ORIGIN` is the folder of the link, not of the file.
    let cache = venv.dir.path().join("cache");
    for (folder, name) in [("nvidia/cublas/lib", "libcublas.so.12"), ("torch/lib", "libtorch_cuda.so")] {
        let link = venv.site.join(folder).join(name);
        fs::create_dir_all(&cache).unwrap();
        fs::rename(&link, cache.join(name)).unwrap();
        symlink(cache.join(name), link).unwrap();
    }
    let snapshot = venv.agree(&[]);
    let path = text(&snapshot, "cuda.libraries.cublas.path");
    assert!(path.starts_with("{env}/lib/") && path.ends_with("/nvidia/cublas/lib/libcublas.so.12"), "{path}");
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.origin"), "wheel");
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.version"), "12.4.5.8");
}

#[test]
fn of_two_wheels_with_the_same_file_the_one_that_fits_is_named() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RPATH, Preload::OnFailure);
    let record =
        "nvidia/cublas/lib/libcublas.so.12,sha256=x,1\nnvidia/cublas/lib/libcublasLt.so.12,sha256=x,1\n";
    venv.write("nvidia_cublas_cu12-12.1.3.1.dist-info/RECORD", record);
    let snapshot = venv.agree(&[]);
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.version"), "12.4.5.8");
    // Where both fit, it is not guessed.
    let files = ["nvidia/cublas/lib/libcublas.so.12", "nvidia/cublas/lib/libcublasLt.so.12"];
    venv.dist_info("nvidia_cublas_cu12-12.1.3.1", &files);
    fs::remove_file(venv.site.join("nvidia_cublas_cu12-12.4.5.8.dist-info/RECORD")).unwrap();
    venv.dist_info("nvidia_cublas_cu12-12.4.5.8", &files);
    for stem in ["nvidia_cublas_cu12-12.1.3.1", "nvidia_cublas_cu12-12.4.5.8"] {
        let path = venv.site.join(format!("{stem}.dist-info/RECORD"));
        let large = fs::read_to_string(&path).unwrap();
        fs::write(&path, large.replace("sha256=x", "sha256=")).unwrap();
    }
    let snapshot = venv.agree(&[]);
    assert_eq!(fact(&snapshot, "cuda.libraries.cublas.version"), None);
    let unknown = snapshot["unknown"]["cuda.libraries.cublas.version"].as_str().unwrap();
    assert!(unknown.contains("12.1.3.1") && unknown.contains("12.4.5.8"), "{unknown}");
}

#[test]
fn a_truncated_library_is_unknown_and_the_rest_is_there() {
    let venv = Venv::new();
    venv.wheels();
    venv.torch(RPATH, Preload::OnFailure);
    let path = venv.site.join("nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
    fs::File::options().write(true).open(path).unwrap().set_len(3_000).unwrap();
    let snapshot = venv.capture(&[], &["cuda"]);
    assert_eq!(fact(&snapshot, "cuda.libraries.nvrtc.build_id"), None);
    assert!(snapshot["unknown"]["cuda.libraries.nvrtc.build_id"].as_str().unwrap().contains("ELF"));
    assert_eq!(text(&snapshot, "cuda.libraries.cublas.build_id"), "c0de04");
}
