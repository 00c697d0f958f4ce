//! MKL, OpenBLAS and BLIS.

use super::openmp::{binds, is_true, libgomp, limit, list};
use super::{Count, Inputs, leading_number, positive};

/// The most threads that the OpenBLAS in the wheels of NumPy and SciPy is built for (`NUM_THREADS=64`; shown as
/// `MAX_THREADS=64` by `numpy.show_config()`).
pub(super) const WHEEL_MAX: u32 = 64;

/// `mkl_get_max_threads()` cut by `OMP_THREAD_LIMIT`, with the GNU threading layer that torch links.
///
/// `MKL_NUM_THREADS`, else the first item of `OMP_NUM_THREADS`, else the CPUs of the affinity mask; not more than
/// there are cores unless `MKL_DYNAMIC` is `FALSE` (oneMKL Developer Guide, "MKL_DYNAMIC"). What is no number, or one
/// below 0, in `MKL_NUM_THREADS` counts as 1, and 0 as not set (measured with MKL 2024.2).
pub(super) fn mkl(inputs: &Inputs<'_>) -> Count {
    if inputs.env("MKL_DOMAIN_NUM_THREADS").is_some() {
        return Err("MKL_DOMAIN_NUM_THREADS gives each part of MKL a number of its own".to_owned());
    }
    if is_true(inputs.env("OMP_DYNAMIC")) {
        return libgomp(inputs);
    }
    let own = inputs.env("MKL_NUM_THREADS").map(|text| match text.bytes().all(|b| b.is_ascii_digit()) {
        true => leading_number(&text),
        false => 1,
    });
    let asked = match own {
        Some(0) | None => inputs.env("OMP_NUM_THREADS").and_then(|text| list(&text)),
        Some(number) => Some(positive(number).unwrap_or(1)),
    };
    let dynamic = !inputs.env("MKL_DYNAMIC").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let threads = match asked {
        Some(asked) if dynamic => asked.min(inputs.cores),
        Some(asked) => asked,
        // Whether it counts cores or hardware threads in a mask that leaves some out is documented nowhere.
        None if inputs.counts.smt() == Some(true) && inputs.usable < inputs.online && inputs.usable > 1 => {
            return Err("the affinity leaves out CPUs of a processor with SMT".to_owned());
        }
        None => inputs.usable.min(inputs.cores),
    };
    Ok(threads.min(limit(inputs)))
}

/// The threads of an OpenBLAS built with its own (pthreads) pool, before its compiled-in maximum
/// (`driver/others/memory.c`, `openblas_env.c`): `OPENBLAS_NUM_THREADS`, `OPENBLAS_DEFAULT_NUM_THREADS`,
/// `GOTO_NUM_THREADS`, `OMP_NUM_THREADS`, each where those before are not above 0, else all; never more than the
/// affinity mask has. Numbers are read by `atoi`. A build with OpenMP starts as many as `threads.libgomp`.
pub(super) fn openblas(inputs: &Inputs<'_>) -> Count {
    let names =
        ["OPENBLAS_NUM_THREADS", "OPENBLAS_DEFAULT_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"];
    let asked = names.iter().find_map(|name| positive(leading_number(&inputs.env(name)?)));
    if asked != Some(1) && inputs.usable > 1 && binds(inputs) {
        return Err(
            "OpenMP binds the process to one place, before or after OpenBLAS counts its CPUs".to_owned()
        );
    }
    Ok(asked.unwrap_or(inputs.usable).min(inputs.usable))
}

/// The threads of BLIS (`frame/thread/bli_thread.c`, `frame/base/bli_rntm.c`): `BLIS_NUM_THREADS`, `BLIS_NT`,
/// `OMP_NUM_THREADS`, else one.
pub(super) fn blis(inputs: &Inputs<'_>) -> Count {
    let loops = ["BLIS_JC_NT", "BLIS_PC_NT", "BLIS_IC_NT", "BLIS_JR_NT", "BLIS_IR_NT"];
    if let Some(name) = loops.iter().find(|name| inputs.env(name).is_some()) {
        return Err(format!("{name} sets the threads of one loop"));
    }
    let names = ["BLIS_NUM_THREADS", "BLIS_NT", "OMP_NUM_THREADS"];
    match names.iter().find_map(|name| inputs.env(name)).map(|text| leading_number(&text)) {
        None | Some(-1) => Ok(1),
        Some(number) => positive(number).ok_or_else(|| format!("not derived for {number} threads")),
    }
}
