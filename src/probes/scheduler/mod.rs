//! The `scheduler` section.

mod systems;

use super::{Context, Probe, ProbeError, Sink};
use crate::host::Host;
use systems::{SYSTEMS, System};

/// See the module.
pub struct Scheduler;

impl Probe for Scheduler {
    fn section(&self) -> &'static str {
        "scheduler"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let host = cx.host.as_ref();
        let at_work: Vec<&System> =
            SYSTEMS.iter().filter(|s| s.marks.iter().all(|mark| set(host, mark).is_some())).collect();
        if at_work.is_empty() {
            return Ok(());
        }
        let mut names: Vec<&str> =
            at_work.iter().map(|s| s.name).filter(|name| !implied(name, &at_work)).collect();
        names.sort_unstable();
        out.set("systems", names);
        number(host, out, &at_work, "world_size", |s| s.world_size);
        number(host, out, &at_work, "rank", |s| s.rank);
        number(host, out, &at_work, "local_rank", |s| s.local_rank);
        number(host, out, &at_work, "nodes", |s| s.nodes);
        number(host, out, &at_work, "node_rank", |s| s.node_rank);
        number(host, out, &at_work, "cpus_per_task", |s| s.cpus_per_task);
        number(host, out, &at_work, "slots", |s| s.slots);
        number(host, out, &at_work, "restarts", |s| s.restarts);
        number(host, out, &at_work, "gpus", |s| s.gpus);
        if !number(host, out, &at_work, "local_world_size", |s| s.local_world_size) {
            slurm_tasks(host, out);
        }
        // Outside of an array LSF says 0 and Grid Engine says `undefined`.
        let index = first(host, &at_work, |s| s.array_index)
            .filter(|(name, value)| value != "undefined" && !(*name == "LSB_JOBINDEX" && value == "0"));
        record(out, "array_index", index);
        for (fact, names) in [("job_id", (|s| s.job_id) as Names), ("node_list", |s| s.node_list)] {
            if let Some((name, value)) = first(host, &at_work, names) {
                out.set(fact, value);
                out.set(&format!("found_by.{fact}"), name);
            }
        }
        out.set_opt("master", set(host, "MASTER_ADDR"));
        Ok(())
    }
}

type Names = fn(&System) -> &'static [&'static str];

/// The value of a variable that is set and not empty.
fn set(host: &dyn Host, name: &str) -> Option<String> {
    host.env(name).filter(|value| !value.trim().is_empty())
}

/// Whether a system's marks are set by another one that is at work, for its own purpose: torchrun sets torch's
/// variables, Slurm's PMI plug-ins those of MPICH and PMIx, Open MPI and Intel MPI likewise.
fn implied(name: &str, at_work: &[&System]) -> bool {
    let by: &[&str] = match name {
        "torch-env" => &["torchrun", "deepspeed"],
        "mpich" => &["intel-mpi", "mvapich2", "slurm", "flux"],
        "pmix" => &["openmpi", "slurm", "flux", "jsrun"],
        _ => &[],
    };
    at_work.iter().any(|s| by.contains(&s.name))
}

/// The first variable that any of these systems sets for a quantity, innermost system first.
fn first(host: &dyn Host, at_work: &[&System], names: Names) -> Option<(&'static str, String)> {
    at_work.iter().flat_map(|s| names(s)).find_map(|name| set(host, name).map(|value| (*name, value)))
}

fn number(host: &dyn Host, out: &Sink, at_work: &[&System], fact: &str, names: Names) -> bool {
    record(out, fact, first(host, at_work, names))
}

/// Records a number and the variable that it comes from; whether there was one.
fn record(out: &Sink, fact: &str, found: Option<(&'static str, String)>) -> bool {
    let Some((name, value)) = found else { return false };
    match value.trim().parse::<u32>() {
        Ok(number) => {
            out.set(fact, number);
            out.set(&format!("found_by.{fact}"), name);
        }
        Err(_) => out.unknown(fact, format!("{name} is not a number")),
    }
    true
}

/// Slurm gives the tasks of all nodes at once, and which node this is.
fn slurm_tasks(host: &dyn Host, out: &Sink) {
    let names = ["SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE"];
    let Some((name, tasks)) = names.into_iter().find_map(|name| set(host, name).map(|value| (name, value)))
    else {
        return;
    };
    let node = set(host, "SLURM_NODEID").and_then(|id| id.trim().parse().ok()).unwrap_or(0);
    match parse_tasks_per_node(&tasks, node) {
        Some(tasks) => {
            out.set("local_world_size", tasks);
            out.set("found_by.local_world_size", name);
        }
        None => out.unknown("local_world_size", format!("{name} does not say")),
    }
}

/// `SLURM_TASKS_PER_NODE` (sbatch(1)): counts in the order of the nodes, `(xN)` for N nodes alike: `2(x3),1`.
fn parse_tasks_per_node(text: &str, node: u32) -> Option<u32> {
    let mut left = node;
    for part in text.split(',') {
        let (tasks, repeated) = part
            .split_once("(x")
            .map_or((part, Some(1)), |(tasks, n)| (tasks, n.trim_end_matches(')').parse().ok()));
        let repeated = repeated?;
        if left < repeated {
            return tasks.trim().parse().ok();
        }
        left -= repeated;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::facts::{self, Class};
    use crate::host::recorded::Recorded;
    use crate::probes::Options;
    use crate::snapshot::Value;

    fn facts(env: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
        host.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let out = Sink::new("scheduler");
        Scheduler.collect(&Context::new(Arc::new(host), Options::default()), &out).unwrap();
        let collected = out.snapshot(None);
        let unknown = collected
            .unknown
            .into_iter()
            .map(|(path, reason)| (path, Value::from(format!("unknown: {reason}"))));
        let all = collected.facts.into_iter().chain(unknown);
        all.map(|(path, value)| (path.segments()[1..].join("."), value.plain())).collect()
    }

    fn get<'a>(facts: &'a BTreeMap<String, String>, names: &[&str]) -> Vec<&'a str> {
        names.iter().map(|name| facts.get(*name).map_or("", String::as_str)).collect()
    }

    const PARTS: [&str; 7] =
        ["systems", "world_size", "rank", "local_world_size", "local_rank", "nodes", "node_rank"];

    const SLURM: [(&str, &str); 9] = [
        ("SLURM_JOB_ID", "77"),
        ("SLURM_NTASKS", "7"),
        ("SLURM_PROCID", "6"),
        ("SLURM_LOCALID", "0"),
        ("SLURM_NODEID", "3"),
        ("SLURM_JOB_NUM_NODES", "4"),
        ("SLURM_TASKS_PER_NODE", "2(x3),1"),
        ("SLURM_JOB_NODELIST", "gpu[07-10]"),
        ("PMI_RANK", "6"),
    ];

    #[test]
    fn no_scheduler_is_an_empty_section() {
        assert!(facts(&[("RANK", "3"), ("HOME", "/")]).is_empty());
    }

    #[test]
    fn slurm() {
        let facts = facts(&SLURM);
        assert_eq!(get(&facts, &PARTS), ["slurm", "7", "6", "1", "0", "4", "3"]);
        assert_eq!(
            get(&facts, &["job_id", "node_list", "found_by.world_size"]),
            ["77", "gpu[07-10]", "SLURM_NTASKS"]
        );
    }

    #[test]
    fn torchrun_inside_slurm_counts() {
        let torchrun = [
            ("TORCHELASTIC_RUN_ID", "none"),
            ("WORLD_SIZE", "16"),
            ("RANK", "9"),
            ("LOCAL_WORLD_SIZE", "8"),
            ("LOCAL_RANK", "1"),
            ("GROUP_RANK", "1"),
            ("MASTER_ADDR", "gpu07"),
        ];
        let facts = facts(&[&SLURM[..], &torchrun].concat());
        assert_eq!(get(&facts, &PARTS), ["slurm torchrun", "16", "9", "8", "1", "4", "1"]);
        assert_eq!(get(&facts, &["master", "found_by.rank"]), ["gpu07", "RANK"]);
    }

    #[test]
    fn mpi_and_others() {
        let ompi = [
            ("OMPI_COMM_WORLD_SIZE", "4"),
            ("OMPI_COMM_WORLD_RANK", "3"),
            ("OMPI_COMM_WORLD_LOCAL_SIZE", "2"),
            ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
            ("PMIX_RANK", "3"),
        ];
        assert_eq!(get(&facts(&ompi), &PARTS[..5]), ["openmpi", "4", "3", "2", "1"]);
        let hydra =
            [("PMI_RANK", "3"), ("PMI_SIZE", "4"), ("MPI_LOCALRANKID", "1"), ("MPI_LOCALNRANKS", "2")];
        assert_eq!(get(&facts(&hydra), &PARTS[..5]), ["mpich", "4", "3", "2", "1"]);
        let lsf = [("LSB_JOBID", "5"), ("LSB_DJOB_NUMPROC", "32"), ("LSB_JOBINDEX", "0")];
        assert_eq!(
            get(&facts(&lsf), &["systems", "slots", "array_index", "world_size"]),
            ["lsf", "32", "", ""]
        );
        let pbs = [("PBS_JOBID", "5.pbs01"), ("PBS_NUM_NODES", "2"), ("PBS_ARRAY_INDEX", "7")];
        assert_eq!(get(&facts(&pbs), &["systems", "nodes", "array_index"]), ["pbs", "2", "7"]);
        let pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("JOB_COMPLETION_INDEX", "2")];
        assert_eq!(get(&facts(&pod), &["systems", "array_index"]), ["kubernetes", "2"]);
    }

    #[test]
    fn what_is_no_number_is_unknown() {
        let facts =
            facts(&[("SLURM_JOB_ID", "1"), ("SLURM_NTASKS", "many"), ("SLURM_TASKS_PER_NODE", "2(x")]);
        assert_eq!(
            get(&facts, &["world_size", "local_world_size"]),
            ["unknown: SLURM_NTASKS is not a number", "unknown: SLURM_TASKS_PER_NODE does not say",]
        );
    }

    #[test]
    fn tasks_per_node() {
        let of = |text, node| parse_tasks_per_node(text, node);
        assert_eq!(
            (of("4", 0), of("4", 1), of("2(x3),1", 2), of("2(x3),1", 3)),
            (Some(4), None, Some(2), Some(1))
        );
        assert_eq!((of("", 0), of("a(x2)", 0), of("2(x99999999999)", 0)), (None, None, None));
    }

    #[test]
    fn two_ranks_of_a_job_have_one_fingerprint() {
        let class = |name: &str| facts::find(&format!("scheduler.{name}").parse().unwrap()).unwrap().class;
        for name in ["rank", "local_rank", "node_rank", "job_id", "restarts", "found_by.rank"] {
            assert_eq!(class(name), Class::Volatile, "{name}");
        }
        for name in ["world_size", "nodes", "array_index"] {
            assert_eq!(class(name), Class::Identity, "{name}");
        }
    }
}
