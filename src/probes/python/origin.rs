//! Where a distribution was installed from: `direct_url.json` (PEP 610).

use std::path::PathBuf;

use serde::Deserialize;

use crate::redact::{DisplayUrl, Labels};

/// `direct_url.json`.
#[derive(Deserialize)]
struct DirectUrl {
    url: String,
    subdirectory: Option<String>,
    vcs_info: Option<VcsInfo>,
    archive_info: Option<ArchiveInfo>,
    dir_info: Option<DirInfo>,
}

#[derive(Deserialize)]
struct VcsInfo {
    vcs: String,
    commit_id: String,
}

#[derive(Deserialize)]
struct ArchiveInfo {
    hash: Option<String>,
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct DirInfo {
    #[serde(default)]
    editable: bool,
}

/// Where a distribution came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// `git+URL@COMMIT`, `URL#sha256=…`, or a folder.
    pub reference: String,
    /// Whether imports read that folder itself.
    pub editable: bool,
}

/// Parses `direct_url.json` into a direct reference as PEP 440 and pip write it, without credentials, and with local
/// paths as `labels` show them.
///
/// ```text
/// {"url": "https://github.com/pypa/pip.git", "vcs_info": {"vcs": "git", "requested_revision": "main",
///  "commit_id": "7921be1537eac1e97bc40179a57f0349c2aee67d"}}
/// {"url": "https://…/numpy-2.0.0.whl", "archive_info": {"hashes": {"sha256": "2dc6…"}}}
/// {"url": "file:///home/u/pkg", "dir_info": {"editable": true}}
/// ```
pub(super) fn parse(text: &str, labels: &Labels) -> Result<Origin, serde_json::Error> {
    let direct: DirectUrl = serde_json::from_str(text)?;
    let mut reference = match file_path(&direct.url) {
        Some(path) => labels.show(&path),
        None => DisplayUrl::new(&direct.url).to_string(),
    };
    if let Some(VcsInfo { vcs, commit_id }) = &direct.vcs_info {
        reference = format!("{vcs}+{reference}@{commit_id}");
    }
    let mut fragment = Vec::new();
    if let Some(ArchiveInfo { hash, hashes }) = &direct.archive_info {
        // `hash` is the older form: `sha256=…`.
        let strongest = ["sha256", "sha512", "sha384"]
            .iter()
            .find_map(|name| Some(format!("{name}={}", hashes.get(*name)?)));
        fragment.extend(strongest.or_else(|| hash.clone()));
    }
    fragment.extend(direct.subdirectory.map(|folder| format!("subdirectory={folder}")));
    if !fragment.is_empty() {
        reference = format!("{reference}#{}", fragment.join("&"));
    }
    Ok(Origin { reference, editable: direct.dir_info.is_some_and(|dir| dir.editable) })
}

/// The path of a `file:` URL of this machine, percent-decoded.
fn file_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
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
    path.starts_with('/').then(|| PathBuf::from(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn reference(text: &str) -> String {
        let labels = Labels::default().with(Path::new("/home/u/my proj"), "{project}");
        parse(text, &labels)
            .map(|origin| format!("{}{}", origin.reference, if origin.editable { " editable" } else { "" }))
            .unwrap_or_default()
    }

    #[test]
    fn direct_references() {
        for (json, expected) in [
            (
                r#"{"url":"https://host/r.git","vcs_info":{"vcs":"git","commit_id":"c0","requested_revision":"v1"},"subdirectory":"py"}"#,
                "git+https://host/r.git@c0#subdirectory=py",
            ),
            (
                r#"{"url":"https://host/a.whl","archive_info":{"hash":"sha256=old","hashes":{"md5":"m","sha256":"new"}}}"#,
                "https://host/a.whl#sha256=new",
            ),
            (
                r#"{"url":"https://host/a.whl","archive_info":{"hash":"sha256=old"}}"#,
                "https://host/a.whl#sha256=old",
            ),
            (
                r#"{"url":"file:///home/u/my%20proj/lib","dir_info":{"editable":true}}"#,
                "{project}/lib editable",
            ),
            (r#"{"url":"file:///home/u/my%20proj/a.whl","archive_info":{}}"#, "{project}/a.whl"),
        ] {
            assert_eq!(reference(json), expected);
        }
        assert!(parse("{", &Labels::default()).is_err());
        assert!(parse("{\"archive_info\":{}}", &Labels::default()).is_err());
    }
}
