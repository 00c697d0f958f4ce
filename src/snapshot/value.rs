//! The value of a fact and its one way to be written.

use std::fmt;

/// A fact's value: the part of TOML that snapshots use (no dates, no nested tables: a nested table is more facts).
#[derive(Clone, Debug)]
pub enum Value {
    /// Text.
    Str(String),
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// A number with a fraction; only configuration files bring these in. Never NaN.
    Float(f64),
    /// Values in an order that means something, or sorted where it does not.
    List(Vec<Value>),
}

impl Value {
    /// The text of a [`Value::Str`].
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a [`Value::Int`].
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The value without TOML's quotes, for people: lists are joined with spaces.
    pub fn plain(&self) -> String {
        match self {
            Self::Str(text) => text.clone(),
            Self::List(items) => items.iter().map(Self::plain).collect::<Vec<_>>().join(" "),
            other => other.to_string(),
        }
    }

    /// The kind's name as `facts/*.toml` writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Str(_) => "string",
            Self::Int(_) => "int",
            Self::Bool(_) => "bool",
            Self::Float(_) => "float",
            Self::List(_) => "list",
        }
    }

    /// Every text in the value, mapped.
    #[must_use]
    pub fn map_text(self, f: &dyn Fn(String) -> String) -> Self {
        match self {
            Self::Str(text) => Self::Str(f(text)),
            Self::List(items) => Self::List(items.into_iter().map(|v| v.map_text(f)).collect()),
            other => other,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::List(a), Self::List(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<u64> for Value {
    /// A count above `i64::MAX` (TOML's range) is kept as text.
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or_else(|_| Self::Str(number.to_string()), Self::Int)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Value {
    /// Canonical TOML on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => write_str(f, text),
            Self::Int(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Float(number) => write_float(f, *number),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
        }
    }
}

/// The shortest digits that read back as the same double, with a fraction or an exponent so that TOML reads a float.
fn write_float(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    if number.is_infinite() {
        return f.write_str(if number > 0.0 { "inf" } else { "-inf" });
    }
    if number.is_nan() {
        return f.write_str("nan");
    }
    // `{:?}` of f64 is the shortest form that round-trips and always shows a fraction or an exponent.
    write!(f, "{number:?}")
}

/// Writes a TOML basic string. Control characters, DEL and the C1 range are escaped, so that printing a snapshot
/// never moves a terminal's cursor; bidirectional overrides likewise ("Trojan Source", CVE-2021-42574).
pub fn write_str(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\r' => f.write_str("\\r")?,
            c if is_unprintable(c) => write!(f, "\\u{:04X}", c as u32)?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// Characters that act on a terminal or on the reading order instead of showing.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}')
}

/// `text` fit for a terminal: what would act instead of show becomes an escape.
pub fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return text.into();
    }
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if is_unprintable(c) {
                out.extend(c.escape_unicode())
            } else {
                out.push(c)
            }
            out
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_reads_back() {
        let values = [
            Value::from("a\"b\\c\n\t\r\u{1b}[31m\u{202e}é"),
            Value::Int(i64::MIN),
            Value::Bool(true),
            Value::Float(1e-3),
            Value::Float(1e300),
            Value::Float(f64::INFINITY),
            Value::Float(3.0),
            Value::from(vec!["x", "y"]),
        ];
        for value in values {
            let text = format!("v = {value}");
            let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(crate::snapshot::read::value_of(&table["v"]), Ok(value), "{text}");
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
        }
    }
}
