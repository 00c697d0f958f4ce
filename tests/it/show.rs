//! `show` and `verify`: what they print of good files, and what they say of bad ones.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use crate::common::{driftlock, folder};

fn run(dir: &tempfile::TempDir, args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = driftlock().args(args).current_dir(dir).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn captured() -> (tempfile::TempDir, String) {
    let dir = folder();
    let (code, _, messages) = run(&dir, &["capture", "--env-all"]);
    assert_eq!(code, Some(0), "{messages}");
    let text = fs::read_to_string(dir.path().join("driftlock.lock")).unwrap();
    (dir, text)
}

#[test]
fn toml_gives_the_file_back_byte_for_byte() {
    let (dir, text) = captured();
    let (code, shown, _) = run(&dir, &["show", "driftlock.lock", "--format", "toml"]);
    assert_eq!(code, Some(0));
    snapbox::assert_data_eq!(shown, snapbox::Data::text(text));
}

#[test]
fn human_fits_eighty_columns_without_colour_when_piped() {
    let (dir, _) = captured();
    let (code, shown, _) = run(&dir, &["show", "driftlock.lock"]);
    assert_eq!(code, Some(0));
    assert!(shown.contains("Operating system") && shown.contains("linux"), "{shown}");
    for line in shown.lines() {
        // A word that is longer than the line (a digest in an unknown's reason, say) may stand out.
        assert!(
            line.chars().count() <= 80 || !line.trim().contains(' '),
            "{} columns: {line}",
            line.chars().count()
        );
    }
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn every_form_names_the_fingerprint() {
    let (dir, text) = captured();
    let parsed: toml::Table = text.parse().unwrap();
    let fingerprint = &parsed["fingerprint"].as_str().unwrap()[..20];
    for format in ["human", "json", "toml", "markdown", "latex", "html"] {
        let (code, shown, messages) = run(&dir, &["show", "driftlock.lock", "--format", format]);
        assert_eq!(code, Some(0), "{format}: {messages}");
        assert!(shown.contains(fingerprint), "{format}: {shown}");
    }
}

#[test]
fn one_section() {
    let (dir, _) = captured();
    let (code, shown, _) = run(&dir, &["show", "driftlock.lock", "--section", "os"]);
    assert_eq!(code, Some(0));
    assert!(shown.contains("[os]") && !shown.contains("[cpu]"), "{shown}");
    let (code, _, messages) = run(&dir, &["show", "driftlock.lock", "--section", "nonsense"]);
    assert_eq!(code, Some(2));
    assert!(messages.contains("hint: it holds os"), "{messages}");
    let (code, shown, _) = run(&dir, &["show", "--section", "os"]);
    assert_eq!(code, Some(0), "the live machine without a file");
    assert!(shown.contains("[os]"), "{shown}");
}

#[test]
fn verify_accepts_what_capture_wrote_and_names_what_was_changed() {
    let (dir, text) = captured();
    let (code, said, _) = run(&dir, &["verify"]);
    assert_eq!((code, said.contains("digests fit")), (Some(0), true), "{said}");

    let write = |text: &str| fs::write(dir.path().join("driftlock.lock"), text).unwrap();
    write(&text.replacen("family = \"linux\"", "family = \"plan9\"", 1));
    let (code, said, _) = run(&dir, &["verify"]);
    assert_eq!(code, Some(1));
    assert_eq!(said, "driftlock.lock: the facts of [os] do not fit their digest\n");

    let digest = text.lines().find(|l| l.starts_with("os = \"sha256:")).unwrap();
    write(&text.replacen(digest, &format!("os = \"sha256:{}\"", "0".repeat(64)), 1));
    let (code, said, _) = run(&dir, &["verify"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("[os]") && said.contains("fingerprint does not fit"), "{said}");

    write(&text.replacen("\n[os]\n", "\n[os]\n# by hand\n", 1));
    let (code, said, _) = run(&dir, &["verify"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("not in canonical form") && said.contains("-# by hand"), "{said}");
}

#[test]
fn standard_input() {
    let (dir, text) = captured();
    let mut child = driftlock()
        .args(["verify", "-"])
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn bad_files_are_told_with_file_line_and_remedy() {
    let dir = folder();
    let deep = format!("format = 1\nx = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&[u8], &str, &str); 9] = [
        (b"", "`format` is missing", ""),
        (b"format = 1\n[os\n", "line 2", "capture again"),
        (b"format = 99\n", "line 1: the snapshot is of format 99", "upgrade driftlock"),
        (b"format = \"one\"\n", "not a format number", ""),
        (b"format = 1\n[os]\nkernel = 1979-05-27\n", "line 3: `os.kernel` is a date", ""),
        (b"format = 1\n[os]\na = 1\na = 2\n", "line 4", "duplicate"),
        (b"format = 1\n\xff\n", "line 2: not UTF-8", ""),
        (b"format = 1\n[unknown]\n\"\" = \"x\"\n", "line 3", "not a fact path"),
        (deep.as_bytes(), "line 2", ""),
    ];
    for (bytes, words, remedy) in cases {
        fs::write(dir.path().join("bad.lock"), bytes).unwrap();
        for command in ["show", "verify"] {
            let (code, _, messages) = run(&dir, &[command, "bad.lock"]);
            assert_eq!(code, Some(2), "{words}: {messages}");
            assert!(messages.contains("`bad.lock`") && messages.contains(words), "{words}: {messages}");
            assert!(messages.contains(remedy), "{remedy}: {messages}");
        }
    }
    let (code, _, messages) = run(&dir, &["show", "missing.lock"]);
    assert_eq!(code, Some(2));
    assert!(
        messages.contains("no such file") && messages.contains("hint: `driftlock capture`"),
        "{messages}"
    );
}

#[test]
fn nothing_from_a_file_moves_the_terminal() {
    let dir = folder();
    let evil = "format = 1\n[os]\n\"k\\u001b[2J\" = \"v\\u001b]0;x\\u0007\\u202e\"\n[unknown]\ngpu = \"r\\u001b[31m\"\n";
    fs::write(dir.path().join("evil.lock"), evil).unwrap();
    for format in ["human", "json", "toml", "markdown", "latex", "html"] {
        let (code, shown, messages) = run(&dir, &["show", "evil.lock", "--format", format]);
        assert_eq!(code, Some(0), "{messages}");
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.chars().any(acts), "{format}: {shown:?}");
    }
}

#[test]
fn a_snapshot_cut_anywhere_is_an_error_or_a_shorter_snapshot_and_never_a_panic() {
    let (dir, text) = captured();
    let short: String = text.lines().take(60).map(|l| format!("{l}\n")).collect();
    for end in (0..short.len()).filter(|i| short.is_char_boundary(*i)) {
        // In the process itself: thousands of runs of the binary would say the same.
        let _either = driftlock::snapshot::read::from_str(&short[..end]);
    }
    fs::write(dir.path().join("cut.lock"), &text[..text.len() / 2]).unwrap();
    let (code, _, messages) = run(&dir, &["verify", "cut.lock"]);
    assert!(matches!(code, Some(1 | 2)), "{messages}");
}

#[test]
fn a_pipe_that_closes_is_no_error() {
    let (dir, _) = captured();
    let script = format!("{} facts | head -1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_driftlock"));
    let out = std::process::Command::new("bash").args(["-c", &script]).current_dir(&dir).output().unwrap();
    assert_eq!((out.status.code(), String::from_utf8(out.stderr).unwrap().as_str()), (Some(0), ""));
}
