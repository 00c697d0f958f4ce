//! Pairs of programs that have one normal form, and pairs that must not.
#![allow(clippy::unwrap_used, reason = "tests")]

mod differ;
mod same;
mod whole;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Form, Program, normalise};

/// The form of a script that imports these libraries.
fn form_with(text: &str, imports: &[&str]) -> Form {
    let files = [(PathBuf::from("/p/train.py"), text.to_owned())];
    let imports: BTreeSet<String> = imports.iter().map(|import| (*import).to_owned()).collect();
    let script = Some(Path::new("/p/train.py"));
    let mut forms =
        normalise(&Program { files: &files, script, imports: &imports, followed: true, docstrings: false });
    forms.pop().unwrap()
}

/// The form of a script that imports nothing that looks at it.
fn form(text: &str) -> Form {
    form_with(text, &["numpy", "torch"])
}

/// The normal form as text, for messages.
fn shown(form: &Form) -> String {
    match form {
        Form::Normal(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Form::Exact(why) => format!("exact: {why}"),
    }
}

fn assert_same(a: &str, b: &str) {
    let (x, y) = (form(a), form(b));
    assert!(matches!(x, Form::Normal(_)), "{a}\n{}", shown(&x));
    assert_eq!(shown(&x), shown(&y), "\n--- should be the same:\n{a}\n---\n{b}");
}

fn assert_differ(a: &str, b: &str) {
    let (x, y) = (form(a), form(b));
    // Two texts of which every byte counts differ whatever the form.
    if a != b && matches!((&x, &y), (Form::Exact(_), Form::Exact(_))) {
        return;
    }
    assert_ne!(x, y, "\n--- should differ:\n{a}\n---\n{b}\n{}", shown(&x));
}
