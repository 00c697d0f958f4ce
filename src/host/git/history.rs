//! What needs a walk over commits: the nearest tag, and how far HEAD and its upstream are apart.

use std::collections::BTreeMap;

use git2::{DescribeFormatOptions, DescribeOptions, ObjectType, Oid, Repository};

use super::words;

/// The facts that [`read`] finds.
pub(super) const FACTS: [&str; 4] = ["describe", "upstream", "ahead", "behind"];

/// Hexadecimal digits of an abbreviated commit id. Fixed, because git's own choice depends on how many objects a clone
/// holds, so that one commit would have several names.
const ABBREVIATION: u32 = 12;

/// What the history says.
#[derive(Default)]
pub(super) struct History {
    pub(super) describe: Option<String>,
    pub(super) upstream: Option<String>,
    pub(super) ahead_behind: Option<(u64, u64)>,
    pub(super) unknown: BTreeMap<String, String>,
}

/// Describes HEAD and compares `branch` with its upstream. Without a commit there is nothing to say.
pub(super) fn read(repo: &Repository, branch: Option<&str>) -> History {
    let mut history = History::default();
    let Some(head) = repo.head().ok().and_then(|head| head.target()) else {
        return history;
    };
    match describe(repo, head) {
        Ok(text) => history.describe = Some(text),
        Err(error) => _ = history.unknown.insert("describe".to_owned(), words(&error)),
    }
    // The upstream's name comes from the configuration alone.
    let upstream = branch.and_then(|branch| repo.branch_upstream_name(&format!("refs/heads/{branch}")).ok());
    let Some(upstream) = upstream.as_deref().and_then(|name| str::from_utf8(name).ok()) else {
        return history;
    };
    let short = upstream.strip_prefix("refs/remotes/").or_else(|| upstream.strip_prefix("refs/heads/"));
    history.upstream = Some(short.unwrap_or(upstream).to_owned());
    // The branch that it names may not be there: "gone", as git says.
    let Ok(other) = repo.refname_to_id(upstream) else {
        return history;
    };
    match repo.graph_ahead_behind(head, other) {
        Ok((ahead, behind)) => history.ahead_behind = Some((ahead as u64, behind as u64)),
        Err(error) => {
            let facts = ["ahead", "behind"].map(|fact| (fact.to_owned(), words(&error)));
            history.unknown.extend(facts);
        }
    }
    history
}

/// `git describe --tags --always --abbrev=12`. (Not `Repository::describe`, which looks at every file for dirt.)
fn describe(repo: &Repository, head: Oid) -> Result<String, git2::Error> {
    let mut options = DescribeOptions::new();
    options.describe_tags().show_commit_oid_as_fallback(true);
    let mut format = DescribeFormatOptions::new();
    format.abbreviated_size(ABBREVIATION);
    repo.find_object(head, Some(ObjectType::Commit))?.describe(&options)?.format(Some(&format))
}
