//! Where the repository is: above, beside, elsewhere, cut off, without files.

use std::fs;
use std::path::Path;

use super::Place;

#[test]
fn below_the_root() {
    let place = Place::new();
    place.write("train.py", "edited\n");
    let captured = place.capture_in(&place.path("src"), &[]);
    assert_eq!(captured.text("prefix"), Some("src"));
    assert_eq!(captured.text("diff_digest"), place.recipe("diff_digest").as_deref());
}

#[test]
fn the_innermost_repository_counts() {
    let place = Place::new();
    fs::create_dir_all(place.path("inner")).unwrap();
    place.git_in(&place.path("inner"), &["init", "--quiet"]);
    place.write("inner/a.py", "a\n");
    place.write("inner/b.py", "b\n");
    // An unborn repository inside: one entry, whatever it holds, as git has it.
    assert_eq!(place.agrees_with_git().int("untracked"), 1);
    place.git_in(&place.path("inner"), &["add", "."]);
    place.git_in(&place.path("inner"), &["commit", "--quiet", "--message", "inner"]);
    let first = place.agrees_with_git();
    assert_eq!(first.int("untracked"), 1);
    let inner = place.capture_in(&place.path("inner"), &[]);
    assert_eq!(
        inner.text("commit"),
        Some(place.git_in(&place.path("inner"), &["rev-parse", "HEAD"]).as_str())
    );
    assert_ne!(inner.text("commit"), first.text("commit"));
    place.git_in(&place.path("inner"), &["commit", "--quiet", "--allow-empty", "--message", "more"]);
    assert_ne!(place.agrees_with_git().text("untracked_digest"), first.text("untracked_digest"));
}

#[test]
fn a_bare_repository() {
    let place = Place::new();
    let bare = place.home.path().join("bare.git");
    place.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let captured = place.capture_in(&bare, &[]);
    assert!(captured.bool("bare"));
    assert_eq!(captured.text("commit"), Some(place.git(&["rev-parse", "HEAD"]).as_str()));
    assert_eq!(captured.text("branch"), Some("main"));
    for absent in ["dirty", "staged", "untracked", "diff_digest"] {
        assert_eq!((captured.get(absent), captured.unknown(absent)), (None, None), "{absent}");
    }
}

#[test]
fn a_linked_worktree() {
    let place = Place::new();
    let linked = place.home.path().join("linked");
    place.git(&["worktree", "add", "--quiet", "-b", "other", "../linked"]);
    fs::write(linked.join("train.py"), "edited\n").unwrap();
    let captured = place.capture_in(&linked, &[]);
    assert!(captured.bool("linked_worktree"));
    assert_eq!(captured.text("branch"), Some("other"));
    assert_eq!(captured.int("unstaged"), 1);
    let main = place.agrees_with_git();
    assert!(!main.bool("linked_worktree") && !main.bool("dirty"));
}

#[test]
fn a_shallow_clone() {
    let place = Place::new();
    place.git(&["tag", "v1"]);
    place.git(&["commit", "--quiet", "--allow-empty", "--message", "second"]);
    let source = format!("file://{}", place.repo().display());
    let clone = place.home.path().join("clone");
    place.git(&["clone", "--quiet", "--depth", "1", &source, "../clone"]);
    let captured = place.capture_in(&clone, &[]);
    assert!(captured.bool("shallow"));
    assert_eq!(captured.text("commit"), Some(place.git(&["rev-parse", "HEAD"]).as_str()));
    let args = ["describe", "--tags", "--always", "--abbrev=12"];
    assert_eq!(captured.text("describe"), Some(place.git_in(&clone, &args).as_str()));
    assert!(!captured.bool("dirty"));
}

#[test]
fn a_partial_clone() {
    let place = Place::new();
    place.git(&["config", "uploadpack.allowFilter", "true"]);
    let source = format!("file://{}", place.repo().display());
    let clone = place.home.path().join("clone");
    place.git(&["clone", "--quiet", "--filter=blob:none", &source, "../clone"]);
    assert_eq!(place.git_in(&clone, &["config", "remote.origin.promisor"]), "true");
    place.git_in(&clone, &["config", "extensions.partialClone", "origin"]);
    fs::write(clone.join("train.py"), "edited\n").unwrap();
    let captured = place.capture_in(&clone, &[]);
    assert_eq!(captured.int("unstaged"), 1);
    assert!(captured.get("diff_digest").is_some());
}

#[test]
fn variables_name_the_repository() {
    let place = Place::new();
    let (elsewhere, git_dir) = (place.home.path().join("elsewhere"), place.path(".git"));
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("train.py"), "edited\n").unwrap();
    let commit = place.git(&["rev-parse", "HEAD"]);
    let status = |env: &[(&str, &Path)]| {
        let mut command = place.isolated(std::process::Command::new("git"));
        let out = command.current_dir(&elsewhere).envs(env.iter().copied());
        let out = out.args(["--no-optional-locks", "status", "--porcelain", "-uall"]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let count = |marks: &str| text.lines().filter(|line| line.starts_with(marks)).count() as i64;
        (count(" "), count("??"))
    };
    let work_tree = place.repo();
    let index = place.home.path().join("other-index");
    fs::copy(place.path(".git/index"), &index).unwrap();
    place.write("extra.py", "untracked\n");
    for env in [
        // The working directory is then the working tree.
        vec![("GIT_DIR", git_dir.as_path())],
        vec![("GIT_DIR", Path::new("../repo/.git"))],
        vec![("GIT_DIR", git_dir.as_path()), ("GIT_WORK_TREE", work_tree.as_path())],
        vec![("GIT_DIR", git_dir.as_path()), ("GIT_WORK_TREE", Path::new("../repo"))],
        vec![("GIT_DIR", git_dir.as_path()), ("GIT_INDEX_FILE", index.as_path())],
    ] {
        let captured = place.capture_with(&elsewhere, &[], &env);
        assert_eq!(captured.text("commit"), Some(commit.as_str()), "{env:?}");
        assert_eq!((captured.int("unstaged"), captured.int("untracked")), status(&env), "{env:?}");
    }
    let ceiling = [("GIT_CEILING_DIRECTORIES", place.home.path())];
    assert_eq!(place.capture_with(&elsewhere, &[], &ceiling).text("vcs"), Some("none"));
    let missing = [("GIT_DIR", Path::new("/nowhere"))];
    let captured = place.capture_with(&place.repo(), &[], &missing);
    assert!(captured.unknown("").is_some(), "{captured:#?}");
}

#[test]
fn programs_of_the_repository_are_not_run() {
    let place = Place::new();
    let witness = place.home.path().join("ran");
    let script = place.home.path().join("witness.sh");
    fs::write(&script, format!("#!/bin/sh\ntouch {}\n", witness.display())).unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = script.display().to_string();
    place.write(".gitattributes", "*.py diff=odd filter=odd\n");
    place.write("train.py", "edited\n");
    for name in
        ["core.fsmonitor", "diff.external", "diff.odd.textconv", "filter.odd.clean", "core.sshCommand"]
    {
        place.git(&["config", name, &program]);
    }
    place.capture_in(&place.repo(), &["--patch"]);
    assert!(!witness.exists());
    place.try_git_in(&place.repo(), &["status"]);
    assert!(witness.exists(), "git itself does run them");
}

#[test]
fn indexes_that_libgit2_lacks_are_unknown() {
    let place = Place::new();
    place.git(&["update-index", "--split-index"]);
    let captured = place.capture();
    assert!(captured.unknown("dirty").is_some_and(|reason| reason.contains("unsupported")), "{captured:#?}");
    assert_eq!(captured.text("commit"), Some(place.git(&["rev-parse", "HEAD"]).as_str()));
    place.git(&["update-index", "--no-split-index"]);
    for version in ["4", "3", "2"] {
        place.git(&["update-index", "--index-version", version]);
        place.write("train.py", format!("{version}\n"));
        assert_eq!(place.agrees_with_git().int("unstaged"), 1);
    }
}
