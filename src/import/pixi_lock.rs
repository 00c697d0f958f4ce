//! `pixi.lock`, versions 4 to 7: the environment `default` on linux-64.
//!
//! Versions 4 and 5 write out the fields of each package; from 6 on, name, version and build of a conda package stand
//! in its URL (rattler_lock).

use std::collections::BTreeMap;

use super::conda_list::{Archive, archive};
use super::lock::yaml::{self, Yaml};
use super::lock::{Package, direct, fault, put, put_conda};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::probes::python::conda::short_channel;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct PixiLock;

const SILENT: &str = "pixi.lock does not say";

impl Format for PixiLock {
    fn name(&self) -> &'static str {
        "pixi_lock"
    }

    fn title(&self) -> &'static str {
        "`pixi.lock`: the environment `default` on linux-64"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let head: Vec<&str> =
            input.text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).take(60).collect();
        let starts = |mark: &str| head.iter().any(|line| line.starts_with(mark));
        if starts("version:") && starts("environments:") { 90 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let lock = yaml::parse(input)?;
        match lock.str("version").and_then(|v| v.parse::<u32>().ok()) {
            Some(4..=7) => {}
            Some(other) => {
                let what = format!("a pixi.lock of version {other}, which driftlock does not know (4 to 7)");
                return Err(fault(input, None, what));
            }
            None => return Err(fault(input, None, "has no `version`")),
        }
        let environments = lock.get("environments").unwrap_or(&Yaml::List(Vec::new())).clone();
        let (environment, platform, items) = chosen(input, &environments)?;
        let known: BTreeMap<&str, &Yaml> = lock
            .get("packages")
            .into_iter()
            .flat_map(Yaml::items)
            .filter_map(|p| Some((key(p)?, p)))
            .collect();
        let mut draft = Draft::new(self.name());
        draft.absent("python.conda");
        for item in items.items() {
            if let Some(reference) = item.str("conda") {
                conda(&mut draft, reference, known.get(reference).copied());
            } else if let Some(reference) = item.str("pypi") {
                pypi(&mut draft, reference, known.get(reference).copied());
            }
        }
        draft
            .unknown("python.packages", "pixi.lock does not say which distributions its conda packages hold");
        let what = format!("the environment `{environment}` of pixi.lock on {platform} does not say");
        draft.partial("python", what);
        Ok(draft.finish(input.text))
    }
}

/// The environment `default`, or the only one; its packages for linux-64, or for the only platform.
fn chosen<'a>(input: &Input<'_>, environments: &'a Yaml) -> Result<(String, String, &'a Yaml), Error> {
    let names = |yaml: &'a Yaml| yaml.entries().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
    let one = |yaml: &'a Yaml, wanted: &str| -> Option<(String, &'a Yaml)> {
        let found = yaml.get(wanted).map(|found| (wanted.to_owned(), found));
        let mut entries = yaml.entries();
        let only = entries.next().filter(|_| entries.next().is_none()).map(|(name, v)| (name.to_owned(), v));
        found.or(only)
    };
    let (name, environment) = one(environments, "default").ok_or_else(|| {
        fault(
            input,
            None,
            format!("has no environment `default`, and not one alone: {}", names(environments)),
        )
    })?;
    let platforms = environment
        .get("packages")
        .ok_or_else(|| fault(input, None, format!("the environment `{name}` has no `packages`")))?;
    let (platform, items) = one(platforms, "linux-64").ok_or_else(|| {
        let found = names(platforms);
        fault(
            input,
            None,
            format!("the environment `{name}` is not for linux-64, and not for one platform alone: {found}"),
        )
    })?;
    Ok((name, platform, items))
}

/// What an environment refers to a package by.
fn key(package: &Yaml) -> Option<&str> {
    package
        .str("conda")
        .or_else(|| package.str("pypi"))
        .or_else(|| package.str("url"))
        .or_else(|| package.str("path"))
}

fn conda(draft: &mut Draft, reference: &str, package: Option<&Yaml>) {
    let parts = archive(reference);
    let said = |field: &str| package.and_then(|p| p.str(field));
    // A source package is named by its folder: `name[hash] @ path`, or the path alone.
    let bare =
        reference.split(['[', ' ', '/']).find(|part| !part.is_empty() && *part != ".").unwrap_or(reference);
    let name = said("name").or(parts.as_ref().map(|p| p.name)).unwrap_or(bare);
    let from = |f: for<'a> fn(&Archive<'a>) -> &'a str| parts.as_ref().map(f);
    let subdir = said("subdir").or(from(|p| p.subdir));
    let channel = parts.as_ref().map(|p| short_channel(p.channel, None));
    let fields = [
        ("version", said("version").or(from(|p| p.version))),
        ("build", said("build").or(from(|p| p.build))),
        ("channel", channel.as_deref()),
        ("subdir", subdir),
        ("md5", said("md5")),
        ("sha256", said("sha256")),
    ];
    put_conda(draft, name, &fields, SILENT);
}

fn pypi(draft: &mut Draft, reference: &str, package: Option<&Yaml>) {
    let said = |field: &str| package.and_then(|p| p.str(field));
    let file = reference.split(['#', '?']).next().unwrap_or(reference).rsplit('/').next().unwrap_or_default();
    let guess = file.strip_suffix(".whl").and_then(|stem| stem.split('-').next());
    let Some(name) = said("name").or(guess) else { return };
    let explicit = reference.strip_prefix("direct+");
    let is_local = !reference.contains("://");
    let is_direct = explicit.is_some() || is_local || reference.contains("git+");
    let mut found = if is_direct {
        let reference = explicit.unwrap_or(reference);
        let mut found = direct::package(name, reference);
        if is_local {
            let path = reference.trim_start_matches("./");
            found.origin = Some(if path == "." || path.is_empty() {
                "{project}".into()
            } else {
                format!("{{project}}/{path}")
            });
        } else if let (Some(hash), false) = (said("sha256"), reference.starts_with("git+")) {
            found.origin = found.origin.map(|origin| format!("{origin}#sha256={hash}"));
        }
        found
    } else {
        Package { version: direct::version_of_file(name, file), ..Package::default() }
    };
    if let Some(version) = said("version") {
        (found.version, found.why) = (Some(version.to_owned()), None);
    }
    found.editable = said("editable") == Some("true");
    put(draft, name, &found, SILENT);
}
