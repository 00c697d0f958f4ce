//! Submodules, and those inside them.

use std::path::Path;

use git2::{Oid, Repository};

use super::change::{Change, GITLINK, Side};
use super::{Found, Pass, read_at};
use crate::host::git::{Submodule, words};

/// How deep submodules may lie in one another.
const MAX_DEPTH: usize = 8;

impl Pass<'_> {
    /// Reads every submodule. One with another commit is a change here, one with edits makes this repository dirty.
    pub(super) fn submodules(&mut self, found: &mut Found) {
        for (path, recorded) in std::mem::take(&mut self.marks.links) {
            let name = String::from_utf8_lossy(&path).into_owned();
            let (module, new) = self.submodule(&name, &self.path(&path), recorded, found);
            let old = Some((GITLINK, recorded));
            let dirty = module.work.as_ref().is_some_and(|work| work.dirty());
            found.work.unstaged += u64::from(dirty || old != new);
            self.changes.entry(path).and_modify(|change| change.new = new).or_insert(Change { old, new });
            found.submodules.insert(name, module);
        }
    }

    fn submodule(&self, name: &str, dir: &Path, recorded: Oid, found: &mut Found) -> (Submodule, Side) {
        let mut module = Submodule { recorded: Some(recorded.to_string()), ..Submodule::default() };
        let unchanged = Some((GITLINK, recorded));
        if !dir.is_dir() {
            return (module, None);
        }
        if dir.join(".git").symlink_metadata().is_err() {
            return (module, unchanged);
        }
        if self.depth == MAX_DEPTH {
            module.fault = Some("submodules lie too deep in one another".to_owned());
            return (module, unchanged);
        }
        let repo = match Repository::open(dir) {
            Ok(repo) => repo,
            Err(error) => {
                module.fault = Some(words(&error));
                return (module, unchanged);
            }
        };
        let head = repo.head().ok().and_then(|head| head.target());
        module.commit = head.map(|id| id.to_string());
        let inside = read_at(&repo, false, self.deadline, self.depth + 1);
        module.fault = inside.unknown.into_iter().next().map(|(fact, reason)| format!("{fact}: {reason}"));
        module.work = Some(inside.work);
        found
            .submodules
            .extend(inside.submodules.into_iter().map(|(inner, module)| (format!("{name}/{inner}"), module)));
        (module, head.map(|id| (GITLINK, id)).or(unchanged))
    }
}
