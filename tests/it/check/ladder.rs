//! A drift of each level of the ladder, made for real, and named rightly.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::{Project, finding, rules};
use crate::common::sh;
use crate::gpu::machine::library;

fn h100(i: usize) -> String {
    format!(
        "device\n name NVIDIA H100 80GB HBM3\n uuid GPU-{i}932f937-d72c-4106-c12f-20bd9faed9f6\n brand 14\n \
         architecture 9\n capability 9 0\n cores 16896\n bus_width 5120\n memory 85520809984 0\n processes\n"
    )
}

const A100: &str = "device\n name NVIDIA A100-SXM4-80GB\n uuid GPU-5932f937-d72c-4106-c12f-20bd9faed9f6\n brand 14\n \
                    architecture 7\n capability 8 0\n cores 6912\n bus_width 5120\n memory 85899345920 0\n processes\n";

/// A project on a machine with two GPUs, and a virtual environment that holds torch, NumPy and JAX by their files.
struct Machine {
    project: Project,
    site: PathBuf,
}

impl Machine {
    fn new(policy: &str) -> Self {
        let mut project = Project::empty();
        let dir = project.path().canonicalize().unwrap();
        sh(&dir, "python3", &["-m", "venv", "--without-pip", ".venv"]);
        let python = dir.join(".venv/bin/python");
        let ask = ["-c", "import sysconfig; print(sysconfig.get_path('platlib'))"];
        let site = PathBuf::from(sh(&dir, python.to_str().unwrap(), &ask).trim());
        project.write(".gitignore", ".venv/\n");
        project.write("driftlock.toml", policy);
        project.set("LD_LIBRARY_PATH", library().to_str().unwrap());
        project.set("DRIFTLOCK_NVML_SCRIPT", dir.join(".venv/gpus").to_str().unwrap());
        let machine = Self { project, site };
        machine.gpus(&(h100(0) + &h100(1)));
        machine.package("torch", "2.10.0");
        machine.package("numpy", "2.4.6");
        machine.package("jax", "0.9.0");
        machine.package("acme_thing", "25.1.0");
        machine.project.commit();
        machine.project.init();
        let (code, out, messages) = machine.project.check(&["--all"]);
        assert_eq!(code, 0, "{out}{messages}");
        machine
    }

    fn gpus(&self, devices: &str) {
        let system = "driver 570.86.15\nnvml 12.570.86.15\ncuda 12080\n";
        self.project.write(".venv/gpus", &format!("{system}{devices}"));
    }

    /// Installs a package's metadata, in place of those of another version.
    fn package(&self, name: &str, version: &str) {
        for entry in std::fs::read_dir(&self.site).unwrap().flatten() {
            let old = entry.file_name().to_string_lossy().starts_with(&format!("{name}-"));
            if old {
                std::fs::remove_dir_all(entry.path()).unwrap();
            }
        }
        let info = self.site.join(format!("{name}-{version}.dist-info"));
        std::fs::create_dir_all(&info).unwrap();
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        std::fs::write(info.join("METADATA"), metadata).unwrap();
        std::fs::write(info.join("RECORD"), format!("{name}/__init__.py,sha256=x,1\n")).unwrap();
        let package = self.site.join(name);
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(package.join("__init__.py"), "").unwrap();
        let text =
            format!("__version__ = '{version}'\nversion = '{version}'\ndebug = False\ncuda = '13.0'\n");
        std::fs::write(package.join("version.py"), text).unwrap();
    }

    /// The drift is found, is of this effect and rule, and fails or not.
    fn finds(&self, effect: &str, rule: &str, level: &str) -> Json {
        let (code, report) = self.project.report(&[]);
        let found = finding(&report, rule);
        assert_eq!((&found["effect"], &found["level"]), (&effect.into(), &level.into()), "{report:#}");
        assert_eq!(code, i32::from(level == "deny"), "{report:#}");
        assert!(found["location"]["line"].as_u64() >= Some(1));
        assert!(found["page"].as_str().unwrap().ends_with(&format!("#{rule}")), "{found}");
        report
    }
}

#[test]
fn code_a_dirty_repository() {
    let machine = Machine::new("[levels]\ngit = \"deny\"\n");
    machine.project.write("train.py", "print(2)\n");
    let report = machine.finds("code", "program-source", "deny");
    assert_eq!(rules(&report, "deny"), ["program-source", "uncommitted-edits"], "the change and the hazard");
}

#[test]
fn stream_another_variant_of_jax_s_generator() {
    let mut machine = Machine::new("");
    machine.project.set("JAX_THREEFRY_PARTITIONABLE", "0");
    let report = machine.finds("stream", "jax-threefry-partitionable", "deny");
    assert_eq!(report["verdict"]["level"], "stream");
    machine.project.set("JAX_THREEFRY_PARTITIONABLE", "1");
    assert_eq!(machine.project.check(&[]).0, 0, "the same as unset");
}

#[test]
fn order_another_algorithm_of_nccl() {
    let mut machine = Machine::new("");
    machine.project.set("NCCL_ALGO", "Tree");
    machine.finds("order", "nccl-algo", "deny");
}

#[test]
fn algorithm_another_gpu_and_another_release() {
    let machine = Machine::new("");
    machine.gpus(&(A100.replace("GPU-5", "GPU-6") + A100));
    let report = machine.finds("algorithm", "gpu-model", "deny");
    let facts = finding(&report, "gpu-model")["facts"].to_string();
    assert!(facts.contains("NVIDIA A100-SXM4-80GB") && facts.contains("gpu.0.name"), "{facts}");
    // In another order they are the same machine.
    machine.gpus(&(h100(1) + &h100(0)));
    assert_eq!(machine.project.check(&[]).0, 0);
    machine.package("torch", "2.11.0");
    machine.finds("algorithm", "torch-release-gpu", "deny");
    machine.package("torch", "2.10.0");
    assert_eq!(machine.project.check(&[]).0, 0);
    // What driftlock has no rule for is told, and stops nobody.
    machine.package("acme_thing", "26.1.0");
    machine.finds("code", "package-version", "warn");
}

#[test]
fn precision_tf32_switched_off() {
    let mut machine = Machine::new("");
    machine.project.set("NVIDIA_TF32_OVERRIDE", "0");
    let report = machine.finds("precision", "nvidia-tf32-override", "deny");
    let facts = &finding(&report, "nvidia-tf32-override")["facts"][0];
    assert_eq!((&facts["expected"], &facts["found"]), (&"absent".into(), &"0".into()));
}

#[test]
fn rounding_another_number_of_threads() {
    let mut machine = Machine::new("");
    machine.package("sklearn", "1.9.1");
    machine.package("scikit_learn", "1.9.1");
    machine.project.run(&["init", "--renew"]);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    machine.project.set("OMP_NUM_THREADS", &(threads + 1).to_string());
    let rule = "sklearn-openmp-threads";
    machine.finds("rounding", rule, "warn");
    machine.project.write("driftlock.toml", "fail-on = \"rounding\"\n");
    machine.finds("rounding", rule, "deny");
}

#[test]
fn a_framework_that_is_gone() {
    let machine = Machine::new("");
    for name in ["torch", "torch-2.10.0.dist-info"] {
        std::fs::remove_dir_all(machine.site.join(name)).unwrap();
    }
    let (code, report) = machine.project.report(&[]);
    assert_eq!(code, 1);
    assert_eq!(rules(&report, "deny"), ["missing"], "and nothing of its build or release: {report:#}");
    let missing = finding(&report, "missing");
    assert_eq!(missing["facts"][0]["fact"], "torch.version");
}

#[test]
fn the_project_s_own_package_follows_its_commits() {
    let machine = Machine::new("");
    let install = |version: &str, folder: &str| {
        machine.package("ours", version);
        let text = format!("{{\"url\": \"file://{folder}\", \"dir_info\": {{\"editable\": true}}}}");
        std::fs::write(machine.site.join(format!("ours-{version}.dist-info/direct_url.json")), text).unwrap();
    };
    let here = machine.project.path().canonicalize().unwrap().display().to_string();
    install("0.1", &here);
    machine.project.run(&["init", "--renew"]);
    assert!(machine.project.read("driftlock.lock").contains("origin = \"{project}\""));
    install("0.2.dev3+g1234", &here);
    let (code, report) = machine.project.report(&[]);
    assert_eq!((code, rules(&report, "warn").len()), (0, 0), "{report:#}");
    // From another folder it is a package like any other.
    install("0.3", "/elsewhere");
    let (_, report) = machine.project.report(&[]);
    assert!(report["findings"].to_string().contains("python.packages.ours"), "{report:#}");
    assert!(!rules(&report, "deny").is_empty() || !rules(&report, "warn").is_empty());
}
