//! File names as bytes, written as text that reads back.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A file name or path of any bytes.
///
/// As text, a backslash is doubled and a byte that is not part of UTF-8 is written `\xNN`, so that different names
/// never look the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Name(Vec<u8>);

impl Name {
    /// The name of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<T: AsRef<OsStr> + ?Sized> From<&T> for Name {
    fn from(name: &T) -> Self {
        Self(name.as_ref().as_bytes().to_vec())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(&chunk.valid().replace('\\', "\\\\"))?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.to_string()
    }
}

/// A text that no name is written as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has a backslash that is not followed by `\\` or `xNN`")]
pub struct BadName(String);

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let mut parts = text.split('\\');
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        while let Some(part) = parts.next() {
            if let Some((hex, rest)) = part.strip_prefix('x').and_then(|p| p.split_at_checked(2)) {
                bytes.push(u8::from_str_radix(hex, 16).map_err(|_| BadName(text.to_owned()))?);
                bytes.extend_from_slice(rest.as_bytes());
            } else if let (true, Some(rest)) = (part.is_empty(), parts.next()) {
                bytes.push(b'\\');
                bytes.extend_from_slice(rest.as_bytes());
            } else {
                return Err(BadName(text.to_owned()));
            }
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Name {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_outside_utf8_are_escaped() {
        assert_eq!(Name::new(*b"a\xffb\\c").to_string(), "a\\xffb\\\\c");
        for bad in ["\\", "\\x", "\\x1", "\\xzz", "\\n", "\\\\\\"] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_reads_back(bytes: Vec<u8>) {
            let name = Name::new(bytes);
            prop_assert_eq!(name.to_string().parse::<Name>(), Ok(name));
        }
    }
}
