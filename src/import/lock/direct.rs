//! Direct references (PEP 440, PEP 610) as a fact: where a distribution was installed from.

use super::{Package, normalise, shown_url};

/// What a direct reference tells: `git+https://…@commit`, `https://….whl#sha256=…`, `file:///…`.
pub(in crate::import) fn package(name: &str, url: &str) -> Package {
    let (bare, fragment) = url.split_once('#').unwrap_or((url, ""));
    let file = bare.split('?').next().unwrap_or(bare).rsplit('/').next().unwrap_or_default();
    let version = version_of_file(name, file);
    let why = version.is_none().then(|| "named by where it came from, not by its version".to_owned());
    let local = bare.starts_with("file:") || !bare.contains("://");
    if local && built_by_conda(bare) {
        return Package { version, why, ..Package::default() };
    }
    let path = bare.strip_prefix("file://").map(|p| p.strip_prefix("localhost").unwrap_or(p));
    let mut origin = match path {
        Some(path) => percent_decoded(path),
        None => shown_url(bare),
    };
    // Of what stands behind `#`, only what decides the content: not the name (`egg=`).
    let kept: Vec<&str> = fragment
        .split('&')
        .filter(|part| {
            ["sha256=", "sha512=", "sha384=", "md5=", "subdirectory="].iter().any(|k| part.starts_with(k))
        })
        .collect();
    if !kept.is_empty() {
        origin = format!("{origin}#{}", kept.join("&"));
    }
    Package { version, origin: Some(origin), editable: false, why }
}

/// Whether a path is where conda builds packages: it names the build machine, not this one (see
/// `python.packages.*.origin`).
fn built_by_conda(path: &str) -> bool {
    [
        "/croot/",
        "/conda-bld/",
        "/feedstock_root/",
        "/tmp/build/80754af9/",
        "/ci/",
        "/ci_",
        "/abs_",
        "/rattler-build_",
    ]
    .iter()
    .any(|mark| path.contains(mark))
        || path.starts_with("file:///opt/concourse/")
        || path.starts_with("file:///Users/ktietz/")
}

/// The version in the name of a wheel or source archive of this distribution.
pub(in crate::import) fn version_of_file(name: &str, file: &str) -> Option<String> {
    let file = percent_decoded(file);
    let stem = match file.strip_suffix(".whl") {
        Some(stem) => {
            let mut parts = stem.split('-');
            let (wheel, version) = (parts.next()?, parts.next()?);
            // Name, version, (build,) python, abi, platform (PEP 427).
            return (normalise(wheel) == normalise(name) && parts.count() >= 3).then(|| version.to_owned());
        }
        None => {
            [".tar.gz", ".zip", ".tar.bz2", ".tgz"].iter().find_map(|suffix| file.strip_suffix(suffix))?
        }
    };
    let (archive, version) = stem.rsplit_once('-')?;
    let plausible = version.starts_with(|c: char| c.is_ascii_digit());
    (plausible && normalise(archive) == normalise(name)).then(|| version.to_owned())
}

/// `%2B` and the like as the characters that they stand for.
pub(in crate::import) fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| byte == b'%').and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_as_facts() {
        let whl =
            package("torch", "https://u:p@h/whl/torch-2.1.0%2Bcu118-cp310-cp310-linux_x86_64.whl#sha256=ab");
        assert_eq!(whl.version.as_deref(), Some("2.1.0+cu118"));
        assert_eq!(
            whl.origin.as_deref(),
            Some("https://h/whl/torch-2.1.0%2Bcu118-cp310-cp310-linux_x86_64.whl#sha256=ab")
        );
        let git = package("p", "git+https://tok@github.com/a/p.git@0f1e#egg=p&subdirectory=s");
        assert_eq!(
            (git.version, git.origin.as_deref()),
            (None, Some("git+https://github.com/a/p.git@0f1e#subdirectory=s"))
        );
        let conda = package("numpy", "file:///croot/numpy_1682953417311/work");
        assert_eq!((conda.origin, conda.version), (None, None));
        assert_eq!(package("a", "file:///srv/a%20b").origin.as_deref(), Some("/srv/a b"));
        assert_eq!(version_of_file("A.b", "a_b-1.0.tar.gz").as_deref(), Some("1.0"));
        assert_eq!(version_of_file("a", "b-1.0-py3-none-any.whl"), None);
    }
}
