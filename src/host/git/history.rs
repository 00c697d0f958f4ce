//! What needs a walk over commits: the nearest tag, and how far HEAD and its upstream are apart.

use std::collections::BTreeMap;

use git2::{DescribeFormatOptions, DescribeOptions, ErrorCode, Repository};

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

/// Describes HEAD and compares `branch` with its upstream.
pub(super) fn read(repo: &Repository, branch: Option<&str>) -> History {
    let mut history = History::default();
    let Ok(head) = repo.head() else { return history };
    match describe(repo) {
        Ok(text) => history.describe = Some(text),
        Err(error) => _ = history.unknown.insert("describe".to_owned(), words(&error)),
    }
    let (Some(branch), Some(local)) = (branch, head.target()) else {
        return history;
    };
    // The name comes from the configuration alone; the branch it names may not be there ("gone", as git says).
    let Ok(name) = repo.branch_upstream_name(&format!("refs/heads/{branch}")) else {
        return history;
    };
    let Ok(name) = str::from_utf8(&name) else {
        return history;
    };
    let short = name
        .strip_prefix("refs/remotes/")
        .or_else(|| name.strip_prefix("refs/heads/"))
        .unwrap_or(name);
    history.upstream = Some(short.to_owned());
    let apart = repo
        .refname_to_id(name)
        .and_then(|upstream| repo.graph_ahead_behind(local, upstream));
    match apart {
        Ok((ahead, behind)) => history.ahead_behind = Some((ahead as u64, behind as u64)),
        Err(error) if error.code() == ErrorCode::NotFound && repo.refname_to_id(name).is_err() => {}
        Err(error) => {
            history
                .unknown
                .extend(["ahead", "behind"].map(|fact| (fact.to_owned(), words(&error))));
        }
    }
    history
}

/// `git describe --tags --always --abbrev=12`.
fn describe(repo: &Repository) -> Result<String, git2::Error> {
    let mut options = DescribeOptions::new();
    options.describe_tags().show_commit_oid_as_fallback(true);
    let mut format = DescribeFormatOptions::new();
    format.abbreviated_size(ABBREVIATION);
    repo.describe(&options)?.format(Some(&format))
}
