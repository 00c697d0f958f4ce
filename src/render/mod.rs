//! One file per output format. Renderers take a snapshot and give text; they look nothing up and decide nothing.

pub mod bisect;
pub mod diff;
pub mod facts;
pub mod findings;
pub mod html;
pub mod human;
pub mod json;
pub mod latex;
pub mod markdown;
pub mod rules;
pub mod rules_reference;
pub mod schema;
pub mod selftest;
pub mod summary;
pub mod table;

use crate::facts::{SECTIONS, find};
use crate::snapshot::{FactPath, Facts, Snapshot, Value};

/// The heading of a section.
pub fn title(section: &str) -> &str {
    SECTIONS.iter().find(|s| s.name == section).map_or(section, |s| s.title)
}

/// A value for people: sizes in binary units, digests and build ids by their beginning, control characters as escapes.
pub fn value(path: &FactPath, value: &Value) -> String {
    let is_id = path.segments().last().is_some_and(|name| name.starts_with("build_id"));
    let text = match (value, find(path).and_then(|f| f.unit)) {
        (Value::Int(n), Some("bytes")) => size(*n),
        (Value::Int(1), Some(unit)) if unit != "count" => {
            format!("1 {}", unit.strip_suffix('s').unwrap_or(unit))
        }
        (Value::Int(n), Some(unit)) if unit != "count" => format!("{n} {unit}"),
        (Value::Bool(truth), _) => (if *truth { "yes" } else { "no" }).to_owned(),
        (Value::Str(text), _) if text.is_empty() => "\"\"".to_owned(),
        (Value::Str(text), _) => short(text, is_id).to_owned(),
        (Value::List(items), _) if is_id => {
            items.iter().filter_map(Value::as_str).map(|id| short(id, true)).collect::<Vec<_>>().join(" ")
        }
        (value, _) => value.plain(),
    };
    crate::snapshot::value::shown(&text).into_owned()
}

/// The first 12 digits of a digest or build id: enough to tell two apart by eye.
fn short(text: &str, is_id: bool) -> &str {
    let digits = text.strip_prefix("sha256:").or_else(|| is_id.then_some(text)).unwrap_or_default();
    let is_hex = digits.len() >= 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex { &text[..text.len() - digits.len() + 12] } else { text }
}

/// Bytes in the largest binary unit that leaves at least one digit before the point, one digit after it.
pub fn size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes.unsigned_abs() < 1024 {
        return format!("{bytes} B");
    }
    let power = (bytes.unsigned_abs().ilog2() / 10).clamp(1, 5) as usize;
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let number = bytes as f64 / (1_u64 << (10 * power)) as f64;
    let text = format!("{number:.1}");
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[power - 1])
}

/// The rows of one section for people: families that stand on one line each in the file (packages) are one row each.
pub struct Rows {
    /// Path below the section, and value.
    pub plain: Vec<(String, String)>,
    /// For each one-line family, its header below the section, its columns, and its rows: name, then the columns.
    pub families: Vec<Family>,
}

/// A table of things of one kind: packages, files.
pub struct Family {
    /// Header below the section, for example `packages`.
    pub header: String,
    /// The columns after the name.
    pub columns: Vec<String>,
    /// Name and cells; an absent fact is an empty cell.
    pub rows: Vec<Vec<String>>,
}

/// Lays out the facts of a section.
pub fn rows(facts: &Facts, section: &str) -> Rows {
    let mut rows = Rows { plain: Vec::new(), families: Vec::new() };
    for (path, fact) in Snapshot::of_section(facts, section) {
        let segments = path.segments();
        let below = |n: usize| FactPath::new(segments[1..n].iter().cloned()).to_string();
        match segments {
            [.., name, column] if segments.len() >= 4 && inline(&segments[..segments.len() - 2]) => {
                let header = below(segments.len() - 2);
                let family = match rows.families.iter().position(|f| f.header == header) {
                    Some(i) => &mut rows.families[i],
                    None => {
                        rows.families.push(Family { header, columns: Vec::new(), rows: Vec::new() });
                        let last = rows.families.len() - 1;
                        &mut rows.families[last]
                    }
                };
                family.put(name, column, value(path, fact));
            }
            _ if segments.len() > 1 => rows.plain.push((below(segments.len()), value(path, fact))),
            _ => {}
        }
    }
    rows
}

fn inline(header: &[String]) -> bool {
    crate::facts::is_inline(&header.iter().map(String::as_str).collect::<Vec<_>>())
}

impl Family {
    fn put(&mut self, name: &str, column: &str, cell: String) {
        let name = crate::snapshot::value::shown(name);
        let i = self.columns.iter().position(|c| c == column).unwrap_or_else(|| {
            self.columns.push(column.to_owned());
            self.columns.len() - 1
        });
        if self.rows.last().is_none_or(|row| row[0] != name) {
            self.rows.push(vec![name.into_owned()]);
        }
        if let Some(row) = self.rows.last_mut() {
            row.resize(row.len().max(i + 2), String::new());
            row[i + 1] = cell;
        }
    }
}
