//! The file of one rank of a distributed job.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::host::Host;

/// Variables that tell a process its rank, with those that tell how many ranks there are; innermost launcher first.
///
/// Slurm sets `SLURM_PROCID` and `SLURM_NTASKS` in batch scripts too, where only one process runs:
/// `SLURM_STEP_NUM_TASKS` is srun's alone (srun(1), OUTPUT ENVIRONMENT VARIABLES).
const LAUNCHERS: [(&str, &str); 8] = [
    ("RANK", "WORLD_SIZE"),
    ("HOROVOD_RANK", "HOROVOD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE"),
    ("FLUX_TASK_RANK", "FLUX_JOB_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
];

/// This process's rank, where a launcher started it as one of several.
pub fn of(host: &dyn Host) -> Option<u32> {
    let number = |name: &str| host.env(name)?.parse::<u32>().ok();
    LAUNCHERS.iter().find_map(|(rank, size)| {
        let (rank, size) = (number(rank)?, number(size)?);
        (size > 1 && rank < size).then_some(rank)
    })
}

/// `FILE.RANK`: ranks on a shared file system never write the same file.
pub fn file(path: &Path, rank: Option<u32>) -> PathBuf {
    let Some(rank) = rank else {
        return path.to_path_buf();
    };
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(format!(".{rank}"));
    name.into()
}
