//! Tables for terminals: the one file that names comfy-table.

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width, presets};

/// The width of the terminal that standard output is, or 80 columns.
pub fn terminal_width() -> u16 {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(80, |(width, _)| width.0).clamp(40, 200)
}

/// A borderless table whose lines fit `width` columns and begin with two spaces; cells that are too long are wrapped.
pub fn plain(headers: &[&str], rows: &[Vec<String>], width: u16) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.saturating_sub(1));
    if !headers.is_empty() {
        table.set_header(headers.iter().map(Cell::new));
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(headers.len());
    for row in rows {
        let padding = std::iter::repeat_n(String::new(), columns - row.len());
        table.add_row(row.iter().cloned().chain(padding));
    }
    // A first column of names is never squeezed below what a name needs, up to half the width.
    let lines = rows.iter().filter_map(|r| r.first()).flat_map(|c| c.lines());
    let longest = lines.map(|line| line.chars().count()).max().unwrap_or(0);
    if let Some(first) = table.column_mut(0) {
        let wanted = u16::try_from(longest + 2).unwrap_or(u16::MAX).min(width / 2);
        first.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(wanted)));
    }
    table.lines().map(|line| format!(" {}", line.trim_end()).trim_end().to_owned() + "\n").collect()
}
