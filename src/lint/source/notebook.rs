//! Notebooks: the code cells as one module, and the way back to the lines of the file.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lines::{Lines, Place};

#[derive(Deserialize)]
struct Notebook<'a> {
    #[serde(borrow, default)]
    cells: Vec<Cell<'a>>,
    /// Format 3 keeps them in work sheets.
    #[serde(borrow, default)]
    worksheets: Vec<Sheet<'a>>,
}

#[derive(Deserialize)]
struct Sheet<'a> {
    #[serde(borrow, default)]
    cells: Vec<Cell<'a>>,
}

#[derive(Deserialize)]
struct Cell<'a> {
    #[serde(default)]
    cell_type: String,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

/// The code of a notebook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    /// The cells, one after the other.
    pub(super) text: String,
    /// For each line of the code, where in the file its first character stands: line and column, from 1.
    lines: Vec<(usize, usize)>,
}

/// Takes the code cells out of a notebook. Lines of IPython (`%matplotlib`, `!pip`) become `pass`, and a cell in another
/// language (`%%bash`) is left out.
///
/// # Errors
///
/// Where the text is no notebook.
pub(super) fn code(text: &str) -> Result<Code, serde_json::Error> {
    // A list would do for a struct.
    if !text.trim_start().starts_with('{') {
        return Err(serde::de::Error::custom("no object"));
    }
    let notebook: Notebook<'_> = serde_json::from_str(text)?;
    let file = Lines::new(text);
    let mut out = Code::default();
    let cells = notebook.worksheets.into_iter().flat_map(|s| s.cells).chain(notebook.cells);
    for cell in cells.filter(|cell| cell.cell_type == "code") {
        let Some(source) = cell.source.or(cell.input) else { continue };
        let lines = cell_lines(source, text, &file);
        let first = lines.iter().map(|(line, _)| line.trim()).find(|line| !line.is_empty());
        if first.is_some_and(|line| {
            line.starts_with("%%") && !line.starts_with("%%time") && !line.starts_with("%%capture")
        }) {
            continue;
        }
        for (line, at) in lines {
            let line = line.trim_end_matches(['\n', '\r']);
            let code = line.trim_start();
            let magic = code.starts_with(['%', '!', '?']) || (code.ends_with('?') && !code.contains('#'));
            if magic {
                out.text.push_str(&line[..line.len() - code.len()]);
                out.text.push_str("pass");
            } else {
                out.text.push_str(line);
            }
            out.text.push('\n');
            out.lines.push(at);
        }
    }
    Ok(out)
}

/// The lines of a cell, each with its place in the file.
fn cell_lines(source: &RawValue, text: &str, file: &Lines<'_>) -> Vec<(String, (usize, usize))> {
    let items: Vec<&RawValue> = serde_json::from_str(source.get()).unwrap_or_else(|_| vec![source]);
    let mut out: Vec<(String, (usize, usize))> = Vec::new();
    let mut open = false;
    for item in items {
        let Ok(part) = serde_json::from_str::<String>(item.get()) else { continue };
        // The borrowed value lies inside the text that it was read from.
        let offset = (item.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let line = file.number(offset);
        let column = text.get(file.start(line)..offset).map_or(0, |t| t.chars().count()) + 2;
        for piece in part.split_inclusive('\n') {
            match out.last_mut().filter(|_| open) {
                Some((last, _)) => last.push_str(piece),
                None => out.push((piece.to_owned(), (line, column))),
            }
            open = !piece.ends_with('\n');
        }
    }
    out
}

impl Code {
    /// The place in the file of a place in the code.
    pub(super) fn place(&self, place: Place) -> Place {
        let Some((line, column)) = self.lines.get(place.line.saturating_sub(1)).copied() else {
            return place;
        };
        let shift = column.saturating_sub(1);
        Place { line, column: place.column + shift, end_column: place.end_column + shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_the_file() {
        let text = concat!(
            "{\n \"cells\": [\n  {\"cell_type\": \"markdown\", \"source\": [\"# x\"]},\n",
            "  {\n   \"cell_type\": \"code\",\n   \"source\": [\n    \"%matplotlib inline\\n\",\n    \"import os\\n\",\n",
            "    \"os.listdir('.')\"\n   ]\n  },\n",
            "  {\"cell_type\": \"code\", \"source\": \"!pip install x\\na = 1\"},\n",
            "  {\"cell_type\": \"code\", \"source\": [\"%%bash\\n\", \"ls\"]}\n ]\n}\n"
        );
        let code = code(text).unwrap();
        assert_eq!(code.text, "pass\nimport os\nos.listdir('.')\npass\na = 1\n");
        let place = |line, column| code.place(Place { line, column, end_column: column });
        assert_eq!((place(3, 1).line, place(3, 1).column), (9, 6));
        assert_eq!(place(5, 1).line, 12);
    }

    #[test]
    fn what_is_no_notebook() {
        for text in ["", "[]", "{\"cells\": 3}", "nonsense"] {
            assert!(code(text).is_err(), "{text}");
        }
        assert_eq!(code("{}").unwrap().text, "");
    }
}
