//! The machine in a few lines: what `capture` prints and what every report begins with.

use std::collections::BTreeMap;

use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// Name and text of each line; a section that was not captured, or that holds nothing to tell, has none.
pub fn lines(snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    let facts = Lookup(snapshot);
    let all = [
        ("os", os(&facts)),
        ("cpu", cpu(&facts)),
        ("gpu", gpu(&facts)),
        ("cuda", cuda(&facts)),
        ("torch", framework(&facts, "torch")),
        ("tensorflow", framework(&facts, "tensorflow")),
        ("jax", framework(&facts, "jax")),
        ("numpy", numpy(&facts)),
        ("python", python(&facts)),
        ("env", env(&facts)),
        ("git", git(&facts)),
        ("scheduler", scheduler(&facts)),
        ("data", data(&facts)),
        ("config", config(&facts)),
    ];
    all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn os(facts: &Lookup<'_>) -> Option<String> {
    let system = facts.text("os.distribution_name").or_else(|| facts.text("os.family"))?;
    let kernel = facts.text("os.kernel").map(|k| format!("kernel {k}"));
    let libc = facts
        .text("os.libc")
        .map(|name| format!("{name} {}", facts.text("os.libc_version").unwrap_or_default()));
    let emulation = facts.text("os.emulation").filter(|e| e != "none").map(|e| format!("under {e}"));
    let container = facts.text("container.runtime").filter(|r| r != "none").map(|k| format!("in {k}"));
    Some(join([Some(system), kernel, libc.map(|l| l.trim_end().to_owned()), emulation, container]))
}

fn cpu(facts: &Lookup<'_>) -> Option<String> {
    let model = facts.text("cpu.model")?;
    // Marks and nominal clock say nothing that the name does not.
    let model = model.split(" @").next().unwrap_or_default().replace("(R)", "").replace("(TM)", "");
    let model = model.split_whitespace().filter(|word| *word != "CPU").collect::<Vec<_>>().join(" ");
    let cores =
        facts.int("cpu.physical_cores").or_else(|| facts.int("cpu.logical_cpus")).map(|n| count(n, "core"));
    let threads = facts.int("cpu.threads.torch").map(|n| count(n, "torch thread"));
    let aten = facts.text("cpu.dispatch.aten").map(|level| format!("ATen {level}"));
    Some(join([Some(model), cores, threads, aten]))
}

fn gpu(facts: &Lookup<'_>) -> Option<String> {
    let count = facts.int("gpu.count")?;
    if count == 0 {
        return Some("none".to_owned());
    }
    let mut kinds: BTreeMap<String, i64> = BTreeMap::new();
    for i in 0..count {
        let name = facts.text(&format!("gpu.{i}.name")).unwrap_or_else(|| "unknown GPU".to_owned());
        *kinds.entry(name).or_default() += 1;
    }
    let names = kinds.iter().map(|(name, n)| if *n == 1 { name.clone() } else { format!("{n} x {name}") });
    let names = names.collect::<Vec<_>>().join(" + ");
    let driver = facts.text("gpu.driver.version").or_else(|| facts.text("gpu.driver.kernel_module"));
    let visible = facts.len("gpu.visible").filter(|n| *n != count).map(|n| format!("{n} visible"));
    let mismatch = facts.is("gpu.driver.mismatch").then(|| "driver and library do not match".to_owned());
    Some(join([Some(names), driver.map(|d| format!("driver {d}")), visible, mismatch]))
}

fn cuda(facts: &Lookup<'_>) -> Option<String> {
    let version = |library: &str| {
        facts.text(&format!("cuda.libraries.{library}.version")).map(|version| format!("{library} {version}"))
    };
    let all = ["cudart", "cublas", "cudnn", "nccl"].map(version);
    all.iter().any(Option::is_some).then(|| join(all))
}

fn framework(facts: &Lookup<'_>, name: &str) -> Option<String> {
    let version = facts.text(&format!("{name}.version"))?;
    let cuda = facts.text(&format!("{name}.cuda")).map(|v| format!("for CUDA {v}"));
    let hip = facts.text(&format!("{name}.hip")).map(|v| format!("for HIP {v}"));
    let jaxlib = facts.text("jax.jaxlib").filter(|_| name == "jax").map(|v| format!("jaxlib {v}"));
    Some(join([Some(version), cuda, hip, jaxlib]))
}

fn numpy(facts: &Lookup<'_>) -> Option<String> {
    let version = facts.text("numpy.version")?;
    let blas = facts.text("numpy.blas.name").map(|n| match facts.text("numpy.blas.version") {
        Some(version) => format!("{n} {version}"),
        None => n,
    });
    Some(join([Some(version), blas]))
}

fn python(facts: &Lookup<'_>) -> Option<String> {
    let version = facts.text("python.version")?;
    let kind = facts.text("python.kind");
    let packages = facts.children("python.packages");
    let conda = Some(facts.children("python.conda")).filter(|n| *n > 0).map(|n| count(n, "conda package"));
    Some(join([Some(version), kind, Some(count(packages, "package")), conda]))
}

fn env(facts: &Lookup<'_>) -> Option<String> {
    let n = facts.children("env");
    (n > 0).then(|| count(n, "variable"))
}

fn git(facts: &Lookup<'_>) -> Option<String> {
    let commit = facts.text("git.commit")?;
    let short = commit.chars().take(12).collect::<String>();
    let place = facts.text("git.branch").map(|b| format!("on {b}"));
    let changed: i64 =
        ["staged", "unstaged", "conflicted"].iter().filter_map(|k| facts.int(&format!("git.{k}"))).sum();
    let changed = (changed > 0).then(|| format!("{} uncommitted", count(changed, "change")));
    let untracked = facts.int("git.untracked").filter(|n| *n > 0).map(|n| format!("{n} untracked"));
    Some(join([Some(short), place, changed, untracked]))
}

fn scheduler(facts: &Lookup<'_>) -> Option<String> {
    let systems = facts.text("scheduler.systems").filter(|s| !s.is_empty())?;
    let world = facts.int("scheduler.world_size").map(|n| format!("world size {n}"));
    Some(join([Some(systems), world]))
}

fn data(facts: &Lookup<'_>) -> Option<String> {
    let n = facts.children("data");
    (n > 0).then(|| count(n, "path") + " digested")
}

fn config(facts: &Lookup<'_>) -> Option<String> {
    let n = facts.0.facts.keys().filter(|path| path.section() == "config").count();
    (n > 0).then(|| count(i64::try_from(n).unwrap_or(i64::MAX), "value"))
}

/// The parts that are there, with commas.
fn join<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `1 core`, `2 cores`.
fn count(n: i64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

struct Lookup<'a>(&'a Snapshot);

impl Lookup<'_> {
    fn value(&self, path: &str) -> Option<&Value> {
        match self.0.look(&path.parse().ok()?) {
            Looked::Value(value) => Some(value),
            _ => None,
        }
    }

    fn text(&self, path: &str) -> Option<String> {
        self.value(path).map(|value| crate::snapshot::value::shown(&value.plain()).into_owned())
    }

    fn int(&self, path: &str) -> Option<i64> {
        self.value(path)?.as_int()
    }

    fn is(&self, path: &str) -> bool {
        matches!(self.value(path), Some(Value::Bool(true)))
    }

    /// The length of a list.
    fn len(&self, path: &str) -> Option<i64> {
        match self.value(path)? {
            Value::List(items) => i64::try_from(items.len()).ok(),
            _ => None,
        }
    }

    /// How many different segments stand below `path`.
    fn children(&self, path: &str) -> i64 {
        let Ok(path) = path.parse::<FactPath>() else { return 0 };
        let depth = path.segments().len();
        let below = self.0.facts.keys().chain(self.0.volatile.keys()).filter(|p| path.covers(p));
        let names: std::collections::BTreeSet<&String> =
            below.filter_map(|p| p.segments().get(depth)).collect();
        i64::try_from(names.len()).unwrap_or(i64::MAX)
    }
}
