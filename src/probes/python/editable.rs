//! Editable installs through an import hook: setuptools writes `__editable___NAME_VERSION_finder.py`, whose `MAPPING`
//! holds the folder of each top-level package (setuptools, "Development Mode", PEP 660).

use std::path::PathBuf;

use super::literal;
use super::sites::Search;
use crate::host::Host;

/// The folder that an editable finder gives for the top-level package `name`.
pub(super) fn mapped(host: &dyn Host, search: &Search, name: &str) -> Option<PathBuf> {
    search.folders.iter().find_map(|folder| {
        let finders =
            folder.names.iter().filter(|n| n.starts_with("__editable___") && n.ends_with("_finder.py"));
        finders
            .filter_map(|finder| host.maybe(folder.path.join(finder)))
            .find_map(|text| parse_mapping(&text, name))
    })
}

/// The path of `name` in a finder's mapping.
///
/// ```text
/// MAPPING: dict[str, str] = {'pkg': '/home/u/pkg/src/pkg', 'other': '/home/u/pkg/other.py'}
/// ```
fn parse_mapping(text: &str, name: &str) -> Option<PathBuf> {
    let line = text.lines().find(|line| line.starts_with("MAPPING"))?;
    let mut rest = line.split_once('{')?.1;
    loop {
        let (key, behind) = literal::string(rest.trim_start())?;
        let (value, behind) = literal::string(behind.trim_start().strip_prefix(':')?.trim_start())?;
        if key == name {
            return Some(PathBuf::from(value));
        }
        rest = behind.trim_start().strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finders_mapping() {
        let text =
            "import sys\nMAPPING: dict[str, str] = {'pkg': '/h/pkg', \"it's\": '/h/x'}\nNAMESPACES = {}\n";
        assert_eq!(parse_mapping(text, "pkg"), Some(PathBuf::from("/h/pkg")));
        assert_eq!(parse_mapping(text, "it's"), Some(PathBuf::from("/h/x")));
        assert_eq!(parse_mapping(text, "absent"), None);
        assert_eq!(parse_mapping("MAPPING = {}", "pkg"), None);
    }
}
