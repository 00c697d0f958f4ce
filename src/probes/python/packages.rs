//! The installed distributions, one line each.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::folder::Folder;
use super::interpreter::{Distribution, Form, Interpreter};
use super::sites::{self, Search};
use super::{origin, record};
use crate::host::{FileKind, Host};
use crate::probes::Sink;
use crate::redact::Labels;

/// The distributions of an interpreter: those that an import finds, and those behind them.
#[derive(Debug, Default)]
pub(super) struct Installed<'a> {
    /// The first of each name on the path.
    pub first: BTreeMap<String, (Distribution, &'a Folder)>,
    /// Further ones of the same name.
    pub shadowed: Vec<Distribution>,
}

/// Lists the distributions in the order of `sys.path`.
pub(super) fn installed<'a>(host: &dyn Host, search: &'a Search) -> Installed<'a> {
    let mut all = Installed::default();
    for folder in &search.folders {
        for dist in folder.distributions(host) {
            if all.first.contains_key(&dist.name) {
                all.shadowed.push(dist);
            } else {
                all.first.insert(dist.name.clone(), (dist, folder));
            }
        }
    }
    all
}

/// Records every distribution.
pub(super) fn collect(host: &dyn Host, interpreter: &Interpreter, labels: &Labels, out: &Sink) {
    let search = &interpreter.search;
    for folder in &search.folders {
        if let Some(reason) = &folder.unreadable {
            out.unknown("packages", format!("could not list {}: {reason}", labels.show(&folder.path)));
        }
    }
    let installed = installed(host, search);
    installed.first.par_iter().for_each(|(_, (dist, folder))| describe(host, dist, folder, labels, out));
    let mut shadowed: Vec<String> = installed
        .shadowed
        .iter()
        .map(|dist| format!("{} {}: {}", dist.name, dist.version, labels.show(&dist.dist_info)))
        .collect();
    shadowed.sort();
    if !shadowed.is_empty() {
        out.set("shadowed", shadowed);
    }
}

/// Records one distribution.
fn describe(host: &dyn Host, dist: &Distribution, folder: &Folder, labels: &Labels, out: &Sink) {
    let at = |fact: &'static str| ["packages", dist.name.as_str(), fact];
    if let Err(reason) = is_whole(host, dist) {
        let entry = dist.dist_info.file_name().unwrap_or_default().to_string_lossy();
        out.unknown_at(["packages", &dist.name], format!("{entry}: {reason}"));
        return;
    }
    out.set_at(at("version"), dist.version.as_str());
    if folder.origin != sites::Origin::Env {
        out.set_at(at("site"), folder.origin.as_str());
    }
    let is_checkout = dist.form == Form::EggInfo && folder.origin == sites::Origin::Pth;
    if is_checkout {
        out.set_at(at("origin"), labels.show(&folder.path));
        out.set_at(at("editable"), true);
    }
    if dist.form != Form::DistInfo {
        return;
    }
    let read = |name: &str| match host.text(&dist.dist_info.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.to_string()),
    };
    let installer =
        read("INSTALLER").map(|text| text.map(|t| t.lines().next().unwrap_or_default().trim().to_owned()));
    let by_conda = matches!(&installer, Ok(Some(name)) if name == "conda");
    let mut editable = false;
    match read("direct_url.json") {
        // conda's packages were built by pip in a folder of the build machine, and their notes still say so.
        Ok(Some(text)) if !by_conda => match origin::parse(&text, labels) {
            Ok(origin) => {
                out.set_at(at("origin"), origin.reference);
                if origin.editable {
                    editable = true;
                    out.set_at(at("editable"), true);
                }
            }
            Err(e) => out.unknown_at(at("origin"), format!("direct_url.json: {e}")),
        },
        Ok(_) => {}
        Err(reason) => out.unknown_at(at("origin"), reason),
    }
    put(out, at("installer"), installer.map(|name| name.filter(|name| !name.is_empty())));
    match read("WHEEL") {
        Ok(text) => {
            let (tag, build) = parse_wheel(text.as_deref().unwrap_or_default());
            put(out, at("tag"), Ok(tag));
            put(out, at("build"), Ok(build));
        }
        Err(reason) => out.unknown_at(at("tag"), reason),
    }
    // An editable install's RECORD holds the checkout's absolute path, and not its content.
    if !editable {
        put(out, at("record"), read("RECORD").map(|text| record::content(&record::parse(&text?))));
    }
}

/// Whether a distribution's metadata is there and holds something.
fn is_whole(host: &dyn Host, dist: &Distribution) -> Result<(), String> {
    let metadata = dist.metadata(host);
    let name = metadata.file_name().unwrap_or_default().to_string_lossy();
    match host.stat(&metadata) {
        Ok(stat) if stat.kind == FileKind::File && stat.len == 0 => Err(format!("{name} is empty")),
        Ok(stat) if stat.kind == FileKind::File => Ok(()),
        Ok(_) => Err(format!("{name} is not a file")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(format!("no {name}")),
        Err(e) => Err(format!("{name}: {e}")),
    }?;
    if dist.version.is_empty() { Err(format!("no version in {name}")) } else { Ok(()) }
}

fn put(out: &Sink, path: [&str; 3], value: Result<Option<String>, String>) {
    match value {
        Ok(Some(value)) => out.set_at(path, value),
        Ok(None) => {}
        Err(reason) => out.unknown_at(path, reason),
    }
}

/// The tags, sorted and joined with spaces, and the build number of a `WHEEL` file.
///
/// ```text
/// Wheel-Version: 1.0
/// Build: 1
/// Tag: cp311-cp311-manylinux_2_17_x86_64
/// Tag: cp311-cp311-manylinux2014_x86_64
/// ```
fn parse_wheel(text: &str) -> (Option<String>, Option<String>) {
    let headers =
        || text.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key, value.trim()));
    let mut tags: Vec<&str> = headers().filter(|(key, _)| *key == "Tag").map(|(_, tag)| tag).collect();
    tags.sort_unstable();
    tags.dedup();
    let build = headers()
        .find(|(key, value)| *key == "Build" && !value.is_empty())
        .map(|(_, build)| build.to_owned());
    (Some(tags.join(" ")).filter(|tags| !tags.is_empty()), build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_build_of_a_wheel() {
        let text =
            "Wheel-Version: 1.0\nBuild: 1cu\nTag: py3-none-any\nTag: py2-none-any\nTag: py3-none-any\n";
        assert_eq!(parse_wheel(text), (Some("py2-none-any py3-none-any".to_owned()), Some("1cu".to_owned())));
        assert_eq!(parse_wheel(""), (None, None));
    }
}
