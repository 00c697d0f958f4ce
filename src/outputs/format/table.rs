//! Text in columns: CSV and its relatives, and what columns of text have in common with JSON's.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use csv_core::{ReadFieldResult, ReaderBuilder};

use super::{TENSORS, json};
use crate::outputs::model::Kind;
use crate::outputs::source::Source;

/// Bytes of the longest text that is read.
pub const TEXT: usize = 16 << 20;
/// Bytes of all names together.
const NAMES: usize = 64 << 20;

/// One value of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A number.
    Number(f64),
    /// No value: `null`, or nothing between two commas.
    Missing,
    /// Anything else, as it is written.
    Text(&'a [u8]),
}

/// What a first look at a column tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// How many values it has.
    pub count: u64,
    /// Whether any is a number.
    pub numbers: bool,
    /// Whether any is text.
    pub texts: bool,
    /// Whether it is one value and not a column: a leaf of a JSON document outside any list.
    pub single: bool,
}

impl Column {
    /// Whether it is a column of numbers: at least one, and nothing else but missing values, which count as NaN.
    pub fn is_numeric(self) -> bool {
        self.numbers && !self.texts
    }

    /// Its shape.
    pub fn shape(self) -> Vec<u64> {
        if self.single && self.count == 1 { Vec::new() } else { vec![self.count] }
    }
}

/// Tells `each` every value of a file in columns.
pub fn scan(
    kind: Kind,
    source: &Source,
    each: &mut dyn FnMut(&str, Cell<'_>) -> Result<(), String>,
) -> Result<(), String> {
    match kind {
        Kind::Json => json::scan(source, false, each),
        Kind::Jsonl => json::scan(source, true, each),
        _ => csv(source, each),
    }
}

/// The columns of a file.
pub fn columns(kind: Kind, source: &Source) -> Result<BTreeMap<String, Column>, String> {
    let mut columns: BTreeMap<String, Column> = BTreeMap::new();
    let mut names = 0;
    scan(kind, source, &mut |name, cell| {
        let column = match columns.get_mut(name) {
            Some(column) => column,
            None => {
                names += name.len();
                if columns.len() >= TENSORS || names > NAMES {
                    return Err("has more columns than are told apart".to_owned());
                }
                let single = kind == Kind::Json && !name.contains("[]");
                columns.entry(name.to_owned()).or_insert(Column { single, ..Column::default() })
            }
        };
        if !matches!(cell, Cell::Missing) || kind == Kind::Csv {
            column.numbers |= matches!(cell, Cell::Number(_));
            column.texts |= matches!(cell, Cell::Text(_));
        }
        column.count += 1;
        Ok(())
    })?;
    Ok(columns)
}

/// Tells `each` every cell under its column's name: the cell of the first row, unless that is a row of numbers.
fn csv(source: &Source, each: &mut dyn FnMut(&str, Cell<'_>) -> Result<(), String>) -> Result<(), String> {
    let first = source.head(1 << 16)?;
    let first = first.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| first.iter().filter(|b| **b == wanted).count();
    // Where the first line has more of another usual delimiter than commas, that is the delimiter.
    let delimiter = *b",\t;|".iter().rev().max_by_key(|d| count(**d)).unwrap_or(&b',');
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let mut from = BufReader::with_capacity(256 << 10, source.range(0, source.len()));
    let mut names: Option<Vec<String>> = None;
    let (mut row, mut cell, mut output) = (Vec::new(), Vec::new(), vec![0; 64 << 10]);
    let mut column = 0;
    loop {
        let input = from.fill_buf().map_err(|e| crate::error::reason(&e))?;
        let (result, read, written) = reader.read_field(input, &mut output);
        from.consume(read);
        cell.extend_from_slice(&output[..written]);
        if cell.len() > TEXT {
            return Err("holds a text longer than any that is read".to_owned());
        }
        match result {
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => continue,
            ReadFieldResult::End => break,
            ReadFieldResult::Field { record_end } => {
                match &names {
                    Some(names) => {
                        let more;
                        let name = match names.get(column) {
                            Some(name) => name,
                            None => {
                                more = column.to_string();
                                &more
                            }
                        };
                        each(name, parsed(&cell))?;
                    }
                    None => row.push(cell.clone()),
                }
                column += 1;
                if row.len() > TENSORS || row.len().saturating_mul(cell.len()) > NAMES {
                    return Err("has more columns than are told apart".to_owned());
                }
                cell.clear();
                if record_end {
                    column = 0;
                    if names.is_none() {
                        names = Some(header(&std::mem::take(&mut row), each)?);
                    }
                }
            }
        }
    }
    Ok(())
}

/// The names of the columns; a first row without any text is a row like the others, and columns are numbered.
fn header(
    row: &[Vec<u8>],
    each: &mut dyn FnMut(&str, Cell<'_>) -> Result<(), String>,
) -> Result<Vec<String>, String> {
    if !row.iter().any(|cell| matches!(parsed(cell), Cell::Text(_))) {
        let names: Vec<String> = (0..row.len()).map(|i| i.to_string()).collect();
        names.iter().zip(row).try_for_each(|(name, cell)| each(name, parsed(cell)))?;
        return Ok(names);
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let name = |(i, cell): (usize, &Vec<u8>)| {
        let name = String::from_utf8_lossy(cell).trim().to_owned();
        let name = if name.is_empty() { i.to_string() } else { name };
        let times = seen.entry(name.clone()).or_default();
        *times += 1;
        if *times > 1 { format!("{name}#{times}") } else { name }
    };
    Ok(row.iter().enumerate().map(name).collect())
}

fn parsed(cell: &[u8]) -> Cell<'_> {
    let text = cell.trim_ascii();
    if text.is_empty() {
        return Cell::Missing;
    }
    match std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
        Some(number) => Cell::Number(number),
        None => Cell::Text(cell),
    }
}
