//! What was found, as facts of section `workload`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use sha2::{Digest as _, Sha256};

use super::normalise::{self, Form};
use super::places::{Places, located, resolved};
use super::{Found, Inputs, STACK, listing, packages};
use crate::host::{FileKind, Host};
use crate::outputs::model::{Contents, Kind};
use crate::probes::python::sites::Origin;
use crate::probes::sink::Collected;
use crate::probes::{Context, Sink};
use crate::redact::env_value;
use crate::run::Program;
use crate::snapshot::digest::{prefixed, sha256};
use crate::snapshot::{FactPath, Value};

/// Longest data file that is digested before the run, in bytes.
const LONGEST: u64 = 1 << 30;

/// Bytes of data files that are digested before the run, together.
const TOGETHER: u64 = 4 << 30;

/// Names of settings as the rules have them, where the analysis has others.
const SETTINGS: &[(&str, &str)] = &[
    ("tensorflow.tensor_float_32", "tensorflow.config.experimental.enable_tensor_float_32_execution"),
    ("torch.backends.cuda.cudnn_sdp", "torch.backends.cuda.enable_cudnn_sdp"),
    ("torch.backends.cuda.flash_sdp", "torch.backends.cuda.enable_flash_sdp"),
    ("torch.backends.cuda.math_sdp", "torch.backends.cuda.enable_math_sdp"),
    ("torch.backends.cuda.mem_efficient_sdp", "torch.backends.cuda.enable_mem_efficient_sdp"),
    ("torch.default_dtype", "torch.set_default_dtype"),
    ("torch.deterministic_algorithms", "torch.use_deterministic_algorithms"),
    ("torch.deterministic_debug_mode", "torch.set_deterministic_debug_mode"),
    ("torch.deterministic_warn_only", "torch.use_deterministic_algorithms_warn_only"),
];

/// What the analysis says of a run before it starts.
#[derive(Debug, Default)]
pub struct Said {
    /// Facts of section `workload`.
    pub facts: Collected,
    /// The environment variables that the program itself reads.
    pub env: Vec<String>,
}

/// Looks at the program of a command line; `None` where it starts none that can be read.
pub fn of(cx: &Context, program: &Program) -> Option<Said> {
    let interpreter = cx.interpreter().ok().flatten();
    let folders =
        interpreter.iter().flat_map(|i| &i.search.folders).filter(|f| f.origin != Origin::PythonPath);
    let inputs = Inputs {
        argv: program.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        cwd: program.cwd.clone(),
        environment: cx.host.env_all(),
        site: folders.map(|folder| folder.path.clone()).collect(),
    };
    let found = super::find(&inputs)?;
    Some(Said { facts: facts(cx, &program.cwd, &found), env: variables(&found.reads) })
}

/// The variables among the facts that a program reads; not `env.**`, which names none.
fn variables(reads: &BTreeSet<String>) -> Vec<String> {
    let paths = reads.iter().filter_map(|path| path.parse::<FactPath>().ok());
    let names = paths.filter_map(|path| match path.segments() {
        [env, name] if env == "env" && !name.contains(['*', '?', '[']) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

/// The facts of a program that starts in `cwd`.
pub fn facts(cx: &Context, cwd: &Path, found: &Found) -> Collected {
    let host = cx.host.as_ref();
    let out = Sink::new("workload");
    let script = found.script.as_ref().map(|script| resolved(host, &cwd.join(script)));
    let interpreter = cx.interpreter().ok().flatten();
    let places = Places::of(host, cwd, script.as_deref(), &|labels| {
        interpreter.map_or_else(|| labels.clone(), |i| i.labels(host, labels))
    });
    if let Some(script) = &script {
        out.set("script", places.show(script));
    }
    let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>();
    out.set("imports", list(&found.imports));
    out.set("frameworks", list(&found.frameworks));
    out.set("operations", list(&found.operations));
    out.set("reads", list(&found.reads));
    incomplete(&found.incomplete, &out);
    behind(cx, found, &out);
    for (name, value) in &found.sets_env {
        match value {
            Some(value) => {
                out.set_at(["sets_env", name], env_value(name, value).text().to_owned());
            }
            None => out.unknown_at(["sets_env", name], "the program computes the value"),
        }
    }
    for (path, value) in settings(&found.settings) {
        out.set_at(path, value);
    }
    for (generator, seeds) in &found.seeds {
        out.set_at(["seeds", generator], list(seeds));
    }
    for argument in found.arguments.iter().filter(|argument| argument.counts) {
        let at = ["arguments", &argument.name];
        match &argument.value {
            Some(value) => out.set_at(at, shown(&argument.name, value, &places)),
            None => out.unknown_at(at, "the program computes the value"),
        }
    }
    if !found.workers.is_empty() {
        out.set("data_loader_workers", found.workers.iter().map(i64::to_string).collect::<Vec<_>>());
    }
    for folder in &found.listings {
        let folder = resolved(host, &cwd.join(folder));
        let name = places.show(&folder);
        match listing::read(&folder) {
            Ok(Some(listing)) => {
                out.set_at(["listings", &name], listing.in_order);
                out.set_at(["listings_sorted", &name], listing.sorted);
            }
            Ok(None) => {}
            Err(reason) => {
                out.unknown_at(["listings", &name], &reason);
                out.unknown_at(["listings_sorted", &name], &reason);
            }
        }
    }
    files(host, cwd, &found.files, &places, &out);
    sources(host, cwd, found, &places, &out);
    out.snapshot(None)
}

/// `torch: Trainer is not modelled (train.py:12)`: what a comment above it moves is no part of it.
fn incomplete(reasons: &BTreeSet<String>, out: &Sink) {
    let bare = |reason: &String| -> String {
        let place = reason.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
        match place {
            Some((what, place)) if is_place(place) => what.to_owned(),
            _ => reason.clone(),
        }
    };
    out.set("incomplete", reasons.iter().map(bare).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
    if !reasons.is_empty() {
        out.set("incomplete_at", reasons.iter().cloned().collect::<Vec<_>>());
    }
}

/// `train.py:12`
fn is_place(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(_, line)| !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether the program was followed at all, so that its imports are all of them.
fn was_followed(found: &Found) -> bool {
    !found.incomplete.iter().any(|reason| reason.starts_with("all:"))
}

/// The distributions behind the imports.
fn behind(cx: &Context, found: &Found, out: &Sink) {
    let interpreter = match cx.interpreter() {
        Ok(Some(interpreter)) => interpreter,
        Ok(None) => return out.unknown("packages", "no Python interpreter is known"),
        Err(error) => return out.unknown("packages", error),
    };
    if !was_followed(found) {
        return out.unknown("packages", "the program could not be followed to its end");
    }
    let packages = packages::of(cx.host.as_ref(), interpreter, &found.imports);
    if packages.stray.is_empty() {
        out.set("packages", packages.names.into_iter().collect::<Vec<_>>());
    } else {
        let stray: Vec<String> = packages.stray.into_iter().collect();
        out.unknown("packages", format!("no distribution says that it installed {}", stray.join(", ")));
    }
}

/// The paths of settings. A name that is also the beginning of another cannot be both a value and a table: the
/// rest of the longer one becomes one key.
fn settings(settings: &BTreeMap<String, Value>) -> Vec<(Vec<String>, Value)> {
    let renamed: BTreeMap<&str, &Value> = settings
        .iter()
        .map(|(name, value)| {
            let name = SETTINGS.iter().find(|(from, _)| from == name).map_or(name.as_str(), |(_, to)| *to);
            (name, value)
        })
        .collect();
    let path = |name: &str| {
        let mut segments = vec!["settings".to_owned()];
        let mut begun = String::new();
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            begun.push_str(part);
            if parts.peek().is_some() && renamed.contains_key(begun.as_str()) {
                let rest: Vec<&str> = std::iter::once(part).chain(parts).collect();
                segments.push(rest.join("."));
                return segments;
            }
            begun.push('.');
            segments.push(part.to_owned());
        }
        segments
    };
    renamed.iter().map(|(name, value)| (path(name), (*value).clone())).collect()
}

/// A value as it is written: without secrets, an absolute path as files are shown.
fn shown(name: &str, value: &Value, places: &Places) -> Value {
    value.clone().map_text(&|text| {
        let text = env_value(name, &text).text().to_owned();
        if text.starts_with('/') { places.show(Path::new(&text)) } else { text }
    })
}

/// Data files that the program opens, by their paths.
fn files(host: &dyn Host, cwd: &Path, files: &BTreeSet<PathBuf>, places: &Places, out: &Sink) {
    let mut left = TOGETHER;
    for file in files {
        let path = located(host, &cwd.join(file));
        // What the kernel makes up at each look is no data.
        if ["/proc", "/sys", "/dev"].iter().any(|made_up| path.starts_with(made_up)) {
            continue;
        }
        let name = places.show(&path);
        let at = ["files", name.as_str()];
        let len = match host.stat(&path) {
            Ok(stat) if stat.kind == FileKind::File => stat.len,
            Ok(stat) if stat.kind == FileKind::Dir => continue,
            Ok(_) => {
                out.unknown_at(at, "not a regular file");
                continue;
            }
            // It may not be there yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                out.unknown_at(at, crate::error::reason(&error));
                continue;
            }
        };
        if len > LONGEST || len > left {
            out.unknown_at(at, "too long to be read before the run; name it with --data");
            continue;
        }
        left -= len;
        let read = crate::outputs::file(String::new(), &path, &ProgressBar::hidden());
        match read.digest {
            Ok(digest) => out.set_at(at, digest),
            Err(reason) => out.unknown_at(at, reason),
        }
        // A pickle of torch holds more than its tensors.
        if matches!(read.kind, Kind::Npy | Kind::Npz | Kind::Safetensors) {
            match content(&read.contents) {
                Ok(digest) => out.set_at(["files_content", &name], digest),
                Err(reason) => out.unknown_at(["files_content", &name], reason),
            }
        }
    }
}

/// The digest of a file's arrays, by name: one line each, `DIGEST  NAME`.
fn content(contents: &Contents) -> Result<String, String> {
    let tensors = match contents {
        Contents::Tensors(tensors) => tensors,
        Contents::Unread(reason) => return Err(reason.clone()),
        Contents::Whole => return Err("its form is not known".to_owned()),
    };
    let mut hash = Sha256::new();
    for tensor in tensors {
        let content = tensor.content.as_ref().map_err(|reason| format!("{}: {reason}", tensor.name))?;
        hash.update(content.digest.as_bytes());
        hash.update(b"  ");
        hash.update(tensor.name.as_bytes());
        hash.update(b"\n");
    }
    Ok(prefixed(&hash.finalize()))
}

/// The program's own files.
fn sources(host: &dyn Host, cwd: &Path, found: &Found, places: &Places, out: &Sink) {
    // A program that opens one of its files as data sees every byte of it.
    let data: BTreeSet<PathBuf> = found.files.iter().map(|file| resolved(host, &cwd.join(file))).collect();
    let forms = forms(found);
    for ((path, text), form) in found.sources.iter().zip(forms) {
        let absolute = resolved(host, &cwd.join(path));
        // `-c` has no file.
        let is_text = found.script.is_none() && *path == cwd.join("-c");
        let name = if is_text { "-c".to_owned() } else { places.show(&absolute) };
        let exact = match host.read(&absolute) {
            Ok(bytes) if !is_text => sha256(&bytes),
            _ => sha256(text.as_bytes()),
        };
        let form = if data.contains(&absolute) { Form::Exact("the program opens it as data") } else { form };
        let digest = match form {
            Form::Normal(bytes) => sha256(&bytes),
            Form::Exact(why) => {
                out.set_at(["code_as_is", &name], why);
                exact.clone()
            }
        };
        out.set_at(["code", &name], digest);
        out.set_at(["code_exact", &name], exact);
    }
}

/// The form of each file. In a thread of its own: trees are walked as deep as they are nested.
fn forms(found: &Found) -> Vec<Form> {
    let program = normalise::Program {
        files: &found.sources,
        script: found.script.as_deref(),
        imports: &found.imports,
        followed: was_followed(found),
        docstrings: found.operations.contains("python.docstring"),
    };
    let as_is = || vec![Form::Exact("its form could not be told"); found.sources.len()];
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let running = thread.spawn_scoped(scope, || normalise::normalise(&program));
        running.map_or_else(|_| as_is(), |thread| thread.join().unwrap_or_else(|_| as_is()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_never_a_table_and_a_value() {
        let given: BTreeMap<String, Value> = [("a.b", 1), ("a.b.c.d", 2), ("a.bc.d", 3)]
            .map(|(name, value)| (name.to_owned(), Value::Int(value)))
            .into();
        let paths: Vec<String> =
            settings(&given).into_iter().map(|(path, _)| FactPath::new(path).to_string()).collect();
        assert_eq!(paths, ["settings.a.b", "settings.a.\"b.c.d\"", "settings.a.bc.d"]);
    }

    #[test]
    fn a_place_is_no_part_of_a_reason() {
        let out = Sink::new("workload");
        let reasons =
            ["torch: f is not modelled (train.py:12)", "all: a syntax error in x.py, line 3", "jax: g (h)"];
        incomplete(&reasons.map(str::to_owned).into(), &out);
        let facts = out.snapshot(None).facts;
        let value = facts.get(&FactPath::new(["workload", "incomplete"])).map(Value::to_string);
        let expected = r#"["all: a syntax error in x.py, line 3", "jax: g (h)", "torch: f is not modelled"]"#;
        assert_eq!(value.as_deref(), Some(expected));
    }

    #[test]
    fn variables_are_those_with_a_name() {
        let reads = ["env.**", "env.RANK", "meta.host", "os.cpus"].map(str::to_owned).into();
        assert_eq!(variables(&reads), ["RANK"]);
    }
}
