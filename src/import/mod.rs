//! Foreign dumps as snapshots. One file per format, recognised by its content.

use crate::error::Error;
use crate::snapshot::Snapshot;

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
    pub path: &'a std::path::Path,
    /// Its text; invalid UTF-8 replaced. Empty for a folder.
    pub text: &'a str,
}

/// Every format, the ones with the clearest marks first.
pub static ALL: &[&dyn Format] = &[];
