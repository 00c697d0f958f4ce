//! Foreign dumps as snapshots. One file per format, recognised by its content.
//!
//! A format reads its text into a [`Draft`], which keeps names and secrets out, files every fact by its class, and
//! knows the three things that a fact can be: found, absent, unknown.

pub mod accelerate_env;
pub mod collect_env;
mod conda_env;
mod conda_list;
pub mod draft;
pub mod env;
pub mod gpus;
mod heretic;
mod hugging_face;
pub mod jax_info;
mod lock;
pub mod lscpu;
mod mlcube;
mod mlenv;
mod mlflow;
pub mod numpy_config;
pub mod nvidia_smi;
pub mod packages;
mod pip_freeze;
mod pip_inspect;
mod pip_list;
mod pipfile_lock;
mod pixi_lock;
pub mod platform;
mod poetry_lock;
mod pylock;
mod requirements;
pub mod sglang;
pub mod sklearn_versions;
pub mod text;
pub mod tf_env_collect;
pub mod threadpool;
pub mod topology;
pub mod transformers_env;
mod uv_lock;
pub mod vllm;
mod wandb;

use std::path::Path;

use crate::error::Error;
use crate::snapshot::Snapshot;
pub use draft::Draft;
pub(crate) use lock::marker::{Marker, Target};
pub(crate) use lock::requirement;

/// One foreign format.
pub trait Format: Sync {
    /// Its name: the value of `import --from`, and the name of its file here.
    fn name(&self) -> &'static str;

    /// What it is, in a few words, and where it comes from: `python -m torch.utils.collect_env`.
    fn title(&self) -> &'static str;

    /// How sure the format is that `input` is one of its own, from a look at its content: 0 is no. The highest wins,
    /// the earlier in [`ALL`] of equals.
    fn recognise(&self, input: &Input<'_>) -> u8;

    /// Reads it. What the dump does not say is unknown: [`Snapshot::unknown`] covers the section (or the part of it)
    /// that the format speaks of only in part, and a section that it does not speak of at all is not in
    /// [`Snapshot::sections`].
    ///
    /// # Errors
    ///
    /// The line and what is wrong with it, where the text is of this format and cannot be read.
    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error>;
}

/// A dump.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// How the user named it; `-` for standard input. For messages, and for formats whose file name tells them
    /// (`requirements.txt`); a folder for an MLflow run.
    pub path: &'a Path,
    /// Its text; invalid UTF-8 replaced. Empty for a folder.
    pub text: &'a str,
}

/// Every format, the ones with the clearest marks first.
pub static ALL: &[&dyn Format] = &[
    &vllm::Vllm,
    &collect_env::CollectEnv,
    &sglang::Sglang,
    &accelerate_env::AccelerateEnv,
    &transformers_env::TransformersEnv,
    &jax_info::JaxInfo,
    &tf_env_collect::TfEnvCollect,
    &sklearn_versions::SklearnVersions,
    &numpy_config::NumpyConfig,
    &nvidia_smi::NvidiaSmi,
    &uv_lock::UvLock,
    &poetry_lock::PoetryLock,
    &pylock::Pylock,
    &pixi_lock::PixiLock,
    &pipfile_lock::PipfileLock,
    &wandb::Wandb,
    &mlflow::Mlflow,
    &heretic::Heretic,
    &mlenv::Mlenv,
    &pip_inspect::PipInspect,
    &conda_list::CondaList,
    &conda_env::CondaEnv,
    &mlcube::Mlcube,
    &pip_list::PipList,
    &pip_freeze::PipFreeze,
    &requirements::Requirements,
];

/// The format of this name.
///
/// # Errors
///
/// The names that there are, where it is none of them.
pub fn named(name: &str) -> Result<&'static dyn Format, Error> {
    ALL.iter().copied().find(|format| format.name() == name).ok_or_else(|| {
        Error::input(format!("`{name}` is no kind of dump that driftlock reads"))
            .hint(kinds("the kinds are:"))
    })
}

/// The format that is the surest of a text, if any is.
pub fn recognised(input: &Input<'_>) -> Option<&'static dyn Format> {
    // Of equals, `max_by_key` gives the last.
    let sure = ALL.iter().rev().map(|format| (format.recognise(input), *format));
    sure.filter(|(surety, _)| *surety > 0).max_by_key(|(surety, _)| *surety).map(|(_, format)| format)
}

/// A dump as a snapshot, read as the format `from`, or as the one that its content tells.
///
/// # Errors
///
/// The name is no format's, no format knows the text, or the format that does cannot read it.
pub fn read_any(path: &Path, text: &str, from: Option<&str>) -> Result<Snapshot, Error> {
    let input = Input { path, text };
    let format = match from {
        Some(name) => named(name)?,
        None => recognised(&input).ok_or_else(|| unrecognised(path, text))?,
    };
    format.read(&input)
}

fn unrecognised(path: &Path, text: &str) -> Error {
    let what = if text.trim().is_empty() { "is empty" } else { "is of no format that driftlock knows" };
    Error::input(format!("`{}` {what}", path.display()))
        .hint(kinds("if it is one of these nevertheless, `driftlock import FILE --from KIND` reads it:"))
}

/// Every kind with what it is, one on a line.
fn kinds(lead: &str) -> String {
    ALL.iter()
        .fold(lead.to_owned(), |text, format| text + &format!("\n  {:<20} {}", format.name(), format.title()))
}
