//! `requirements.txt`: what a project asks for. One version is a fact, a range is not; what it does not name may be
//! installed all the same.

use std::path::Path;

use super::lock::pythons::Pythons;
use super::lock::requirement::{Spec, lines, parse, without_options};
use super::lock::{Package, direct, freeze, put};
use super::{Draft, Format, Input};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub(super) struct Requirements;

const SILENT: &str = "a requirements file gives the version only";

impl Format for Requirements {
    fn name(&self) -> &'static str {
        "requirements"
    }

    fn title(&self) -> &'static str {
        "`requirements.txt`: pinned versions of a project, not all that is installed"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let (mut fitting, mut pinned) = (0, 0);
        for (_, line) in lines(input.text) {
            if line.starts_with('-') {
                fitting += 1;
                continue;
            }
            match parse(without_options(&line)) {
                Some(requirement) => {
                    fitting += 1;
                    pinned += usize::from(requirement.spec != Spec::Any);
                }
                None => return 0,
            }
        }
        match (fitting, pinned) {
            (0, _) => 0,
            _ if is_named_so(input.path) => 70,
            // A single bare word is a name as well as anything else.
            (_, 0) => 0,
            _ => 40,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let mut draft = Draft::new(self.name());
        put_lines(&mut draft, input)?;
        draft.unknown("python.packages", "a requirements file names a choice of what is installed");
        draft.partial("python", "a requirements file does not say");
        Ok(draft.finish(input.text))
    }
}

/// Records the lines of a requirements file.
///
/// # Errors
/// The line that is no requirement.
pub(super) fn put_lines(draft: &mut Draft, input: &Input<'_>) -> Result<(), Error> {
    let lines = lines(input.text);
    let markers = lines.iter().filter_map(|(_, line)| parse(without_options(line))?.marker);
    let mut pythons = Pythons::new(None, markers);
    for (number, line) in &lines {
        if line.starts_with("-e ") || line.starts_with("--editable ") {
            if let Some(freeze::Line::Editable(Some(name), package)) = freeze::line(line, None) {
                put(draft, name, &package, SILENT);
            }
            continue;
        }
        // Options of pip, other files (`-r`), a bare path or address.
        if line.starts_with('-')
            || line.starts_with('.')
            || line.starts_with('/')
            || line.contains("://") && !line.contains('@')
        {
            continue;
        }
        let Some(requirement) = parse(without_options(line)) else {
            return Err(super::lock::fault(input, Some(*number), format!("`{line}` is no requirement")));
        };
        let package = match requirement.spec {
            Spec::Exact(version) => Package::of(version),
            Spec::Url(url) => direct::package(requirement.name, url),
            Spec::Range(range) => {
                Package { why: Some(format!("a range is no version: `{range}`")), ..Package::default() }
            }
            Spec::Any => Package { why: Some("no version is given".into()), ..Package::default() },
        };
        let package = match requirement.marker {
            None => package,
            Some(marker) => {
                let when = pythons.when(marker, &|_| false);
                if when.maybe == 0 {
                    continue;
                }
                if when.sure == pythons.all().sure {
                    package
                } else {
                    let version = package.version.map_or_else(String::new, |v| format!("`{v}` "));
                    Package { why: Some(format!("{version}only where `{marker}`")), ..Package::default() }
                }
            }
        };
        put(draft, requirement.name, &package, SILENT);
    }
    Ok(())
}

/// Whether the file's name is that of a requirements or constraints file.
pub(super) fn is_named_so(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    ["requirement", "constraint", "reqs"].iter().any(|word| name.contains(word))
}
