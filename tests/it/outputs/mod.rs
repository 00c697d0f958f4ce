//! Outputs: digests and sketches against numpy and torch reading the same files, hostile files, comparisons.

mod compare;
mod hostile;
mod snapshot;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use driftlock::outputs::model::{Contents, Output, Outputs, Tensor};
use driftlock::outputs::{self, Options, hexfloat};

use crate::common::{folder, root, sh};

/// Python with numpy and torch; `None`, said, where there is none.
fn python() -> Option<PathBuf> {
    let Some(venv) = std::env::var_os("DRIFTLOCK_TEST_VENV").map(PathBuf::from) else {
        eprintln!("skipped: DRIFTLOCK_TEST_VENV does not name a virtual environment with torch and numpy");
        return None;
    };
    Some(venv.join("bin/python"))
}

/// The folder that `write.py` wrote, and what it says of it; one for all tests, because torch takes seconds to start.
fn written() -> Option<&'static (PathBuf, serde_json::Value)> {
    static WRITTEN: OnceLock<Option<(PathBuf, serde_json::Value)>> = OnceLock::new();
    let write = || {
        let python = python()?;
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outputs");
        let _new = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let script = root().join("tests/it/outputs/write.py");
        let args = [script.to_str().unwrap(), dir.to_str().unwrap()];
        let told = sh(&dir, python.to_str().unwrap(), &args);
        Some((dir, serde_json::from_str(&told).unwrap()))
    };
    WRITTEN.get_or_init(write).as_ref()
}

/// Runs Python with numpy and torch in `dir`.
fn run(dir: &Path, code: &str) -> Option<String> {
    Some(sh(dir, python()?.to_str().unwrap(), &["-c", code]))
}

fn read(dir: &Path) -> Outputs {
    outputs::read(&[dir.to_path_buf()], dir, &Options::default())
}

fn file<'a>(outputs: &'a Outputs, name: &str) -> &'a Output {
    outputs.files.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn tensor<'a>(output: &'a Output, name: &str) -> &'a Tensor {
    let found = output.contents.tensors().iter().find(|t| t.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {:?}", output.contents))
}

#[test]
fn tensors_are_what_numpy_and_torch_read() {
    let Some((dir, expected)) = written() else { return };
    let outputs = read(dir);
    assert!(outputs.faults.is_empty());
    for (name, inside) in expected.as_object().unwrap() {
        let output = file(&outputs, name);
        let Contents::Tensors(tensors) = &output.contents else { panic!("{name}: {:?}", output.contents) };
        if name != "module.pt" {
            let names: Vec<&str> = tensors.iter().map(|t| t.name.as_str()).collect();
            assert_eq!(names.len(), inside.as_object().unwrap().len(), "{name}: {names:?}");
        }
        for (key, told) in inside.as_object().unwrap() {
            check(&format!("{name}: {key}"), tensor(output, key), told);
        }
        let sum = sh(dir, "sha256sum", &["--", name]);
        assert_eq!(output.digest, Ok(format!("sha256:{}", sum.split(' ').next().unwrap())));
    }
}

fn check(what: &str, tensor: &Tensor, told: &serde_json::Value) {
    let content = tensor.content.as_ref().unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(told["dtype"], tensor.dtype, "{what}");
    assert_eq!(told["shape"], serde_json::json!(tensor.shape), "{what}");
    assert_eq!(told["digest"], content.digest, "{what}");
    let (Some(sketch), told) = (&content.sketch, &told["sketch"]) else {
        return assert!(told["sketch"].is_null(), "{what}");
    };
    assert!(!told.is_null(), "{what}: a sketch that is not expected");
    let norm = told["norm"].as_f64().unwrap_or(f64::INFINITY);
    // `math.fsum` squares first: where that overflows or vanishes, ours is the better one.
    if norm.is_normal() && !what.contains("tiny") {
        assert!((sketch.norm - norm).abs() <= 1e-13 * norm, "{what}: norm {} {norm}", sketch.norm);
    }
    let range = sketch.range.map(|(min, max)| serde_json::json!([min, max]));
    let told_range = [&told["min"], &told["max"]];
    assert_eq!(range.is_some(), !told_range[0].is_null(), "{what}");
    if let Some((min, max)) = sketch.range {
        assert_eq!([told["min"].as_f64(), told["max"].as_f64()], [Some(min), Some(max)], "{what}");
    }
    assert_eq!(
        [told["nans"].as_u64(), told["infs"].as_u64()],
        [Some(sketch.nans), Some(sketch.infs)],
        "{what}"
    );
    assert_eq!(told["multiset"], format!("{:016x}", sketch.multiset), "{what}");
    // Python pads the digits after the point to 13.
    let samples: Vec<String> = sketch.samples.iter().map(|x| python_hex(*x)).collect();
    assert_eq!(told["samples"], serde_json::json!(samples), "{what}");
}

/// A double as `float.hex` writes it.
fn python_hex(x: f64) -> String {
    let text = hexfloat::write(x);
    if x == 0.0 {
        return text.replace("0x0p", "0x0.0p");
    }
    let Some((mantissa, power)) = text.split_once('p') else { return text };
    let (lead, digits) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    format!("{lead}.{digits:0<13}p{power}")
}

#[test]
fn the_norm_of_extreme_numbers_neither_overflows_nor_vanishes() {
    let Some((dir, _)) = written() else { return };
    let outputs = read(dir);
    let norm = |name: &str| {
        let content = tensor(file(&outputs, name), "array").content.clone().unwrap();
        content.sketch.unwrap().norm
    };
    assert!((norm("extremes.npy") / (2_f64.sqrt() * 1e300) - 1.0).abs() < 1e-15);
    assert_eq!(norm("tiny.npy"), 1e-200);
}

#[test]
fn the_same_tensor_has_one_digest_in_every_form() {
    let dir = folder();
    let code = "
import numpy as np, torch, json, struct
x = np.arange(12, dtype='f4').reshape(3, 4)
np.save('a.npy', x); np.save('b.npy', np.asfortranarray(x)); np.save('c.npy', x.astype('>f4'))
np.savez('d.npz', w=x); np.savez_compressed('e.npz', w=x)
torch.save({'w': torch.from_numpy(x.T.copy()).t()}, 'f.pt')
h = json.dumps({'w': {'dtype': 'F32', 'shape': [3, 4], 'data_offsets': [0, 48]}}).encode()
open('g.safetensors', 'wb').write(struct.pack('<Q', len(h)) + h + x.tobytes())";
    if run(dir.path(), code).is_none() {
        return;
    }
    let outputs = read(dir.path());
    let digests: Vec<&str> = outputs
        .files
        .iter()
        .map(|f| f.contents.tensors()[0].content.as_ref().unwrap().digest.as_str())
        .collect();
    assert_eq!(digests.len(), 7);
    assert!(digests.iter().all(|d| *d == digests[0]), "{digests:?}");
}

#[test]
fn a_large_transposed_matrix_is_read_in_boxes() {
    let dir = folder();
    // 40 MB: several boxes of 16 MiB, and rows that are far apart.
    let code = "
import numpy as np, hashlib
x = np.asfortranarray(np.arange(5000 * 1000, dtype='f8').reshape(5000, 1000))
np.save('x.npy', x)
inner = hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()
print('sha256:' + hashlib.sha256(f'float64 [5000,1000] {inner}\\n'.encode()).hexdigest(), end='')";
    let Some(digest) = run(dir.path(), code) else { return };
    let outputs = read(dir.path());
    assert_eq!(tensor(&outputs.files[0], "array").content.as_ref().unwrap().digest, digest);
}

#[test]
fn names_are_relative_and_in_order_and_faults_are_told() {
    let dir = folder();
    fs::create_dir(dir.path().join("ckpt")).unwrap();
    fs::write(dir.path().join("ckpt/b.txt"), "x").unwrap();
    fs::write(dir.path().join("a.txt"), "y").unwrap();
    let paths = ["ckpt", "missing", "a.txt"].map(|name| dir.path().join(name));
    let outputs = outputs::read(&paths, dir.path(), &Options::default());
    let names: Vec<&str> = outputs.files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["a.txt", "ckpt/b.txt"]);
    assert_eq!(outputs.faults.len(), 1);
    assert_eq!(outputs.faults[0].name, "missing");
    assert_eq!(outputs.faults[0].reason, "no such file or directory");
    assert_eq!(outputs.files[0].contents, Contents::Whole);
}
