//! Every probe over every recorded machine under `fixtures/hosts`: docs/design/recorded-hosts.md.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use driftlock::facts::{self, Type};
use driftlock::host::Host;
use driftlock::host::recorded::Recorded;
use driftlock::host::recording::Recording;
use driftlock::probes::{Context, Options};
use driftlock::snapshot::{FactPath, Facts, Snapshot, Value, digest, read, write};

use crate::common::{self, root};

/// Facts that no recorded machine shows, and why. A pattern as in `src/facts`; a `**` at the end takes all below.
const NOT_SEEN: &[(&str, &str)] = &[
    (
        "meta.**",
        "set by the command and not by a probe: tests/it/capture.rs",
    ),
    (
        "env.**",
        "declared one by one for their class; which of them a machine sets is chance",
    ),
    (
        "cuda.libraries.*.also_loaded",
        "two copies of a library in one process, held against the real loader: tests/it/cuda/loader.rs",
    ),
    ("python.deep.**", "asks a running interpreter: tests/it/python"),
    (
        "python.edited",
        "with --verify-packages, which reads every installed file: tests/it/python",
    ),
    ("python.unverified", "with --verify-packages: tests/it/python"),
    ("python.verified_files", "with --verify-packages: tests/it/python"),
    (
        "jax.metadata_version",
        "a broken upgrade; one machine shows it for NumPy",
    ),
    (
        "scipy.metadata_version",
        "a broken upgrade; one machine shows it for NumPy",
    ),
    (
        "sklearn.metadata_version",
        "a broken upgrade; one machine shows it for NumPy",
    ),
    (
        "tensorflow.metadata_version",
        "a broken upgrade; one machine shows it for NumPy",
    ),
    (
        "torch.metadata_version",
        "a broken upgrade; one machine shows it for NumPy",
    ),
    ("torch.xpu", "only in builds for Intel GPUs"),
    (
        "torch.rocm",
        "only in builds for AMD GPUs that are newer than those recorded",
    ),
    (
        "cpu.isa_on_some",
        "cores of one machine with different flags: src/probes/cpu",
    ),
    ("data.*.listing", "of more than twenty files: tests/it/data.rs"),
];

fn folder() -> PathBuf {
    root().join("fixtures/hosts")
}

/// The names of the recorded machines, in order.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap());
    let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn machine(name: &str) -> Recorded {
    let path = folder().join(name).join("host.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Recorded::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What is asked of a machine: its data trees and its configuration file, where it has them, and all else.
fn options(host: &Recorded) -> Options {
    let config = [
        ("config.yaml", "config.yaml"),
        ("outputs", "outputs/.hydra/config.yaml"),
    ];
    let config = config
        .iter()
        .filter(|(_, file)| host.files.contains_key(&host.cwd.join(file)));
    Options {
        data: host.tree.keys().cloned().collect(),
        config: config.map(|(given, _)| given.into()).collect(),
        patch: true,
        // The probes of 17 machines share the cores with every other test.
        timeout: Duration::from_secs(120),
        ..Options::default()
    }
}

fn capture(host: Arc<dyn Host>, options: Options) -> Snapshot {
    driftlock::capture::run(&Arc::new(Context::new(host, options)), false).snapshot
}

fn replay(host: &Recorded) -> Snapshot {
    capture(Arc::new(host.clone()), options(host))
}

fn snapshots() -> BTreeMap<String, Snapshot> {
    names()
        .into_iter()
        .map(|name| (name.clone(), replay(&machine(&name))))
        .collect()
}

/// Every fact of a snapshot.
fn leaves(snapshot: &Snapshot) -> impl Iterator<Item = (&FactPath, &Value)> {
    [&snapshot.facts, &snapshot.private, &snapshot.volatile]
        .into_iter()
        .flatten()
}

#[test]
fn there_are_a_dozen_machines_and_each_says_where_it_is_from() {
    let names = names();
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        let host = machine(&name);
        assert!(!host.about.is_empty(), "{name}: `about` is empty");
        let honest = ["composed: ", "recorded "]
            .iter()
            .any(|begin| host.provenance.starts_with(begin));
        assert!(
            honest,
            "{name}: `provenance` says neither `composed: …` nor `recorded …`"
        );
    }
}

#[test]
fn snapshots_are_as_they_were() {
    let mut different = Vec::new();
    for (name, snapshot) in snapshots() {
        let path = folder().join(&name).join("snapshot.lock");
        let text = write::to_string(&snapshot);
        let expected = snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw();
        let same = snapbox::Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .try_eq(Some(&name), snapbox::Data::text(text).raw(), expected);
        if let Err(error) = same {
            different.push(error.to_string());
        }
    }
    assert!(
        different.is_empty(),
        "{}\nIf this is meant, run `SNAPSHOTS=overwrite cargo test --test it hosts::` and read what changed with `git diff`.",
        different.join("\n")
    );
}

#[test]
fn a_second_capture_gives_the_same_bytes() {
    for name in names() {
        let host = machine(&name);
        assert_eq!(
            write::to_string(&replay(&host)),
            write::to_string(&replay(&host)),
            "{name}"
        );
    }
}

#[test]
fn a_snapshot_reads_back_and_its_digests_hold() {
    for (name, snapshot) in snapshots() {
        let read = read::from_str(&write::to_string(&snapshot)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.snapshot, snapshot, "{name}");
        let digests = digest::sections(&read.snapshot);
        assert_eq!(read.digests, digests, "{name}");
        assert_eq!(read.fingerprint, Some(digest::fingerprint(&digests)), "{name}");
    }
}

#[test]
fn every_fact_is_declared_and_of_its_type() {
    for (name, snapshot) in snapshots() {
        for (path, value) in leaves(&snapshot) {
            let fact = facts::find(path);
            let fact = fact
                .unwrap_or_else(|| panic!("{name}: `{path}` is not in src/facts/{}.toml", path.section()));
            let fits = match fact.kind {
                Type::String => matches!(value, Value::Str(_)),
                Type::Int => matches!(value, Value::Int(_)),
                Type::Bool => matches!(value, Value::Bool(_)),
                Type::List => {
                    matches!(value, Value::List(items) if items.iter().all(|i| matches!(i, Value::Str(_))))
                }
                Type::Any => true,
            };
            assert!(
                fits,
                "{name}: `{path} = {value}` is not of the type that src/facts/{}.toml says",
                path.section()
            );
            let known = fact.values.is_empty() || value.as_str().is_none_or(|v| fact.values.contains(&v));
            assert!(
                known,
                "{name}: `{path} = {value}` is not among its `values` {:?}",
                fact.values
            );
        }
        for (path, reason) in &snapshot.unknown {
            assert!(!reason.contains("bug in driftlock"), "{name}: {path}: {reason}");
        }
    }
}

#[test]
fn every_declared_fact_is_seen_on_a_machine() {
    let mut seen = BTreeSet::new();
    for snapshot in snapshots().values() {
        let unknown = snapshot.unknown.keys().filter(|path| path.segments().len() > 1);
        seen.extend(
            leaves(snapshot)
                .map(|(path, _)| path)
                .chain(unknown)
                .filter_map(facts::find)
                .map(|fact| fact.path),
        );
    }
    let excused = |path: &str| NOT_SEEN.iter().find(|(pattern, _)| covers(pattern, path));
    let unseen: Vec<&str> = facts::FACTS
        .iter()
        .map(|fact| fact.path)
        .filter(|path| !seen.contains(path) && excused(path).is_none())
        .collect();
    assert!(
        unseen.is_empty(),
        "no machine under fixtures/hosts shows {unseen:#?}: extend one, or say why not in NOT_SEEN"
    );
    for (pattern, _) in NOT_SEEN {
        let mut covered = facts::FACTS.iter().filter(|fact| covers(pattern, fact.path));
        let needed = covered.any(|fact| !seen.contains(fact.path));
        assert!(
            needed,
            "`{pattern}` is in NOT_SEEN, but no such fact is declared any more, or all are seen: take it out"
        );
    }
}

/// Whether an exception's pattern takes in a declared path.
fn covers(pattern: &str, path: &str) -> bool {
    pattern
        .strip_suffix("**")
        .map_or(pattern == path, |beginning| path.starts_with(beginning))
}

#[test]
fn every_section_is_filled_somewhere() {
    let snapshots = snapshots();
    for section in facts::SECTIONS.iter().filter(|section| section.name != "meta") {
        let filled = snapshots
            .values()
            .any(|s| leaves(s).any(|(path, _)| path.section() == section.name));
        assert!(filled, "no machine fills the section `{}`", section.name);
    }
}

#[test]
fn a_recording_of_a_replay_gives_an_equal_snapshot() {
    for name in names() {
        let host = machine(&name);
        let recording = Arc::new(Recording::new(Arc::new(host.clone())));
        let first = capture(Arc::clone(&recording) as Arc<dyn Host>, options(&host));
        let text = recording.finish().unwrap().to_text().unwrap();
        let again = Recorded::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}\n{text}"));
        let options = Options {
            data: again.tree.keys().cloned().collect(),
            ..options(&again)
        };
        let second = capture(Arc::new(again), options);
        let (first, second) = (comparable(first), comparable(second));
        for (path, value) in &first {
            assert_eq!(second.get(path), Some(value), "{name}: {path}");
        }
        assert_eq!(
            first.len(),
            second.len(),
            "{name}: {:?}",
            second
                .keys()
                .filter(|p| !first.contains_key(*p))
                .collect::<Vec<_>>()
        );
        for hidden in private_names(&host) {
            assert!(!text.contains(&hidden), "{name}: `{hidden}` is in the recording");
        }
    }
}

/// Through the command, on the machine that runs the test.
#[test]
fn a_recording_of_this_machine_replays_to_the_same_facts() {
    let dir = common::folder();
    let recording = dir.path().join("recording");
    let recording = recording.to_str().unwrap();
    let live = common::capture(dir.path(), &["--timeout", "120", "--record", recording]);
    let replayed = common::capture(dir.path(), &["--timeout", "120", "--replay", recording]);
    let sections: Vec<&String> = live["digest"].as_table().unwrap().keys().collect();
    assert!(sections.len() > 10, "{sections:?}");
    for section in sections {
        assert_eq!(replayed.get(section), live.get(section), "[{section}]");
    }
    let named: Vec<&str> = ["os", "cpu", "memory", "env"]
        .into_iter()
        .filter(|s| !live.contains_key(*s))
        .collect();
    assert!(named.is_empty(), "{named:?} are empty on this machine");
}

/// What must survive a recording: everything but the names that a recording replaces.
fn comparable(snapshot: Snapshot) -> BTreeMap<FactPath, Result<Value, String>> {
    // A configuration file loses its secrets, and so has another digest.
    let kept = |path: &FactPath| path.segments().get(1).is_none_or(|segment| segment != "--config");
    let known = |facts: Facts| {
        let kept = facts.into_iter().filter(move |(path, _)| kept(path));
        kept.map(|(path, value)| (path, Ok(value)))
    };
    let private = snapshot
        .private
        .into_keys()
        .map(|path| (path, Ok(Value::from("replaced"))));
    let unknown = snapshot
        .unknown
        .into_iter()
        .map(|(path, reason)| (path, Err(reason)));
    known(snapshot.facts)
        .chain(known(snapshot.volatile))
        .chain(private)
        .chain(unknown)
        .collect()
}

/// The names of a machine that no recording may hold.
fn private_names(host: &Recorded) -> Vec<String> {
    let system = &host.system;
    let mut names = system.addresses.clone();
    // The words by which many machines and users are called hide nobody and are kept.
    names.extend(
        system
            .user
            .clone()
            .filter(|user| !["root", "user", "nvidia"].contains(&user.as_str())),
    );
    names.extend(Some(system.hostname.clone()).filter(|name| name != "host"));
    let devices = host.nvml.iter().flat_map(|nvml| &nvml.devices);
    names.extend(
        devices
            .flat_map(|device| [device.uuid.clone(), device.serial.clone()])
            .flatten(),
    );
    names
}

/// What each machine must say, written by hand and not taken from a snapshot.
#[test]
fn the_machines_say_what_they_must() {
    let snapshots = snapshots();
    let mut wrong = Vec::new();
    for (name, path, expected) in KNOWLEDGE {
        let snapshot = snapshots
            .get(*name)
            .unwrap_or_else(|| panic!("no machine `{name}`"));
        let path: FactPath = path.parse().unwrap();
        let found = [&snapshot.facts, &snapshot.volatile]
            .into_iter()
            .find_map(|facts| facts.get(&path));
        let unknown = snapshot.unknown.keys().any(|u| u.covers(&path));
        let told = match found {
            Some(value) => value.to_string(),
            None if unknown => "unknown".to_owned(),
            None => "absent".to_owned(),
        };
        if told != *expected {
            wrong.push(format!("{name}: {path} is {told}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Machine, fact, and its value as the snapshot writes it; `absent` or `unknown`.
const KNOWLEDGE: &[(&str, &str, &str)] = &[
    ("laptop", "os.distribution", "\"fedora\""),
    ("laptop", "os.virtualization", "\"none\""),
    ("laptop", "os.locale.collate", "\"C.utf8\""),
    ("laptop", "cpu.heterogeneous", "true"),
    ("laptop", "cpu.physical_cores", "10"),
    ("laptop", "cpu.dispatch.aten", "\"avx2\""),
    ("laptop", "cpu.dispatch.openblas", "\"Haswell\""),
    ("laptop", "cpu.x86_64_level", "\"v3\""),
    ("laptop", "gpu.0.vendor", "\"intel\""),
    ("laptop", "gpu.driver.version", "absent"),
    ("laptop", "python.packages.mnist.editable", "true"),
    (
        "laptop",
        "git.remotes.origin",
        "\"https://github.com/{user}/mnist.git\"",
    ),
    ("laptop", "config.train.lr", "0.001"),
    ("laptop", "config.logger.url", "\"https://wandb.example.com/\""),
    ("laptop", "data.\"data/mnist\".bytes", "54950048"),
    ("laptop", "env.HF_TOKEN", "absent"),
    ("dgx-h100", "cpu.logical_cpus", "224"),
    ("dgx-h100", "cpu.physical_cores", "112"),
    ("dgx-h100", "cpu.numa_nodes", "2"),
    ("dgx-h100", "cpu.dispatch.onednn", "\"avx512_core_amx\""),
    ("dgx-h100", "cpu.threads.libgomp", "14"),
    ("dgx-h100", "gpu.count", "8"),
    ("dgx-h100", "gpu.7.sm_count", "132"),
    ("dgx-h100", "gpu.7.max_threads_per_sm", "2048"),
    ("dgx-h100", "gpu.0.compute_capability", "\"9.0\""),
    ("dgx-h100", "gpu.driver.flavour", "\"open\""),
    ("dgx-h100", "gpu.driver.mismatch", "false"),
    ("dgx-h100", "cuda.libraries.cublas.version", "\"12.1.3.1\""),
    ("dgx-h100", "cuda.libraries.cublas.origin", "\"wheel\""),
    ("dgx-h100", "scheduler.world_size", "8"),
    ("dgx-h100", "scheduler.rank", "3"),
    (
        "dgx-h100",
        "python.packages.transformer-engine.origin",
        "\"git+https://github.com/NVIDIA/TransformerEngine.git@2d6c9a90dd38f6852515274cde41a8cd8e7e1a7a\"",
    ),
    ("dgx-h100", "git.detached", "true"),
    ("a100-mig", "gpu.0.mig_mode", "true"),
    ("a100-mig", "gpu.0.mig.0.profile", "\"3g.20gb\""),
    ("a100-mig", "gpu.0.mig.0.sm_count", "42"),
    ("a100-mig", "gpu.0.mig.2.sm_count", "14"),
    ("a100-mig", "gpu.visible", "[\"0.mig.0\"]"),
    ("a100-mig", "cpu.affinity.count", "32"),
    ("a100-mig", "cpu.threads.libgomp", "32"),
    ("a100-mig", "python.kind", "\"pyenv\""),
    ("a100-mig", "cuda.client", "\"jax\""),
    ("a100-mig", "jax.jaxlib", "\"0.4.30\""),
    ("a100-mig", "git.commit", "unknown"),
    ("t4-v100", "gpu.0.name", "\"Tesla T4\""),
    ("t4-v100", "gpu.0.max_threads_per_sm", "1024"),
    ("t4-v100", "gpu.0.sm_count", "40"),
    ("t4-v100", "gpu.1.sm_count", "80"),
    ("t4-v100", "gpu.1.ecc_mode", "false"),
    ("t4-v100", "gpu.1.ecc_mode_pending", "true"),
    ("t4-v100", "gpu.visible", "unknown"),
    ("t4-v100", "os.timezone", "\"Europe/Berlin\""),
    ("t4-v100", "cpu.threads.mkl", "8"),
    ("t4-v100", "memory.huge_pages", "1024"),
    ("t4-v100", "cuda.client", "\"tensorflow\""),
    ("t4-v100", "git.vcs", "\"mercurial\""),
    ("t4-v100", "git.dirty", "unknown"),
    ("jetson-orin", "os.arch", "\"aarch64\""),
    ("jetson-orin", "os.emulation", "\"none\""),
    ("jetson-orin", "cpu.part", "\"0xd42\""),
    ("jetson-orin", "cpu.physical_cores", "12"),
    ("jetson-orin", "gpu.0.compute_capability", "\"8.7\""),
    ("jetson-orin", "gpu.0.sm_count", "16"),
    ("jetson-orin", "gpu.driver.l4t", "\"36.3.0\""),
    ("jetson-orin", "cuda.libraries.cudnn.version", "\"8.9.4\""),
    ("jetson-orin", "torch.cuda_archs", "[\"sm_87\"]"),
    ("jetson-orin", "python.user_site", "true"),
    ("grace-hopper", "os.page_size", "65536"),
    ("grace-hopper", "cpu.model", "\"Neoverse-V2\""),
    ("grace-hopper", "cpu.sve_bits", "128"),
    ("grace-hopper", "memory.huge_page_size", "536870912"),
    ("grace-hopper", "gpu.0.sm_count", "132"),
    ("wsl2", "os.emulation", "\"wsl2\""),
    ("wsl2", "os.virtualization", "\"microsoft\""),
    ("wsl2", "gpu.driver.version", "\"552.44\""),
    ("wsl2", "gpu.driver.kernel_module", "absent"),
    ("wsl2", "gpu.0.sm_count", "128"),
    ("wsl2", "git.unborn", "true"),
    ("mi250", "gpu.count", "4"),
    ("mi250", "gpu.3.compute_units", "104"),
    ("mi250", "gpu.0.architecture", "\"gfx90a\""),
    ("mi250", "gpu.amd.rocm_version", "\"6.1.2-129\""),
    ("mi250", "gpu.amd.visible", "[\"0\", \"1\", \"2\", \"3\"]"),
    ("mi250", "torch.hip", "\"6.1.40091-a8dbc0c19\""),
    ("mi250", "torch.cuda", "absent"),
    ("mi250", "git.shallow", "true"),
    ("mi300x", "gpu.count", "2"),
    ("mi300x", "gpu.0.compute_units", "304"),
    ("mi300x", "gpu.0.architecture", "\"gfx942\""),
    ("mi300x", "gpu.hidden", "1"),
    ("mi300x", "container.runtime", "\"docker\""),
    ("mi300x", "memory.limit", "549755813888"),
    ("mi300x", "numpy.metadata_version", "\"2.1.1\""),
    ("k8s-pod", "container.runtime", "\"kubernetes\""),
    ("k8s-pod", "cpu.quota_millicpus", "3500"),
    ("k8s-pod", "cpu.threads.libgomp", "8"),
    ("k8s-pod", "cpu.threads.torch", "4"),
    ("k8s-pod", "cpu.threads.loky", "4"),
    ("k8s-pod", "cpu.quota_found_by", "\"cgroup v2\""),
    ("k8s-pod", "memory.limit", "12884901888"),
    ("k8s-pod", "gpu.0.sm_count", "80"),
    ("k8s-pod", "os.virtualization", "\"amazon\""),
    ("k8s-pod", "scheduler.array_index", "2"),
    ("k8s-pod", "env.DB_PASSWORD", "absent"),
    ("k8s-pod", "git.vcs", "\"none\""),
    ("slurm-a100", "scheduler.world_size", "8"),
    ("slurm-a100", "scheduler.nodes", "2"),
    ("slurm-a100", "scheduler.local_world_size", "4"),
    ("slurm-a100", "scheduler.rank", "5"),
    ("slurm-a100", "scheduler.local_rank", "1"),
    ("slurm-a100", "cpu.affinity.cpus", "\"16-31\""),
    ("slurm-a100", "cpu.threads.libgomp", "16"),
    ("slurm-a100", "memory.limit", "257698037760"),
    ("slurm-a100", "gpu.count", "4"),
    ("slurm-a100", "gpu.3.sm_count", "108"),
    ("slurm-a100", "config.model.layers", "24"),
    (
        "slurm-a100",
        "config.hydra.overrides.task",
        "[\"model.layers=24\", \"optim.lr=3e-4\", \"seed=1234\"]",
    ),
    ("conda-mkl", "python.kind", "\"conda\""),
    (
        "conda-mkl",
        "python.conda.pytorch.build",
        "\"py3.11_cuda12.1_cudnn8.9.2_0\"",
    ),
    ("conda-mkl", "python.conda.pytorch.channel", "\"pytorch\""),
    ("conda-mkl", "numpy.blas.name", "\"MKL\""),
    ("conda-mkl", "numpy.blas.version", "\"2023.1.0\""),
    ("conda-mkl", "cpu.dispatch.mkl", "\"avx2\""),
    ("conda-mkl", "cpu.dispatch.mkl_cnr", "\"avx2\""),
    ("conda-mkl", "cpu.dispatch.aten", "\"avx512\""),
    ("conda-mkl", "cpu.threads.torch", "10"),
    ("conda-mkl", "cuda.libraries.cublas.origin", "\"conda\""),
    ("conda-mkl", "os.locale.numeric", "\"de_DE.utf8\""),
    ("conda-mkl", "git.lfs_pointers", "2"),
    ("conda-mkl", "git.linked_worktree", "true"),
    ("apptainer", "container.runtime", "\"apptainer\""),
    ("apptainer", "gpu.visible", "[\"1\"]"),
    ("apptainer", "gpu.1.ecc_uncorrected", "true"),
    ("apptainer", "scheduler.systems", "[\"pbs\"]"),
    ("apptainer", "scheduler.slots", "16"),
    ("apptainer", "git.commit", "unknown"),
    ("apptainer", "python.packages.triton.build", "\"1\""),
    ("debian-minimal", "container.runtime", "\"docker\""),
    ("debian-minimal", "python.version", "absent"),
    ("debian-minimal", "torch.version", "absent"),
    ("debian-minimal", "gpu.count", "0"),
    ("debian-minimal", "git.vcs", "\"none\""),
    ("debian-minimal", "os.locale.collate", "\"C\""),
    ("debian-minimal", "os.timezone", "\"UTC\""),
    ("debian-minimal", "os.timezone_missing", "\"Europe/Berlin\""),
    ("driver-mismatch", "gpu.driver.mismatch", "true"),
    ("driver-mismatch", "gpu.driver.kernel_module", "\"550.120\""),
    ("driver-mismatch", "gpu.driver.version", "\"565.57.01\""),
    ("driver-mismatch", "gpu.visible", "unknown"),
    (
        "driver-mismatch",
        "torch.missing_libraries",
        "[\"libcusparseLt.so.0 (for libtorch_cuda.so)\"]",
    ),
    (
        "driver-mismatch",
        "python.packages.openfold.origin",
        "\"git+https://gitlab.example.com/bio/openfold.git@91d992294ee1baea9864808108f26d6f6ca84f19\"",
    ),
    ("driver-mismatch", "cpu.dispatch.aten", "\"avx512\""),
    ("driver-mismatch", "git.operation", "\"rebase\""),
    ("driver-mismatch", "git.prefix", "\"experiments\""),
    ("driver-mismatch", "env.WANDB_API_KEY", "absent"),
    ("docker-cgroup-v1", "cpu.quota_millicpus", "4000"),
    ("docker-cgroup-v1", "cpu.quota_found_by", "\"cgroup v1\""),
    ("docker-cgroup-v1", "memory.limit", "17179869184"),
    ("docker-cgroup-v1", "cpu.threads.loky", "4"),
    ("docker-cgroup-v1", "cpu.threads.torch", "24"),
    ("docker-cgroup-v1", "gpu.0.compute_capability", "\"6.1\""),
    ("docker-cgroup-v1", "gpu.0.sm_count", "28"),
    ("docker-cgroup-v1", "gpu.0.power_limit_mw", "200000"),
    ("docker-cgroup-v1", "cuda.libraries.cudart.origin", "\"bundled\""),
    ("docker-cgroup-v1", "cuda.compat.active", "false"),
    ("qemu-aarch64", "os.emulation", "\"qemu-user\""),
    ("qemu-aarch64", "os.arch", "\"aarch64\""),
    ("qemu-aarch64", "container.runtime", "\"podman\""),
    ("qemu-aarch64", "container.engine", "\"podman-4.9.4\""),
    ("qemu-aarch64", "memory.limit", "8589934592"),
    ("ngc-h100", "container.ngc.pytorch_version", "\"24.05\""),
    ("ngc-h100", "container.ngc.build_id", "\"91431255\""),
    ("ngc-h100", "gpu.0.sm_count", "114"),
    (
        "ngc-h100",
        "torch.git_commit",
        "\"07cecf4168503a5b3defef9b2ecaeb3e075f4761\"",
    ),
    ("ngc-h100", "torch.cxx11_abi", "true"),
    ("ngc-h100", "cuda.libraries.cublas.origin", "\"toolkit\""),
    ("ngc-h100", "cuda.libraries.cublas.version", "\"12.4.5.8\""),
    ("ngc-h100", "cuda.libraries.cudnn.version", "\"9.1.0\""),
    ("ngc-h100", "torch.missing_libraries", "absent"),
    ("kvm-guest", "os.kernel", "\"6.18.44-fc-v657\""),
    ("kvm-guest", "cpu.model_number", "207"),
    ("kvm-guest", "cpu.dispatch.aten", "\"avx512\""),
    ("kvm-guest", "cpu.dispatch.onednn", "\"avx512_core_fp16\""),
    ("kvm-guest", "cpu.threads.libgomp", "2"),
    ("kvm-guest", "cpu.quota_millicpus", "absent"),
    ("kvm-guest", "memory.limit", "absent"),
    ("kvm-guest", "container.runtime", "\"docker\""),
    ("kvm-guest", "gpu.count", "0"),
    ("kvm-guest", "git.branch", "\"master\""),
    ("kvm-guest", "config.seed", "1"),
];

/// A path that is only used by a test on this machine must not get into a fixture.
#[test]
fn no_machine_is_this_one() {
    let home = std::env::var("HOME").unwrap_or_default();
    for name in names() {
        let text = std::fs::read_to_string(folder().join(&name).join("host.toml")).unwrap();
        let here = root();
        for private in [here.display().to_string(), home.clone()]
            .iter()
            .filter(|p| p.len() > "/root".len())
        {
            assert!(!text.contains(private.as_str()), "{name}: {private}");
        }
        assert!(
            Path::new(&machine(&name).cwd).is_absolute(),
            "{name}: the working directory is not absolute"
        );
    }
}
