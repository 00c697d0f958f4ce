//! The OpenMP runtimes of GCC (libgomp) and of LLVM and Intel (libomp, libiomp5).

use super::{Count, Inputs, positive};

/// The team size of a parallel region in libgomp (`libgomp/env.c`, `libgomp/team.c`): the first item of
/// `OMP_NUM_THREADS`, else the CPUs of the affinity mask, and never more than `OMP_THREAD_LIMIT`. A cgroup quota does
/// not count.
pub(super) fn libgomp(inputs: &Inputs<'_>) -> Count {
    if is_true(inputs.env("OMP_DYNAMIC")) {
        return Err("OMP_DYNAMIC: libgomp takes the load of the machine into account".to_owned());
    }
    let asked = inputs.env("OMP_NUM_THREADS").and_then(|text| list(&text));
    Ok(asked.unwrap_or(inputs.usable).min(limit(inputs)))
}

/// The team size of a parallel region in libomp (`openmp/runtime/src/kmp_settings.cpp`): as libgomp, with variables
/// of its own that can take CPUs away.
pub(super) fn libomp(inputs: &Inputs<'_>) -> Count {
    if is_true(inputs.env("OMP_DYNAMIC")) {
        return Err("OMP_DYNAMIC: libomp takes the load of the machine into account".to_owned());
    }
    let own = ["KMP_HW_SUBSET", "KMP_DEVICE_THREAD_LIMIT", "KMP_TEAMS_THREAD_LIMIT", "KMP_ALL_THREADS"];
    if let Some(name) = own.iter().find(|name| inputs.env(name).is_some()) {
        return Err(format!("{name} is set"));
    }
    match inputs.env("OMP_NUM_THREADS") {
        None => Ok(inputs.usable.min(limit(inputs))),
        Some(text) => match list(&text) {
            Some(asked) => Ok(asked.min(limit(inputs))),
            None => Err("what libomp makes of this OMP_NUM_THREADS depends on its version".to_owned()),
        },
    }
}

/// `OMP_THREAD_LIMIT`; no limit where it is not a number above 0.
pub(super) fn limit(inputs: &Inputs<'_>) -> u32 {
    inputs.env("OMP_THREAD_LIMIT").and_then(|text| number(&text)).unwrap_or(u32::MAX)
}

/// The first item of a list of numbers above 0 with white space around them; `None` for anything else, which
/// libgomp ignores as a whole with a message.
pub(super) fn list(text: &str) -> Option<u32> {
    let items: Option<Vec<u32>> = text.split(',').map(number).collect();
    items?.first().copied()
}

fn number(text: &str) -> Option<u32> {
    let digits = text.trim_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    positive(all.then(|| digits.parse().ok())??)
}

/// Whether a variable is `true` in whatever case.
pub(super) fn is_true(value: Option<String>) -> bool {
    value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
}

/// Whether libgomp binds threads to CPUs, the initial one as soon as it is loaded: whoever reads the affinity mask
/// after that sees the one place of the initial thread.
pub(super) fn binds(inputs: &Inputs<'_>) -> bool {
    match inputs.env("OMP_PROC_BIND") {
        Some(bind) => !bind.trim().eq_ignore_ascii_case("false"),
        None => ["OMP_PLACES", "GOMP_CPU_AFFINITY"].iter().any(|name| inputs.env(name).is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbers() {
        let texts = ["4", " 3 , 2", "+3", "0", "-3", "3x", "3,", "", "abc", "99999999999"];
        let read = texts.map(list);
        assert_eq!(read, [Some(4), Some(3), Some(3), None, None, None, None, None, None, None]);
    }
}
