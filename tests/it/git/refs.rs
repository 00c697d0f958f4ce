//! HEAD, branches, tags, remotes, and what was begun and not ended.

use super::Place;

#[test]
fn a_clean_repository() {
    let place = Place::new();
    let captured = place.agrees_with_git();
    assert_eq!(captured.text("vcs"), Some("git"));
    assert_eq!(captured.text("commit"), Some(place.git(&["rev-parse", "HEAD"]).as_str()));
    assert_eq!(captured.text("tree"), Some(place.git(&["rev-parse", "HEAD^{tree}"]).as_str()));
    assert_eq!(captured.text("branch"), Some("main"));
    for absent in
        ["diff_digest", "untracked_digest", "operation", "prefix", "hidden_files", "remotes", "config"]
    {
        assert_eq!(captured.get(absent), None, "{absent}");
    }
    for no in ["detached", "unborn", "bare", "shallow", "linked_worktree", "sparse", "dirty"] {
        assert!(!captured.bool(no), "{no}");
    }
}

#[test]
fn the_branch_may_have_slashes_and_the_head_no_branch() {
    let place = Place::new();
    place.git(&["switch", "--quiet", "--create", "feature/a.b"]);
    assert_eq!(place.capture().text("branch"), Some("feature/a.b"));
    place.git(&["pack-refs", "--all"]);
    assert_eq!(place.capture().text("commit"), Some(place.git(&["rev-parse", "HEAD"]).as_str()));
    place.git(&["checkout", "--quiet", "--detach"]);
    let captured = place.capture();
    assert!(captured.bool("detached"));
    assert_eq!(captured.text("branch"), None);
    assert_eq!(captured.text("commit"), Some(place.git(&["rev-parse", "HEAD"]).as_str()));
}

#[test]
fn an_unborn_branch_has_no_commit_and_everything_staged() {
    let place = Place::unborn();
    let captured = place.agrees_with_git_unborn();
    assert_eq!((captured.int("staged"), captured.int("untracked")), (0, 0));
    place.write("a.py", "a\n");
    place.write("b.py", "b\n");
    place.git(&["add", "a.py"]);
    place.write("a.py", "c\n");
    let captured = place.agrees_with_git();
    assert!(captured.bool("unborn"));
    assert_eq!(captured.text("branch"), Some("main"));
    assert_eq!((captured.text("commit"), captured.text("describe")), (None, None));
    assert_eq!((captured.int("staged"), captured.int("unstaged"), captured.int("untracked")), (1, 1, 1));
}

impl Place {
    /// A repository without a commit and without an index, which `git add --update` of the recipe does not take.
    fn agrees_with_git_unborn(&self) -> super::Captured {
        assert!(!self.path(".git/index").exists());
        let captured = self.capture();
        assert_eq!(captured.text("diff_digest"), None);
        captured
    }
}

#[test]
fn describe_is_what_git_prints() {
    let place = Place::new();
    let args = ["describe", "--tags", "--always", "--abbrev=12"];
    let check = || {
        let (ours, theirs) = (place.capture(), place.git(&args));
        assert_eq!(ours.text("describe"), Some(theirs.as_str()));
        theirs
    };
    assert_eq!(check().len(), 12);
    place.git(&["tag", "light"]);
    assert_eq!(check(), "light");
    place.git(&["tag", "--annotate", "v1.0", "--message", "x"]);
    assert_eq!(check(), "v1.0");
    place.write("new.py", "1\n");
    place.commit("second");
    assert!(check().starts_with("v1.0-1-g"));
}

#[test]
fn the_upstream_is_ahead_and_behind() {
    let place = Place::new();
    let other = place.home.path().join("other");
    place.git(&["clone", "--quiet", ".", "../other"]);
    for i in 0..3 {
        place.git(&["commit", "--quiet", "--allow-empty", "--message", &format!("here {i}")]);
    }
    place.git_in(&other, &["fetch", "--quiet"]);
    place.git_in(&other, &["commit", "--quiet", "--allow-empty", "--message", "there"]);
    let captured = place.capture_in(&other, &[]);
    let counts = place.git_in(&other, &["rev-list", "--left-right", "--count", "HEAD...@{upstream}"]);
    assert_eq!(counts, "1\t3");
    assert_eq!(captured.volatile("upstream").and_then(|v| v.as_str()), Some("origin/main"));
    assert_eq!(captured.volatile("ahead").and_then(|v| v.as_integer()), Some(1));
    assert_eq!(captured.volatile("behind").and_then(|v| v.as_integer()), Some(3));
    // "Gone", in git's words: configured, but no longer there.
    place.git_in(&other, &["update-ref", "-d", "refs/remotes/origin/main"]);
    let captured = place.capture_in(&other, &[]);
    assert_eq!(captured.volatile("upstream").and_then(|v| v.as_str()), Some("origin/main"));
    assert_eq!((captured.volatile("ahead"), captured.unknown("ahead")), (None, None));
}

#[test]
fn remotes_are_as_configured() {
    let place = Place::new();
    place.git(&["remote", "add", "origin", "https://github.com/org/repo.git"]);
    place.git(&["remote", "add", "my.fork", "git@github.com:me/repo.git"]);
    place.git(&["remote", "add", "local", &place.home.path().join("mirror.git").to_string_lossy()]);
    place.git(&["config", "url.https://x-token:SECRETSECRET@github.com/.insteadOf", "https://github.com/"]);
    place.git(&["remote", "add", "token", "https://me:hunter2hunter2@example.org/r.git"]);
    let captured = place.capture();
    let remotes = captured.get("remotes").and_then(|v| v.as_table()).unwrap();
    assert_eq!(remotes["origin"].as_str(), Some("https://github.com/org/repo.git"));
    assert_eq!(remotes["my.fork"].as_str(), Some("git@github.com:me/repo.git"));
    assert_eq!(remotes["local"].as_str(), Some("~/mirror.git"));
    assert_eq!(remotes["token"].as_str(), Some("https://example.org/r.git"));
    let text = format!("{captured:?}");
    assert!(!text.contains("SECRETSECRET") && !text.contains("hunter2"), "{text}");
}

#[test]
fn settings_that_change_content_are_recorded() {
    let place = Place::new();
    place.git(&["config", "core.autocrlf", "input"]);
    place.git(&["config", "--global", "core.eol", "lf"]);
    let captured = place.capture();
    let config = captured.get("config").and_then(|v| v.as_table()).unwrap();
    assert_eq!(config["core.autocrlf"].as_str(), Some("input"));
    assert_eq!(config["core.eol"].as_str(), Some("lf"));
}

#[test]
fn what_was_begun_is_named() {
    let place = Place::new();
    place.git(&["bisect", "start"]);
    assert_eq!(place.capture().text("operation"), Some("bisect"));
    place.git(&["bisect", "reset"]);
    place.git(&["switch", "--quiet", "--create", "side"]);
    place.write("train.py", "side\n");
    place.write("only-side.py", "side\n");
    place.commit("side");
    place.git(&["switch", "--quiet", "main"]);
    place.write("train.py", "main\n");
    place.commit("main");
    assert!(!place.try_git_in(&place.repo(), &["merge", "side"]).status.success());
    let captured = place.agrees_with_git();
    assert_eq!(captured.text("operation"), Some("merge"));
    assert_eq!((captured.int("conflicted"), captured.int("staged")), (1, 1));
    assert!(captured.bool("dirty"));
    place.git(&["merge", "--abort"]);
    assert!(!place.try_git_in(&place.repo(), &["rebase", "side"]).status.success());
    let captured = place.agrees_with_git();
    assert_eq!(captured.text("operation"), Some("rebase"));
    assert!(captured.bool("detached"));
    place.git(&["rebase", "--abort"]);
    assert!(!place.try_git_in(&place.repo(), &["cherry-pick", "side"]).status.success());
    assert_eq!(place.agrees_with_git().text("operation"), Some("cherry-pick"));
}
