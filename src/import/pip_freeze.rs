//! `pip freeze`, `pip list --format=freeze`, `uv pip freeze`: every distribution of an environment on a line.

use super::lock::{freeze, near};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct PipFreeze;

const SILENT: &str = "pip freeze gives name, version and source only";

/// What `pip freeze` leaves out without `--all`: pip itself, and below Python 3.12 the others
/// (pip, commands/freeze.py, `_dev_pkgs`).
const LEFT_OUT: [&str; 4] = ["pip", "setuptools", "wheel", "distribute"];

impl Format for PipFreeze {
    fn name(&self) -> &'static str {
        "pip_freeze"
    }

    fn title(&self) -> &'static str {
        "`pip freeze`: every installed distribution with its version"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let shape = freeze::shape(input.text);
        // A requirements file may have the same lines and be a choice only: its name tells.
        let by_tracker = beside_wandb(input);
        let listed = !super::requirements::is_named_so(input.path) || by_tracker;
        if shape.others == 0 && shape.packages > 0 && listed { 60 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let mut draft = Draft::new(self.name());
        let names = freeze::put_all(&mut draft, input.text.trim_start_matches('\u{feff}').lines(), SILENT);
        if names.is_empty() {
            return Err(super::lock::fault(input, None, "holds no line of the form `name==version`"));
        }
        complete(&mut draft, &names, !beside_wandb(input));
        Ok(draft.finish(input.text))
    }
}

/// wandb's own `requirements.txt` names all distributions, and lies beside its `wandb-metadata.json`.
fn beside_wandb(input: &Input<'_>) -> bool {
    input.path.file_name().is_some_and(|name| name == "requirements.txt")
        && near::is_file(&input.path.with_file_name("wandb-metadata.json"))
}

/// The list names every distribution: others are absent, but for those that pip leaves out where it names none of
/// them.
pub(super) fn complete(draft: &mut Draft, names: &[String], by_pip: bool) {
    draft.absent("python.packages");
    if by_pip && !names.iter().any(|name| name == "pip") {
        for name in LEFT_OUT {
            if !names.iter().any(|listed| listed == name) {
                draft.unknown_at(["python", "packages", name], "pip freeze leaves it out");
            }
        }
    }
    draft.partial("python", "a list of distributions does not say");
}
