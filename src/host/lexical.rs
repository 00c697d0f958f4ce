//! Paths as text.

use std::path::{Component, Path, PathBuf};

/// The path without `.` and `..`, as far as its text tells: links are not followed, and `..` above the first component
/// is dropped.
pub fn normalize(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_go() {
        for (path, wanted) in [
            ("/a/./b/../c", "/a/c"),
            ("/a/lib/python3.12/site-packages/../../../bin/tool", "/a/bin/tool"),
            ("/..", "/"),
            ("a/../../b", "b"),
            ("./a/", "a"),
            ("", ""),
        ] {
            assert_eq!(normalize(Path::new(path)), Path::new(wanted), "{path}");
        }
    }
}
