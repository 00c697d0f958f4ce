//! `--verify-packages`: every installed file against the digest in its distribution's RECORD.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;

use super::interpreter::{Form, Interpreter};
use super::{packages, record};
use crate::host::Host;
use crate::probes::Sink;

/// A file to check.
struct File {
    name: String,
    /// As the RECORD writes it.
    shown: String,
    path: PathBuf,
    hash: String,
}

/// How a file stands to its RECORD.
enum Standing {
    Same,
    Modified,
    Missing,
    Unreadable(String),
}

/// Records the files that are not as their RECORD says, and how many were looked at.
pub(super) fn collect(host: &dyn Host, interpreter: &Interpreter, progress: bool, out: &Sink) {
    let installed = packages::installed(host, &interpreter.search);
    let mut files = Vec::new();
    let mut unverified = Vec::new();
    for (name, (dist, _)) in &installed.first {
        let text = (dist.form == Form::DistInfo).then(|| host.maybe(dist.dist_info.join("RECORD"))).flatten();
        let before = files.len();
        for line in record::parse(&text.unwrap_or_default()) {
            let Some(hash) = line.hash.filter(|hash| hash.starts_with("sha256=")) else {
                continue;
            };
            files.push(File {
                name: name.clone(),
                path: dist.site.join(&*line.path),
                shown: line.path.into_owned(),
                hash: hash.to_owned(),
            });
        }
        if files.len() == before {
            unverified.push(name.clone());
        }
    }
    let bar = bar(files.len() as u64, progress);
    let standings: Vec<Standing> = files
        .par_iter()
        .map(|file| {
            let standing = check(host, &file.path, &file.hash);
            bar.inc(1);
            standing
        })
        .collect();
    bar.finish_and_clear();
    let mut edited = Vec::new();
    for (file, standing) in files.iter().zip(&standings) {
        let how = match standing {
            Standing::Same => continue,
            Standing::Modified => "modified".to_owned(),
            Standing::Missing => "missing".to_owned(),
            Standing::Unreadable(reason) => {
                out.unknown_at(["packages", &file.name, "edited"], format!("{}: {reason}", file.shown));
                continue;
            }
        };
        edited.push(format!("{}: {} ({how})", file.name, file.shown));
    }
    edited.sort();
    out.set("edited", edited);
    out.set("unverified", unverified);
    out.set("verified_files", files.len());
}

fn check(host: &dyn Host, path: &Path, hash: &str) -> Standing {
    match host.sha256(path) {
        Ok(found) if hash.strip_prefix("sha256=") == Some(&base64(&found)) => Standing::Same,
        Ok(_) => Standing::Modified,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Standing::Missing,
        Err(e) => Standing::Unreadable(e.to_string()),
    }
}

fn bar(files: u64, progress: bool) -> ProgressBar {
    let target = if progress && io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} files, {eta} left");
    let bar = ProgressBar::with_draw_target(Some(files), target).with_message("verifying packages");
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// URL-safe base64 without padding, as RECORD has it (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |n, byte| n << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            let index = (number >> (18 - 6 * digit)) & 63;
            text.push(char::from(ALPHABET.get(index as usize).copied().unwrap_or_default()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "-_8");
    }
}
