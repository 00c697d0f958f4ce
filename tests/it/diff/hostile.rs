//! Snapshots that nobody wrote in good faith: an error that says why, or a clean answer; never a panic.

use std::path::Path;

use driftlock::explain::{Catalogue, explain, report};
use driftlock::render;
use driftlock::snapshot::value::is_unprintable;
use driftlock::snapshot::{read, write};

use super::{diff, host, snapshot};
use crate::common::{TempDir, folder};

/// A pair of a good snapshot and this text.
fn with(text: &[u8]) -> TempDir {
    let dir = folder();
    super::two(dir.path());
    std::fs::write(dir.path().join("bad.lock"), text).unwrap();
    dir
}

/// Both ways round: no panic, nothing that acts on a terminal. Gives the code and the messages of the first.
fn survives(dir: &Path) -> (i32, String) {
    let mut first = None;
    for args in [["bad.lock", "a.lock"], ["a.lock", "bad.lock"]] {
        let (code, out, messages) = diff(dir, &args);
        assert!((0..=2).contains(&code), "{code}: {messages}");
        assert!(!messages.contains("panicked"), "{messages}");
        assert_eq!(messages.is_empty(), code != 2, "{code}: {messages}");
        let unprintable = |text: &str| text.chars().any(|c| c != '\n' && is_unprintable(c));
        assert!(!unprintable(&out) && !unprintable(&messages), "{out:?} {messages:?}");
        first.get_or_insert((code, messages));
    }
    first.unwrap()
}

fn refused(text: &str, words: &[&str]) {
    let dir = with(text.as_bytes());
    let (code, messages) = survives(dir.path());
    assert_eq!(code, 2, "{}", text.chars().take(200).collect::<String>());
    for word in words {
        assert!(messages.contains(word), "`{word}` is not in: {messages}");
    }
}

#[test]
fn broken_files_are_refused_by_line() {
    refused("format = 2\n", &["`bad.lock`, line 1", "format 2", "hint: upgrade driftlock"]);
    refused("format = 99999999999999999999\n", &["`bad.lock`", "format"]);
    refused("format = \"1\"\n", &["`bad.lock`", "format"]);
    refused("format = 1\nformat = 1\n", &["`bad.lock`, line 2", "duplicate key"]);
    refused("format = 1\n[env]\nA = \"1\"\nA = \"2\"\n", &["`bad.lock`, line 4", "duplicate key"]);
    refused("format = 1\n[env]\nA = 1\n[env]\nB = 1\n", &["`bad.lock`, line 4", "duplicate key"]);
    refused("format = 1\n[env\n", &["`bad.lock`, line 2"]);
    refused("format = 1\nenv = 3\n", &["`bad.lock`, line 2", "`env`"]);
    refused("format = 1\n[digest]\nenv = 3\n", &["line 3", "`env`"]);
    refused("format = 1\n[unknown]\nenv = 3\n", &["line 3", "`env`"]);
    refused("format = 1\n[env]\nA = 1979-05-27\n", &["line 3", "env.A", "date"]);
    refused("format = 1\n[env]\nA = [{ b = 1 }]\n", &["line 3", "env.A"]);
    refused("format = 1\n[cpu]\ncores = 99999999999999999999\n", &["line 3", "cpu.cores"]);
    refused("format = 1\n\"\\u001b[31m\" = 3\n", &["line 2", "\\u{1b}[31m"]);
    refused(
        &format!("format = 1\n[env]\nA = {}1{}\n", "[".repeat(100_000), "]".repeat(100_000)),
        &["`bad.lock`, line 3"],
    );
}

#[test]
fn wrong_types_are_only_other_values() {
    // Every fact that the rules read as a number, a version or a list, as something else.
    let text = "format = 1\n\
        [os]\nkernel = 3\nlibc_version = [\"2.36\", 1]\n\
        [cpu]\nisa = \"avx2\"\ncores = \"many\"\nthreads = 3\ndispatch = [1]\n\
        [gpu]\ncount = \"two\"\nvisible = 3\n[gpu.0]\nsm_count = \"x\"\nmax_threads_per_sm = -9223372036854775808\nname = 1.5\n\
        [gpu.1]\nsm_count = 9223372036854775807\nmax_threads_per_sm = 9223372036854775807\n[gpu.x]\nname = \"y\"\n\
        [gpu.99999999999999999999999]\nname = \"y\"\n\
        [torch]\nversion = nan\n[numpy]\nversion = true\n[numpy.blas]\nname = []\n\
        [python]\nversion = -inf\npackages = 3\n\
        [env]\nOMP_NUM_THREADS = 1e400\n[workload]\nreads = [\"..\", \"\", \"env.\\\"\", 3]\noperations = 3\nincomplete = [[]]\n\
        [run]\ndevices = \"cuda\"\n";
    let dir = with(text.as_bytes());
    assert_eq!(survives(dir.path()).0, 1);
    let other = text.replace("9223372036854775807", "1").replace("\"x\"", "108");
    std::fs::write(dir.path().join("a.lock"), other).unwrap();
    assert!(survives(dir.path()).0 < 2);
}

#[test]
fn deep_wide_and_large() {
    // A table 3,000 deep, by dots and by headers.
    let path = vec!["x"; 3_000].join(".");
    let dir = with(format!("format = 1\n[env]\n{path} = 1\n").as_bytes());
    survives(dir.path());
    let dir = with(format!("format = 1\n[env.{path}]\ny = 1\n").as_bytes());
    survives(dir.path());
    // 20,000 variables.
    let many: String = (0..20_000).map(|i| format!("V{i} = \"{i}\"\n")).collect();
    let dir = with(format!("format = 1\n[env]\n{many}").as_bytes());
    assert!(survives(dir.path()).0 < 2);
    // One value of 50 MB; and a file of more than a snapshot may hold.
    let large = "x".repeat(50 << 20);
    let dir = with(format!("format = 1\n[env]\nA = \"{large}\"\n").as_bytes());
    assert!(survives(dir.path()).0 < 2);
    std::fs::write(dir.path().join("bad.lock"), format!("format = 1\n#{large}{large}")).unwrap();
    let (code, messages) = survives(dir.path());
    assert!(code == 2 && messages.contains("64 MiB"), "{messages}");
}

#[test]
fn bytes_that_are_no_text() {
    for bytes in [
        &b"\xff\xfe\x00"[..],
        b"\0\0\0\0",
        b"format = 1\n[env]\nA = \"\xff\"\n",
        b"\x7fELF\x02\x01\x01",
        b"PK\x03\x04",
    ] {
        let dir = with(bytes);
        survives(dir.path());
    }
}

/// What a full disk or a broken connection leaves: the file up to any byte.
#[test]
fn truncated_at_every_byte() {
    let whole = write::to_string(&snapshot(&["env"], &[("env.OMP_NUM_THREADS", "1".into())]));
    let dir = with(b"");
    for end in 0..whole.len() {
        std::fs::write(dir.path().join("bad.lock"), &whole.as_bytes()[..end]).unwrap();
        let (code, _, messages) = diff(dir.path(), &["bad.lock", "a.lock"]);
        assert!((0..=2).contains(&code) && !messages.contains("panicked"), "{end}: {messages}");
    }
    // A larger one by the library: reading, explaining, every form.
    let rules = Catalogue::built_in();
    let good = host("t4-v100");
    let whole = write::to_string(&good);
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end) && end % 97 == 0) {
        let Ok(read) = read::from_str(&whole[..end]) else { continue };
        let cut = read.snapshot;
        let explanation = explain(&cut, &good, &rules, &[], None);
        let report = report::report(&explanation, report::side("a", &cut), report::side("b", &good));
        render::diff::human::text(&explanation, &report, true, 80);
        render::diff::markdown::text(&report, true);
        render::diff::html::text(&report);
        render::diff::fix::text(&explanation);
    }
}
