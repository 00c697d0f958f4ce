//! `driftlock import` of dumps of environments: collect_env and its like.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use driftlock::import;
use driftlock::snapshot::{FactPath, Looked, Snapshot, write};
use proptest::prelude::*;

use crate::common::{driftlock, fact, folder, root};

fn fixtures() -> PathBuf {
    root().join("fixtures/imports")
}

/// The dumps that people published, where the project stands beside them.
fn corpus(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared/corpus").join(name);
    if !path.is_dir() {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

fn run(args: &[&str]) -> Output {
    driftlock().arg("import").args(args).output().unwrap()
}

/// A fixture, imported by the built binary and parsed as TOML.
fn imported(name: &str) -> toml::Table {
    let out = run(&[fixtures().join(name).to_str().unwrap()]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
    text.parse().unwrap_or_else(|e| panic!("{name}: {e}\n{text}"))
}

fn snapshot(path: &Path) -> Snapshot {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    import::read_any(path, &text, None).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn look<'a>(snapshot: &'a Snapshot, path: &str) -> Looked<'a> {
    snapshot.look(&path.parse().unwrap())
}

/// The facts at these paths, each as plain text; `-` where there is none.
fn facts(table: &toml::Table, paths: &[&str]) -> Vec<String> {
    let plain = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    paths.iter().map(|path| fact(table, path).map_or_else(|| "-".to_owned(), plain)).collect()
}

#[test]
fn every_published_collect_env_says_what_it_is_known_to_say() {
    let Some(folder) = corpus("collect_env") else { return };
    let index: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("index.json")).unwrap()).unwrap();
    let index = index.as_array().unwrap();
    assert!(index.len() > 100, "{}", index.len());
    for known in index {
        let id = known["id"].as_str().unwrap();
        let said = |key: &str| known[key].as_str().unwrap();
        let snapshot = snapshot(&folder.join(format!("{id}.txt")));
        let value = |path: &str| match look(&snapshot, path) {
            Looked::Value(value) => value.plain(),
            _ => String::new(),
        };
        // What stands for nothing is no value, and of torch's own facts it is absent unless torch was not there.
        let nothing = |text: &str| ["None", "N/A", "Could not collect", "No CUDA", ""].contains(&text);
        let expected = |key: &str| if nothing(said(key)) { String::new() } else { said(key).to_owned() };
        assert_eq!(value("torch.version"), expected("torch"), "{id}");
        assert_eq!(value("torch.cuda"), expected("cuda_build"), "{id}");
        assert_eq!(value("torch.hip"), expected("rocm_build"), "{id}");
        assert_eq!(value("gpu.driver.version"), expected("driver"), "{id}");
        assert_eq!(value("gpu.driver.kernel_module"), expected("driver"), "{id}");
        assert_eq!(value("python.version"), said("python"), "{id}");
        if said("torch") != "N/A" && nothing(said("cuda_build")) {
            assert_eq!(look(&snapshot, "torch.cuda"), Looked::Absent, "{id}");
        }
        if said("torch") == "N/A" {
            assert!(matches!(look(&snapshot, "torch.cuda"), Looked::Unknown(_)), "{id}");
        }
        let (name, arch) = (value("os.distribution_name"), value("os.arch"));
        let whole = format!("{name} ({arch})");
        assert!(said("os") == name || said("os") == whole, "{id}: {whole} is {}", said("os"));
        assert_eq!(value("meta.dump.OS"), said("os"), "{id}");
        let gpus: Vec<String> =
            (0..64).map(|n| value(&format!("gpu.{n}.name"))).take_while(|n| !n.is_empty()).collect();
        let known_gpus: Vec<&str> =
            known["gpus"].as_array().unwrap().iter().map(|g| g.as_str().unwrap()).collect();
        let words = value("meta.dump.\"GPU models and configuration\"");
        assert_eq!(gpus.len(), known_gpus.len(), "{id}");
        for (gpu, known) in gpus.iter().zip(known_gpus) {
            assert!(
                known == gpu
                    || known
                        .strip_prefix(gpu.as_str())
                        .is_some_and(|rest| rest.starts_with(" (gfx") || rest == "NoGCNArchNameOnOldPyTorch"),
                "{id}: {gpu} is {known}"
            );
            assert!(words.contains(known), "{id}: {words}");
        }
        write::to_string(&snapshot).parse::<toml::Table>().unwrap_or_else(|e| panic!("{id}: {e}"));
    }
}

#[test]
fn other_published_dumps_are_recognised_and_read() {
    let kinds = [
        ("sglang_check_env", "sglang", "torch.version"),
        ("transformers_env", "transformers_env", "python.packages.transformers.version"),
        ("hf_env", "transformers_env", "python.packages.diffusers.version"),
        ("jax_env_info", "jax_info", "numpy.version"),
        ("sklearn_show_versions", "sklearn_versions", "sklearn.version"),
        ("tf_env_collect", "tf_env_collect", "tensorflow.version"),
    ];
    for (name, kind, path) in kinds {
        let Some(folder) = corpus("other").map(|folder| folder.join(name)) else { return };
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let snapshot = snapshot(&file);
            assert_eq!(
                look(&snapshot, "meta.imported_from"),
                Looked::Value(&kind.into()),
                "{}",
                file.display()
            );
            let found = matches!(look(&snapshot, path), Looked::Value(_));
            // One of these has its versions taken out.
            assert!(found || kind == "hf_env" || name == "hf_env", "{}: {path}", file.display());
        }
    }
}

#[test]
fn collect_env_means_what_its_source_says() {
    let table = imported("collect_env.txt");
    let paths = [
        "torch.version",
        "torch.cuda",
        "torch.debug",
        "os.distribution_version",
        "os.kernel",
        "os.libc_version",
        "python.version",
        "cuda.nvcc_version",
        "gpu.count",
        "gpu.0.sm_count",
        "gpu.0.mig.0.sm_count",
        "gpu.driver.kernel_module",
        "cpu.microarchitecture",
        "cpu.physical_cores",
        "cpu.dispatch.aten",
        "python.packages.triton.version",
        "python.conda.mkl.build",
        "python.conda.pytorch-mutex.channel",
    ];
    let expected = [
        "2.3.0+cu121",
        "12.1",
        "false",
        "22.04",
        "5.15.0-112-generic",
        "2.35",
        "3.10.14",
        "12.4.131",
        "2",
        "108",
        "42",
        "550.54.15",
        "zen3",
        "64",
        "avx2",
        "2.3.0",
        "h213fc3f_46344",
        "pytorch",
    ];
    assert_eq!(facts(&table, &paths), expected);
    let snapshot = snapshot(&fixtures().join("collect_env.txt"));
    assert_eq!(look(&snapshot, "torch.hip"), Looked::Absent);
    // ldconfig's cuDNN is not what torch loads, and `conda list` shows what pip installed under pip.
    assert!(matches!(look(&snapshot, "cuda.libraries.cudnn.version"), Looked::Unknown(_)));
    assert!(matches!(look(&snapshot, "python.conda.numpy.version"), Looked::Unknown(_)));
    assert!(matches!(look(&snapshot, "env.CUDA_MODULE_LOADING"), Looked::Unknown(_)));
    // A quotation of it, escaped as HTML, is the same.
    assert_eq!(imported("quoted.md"), table);
}

#[test]
fn vllm_adds_variables_and_topology() {
    let table = imported("vllm.txt");
    let paths = [
        "meta.imported_from",
        "python.packages.vllm.version",
        "env.CUBLAS_WORKSPACE_CONFIG",
        "env.CUDA_MODULE_LOADING",
        "env.NCCL_CUMEM_ENABLE",
        "env.LD_LIBRARY_PATH",
        "container.ngc.pytorch_version",
        "gpu.1.topology",
        "cpu.revision",
    ];
    let expected = [
        "vllm",
        "0.9.1.dev0+g587387724",
        ":4096:8",
        "-",
        "-",
        "[\"/usr/local/nvidia/lib\", \"~/lib\"]",
        "25.01",
        "[\"hostbridge\", \"self\"]",
        "r0p1",
    ];
    assert_eq!(facts(&table, &paths), expected);
}

#[test]
fn the_other_formats() {
    let cases: [(&str, &[(&str, &str)]); 9] = [
        (
            "sglang.txt",
            &[
                ("torch.version", "2.5.1+cu124"),
                ("gpu.1.compute_capability", "9.0"),
                ("gpu.visible_names", "[\"NVIDIA H100 80GB HBM3\", \"NVIDIA H100 80GB HBM3\"]"),
                ("gpu.count", "-"),
                ("python.packages.pyzmq.version", "26.2.0"),
                ("python.packages.decord.version", "-"),
                ("cuda.home", "/usr/local/cuda"),
            ],
        ),
        (
            "transformers.md",
            &[
                ("torch.version", "2.7.1+cu126"),
                ("gpu.0.name", "NVIDIA L40S"),
                ("os.kernel", "5.15.0-1042-nvidia"),
                ("python.packages.safetensors.version", "0.5.3"),
                ("jax.version", "-"),
            ],
        ),
        (
            "accelerate.md",
            &[
                ("meta.imported_from", "accelerate_env"),
                ("numpy.version", "2.2.6"),
                ("torch.version", "2.7.1+cu126"),
                ("memory.total", "-"),
            ],
        ),
        (
            "jax.txt",
            &[
                ("jax.jaxlib", "0.4.35"),
                ("env.XLA_FLAGS", "--xla_gpu_deterministic_ops=true"),
                ("gpu.0.sm_count", "108"),
                ("os.kernel", "6.8.0-48-generic"),
            ],
        ),
        (
            "numpy_config.yaml",
            &[
                ("numpy.blas.name", "OpenBLAS"),
                ("numpy.blas.version", "0.3.27"),
                (
                    "numpy.blas.build",
                    "OpenBLAS 0.3.27 USE64BITINT DYNAMIC_ARCH NO_AFFINITY Zen MAX_THREADS=64",
                ),
                ("cpu.dispatch.numpy", "[\"SSSE3\", \"SSE41\", \"AVX2\"]"),
                ("python.version", "3.12"),
            ],
        ),
        (
            "numpy_runtime.txt",
            &[
                ("numpy.version", "2.1.3"),
                ("python.version", "3.12.3"),
                ("cpu.dispatch.numpy", "[\"SSSE3\", \"SSE41\", \"AVX2\"]"),
                ("cpu.dispatch.openblas_wheel", "Haswell"),
                ("cpu.threads.openblas_wheel", "8"),
                ("numpy.blas.version", "0.3.27"),
            ],
        ),
        (
            "sklearn.txt",
            &[
                ("sklearn.version", "1.3.2"),
                ("scipy.version", "1.11.4"),
                ("numpy.blas.name", "OpenBLAS"),
                ("cpu.dispatch.openblas_wheel", "Zen"),
                ("cpu.threads.openblas_wheel", "16"),
                ("os.libc_version", "2.38"),
            ],
        ),
        (
            "tensorflow.txt",
            &[
                ("tensorflow.version", "2.0.3"),
                ("container.runtime", "docker"),
                ("env.LD_LIBRARY_PATH", "[\"/usr/local/cuda-10.0/lib64\"]"),
                ("env.DYLD_LIBRARY_PATH", "-"),
            ],
        ),
        (
            "nvidia_smi_table.txt",
            &[
                ("gpu.driver.cuda_max", "12.2"),
                ("gpu.0.name", "NVIDIA A100-SXM4-40GB"),
                ("gpu.0.ecc_mode", "true"),
                ("gpu.0.memory_total", "42949672960"),
            ],
        ),
    ];
    for (name, expected) in cases {
        let table = imported(name);
        let (paths, values): (Vec<&str>, Vec<&str>) = expected.iter().copied().unzip();
        assert_eq!(facts(&table, &paths), values, "{name}");
    }
}

#[test]
fn nvidia_smi_says_the_same_as_text_and_as_xml() {
    let table = imported("nvidia_smi_q.txt");
    assert_eq!(imported("nvidia_smi_q.xml"), table);
    let paths = [
        "gpu.0.mig_mode",
        "gpu.0.mig.0.sm_count",
        "gpu.0.mig.1.gi",
        "gpu.0.ecc_uncorrected",
        "gpu.0.ecc_uncorrected_aggregate",
        "gpu.0.pci_device_id",
        "gpu.0.power_limit_mw",
        "gpu.0.max_clock_sm_mhz",
        "gpu.0.virtualization_mode",
        "gpu.0.pcie_width_max",
        "gpu.count",
    ];
    let expected = ["true", "42", "3", "true", "3", "10de:20b0", "400000", "1410", "none", "16", "1"];
    assert_eq!(facts(&table, &paths), expected);
    assert!(facts(&table, &["gpu.0.uuid"])[0].starts_with("private:"));
}

#[test]
fn no_name_of_a_person_or_a_machine_passes() {
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let file = entry.unwrap().path();
        let text = write::to_string(&snapshot(&file));
        for name in ["zwiebelfisch", "quarktal", "8932f937", "1324020012345"] {
            assert!(!text.contains(name), "{}: {name}\n{text}", file.display());
        }
    }
}

#[test]
fn what_is_no_dump_is_refused_with_the_kinds() {
    let dir = folder();
    let file = dir.path().join("notes.txt");
    std::fs::write(&file, "dear diary\n").unwrap();
    let cases: [(&[&str], &[&str]); 5] = [
        (&[file.to_str().unwrap()], &["notes.txt", "no format", "--from", "collect_env", "nvidia-smi -q"]),
        (&[file.to_str().unwrap(), "--from", "nope"], &["`nope`", "vllm", "sglang"]),
        (
            &[file.to_str().unwrap(), "--from", "collect_env"],
            &["notes.txt", "collect_env's lines", "PyTorch version"],
        ),
        (&[file.to_str().unwrap(), "--from", "nvidia_smi"], &["notes.txt", "no device"]),
        (&["/nonexistent/dump"], &["cannot read", "/nonexistent/dump"]),
    ];
    for (args, words) in cases {
        let out = run(args);
        let message = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        assert!(out.stdout.is_empty());
        words.iter().for_each(|word| assert!(message.contains(word), "{args:?}: {word} in\n{message}"));
    }
}

#[test]
fn files_pipes_and_encodings() {
    let dir = folder();
    let text = std::fs::read_to_string(fixtures().join("collect_env.txt")).unwrap();
    // What `python -m torch.utils.collect_env > file` gives in PowerShell 5.
    let utf16: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.replace('\n', "\r\n").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(dir.path().join("utf16.txt"), utf16).unwrap();
    let out = dir.path().join("out.lock");
    let status = run(&[
        dir.path().join("utf16.txt").to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
        "--label",
        "old run",
    ]);
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let written: toml::Table = std::fs::read_to_string(&out).unwrap().parse().unwrap();
    assert_eq!(facts(&written, &["torch.version", "meta.label"]), ["2.3.0+cu121", "old run"]);
    assert!(driftlock().arg("verify").arg(&out).output().unwrap().status.success());

    let mut child =
        driftlock().args(["import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let piped: toml::Table =
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().parse().unwrap();
    assert_eq!(piped, imported("collect_env.txt"));
}

#[test]
fn formats_are_apart() {
    let names: BTreeSet<&str> = import::ALL.iter().map(|format| format.name()).collect();
    assert_eq!(names.len(), import::ALL.len(), "two formats of one name");
    let page = std::fs::read_to_string(root().join("docs/reference/import.md")).unwrap();
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "docs/reference/import.md does not speak of `{name}`");
    }
}

/// Every format on a text that is not its own, or is no more. Panics are what this looks for.
fn all_formats(text: &str) {
    let path = Path::new("x");
    for format in import::ALL {
        if let Ok(snapshot) = import::read_any(path, text, Some(format.name())) {
            let text = write::to_string(&snapshot);
            assert!(text.parse::<toml::Table>().is_ok(), "{}: {text}", format.name());
            assert!(!text.contains('\u{1b}'));
            assert!(snapshot.meta.contains_key(&FactPath::new(["meta", "imported_from"])));
        }
    }
    let _known = import::read_any(path, text, None);
}

#[test]
fn hostile_texts() {
    let deep = "<nvidia_smi_log>".to_owned() + &"<gpu>".repeat(200_000);
    let indented: String = (0..2_000).map(|n| format!("{}a\n", " ".repeat(n))).collect();
    let long = "GPU 0: ".repeat(100_000);
    let lists = "NVSMI LOG\nDriver Version : 1\n".to_owned() + &"GPU 00:00\n".repeat(100_000);
    let labels = "PyTorch version: 1.0 Is debug build: No ".repeat(20_000);
    let tags = "[conda] a 1 b ".repeat(50_000)
        + "\nPyTorch version: 1\nOS: x\nVersions of relevant libraries:\n"
        + &"[pip3] a==1 ".repeat(50_000);
    let escapes = "\u{1b}[".repeat(100_000) + "PyTorch version: \u{1b}]0;x\u{7}1.0\0\nOS: \u{202e}x";
    let quotes = "> ".repeat(200_000) + "\n>\n>\n>";
    let entities = "<nvidia_smi_log><!DOCTYPE x [<!ENTITY a \"&a;&a;\">]>&a;</nvidia_smi_log>".to_owned();
    for text in [deep, indented, long, lists, labels, tags, escapes, quotes, entities, "\u{feff}".to_owned()]
    {
        all_formats(&text);
    }
}

fn fixture_texts() -> Vec<String> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(fixtures()).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_dumps_never_panic(
        which in 0_usize..64,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, "[ -~\\n\\t\u{1b}\u{0}é：><&|:=,()'\"\\[\\]]{0,6}"), 0..8),
        end in any::<prop::sample::Index>(),
    ) {
        let texts = fixture_texts();
        let mut text: Vec<char> = texts[which % texts.len()].chars().collect();
        for (at, length, new) in cuts {
            let at = at.index(text.len() + 1).min(text.len());
            let to = (at + length).min(text.len());
            text.splice(at..to, new.chars());
        }
        // Half of them are cut off, too.
        if which % 2 == 0 && !text.is_empty() {
            text.truncate(end.index(text.len()));
        }
        all_formats(&text.into_iter().collect::<String>());
    }
}
