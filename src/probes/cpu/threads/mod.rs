//! How many threads each runtime would start, from its variables, the affinity, the cores and the quota.
//!
//! The variables are read as each runtime reads them, which differs: `4,2` is 4 to libgomp and OpenBLAS, 1 to MKL,
//! and no number to Python.

mod blas;
mod frameworks;
mod openmp;
mod python;

use super::isa::Machine;
use super::limits::Limits;
use super::topology::Counts;
use crate::probes::Sink;

/// A number of threads, or why it cannot be derived.
type Count = Result<u32, String>;

/// What the derivations stand on.
struct Inputs<'a> {
    machine: &'a Machine<'a>,
    counts: &'a Counts,
    limits: &'a Limits,
    /// CPUs in this process's affinity mask, else online ones.
    usable: u32,
    /// Online CPUs.
    online: u32,
    /// Cores; hardware threads where those cannot be told apart.
    cores: u32,
}

impl Inputs<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.machine.env(name)
    }
}

/// Writes `cpu.threads.*`.
pub(super) fn record(machine: &Machine<'_>, counts: &Counts, limits: &Limits, out: &Sink) {
    let Some(usable) = limits.count().or(counts.logical) else {
        return out.unknown("threads", "neither the affinity nor the number of CPUs could be told");
    };
    let online = counts.logical.unwrap_or(usable);
    let inputs = Inputs { machine, counts, limits, usable, online, cores: counts.physical.unwrap_or(online) };
    let set = |name: &str, count: Count| out.set_result(&format!("threads.{name}"), count.map(Some));
    let libgomp = openmp::libgomp(&inputs);
    set("libgomp", libgomp.clone());
    set("libomp", openmp::libomp(&inputs));
    if machine.is_x86_64() {
        set("mkl", blas::mkl(&inputs));
    }
    set("openblas", blas::openblas(&inputs));
    set("openblas_wheel", blas::openblas(&inputs).map(|n| n.min(blas::WHEEL_MAX)));
    set("blis", blas::blis(&inputs));
    set("torch", frameworks::torch(&inputs));
    set("torch_interop", Ok(inputs.cores));
    set("tensorflow_intraop", frameworks::tensorflow(&inputs, "TF_NUM_INTRAOP_THREADS"));
    set("tensorflow_interop", frameworks::tensorflow(&inputs, "TF_NUM_INTEROP_THREADS"));
    set("xla_cpu", frameworks::xla(&inputs));
    set("tbb", frameworks::tbb(&inputs));
    set("numexpr", python::numexpr(&inputs));
    set("python_cpu_count", python::cpu_count(&inputs, inputs.online));
    set("python_process_cpu_count", python::cpu_count(&inputs, inputs.usable));
    set("loky", python::loky(&inputs));
    set("sklearn_openmp", python::sklearn(&inputs, libgomp));
}

/// The number at the start of a text as C's `strtol` and `atoi` read it: leading white space, a sign, digits; 0 where
/// there is none, saturated where it is too large.
fn leading_number(text: &str) -> i64 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit);
    sign * digits.fold(0_i64, |n, digit| n.saturating_mul(10).saturating_add(i64::from(digit - b'0')))
}

/// A number above 0 that fits the runtimes' `int`.
fn positive(number: i64) -> Option<u32> {
    i32::try_from(number).ok().filter(|n| *n > 0).map(i32::unsigned_abs)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn numbers_as_c_reads_them() {
        let read = ["8,2", " 3x", "-4", "+5", "", "abc", "99999999999999999999"].map(leading_number);
        assert_eq!(read, [8, 3, -4, 5, 0, 0, i64::MAX]);
        assert_eq!([0, -1, 7, i64::MAX].map(positive), [None, None, Some(7), None]);
    }
}
