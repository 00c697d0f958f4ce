//! What A and B can be: files, standard input, this machine, dumps; and where the answer goes.

use std::io::Write as _;
use std::process::Stdio;

use super::{diff, put, snapshot, two};
use crate::common::{driftlock, folder, root};

#[test]
fn standard_input_for_one_side() {
    let dir = folder();
    two(dir.path());
    for (args, code) in [(["-", "b.lock"], 1), (["b.lock", "-"], 1), (["-", "a.lock"], 0)] {
        let mut command = driftlock();
        command.arg("diff").args(args).current_dir(dir.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let text = std::fs::read(dir.path().join("a.lock")).unwrap();
        child.stdin.take().unwrap().write_all(&text).unwrap();
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(code), "{args:?}");
    }
    let (code, out, messages) = diff(dir.path(), &["-", "-"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(messages.contains("both sides are standard input") && messages.contains("hint:"), "{messages}");
}

#[test]
fn this_machine() {
    let dir = folder();
    let (code, out, messages) = diff(dir.path(), &["now", "now"]);
    assert_eq!((code, messages.as_str()), (0, ""), "{out}");
    assert!(out.contains("identical"), "{out}");
    put(dir.path(), "a.lock", &snapshot(&["os"], &[("os.kernel", "0.1".into())]));
    let (_, out, _) = diff(dir.path(), &["a.lock", "now", "--all"]);
    assert!(out.contains("os.kernel"), "{out}");
}

#[test]
fn dumps_on_either_side() {
    let dir = folder();
    let dump = root().join("fixtures/imports/collect_env.txt");
    let dump = dump.to_str().unwrap();
    // What a dump does not say may differ all the same.
    let (_, out, _) = diff(dir.path(), &[dump, dump]);
    assert!(out.contains("unknown: no cause found, but not everything is known"), "{out}");
    // Of the two, only facts that both know can differ.
    std::fs::write(dir.path().join("freeze.txt"), "numpy==1.26.0\ntorch==2.0.0\n").unwrap();
    for args in [[dump, "freeze.txt"], ["freeze.txt", dump]] {
        let (code, out, messages) = diff(dir.path(), &[args[0], args[1], "--format", "json"]);
        assert_eq!((code, messages.as_str()), (1, ""));
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let facts = super::changed(&report);
        assert!(facts.contains(&"python.packages.torch.version".to_owned()), "{facts:?}");
        assert!(
            facts
                .iter()
                .all(|f| f.starts_with("python") || f.starts_with("torch.") || f.starts_with("numpy.")),
            "{facts:?}"
        );
    }
    std::fs::write(dir.path().join("notes.txt"), "nothing of the kind\n").unwrap();
    let (code, _, messages) = diff(dir.path(), &["notes.txt", dump]);
    assert_eq!(code, 2);
    assert!(messages.contains("`notes.txt`") && messages.contains("\n  collect_env "), "{messages}");
    assert!(!messages.contains("\\u{"), "a list has lines: {messages}");
}

#[test]
fn files_that_are_missing_or_folders() {
    let dir = folder();
    two(dir.path());
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    std::fs::write(dir.path().join("empty"), "").unwrap();
    for (args, word) in [
        (["none", "a.lock"], "`none`"),
        (["a.lock", "none"], "`none`"),
        (["folder", "a.lock"], "`folder`"),
        (["a.lock", "empty"], "`empty`"),
        (["a.lock", "a.lock/x"], "`a.lock/x`"),
    ] {
        let (code, out, messages) = diff(dir.path(), &args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(messages.starts_with("error: ") && messages.contains(word), "{args:?}: {messages}");
    }
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let dir = folder();
    two(dir.path());
    let out = dir.path().join("report.html");
    let old = dir.path().join("old");
    std::fs::write(&out, "the old report").unwrap();
    // Another name of the old file: it keeps its content only if the new one is another file.
    std::fs::hard_link(&out, &old).unwrap();
    let (code, printed, messages) =
        diff(dir.path(), &["a.lock", "b.lock", "--format", "html", "-o", "report.html"]);
    assert_eq!((code, printed.as_str(), messages.as_str()), (1, "", ""));
    assert!(std::fs::read_to_string(&out).unwrap().starts_with("<!doctype html>"));
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "the old report");
    let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 4, "nothing is left over: {names:?}");
    // A failure leaves the file that was there.
    assert_eq!(diff(dir.path(), &["a.lock", "none", "-o", "report.html"]).0, 2);
    assert!(std::fs::read_to_string(&out).unwrap().starts_with("<!doctype html>"));
    let (code, _, messages) = diff(dir.path(), &["a.lock", "b.lock", "-o", "none/report.html"]);
    assert_eq!(code, 2);
    assert!(messages.contains("none/report.html") && messages.contains("hint:"), "{messages}");
    // The text in a file has no colours, whatever the terminal.
    for format in ["human", "json", "markdown", "html", "unified"] {
        diff(dir.path(), &["a.lock", "b.lock", "--format", format, "-o", "x"]);
        let text = std::fs::read_to_string(dir.path().join("x")).unwrap();
        assert!(!text.is_empty() && !text.contains('\u{1b}'), "{format}");
    }
}
