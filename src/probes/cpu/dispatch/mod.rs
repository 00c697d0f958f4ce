//! The code path that each numeric library would select on this processor under this environment, derived from the
//! library's own rules without loading it. What cannot be derived surely is unknown, with the reason.

mod aten;
mod glibc;
mod mkl;
mod numpy;
mod onednn;
mod openblas;
mod xla;

use super::isa::Machine;
use crate::probes::Sink;

/// A level; `Ok(None)` where the library has none on this architecture, `Err` where it cannot be derived.
type Level = Result<Option<String>, String>;

/// Writes `cpu.dispatch.*`.
pub(super) fn record(machine: &Machine<'_>, out: &Sink) {
    out.set_result("dispatch.aten", aten::level(machine));
    out.set_result("dispatch.onednn", onednn::level(machine));
    out.set_result("dispatch.openblas", openblas::level(machine));
    out.set_result("dispatch.openblas_wheel", openblas::wheel_level(machine));
    let mkl = mkl::choice(machine);
    out.set_result("dispatch.mkl", mkl.isa);
    out.set_result("dispatch.mkl_cnr", mkl.cnr);
    out.set_result("dispatch.numpy", numpy::features(machine));
    out.set_result("dispatch.glibc_libm", glibc::level(machine));
    out.set_result("dispatch.xla", xla::level(machine));
}

/// A level that is surely this one.
fn sure(level: &str) -> Level {
    Ok(Some(level.to_owned()))
}
