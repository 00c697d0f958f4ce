//! `--deep`: what only the interpreter itself knows. The program that asks is `deep.py`.
//!
//! Each part runs in a process of its own, side by side: a library that crashes, hangs or prints rubbish makes its
//! own part unknown and no other. The interpreter is started as the user's own run would start it, with PYTHON*
//! variables and the user's site folder in effect, because a library that they put on the path is the one that the
//! run imports; `-I` would ask another. What could make the answer another than that is kept out: the working
//! directory is taken off the path, and `-B` leaves no byte code behind.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;

use super::interpreter::Interpreter;
use crate::host::{Command, RunError};
use crate::probes::{Context, Options, Sink};
use crate::redact::Labels;
use crate::snapshot::Value;

/// The program.
pub(super) const PROGRAM: &str = include_str!("deep.py");

/// What its answer begins with.
const TAG: &str = "driftlock/deep/1 ";

/// The least time that one part may take: `import tensorflow` from a cold disk takes tens of seconds.
const LEAST: Duration = Duration::from_secs(60);

/// The parts, each with the distributions of which one must be installed.
const PARTS: [(&str, &[&str]); 7] = [
    ("interpreter", &[]),
    ("torch", &["torch"]),
    ("numpy", &["numpy"]),
    ("scipy", &["scipy"]),
    ("sklearn", &["scikit-learn"]),
    ("jax", &["jax"]),
    ("tensorflow", &["tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tf-nightly"]),
];

/// The answer of one part.
#[derive(Debug, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
enum Answer {
    Success { facts: serde_json::Map<String, Json> },
    Error { kind: String, message: String },
}

/// The time limit of one part.
pub(super) fn limit(options: &Options) -> Duration {
    options.timeout.max(LEAST)
}

/// Asks every part whose library is installed, and records the answers below `deep`.
pub(super) fn collect(cx: &Context, interpreter: &Interpreter, labels: &Labels, out: &Sink) {
    let host = cx.host.as_ref();
    let is_installed = |names: &[&str]| {
        names.is_empty() || names.iter().any(|name| interpreter.distribution(host, name).is_some())
    };
    let answer = |part: &str| match ask(cx, &interpreter.executable, part) {
        Ok(facts) => {
            for (name, value) in facts {
                put(out, &mut vec!["deep".to_owned(), part.to_owned(), name], value, labels);
            }
        }
        Err(reason) => out.unknown_at(["deep", part], reason),
    };
    // Threads of their own: they only wait, and must not hold up the pool that digests files.
    std::thread::scope(|scope| {
        for (part, _) in PARTS.iter().filter(|(_, names)| is_installed(names)) {
            scope.spawn(move || answer(part));
        }
    });
}

fn ask(cx: &Context, executable: &Path, part: &str) -> Result<serde_json::Map<String, Json>, String> {
    let command = Command::new(executable.to_string_lossy(), ["-B", "-c", PROGRAM, part])
        .limit(limit(&cx.options))
        // TensorFlow's and XLA's chatter at import.
        .env("TF_CPP_MIN_LOG_LEVEL", "3");
    let output = cx.host.run(&command).map_err(|e| match e {
        RunError::TimedOut { limit_ms, .. } => format!("no answer within {} s", limit_ms / 1000),
        RunError::NotFound(_) => "the interpreter could not be started".to_owned(),
        RunError::Failed { reason, .. } => reason,
    })?;
    match parse(&output.stdout) {
        Some(Ok(Answer::Success { facts })) => Ok(facts),
        Some(Ok(Answer::Error { kind, message })) => Err(format!("{kind}: {}", first_line(&message))),
        Some(Err(e)) => Err(format!("an answer that is not understood: {e}")),
        None => Err(match output.status.checked_sub(128).filter(|signal| (1..=64).contains(signal)) {
            Some(signal) => format!("the interpreter died of signal {signal}"),
            None => {
                let last =
                    output.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                format!("the interpreter gave no answer (exit code {}): {}", output.status, first_line(last))
            }
        }),
    }
}

/// The last tagged line: `sitecustomize` and `.pth` files may print before the program takes standard output away.
fn parse(stdout: &str) -> Option<Result<Answer, serde_json::Error>> {
    let answer = stdout.lines().rev().find_map(|line| line.get(line.find(TAG)? + TAG.len()..))?;
    Some(serde_json::from_str(answer))
}

/// The first line of a message, at most 200 characters of it.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

/// Records a JSON value: objects as further segments, `null` not at all, paths as `labels` show them.
fn put(out: &Sink, path: &mut Vec<String>, value: Json, labels: &Labels) {
    if let Json::Object(members) = value {
        for (name, member) in members {
            path.push(name);
            put(out, path, member, labels);
            path.pop();
        }
    } else if let Some(value) = scalar(value, labels) {
        out.set_at(path.iter().map(String::as_str), value);
    }
}

fn scalar(value: Json, labels: &Labels) -> Option<Value> {
    Some(match value {
        Json::Null | Json::Object(_) => return None,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => number.as_f64().filter(|n| !n.is_nan()).map(Value::Float)?,
        },
        Json::String(text) if text.starts_with('/') => Value::Str(labels.show(Path::new(&text))),
        Json::String(text) => Value::Str(text),
        Json::Array(items) => {
            Value::List(items.into_iter().filter_map(|item| scalar(item, labels)).collect())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_found_among_rubbish() {
        let text = "hello\ndriftlock/deep/1 {\"result\":\"error\",\"kind\":\"x\",\"message\":\"first\"}\nnoise \u{1}\
                    driftlock/deep/1 {\"result\":\"success\",\"facts\":{\"a\":1}}\nbye\n";
        assert!(matches!(parse(text), Some(Ok(Answer::Success { facts })) if facts.len() == 1));
        assert!(parse("no answer").is_none());
        assert!(matches!(parse("driftlock/deep/1 {"), Some(Err(_))));
    }
}
