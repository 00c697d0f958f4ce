//! `driftlock import`: the dump of another program as a snapshot.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::print;
use crate::cli::import::Import;
use crate::error::{Error, reason};
use crate::exit::Exit;
use crate::import;
use crate::snapshot::read::SIZE_LIMIT;
use crate::snapshot::{FactPath, file, write};

/// Reads the dump and writes the snapshot.
pub fn run(args: &Import) -> Result<Exit, Error> {
    let to_stdout = args.output == Path::new("-");
    if let Some(from) = &args.from {
        import::named(from)?;
    }
    if !to_stdout {
        file::check_writable(&args.output)?;
    }
    let text = text(&args.file)?;
    let mut snapshot = import::read_any(&args.file, &text, args.from.as_deref())?;
    if let Some(label) = &args.label {
        snapshot.meta.insert(FactPath::new(["meta", "label"]), label.as_str().into());
    }
    let text = write::to_string(&snapshot);
    if to_stdout {
        return print(text.as_bytes());
    }
    file::write(&args.output, text.as_bytes())?;
    Ok(Exit::Clean)
}

/// The text of a dump: UTF-8, or UTF-16 with a byte order mark (what PowerShell's `>` writes); bytes that are
/// neither are replaced. Empty for a folder.
///
/// # Errors
///
/// The file cannot be read or is larger than a snapshot may be.
pub fn text(path: &Path) -> Result<String, Error> {
    let name = path.display();
    let slurp = |from: &mut dyn io::Read| {
        let mut bytes = Vec::new();
        from.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = match path {
        path if path == Path::new("-") => slurp(&mut io::stdin().lock()),
        path if std::fs::metadata(path).is_ok_and(|m| m.is_dir()) => return Ok(String::new()),
        path => File::open(path).and_then(|mut file| slurp(&mut file)),
    };
    let bytes = bytes.map_err(|e| Error::input(format!("cannot read `{name}`: {}", reason(&e))))?;
    if bytes.len() as u64 > SIZE_LIMIT {
        let limit = SIZE_LIMIT >> 20;
        return Err(Error::input(format!(
            "`{name}` is larger than {limit} MiB, so it is no dump of an environment"
        )));
    }
    Ok(decode(bytes))
}

fn decode(bytes: Vec<u8>) -> String {
    let order: Option<fn([u8; 2]) -> u16> = match bytes.as_slice() {
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        _ => None,
    };
    match order {
        Some(order) => {
            let units = bytes[2..].chunks_exact(2).map(|pair| order([pair[0], pair[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        None => {
            String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(decode(b"a\xffb".to_vec()), "a\u{fffd}b");
        assert_eq!(decode(vec![0xff, 0xfe, b'a', 0, b'b', 0, 0]), "ab");
        assert_eq!(decode(vec![0xfe, 0xff, 0, b'a', 0xd8, 0]), "a\u{fffd}");
        assert_eq!(decode(vec![0xff]), "\u{fffd}");
    }
}
