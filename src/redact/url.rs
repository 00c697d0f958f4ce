//! URLs without their credentials.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

use super::secret;

/// A URL (or scp-like address) that never shows a user's password or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayUrl(String);

impl DisplayUrl {
    /// Takes the credentials out of `url`: user info (of SSH addresses the password only, since the user is part of
    /// the address: `git@…`), and parameters whose names or values look like secrets.
    pub fn new(url: &str) -> Self {
        let url = strip(url);
        Self(secret::text(scp_without_password(&url)).into_owned())
    }
}

impl fmt::Display for DisplayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for DisplayUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// `user:password@host:path` without scheme: what stands before the `@` goes where it holds a password.
fn scp_without_password(url: &str) -> &str {
    match url.split_once('@') {
        Some((user, rest)) if !user.contains('/') && user.contains(':') => rest,
        _ => url,
    }
}

/// `text` with the credentials of every URL in it taken out.
pub(super) fn strip(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find([' ', '\t', '\n', '"', '\'', '<', '>', '`']).unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        let scheme =
            before[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '+').next().unwrap_or_default();
        push_url(&mut out, scheme, url);
        rest = tail;
    }
    out.push_str(rest);
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// Writes what follows `scheme://`, which ends the URL.
fn push_url(out: &mut String, scheme: &str, url: &str) {
    let (authority, rest) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            if scheme.ends_with("ssh") && !user.is_empty() {
                out.push_str(user);
                out.push('@');
            }
            out.push_str(host);
        }
        None => out.push_str(authority),
    }
    let (path, parameters) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    out.push_str(path);
    let mut start = 0;
    let mut kept = false;
    // `?a=1&b=2#c=3`: each parameter with the sign before it.
    while start < parameters.len() {
        let next =
            parameters[start + 1..].find(['?', '#', '&']).map_or(parameters.len(), |at| start + 1 + at);
        let parameter = &parameters[start..next];
        if !is_secret(&parameter[1..]) {
            let sign = if parameter.starts_with('&') && !kept {
                '?'
            } else {
                parameter.chars().next().unwrap_or('?')
            };
            out.push(sign);
            out.push_str(&parameter[1..]);
            kept = sign != '#';
        }
        start = next;
    }
}

/// Parameters of signed URLs (AWS Signature Version 4, Azure SAS, Google Cloud Storage) that the rules for names
/// do not know.
const SIGNATURES: [&str; 7] = [
    "sig",
    "signature",
    "x-amz-signature",
    "x-amz-credential",
    "x-goog-signature",
    "x-goog-credential",
    "awsaccesskeyid",
];

fn is_secret(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    !value.is_empty()
        && (SIGNATURES.contains(&name.to_ascii_lowercase().as_str())
            || secret::is_secret_name(&name.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_and_the_rest_stays() {
        let cases = [
            ("https://github.com/a/b.git", "https://github.com/a/b.git"),
            ("https://ada:hunter2@github.com/a/b.git", "https://github.com/a/b.git"),
            ("https://sometoken@github.com/a/b.git", "https://github.com/a/b.git"),
            ("https://user@corp.com:p@ss@host:8080/x?y=1", "https://host:8080/x?y=1"),
            ("ssh://git@github.com/a/b", "ssh://git@github.com/a/b"),
            ("git+ssh://git:pw@github.com:22/a/b", "git+ssh://git@github.com:22/a/b"),
            ("git@github.com:a/b.git", "git@github.com:a/b.git"),
            ("ada:pw@host:a/b", "host:a/b"),
            ("/srv/git/a.git", "/srv/git/a.git"),
            ("../a", "../a"),
            ("file:///srv/a@b.git", "file:///srv/a@b.git"),
            ("https://h/x?lr=1&token=abc&z=2#frag", "https://h/x?lr=1&z=2#frag"),
            ("https://h/x?access_token=abc&z=2", "https://h/x?z=2"),
            ("https://h/x?api_key=abc", "https://h/x"),
            (
                "https://b.blob.core.windows.net/c?sv=2022&sig=abc%3D",
                "https://b.blob.core.windows.net/c?sv=2022",
            ),
            ("https://h#access_token=abc", "https://h"),
            ("https://[::1]:8080/x", "https://[::1]:8080/x"),
            ("", ""),
        ];
        for (url, shown) in cases {
            assert_eq!(DisplayUrl::new(url).to_string(), shown, "{url}");
        }
    }

    #[test]
    fn tokens_in_the_path_go_too() {
        let shown = DisplayUrl::new("https://h/hf_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3h/x").to_string();
        assert!(shown.starts_with("https://h/secret:") && shown.ends_with("/x"), "{shown}");
    }

    #[test]
    fn several_urls_in_a_text() {
        let text = "a https://u:p@h/x b http://u:q@i c://";
        assert_eq!(strip(text), "a https://h/x b http://i c://");
    }
}
