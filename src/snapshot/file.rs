//! Snapshot files on disk: read whole, written atomically.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::read::{self, Read, SIZE_LIMIT};
use crate::error::{Error, reason};

/// Reads the snapshot at `path`, or on standard input for `-`.
pub fn read(path: &Path) -> Result<(String, Read), Error> {
    let name = path.display();
    let bytes =
        if path == Path::new("-") { slurp(io::stdin().lock()) } else { File::open(path).and_then(slurp) };
    let bytes = bytes.map_err(|e| {
        let error = Error::input(format!("cannot read `{name}`: {}", reason(&e)));
        match e.kind() {
            io::ErrorKind::NotFound => error.hint("`driftlock capture` writes a snapshot"),
            _ => error,
        }
    })?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(Error::input(format!(
            "`{name}` is larger than {} MiB, so it is no snapshot",
            SIZE_LIMIT >> 20
        )));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        Error::input(format!("`{name}`, line {line}: not UTF-8 text")).hint("a snapshot is a TOML file")
    })?;
    let parsed = parse(path, &text)?;
    Ok((text, parsed))
}

/// Parses the text of the snapshot that `path` names.
///
/// # Errors
///
/// The line and what is wrong with it.
pub fn parse(path: &Path, text: &str) -> Result<Read, Error> {
    let name = path.display();
    read::from_str(text).map_err(|e| {
        let at = e.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let error = Error::input(format!("`{name}`{at}: {}", e.what));
        match e.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })
}

fn slurp(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Checks, before a long piece of work, that `path` can be written: its folder is there and lets us make files.
pub fn check_writable(path: &Path) -> Result<(), Error> {
    let target = target(path)?;
    if fs::metadata(&target).is_ok_and(|m| m.is_dir()) {
        return Err(cannot_write(path, &io::ErrorKind::IsADirectory.into()).hint("name a file with -o"));
    }
    if is_special(&target) {
        return Ok(());
    }
    // A file that is made and dropped at once is the only sure test: ACLs, quotas and read-only mounts all count.
    tempfile::Builder::new()
        .prefix(".driftlock-")
        .tempfile_in(folder(&target))
        .map(drop)
        .map_err(|e| cannot_write(path, &e))
}

/// Writes `bytes` to `path` so that a reader sees the old file or the new one, whole, whatever happens: into a new
/// file beside it, flushed to disk, renamed over it. A link is followed, the old file's permissions are kept, and a
/// device or pipe is written to as it is.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let target = target(path)?;
    put(&target, bytes).map_err(|e| cannot_write(path, &e))
}

fn put(target: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_special(target) {
        return File::options().write(true).open(target)?.write_all(bytes);
    }
    let mut file = tempfile::Builder::new().prefix(".driftlock-").tempfile_in(folder(target))?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(permissions(target))?;
    // The content is on disk before the name is: after a crash the name leads to the old file or to the new one.
    file.as_file().sync_all()?;
    file.persist(target).map_err(|e| e.error)?;
    Ok(())
}

/// The old file's permissions, or those that a new file gets under the user's umask.
fn permissions(target: &Path) -> Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(target).map(|m| m.permissions()).unwrap_or_else(|_| {
        let umask = fs::read_to_string("/proc/self/status").ok().and_then(|status| {
            let line = status.lines().find_map(|l| l.strip_prefix("Umask:"))?;
            u32::from_str_radix(line.trim(), 8).ok()
        });
        Permissions::from_mode(0o666 & !umask.unwrap_or(0o022))
    })
}

/// The file that `path` names once links are followed, whether or not it is there yet.
fn target(path: &Path) -> Result<PathBuf, Error> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => match fs::canonicalize(path) {
            Ok(target) => Ok(target),
            Err(e) => Err(cannot_write(path, &e).hint("it is a link that leads nowhere; remove it")),
        },
        _ => Ok(path.to_path_buf()),
    }
}

fn is_special(target: &Path) -> bool {
    fs::metadata(target).is_ok_and(|m| !m.is_file() && !m.is_dir())
}

fn folder(target: &Path) -> &Path {
    target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn cannot_write(path: &Path, e: &io::Error) -> Error {
    let error = Error::machine(format!("cannot write `{}`: {}", path.display(), reason(e)));
    match e.kind() {
        io::ErrorKind::NotFound => {
            error.hint("the folder does not exist; make it first, or name another file with -o")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => error
            .hint("name a file in a folder that you may write to with -o, or print the snapshot with `-o -`"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            error.hint("free some space; a snapshot that was there before is untouched")
        }
        _ => error,
    }
}
