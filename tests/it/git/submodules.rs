//! Submodules: clean, edited, moved, nested, absent.

use std::fs;

use super::{Captured, Place};

/// A repository with a submodule `libs/kernel`, which holds a submodule `deep`.
fn nested() -> Place {
    let place = Place::new();
    let home = place.home.path();
    for name in ["deep", "kernel"] {
        let dir = home.join(name);
        fs::create_dir(&dir).unwrap();
        place.git_in(&dir, &["init", "--quiet"]);
        fs::write(dir.join("code.cu"), "code\n").unwrap();
        place.git_in(&dir, &["add", "."]);
        if name == "kernel" {
            place.git_in(&dir, &["submodule", "--quiet", "add", "../deep", "deep"]);
        }
        place.git_in(&dir, &["commit", "--quiet", "--message", name]);
    }
    place.git(&["submodule", "--quiet", "add", "../kernel", "libs/kernel"]);
    place.git(&["submodule", "--quiet", "update", "--init", "--recursive"]);
    place.commit("submodule");
    place
}

fn module<'a>(captured: &'a Captured, path: &str) -> &'a toml::Table {
    captured
        .get("submodules")
        .and_then(|v| v.as_table()?.get(path)?.as_table())
        .unwrap_or_else(|| panic!("{captured:#?}"))
}

#[test]
fn a_clean_submodule() {
    let place = nested();
    let captured = place.agrees_with_git();
    assert!(!captured.bool("dirty"));
    for path in ["libs/kernel", "libs/kernel/deep"] {
        let commit = place.git_in(&place.path(path), &["rev-parse", "HEAD"]);
        let module = module(&captured, path);
        assert_eq!(module["commit"].as_str(), Some(commit.as_str()));
        assert_eq!(module["recorded"], module["commit"]);
        assert_eq!((module["initialised"].as_bool(), module["dirty"].as_bool()), (Some(true), Some(false)));
        assert_eq!(module.get("diff_digest"), None);
    }
}

#[test]
fn an_edited_submodule_makes_the_outer_one_dirty() {
    let place = nested();
    place.write("libs/kernel/deep/code.cu", "edited\n");
    let captured = place.agrees_with_git();
    assert!(captured.bool("dirty"));
    assert_eq!(captured.get("diff_digest"), None, "the commit is the recorded one");
    let first = module(&captured, "libs/kernel/deep")["diff_digest"].clone();
    let outer = module(&captured, "libs/kernel");
    assert_eq!((outer["dirty"].as_bool(), outer.get("diff_digest")), (Some(true), None));
    place.write("libs/kernel/deep/code.cu", "edited again\n");
    assert_ne!(module(&place.capture(), "libs/kernel/deep")["diff_digest"], first);
}

#[test]
fn untracked_files_in_a_submodule_are_counted_there() {
    let place = nested();
    place.write("libs/kernel/new.cu", "new\n");
    let captured = place.agrees_with_git();
    assert!(!captured.bool("dirty"));
    assert_eq!(captured.int("untracked"), 0);
    assert_eq!(module(&captured, "libs/kernel")["untracked"].as_integer(), Some(1));
    assert!(module(&captured, "libs/kernel").contains_key("untracked_digest"));
}

#[test]
fn another_commit_is_part_of_the_diff() {
    let place = nested();
    place.git_in(&place.path("libs/kernel"), &["commit", "--quiet", "--allow-empty", "--message", "moved"]);
    let moved = place.agrees_with_git();
    assert_eq!(moved.int("unstaged"), 1);
    assert!(moved.get("diff_digest").is_some());
    assert_ne!(module(&moved, "libs/kernel")["commit"], module(&moved, "libs/kernel")["recorded"]);
    place.git(&["add", "libs/kernel"]);
    let staged = place.agrees_with_git();
    assert_eq!((staged.int("staged"), staged.int("unstaged")), (1, 0));
    assert_eq!(staged.text("diff_digest"), moved.text("diff_digest"));
}

#[test]
fn a_submodule_that_was_never_fetched() {
    let place = nested();
    place.git(&["clone", "--quiet", ".", "../clone"]);
    let clone = place.home.path().join("clone");
    let captured = place.capture_in(&clone, &[]);
    assert!(!captured.bool("dirty"));
    let module = module(&captured, "libs/kernel");
    assert_eq!((module["initialised"].as_bool(), module.get("commit")), (Some(false), None));
    assert!(module.contains_key("recorded"));
    place.git(&["submodule", "--quiet", "deinit", "--force", "--all"]);
    assert!(!place.agrees_with_git().bool("dirty"));
    fs::remove_dir(place.path("libs/kernel")).unwrap();
    assert_eq!(place.agrees_with_git().int("unstaged"), 1);
}
