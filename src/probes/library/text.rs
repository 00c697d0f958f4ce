//! Values out of Python files without running them.

use std::path::Path;

use crate::host::Host;

/// The string literals in a text without escapes, in order.
///
/// `{"cublas": "libcublas.so.*[0-9]"}` gives `cublas` and `libcublas.so.*[0-9]`.
pub fn literals(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(['"', '\''])?;
        let quote = rest.get(start..)?.chars().next()?;
        let inner = rest.get(start + 1..)?;
        let end = inner.find(quote)?;
        rest = inner.get(end + 1..)?;
        inner.get(..end)
    })
}

/// The string that a module-level assignment gives `name`; `None` where there is none, or it is `None`.
///
/// Reads `name = "1.0"`, `name: Optional[str] = '1.0'` and `name = other = "1.0"`.
pub fn assigned<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    value(text, name).and_then(|value| {
        let literal = value.rsplit('=').next()?.trim_start();
        literal.starts_with(['"', '\'']).then(|| literals(literal).next())?
    })
}

/// The truth value that a module-level assignment gives `name`.
pub fn assigned_bool(text: &str, name: &str) -> Option<bool> {
    match value(text, name)?.split('#').next()?.trim() {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

/// What stands behind the first `=` of an assignment to `name`.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        // `version = __version__ = "1.0"` assigns both.
        let before = line.split(['"', '\'']).next()?;
        let targets = before.rsplit_once('=').map_or("", |(targets, _)| targets);
        let hit = targets.split('=').any(|t| t.split(':').next().is_some_and(|t| t.trim_end() == name))
            || targets.split('=').skip(1).any(|t| t.trim() == name);
        hit.then(|| line.split_once('=').map(|(_, value)| value))?
    })
}

/// The version that a package's own files give, in the order in which packages keep it: `version.py`,
/// `_version.py`, `__init__.py`.
pub fn version(host: &dyn Host, package: &Path) -> Option<String> {
    let files = [("version.py", "__version__"), ("version.py", "version"), ("_version.py", "__version__")];
    files.iter().chain(&[("__init__.py", "__version__")]).find_map(|(file, name)| {
        let text = host.maybe(package.join(file))?;
        assigned(&text, name).filter(|v| v.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torch_version_py() {
        // torch/version.py of 2.13.
        let text = "from typing import Optional\n\n__all__ = ['__version__', 'debug']\n__version__ = '2.13.0+cu130'\n\
                    debug = False\ncuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n";
        assert_eq!(assigned(text, "__version__"), Some("2.13.0+cu130"));
        assert_eq!(assigned(text, "cuda"), Some("13.0"));
        assert_eq!(assigned(text, "hip"), None);
        assert_eq!(assigned_bool(text, "debug"), Some(false));
    }

    #[test]
    fn numpy_and_setuptools_scm() {
        let text = "version = \"2.4.6\"\n__version__ = version\nfull_version = version\nif True:\n    version = 'no'\n";
        assert_eq!(assigned(text, "version"), Some("2.4.6"));
        assert_eq!(assigned(text, "__version__"), None);
        assert_eq!(assigned("__version__ = version = '1.2.3'\n", "__version__"), Some("1.2.3"));
        assert_eq!(assigned("__version__ = version = '1.2.3'\n", "version"), Some("1.2.3"));
        assert_eq!(assigned("x = 'open", "x"), None);
    }
}
