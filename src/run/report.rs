//! The facts of section `run`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::program::{Code, Program};
use super::supervise::Finished;
use super::watch::{Library, Observed};
use super::{kinds, symbols};
use crate::facts::{self, Class};
use crate::host::Host;
use crate::probes::env::recorded;
use crate::probes::sink::Collected;
use crate::probes::{Context, Sink};
use crate::redact::{Labels, env_value, secret};
use crate::snapshot::{FactPath, Snapshot, Value};

/// Why nothing is known of a run that was not watched to its end.
const UNFINISHED: &str = "the run was not watched to its end";

/// Facts that are known before the start, and for all else that the run has not ended.
pub fn before(cx: &Context, program: &Program) -> Collected {
    let out = Sink::new("run");
    out.set("complete", false);
    command(cx, program, &labels(cx), &out);
    out.unknown("", UNFINISHED);
    out.snapshot(None)
}

/// Everything, after the end.
pub fn after(
    cx: &Context,
    program: &Program,
    finished: &Finished,
    missing: &[String],
    captured: &Snapshot,
) -> Collected {
    let out = Sink::new("run");
    let labels = labels(cx);
    out.set("complete", true);
    command(cx, program, &labels, &out);
    let Finished { end, duration, observed } = finished;
    out.set_opt("exit_code", end.code.map(u32::from));
    out.set_opt("signal", end.signal.map(signal_name));
    out.set("duration_ms", number(duration.as_millis()));
    out.set("cpu_ms", number(end.cpu.as_millis()));
    out.set("memory.largest", observed.largest);
    out.set("memory.together", observed.memory.max(observed.largest));
    out.set("threads", observed.threads);
    out.set("processes", observed.processes);
    out.set("left_behind", observed.left);
    out.set("samples", observed.samples);
    out.set("watcher_cpu_us", number(observed.cost.as_micros()));
    out.set("cpus_used", observed.cpus.iter().map(ToString::to_string).collect::<Vec<_>>());
    let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>();
    if !observed.degraded.is_empty() {
        out.set("degraded", list(&observed.degraded));
    }
    if !observed.affinity.is_empty() {
        out.set("affinity", list(&observed.affinity));
    }
    if !missing.is_empty() {
        out.set("missing_outputs", missing.to_vec());
    }
    let helpers: BTreeSet<String> = observed.helpers.iter().map(|exe| labels.show(Path::new(exe))).collect();
    out.set("helpers", list(&helpers));
    environment(observed, &labels, &out);
    libraries(cx.host.as_ref(), observed, &labels, captured, &out);
    match &observed.blind {
        None => devices(observed, &out),
        // What was seen stands; of everything else nothing is known.
        Some(reason) => {
            for fact in ["libraries", "uses", "devices", "environment"] {
                out.unknown(fact, reason);
            }
        }
    }
    out.snapshot(None)
}

fn number(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// How paths are shown: relative to the command's Python environment too.
fn labels(cx: &Context) -> Labels {
    let interpreter = cx.interpreter().ok().flatten();
    interpreter.map_or_else(|| cx.labels.clone(), |i| i.labels(cx.host.as_ref(), &cx.labels))
}

fn command(cx: &Context, program: &Program, labels: &Labels, out: &Sink) {
    let words: Vec<String> = program.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    out.set("command", shown(&words, labels));
    if let Some(executable) = &program.executable {
        out.set("program", labels.show(executable));
    }
    match &program.code {
        Code::Script(path) => {
            let path = cx.host.canonicalize(path).unwrap_or_else(|_| path.clone());
            out.set("script", labels.show(&path));
        }
        Code::Module(name) => out.set("module", name.as_str()),
        Code::Text(_) | Code::Stdin | Code::Unknown => {}
    }
}

/// The words of a command line as they are written: without secrets, absolute paths by their labels.
fn shown(words: &[String], labels: &Labels) -> Vec<String> {
    let mut flag: Option<&str> = None;
    let mut out = Vec::with_capacity(words.len());
    for word in words {
        let redacted = match flag.take() {
            // `--api-key VALUE`
            Some(name) if !word.starts_with('-') => env_value(name, word).text().to_owned(),
            _ => match word.split_once('=') {
                // `--api-key=VALUE`, and `API_KEY=VALUE` of env(1)
                Some((name, value)) => {
                    format!("{name}={}", env_value(name.trim_start_matches('-'), value).text())
                }
                None => secret::text(word).into_owned(),
            },
        };
        if word.starts_with("--") && !word.contains('=') {
            flag = Some(word.trim_start_matches('-'));
        }
        out.push(if redacted.starts_with('/') { labels.show(Path::new(&redacted)) } else { redacted });
    }
    out
}

fn environment(observed: &Observed, labels: &Labels, out: &Sink) {
    for (name, values) in &observed.environment {
        // What is no drift as a variable of ours is none as one of theirs.
        let class = facts::find(&FactPath::new(["env", name.as_str()])).map(|fact| fact.class);
        if !matches!(class, Some(Class::Identity | Class::Capacity)) {
            continue;
        }
        let values: BTreeSet<String> = values
            .iter()
            .map(|value| match value {
                Some(value) => match recorded(name, value, labels) {
                    Value::List(items) => items.iter().map(Value::plain).collect::<Vec<_>>().join(":"),
                    one => one.plain(),
                },
                None => "(unset)".to_owned(),
            })
            .collect();
        out.set_at(["environment", name.as_str()], values.into_iter().collect::<Vec<_>>());
    }
}

/// One copy of a library.
struct Copy<'a> {
    shown: String,
    library: &'a Library,
}

fn libraries(host: &dyn Host, observed: &Observed, labels: &Labels, captured: &Snapshot, out: &Sink) {
    let mut found: BTreeMap<String, Vec<Copy<'_>>> = BTreeMap::new();
    let (mut extensions, mut generated) = (BTreeSet::new(), BTreeSet::new());
    let mut uses: BTreeSet<&str> = BTreeSet::new();
    for library in observed.libraries.iter().filter(|library| library.counts) {
        let shown = labels.show(&library.path);
        if library.deleted || is_generated(&shown) {
            generated.insert(shown);
            continue;
        }
        if kinds::is_extension(&shown) {
            let below = shown.split("-packages/").nth(1).unwrap_or_default();
            uses.extend(kinds::package(below));
            extensions.insert(shown);
            continue;
        }
        found.entry(kinds::stem(&shown).to_owned()).or_default().push(Copy { shown, library });
    }
    let versions = versions(captured);
    for (stem, mut copies) in found {
        uses.extend(kinds::of(&stem).map(|kind| kind.name));
        copies.sort_by(|a, b| a.shown.cmp(&b.shown));
        if copies.len() > 1 {
            out.set_at(["libraries", &stem, "copies"], copies.len());
        }
        if let Some(together) = observed.copies.get(&stem) {
            out.set_at(["libraries", &stem, "in_one_process"], *together);
        }
        for (index, copy) in copies.iter().enumerate() {
            let number = (index + 1).to_string();
            let at = |fact: &'static str| {
                let mut path = vec!["libraries", &stem];
                path.extend((index > 0).then_some(number.as_str()));
                path.push(fact);
                path.into_iter().map(str::to_owned).collect::<Vec<_>>()
            };
            out.set_at(at("path"), copy.shown.as_str());
            let version = versions.get(copy.shown.as_str()).copied().or_else(|| kinds::version(&copy.shown));
            if let Some(version) = version {
                out.set_at(at("version"), version);
            }
            let elf = match &copy.library.elf {
                Some(elf) => elf.clone(),
                None => host.elf(&copy.library.path),
            };
            match elf {
                Ok(info) => {
                    if let Some(id) = info.build_id {
                        out.set_at(at("build_id"), id);
                    }
                }
                Err(error) => out.unknown_at(at("build_id"), error),
            }
        }
        // Whole libraries are linked into some others; their names show in what these export.
        if symbols::HOLDERS.contains(&stem.as_str()) {
            for copy in &copies {
                uses.extend(symbols::inside(&copy.library.path));
            }
        }
    }
    if observed.blind.is_none() {
        out.set("uses", uses.into_iter().collect::<Vec<_>>());
    }
    out.set("extensions", extensions.into_iter().collect::<Vec<_>>());
    if !generated.is_empty() {
        out.set("generated", generated.into_iter().collect::<Vec<_>>());
    }
}

/// Whether a file was compiled by a program that ran (torch.compile, Triton, Numba, a C++ extension): named by a digest,
/// in a cache or a temporary folder.
fn is_generated(shown: &str) -> bool {
    ["/tmp/", "/var/tmp/", "/dev/shm/", "/memfd:", "~/.cache/", "~/.triton/", "/root/.cache/"]
        .iter()
        .any(|prefix| shown.starts_with(prefix))
        || shown.contains("/torchinductor_")
        || shown.contains("/torch_extensions/")
}

/// The releases that the capture found of libraries, by their paths: what it says of `cuda.libraries.cudnn.path` in
/// `cuda.libraries.cudnn.version`.
fn versions(captured: &Snapshot) -> BTreeMap<&str, &str> {
    let paths = captured.facts.iter().filter(|(path, _)| path.segments().last().is_some_and(|s| s == "path"));
    paths
        .filter_map(|(path, value)| {
            let parent = &path.segments()[..path.segments().len() - 1];
            // Only of libraries: `torch.path` is a folder.
            let file = value.as_str().filter(|file| file.contains(".so"))?;
            let version = FactPath::new(parent.iter().cloned()).child("version");
            Some((file, captured.facts.get(&version)?.as_str()?))
        })
        .collect()
}

/// Where the program computed. A build for CUDA maps CUDA's libraries in a program that never uses a GPU: only the
/// driver's devices, mapped into a process, tell that it was used.
fn devices(observed: &Observed, out: &Sink) {
    let stems: BTreeSet<&str> = observed
        .libraries
        .iter()
        .filter(|library| library.counts)
        .filter_map(|library| library.path.to_str().map(kinds::stem))
        .collect();
    let loaded = |prefix: &str| stems.iter().any(|stem| stem.starts_with(prefix));
    let open = |prefix: &str| observed.devices.iter().any(|device| device.starts_with(prefix));
    let mapped = |prefix: &str| observed.mapped_devices.iter().any(|device| device.starts_with(prefix));
    let mut used = vec!["cpu"];
    let cuda = mapped("/dev/nvidia") || open("/dev/dxg") || open("/dev/nvhost") || open("/dev/nvmap");
    if cuda && stems.contains("libcuda") {
        used.push("cuda");
    }
    if open("/dev/kfd") && (loaded("libamdhip64") || loaded("libhsa-runtime64")) {
        used.push("rocm");
    }
    if (open("/dev/accel") || open("/dev/vfio")) && loaded("libtpu") {
        used.push("tpu");
    }
    if open("/dev/dri/renderD") && loaded("libze_loader") {
        used.push("xpu");
    }
    out.set("devices", used);
    let files: Vec<String> =
        observed.devices.iter().filter(|device| super::watch::is_gpu(device)).cloned().collect();
    if !files.is_empty() {
        out.set("device_files", files);
    }
}

fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal)
        .map_or_else(|_| format!("SIG{signal}"), |s| s.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_without_its_secrets() {
        let labels = Labels::default().with(Path::new("/home/ada/p"), "{project}");
        let words = [
            "env",
            "API_KEY=hunter2",
            "/home/ada/p/run.sh",
            "--password",
            "hunter2",
            "--lr=0.1",
            "--verbose",
            "--token=hunter2",
            "x.py",
        ]
        .map(str::to_owned);
        let expected = [
            "env",
            "API_KEY=secret:redacted",
            "{project}/run.sh",
            "--password",
            "secret:redacted",
            "--lr=0.1",
            "--verbose",
            "--token=secret:redacted",
            "x.py",
        ];
        assert_eq!(shown(&words, &labels), expected);
    }

    #[test]
    fn generated_files_are_no_libraries() {
        for path in [
            "/tmp/torchinductor_ada/x/cabc.so",
            "~/.triton/cache/x/cuda_utils.so",
            "/scratch/torchinductor_a/x.so",
        ] {
            assert!(is_generated(path), "{path}");
        }
        assert!(!is_generated("{env}/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so"));
    }
}
