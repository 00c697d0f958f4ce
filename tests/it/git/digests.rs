//! The patch, the limits, and the snapshots that lie in the repository.

use std::fs;

use super::{Place, captured};
use crate::common::driftlock;

#[test]
fn the_patch_applies_and_is_not_moved_by_settings() {
    let place = Place::new();
    place.write("gone.py", "1\n");
    place.write("tool.sh", "1\n");
    place.commit("more");
    let clean = place.capture_in(&place.repo(), &["--patch"]);
    assert_eq!(clean.volatile("patch"), None);
    place.write("train.py", "import torch\nimport numpy\n");
    place.write("new.py", "n\n");
    place.git(&["add", "new.py"]);
    fs::remove_file(place.path("gone.py")).unwrap();
    fs::set_permissions(place.path("tool.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let patch = |place: &Place| {
        let captured = place.capture_in(&place.repo(), &["--patch"]);
        captured.volatile("patch").and_then(|v| v.as_str()).expect("a patch").to_owned()
    };
    let text = patch(&place);
    let theirs = place.git(&["diff", "HEAD", "--full-index", "--no-renames", "--no-ext-diff", "--no-color"]);
    assert_eq!(text.trim_end(), theirs);
    let settings = [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.context", "0"),
        ("core.abbrev", "5"),
    ];
    for (name, value) in settings {
        place.git(&["config", name, value]);
        assert_eq!(patch(&place), text, "{name}");
    }
    place.git(&["config", "--unset", "diff.noprefix"]);
    fs::write(place.home.path().join("kept.patch"), &text).unwrap();
    let before = place.capture();
    place.git(&["reset", "--quiet", "--hard"]);
    place.git(&["apply", "../kept.patch"]);
    place.git(&["add", "--intent-to-add", "."]);
    assert_eq!(place.capture().text("diff_digest"), before.text("diff_digest"));
}

#[test]
fn a_patch_shows_binary_and_foreign_text_by_ids() {
    let place = Place::new();
    place.write("weights.bin", [0, 1, 2, 255, 0]);
    place.write("latin.txt", b"caf\xe9\n");
    place.commit("binary");
    place.write("weights.bin", [0, 1, 2, 254, 0]);
    place.write("latin.txt", b"th\xe9\n");
    let captured = place.capture_in(&place.repo(), &["--patch"]);
    let text = captured.volatile("patch").and_then(|v| v.as_str()).unwrap();
    for name in ["weights.bin", "latin.txt"] {
        let (old, new) =
            (place.git(&["rev-parse", &format!("HEAD:{name}")]), place.git(&["hash-object", name]));
        let shown = format!(
            "diff --git a/{name} b/{name}\nindex {old}..{new} 100644\nBinary files a/{name} and b/{name} differ\n"
        );
        assert!(text.contains(&shown), "{text}");
    }
}

#[test]
fn too_much_untracked_data_is_unknown_and_said_so() {
    let place = Place::new();
    let file = fs::File::create(place.path("checkpoint.pt")).unwrap();
    file.set_len((512 << 20) + 1).unwrap();
    place.write("train.py", "edited\n");
    let captured = place.capture();
    assert_eq!(captured.get("untracked_digest"), None);
    assert!(captured.unknown("untracked_digest").unwrap().contains("512 MiB"));
    assert_eq!((captured.int("untracked"), captured.int("unstaged")), (1, 1));
    assert!(captured.get("diff_digest").is_some());
}

#[test]
fn time_that_runs_out_leaves_the_commit() {
    let place = Place::new();
    for i in 0..3000 {
        place.write(&format!("many/{i}.py"), format!("{i}\n"));
    }
    place.commit("many");
    let mut command = place.isolated(driftlock());
    let captured = captured(command.args(["capture", "--section", "git", "--timeout", "0.004", "-o", "-"]));
    // On any machine: either it was fast enough, or what it lacks is unknown and not absent.
    let found = captured.get("dirty").is_some();
    assert_ne!(found, captured.unknown("dirty").or(captured.unknown("")).is_some(), "{captured:#?}");
}

#[test]
fn the_snapshot_itself_does_not_count() {
    let place = Place::new();
    let write = || {
        let status =
            place.isolated(driftlock()).args(["capture", "--section", "git"]).output().unwrap().status;
        assert!(status.success() && place.path("driftlock.lock").exists());
        place.agrees_in_content()
    };
    let first = place.capture();
    let second = write();
    assert_eq!(first.0, second.0, "untracked");
    place.git(&["add", "driftlock.lock"]);
    assert_eq!(place.capture().0, first.0, "staged");
    place.commit("lock");
    let committed = place.capture();
    assert!(!committed.bool("dirty"));
    let again = write();
    assert_eq!(again.0, committed.0, "tracked and written anew");
    for (format, file) in [("json", "a.json"), ("toml", "runs/b.txt")] {
        fs::create_dir_all(place.path("runs")).unwrap();
        let args = ["capture", "--section", "git", "--format", format, "-o", file];
        let out = place.isolated(driftlock()).args(args).output().unwrap();
        assert!(out.status.success() && place.path(file).exists());
    }
    assert_eq!(place.capture().0, committed.0, "by another name");
    fs::write(place.path("driftlock.lock"), "no snapshot\n").unwrap();
    assert!(place.capture().bool("dirty"));
}

impl Place {
    fn agrees_in_content(&self) -> super::Captured {
        let captured = self.capture();
        assert_eq!(captured.text("diff_digest"), self.recipe("diff_digest").as_deref());
        assert_eq!(captured.text("untracked_digest"), self.recipe("untracked_digest").as_deref());
        captured
    }
}
