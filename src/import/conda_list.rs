//! `conda list` in its four forms: the table, `--explicit`, `--export`, `--json`; and the table of mamba.

use serde_json::Value as Json;

use super::lock::{Package, begins, conda_platform, fault, json, put, put_conda, shown_url};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::probes::python::conda::short_channel;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct CondaList;

const SILENT: &str = "conda list does not say";

impl Format for CondaList {
    fn name(&self) -> &'static str {
        "conda_list"
    }

    fn title(&self) -> &'static str {
        "`conda list`, also with --explicit, --export or --json"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        match form(input.text) {
            Some(Form::Explicit) => 95,
            Some(Form::Table | Form::Json) => 90,
            Some(Form::Export) => 65,
            None => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let mut draft = Draft::new(self.name());
        let count = match form(input.text) {
            Some(Form::Explicit) => explicit(&mut draft, input)?,
            Some(Form::Json) => from_json(&mut draft, input)?,
            Some(Form::Export) => export(&mut draft, input.text),
            Some(Form::Table) | None => table(&mut draft, input.text),
        };
        if count == 0 {
            return Err(fault(input, None, "holds no package as `conda list` writes them"));
        }
        draft.absent("python.conda");
        draft.set("python.kind", "conda");
        draft.unknown("python.packages", "conda list does not say which distributions its packages hold");
        draft.rest_unknown("conda list");
        Ok(draft.finish(input.text))
    }
}

enum Form {
    Explicit,
    Table,
    Export,
    Json,
}

fn form(text: &str) -> Option<Form> {
    if begins(text, '[') {
        let marks =
            text.contains("\"name\"") && (text.contains("\"build_string\"") || text.contains("\"base_url\""));
        return marks.then_some(Form::Json);
    }
    let lines = || text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
    if lines().take(200).any(|line| line == "@EXPLICIT") {
        return Some(Form::Explicit);
    }
    let is_header = |line: &str| {
        let words: Vec<&str> = line.trim_start_matches('#').split_whitespace().collect();
        words.starts_with(&["Name", "Version", "Build"])
    };
    let is_title = |line: &str| {
        line.starts_with("# packages in environment at")
            || line.starts_with("List of packages in environment")
    };
    if lines().take(50).any(|line| is_header(line) || is_title(line)) {
        return Some(Form::Table);
    }
    let mut specs = lines().filter(|line| !line.starts_with('#')).peekable();
    specs.peek()?;
    specs.all(|line| export_row(line).is_some()).then_some(Form::Export)
}

/// The parts of a conda archive's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Archive<'a> {
    /// The channel's address, without the platform's folder.
    pub channel: &'a str,
    pub subdir: &'a str,
    pub name: &'a str,
    pub version: &'a str,
    pub build: &'a str,
}

/// `https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h64a7726_0.conda#md5`. Only a name may hold a
/// hyphen.
pub(super) fn archive(url: &str) -> Option<Archive<'_>> {
    let url = url.split('#').next()?.trim();
    let (folder, file) = url.rsplit_once('/').unwrap_or(("", url));
    let stem = file.strip_suffix(".conda").or_else(|| file.strip_suffix(".tar.bz2"))?;
    let mut parts = stem.rsplitn(3, '-');
    let (build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    let (channel, subdir) = folder.rsplit_once('/').unwrap_or(("", folder));
    let known = subdir == "noarch"
        || subdir.split_once('-').is_some_and(|(os, _)| {
            ["linux", "osx", "win", "emscripten", "wasi", "zos", "freebsd"].contains(&os)
        });
    let (channel, subdir) = if known { (channel, subdir) } else { (folder, "") };
    Some(Archive { channel, subdir, name, version, build })
}

fn explicit(draft: &mut Draft, input: &Input<'_>) -> Result<usize, Error> {
    let mut count = 0;
    let mut behind = false;
    for (i, line) in input.text.lines().enumerate() {
        let line = line.trim().trim_start_matches('\u{feff}');
        platform_comment(draft, line);
        if line == "@EXPLICIT" {
            behind = true;
        } else if behind && !line.is_empty() && !line.starts_with('#') {
            // `@EXPLICIT` files may hold specs, too, which conda refuses; and `pip` lines of conda-lock.
            let Some(parts) = archive(line) else {
                return Err(fault(input, Some(i + 1), "not the address of a conda package"));
            };
            let hash = line.rsplit_once('#').map(|(_, hash)| hash).unwrap_or_default();
            let hash = hash.strip_prefix("sha256:").unwrap_or(hash);
            let is_hex = hash.bytes().all(|b| b.is_ascii_hexdigit());
            let channel = short_channel(parts.channel, None);
            let channel = if parts.channel.contains("://") { channel } else { String::new() };
            let fields = [
                ("version", Some(parts.version)),
                ("build", Some(parts.build)),
                ("channel", Some(channel.as_str())),
                ("subdir", Some(parts.subdir)),
                ("md5", Some(hash).filter(|h| is_hex && h.len() == 32)),
                ("sha256", Some(hash).filter(|h| is_hex && h.len() == 64)),
            ];
            put_conda(draft, parts.name, &fields, SILENT);
            count += 1;
        }
    }
    Ok(count)
}

/// `# platform: linux-64`.
fn platform_comment(draft: &mut Draft, line: &str) {
    if let Some(platform) = line.strip_prefix("# platform:") {
        conda_platform(draft, platform.trim());
    }
}

fn export(draft: &mut Draft, text: &str) -> usize {
    let mut count = 0;
    for line in text.lines().map(|line| line.trim().trim_start_matches('\u{feff}')) {
        platform_comment(draft, line);
        if let Some((name, version, build)) = export_row(line) {
            row(draft, name, version, build, "");
            count += 1;
        }
    }
    count
}

/// `name=version=build`.
fn export_row(line: &str) -> Option<(&str, &str, &str)> {
    let mut parts = line.split('=');
    let (name, version, build) = (parts.next()?, parts.next()?, parts.next()?);
    let plain = |text: &str| {
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "<>!~,*[]()".contains(c))
    };
    (parts.next().is_none() && [name, version, build].into_iter().all(plain) && !name.starts_with('#'))
        .then_some((name, version, build))
}

fn table(draft: &mut Draft, text: &str) -> usize {
    let mut count = 0;
    for line in text.lines().map(|line| line.trim().trim_start_matches('\u{feff}')) {
        if line.is_empty() || line.starts_with(['#', '─', '-']) || line.starts_with("List of packages") {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["Name", "Version", ..] => {}
            // pip and develop installations have no build in old conda: `numpy 1.16 <pip>`.
            [name, version, build, rest @ ..] if rest.len() <= 1 && is_version(version) => {
                row(draft, name, version, build, rest.first().copied().unwrap_or_default());
                count += 1;
            }
            [name, version] if is_version(version) => {
                row(draft, name, version, "", "");
                count += 1;
            }
            _ => {}
        }
    }
    count
}

/// conda's versions begin with a digit, but for a few (`cf201901`, `master`); a sentence's second word does not.
fn is_version(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit()) && !text.contains(|c: char| "()[]{}:;\"'".contains(c))
}

/// A row: what pip installed is a distribution, the rest is a conda package. The column of the channel is empty, or
/// says `defaults`, for all channels that these stand for, so that it names none.
fn row(draft: &mut Draft, name: &str, version: &str, build: &str, channel: &str) {
    let by_pip = channel == "pypi" || build == "<pip>" || build.starts_with("pypi_");
    let develop = channel == "<develop>" || build == "<develop>" || channel == "dev_0";
    if by_pip || develop {
        let package = Package { editable: develop, ..Package::of(version) };
        return put(draft, name, &package, SILENT);
    }
    let channel = if channel == "defaults" { String::new() } else { short(channel) };
    let fields = [("version", Some(version)), ("build", Some(build)), ("channel", Some(channel.as_str()))];
    put_conda(draft, name, &fields, SILENT);
}

fn short(channel: &str) -> String {
    if channel.contains("://") { short_channel(channel, None) } else { shown_url(channel) }
}

fn from_json(draft: &mut Draft, input: &Input<'_>) -> Result<usize, Error> {
    let value = json(input)?;
    let mut count = 0;
    for entry in value.as_array().into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
        let (Some(name), Some(version)) = (text("name"), text("version")) else { continue };
        count += 1;
        let channel = text("channel").unwrap_or_default();
        if channel == "pypi" || text("platform") == Some("pypi") {
            put(draft, name, &Package::of(version), SILENT);
            continue;
        }
        let channel = if channel == "defaults" { String::new() } else { short(channel) };
        let fields = [
            ("version", Some(version)),
            ("build", text("build_string").or_else(|| text("build"))),
            ("channel", Some(channel.as_str())),
            ("subdir", text("platform").or_else(|| text("subdir"))),
            ("md5", text("md5")),
            ("sha256", text("sha256")),
        ];
        put_conda(draft, name, &fields, SILENT);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_archives() {
        let url =
            "https://conda.anaconda.org/conda-forge/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2#d7c8";
        let expected = Archive {
            channel: "https://conda.anaconda.org/conda-forge",
            subdir: "linux-64",
            name: "_libgcc_mutex",
            version: "0.1",
            build: "conda_forge",
        };
        assert_eq!(archive(url), Some(expected));
        assert_eq!(archive("numpy-1.2-py_0.conda").map(|a| (a.name, a.subdir)), Some(("numpy", "")));
        assert_eq!(archive("https://h/x/numpy-1.2.whl"), None);
        assert_eq!(export_row("a=1=b_0"), Some(("a", "1", "b_0")));
        for no in ["a==1", "a=1", "a=1=b=c", "# a=1=b", "a >=1=2=b"] {
            assert_eq!(export_row(no), None, "{no}");
        }
    }
}
