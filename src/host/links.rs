//! Resolving symbolic links by hand, for hosts whose links come from a map or must be noted down on the way.

use std::io;
use std::path::{Path, PathBuf};

/// The most links followed in one path, as the kernel's own limit (`path_resolution(7)`).
const LIMIT: usize = 40;

/// The absolute path with every link resolved, whether or not it exists. `link` gives the target of a link as it is
/// written, `None` for what is no link.
///
/// # Errors
///
/// More than 40 links, which mostly is a loop.
pub(super) fn resolve(
    absolute: &Path,
    mut link: impl FnMut(&Path) -> Option<PathBuf>,
) -> io::Result<PathBuf> {
    let mut out = PathBuf::from("/");
    let mut todo: Vec<PathBuf> = parts(absolute);
    let mut followed = 0;
    while let Some(part) = todo.pop() {
        match part.to_str() {
            Some("/" | ".") => {}
            Some("..") => {
                out.pop();
            }
            _ => {
                out.push(&part);
                if let Some(target) = link(&out) {
                    followed += 1;
                    if followed > LIMIT {
                        return Err(io::Error::other("too many levels of symbolic links"));
                    }
                    out.pop();
                    if target.is_absolute() {
                        out = PathBuf::from("/");
                    }
                    todo.extend(parts(&target));
                }
            }
        }
    }
    Ok(out)
}

/// The parts of a path, last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    path.components().rev().map(|c| PathBuf::from(c.as_os_str())).filter(|p| p != Path::new("/")).collect()
}
