//! The engine that digests data: files and directory trees of any size.
//!
//! Memory grows with the number of names, not with bytes: a worker holds one buffer. The files of a tree are read
//! side by side, the largest first, so that no worker is left alone with a large one at the end; a single file is
//! one stream, as SHA-256 is, so that anyone can recompute its digest.

mod content;
mod file;
pub mod listing;
pub mod name;
mod walk;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::ThreadPoolBuilder;

pub(crate) use file::identity;
pub use listing::{side_file, tree_digest};
pub use name::Name;

use crate::error::reason;
use crate::host::tree::{FileDigest, TreeFault, TreeKind, TreeOptions, TreeReport, Unread};
use crate::snapshot::digest::prefixed;
use walk::{Found, Walk};

/// Digests the file or the tree at `path`; a link at `path` itself is followed.
pub fn inspect(path: &Path, options: &TreeOptions) -> Result<TreeReport, TreeFault> {
    let root = fs::canonicalize(path).map_err(fault)?;
    let meta = fs::symlink_metadata(&root).map_err(fault)?;
    if meta.is_dir() {
        // A pool of its own: probes with a time limit must not queue behind gigabytes in the shared one.
        let pool = ThreadPoolBuilder::new().thread_name(|i| format!("data-{i}")).build();
        let pool = pool.map_err(|error| TreeFault::Unreadable(error.to_string()))?;
        Ok(pool.install(|| tree(&root, options)))
    } else if meta.is_file() {
        let bar = progress(options, meta.len());
        let name = Name::from(root.file_name().unwrap_or_default());
        let content = content::digest(&root);
        let file = Found { name, path: root, len: meta.len() };
        let mut report = TreeReport { kind: TreeKind::File, ..TreeReport::default() };
        match read(&file, &mut vec![0; file::BUFFER], &bar) {
            Ok(digest) => {
                report.digest = Some(format!("sha256:{}", digest.sha256));
                report.content = content;
                report.files.push(digest);
            }
            Err(unread) => report.faults.push(unread),
        }
        bar.finish_and_clear();
        Ok(report)
    } else {
        Err(TreeFault::Unreadable("not a file or a folder".to_owned()))
    }
}

fn fault(error: io::Error) -> TreeFault {
    match error.kind() {
        io::ErrorKind::NotFound => TreeFault::NotFound,
        _ => TreeFault::Unreadable(reason(&error)),
    }
}

fn tree(root: &Path, options: &TreeOptions) -> TreeReport {
    let mut walk = Walk::of(root);
    let bar = progress(options, walk.files.iter().map(|f| f.len).sum());
    walk.files.sort_unstable_by(|a, b| b.len.cmp(&a.len).then_with(|| a.name.cmp(&b.name)));
    let mut report = TreeReport { kind: TreeKind::Dir, empty_dirs: walk.empty_dirs, ..TreeReport::default() };
    report.faults.append(&mut walk.faults);
    let next = AtomicUsize::new(0);
    let read = rayon::broadcast(|_| {
        let mut buffer = vec![0; file::BUFFER];
        let mut done = Vec::new();
        while let Some(file) = walk.files.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(read(file, &mut buffer, &bar));
        }
        done
    });
    for one in read.into_iter().flatten() {
        match one {
            Ok(digest) => report.files.push(digest),
            Err(unread) => report.faults.push(unread),
        }
    }
    report.faults.extend(walk.changed_since());
    report.listing_order = Some(prefixed(&walk.listing_order));
    report.links = walk.links;
    report.special = walk.special;
    report.files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    report.links.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    report.special.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    report.faults.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    if report.faults.is_empty() {
        report.digest = Some(tree_digest(&report));
    }
    bar.finish_and_clear();
    report
}

fn read(file: &Found, buffer: &mut [u8], bar: &ProgressBar) -> Result<FileDigest, Unread> {
    match file::digest(&file.path, buffer, &|bytes| bar.inc(bytes)) {
        Ok(digested) => {
            Ok(FileDigest { name: file.name.clone(), len: digested.len, sha256: digested.sha256 })
        }
        Err(reason) => Err(Unread { name: file.name.clone(), reason, dir: false }),
    }
}

/// `sha256:…` of the regular file at `path`, which is no link, or why there is none.
pub(crate) fn digest_file(path: &Path, progress: &dyn Fn(u64)) -> Result<String, String> {
    let digested = file::digest(path, &mut vec![0; file::BUFFER], progress)?;
    Ok(format!("sha256:{}", digested.sha256))
}

/// A bar over `bytes` on standard error, or one that shows nothing.
fn progress(options: &TreeOptions, bytes: u64) -> ProgressBar {
    let target = if options.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(bytes), target);
    let style = ProgressStyle::with_template("data {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
