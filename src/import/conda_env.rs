//! `conda env export`: `environment.yml` with the versions and builds of a whole environment; and such a file written
//! by hand, which names a choice only.

use super::lock::requirement::{Spec, parse, without_options};
use super::lock::yaml::{self, Yaml};
use super::lock::{Package, direct, fault, freeze, put, put_conda, shown_url};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::probes::python::conda::short_channel;
use crate::redact::env_value;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct CondaEnv;

const SILENT: &str = "conda env export does not say";

/// Packages that every Linux, macOS or Windows environment with Python has and nobody asks for by name: a file that
/// lists them was exported.
const UNDERLYING: [&str; 7] =
    ["_libgcc_mutex", "_openmp_mutex", "ca-certificates", "libffi", "openssl", "vs2015_runtime", "libgcc-ng"];

impl Format for CondaEnv {
    fn name(&self) -> &'static str {
        "conda_env"
    }

    fn title(&self) -> &'static str {
        "`conda env export` (environment.yml)"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let starts = |mark: &str| input.text.lines().any(|line| line.starts_with(mark));
        let marks = starts("channels:") || starts("name:") || starts("prefix:");
        let is_file = input.text.lines().any(|line| {
            let line = line.trim_end();
            line == "dependencies:" || line.starts_with("dependencies: [")
        });
        if is_file && marks { 80 } else { 0 }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let file = yaml::parse(input)?;
        let mut draft = Draft::new(self.name());
        put_file(&mut draft, &file).map_err(|what| fault(input, None, what))?;
        draft.rest_unknown("conda env export");
        Ok(draft.finish(input.text))
    }
}

/// Records an environment file that is parsed already.
///
/// # Errors
/// What is missing.
pub(super) fn put_file(draft: &mut Draft, file: &Yaml) -> Result<(), String> {
    let dependencies = file.get("dependencies").ok_or("has no list `dependencies`")?;
    let specs: Vec<Dependency<'_>> =
        dependencies.items().filter_map(Yaml::text).filter_map(dependency).collect();
    let complete = is_export(&specs, file);
    for spec in &specs {
        // `name=1.2` asks for any 1.2.*; only an export means 1.2 itself.
        let exact = spec.exact || complete;
        let version = spec.version.filter(|v| exact && !v.contains(|c| "*<>!,|~^".contains(c)));
        let channel =
            spec.channel.map(|c| if c.contains("://") { short_channel(c, None) } else { shown_url(c) });
        let fields = [("version", version), ("build", spec.build), ("channel", channel.as_deref())];
        if version.is_none() {
            let why = match spec.version {
                Some(range) => format!("a range is no version: `{range}`"),
                None => "no version is given".into(),
            };
            draft.unknown_at(["python", "conda", spec.name, "version"], &why);
            if let (Some(range), "python") = (spec.version, spec.name) {
                draft.unknown("python.version", format!("a range is no version: `{range}`"));
            }
        }
        put_conda(draft, spec.name, &fields, SILENT);
    }
    for line in
        dependencies.items().filter_map(|item| item.get("pip")).flat_map(Yaml::items).filter_map(Yaml::text)
    {
        pip(draft, line);
    }
    variables(draft, file);
    if !specs.is_empty() {
        draft.set("python.kind", "conda");
    }
    if complete {
        draft.absent("python.conda");
    } else {
        draft.unknown("python.conda", "the file names a choice of what is installed");
    }
    draft.unknown("python.packages", "the file does not say which distributions its conda packages hold");
    Ok(())
}

/// Variables that activating the environment sets.
fn variables(draft: &mut Draft, file: &Yaml) {
    for (name, value) in file.get("variables").into_iter().flat_map(Yaml::entries) {
        if let Some(value) = value.text() {
            draft.set_at(["env", name], env_value(name, value).text());
        }
    }
}

/// A line below `pip:`: of an export, as `pip freeze` writes it.
pub(super) fn pip(draft: &mut Draft, line: &str) {
    if let Some(freeze::Line::Package(name, package) | freeze::Line::Editable(Some(name), package)) =
        freeze::line(line, None)
    {
        return put(draft, name, &package, SILENT);
    }
    let Some(requirement) = parse(without_options(line)) else { return };
    let package = match requirement.spec {
        Spec::Exact(version) if requirement.marker.is_none() => Package::of(version),
        Spec::Url(url) => direct::package(requirement.name, url),
        Spec::Any => Package { why: Some("no version is given".into()), ..Package::default() },
        _ => Package { why: Some(format!("a range is no version: `{}`", line.trim())), ..Package::default() },
    };
    put(draft, requirement.name, &package, SILENT);
}

/// One conda dependency (conda's "Package match specifications").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dependency<'a> {
    channel: Option<&'a str>,
    name: &'a str,
    version: Option<&'a str>,
    build: Option<&'a str>,
    /// Whether `version` is one version: `==1.2`, `=1.2=build`.
    exact: bool,
}

/// `channel::name=version=build`, `name==version`, `name>=1,<2`, `name 1.2.*`, `name`.
fn dependency(text: &str) -> Option<Dependency<'_>> {
    let text = text.trim();
    let (channel, rest) = text.split_once("::").map_or((None, text), |(channel, rest)| (Some(channel), rest));
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).unwrap_or(rest.len());
    let (name, spec) = rest.split_at(end);
    if name.is_empty() {
        return None;
    }
    // `name[version='1.2']` and the like are read as a range.
    let spec = spec.trim();
    let (version, build, exact) = if let Some(version) = spec.strip_prefix("==") {
        match version.split_once('=') {
            Some((version, build)) => (Some(version), Some(build), true),
            None => (Some(version), None, true),
        }
    } else if let Some(spec) = spec.strip_prefix('=') {
        match spec.split_once('=') {
            Some((version, build)) => (Some(version), Some(build), true),
            None => (Some(spec), None, false),
        }
    } else {
        (Some(spec), None, false)
    };
    Some(Dependency {
        channel,
        name,
        version: version.map(str::trim).filter(|v| !v.is_empty()),
        build: build.map(str::trim).filter(|b| !b.is_empty() && !b.contains('*')),
        exact,
    })
}

/// Whether `conda env export` wrote it: every package has a version, and it names builds, or the folder of the
/// environment, or what nobody asks for.
fn is_export(specs: &[Dependency<'_>], file: &Yaml) -> bool {
    let versions = specs.iter().all(|s| s.version.is_some_and(|v| !v.contains(|c| "*<>!,|~^".contains(c))));
    let builds = specs.iter().filter(|s| s.build.is_some()).count();
    let underlying = specs.iter().filter(|s| UNDERLYING.contains(&s.name)).count();
    let told = builds * 2 > specs.len() || underlying >= 2 || file.str("prefix").is_some() && underlying >= 1;
    !specs.is_empty() && versions && told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies() {
        let of = |text| dependency(text).map(|d| (d.name, d.version, d.build, d.exact));
        assert_eq!(of("numpy=1.26.4=py311_0"), Some(("numpy", Some("1.26.4"), Some("py311_0"), true)));
        assert_eq!(
            of("conda-forge::ld_impl_linux-64=2.40"),
            Some(("ld_impl_linux-64", Some("2.40"), None, false))
        );
        assert_eq!(of("numpy==1.2"), Some(("numpy", Some("1.2"), None, true)));
        assert_eq!(of("numpy >=1.2,<2"), Some(("numpy", Some(">=1.2,<2"), None, false)));
        assert_eq!(of("pip"), Some(("pip", None, None, false)));
        assert_eq!(of("pytorch=2.1=*cuda*"), Some(("pytorch", Some("2.1"), None, true)));
        assert_eq!(dependency("c::n").and_then(|d| d.channel), Some("c"));
        assert_eq!(of(""), None);
    }
}
