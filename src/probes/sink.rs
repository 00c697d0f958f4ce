//! Where a probe puts its facts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ProbeError;
use crate::snapshot::{FactPath, Facts, Value};
use std::collections::BTreeMap;

/// The section that a probe fills. Shared with the capture, which takes what is there when the time runs out.
#[derive(Debug)]
pub struct Sink {
    section: &'static str,
    inner: Mutex<Collected>,
}

/// What a probe has said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Facts found, of every class.
    pub facts: Facts,
    /// Facts that could not be looked at, with the reason.
    pub unknown: BTreeMap<FactPath, String>,
    /// Files that belong beside the snapshot: what each one's name adds to the snapshot's (after a dot), and its
    /// content.
    pub attachments: BTreeMap<String, Vec<u8>>,
}

impl Sink {
    /// An empty section.
    pub fn new(section: &'static str) -> Self {
        Self { section, inner: Mutex::new(Collected::default()) }
    }

    /// The section's name.
    pub fn section(&self) -> &'static str {
        self.section
    }

    fn lock(&self) -> MutexGuard<'_, Collected> {
        // A probe that panicked between two facts leaves a map that is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a fact. `path` is relative to the section, its segments parted by dots (none holds a dot itself).
    pub fn set(&self, path: &str, value: impl Into<Value>) {
        self.set_at(path.split('.'), value);
    }

    /// Records a fact at these segments below the section, which may hold any character.
    pub fn set_at<S: Into<String>>(&self, segments: impl IntoIterator<Item = S>, value: impl Into<Value>) {
        let path = self.path(segments);
        self.lock().facts.insert(path, value.into());
    }

    /// Records a fact that may be absent.
    pub fn set_opt(&self, path: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(path, value);
        }
    }

    /// Records a fact that was looked for and found, absent (`Ok(None)`) or unreadable.
    pub fn set_result<V: Into<Value>>(&self, path: &str, value: Result<Option<V>, impl std::fmt::Display>) {
        match value {
            Ok(value) => self.set_opt(path, value),
            Err(reason) => self.unknown(path, reason),
        }
    }

    /// Records that a fact, or every fact below `path`, could not be looked at. The empty path is the section.
    pub fn unknown(&self, path: &str, reason: impl std::fmt::Display) {
        self.unknown_at(path.split('.').filter(|s| !s.is_empty()), reason);
    }

    /// [`Sink::unknown`] for segments that may hold any character.
    pub fn unknown_at<S: Into<String>>(
        &self,
        segments: impl IntoIterator<Item = S>,
        reason: impl std::fmt::Display,
    ) {
        let path = self.path(segments);
        self.lock().unknown.insert(path, reason.to_string());
    }

    /// Hands in a file that belongs beside the snapshot: `NAME.suffix` where the snapshot is `NAME`.
    pub fn attach(&self, suffix: &str, content: Vec<u8>) {
        self.lock().attachments.insert(suffix.to_owned(), content);
    }

    fn path<S: Into<String>>(&self, segments: impl IntoIterator<Item = S>) -> FactPath {
        FactPath::new([self.section.to_owned()].into_iter().chain(segments.into_iter().map(Into::into)))
    }

    /// A copy of what is there now, `error` as the reason for the rest.
    pub fn snapshot(&self, error: Option<&ProbeError>) -> Collected {
        let mut collected = self.lock().clone();
        if let Some(ProbeError(reason)) = error {
            collected.unknown.insert(FactPath::new([self.section]), reason.clone());
        }
        collected
    }
}
