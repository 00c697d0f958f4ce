//! A real torch, where there is one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{list, mapped, real_path, text};
use crate::common::{driftlock, fact, folder, sh};

/// Holds driftlock's words against the interpreter's own, in a real environment with torch.
#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn a_real_torch_says_the_same_of_itself() {
    let Some(root) = std::env::var_os("DRIFTLOCK_TEST_VENV").map(PathBuf::from) else {
        eprintln!("skipped: DRIFTLOCK_TEST_VENV does not name a virtual environment with torch");
        return;
    };
    let root = root.canonicalize().unwrap();
    let dir = folder();
    let sections = ["cuda", "torch", "numpy"].iter().flat_map(|s| ["--section", s]);
    let mut command = driftlock();
    command.args(["capture", "-o", "-", "--python"]).arg(&root).args(sections).current_dir(dir.path());
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let snapshot: toml::Table = String::from_utf8_lossy(&out.stdout).parse().unwrap();

    let code = "import json, torch, numpy\n\
                blas = numpy.show_config('dicts')['Build Dependencies']['blas']\n\
                print(json.dumps({'version': torch.__version__, 'cuda': torch.version.cuda, 'git': torch.version.git_version,\n\
                'abi': torch._C._GLIBCXX_USE_CXX11_ABI, 'archs': (torch._C._cuda_getArchFlags() or '').split() if torch.version.cuda else [],\n\
                'debug': torch.version.debug, 'numpy': numpy.__version__, 'blas': blas['version']}))";
    let python = root.join("bin/python");
    let own = sh(dir.path(), python.to_str().unwrap(), &["-c", code]);
    let own: serde_json::Value = serde_json::from_str(own.trim()).unwrap();
    let facts = [
        ("version", "torch.version"),
        ("git", "torch.git_commit"),
        ("numpy", "numpy.version"),
        ("blas", "numpy.blas.version"),
    ];
    for (key, path) in facts {
        assert_eq!(own[key].as_str(), Some(text(&snapshot, path)), "{path}");
    }
    assert_eq!(own["cuda"].as_str(), fact(&snapshot, "torch.cuda").and_then(toml::Value::as_str));
    assert_eq!(own["abi"].as_bool(), fact(&snapshot, "torch.cxx11_abi").and_then(toml::Value::as_bool));
    assert_eq!(own["debug"].as_bool(), fact(&snapshot, "torch.debug").and_then(toml::Value::as_bool));
    let archs: Vec<&str> = own["archs"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    if !archs.is_empty() {
        assert_eq!(list(&snapshot, "torch.cuda_archs"), archs);
    }

    // Every library that is loaded with the import is mapped, from the very file, and none that is mapped is missed.
    let mapped = mapped(&python, dir.path(), &[]);
    let sites = sh(
        dir.path(),
        python.to_str().unwrap(),
        &["-c", "import sysconfig; print(sysconfig.get_path('platlib'))"],
    );
    let nvidia = Path::new(sites.trim()).join("nvidia");
    let mut ours: BTreeMap<PathBuf, String> = BTreeMap::new();
    let cuda = snapshot.get("cuda").and_then(|c| c.get("libraries")).and_then(toml::Value::as_table);
    for (key, library) in cuda.into_iter().flatten().filter(|(_, l)| l["loaded"].as_str() == Some("import")) {
        ours.insert(real_path(&root, dir.path(), library["path"].as_str().unwrap()), key.clone());
    }
    for (path, key) in &ours {
        assert!(mapped.contains(path), "{key}: {} is not mapped", path.display());
    }
    for path in mapped.iter().filter(|path| path.starts_with(&nvidia)) {
        assert!(ours.contains_key(path), "{} is mapped, and not in the snapshot", path.display());
    }
    for (key, library) in snapshot["torch"]["libraries"].as_table().unwrap() {
        let path = real_path(&root, dir.path(), library["path"].as_str().unwrap());
        assert!(mapped.contains(&path), "{key}: {} is not mapped", path.display());
    }
}
