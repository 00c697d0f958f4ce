//! Repositories that cannot be read, or not wholly: each answer names what is missing, and keeps the rest.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use super::{Place, captured, is_root};
use crate::common::driftlock;

/// An id that no test user has.
const STRANGER: u32 = 54_321;

fn head(place: &Place) -> String {
    place.git(&["rev-parse", "HEAD"])
}

/// The loose object with this id.
fn object(place: &Place, id: &str) -> std::path::PathBuf {
    place.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

#[test]
fn no_repository() {
    let place = Place::empty();
    let captured = place.capture();
    assert_eq!(captured.get("").or(captured.get("vcs")).and_then(|v| v.as_str()), Some("none"));
    assert_eq!(captured.0["git"].as_table().unwrap().len(), 1);
    assert_eq!(captured.0.get("unknown"), None);
}

#[test]
fn the_commit_of_head_is_missing() {
    let place = Place::new();
    let (commit, id) = (head(&place), place.git(&["rev-parse", "HEAD:train.py"]));
    place.write("train.py", "edited\n");
    place.write("new.py", "new\n");
    fs::remove_file(object(&place, &commit)).unwrap();
    let captured = place.capture();
    assert_eq!(captured.text("commit"), Some(commit.as_str()));
    assert_eq!(captured.text("branch"), Some("main"));
    assert_eq!((captured.int("unstaged"), captured.int("untracked")), (1, 1));
    assert!(captured.bool("dirty"));
    for fact in ["tree", "staged", "diff_digest", "describe"] {
        assert_eq!(captured.get(fact), None, "{fact}");
        assert!(
            captured.unknown(fact).is_some_and(|reason| reason.contains("not found")),
            "{fact} of {captured:#?}"
        );
    }
    assert!(object(&place, &id).exists());
}

#[test]
fn a_missing_blob_does_not_matter_until_its_text_is_needed() {
    let place = Place::new();
    let blob = place.git(&["rev-parse", "HEAD:train.py"]);
    place.write("train.py", "edited\n");
    let before = place.capture();
    fs::remove_file(object(&place, &blob)).unwrap();
    assert_eq!(place.capture().0, before.0);
    let captured = place.capture_in(&place.repo(), &["--patch"]);
    assert!(captured.unknown("patch").is_some());
    assert_eq!(captured.text("diff_digest"), before.text("diff_digest"));
}

#[test]
fn a_corrupt_index_leaves_the_references() {
    let place = Place::new();
    fs::write(place.path(".git/index"), b"DIRCgarbage and more garbage than a header needs").unwrap();
    let captured = place.capture();
    assert_eq!(captured.text("commit"), Some(head(&place).as_str()));
    assert_eq!(captured.text("branch"), Some("main"));
    for fact in ["dirty", "staged", "untracked", "diff_digest", "untracked_digest"] {
        assert_eq!(captured.get(fact), None, "{fact}");
        assert!(
            captured.unknown(fact).is_some_and(|reason| reason.contains("index")),
            "{fact} of {captured:#?}"
        );
    }
}

#[test]
fn a_broken_reference_leaves_the_branch_and_the_files() {
    let place = Place::new();
    fs::write(place.path(".git/refs/heads/main"), "not a commit\n").unwrap();
    place.write("new.py", "new\n");
    let captured = place.capture();
    assert_eq!(captured.text("branch"), Some("main"));
    assert_eq!(captured.get("commit"), None);
    assert!(captured.unknown("commit").is_some_and(|reason| reason.contains("corrupt")), "{captured:#?}");
    assert_eq!(captured.int("untracked"), 1);
    assert!(captured.unknown("diff_digest").is_some() && captured.unknown("dirty").is_some());
}

#[test]
fn a_repository_without_head_is_not_no_repository() {
    let place = Place::new();
    fs::remove_file(place.path(".git/HEAD")).unwrap();
    let captured = place.capture();
    assert_eq!(captured.text("vcs"), Some("git"));
    assert!(captured.unknown("").is_some(), "{captured:#?}");
    let place = Place::new();
    fs::write(place.path(".git/config"), "[core\n").unwrap();
    let captured = place.capture();
    assert!(captured.unknown("").is_some(), "{captured:#?}");
    assert_eq!(captured.text("branch"), Some("main"));
}

#[test]
fn formats_that_libgit2_lacks() {
    for (option, commit) in [("--object-format=sha256", true), ("--ref-format=reftable", false)] {
        let place = Place::empty();
        if !place.try_git_in(&place.repo(), &["init", "--quiet", option]).status.success() {
            super::skip(&format!("this git has no {option}"));
            continue;
        }
        place.write("train.py", "x\n");
        place.commit("first");
        let captured = place.capture();
        assert_eq!(captured.text("commit"), commit.then(|| head(&place)).as_deref(), "{option}");
        assert_eq!(captured.text("branch"), commit.then_some("main"), "{option}");
        assert!(
            captured
                .unknown("")
                .is_some_and(|reason| reason.contains("unsupported") || reason.contains("sha256"))
        );
        place.git(&["pack-refs", "--all"]);
        assert_eq!(
            place.capture().text("commit"),
            commit.then(|| head(&place)).as_deref(),
            "{option}, packed"
        );
    }
}

#[test]
fn another_user_owns_it() {
    if !is_root() {
        return super::skip("only root can give a repository to another user");
    }
    let place = Place::new();
    let expected = head(&place);
    for entry in walkdir::WalkDir::new(place.repo()) {
        chown(entry.unwrap().path(), Some(STRANGER), Some(STRANGER)).unwrap();
    }
    let refused = place.try_git_in(&place.repo(), &["status"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("dubious ownership"));
    let captured = place.capture();
    let reason = captured.unknown("").unwrap();
    assert!(reason.contains("safe.directory ~/repo"), "{reason}");
    assert_eq!(captured.text("commit"), Some(expected.as_str()));
    assert_eq!(captured.text("branch"), Some("main"));
    assert_eq!(captured.get("dirty"), None);
    // What git allows, we read.
    place.git_in(Path::new("/"), &["config", "--global", "--add", "safe.directory", "*"]);
    assert!(!place.agrees_with_git().bool("dirty"));
}

#[test]
fn the_folder_may_not_be_read() {
    if !is_root() {
        return super::skip("only root can become another user");
    }
    let place = Place::new();
    for entry in walkdir::WalkDir::new(place.home.path()) {
        chown(entry.unwrap().path(), Some(STRANGER), Some(STRANGER)).unwrap();
    }
    place.write("train.py", "edited\n");
    chown(place.path("train.py"), Some(STRANGER), Some(STRANGER)).unwrap();
    let capture = || {
        let mut command = std::process::Command::new("setpriv");
        let id = STRANGER.to_string();
        command.args([
            "--reuid",
            &id,
            "--regid",
            &id,
            "--clear-groups",
            driftlock().get_program().to_str().unwrap(),
        ]);
        captured(place.isolated(command).args(["capture", "--section", "git", "-o", "-"]))
    };
    assert_eq!(capture().int("unstaged"), 1);
    let set =
        |name: &str, mode| fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
    set("train.py", 0o000);
    let one_file = capture();
    assert!(one_file.unknown("diff_digest").is_some(), "{one_file:#?}");
    assert_eq!(one_file.text("branch"), Some("main"));
    set("train.py", 0o644);
    set(".git/index", 0o000);
    let index = capture();
    assert!(index.unknown("dirty").is_some(), "{index:#?}");
    assert_eq!(index.text("branch"), Some("main"));
    set(".git", 0o000);
    let all = capture();
    assert_eq!(all.text("vcs"), Some("git"));
    assert!(all.unknown("").is_some(), "{all:#?}");
}
