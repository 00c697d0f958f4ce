//! The lines that `pip freeze` writes, and the lists that other programs write in the same form.

use super::requirement::{Spec, parse, without_options};
use super::{Draft, Package, direct, normalise, put};

/// A line of a frozen list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::import) enum Line<'a> {
    /// A distribution.
    Package(&'a str, Package),
    /// A comment or nothing.
    Nothing,
    /// An editable distribution that only its source tells of: the name may be missing.
    Editable(Option<&'a str>, Package),
}

/// Reads one line; `None` where it is no line of a frozen list (a range, an option, a marker).
pub(in crate::import) fn line<'a>(line: &'a str, before: Option<&'a str>) -> Option<Line<'a>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Some(Line::Nothing);
    }
    if let Some(source) = line.strip_prefix("-e ").or_else(|| line.strip_prefix("--editable ")) {
        let source = source.trim();
        let egg = source
            .split_once('#')
            .and_then(|(_, fragment)| fragment.split('&').find_map(|part| part.strip_prefix("egg=")));
        // `# Editable install with no version control (name==1.0)` (pip, operations/freeze.py).
        let said = before.filter(|b| b.starts_with("# Editable")).and_then(|b| b.rsplit_once('('));
        let said = said.and_then(|(_, inside)| parse(inside.trim_end().strip_suffix(')')?));
        let name = egg.or(said.as_ref().map(|r| r.name));
        let mut package = direct::package(name.unwrap_or_default(), source);
        package.editable = true;
        if let Some(Spec::Exact(version)) = said.map(|r| r.spec) {
            package.version = Some(version.to_owned());
        }
        return Some(Line::Editable(name, package));
    }
    if line.contains(" --") {
        return None;
    }
    let requirement = parse(line)?;
    if requirement.marker.is_some() {
        return None;
    }
    let package = match requirement.spec {
        Spec::Exact(version) => Package::of(version),
        Spec::Url(url) => direct::package(requirement.name, url),
        Spec::Range(_) | Spec::Any => return None,
    };
    Some(Line::Package(requirement.name, package))
}

/// How much of a text has the form of a frozen list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::import) struct Shape {
    /// Lines that name a distribution and one version or source of it.
    pub packages: usize,
    /// Other lines that are not comments.
    pub others: usize,
}

/// Counts, and stops at the first line that does not fit.
pub(in crate::import) fn shape(text: &str) -> Shape {
    let mut shape = Shape::default();
    for text in text.trim_start_matches('\u{feff}').lines() {
        match line(text, None) {
            Some(Line::Nothing) => {}
            Some(_) => shape.packages += 1,
            None => {
                shape.others += 1;
                return shape;
            }
        }
    }
    shape
}

/// Records every line. Lines that are no distribution with one version are unknown with what they say.
/// Returns the normalised names.
pub(in crate::import) fn put_all<'a>(
    draft: &mut Draft,
    lines: impl IntoIterator<Item = &'a str>,
    silent: &str,
) -> Vec<String> {
    let mut names = Vec::new();
    let mut before = None;
    for text in lines {
        match line(text, before) {
            Some(Line::Package(name, package) | Line::Editable(Some(name), package)) => {
                put(draft, name, &package, silent);
                names.push(normalise(name));
            }
            Some(Line::Editable(None, _) | Line::Nothing) => {}
            None => {
                if let Some(requirement) = parse(without_options(text)) {
                    let package = match requirement.spec {
                        Spec::Exact(version) => Package::of(version),
                        Spec::Url(url) => direct::package(requirement.name, url),
                        Spec::Range(range) => Package {
                            why: Some(format!("a range is no version: `{range}`")),
                            ..Package::default()
                        },
                        Spec::Any => {
                            Package { why: Some("no version is given".into()), ..Package::default() }
                        }
                    };
                    put(draft, requirement.name, &package, silent);
                    names.push(normalise(requirement.name));
                }
            }
        }
        before = Some(text.trim());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_pip_freeze() {
        assert_eq!(line("numpy==1.26.4", None), Some(Line::Package("numpy", Package::of("1.26.4"))));
        assert_eq!(line("# -*- x -*-", None), Some(Line::Nothing));
        for no in [
            "numpy>=1",
            "numpy",
            "x==1 ; os_name=='nt'",
            "--index-url x",
            "x==1 --hash=sha256:0",
            "hello there",
        ] {
            assert_eq!(line(no, None), None, "{no}");
        }
        let git = line("-e git+https://github.com/a/b.git@0f#egg=My_B&subdirectory=x", None);
        let Some(Line::Editable(Some("My_B"), package)) = git else { panic!("{git:?}") };
        assert_eq!(package.origin.as_deref(), Some("git+https://github.com/a/b.git@0f#subdirectory=x"));
        let local = line("-e /srv/p", Some("# Editable install with no version control (p==0.1)"));
        let Some(Line::Editable(Some("p"), package)) = local else { panic!("{local:?}") };
        assert_eq!((package.version.as_deref(), package.origin.as_deref()), (Some("0.1"), Some("/srv/p")));
        assert!(package.editable);
    }
}
