//! How much of the machine this process may use: affinity, cpuset and CPU quota.

use super::list;
use crate::host::{Host, System};
use crate::probes::Sink;
use crate::probes::cgroup::{Cgroup, Version};

/// What confines this process.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    /// The CPUs it may run on, where the system can tell.
    pub(super) affinity: Option<Vec<u32>>,
    /// The CPUs that its cpuset allows.
    cpuset: Option<Result<String, String>>,
    /// The CPU bandwidth in thousandths of a CPU, with the road by which it was found.
    quota: Option<Result<(u64, Version), String>>,
}

impl Limits {
    /// Of this process.
    pub(super) fn of(host: &dyn Host, system: &System) -> Self {
        let mut limits = Self { affinity: system.affinity.clone(), ..Self::default() };
        match Cgroup::of(host) {
            Ok(cgroup) => {
                limits.cpuset = cpuset(host, &cgroup).transpose();
                limits.quota = quota(host, &cgroup).transpose();
            }
            Err(reason) => {
                limits.cpuset = Some(Err(reason.clone()));
                limits.quota = Some(Err(reason));
            }
        }
        limits
    }

    /// The number of CPUs it may run on.
    pub(super) fn count(&self) -> Option<u32> {
        let count = self.affinity.as_ref()?.len();
        u32::try_from(count).ok().filter(|n| *n > 0)
    }

    /// The quota in thousandths of a CPU; `Ok(None)` where there is none.
    pub(super) fn quota(&self) -> Result<Option<u64>, String> {
        self.quota.clone().transpose().map(|quota| quota.map(|(millicpus, _)| millicpus))
    }

    /// Writes the facts.
    pub(super) fn record(&self, out: &Sink) {
        if let Some(cpus) = &self.affinity {
            out.set("affinity.count", cpus.len());
            out.set("affinity.cpus", list::format(cpus));
        }
        out.set_result("cpuset", self.cpuset.clone().transpose());
        match &self.quota {
            Some(Ok((millicpus, version))) => {
                out.set("quota_millicpus", *millicpus);
                out.set("quota_found_by", format!("cgroup {}", version.as_str()));
            }
            Some(Err(reason)) => out.unknown("quota_millicpus", reason),
            None => {}
        }
    }
}

/// The effective CPUs of this process's cpuset, as the kernel writes them.
fn cpuset(host: &dyn Host, cgroup: &Cgroup) -> Result<Option<String>, String> {
    let Some(branch) = cgroup.controller(host, "cpuset") else {
        return Ok(None);
    };
    let files: &[&str] = match branch.version {
        Version::V2 => &["cpuset.cpus.effective"],
        Version::V1 => &["cpuset.effective_cpus", "cpuset.cpus"],
    };
    for file in files {
        // The innermost group that has the file: what is effective there is a subset of what is effective above.
        let found = branch.texts(host, file)?.into_iter().find(|cpus| !cpus.is_empty());
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The smallest bandwidth of the groups that act on this process.
fn quota(host: &dyn Host, cgroup: &Cgroup) -> Result<Option<(u64, Version)>, String> {
    let Some(branch) = cgroup.controller(host, "cpu") else {
        return Ok(None);
    };
    let millicpus = match branch.version {
        Version::V2 => branch.texts(host, "cpu.max")?.iter().filter_map(|text| parse_cpu_max(text)).min(),
        Version::V1 => {
            let quotas = branch.texts(host, "cpu.cfs_quota_us")?;
            let periods = branch.texts(host, "cpu.cfs_period_us")?;
            quotas.iter().zip(&periods).filter_map(|(quota, period)| millicpus(quota, period)).min()
        }
    };
    Ok(millicpus.map(|millicpus| (millicpus, branch.version)))
}

/// `cpu.max` (cgroup-v2.rst): `max 100000` or `350000 100000`, quota and period in microseconds.
fn parse_cpu_max(text: &str) -> Option<u64> {
    let (quota, period) = text.split_once(' ')?;
    millicpus(quota, period)
}

/// Microseconds of CPU time per period of so many microseconds, as thousandths of a CPU; `None` for no limit, which
/// is `max` in version 2 and `-1` in version 1.
fn millicpus(quota: &str, period: &str) -> Option<u64> {
    let (quota, period) = (quota.trim().parse::<u64>().ok()?, period.trim().parse::<u64>().ok()?);
    quota.checked_mul(1000)?.checked_div(period).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_of_both_versions() {
        assert_eq!(parse_cpu_max("350000 100000"), Some(3500));
        assert_eq!(parse_cpu_max("max 100000"), None);
        assert_eq!(millicpus("150000\n", "100000\n"), Some(1500));
        assert_eq!(millicpus("-1", "100000"), None);
        assert_eq!(millicpus("100000", "0"), None);
        assert_eq!(millicpus("18446744073709551615", "1"), None);
    }
}
