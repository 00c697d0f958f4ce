//! The patch against HEAD as text.

use std::collections::BTreeMap;

use git2::{Diff, DiffOptions, Patch, Repository, Tree};

use super::content::RepoPath;
use super::words;
use super::work::{Change, Changes};

/// The most bytes of a patch that are kept.
const LIMIT: usize = 4 << 20;

/// `git diff HEAD` of the changed files, in git's format with full blob ids, three lines of context and no renames.
/// The user's `diff.*` settings do not act. Binary files, files that are not UTF-8 and files in Git LFS appear as their
/// blob ids alone.
pub(super) fn text(
    repo: &Repository,
    head: Option<&Tree<'_>>,
    changes: &Changes,
    opaque: impl Fn(&RepoPath) -> bool,
) -> Result<String, String> {
    let mut texts: BTreeMap<&RepoPath, String> =
        changes.iter().map(|(path, change)| (path, opaque_patch(path, change))).collect();
    let mut options = DiffOptions::new();
    options.disable_pathspec_match(true).context_lines(3).interhunk_lines(0).id_abbrev(40);
    options.old_prefix("a/").new_prefix("b/");
    let mut any = false;
    for path in changes.keys().filter(|path| !opaque(path)) {
        options.pathspec(path.as_slice());
        any = true;
    }
    if any {
        let diff = repo.diff_tree_to_workdir_with_index(head, Some(&mut options)).map_err(|e| words(&e))?;
        for i in 0..diff.deltas().len() {
            collect(&diff, i, &mut texts).map_err(|e| words(&e))?;
        }
    }
    let size: usize = texts.values().map(String::len).sum();
    if size > LIMIT {
        return Err(format!("the patch is larger than {} MiB", LIMIT >> 20));
    }
    Ok(texts.into_values().collect())
}

fn collect(diff: &Diff<'_>, i: usize, texts: &mut BTreeMap<&RepoPath, String>) -> Result<(), git2::Error> {
    let Some(mut patch) = Patch::from_diff(diff, i)? else {
        return Ok(());
    };
    let bytes = patch.to_buf()?;
    let delta = patch.delta();
    let path = delta.new_file().path_bytes().or_else(|| delta.old_file().path_bytes());
    if delta.flags().is_binary() {
        return Ok(());
    }
    if let (Some(text), Ok(patch)) = (path.and_then(|p| texts.get_mut(&p.to_vec())), str::from_utf8(&bytes)) {
        patch.clone_into(text);
    }
    Ok(())
}

/// What stands for a file whose lines are not shown.
fn opaque_patch(path: &[u8], change: &Change) -> String {
    let path = String::from_utf8_lossy(path);
    let mut text = format!("diff --git a/{path} b/{path}\n");
    let id = |side: Option<(u32, git2::Oid)>| side.map_or(git2::Oid::ZERO_SHA1, |(_, id)| id);
    let mode = match (change.old, change.new) {
        (None, Some((new, _))) => {
            text += &format!("new file mode {new:06o}\n");
            String::new()
        }
        (Some((old, _)), None) => {
            text += &format!("deleted file mode {old:06o}\n");
            String::new()
        }
        (Some((old, _)), Some((new, _))) if old != new => {
            text += &format!("old mode {old:06o}\nnew mode {new:06o}\n");
            String::new()
        }
        (side, _) => side.map(|(mode, _)| format!(" {mode:06o}")).unwrap_or_default(),
    };
    text + &format!(
        "index {}..{}{mode}\nBinary files a/{path} and b/{path} differ\n",
        id(change.old),
        id(change.new)
    )
}
