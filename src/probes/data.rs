//! The `data` section: what each `--data PATH` holds.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use super::{Context, Options, Probe, ProbeError, Sink};
use crate::data::{Name, side_file};
use crate::error::Error;
use crate::host::tree::{TreeFault, TreeKind, TreeOptions, TreeReport};
use crate::host::{FileKind, Host};
use crate::redact::Labels;

/// Up to this many files of a folder, each one's digest is a fact; above it, the digests are in a file beside the
/// snapshot. The same holds for links and for special files.
pub const NAMED: usize = 20;

/// See the module.
pub struct Data;

impl Probe for Data {
    fn section(&self) -> &'static str {
        "data"
    }

    fn wanted(&self, options: &Options) -> bool {
        !options.data.is_empty()
    }

    fn limit(&self, _: &Options) -> Option<std::time::Duration> {
        None
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let mut done: Vec<String> = Vec::new();
        for path in &cx.options.data {
            let label = label(&cx.labels, path);
            if done.contains(&label) {
                continue;
            }
            match cx.host.tree(path, &TreeOptions { progress: cx.options.progress }) {
                Ok(report) => {
                    let in_order = format!("data-{}.sha256", done.len());
                    record(cx, &label, &report, &in_order, out);
                }
                Err(fault @ (TreeFault::NotFound | TreeFault::Unreadable(_))) => {
                    out.unknown_at([label.as_str()], fault)
                }
            }
            done.push(label);
        }
        Ok(())
    }
}

/// Refuses a `--data` path that is not there or cannot be digested, before any work starts.
///
/// # Errors
/// The user's: names the path and the remedy. A path that is there and cannot be read is no error here: it becomes
/// an unknown fact.
pub fn check(host: &dyn Host, options: &Options) -> Result<(), Error> {
    for path in &options.data {
        let shown = Name::from(path);
        match host.stat(path) {
            Ok(stat) if stat.kind == FileKind::Other => {
                return Err(Error::input(format!("--data {shown}: not a file or a folder")).hint(
                    "a pipe, socket or device has no content that could be read again; save it to a file",
                ));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let hint = if host.read_link(path).is_ok() {
                    "the link points nowhere: mount or fetch what it points to".to_owned()
                } else {
                    format!("paths are relative to the working folder, {}", host.cwd().display())
                };
                return Err(Error::input(format!("--data {shown}: no such file or folder")).hint(hint));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The path as given, without `.` and doubled or closing slashes; an absolute one relative to what it belongs to.
pub(super) fn label(labels: &Labels, path: &Path) -> String {
    let tidy: PathBuf = path.components().filter(|c| *c != Component::CurDir).collect();
    match tidy.to_str() {
        Some("") => ".".to_owned(),
        _ => absolute(labels, &tidy),
    }
}

/// A path as it is written, an absolute one relative to what it belongs to.
fn absolute(labels: &Labels, path: &Path) -> String {
    match path.to_str() {
        Some(_) if path.is_absolute() => labels.show(path),
        _ => Name::from(path).to_string(),
    }
}

fn record(cx: &Context, label: &str, report: &TreeReport, side_name: &str, out: &Sink) {
    let set = |key: &str, value: crate::snapshot::Value| out.set_at([label, key], value);
    set("kind", report.kind.as_str().into());
    match &report.digest {
        Some(digest) => set("digest", digest.as_str().into()),
        None => out.unknown_at([label, "digest"], why(report)),
    }
    let bytes: u64 = report.files.iter().map(|f| f.len).sum();
    if report.kind == TreeKind::File {
        if report.digest.is_some() {
            set("bytes", bytes.into());
        }
        if let Some(content) = &report.content {
            set("content", content.as_str().into());
        }
        return;
    }
    let counts = [
        ("files", report.files.len() as u64),
        ("bytes", bytes),
        ("links", report.links.len() as u64),
        ("special", report.special.len() as u64),
        ("empty_dirs", report.empty_dirs),
    ];
    for (key, count) in counts {
        if report.faults.is_empty() {
            set(key, count.into());
        } else {
            out.unknown_at([label, key], why(report));
        }
    }
    if let Some(order) = &report.listing_order {
        set("listing_order", order.as_str().into());
    }
    let mut beside = false;
    let mut few = |len: usize| {
        beside |= len > NAMED;
        len <= NAMED
    };
    if few(report.files.len()) {
        for file in &report.files {
            out.set_at([label, "file", &file.name.to_string()], format!("sha256:{}", file.sha256));
        }
    }
    if few(report.links.len()) {
        for link in &report.links {
            let target = Path::new(OsStr::from_bytes(link.target.as_bytes()));
            out.set_at([label, "link", &link.name.to_string()], absolute(&cx.labels, target));
        }
    }
    if few(report.special.len()) {
        for special in &report.special {
            out.set_at([label, "special_file", &special.name.to_string()], special.kind());
        }
    }
    few(report.faults.len());
    for fault in report.faults.iter().take(NAMED).filter(|f| !f.name.as_bytes().is_empty()) {
        out.unknown_at([label, "file", &fault.name.to_string()], &fault.reason);
    }
    if beside {
        set("listing", side_name.into());
        out.attach(side_name, side_file(report));
    }
}

/// Why a tree has no digest: the first of what could not be read.
fn why(report: &TreeReport) -> String {
    let Some(first) = report.faults.first() else {
        return "could not be read".to_owned();
    };
    let name =
        if first.name.as_bytes().is_empty() { "the folder".to_owned() } else { format!("`{}`", first.name) };
    match report.faults.len() {
        1 => format!("{name}: {}", first.reason),
        n => format!("{name}: {}, and {} more", first.reason, n - 1),
    }
}
