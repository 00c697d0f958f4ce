//! PyTorch, TensorFlow, XLA and TBB.

use super::openmp::{libgomp, limit};
use super::{Count, Inputs, blas, leading_number, positive};

/// The team size of ATen's parallel loops: `torch.get_num_threads()` cut by `OMP_THREAD_LIMIT`
/// (`aten/src/ATen/ParallelOpenMP.cpp`, `ParallelCommon.cpp`).
///
/// x86-64 builds link MKL and take its number. The others take `MKL_NUM_THREADS`, else `OMP_NUM_THREADS`, each read
/// by `std::stoi`, else the cores of the machine, whatever the affinity.
pub(super) fn torch(inputs: &Inputs<'_>) -> Count {
    if inputs.machine.is_x86_64() {
        return blas::mkl(inputs);
    }
    libgomp(inputs)?;
    let asked = ["MKL_NUM_THREADS", "OMP_NUM_THREADS"]
        .iter()
        .find_map(|name| positive(leading_number(&inputs.env(name)?)));
    Ok(asked.unwrap_or(inputs.cores).min(limit(inputs)))
}

/// One of TensorFlow's two pools (`tensorflow/core/common_runtime/process_util.cc`): its variable where that is a
/// number above 0, else the CPUs of the affinity mask. `OMP_NUM_THREADS` does not count.
pub(super) fn tensorflow(inputs: &Inputs<'_>, variable: &str) -> Count {
    let asked = inputs.env(variable).and_then(|text| text.trim().parse::<i64>().ok()).and_then(positive);
    Ok(asked.unwrap_or(inputs.usable))
}

/// The thread pool of the CPU client of PJRT (JAX; `xla/pjrt/utils.cc`, `DefaultThreadPoolSize`): `PJRT_NPROC`, else
/// `NPROC`, else the CPUs of the affinity mask.
pub(super) fn xla(inputs: &Inputs<'_>) -> Count {
    let number = |name: &&str| inputs.env(name).and_then(|text| text.trim().parse::<i64>().ok());
    match ["PJRT_NPROC", "NPROC"].iter().find_map(number) {
        None => Ok(inputs.usable),
        Some(number) => positive(number).ok_or_else(|| "a pool of no threads".to_owned()),
    }
}

/// oneTBB's default arena: the CPUs of the affinity mask; newer versions also heed the CPU quota.
pub(super) fn tbb(inputs: &Inputs<'_>) -> Count {
    match inputs.limits.quota()? {
        Some(millicpus) if millicpus < u64::from(inputs.usable) * 1000 => {
            Err("whether TBB heeds the CPU quota depends on its version".to_owned())
        }
        _ => Ok(inputs.usable),
    }
}
