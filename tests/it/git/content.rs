//! Edits of every kind, beside what git says of them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::Place;

#[test]
fn edits_staged_and_not() {
    let place = Place::new();
    place.write("train.py", "import jax\n");
    let edited = place.agrees_with_git();
    assert_eq!((edited.int("staged"), edited.int("unstaged")), (0, 1));
    place.git(&["add", "train.py"]);
    let staged = place.agrees_with_git();
    assert_eq!((staged.int("staged"), staged.int("unstaged")), (1, 0));
    assert_eq!(staged.text("diff_digest"), edited.text("diff_digest"), "the same files, staged or not");
    place.write("train.py", "import numpy\n");
    let both = place.agrees_with_git();
    assert_eq!((both.int("staged"), both.int("unstaged")), (1, 1));
    assert_ne!(both.text("diff_digest"), edited.text("diff_digest"));
    // Staged and then taken back in the working tree alone: the files are those of HEAD, the index is not.
    place.write("train.py", "import torch\n");
    let back = place.agrees_with_git();
    assert!(back.bool("dirty"));
    assert_eq!(back.text("diff_digest"), None);
}

#[test]
fn an_edit_of_the_same_size_in_the_same_second_is_seen() {
    let place = Place::new();
    let time = fs::metadata(place.path("train.py")).unwrap().modified().unwrap();
    place.write("train.py", "import Torch\n");
    fs::File::options().write(true).open(place.path("train.py")).unwrap().set_modified(time).unwrap();
    assert_eq!(place.agrees_with_git().int("unstaged"), 1);
}

#[test]
fn a_touched_file_is_no_edit() {
    let place = Place::new();
    let file = fs::File::options().write(true).open(place.path("train.py")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    assert_eq!(place.agrees_with_git().int("unstaged"), 0);
}

#[test]
fn deleted_renamed_and_removed_from_the_index() {
    let place = Place::new();
    fs::remove_file(place.path("run.sh")).unwrap();
    place.git(&["mv", "train.py", "fit.py"]);
    place.git(&["rm", "--quiet", "--cached", "src/model.py"]);
    let captured = place.agrees_with_git();
    assert_eq!((captured.int("staged"), captured.int("unstaged"), captured.int("untracked")), (3, 1, 1));
}

#[test]
fn modes_links_and_types() {
    let place = Place::new();
    symlink("train.py", place.path("link")).unwrap();
    symlink("nowhere", place.path("dangling")).unwrap();
    place.write("empty", "");
    place.commit("links");
    let captured = place.agrees_with_git();
    assert!(!captured.bool("dirty"));
    fs::set_permissions(place.path("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place.path("empty"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(place.agrees_with_git().int("unstaged"), 2);
    fs::remove_file(place.path("link")).unwrap();
    symlink("run.sh", place.path("link")).unwrap();
    fs::remove_file(place.path("train.py")).unwrap();
    symlink("run.sh", place.path("train.py")).unwrap();
    fs::remove_file(place.path("dangling")).unwrap();
    place.write("dangling", "a file now\n");
    assert_eq!(place.agrees_with_git().int("unstaged"), 5);
    fs::remove_file(place.path("dangling")).unwrap();
    place.write("dangling/inside", "a folder now\n");
    let captured = place.agrees_with_git();
    assert_eq!((captured.int("unstaged"), captured.int("untracked")), (5, 1));
    place.git(&["config", "core.fileMode", "false"]);
    assert_eq!(place.agrees_with_git().int("unstaged"), 3);
}

#[test]
fn binary_files_of_ten_megabytes() {
    let place = Place::new();
    let mut weights: Vec<u8> =
        (0..10_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    place.write("weights.bin", &weights);
    place.commit("weights");
    weights[5 << 20] ^= 1;
    place.write("weights.bin", &weights);
    place.write("other.bin", &weights);
    let first = place.agrees_with_git();
    assert_eq!((first.int("unstaged"), first.int("untracked")), (1, 1));
    weights[5 << 20] ^= 2;
    place.write("weights.bin", &weights);
    let second = place.agrees_with_git();
    assert_ne!(first.text("diff_digest"), second.text("diff_digest"));
    assert_eq!(first.text("untracked_digest"), second.text("untracked_digest"));
}

#[test]
fn line_ends_are_converted_as_git_does() {
    let place = Place::new();
    place.git(&["config", "core.autocrlf", "true"]);
    fs::remove_file(place.path("train.py")).unwrap();
    place.git(&["checkout", "--quiet", "--", "train.py"]);
    assert_eq!(fs::read(place.path("train.py")).unwrap(), b"import torch\r\n");
    assert!(!place.agrees_with_git().bool("dirty"));
    place.write("train.py", "import torch\r\nimport jax\r\n");
    let crlf = place.agrees_with_git();
    assert_eq!(crlf.int("unstaged"), 1);
    place.write("train.py", "import torch\nimport jax\n");
    assert_eq!(place.agrees_with_git().text("diff_digest"), crlf.text("diff_digest"));
    // Nothing but line ends: `git diff` shows nothing and `git add` would store nothing.
    place.write("train.py", "import torch\n");
    assert!(!place.capture().bool("dirty"));
    place.git(&["config", "--unset", "core.autocrlf"]);
    place.write(".gitattributes", "*.py text eol=crlf\n*.txt ident\n");
    place.write("id.txt", "$Id$\n");
    place.commit("attributes");
    place.write("src/model.py", "class Model:\r\n    x = 1\r\n");
    place.write("id.txt", "$Id: 0123456789012345678901234567890123456789 $\nmore\n");
    assert_eq!(place.agrees_with_git().int("unstaged"), 2);
}

#[test]
fn names_that_are_not_utf_8_and_names_with_spaces() {
    let place = Place::new();
    let odd =
        [&b"latin-\xe9.py"[..], b"two words.py", b"line\nbreak.py", b"quote\".py", "日本.py".as_bytes()];
    for name in odd {
        fs::write(place.repo().join(OsStr::from_bytes(name)), "1\n").unwrap();
    }
    assert_eq!(place.agrees_with_git().int("untracked"), 5);
    place.commit("odd");
    for name in odd {
        fs::write(place.repo().join(OsStr::from_bytes(name)), "2\n").unwrap();
    }
    assert_eq!(place.agrees_with_git().int("unstaged"), 5);
    place.capture_in(&place.repo(), &["--patch"]);
}

#[test]
fn untracked_files_links_and_special_files() {
    let place = Place::new();
    place.write("notes.txt", "x");
    place.write("new/deep/file.py", "y");
    place.write("seen.log", "ignored");
    place.write("out/checkpoint", "ignored");
    symlink("notes.txt", place.path("link")).unwrap();
    symlink("/nowhere", place.path("dangling")).unwrap();
    fs::create_dir(place.path("empty")).unwrap();
    nix::unistd::mkfifo(&place.path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let first = place.agrees_with_git();
    assert_eq!(first.int("untracked"), 4);
    assert!(!first.bool("dirty"));
    place.write("new/deep/file.py", "z");
    let second = place.agrees_with_git();
    assert_ne!(first.text("untracked_digest"), second.text("untracked_digest"));
    place.write("seen.log", "still ignored");
    assert_eq!(place.capture().text("untracked_digest"), second.text("untracked_digest"));
}

#[test]
fn files_announced_but_not_added() {
    let place = Place::new();
    place.write("soon.py", "1\n");
    place.git(&["add", "--intent-to-add", "soon.py"]);
    let captured = place.agrees_with_git();
    assert_eq!((captured.int("staged"), captured.int("unstaged"), captured.int("untracked")), (0, 1, 0));
}

#[test]
fn edits_that_git_is_told_not_to_see() {
    let place = Place::new();
    place.git(&["update-index", "--assume-unchanged", "train.py"]);
    place.git(&["update-index", "--skip-worktree", "src/model.py", "run.sh"]);
    let clean = place.agrees_with_git();
    assert_eq!((clean.int("hidden_edits"), clean.get("hidden_files")), (0, None));
    place.write("train.py", "import os\n");
    place.write("src/model.py", "class Model:\n    x = 1\n");
    let captured = place.agrees_with_git();
    assert!(!captured.bool("dirty"), "as git has it");
    assert_eq!(captured.int("hidden_edits"), 2);
    let files = captured.get("hidden_files").and_then(|v| v.as_array()).unwrap();
    assert_eq!(files.iter().map(|v| v.as_str().unwrap()).collect::<Vec<_>>(), ["src/model.py", "train.py"]);
    place.write("train.py", "import re\n");
    assert_ne!(place.capture().text("hidden_digest"), captured.text("hidden_digest"));
    fs::remove_file(place.path("run.sh")).unwrap();
    assert_eq!(place.capture().int("hidden_edits"), 2, "what skip-worktree says is absent may be absent");
}

#[test]
fn a_sparse_checkout_lacks_files_and_is_clean() {
    let place = Place::new();
    place.write("data/table.csv", "1,2\n");
    place.commit("data");
    place.git(&["sparse-checkout", "set", "--cone", "src"]);
    assert!(!place.path("data/table.csv").exists());
    let captured = place.agrees_with_git();
    assert!(captured.bool("sparse"));
    assert_eq!(captured.int("hidden_edits"), 0);
    place.write("data/table.csv", "3,4\n");
    let captured = place.agrees_with_git();
    assert_eq!((captured.int("unstaged"), captured.int("hidden_edits")), (1, 0));
}

#[test]
fn data_that_git_lfs_did_not_fetch() {
    let place = Place::new();
    let content = "0.1,0.2\n".repeat(1000);
    let pointer = "version https://git-lfs.github.com/spec/v1\n\
                   oid sha256:e5d1f04a4a64fb1b1b4c4b9b5b0b7c6ad0d1ee5b24a2e4f3b1a1d9d3c9a0b1c2\nsize 12345\n";
    // What git-lfs does, by what is installed everywhere; a pointer passes through as it is.
    let clean = place.home.path().join("clean.sh");
    let script = "f=$(mktemp); cat > $f; if grep -q '^version https://git-lfs' $f; then cat $f; else \
                  printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize %s\\n' \
                  $(sha256sum < $f | cut -c1-64) $(stat -c %s $f); fi";
    fs::write(&clean, script).unwrap();
    place.git(&["config", "filter.lfs.clean", &format!("bash {}", clean.display())]);
    place.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    place.write("fetched.bin", &content);
    place.write("missing.bin", pointer);
    place.write("models/other.bin", pointer);
    place.write("small.py", pointer);
    place.commit("data");
    let captured = place.agrees_with_git();
    assert!(!captured.bool("dirty"));
    assert_eq!(captured.int("lfs_pointers"), 2);
    let files = captured.get("lfs_pointer_files").and_then(|v| v.as_array()).unwrap();
    assert_eq!(
        files.iter().map(|v| v.as_str().unwrap()).collect::<Vec<_>>(),
        ["missing.bin", "models/other.bin"]
    );
    // Fetched data is compared by its pointer, so that a touched file is clean.
    let file = fs::File::options().write(true).open(place.path("fetched.bin")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert!(!place.agrees_with_git().bool("dirty"));
    place.write("fetched.bin", content.replace("0.1", "0.3"));
    assert_eq!(place.agrees_with_git().int("unstaged"), 1);
}

#[test]
fn a_filter_program_is_not_run() {
    let place = Place::new();
    let witness = place.home.path().join("ran");
    place.git(&["config", "filter.strip.clean", &format!("tee {}", witness.display())]);
    place.write(".gitattributes", "*.ipynb filter=strip\n");
    place.write("a.ipynb", "{}\n");
    place.commit("notebook");
    assert!(!place.agrees_with_git().bool("dirty"));
    place.write("a.ipynb", "{ }\n");
    fs::remove_file(&witness).unwrap();
    let captured = place.capture();
    assert!(!witness.exists());
    assert_eq!(captured.get("diff_digest"), None);
    for fact in ["diff_digest", "unstaged", "dirty"] {
        let reason = captured.unknown(fact).unwrap_or_else(|| panic!("{fact} of {captured:#?}"));
        assert!(reason.contains("a.ipynb") && reason.contains("`strip`"), "{reason}");
    }
    assert_eq!(captured.int("staged"), 0);
    place.write("train.py", "edited\n");
    assert!(place.capture().bool("dirty"), "dirty whatever the filter does");
}

#[test]
fn folders_that_are_files_or_links_now() {
    let place = Place::new();
    for name in ["kept/a", "kept/deep/b", "file/a", "linked/a", "gone/a", "twin/a"] {
        place.write(name, name);
    }
    place.commit("folders");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    place.git(&["status"]);
    std::fs::remove_dir_all(place.path("file")).unwrap();
    place.write("file", "no folder");
    std::fs::remove_dir_all(place.path("gone")).unwrap();
    // The same file under the same name, behind a link: git does not follow it.
    std::fs::rename(place.path("linked"), place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", place.path("linked")).unwrap();
    place.write("kept/deep/new", "untracked");
    place.write("kept/ignored.o", "ignored");
    place.write(".gitignore", "*.o\n");
    place.agrees_with_git();
}
