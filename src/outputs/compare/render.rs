//! A comparison for people.

use std::fmt::Write as _;

use super::{FileDiff, Form, Report, Standing, TensorDiff};
use crate::outputs::model::shape_text;
use crate::render::table;
use crate::snapshot::value::shown;

/// Tensors of one file that are listed; the others are counted.
const LISTED: usize = 20;

/// A report in lines of at most `width` columns.
pub fn human(report: &Report, width: u16) -> String {
    let mut out = String::new();
    let level = report.level.map(|level| format!(", level {}", level.as_str())).unwrap_or_default();
    let how = if report.exact { "" } else { ", estimated from samples" };
    let differing = report.files.iter().filter(|f| f.standing != Standing::Repacked).count();
    if report.same {
        let _infallible =
            writeln!(out, "every output is equal ({})", report.equal + report.files.len() as u64);
    } else {
        let _infallible = writeln!(
            out,
            "{differing} of {} outputs differ{level}{how}",
            report.equal + report.files.len() as u64
        );
        let _infallible = writeln!(out, "{}", wrapped(&report.why, width));
    }
    for file in &report.files {
        let _infallible = writeln!(out, "\n{}: {}", shown(&file.name), headline(file));
        let rows: Vec<Vec<String>> = file.tensors.iter().take(LISTED).map(row).collect();
        if !rows.is_empty() {
            out.push_str(&table::plain(
                &["tensor", "differ", "max abs", "max rel", "ulp", "level"],
                &rows,
                width,
            ));
        }
        if file.tensors.len() > LISTED {
            let _infallible =
                writeln!(out, "  and {} more (--format json has all)", file.tensors.len() - LISTED);
        }
    }
    out
}

fn headline(file: &FileDiff) -> String {
    let what = match file.standing {
        Standing::Repacked => "other bytes, equal content".to_owned(),
        Standing::OnlyA => "only on the first side".to_owned(),
        Standing::OnlyB => "only on the second side".to_owned(),
        Standing::Unknown => "could not be compared".to_owned(),
        _ if file.tensors.is_empty() => "other bytes".to_owned(),
        _ => format!("{} tensors differ, {} equal", file.tensors.len(), file.equal),
    };
    let level = file.level.map(|level| format!(", level {}", level.as_str())).unwrap_or_default();
    let reason = file.reason.as_ref().map(|r| format!(" ({})", shown(r))).unwrap_or_default();
    format!("{what}{level}{reason}")
}

fn row(tensor: &TensorDiff) -> Vec<String> {
    let name = folded(&shown(&tensor.name));
    let level = tensor.level.map_or("", |level| level.as_str()).to_owned();
    let form = |form: &Option<Form>| {
        form.as_ref().map(|f| format!("{}{}", f.dtype, shape_text(&f.shape))).unwrap_or_default()
    };
    let what = match tensor.standing {
        Standing::OnlyA => "only on the first side".to_owned(),
        Standing::OnlyB => "only on the second side".to_owned(),
        Standing::Unknown => format!("unknown: {}", shown(tensor.reason.as_deref().unwrap_or_default())),
        Standing::Reshaped => format!("{} to {}", form(&tensor.a), form(&tensor.b)),
        Standing::Reordered => "another order".to_owned(),
        _ => match &tensor.figures {
            Some(f) => share(f.differing, f.compared),
            None => "yes".to_owned(),
        },
    };
    let Some(figures) = &tensor.figures else {
        return vec![name, what, String::new(), String::new(), String::new(), level];
    };
    let ulp =
        figures.max_ulp.map(|n| if n < 1_000_000 { n.to_string() } else { format!("{:.0e}", n as f64) });
    let number = |x: f64| format!("{x:.1e}");
    vec![name, what, number(figures.max_abs), number(figures.max_rel), ulp.unwrap_or_default(), level]
}

/// Characters of a name on one line.
const NAME: usize = 30;

/// A name in lines of at most [`NAME`] characters, broken after a dot or slash where there is one.
fn folded(name: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut rest: Vec<char> = name.chars().collect();
    while rest.len() > NAME {
        let at = (NAME / 2..NAME).rev().find(|i| matches!(rest[*i], '.' | '/')).map_or(NAME, |i| i + 1);
        lines.push(rest.drain(..at).collect());
    }
    lines.push(rest.into_iter().collect());
    lines.join("\n")
}

/// Text in lines of at most `width` columns, indented by two spaces.
fn wrapped(text: &str, width: u16) -> String {
    let mut lines = vec![String::from(" ")];
    for word in text.split(' ') {
        let full = lines
            .last()
            .is_some_and(|line| line.chars().count() + 1 + word.chars().count() > usize::from(width));
        if full {
            lines.push(String::from(" "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// A part of a whole in per cent; what is neither nothing nor everything never looks so.
fn share(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    match percent {
        p if part == whole => format!("{p:.0} %"),
        p if p > 99.9 => ">99.9 %".to_owned(),
        p if p < 0.1 && part > 0 => "<0.1 %".to_owned(),
        p => format!("{p:.1} %"),
    }
}
