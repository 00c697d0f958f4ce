//! The libraries that a run lists are those that the dynamic loader says it loaded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{list, run, snapshot, text, venv};
use crate::common::{fact, folder};

/// Base names of the files of every object that the loader initialised in any process (`LD_DEBUG=files`, ld.so(8)),
/// links resolved; without the programs themselves.
fn by_loader(dir: &Path, programs: &[PathBuf]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with("loader.") {
            continue;
        }
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let Some(file) = line.split("calling init: ").nth(1) else {
                continue;
            };
            let file = std::fs::canonicalize(file.trim()).unwrap();
            if !programs.contains(&file) {
                found.insert(file.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// Base names of the files that the run lists.
fn by_run(snapshot: &toml::Table) -> BTreeSet<String> {
    let libraries = fact(snapshot, "run.libraries").and_then(toml::Value::as_table).into_iter().flatten();
    let mut paths: Vec<String> = Vec::new();
    for (_, library) in libraries {
        let copies = library.as_table().unwrap().values().filter_map(toml::Value::as_table);
        for copy in copies.chain(library.as_table()) {
            paths.extend(copy.get("path").and_then(toml::Value::as_str).map(str::to_owned));
        }
    }
    paths.extend(list(snapshot, "run.extensions"));
    paths.extend(list(snapshot, "run.generated"));
    paths.iter().map(|path| path.rsplit('/').next().unwrap().to_owned()).collect()
}

fn agrees(python: &Path, source: &str) -> toml::Table {
    let dir = folder();
    std::fs::write(dir.path().join("program.py"), source).unwrap();
    let debug = format!("LD_DEBUG_OUTPUT={}", dir.path().join("loader").display());
    let words = ["env", "LD_DEBUG=files", &debug, python.to_str().unwrap(), "program.py"];
    let out = run(dir.path(), &[], &words);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let snapshot = snapshot(dir.path());
    let loader = by_loader(dir.path(), &[std::fs::canonicalize(python).unwrap()]);
    assert!(loader.contains("libc.so.6") && loader.len() > 3, "{loader:?}");
    let run = by_run(&snapshot);
    let degraded = list(&snapshot, "run.degraded");
    assert_eq!(loader.difference(&run).collect::<Vec<_>>(), Vec::<&String>::new(), "missing; {degraded:?}");
    assert_eq!(run.difference(&loader).collect::<Vec<_>>(), Vec::<&String>::new(), "not loaded");
    snapshot
}

#[test]
fn of_a_numpy_program() {
    let Some(venv) = venv() else { return };
    let snapshot =
        agrees(&venv.join("bin/python"), "import numpy as np\nprint(np.ones((9, 9)) @ np.ones((9, 9)))");
    let uses = list(&snapshot, "run.uses");
    assert!(["numpy", "openblas", "libm"].iter().all(|name| uses.iter().any(|u| u == name)), "{uses:?}");
    assert!(!uses.iter().any(|u| u == "torch" || u == "mkl"), "{uses:?}");
    let openblas =
        fact(&snapshot, "run.libraries.libscipy_openblas64_").expect("the OpenBLAS of NumPy's wheel");
    assert!(openblas["path"].as_str().unwrap().starts_with("{env}/"), "{openblas}");
    assert_eq!(openblas.get("version"), fact(&snapshot, "numpy.blas.version"));
}

#[test]
fn of_a_torch_program() {
    let Some(venv) = venv() else { return };
    let source = "import torch\nx = torch.ones(64, 64)\nprint((x @ x).sum(), torch.nn.functional.conv2d(x.view(1, 1, 64, 64), x.view(1, 1, 64, 64)))";
    let snapshot = agrees(&venv.join("bin/python"), source);
    let uses = list(&snapshot, "run.uses");
    assert!(
        ["torch", "libgomp", "mkl", "onednn"].iter().all(|name| uses.iter().any(|u| u == name)),
        "{uses:?}"
    );
    assert_eq!(list(&snapshot, "run.devices"), ["cpu"], "a build for CUDA is no use of CUDA");
    assert_eq!(fact(&snapshot, "run.script").and_then(toml::Value::as_str), Some("{project}/program.py"));
}

#[test]
fn of_a_program_that_loads_late() {
    let Some(venv) = venv() else { return };
    let library = "import ctypes, glob, os, sys, time\npath = glob.glob(sys.prefix + '/lib/python*/site-packages/numpy.libs/*openblas*')[0]\n";
    // In the last microseconds of a process; in the middle; in a process that another one started.
    let late = format!("{library}time.sleep(0.7)\nctypes.CDLL(path)\nos._exit(0)");
    let early = format!("{library}ctypes.CDLL(path)\ntime.sleep(0.3)");
    let child = format!(
        "{library}if os.fork() == 0:\n    time.sleep(0.4)\n    ctypes.CDLL(path)\n    os._exit(0)\nos.wait()"
    );
    for source in [late, early, child] {
        let snapshot = agrees(&venv.join("bin/python"), &source);
        assert!(list(&snapshot, "run.uses").contains(&"openblas".to_owned()), "{source}");
    }
}

/// JAX is not in the test environment; another one may be named.
#[test]
fn of_a_jax_program() {
    let Some(python) = std::env::var_os("DRIFTLOCK_TEST_JAX").map(PathBuf::from) else {
        eprintln!("skipped: set DRIFTLOCK_TEST_JAX to an interpreter with jax");
        return;
    };
    let snapshot =
        agrees(&python, "import jax, jax.numpy as np\nprint(jax.jit(lambda x: x @ x)(np.ones((8, 8))))");
    assert!(list(&snapshot, "run.uses").contains(&"jaxlib".to_owned()));
}
