//! Files as they are found: damaged, huge, deep, in other encodings, gone.

use std::path::{Path, PathBuf};

use driftlock::lint::source::{self, Language};

use super::super::common;
use super::{json, lint, places};

/// Looks at a text in a thread with the stack that `lint` gives it.
fn look(text: String, language: Language) {
    let thread = std::thread::Builder::new().stack_size(driftlock::lint::STACK);
    let run = thread.spawn(move || drop(source::module(text, language, false))).unwrap();
    assert!(run.join().is_ok(), "it panicked");
}

fn fixtures() -> Vec<String> {
    let mut out = Vec::new();
    for folder in ["wrong", "corrected"] {
        let entries = std::fs::read_dir(common::root().join("fixtures/lint").join(folder)).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
        paths.sort();
        out.extend(paths.iter().map(|path| std::fs::read_to_string(path).unwrap()));
    }
    out
}

#[test]
fn truncated_and_mutated_programs_never_panic() {
    let thread = std::thread::Builder::new().stack_size(driftlock::lint::STACK);
    let run = thread.spawn(|| {
        // A small generator with a fixed seed: xorshift.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below as u64).unwrap()
        };
        const PIECES: [&str; 24] = [
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ":",
            "=",
            ":=",
            "*",
            "**",
            "\n",
            "\n    ",
            "\t",
            "'",
            "\"\"\"",
            "#",
            "set(",
            "lambda x: ",
            "for x in ",
            "global os\n",
            "import ",
            "\u{0}",
            "\u{202e}é",
        ];
        for text in fixtures() {
            let cuts: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
            for cut in cuts.iter().step_by(41) {
                let _ = source::module(text[..*cut].to_owned(), Language::Python, false);
                let _ = source::module(text[*cut..].to_owned(), Language::Python, false);
            }
            for _ in 0..60 {
                let mut mutant = text.clone();
                for _ in 0..=next(4) {
                    let at = cuts[next(cuts.len())].min(mutant.len());
                    let at = (at..=mutant.len()).find(|i| mutant.is_char_boundary(*i)).unwrap();
                    mutant.insert_str(at, PIECES[next(PIECES.len())]);
                }
                let _ = source::module(mutant.clone(), Language::Python, false);
                let _ = source::module(mutant, Language::Notebook, false);
            }
        }
    });
    assert!(run.unwrap().join().is_ok(), "it panicked");
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    // Just below what the parser's guard lets through, and far above it.
    for n in [1500, 100_000] {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{", "}"), ("set(", ")"), ("-", ""), ("x.y", ""), ("f()", "")]
        {
            look(format!("x = {}1{}\n", open.repeat(n), close.repeat(n)), Language::Python);
        }
        look(format!("x = {}\n", "a | ".repeat(n) + "set(a)"), Language::Python);
        look(
            (0..n.min(1900)).map(|i| format!("{}if x:\n", " ".repeat(i))).collect::<String>()
                + &" ".repeat(n.min(1900))
                + "pass\n",
            Language::Python,
        );
        look("[".repeat(n), Language::Notebook);
    }
    // Names that stand for one another, and for themselves.
    let chain: String = (0..5000).map(|i| format!("a{} = a{i}\n", i + 1)).collect();
    look(chain + "for x in a5000:\n    f(x)\n", Language::Python);
    look(
        "a = b\nb = a\nfor x in a | b:\n    f(x)\ns = s | s\nfor y in s - s:\n    f(y)\n".to_owned(),
        Language::Python,
    );
}

#[test]
fn encodings_and_line_ends_keep_their_columns() {
    let dir = common::folder();
    let bad = "random.seed()";
    let file = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    file("bom.py", format!("\u{feff}import random; {bad}\n").as_bytes());
    file("crlf.py", format!("import random\r\n\r\nif True:\r\n\t{bad}\r\n").as_bytes());
    file("cr.py", format!("import random\rx = 'é'; {bad}\r").as_bytes());
    file(
        "latin.py",
        format!("# coding: latin-1\nimport random\nx = '\u{e9}'; {bad}\n")
            .chars()
            .map(|c| c as u8)
            .collect::<Vec<u8>>()
            .as_slice(),
    );
    file("wide.py", format!("import random\nx = '日本語𝒳'; {bad}\n").as_bytes());
    let report = json(dir.path(), &["."]);
    assert_eq!(
        places(&report),
        ["bom.py:1:16", "cr.py:2:10", "crlf.py:4:2", "latin.py:3:10", "wide.py:2:13"]
            .map(|p| format!("{p} generator-without-seed"))
    );
}

#[test]
fn what_cannot_be_parsed_is_named_in_a_line_each() {
    let dir = common::folder();
    let file = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    file("bytes.py", b"x = '\xff\xfe'\n");
    file("two.py", b"x = 1\nprint 'python 2'\n");
    file("utf16.py", b"\xff\xfex\0=\x001\0");
    file("null.py", b"x = 1\n\0\0\n");
    file("ok.py", b"import random\nrandom.seed()\n");
    file("empty.py", b"");
    let huge = std::fs::File::create(dir.path().join("huge.py")).unwrap();
    huge.set_len(50 << 20).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere.py", dir.path().join("broken.py")).unwrap();
        std::os::unix::fs::symlink(".", dir.path().join("loop")).unwrap();
    }
    std::fs::create_dir(dir.path().join("folder.py")).unwrap();
    let out = lint(dir.path(), &[".", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(places(&report), ["ok.py:2:1 generator-without-seed"]);
    let messages = String::from_utf8_lossy(&out.stderr).into_owned();
    let lines: Vec<&str> = messages.lines().collect();
    assert!(lines.iter().all(|l| l.starts_with("skipped ")), "{messages}");
    for expected in [
        "skipped bytes.py: is not UTF-8 (line 1)",
        "skipped huge.py: is longer than 4 MiB",
        "skipped two.py:2: ",
        "skipped utf16.py: is UTF-16",
    ] {
        assert!(lines.iter().any(|l| l.starts_with(expected)), "{expected}: {messages}");
    }
    assert_eq!(report["skipped"].as_array().unwrap().len(), lines.len());
    assert_eq!(report["files"], 2 + usize::from(!messages.contains("null.py")));
}

/// Over every installed file of the real environment: nothing panics, and nothing but a hazard comes out.
#[test]
fn installed_packages() {
    let Some(venv) = std::env::var_os("DRIFTLOCK_TEST_VENV") else {
        eprintln!("skipped: DRIFTLOCK_TEST_VENV names no environment");
        return;
    };
    let lib = Path::new(&venv).join("lib");
    let python =
        std::fs::read_dir(lib).unwrap().map(|e| e.unwrap().path()).find(|p| p.join("site-packages").is_dir());
    let sklearn = python.unwrap().join("site-packages/sklearn");
    let report = json(Path::new("/"), &[sklearn.to_str().unwrap()]);
    assert!(report["files"].as_u64().unwrap() > 300, "{report}");
    let skipped = report["skipped"].as_array().unwrap();
    assert!(skipped.iter().all(|s| !s["why"].as_str().unwrap().contains("defect")), "{skipped:?}");
    // A library that is made with care: what is found is few and to the point.
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.len() < 30, "{} findings", findings.len());
}
