//! Branch and commit from git's files, for repositories that libgit2 does not open: those of another user, those in
//! SHA-256 format, broken ones (gitrepository-layout(5)).

use std::path::{Path, PathBuf};

use crate::host::Host;
use crate::probes::Sink;

/// Records what HEAD says in the repository of the working tree `root`. What cannot be read is left to the caller's
/// reason for the whole section.
pub(super) fn collect(host: &dyn Host, root: &Path, out: &Sink) {
    let Some(git_dir) = git_dir(host, root) else {
        return;
    };
    let Some(head) = host.maybe(git_dir.join("HEAD")) else {
        return;
    };
    match parse_ref(&head) {
        Some(Ref::Commit(id)) => {
            out.set("detached", true);
            out.set("commit", id);
        }
        // With the reftable format, HEAD is a file that only says so.
        Some(Ref::Symbolic("refs/heads/.invalid")) | None => {}
        Some(Ref::Symbolic(name)) => {
            out.set("detached", false);
            out.set("branch", name.strip_prefix("refs/heads/").unwrap_or(name));
            out.set_opt("commit", commit(host, &common_dir(host, &git_dir), name));
        }
    }
}

/// `.git`, or where the file `.git` says that it is.
fn git_dir(host: &dyn Host, root: &Path) -> Option<PathBuf> {
    let dot_git = root.join(".git");
    match host.maybe(&dot_git) {
        Some(link) => Some(root.join(link.strip_prefix("gitdir:")?.trim())),
        None => Some(dot_git),
    }
}

/// Where the references of a linked working tree are.
fn common_dir(host: &dyn Host, git_dir: &Path) -> PathBuf {
    host.maybe(git_dir.join("commondir"))
        .map_or_else(|| git_dir.to_path_buf(), |common| git_dir.join(common.trim()))
}

fn commit(host: &dyn Host, dir: &Path, name: &str) -> Option<String> {
    let plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let loose = host.maybe(dir.join(name)).filter(|_| plain);
    match loose.as_deref().and_then(parse_ref) {
        Some(Ref::Commit(id)) => Some(id.to_owned()),
        Some(Ref::Symbolic(_)) => None,
        None => parse_packed(&host.maybe(dir.join("packed-refs"))?, name).map(str::to_owned),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Ref<'a> {
    Symbolic(&'a str),
    Commit(&'a str),
}

/// The content of a reference file: `ref: refs/heads/main` or a commit id of 40 or 64 digits.
fn parse_ref(text: &str) -> Option<Ref<'_>> {
    let text = text.trim();
    match text.strip_prefix("ref:") {
        Some(name) => Some(Ref::Symbolic(name.trim())),
        None => is_id(text).then_some(Ref::Commit(text)),
    }
}

/// The commit of a reference in `packed-refs`:
///
/// ```text
/// # pack-refs with: peeled fully-peeled sorted
/// 4b825dc642cb6eb9a060e54bf8d69288fbee4904 refs/heads/main
/// 8f1c4e6d0b3a2f5e7c9d8b6a4f2e1d3c5b7a9f8e refs/tags/v1.0
/// ^4b825dc642cb6eb9a060e54bf8d69288fbee4904
/// ```
fn parse_packed<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(id, ref_name)| *ref_name == name && is_id(id))
        .map(|(id, _)| id)
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn reference_files_are_told_apart() {
        assert_eq!(parse_ref("ref: refs/heads/main\n"), Some(Ref::Symbolic("refs/heads/main")));
        assert_eq!(parse_ref(&format!("{ID}\n")), Some(Ref::Commit(ID)));
        assert_eq!(parse_ref("not a reference"), None);
        assert_eq!(parse_ref(""), None);
    }

    #[test]
    fn packed_references_are_found_by_their_whole_name() {
        let text = format!("# pack-refs with: peeled\n{ID} refs/heads/main\nshort refs/heads/dev\n^{ID}\n");
        assert_eq!(parse_packed(&text, "refs/heads/main"), Some(ID));
        assert_eq!(parse_packed(&text, "refs/heads/mai"), None);
        assert_eq!(parse_packed(&text, "refs/heads/dev"), None);
    }
}
