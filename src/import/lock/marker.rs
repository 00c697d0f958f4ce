//! Environment markers (PEP 508, and PEP 751's `extras` and `dependency_groups`) for CPython on Linux x86_64.
//!
//! A marker is asked for one version of Python at a time. What no lock can tell (the kernel's release) is unknown,
//! and so may the whole marker be.

use pep440_rs::{Version, VersionSpecifier};
use std::str::FromStr;

/// How deep parentheses may be nested.
const DEPTH: usize = 64;
/// How long a marker may be, in bytes; uv's longest are some thousands.
const LONGEST: usize = 100_000;

/// What a marker is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The version of Python.
    pub python: &'a Version,
    /// Whether `extra == "NAME"` holds.
    pub extra: &'a dyn Fn(&str) -> bool,
    /// The extras that are installed (`"x" in extras`).
    pub extras: &'a [String],
    /// The dependency groups that are installed (`"x" in dependency_groups`).
    pub groups: &'a [String],
}

/// A marker, parsed.
#[derive(Clone, Debug)]
pub(crate) enum Marker {
    /// All of them.
    And(Vec<Marker>),
    /// One of them.
    Or(Vec<Marker>),
    /// A comparison.
    Is(Operand, Operator, Operand),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A variable of the environment.
    Name(String),
    /// A quoted text.
    Text(String),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Less,
    LessEqual,
    Equal,
    NotEqual,
    GreaterEqual,
    Greater,
    Compatible,
    Identical,
    In,
    NotIn,
}

impl Marker {
    /// Parses a marker; `None` where it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let tokens = tokens(text)?;
        let mut at = 0;
        let marker = or(&tokens, &mut at, 0)?;
        (at == tokens.len()).then_some(marker)
    }

    /// Whether it holds; `None` where that cannot be decided.
    pub(crate) fn holds(&self, target: &Target<'_>) -> Option<bool> {
        match self {
            Self::And(parts) => fold(parts, target, false),
            Self::Or(parts) => fold(parts, target, true),
            Self::Is(left, operator, right) => compare(left, *operator, right, target),
        }
    }

    /// Every version of Python that the marker compares with.
    pub(crate) fn versions(&self, out: &mut Vec<String>) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.versions(out)),
            Self::Is(Operand::Name(name), _, Operand::Text(text))
            | Self::Is(Operand::Text(text), _, Operand::Name(name))
                if name.starts_with("python_") || name == "implementation_version" =>
            {
                out.extend(text.split([',', ' ']).map(|v| v.trim().trim_end_matches(".*").to_owned()));
            }
            Self::Is(..) => {}
        }
    }
}

/// Kleene's three-valued `and` (`decisive` false) and `or` (true).
fn fold(parts: &[Marker], target: &Target<'_>, decisive: bool) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match part.holds(target) {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!decisive)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Operand(Operand),
    Operator(Operator),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let symbols = [
            ("===", Operator::Identical),
            ("==", Operator::Equal),
            ("~=", Operator::Compatible),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessEqual),
            (">=", Operator::GreaterEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' => {
                let inside = rest.get(1..)?;
                let end = inside.find(first)?;
                (Token::Operand(Operand::Text(inside.get(..end)?.to_owned())), end + 2)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
                    .unwrap_or(rest.len());
                match rest.get(..end)? {
                    "and" => (Token::And, end),
                    "or" => (Token::Or, end),
                    "in" => (Token::Operator(Operator::In), end),
                    "not" => {
                        let behind = rest.get(end..)?;
                        let word = behind.trim_start();
                        let length = end + (behind.len() - word.len()) + 2;
                        word.starts_with("in").then_some((Token::Operator(Operator::NotIn), length))?
                    }
                    word => (Token::Operand(Operand::Name(word.to_owned())), end),
                }
            }
            _ => {
                let (sign, operator) = symbols.iter().find(|(sign, _)| rest.starts_with(sign))?;
                (Token::Operator(*operator), sign.len())
            }
        };
        out.push(token);
        rest = rest.get(length..)?.trim_start();
    }
    Some(out)
}

fn or(tokens: &[Token], at: &mut usize, depth: usize) -> Option<Marker> {
    let mut parts = vec![and(tokens, at, depth)?];
    while tokens.get(*at) == Some(&Token::Or) {
        *at += 1;
        parts.push(and(tokens, at, depth)?);
    }
    if parts.len() == 1 { parts.pop() } else { Some(Marker::Or(parts)) }
}

fn and(tokens: &[Token], at: &mut usize, depth: usize) -> Option<Marker> {
    let mut parts = vec![one(tokens, at, depth)?];
    while tokens.get(*at) == Some(&Token::And) {
        *at += 1;
        parts.push(one(tokens, at, depth)?);
    }
    if parts.len() == 1 { parts.pop() } else { Some(Marker::And(parts)) }
}

fn one(tokens: &[Token], at: &mut usize, depth: usize) -> Option<Marker> {
    if tokens.get(*at) == Some(&Token::Open) {
        if depth >= DEPTH {
            return None;
        }
        *at += 1;
        let inside = or(tokens, at, depth + 1)?;
        return (tokens.get(*at) == Some(&Token::Close)).then(|| {
            *at += 1;
            inside
        });
    }
    match tokens.get(*at..*at + 3)? {
        [Token::Operand(left), Token::Operator(operator), Token::Operand(right)] => {
            *at += 3;
            Some(Marker::Is(left.clone(), *operator, right.clone()))
        }
        _ => None,
    }
}

/// What a variable holds on CPython for Linux x86_64. `None`: no lock can tell.
fn value(name: &str, python: &Version) -> Option<String> {
    Some(match name {
        "os_name" | "os.name" => "posix".into(),
        "sys_platform" | "sys.platform" => "linux".into(),
        "platform_system" => "Linux".into(),
        "platform_machine" | "platform.machine" => "x86_64".into(),
        "platform_python_implementation" | "platform.python_implementation" | "python_implementation" => {
            "CPython".into()
        }
        "implementation_name" => "cpython".into(),
        "python_version" => {
            let release = python.release();
            format!("{}.{}", release.first().unwrap_or(&3), release.get(1).unwrap_or(&0))
        }
        "python_full_version" | "implementation_version" => python.to_string(),
        _ => return None,
    })
}

fn compare(left: &Operand, operator: Operator, right: &Operand, target: &Target<'_>) -> Option<bool> {
    use Operand::{Name, Text};
    match (left, right) {
        (Name(name), Text(extra)) | (Text(extra), Name(name)) if name == "extra" => match operator {
            Operator::Equal | Operator::Identical => Some((target.extra)(extra)),
            Operator::NotEqual => Some(!(target.extra)(extra)),
            _ => None,
        },
        (Text(item), Name(set)) if set == "extras" || set == "dependency_groups" => {
            let set = if set == "extras" { target.extras } else { target.groups };
            let inside = set.iter().any(|s| super::normalise(s) == super::normalise(item));
            match operator {
                Operator::In => Some(inside),
                Operator::NotIn => Some(!inside),
                _ => None,
            }
        }
        (Name(name), Text(text)) => relation(&value(name, target.python)?, operator, text),
        (Text(text), Name(name)) => match operator {
            Operator::In | Operator::NotIn => relation(text, operator, &value(name, target.python)?),
            _ => relation(&value(name, target.python)?, mirrored(operator), text),
        },
        (Name(a), Name(b)) => relation(&value(a, target.python)?, operator, &value(b, target.python)?),
        (Text(a), Text(b)) => relation(a, operator, b),
    }
}

/// The operator with its sides exchanged.
fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessEqual => Operator::GreaterEqual,
        Operator::GreaterEqual => Operator::LessEqual,
        Operator::Greater => Operator::Less,
        other => other,
    }
}

/// As versions where both sides are, as text elsewhere ("Version specifiers", PEP 508's `_eval_op`).
fn relation(left: &str, operator: Operator, right: &str) -> Option<bool> {
    let sign = match operator {
        Operator::In => return Some(right.contains(left)),
        Operator::NotIn => return Some(!right.contains(left)),
        Operator::Less => "<",
        Operator::LessEqual => "<=",
        Operator::Equal => "==",
        Operator::NotEqual => "!=",
        Operator::GreaterEqual => ">=",
        Operator::Greater => ">",
        Operator::Compatible => "~=",
        Operator::Identical => "===",
    };
    let version = Version::from_str(left).ok();
    let specifier = VersionSpecifier::from_str(&format!("{sign}{right}")).ok();
    if let (Some(version), Some(specifier)) = (version, specifier) {
        return Some(specifier.contains(&version));
    }
    match operator {
        Operator::Equal | Operator::Identical => Some(left == right),
        Operator::NotEqual => Some(left != right),
        Operator::Less => Some(left < right),
        Operator::LessEqual => Some(left <= right),
        Operator::Greater => Some(left > right),
        Operator::GreaterEqual => Some(left >= right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> Option<bool> {
        let python = Version::from_str("3.11.4").expect("a version");
        let marker = Marker::parse(text).unwrap_or_else(|| panic!("{text}"));
        let (extras, groups) = (["plot".to_owned()], ["dev".to_owned()]);
        marker.holds(&Target { python: &python, extra: &|e| e == "plot", extras: &extras, groups: &groups })
    }

    #[test]
    fn markers_on_linux_with_python_3_11_4() {
        for (text, expected) in [
            ("sys_platform == 'win32'", Some(false)),
            ("'linux' in sys_platform", Some(true)),
            ("python_version < '3.9'", Some(false)),
            ("python_version >= '3.10' and python_full_version < '3.11.4'", Some(false)),
            ("'3.12' > python_version", Some(true)),
            ("python_full_version == '3.11.*'", Some(true)),
            ("python_version not in '2.7, 3.6'", Some(true)),
            ("platform_machine != 'aarch64' or (os_name == 'nt' and extra == 'x')", Some(true)),
            ("extra == 'plot'", Some(true)),
            ("'dev' in dependency_groups and 'x' not in extras", Some(true)),
            ("platform_release >= '5'", None),
            ("platform_release >= '5' and sys_platform == 'win32'", Some(false)),
            ("platform_release >= '5' or sys_platform == 'linux'", Some(true)),
            ("platform_python_implementation != 'PyPy'", Some(true)),
            ("python_version ~= '3.8'", Some(true)),
        ] {
            assert_eq!(holds(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_marker() {
        let deep = "(".repeat(1000) + "os_name == 'nt'" + &")".repeat(1000);
        for text in ["", "x", "a ==", "== 'b'", "(a == 'b'", "a == 'b' and", "a = 'b'", "'", "not", &deep] {
            assert!(Marker::parse(text).is_none(), "{text}");
        }
    }
}
