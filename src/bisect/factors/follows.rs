//! What is left of the differences: consequences of factors, and what nobody can set here.

use std::collections::BTreeSet;

use super::Maker;
use crate::bisect::factor::Kind;
use crate::snapshot::FactPath;

/// Names why each fact that no factor stands for cannot be set, unless it follows from one that does.
pub(super) fn rest(maker: &mut Maker<'_>) {
    let covered: BTreeSet<String> =
        maker.factors.iter().flat_map(|f| f.facts.iter().map(ToString::to_string)).collect();
    let named: BTreeSet<String> = maker.uncontrolled.iter().map(|u| u.fact.to_string()).collect();
    let kinds: BTreeSet<Kind> = maker.factors.iter().map(|f| f.kind).collect();
    let variables: BTreeSet<String> =
        maker.factors.iter().filter(|f| f.kind == Kind::Variable).map(|f| f.id.clone()).collect();
    let paths: Vec<FactPath> = maker.changes().map(|c| c.path.clone()).collect();
    for path in paths {
        let text = path.to_string();
        if covered.contains(&text) || named.contains(&text) || follows(&path, &kinds, &variables) {
            continue;
        }
        maker.uncontrolled(&path, why(&path));
    }
}

/// Whether a fact is what factors of these kinds make it.
fn follows(path: &FactPath, kinds: &BTreeSet<Kind>, variables: &BTreeSet<String>) -> bool {
    let packages = kinds.contains(&Kind::Package) || kinds.contains(&Kind::Python);
    let text = kinds.contains(&Kind::Commit) || kinds.contains(&Kind::Patch);
    let segments: Vec<&str> = path.segments().iter().map(String::as_str).collect();
    let starts = |names: &[&str]| {
        variables
            .iter()
            .any(|v| names.iter().any(|n| v.strip_prefix("env.").is_some_and(|v| v.starts_with(n))))
    };
    match segments.as_slice() {
        ["torch" | "tensorflow" | "jax" | "numpy" | "scipy" | "sklearn", ..]
        | ["cuda", "libraries" | "client", ..] => {
            packages || (segments.contains(&"path") && starts(&["LD_LIBRARY_PATH", "PYTHONPATH"]))
        }
        ["python", "flags", ..] => starts(&["PYTHON"]),
        ["python", ..] => packages,
        ["cpu", "threads", ..] => {
            kinds.contains(&Kind::Threads)
                || starts(&[
                    "OMP_",
                    "MKL_",
                    "OPENBLAS_",
                    "GOTO_",
                    "BLIS_",
                    "NUMEXPR_",
                    "LOKY_",
                    "TBB_",
                    "VECLIB_",
                    "KMP_",
                ])
                || packages
        }
        ["cpu", "dispatch", ..] => {
            packages
                || starts(&[
                    "ATEN_",
                    "ONEDNN_",
                    "DNNL_",
                    "MKL_",
                    "OPENBLAS_",
                    "NPY_",
                    "GLIBC_TUNABLES",
                    "XLA_FLAGS",
                ])
        }
        ["os", "locale", ..] => starts(&["LANG", "LC_"]),
        ["os", "timezone"] => starts(&["TZ"]),
        [
            "git",
            "tree" | "branch" | "describe" | "dirty" | "staged" | "unstaged" | "ahead" | "behind"
            | "detached" | "upstream",
            ..,
        ] => text,
        // What the program's text says follows from the commit alone; what it reads also from how it is called.
        ["workload", "code" | "code_exact" | "code_as_is", ..] => text,
        ["workload", "files" | "files_content" | "listings" | "listings_sorted", ..] => {
            text || kinds.contains(&Kind::Argument)
        }
        ["workload", ..] => {
            text || packages
                || !variables.is_empty()
                || kinds.contains(&Kind::Argument)
                || kinds.contains(&Kind::Config)
        }
        [
            "run",
            "libraries" | "uses" | "extensions" | "generated" | "environment" | "script" | "module",
            ..,
        ] => packages || text || kinds.contains(&Kind::Argument) || !variables.is_empty(),
        ["run", "affinity"] => kinds.contains(&Kind::Threads),
        _ => false,
    }
}

/// Why a fact cannot be set on this machine.
fn why(path: &FactPath) -> &'static str {
    match path.section() {
        "gpu" => "another GPU, or another number of them: a property of the machine",
        "cuda" => "the driver, or a library of the system",
        "cpu" => "the processor itself; only the choice of code paths can be simulated",
        "os" => "the kernel, the C library or the system",
        "memory" => "the machine's memory",
        "container" => "the container",
        "scheduler" => "the job's place in the cluster",
        "git" => "a state of the repository that is not here",
        "workload" => {
            "another text of the program or of its data, and no commit or patch of both sides to set"
        }
        "data" => "only one version of the data is here",
        "config" => "no configuration file here holds it",
        "python" => "neither side's environment is here",
        "torch" | "tensorflow" | "jax" | "numpy" | "scipy" | "sklearn" => {
            "another build of the same release, or a library beside it"
        }
        _ => "nothing sets it",
    }
}
