//! JSON as columns: the leaves of a document, told apart by the keys on the way to them.
//!
//! A reader of its own, because Python writes `NaN` and `Infinity`, which are not JSON, into metrics, and because a
//! document of any size is read with little memory.

use std::io::{BufRead, BufReader, Read};

use super::table::{Cell, TEXT};
use crate::outputs::source::Source;

/// Values inside one another.
const DEPTH: usize = 128;
/// Bytes of the names on the way to a value.
const PATH: usize = 64 << 10;

/// Tells `each` every leaf of a document, or of a document per line: the keys on the way to it joined by dots, `[]`
/// for the indices of a list, and the value.
pub fn scan(
    source: &Source,
    lines: bool,
    each: &mut dyn FnMut(&str, Cell<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let from = BufReader::with_capacity(256 << 10, source.range(0, source.len()));
    let mut reader = Reader { from, path: String::new(), text: Vec::new(), each };
    if reader.peek()? == Some(0xEF) {
        let mark = [reader.next()?, reader.next()?, reader.next()?];
        if mark != [0xEF, 0xBB, 0xBF] {
            return Err("is not JSON".to_owned());
        }
    }
    let mut documents = 0;
    while reader.space()?.is_some() {
        if documents > 0 && !lines {
            return Err("is not JSON: text follows the value".to_owned());
        }
        reader.value(0)?;
        documents += 1;
    }
    if documents == 0 && !lines { Err("is not JSON: it is empty".to_owned()) } else { Ok(()) }
}

struct Reader<'a, R: Read> {
    from: BufReader<R>,
    path: String,
    text: Vec<u8>,
    each: &'a mut dyn FnMut(&str, Cell<'_>) -> Result<(), String>,
}

impl<R: Read> Reader<'_, R> {
    fn peek(&mut self) -> Result<Option<u8>, String> {
        self.from.fill_buf().map(|bytes| bytes.first().copied()).map_err(|e| crate::error::reason(&e))
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek()?.ok_or("is not JSON: it ends within a value")?;
        self.from.consume(1);
        Ok(byte)
    }

    /// The next byte that is no white space.
    fn space(&mut self) -> Result<Option<u8>, String> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.from.consume(1),
                other => return Ok(other),
            }
        }
    }

    fn some(&mut self) -> Result<u8, String> {
        self.space()?.ok_or_else(|| "is not JSON: it ends within a value".to_owned())
    }

    fn value(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err("is nested deeper than is read".to_owned());
        }
        match self.some()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => {
                self.string()?;
                (self.each)(&self.path, Cell::Text(&self.text))
            }
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), String> {
        self.next()?;
        if self.some()? == b'}' {
            return self.next().map(drop);
        }
        loop {
            if self.some()? != b'"' {
                return Err("is not JSON: a key is no text".to_owned());
            }
            self.string()?;
            let len = self.path.len();
            if len + self.text.len() > PATH {
                return Err("has names longer than any that are read".to_owned());
            }
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(&String::from_utf8_lossy(&self.text));
            if self.some()? != b':' {
                return Err("is not JSON: a key without a value".to_owned());
            }
            self.next()?;
            self.value(depth + 1)?;
            self.path.truncate(len);
            self.some()?;
            match self.next()? {
                b',' => {}
                b'}' => return Ok(()),
                _ => return Err("is not JSON: neither a comma nor the end of an object".to_owned()),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), String> {
        self.next()?;
        if self.some()? == b']' {
            return self.next().map(drop);
        }
        let len = self.path.len();
        self.path.push_str("[]");
        loop {
            self.value(depth + 1)?;
            self.some()?;
            match self.next()? {
                b',' => {}
                b']' => {
                    self.path.truncate(len);
                    return Ok(());
                }
                _ => return Err("is not JSON: neither a comma nor the end of a list".to_owned()),
            }
        }
    }

    /// A string as it is written, without its quotes.
    fn string(&mut self) -> Result<(), String> {
        self.next()?;
        self.text.clear();
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => {
                    self.text.push(b'\\');
                    let byte = self.next()?;
                    self.text.push(byte);
                }
                byte => self.text.push(byte),
            }
            if self.text.len() > TEXT {
                return Err("holds a text longer than any that is read".to_owned());
            }
        }
    }

    /// A number, `true`, `false`, `null`, or Python's `NaN` and `Infinity`.
    fn word(&mut self) -> Result<(), String> {
        self.text.clear();
        while let Some(byte) = self.peek()?.filter(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)) {
            self.text.push(byte);
            self.from.consume(1);
            if self.text.len() > 4096 {
                return Err("holds a number longer than any that is read".to_owned());
            }
        }
        let text = std::str::from_utf8(&self.text).unwrap_or_default();
        let cell = match text {
            "null" => Cell::Missing,
            "true" | "false" => Cell::Text(text.as_bytes()),
            "NaN" => Cell::Number(f64::NAN),
            "Infinity" => Cell::Number(f64::INFINITY),
            "-Infinity" => Cell::Number(f64::NEG_INFINITY),
            number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                let number: f64 = number.parse().map_err(|_| "is not JSON: a number is no number")?;
                Cell::Number(number)
            }
            _ => return Err("is not JSON: a word that is no value".to_owned()),
        };
        (self.each)(&self.path, cell)
    }
}
