//! What Python's own libraries count.

use std::path::Path;

use super::{Count, Inputs, positive};

/// `os.cpu_count()` of the online CPUs, or `os.process_cpu_count()` of the usable ones; from Python 3.13 on
/// `PYTHON_CPU_COUNT` overrides both.
pub(super) fn cpu_count(inputs: &Inputs<'_>, count: u32) -> Count {
    let forced = inputs.env("PYTHON_CPU_COUNT").filter(|text| text != "default");
    match (forced, inputs.machine.versions.python) {
        (None, _) => Ok(count),
        (Some(_), Some(version)) if version < (3, 13) => Ok(count),
        (Some(text), Some(_)) => {
            number(&text).ok_or_else(|| "Python refuses this PYTHON_CPU_COUNT".to_owned())
        }
        (Some(_), None) => {
            Err("PYTHON_CPU_COUNT acts from Python 3.13 on, and the version is not known".to_owned())
        }
    }
}

/// NumExpr (`numexpr/utils.py` of 2.10): `NUMEXPR_NUM_THREADS`, else `OMP_NUM_THREADS`, else `NUMEXPR_MAX_THREADS`,
/// else the online CPUs, at most 16. Before 2.10 it was at most 8.
pub(super) fn numexpr(inputs: &Inputs<'_>) -> Count {
    let names = ["NUMEXPR_NUM_THREADS", "OMP_NUM_THREADS", "NUMEXPR_MAX_THREADS"];
    match names.iter().find_map(|name| Some((name, inputs.env(name)?))) {
        Some((name, text)) => {
            number(&text).ok_or_else(|| format!("NumExpr refuses to start: {name} is no number"))
        }
        None => Ok(inputs.online.min(16)),
    }
}

/// `joblib.cpu_count()` (`loky/backend/context.py`): the least of the online CPUs, the affinity mask, the CPU quota
/// rounded up, and `LOKY_MAX_CPU_COUNT`.
pub(super) fn loky(inputs: &Inputs<'_>) -> Count {
    Ok(loky_user(inputs)?.min(inputs.online).max(1))
}

fn loky_user(inputs: &Inputs<'_>) -> Count {
    let forced = match inputs.env("LOKY_MAX_CPU_COUNT") {
        None => inputs.online,
        Some(text) => number(&text).ok_or_else(|| "joblib refuses this LOKY_MAX_CPU_COUNT".to_owned())?,
    };
    Ok(inputs.usable.min(loky_quota(inputs)).min(forced))
}

/// The quota as loky finds it: at the root of what is mounted, not in the process's own group.
fn loky_quota(inputs: &Inputs<'_>) -> u32 {
    let read = |file: &str| inputs.machine.host.text(Path::new(file)).ok();
    let v2 = || {
        let text = read("/sys/fs/cgroup/cpu.max")?;
        let (quota, period) = text.split_once(' ')?;
        Some((quota.to_owned(), period.trim().to_owned()))
    };
    let v1 = || {
        Some((read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")?, read("/sys/fs/cgroup/cpu/cpu.cfs_period_us")?))
    };
    let cpus = v2().or_else(v1).and_then(|(quota, period)| {
        let (quota, period) = (quota.parse::<u64>().ok()?, period.parse::<u64>().ok().filter(|p| *p > 0)?);
        u32::try_from(quota.div_ceil(period)).ok().filter(|n| *n > 0)
    });
    cpus.unwrap_or(u32::MAX)
}

/// The threads of scikit-learn's own OpenMP loops (`sklearn/utils/_openmp_helpers.pyx`): libgomp's number; where
/// `OMP_NUM_THREADS` is not set, at most what loky allows, and cores rather than hardware threads where nothing
/// confines the process.
pub(super) fn sklearn(inputs: &Inputs<'_>, libgomp: Count) -> Count {
    let libgomp = libgomp?;
    if inputs.env("OMP_NUM_THREADS").is_some() {
        return Ok(libgomp);
    }
    let user = loky_user(inputs)?;
    let cpus = match user < inputs.online {
        true => user,
        false if inputs.cores < inputs.online && inputs.machine.host.which("lscpu").is_none() => {
            return Err("loky counts cores with lscpu, which is not installed".to_owned());
        }
        false => inputs.cores,
    };
    Ok(libgomp.min(cpus.max(1)))
}

/// A number above 0 as Python's `int()` reads it (without underscores).
fn number(text: &str) -> Option<u32> {
    positive(text.trim().parse().ok()?)
}
