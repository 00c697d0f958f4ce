//! Values in configuration files of lines, INI and `.env`: the lines of a value are replaced, all others stay.

use std::ops::Range;

use super::config::missing;
use crate::probes::config::{dotenv, ini};
use crate::snapshot::Value;

/// A form of such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As `configparser` reads it.
    Ini,
    /// As python-dotenv reads it.
    Dotenv,
}

impl Form {
    /// The keys of a file; `None` where it is not of this form.
    pub(super) fn keys(self, text: &str) -> Option<Vec<Vec<String>>> {
        let keys = match self {
            Self::Ini => ini::lines(text).ok()?.options.into_iter().map(|(key, _)| key).collect(),
            Self::Dotenv => dotenv::lines(text).ok()?.into_iter().map(|(name, _)| vec![name]).collect(),
        };
        Some(keys)
    }

    /// The text with a value replaced, added, or taken out.
    ///
    /// # Errors
    ///
    /// The file is not of this form, or has no place for the key.
    pub(super) fn put(self, text: &str, key: &[String], value: Option<&Value>) -> Result<String, String> {
        match self {
            Self::Ini => put_ini(text, key, value),
            Self::Dotenv => put_dotenv(text, key, value),
        }
    }
}

fn put_ini(text: &str, key: &[String], value: Option<&Value>) -> Result<String, String> {
    let lines = ini::lines(text).map_err(|e| e.what)?;
    let there = lines.options.iter().find(|(at, _)| at == key).map(|(_, range)| range.clone());
    // As far in as the option was, or as the others of its section are: less, and the next option would continue it.
    let beside = || lines.options.iter().find(|(at, _)| at.len() == 2 && at.first() == key.first());
    let like = there.clone().or_else(|| beside().map(|(_, range)| range.clone()));
    let line = like.and_then(|range| text.get(range)).unwrap_or_default();
    let indent = &line[..line.len() - line.trim_start().len()];
    let new = match (key, value) {
        ([.., name], Some(value)) => {
            // Every line but the first is further in, which makes it one of this value.
            format!("{indent}{name} = {}\n", value.plain().replace('\n', &format!("\n{indent}    ")))
        }
        _ => String::new(),
    };
    match (there, key) {
        (Some(range), _) => Ok(spliced(text, range, &new)),
        (None, _) if value.is_none() => Ok(text.to_owned()),
        (None, [section, _]) => match lines.sections.iter().find(|(name, _)| name == section) {
            Some((_, after)) => Ok(spliced(text, *after..*after, &new)),
            None => Ok(spliced(text, text.len()..text.len(), &format!("[{section}]\n{new}"))),
        },
        // One word alone is a section, which has no value, or an option before all sections.
        _ => Err(missing(key)),
    }
}

fn put_dotenv(text: &str, key: &[String], value: Option<&Value>) -> Result<String, String> {
    let [name] = key else { return Err(missing(key)) };
    let lines = dotenv::lines(text).map_err(|e| e.what)?;
    let ranges: Vec<Range<usize>> =
        lines.into_iter().filter(|(at, _)| at == name).map(|(_, range)| range).collect();
    let Some(value) = value else {
        // From the end, so that the places before stay where they are.
        return Ok(ranges.into_iter().rev().fold(text.to_owned(), |text, range| spliced(&text, range, "")));
    };
    let new = match value.plain() {
        // A name without a value.
        null if null == "null" => format!("{name}\n"),
        plain => format!("{name}={}\n", quoted(&plain)),
    };
    // The last one counts.
    let range = ranges.last().cloned().unwrap_or(text.len()..text.len());
    Ok(spliced(text, range, &new))
}

/// As it is where nothing in it needs quotes.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,+@%".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The text with these bytes replaced by whole lines; a last line without an end gets one.
fn spliced(text: &str, range: Range<usize>, new: &str) -> String {
    let (before, after) =
        (text.get(..range.start).unwrap_or(text), text.get(range.end..).unwrap_or_default());
    let end = if before.is_empty() || before.ends_with('\n') || new.is_empty() { "" } else { "\n" };
    [before, end, new, after].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn put(form: Form, text: &str, key: &str, value: Option<&str>) -> String {
        let key: Vec<String> = key.split('.').map(str::to_owned).collect();
        form.put(text, &key, value.map(Value::from).as_ref()).unwrap()
    }

    #[test]
    fn options_of_ini_files() {
        let text = "; why\n[train]\nLR = 0.1 ; no comment\nnames =\n  a\n  b\n\n[x]\nlr=2";
        let put = |key: &str, value: Option<&str>| put(Form::Ini, text, key, value);
        assert_eq!(put("train.lr", Some("1e-5")), text.replace("LR = 0.1 ; no comment", "lr = 1e-5"));
        assert_eq!(
            put("train.names", Some("\nc\nd")),
            text.replace("names =\n  a\n  b\n", "names = \n    c\n    d\n")
        );
        assert_eq!(put("train.names", None), text.replace("names =\n  a\n  b\n", ""));
        assert_eq!(put("x.lr", Some("3")), text.replace("lr=2", "lr = 3\n"));
        assert_eq!(put("x.new", Some("3")), text.replace("[x]\n", "[x]\nnew = 3\n"));
        assert_eq!(put("y.new", Some("3")), format!("{text}\n[y]\nnew = 3\n"));
        assert_eq!(put("y.new", None), text);
        let section = ["x".to_owned()];
        assert!(Form::Ini.put(text, &section, Some(&Value::from("{}"))).is_err());
    }

    /// An option that is indented less than the one behind it would take that one for a line of its value.
    #[test]
    fn indented_options_of_ini_files() {
        let text = "[train]\n  lr = 0.1\n  names =\n    a\n  seed = 1\n";
        let put = |key: &str, value: Option<&str>| put(Form::Ini, text, key, value);
        assert_eq!(put("train.lr", Some("1e-5")), text.replace("0.1", "1e-5"));
        assert_eq!(
            put("train.names", Some("\nb\nc")),
            text.replace("names =\n    a", "names = \n      b\n      c")
        );
        assert_eq!(put("train.new", Some("2")), text.replace("[train]\n", "[train]\n  new = 2\n"));
        for (key, value) in
            [("train.lr", Some("1e-5")), ("train.names", Some("\nb\nc")), ("train.new", Some("2"))]
        {
            let keys = Form::Ini.keys(&put(key, value)).unwrap();
            assert!(["lr", "names", "seed"].iter().all(|k| keys.iter().any(|key| key[1] == *k)), "{keys:?}");
        }
    }

    #[test]
    fn names_of_dotenv_files() {
        let text = "# why\nexport A=1 # one\nB='l1\nl2'\nA=2\nC";
        let put = |key: &str, value: Option<&str>| put(Form::Dotenv, text, key, value);
        assert_eq!(put("A", Some("x y")), text.replace("A=2", "A='x y'"));
        assert_eq!(put("A", None), "# why\nB='l1\nl2'\nC");
        assert_eq!(put("B", Some("it's")), text.replace("B='l1\nl2'", "B='it\\'s'"));
        assert_eq!(put("C", Some("5")), text.replace("\nC", "\nC=5\n"));
        assert_eq!(put("D", Some("5")), format!("{text}\nD=5\n"));
        assert_eq!(put("B", Some("null")), text.replace("B='l1\nl2'", "B"));
    }
}
