//! Mercurial repositories, with `hg` and without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Captured, Place, captured, skip};
use crate::common::driftlock;

/// A Mercurial repository with one commit, where `hg` is installed.
fn mercurial() -> Option<Place> {
    if Command::new("hg").arg("--version").output().is_err() {
        skip("hg is not installed");
        return None;
    }
    let place = Place::empty();
    hg(&place, &["init"]);
    place.write("train.py", "import torch\n");
    place.write("sub/model.py", "1\n");
    hg(&place, &["add", "--quiet"]);
    hg(&place, &["commit", "--message", "first", "--user", "a"]);
    Some(place)
}

fn hg(place: &Place, args: &[&str]) -> String {
    let out = place.isolated(Command::new("hg")).env("HGPLAIN", "1").args(args).output().unwrap();
    assert!(out.status.success(), "hg {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

fn parent(place: &Place) -> String {
    hg(place, &["log", "--rev", ".", "--template", "{node}"])
}

/// A capture where no program is on `PATH`.
fn without_hg(place: &Place, dir: &Path) -> Captured {
    let mut command = place.isolated(driftlock());
    captured(
        command.args(["capture", "--section", "git", "-o", "-"]).env("PATH", "/nowhere").current_dir(dir),
    )
}

#[test]
fn parent_and_dirt() {
    let Some(place) = mercurial() else { return };
    let clean = place.capture_in(&place.path("sub"), &[]);
    assert_eq!(clean.text("vcs"), Some("mercurial"));
    assert_eq!(clean.text("commit"), Some(parent(&place).as_str()));
    assert_eq!(clean.text("branch"), Some("default"));
    assert_eq!((clean.bool("dirty"), clean.int("unstaged"), clean.int("untracked")), (false, 0, 0));
    place.write("new.py", "1\n");
    assert!(!place.capture().bool("dirty"));
    place.write("train.py", "edited\n");
    fs::remove_file(place.path("sub/model.py")).unwrap();
    let dirty = place.capture();
    assert_eq!((dirty.bool("dirty"), dirty.int("unstaged"), dirty.int("untracked")), (true, 2, 1));
    assert!(dirty.unknown("diff_digest").is_some());
    hg(&place, &["branch", "side"]);
    hg(&place, &["commit", "--addremove", "--message", "second", "--user", "a"]);
    let second = place.capture();
    assert_eq!(second.text("commit"), Some(parent(&place).as_str()));
    assert_eq!(second.text("branch"), Some("side"));
    assert_ne!(second.text("commit"), clean.text("commit"));
}

#[test]
fn without_hg_the_parent_is_known_and_the_dirt_is_not() {
    let Some(place) = mercurial() else { return };
    let expected = parent(&place);
    let captured = without_hg(&place, &place.repo());
    assert_eq!(captured.text("commit"), Some(expected.as_str()));
    assert_eq!(captured.get("dirty"), None);
    assert_eq!(captured.unknown("dirty"), Some("hg is not installed"));
}

#[test]
fn the_newer_format_of_the_parent() {
    let place = Place::empty();
    let init =
        ["--config", "format.use-dirstate-v2=yes", "--config", "storage.dirstate-v2.slow-path=allow", "init"];
    if !place.isolated(Command::new("hg")).args(init).output().is_ok_and(|out| out.status.success()) {
        return skip("hg is not installed or has no dirstate-v2");
    }
    place.write("a", "1\n");
    let slow = ["--config", "storage.dirstate-v2.slow-path=allow"];
    hg(&place, &[&slow[..], &["commit", "--addremove", "--message", "x", "--user", "a"]].concat());
    let expected = hg(&place, &[&slow[..], &["log", "--rev", ".", "--template", "{node}"]].concat());
    assert!(fs::read(place.path(".hg/dirstate")).unwrap().starts_with(b"dirstate-v2"));
    assert_eq!(without_hg(&place, &place.repo()).text("commit"), Some(expected.as_str()));
}

#[test]
fn no_commit_yet_and_the_innermost_of_two() {
    let Some(place) = mercurial() else { return };
    let inner: PathBuf = place.path("inner");
    fs::create_dir(&inner).unwrap();
    place.git_in(&inner, &["init", "--quiet"]);
    assert_eq!(place.capture_in(&inner, &[]).text("vcs"), Some("git"));
    let empty = inner.join("hg");
    fs::create_dir(&empty).unwrap();
    let status = place.isolated(Command::new("hg")).arg("init").current_dir(&empty).status().unwrap();
    assert!(status.success());
    let captured = place.capture_in(&empty, &[]);
    assert_eq!(captured.text("vcs"), Some("mercurial"));
    assert!(captured.bool("unborn"));
    assert_eq!((captured.get("commit"), captured.bool("dirty")), (None, false));
}
