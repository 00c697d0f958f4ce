//! Files that lie: nothing is executed, nothing panics, and what is not read is said.

use std::fs;
use std::path::Path;

use driftlock::outputs::model::Contents;

use super::{file, folder, read, run, tensor, written};

fn reason(contents: &Contents) -> &str {
    match contents {
        Contents::Unread(reason) => reason,
        other => panic!("was read: {other:?}"),
    }
}

#[test]
fn what_is_not_read_is_named_with_a_reason() {
    let Some((dir, _)) = written() else { return };
    let outputs = read(dir);
    let odd = file(&outputs, "odd.pt");
    for (name, word) in [
        ("sparse", "sparse"),
        ("conj", "conjugated"),
        ("array", "numpy array inside a pickle"),
        ("quantised", "quantised"),
    ] {
        let reason = tensor(odd, name).content.as_ref().unwrap_err();
        assert!(reason.contains(word), "{name}: {reason}");
    }
    assert!(tensor(odd, "ok").content.is_ok());
    assert!(reason(&file(&outputs, "legacy.pt").contents).contains("before 1.6"));
    assert!(reason(&file(&outputs, "object.npy").contents).contains("Python objects"));
    assert!(file(&outputs, "legacy.pt").digest.is_ok());
}

#[test]
fn a_malicious_pickle_is_not_executed_and_its_tensors_are_read() {
    let Some((dir, _)) = written() else { return };
    let outputs = read(dir);
    assert!(tensor(file(&outputs, "evil.pt"), "w").content.is_ok());
    assert!(!dir.join("RAN").exists(), "the pickle ran");
    // The file is as bad as it claims to be.
    run(dir, "import torch; torch.load('evil.pt', weights_only=False)");
    assert!(dir.join("RAN").exists());
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let Some((dir, _)) = written() else { return };
    let outputs = read(dir);
    let bomb = file(&outputs, "bomb.npz");
    assert!(bomb.bytes < 4 << 20 && bomb.digest.is_ok());
    assert!(reason(&bomb.contents).contains("would unpack to"), "{:?}", bomb.contents);
}

#[test]
fn a_member_that_is_longer_or_shorter_than_it_says() {
    let dir = folder();
    let code = "
import numpy as np, struct
np.savez_compressed('x.npz', a=np.arange(1000.0))
b = bytearray(open('x.npz', 'rb').read())
i = b.index(b'PK\\x01\\x02')
size = struct.unpack_from('<I', b, i + 24)[0]
for name, by in [('long', 8), ('short', -8)]:
    c = bytearray(b); struct.pack_into('<I', c, i + 24, size + by); open(name + '.npz', 'wb').write(c)";
    if run(dir.path(), code).is_none() {
        return;
    }
    let outputs = read(dir.path());
    for name in ["long.npz", "short.npz"] {
        assert!(tensor(file(&outputs, name), "a").content.is_err(), "{name}");
    }
}

/// Every beginning of a small file, and the file with each byte changed, of every form.
#[test]
fn truncated_and_damaged_files_are_told_and_never_panic() {
    let dir = folder();
    let code = "
import numpy as np, torch, json, struct
x = np.arange(4, dtype='f4')
np.save('a.npy', x); np.savez('b.npz', w=x); np.savez_compressed('c.npz', w=x)
torch.save({'w': torch.arange(6.).reshape(2, 3).t()}, 'd.pt')
h = json.dumps({'w': {'dtype': 'F32', 'shape': [4], 'data_offsets': [0, 16]}}).encode()
open('e.safetensors', 'wb').write(struct.pack('<Q', len(h)) + h + x.tobytes())
open('f.json', 'w').write('{\"a\": [1, 2, {\"b\": \"\\\\u00e9\"}], \"c\": NaN}')
open('g.csv', 'w').write('a,b\\n1,\"x\"\\n2,y\\n')
open('h.jsonl', 'w').write('{\"a\": 1}\\n{\"a\": [true, null]}\\n')";
    if run(dir.path(), code).is_none() {
        return;
    }
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    let work = folder();
    for path in names {
        let bytes = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let look = |bytes: &[u8]| {
            let path = work.path().join(name);
            fs::write(&path, bytes).unwrap();
            let output = driftlock::outputs::file(name.to_owned(), &path, &indicatif::ProgressBar::hidden());
            assert!(output.digest.is_ok());
            output
        };
        let whole = look(&bytes);
        assert!(!whole.contents.tensors().is_empty(), "{name}: {:?}", whole.contents);
        for len in 0..bytes.len() {
            let cut = look(&bytes[..len]);
            assert_ne!(cut.digest, whole.digest);
            // Text without its last bytes may be text still; a binary form is never whole.
            if !matches!(name, "g.csv" | "h.jsonl") {
                let read = cut.contents.tensors().iter().filter(|t| t.content.is_ok()).count();
                assert_eq!(read, 0, "{name} cut at {len} of {}: {:?}", bytes.len(), cut.contents);
            }
        }
        let step = if bytes.len() > 1000 { 3 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            for change in [0xff, 0x01, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                look(&changed);
            }
        }
    }
}

#[test]
fn headers_that_claim_the_moon() {
    let dir = folder();
    let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    let npy = |shape: &str| {
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    };
    put("a.npy", &npy("(9223372036854775807, 4)"));
    put("b.npy", &npy("(-1,)"));
    put("c.npy", &npy(&format!("({})", "1,".repeat(200))));
    put("v.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}");
    put("d.safetensors", &[&u64::MAX.to_le_bytes()[..], b"{}"].concat());
    let header = br#"{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}"#;
    put("e.safetensors", &[&(header.len() as u64).to_le_bytes()[..], header, &[0; 16]].concat());
    put("f.json", "[".repeat(100_000).as_bytes());
    put("g.json", b"{\"a\": 1} x");
    let outputs = read(dir.path());
    assert_eq!(outputs.files.len(), 8);
    for output in &outputs.files {
        assert!(output.contents.tensors().iter().all(|t| t.content.is_err()), "{output:?}");
    }
}

/// A view without end: 2^40 elements of one stored number.
#[test]
fn an_expanded_tensor_is_not_unfolded() {
    let dir = folder();
    let code =
        "import torch; torch.save({'x': torch.ones(1).expand(2**20, 2**20), 'y': torch.ones(2)}, 'x.pt')";
    if run(dir.path(), code).is_none() {
        return;
    }
    let outputs = read(dir.path());
    assert!(tensor(&outputs.files[0], "x").content.as_ref().unwrap_err().contains("views"));
    assert!(tensor(&outputs.files[0], "y").content.is_ok());
}

/// Reads a file in a process of its own and returns its peak memory in bytes: `capture --data` takes the same road.
///
/// Python starts it, because what wait4(2) tells of a child counts the memory of whoever forked it as well (Linux:
/// `exec_mmap` folds the old image's peak into `ru_maxrss`), and a test among others is large.
fn peak(path: &Path) -> u64 {
    let code = "import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let output = std::process::Command::new("python3")
        .args([
            "-c",
            code,
            env!("CARGO_BIN_EXE_driftlock"),
            "capture",
            "--section",
            "data",
            "-o",
            "-",
            "--data",
        ])
        .arg(path.file_name().unwrap())
        .current_dir(path.parent().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse::<u64>().unwrap() * 1024
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let dir = folder();
    let path = sparse(dir.path(), 256 << 20);
    assert!(peak(&path) < 100 << 20, "{}", peak(&path));
}

/// Takes a minute in a debug build.
#[test]
#[ignore = "reads 5 GB: cargo test --release --test it -- --ignored five_gigabytes"]
fn five_gigabytes_in_constant_memory() {
    let dir = folder();
    let path = sparse(dir.path(), 5 << 30);
    let output = driftlock::outputs::file("x.npy".to_owned(), &path, &indicatif::ProgressBar::hidden());
    let tensor = &output.contents.tensors()[0];
    assert_eq!(tensor.content.as_ref().unwrap().sketch.as_ref().unwrap().range, Some((0.0, 0.0)));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 100 << 10, "{kib} KiB");
}

/// An `.npy` file of float32 zeros that takes no room on the disk.
fn sparse(dir: &Path, bytes: u64) -> std::path::PathBuf {
    use std::io::Write as _;
    let path = dir.join("x.npy");
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}", bytes / 4);
    let mut out = fs::File::create(&path).unwrap();
    out.write_all(b"\x93NUMPY\x01\x00").unwrap();
    out.write_all(&(text.len() as u16).to_le_bytes()).unwrap();
    out.write_all(text.as_bytes()).unwrap();
    out.set_len(10 + text.len() as u64 + bytes).unwrap();
    path
}
