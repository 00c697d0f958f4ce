//! Names and versions as they stand in file names.

/// A distribution's normalised name: lower case, each run of `-`, `_` and `.` one `-` (PEP 503).
pub(crate) fn normalise(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut run = false;
    for c in name.chars() {
        let separator = matches!(c, '-' | '_' | '.');
        if !separator {
            out.push(c.to_ascii_lowercase());
        } else if !run {
            out.push('-');
        }
        run = separator;
    }
    out
}

/// Whether PyPI could know this name: ASCII letters, digits, `-_.`, an alphanumeric at both ends (PEP 508). What pip
/// leaves behind when it is interrupted (`~umpy-1.0.dist-info`) does not fit.
pub(crate) fn is_name(name: &str) -> bool {
    let alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    alphanumeric(name.chars().next())
        && alphanumeric(name.chars().next_back())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Name and version of a `*.dist-info` folder's stem: `ruamel.yaml-0.18.6`. The name is escaped so that it holds no
/// hyphen (PEP 427, "Escaping and Unicode"), hence the first one parts the two.
pub(super) fn dist_info(stem: &str) -> (&str, &str) {
    stem.split_once('-').unwrap_or((stem, ""))
}

/// Name and version of an `*.egg-info` or `*.egg` stem: `PyYAML-6.0.1-py3.11`, `foo-1.0`, or only `foo`
/// (setuptools, "The Internal Structure of Python Eggs").
pub(super) fn egg_info(stem: &str) -> (&str, &str) {
    let mut parts = stem.splitn(3, '-');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// The version in a file name such as `python3.11`, `python3.13t` or `pypy3.10`: implementation, `major.minor` and
/// the ABI flags behind it.
pub(super) fn series(name: &str) -> Option<(&'static str, &str, &str)> {
    let (implementation, rest) = [("cpython", "python"), ("pypy", "pypy"), ("graalpy", "graalpy")]
        .into_iter()
        .find_map(|(implementation, prefix)| Some((implementation, name.strip_prefix(prefix)?)))?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, flags) = rest.split_at_checked(end)?;
    let (major, minor) = number.split_once('.')?;
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let known = flags.len() <= 3 && flags.bytes().all(|b| matches!(b, b'm' | b'd' | b'u' | b't'));
    (digits(major) && digits(minor) && known).then_some((implementation, number, flags))
}

/// A version as numbers, for the order of folder names such as `3.9` and `3.10`; what is no number counts as 0.
pub(super) fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '+', '-', '_']).map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_as_pep_503_says() {
        assert_eq!(normalise("Friendly-._.-Bard"), "friendly-bard");
        assert_eq!(normalise("ruamel.yaml_clib"), "ruamel-yaml-clib");
        assert!(is_name("A2") && is_name("zope.interface"));
        assert!(!is_name("~umpy") && !is_name("") && !is_name("-x") && !is_name("a b"));
    }

    #[test]
    fn file_names_are_parted_at_the_first_hyphen() {
        assert_eq!(dist_info("torch-2.0.0+cu118"), ("torch", "2.0.0+cu118"));
        assert_eq!(dist_info("ruamel.yaml-0.18.6"), ("ruamel.yaml", "0.18.6"));
        assert_eq!(egg_info("PyYAML-6.0.1-py3.11-linux-x86_64"), ("PyYAML", "6.0.1"));
        assert_eq!(egg_info("project"), ("project", ""));
    }

    #[test]
    fn series_of_executables_and_folders() {
        assert_eq!(series("python3.11"), Some(("cpython", "3.11", "")));
        assert_eq!(series("python3.6m"), Some(("cpython", "3.6", "m")));
        assert_eq!(series("python3.13t"), Some(("cpython", "3.13", "t")));
        assert_eq!(series("pypy3.10"), Some(("pypy", "3.10", "")));
        for none in ["python", "python3", "python3.11-config", "python3.11-gdb.py", "pythonw", "ls"] {
            assert_eq!(series(none), None, "{none}");
        }
    }
}
