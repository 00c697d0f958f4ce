//! `sklearn.show_versions()`, and the blocks of other libraries of the same make (pandas has another).

use super::{Draft, Format, Input, packages, platform, text, threadpool};
use crate::error::Error;
use crate::snapshot::{FactPath, Snapshot};

/// See the module.
pub struct SklearnVersions;

impl Format for SklearnVersions {
    fn name(&self) -> &'static str {
        "sklearn_versions"
    }

    fn title(&self) -> &'static str {
        "sklearn.show_versions() (scikit-learn)"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let start = |mark: &str| input.text.lines().any(|line| text::unmarked(line).starts_with(mark));
        let marks =
            ["System:", "Python deps:", "Python dependencies:", "sklearn:", "executable:", "machine:"];
        match marks.iter().filter(|mark| start(mark)).count() {
            n if n >= 4 || (n >= 2 && start("sklearn:")) => 88,
            _ => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let text = text::clean(input.text);
        let mut draft = Draft::new(self.name());
        let mut pools = Vec::new();
        let mut section = "";
        let mut found = false;
        for (key, value) in text.lines().filter_map(text::pair) {
            match (key, value) {
                ("System" | "BLAS" | "Python deps" | "Python dependencies" | "threadpoolctl info", "") => {
                    section = key
                }
                ("python", _) if section != "threadpoolctl info" => platform::python(&mut draft, value),
                ("machine", _) if section != "threadpoolctl info" => {
                    platform::platform(&mut draft, value);
                    words(&mut draft, key, value);
                }
                ("executable", _) => draft.set("python.executable", value),
                // numpy.distutils' guess at a BLAS for scikit-learn, which loads SciPy's.
                ("macros" | "lib_dirs" | "cblas_libs", _) => words(&mut draft, key, value),
                ("Built with OpenMP", _) => words(&mut draft, key, value),
                (_, _) if section == "threadpoolctl info" => pools.push((key, value)),
                (_, _) if section.starts_with("Python dep") => {
                    packages::module(&mut draft, key, value);
                    found = true;
                }
                _ => continue,
            }
        }
        if !found && !draft.has("python.version") {
            return Err(Error::input(format!(
                "`{}`: neither `System:` nor `Python dependencies:` is here",
                input.path.display()
            ))
            .hint("these are the headings of sklearn.show_versions()"));
        }
        for pool in threadpool::of_pairs(&pools) {
            pool.record(&mut draft);
        }
        packages::sections(&mut draft);
        draft.rest_unknown("show_versions");
        Ok(draft.finish(&text))
    }
}

fn words(draft: &mut Draft, label: &str, value: &str) {
    if !value.is_empty() {
        draft.meta.insert(FactPath::new(["meta", "dump", label]), value.into());
    }
}
