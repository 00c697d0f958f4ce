//! Native libraries as threadpoolctl describes them.

use std::collections::BTreeMap;

use super::Draft;

/// One library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool(pub BTreeMap<String, String>);

/// The libraries out of `KEY: VALUE` lines, one after the other; a key that comes again begins the next.
pub fn of_pairs(pairs: &[(&str, &str)]) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::new();
    for (key, value) in pairs {
        if pools.last().is_none_or(|pool| pool.0.contains_key(*key)) {
            pools.push(Pool::default());
        }
        if let Some(pool) = pools.last_mut() {
            pool.0.insert((*key).to_owned(), (*value).to_owned());
        }
    }
    pools
}

impl Pool {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty() && *value != "None")
    }

    /// Records what driftlock has facts for: the BLAS of NumPy and SciPy, told by its file, the kernels that OpenBLAS
    /// selected and its threads.
    pub fn record(&self, draft: &mut Draft) {
        let file = self.get("filepath").unwrap_or_default();
        let name = match self.get("internal_api") {
            Some("openblas") => "OpenBLAS",
            Some("mkl") => "MKL",
            Some("blis") => "BLIS",
            Some("flexiblas") => "FlexiBLAS",
            _ => return,
        };
        let wheel = [("numpy", "numpy.libs"), ("scipy", "scipy.libs")]
            .into_iter()
            .find(|(_, folder)| file.contains(folder));
        // Outside the wheels, one BLAS serves both.
        let owners: &[&str] = match wheel {
            Some(("numpy", _)) => &["numpy"],
            Some(_) => &["scipy"],
            None => &["numpy", "scipy"],
        };
        for owner in owners.iter().filter(|owner| **owner == "numpy" || wheel.is_some()) {
            draft.set(&format!("{owner}.blas.name"), name);
            draft.set_opt(&format!("{owner}.blas.version"), self.get("version"));
        }
        let threads = self.get("num_threads").and_then(|n| n.parse::<u32>().ok());
        match (name, wheel) {
            ("OpenBLAS", Some(_)) => {
                // threadpoolctl shows the name that OpenBLAS reports: `Katmai` for its Prescott kernels.
                let kernels = self.get("architecture").map(|n| if n == "Katmai" { "Prescott" } else { n });
                draft.set_opt("cpu.dispatch.openblas_wheel", kernels);
                draft.set_opt("cpu.threads.openblas_wheel", threads);
            }
            ("OpenBLAS", None) => {
                draft.set_opt("cpu.dispatch.openblas", self.get("architecture"));
                draft.set_opt("cpu.threads.openblas", threads);
            }
            ("MKL", _) => draft.set_opt("cpu.threads.mkl", threads),
            _ => {}
        }
    }
}
