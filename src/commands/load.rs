//! What the user names as a snapshot: a file, standard input, this machine, or a foreign dump; and the rules in force.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{capture, import};
use crate::error::Error;
use crate::explain::rule::Case;
use crate::explain::{Catalogue, user};
use crate::host::live::Live;
use crate::probes::Options;
use crate::snapshot::{Snapshot, file};

/// Reads what the user named.
///
/// # Errors
///
/// For what cannot be read, and for text of no known form.
pub fn snapshot(name: &Path) -> Result<Snapshot, Error> {
    if name == Path::new("now") {
        let meta = capture::Meta::default();
        return Ok(capture::snapshot(Arc::new(Live::new()), Options::default(), &meta));
    }
    parse(name, &import::text(name)?)
}

/// Reads the text of what the user named.
///
/// # Errors
///
/// For text of no known form.
pub fn parse(name: &Path, text: &str) -> Result<Snapshot, Error> {
    // A snapshot says so in its first keys; anything else is a dump, or nothing that we know.
    if name.is_dir() || !is_snapshot(text) {
        return crate::import::read_any(name, text, None);
    }
    Ok(file::parse(name, text)?.snapshot)
}

/// Whether the text has the keys that every snapshot begins with, comments apart.
fn is_snapshot(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines.next().is_some_and(|l| l.starts_with("format") && l.contains('='))
        || text.starts_with("# Written by driftlock")
}

/// Reads two, at most one of them from standard input.
///
/// # Errors
///
/// As [`snapshot`].
pub fn pair(a: &Path, b: &Path) -> Result<(Snapshot, Snapshot), Error> {
    let stdin = Path::new("-");
    if a == stdin && b == stdin {
        return Err(Error::input("both sides are standard input").hint("name a file for one of them"));
    }
    Ok((snapshot(a)?, snapshot(b)?))
}

/// The file beside a snapshot whose name adds `suffix` to the snapshot's.
pub fn beside(snapshot: &Path, suffix: &str) -> PathBuf {
    let mut name = snapshot.as_os_str().to_owned();
    name.push(format!(".{suffix}"));
    name.into()
}

/// The file of a project's own settings.
const CONFIG: &str = "driftlock.toml";

/// The rules in force, and the cases of those that are the user's own.
pub struct Rules {
    /// Ours, and the user's own in place of ours or behind them.
    pub catalogue: Catalogue,
    /// The cases of the user's own by the id of the rule.
    pub own: Vec<(String, Vec<Case>)>,
}

/// Our rules, and those of the `driftlock.toml` of this project: the nearest one, from the working directory up to
/// the root of its repository. Outside a repository, only the working directory is looked at.
///
/// # Errors
///
/// The file cannot be read, or a rule in it is wrong: see [`user::rules`].
pub fn rules() -> Result<Rules, Error> {
    let Some(path) = config() else {
        return Ok(Rules { catalogue: Catalogue::built_in(), own: Vec::new() });
    };
    if path.is_dir() {
        return Err(Error::input(format!("cannot read `{}`: it is a folder", path.display())));
    }
    rules_of(&path, &import::text(&path)?)
}

/// Our rules, and those of the text of a `driftlock.toml`.
///
/// # Errors
///
/// A rule is wrong: see [`user::rules`].
pub fn rules_of(path: &Path, text: &str) -> Result<Rules, Error> {
    let mut out = Rules { catalogue: Catalogue::built_in(), own: Vec::new() };
    for (rule, cases) in user::rules(path, text)? {
        out.own.push((rule.id.clone(), cases));
        out.catalogue.add(rule);
    }
    Ok(out)
}

/// The nearest `driftlock.toml`, as [`rules`] says.
fn config() -> Option<PathBuf> {
    nearest(CONFIG)
}

/// The nearest file of this name, from the working directory up to the root of its repository.
pub(super) fn nearest(name: &str) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let is_root = |dir: &&Path| [".git", ".hg"].iter().any(|name| dir.join(name).exists());
    let root = here.ancestors().find(is_root).unwrap_or(&here);
    // A link that leads nowhere is there, too, and cannot be read.
    let there = |path: &PathBuf| std::fs::symlink_metadata(path).is_ok();
    let dirs = here.ancestors().take_while(|dir| dir.starts_with(root));
    let above = dirs.map(|dir| dir.join(name)).position(|path| there(&path))?;
    Some(std::iter::repeat_n("..", above).collect::<PathBuf>().join(name))
}
