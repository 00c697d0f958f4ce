//! Mercurial: by `hg` where it is installed, else the parent commit from its own file.

use std::path::Path;

use crate::host::{Command, Host, RunError};
use crate::probes::{Context, Sink};

/// Records the state of the Mercurial repository at `root`.
pub(super) fn collect(cx: &Context, root: &Path, out: &Sink) {
    let host = cx.host.as_ref();
    out.set("vcs", "mercurial");
    out.unknown("diff_digest", "not computed for Mercurial; see `hg diff --git`");
    out.unknown("untracked_digest", "not computed for Mercurial");
    files(host, root, out);
    let facts = ["dirty", "unstaged", "untracked"];
    match run(cx, root, &["status", "--modified", "--added", "--removed", "--deleted", "--unknown"]) {
        Ok(text) => {
            let (unstaged, untracked) = parse_status(&text);
            out.set("dirty", unstaged > 0);
            out.set("unstaged", unstaged);
            out.set("untracked", untracked);
        }
        Err(reason) => facts.iter().for_each(|fact| out.unknown(fact, &reason)),
    }
}

/// The first parent and the branch as Mercurial's files have them. Both are exact, so `hg`, which takes a tenth of a
/// second to start, is asked only for what needs it.
fn files(host: &dyn Host, root: &Path, out: &Sink) {
    let hg = root.join(".hg");
    match host.read(&hg.join("dirstate")) {
        Ok(bytes) => match parse_parent(&bytes) {
            Ok(parent) => {
                out.set("unborn", parent.is_none());
                out.set_opt("commit", parent);
            }
            Err(reason) => out.unknown("commit", reason),
        },
        // A repository without a checkout has no such file.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => out.set("unborn", true),
        Err(error) => out.unknown("commit", format!(".hg/dirstate: {error}")),
    }
    out.set("branch", host.maybe(hg.join("branch")).unwrap_or_else(|| "default".to_owned()));
}

/// The first parent of the working directory in hexadecimal, `None` where it is the null revision.
///
/// Version 1 of the file begins with the 20 bytes of the id; version 2 with `dirstate-v2` and a line feed, then the id
/// in a field of 32 bytes (mercurial/helptext/internals/dirstate-v2.txt).
fn parse_parent(bytes: &[u8]) -> Result<Option<String>, &'static str> {
    let id = bytes.strip_prefix(b"dirstate-v2\n").unwrap_or(bytes);
    if id.is_empty() {
        return Ok(None);
    }
    let id = id.get(..20).ok_or(".hg/dirstate is cut off")?;
    let text: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(id.iter().any(|byte| *byte != 0).then_some(text))
}

/// How many tracked files `hg status` names as changed, and how many as unknown to Mercurial:
///
/// ```text
/// M train.py
/// ! gone.py
/// ? new.py
/// ```
fn parse_status(text: &str) -> (u64, u64) {
    let count = |marks: &str| {
        text.lines().filter(|line| line.chars().next().is_some_and(|c| marks.contains(c))).count()
    };
    (count("MAR!") as u64, count("?") as u64)
}

/// Runs `hg` without the user's aliases and colours (`hg help environment`, `HGPLAIN`).
fn run(cx: &Context, root: &Path, args: &[&str]) -> Result<String, String> {
    let root = root.display().to_string();
    let args = ["--cwd", root.as_str(), "--noninteractive"].into_iter().chain(args.iter().copied());
    let command = Command::new("hg", args).env("HGPLAIN", "1").limit(cx.options.timeout / 10 * 9);
    match cx.host.run(&command) {
        Ok(output) if output.status == 0 => Ok(output.stdout),
        Ok(output) => Err(format!("hg: {}", output.stderr.lines().next().unwrap_or("failed").trim())),
        Err(RunError::NotFound(_)) => Err("hg is not installed".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_from_both_versions_of_the_file() {
        let id: Vec<u8> = (1..=20).collect();
        let text = "0102030405060708090a0b0c0d0e0f1011121314".to_owned();
        assert_eq!(parse_parent(&[&id[..], &[0; 20]].concat()), Ok(Some(text.clone())));
        assert_eq!(parse_parent(&[b"dirstate-v2\n", &id[..], &[0; 100]].concat()), Ok(Some(text)));
        assert_eq!(parse_parent(&[0; 40]), Ok(None));
        assert_eq!(parse_parent(b""), Ok(None));
        assert!(parse_parent(b"short").is_err());
    }

    #[test]
    fn status_lines_are_counted_by_their_mark() {
        assert_eq!(parse_status("M a\nA b\nR c\n! d\n? e\n? M\n"), (4, 2));
        assert_eq!(parse_status(""), (0, 0));
    }
}
