//! numpy's `.npy` (NEP 1, `numpy.lib.format`): a header in Python's syntax, then the elements.

use crate::outputs::dtype::{Dtype, Number};
use crate::outputs::layout::{Layout, Place, c_strides};

use super::literal::{self, Literal};

/// The first bytes of a file.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// Bytes of a file's start that hold any header that is read; numpy itself refuses longer ones unless told otherwise
/// (`max_header_size=10000`).
pub const HEAD: u64 = 1 << 16;

/// The layout of the array whose file lies at `place` and begins with `head`.
pub fn layout(head: &[u8], place: Place) -> Result<Layout, String> {
    let rest = head.strip_prefix(MAGIC).ok_or("has no numpy header")?;
    let short = || "ends within its header".to_owned();
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let (len, text, before) = match version[0] {
        1 => {
            let (len, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
            (u64::from(u16::from_le_bytes(*len)), rest, 10)
        }
        2 | 3 => {
            let (len, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
            (u64::from(u32::from_le_bytes(*len)), rest, 12)
        }
        other => return Err(format!("is of version {other} of numpy's format, which is not known")),
    };
    if len > HEAD - 12 {
        return Err(format!("has a header of {len} bytes, longer than any that is read"));
    }
    let text = text.get(..len as usize).ok_or_else(short)?;
    let (dtype, big_endian, fortran, shape) = header(&String::from_utf8_lossy(text))?;
    let strides = if fortran {
        let mut strides = c_strides(&shape.iter().rev().copied().collect::<Vec<_>>());
        strides.reverse();
        strides
    } else {
        c_strides(&shape)
    };
    let layout = Layout { dtype, shape, strides, start: 0, skip: before + len, place, big_endian };
    let count = layout.checked_count().map_err(|_| "ends before its contents do".to_owned())?;
    if layout.skip.checked_add(count.saturating_mul(layout.dtype.size() as u64)) != Some(place.len) {
        return Err("has more bytes than its shape says".to_owned());
    }
    Ok(layout)
}

/// `descr`, whether it is big-endian, `fortran_order` and `shape` of a header.
fn header(text: &str) -> Result<(Dtype, bool, bool, Vec<u64>), String> {
    let bad = || "has a header that is not numpy's".to_owned();
    let Literal::Dict(items) = literal::parse(text).ok_or_else(bad)? else { return Err(bad()) };
    let get = |name: &str| {
        items.iter().find(|(key, _)| matches!(key, Literal::Str(k) if k == name)).map(|(_, value)| value)
    };
    let (descr, Some(Literal::Bool(fortran)), Some(Literal::List(sizes))) =
        (get("descr").ok_or_else(bad)?, get("fortran_order"), get("shape"))
    else {
        return Err(bad());
    };
    let sizes = sizes.iter().map(|size| match size {
        Literal::Int(n) => u64::try_from(*n).ok(),
        _ => None,
    });
    let shape: Vec<u64> = sizes.collect::<Option<_>>().ok_or_else(bad)?;
    if shape.len() > 64 {
        return Err(bad());
    }
    let (dtype, big_endian) = descr_type(descr)?;
    Ok((dtype, big_endian, *fortran, shape))
}

fn descr_type(descr: &Literal) -> Result<(Dtype, bool), String> {
    match descr {
        Literal::Str(text) => simple(text),
        // Records: their bytes as they are, whatever the order of bytes of their fields.
        Literal::List(_) => Ok((Dtype::Opaque(descr.to_string(), record_size(descr, 0)?), false)),
        _ => Err("has a type that is not numpy's".to_owned()),
    }
}

/// A type like `<f4` (`numpy.dtype.str`, "The Array Interface", `typestr`).
fn simple(text: &str) -> Result<(Dtype, bool), String> {
    let unknown = || format!("has elements of type `{text}`, which is not known");
    let mut chars = text.chars();
    let (Some(order), Some(kind)) = (chars.next(), chars.next()) else { return Err(unknown()) };
    let rest = chars.as_str();
    if !matches!(order, '<' | '>' | '|' | '=') {
        return Err(unknown());
    }
    let (size, unit) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
    if kind == 'O' {
        return Err("holds Python objects as a pickle, which is never read".to_owned());
    }
    let size: usize = size.parse().map_err(|_| unknown())?;
    let number = |n: Number| Dtype::Number(n);
    use Number::*;
    let dtype = match (kind, size) {
        ('b', 1) => number(Bool),
        ('i', 1) => number(Int8),
        ('i', 2) => number(Int16),
        ('i', 4) => number(Int32),
        ('i', 8) => number(Int64),
        ('u', 1) => number(Uint8),
        ('u', 2) => number(Uint16),
        ('u', 4) => number(Uint32),
        ('u', 8) => number(Uint64),
        ('f', 2) => number(Float16),
        ('f', 4) => number(Float32),
        ('f', 8) => number(Float64),
        ('c', 8) => Dtype::Complex(Float32),
        ('c', 16) => Dtype::Complex(Float64),
        ('M', 8) => Dtype::Time(format!("datetime64{unit}")),
        ('m', 8) => Dtype::Time(format!("timedelta64{unit}")),
        // `long double`: its padding and its width are the machine's.
        ('f' | 'c', 12 | 16 | 24 | 32) if order != '>' => Dtype::Opaque(text.to_owned(), size),
        ('S' | 'a', _) => Dtype::Opaque(format!("|S{size}"), size),
        ('U', _) => Dtype::Opaque(format!("<U{size}"), size.checked_mul(4).ok_or_else(unknown)?),
        ('V', _) => Dtype::Opaque(format!("|V{size}"), size),
        _ => return Err(unknown()),
    };
    if unit.chars().any(|c| !c.is_ascii_alphanumeric() && c != '[' && c != ']') || unit.len() > 32 {
        return Err(unknown());
    }
    Ok((dtype, order == '>'))
}

/// Bytes of a record: a list of `(name, type)` and `(name, type, shape)`.
fn record_size(descr: &Literal, depth: usize) -> Result<usize, String> {
    let bad = || "has records that are not known".to_owned();
    match descr {
        Literal::Str(text) => simple(text).map(|(dtype, _)| dtype.size()),
        Literal::List(fields) if depth < 16 => fields.iter().try_fold(0_usize, |sum, field| {
            let Literal::List(parts) = field else { return Err(bad()) };
            let size = record_size(parts.get(1).ok_or_else(bad)?, depth + 1)?;
            let count = match parts.get(2) {
                None => 1,
                Some(Literal::Int(n)) => usize::try_from(*n).map_err(|_| bad())?,
                Some(Literal::List(sizes)) => sizes.iter().try_fold(1_usize, |count, n| match n {
                    Literal::Int(n) => {
                        usize::try_from(*n).ok().and_then(|n| count.checked_mul(n)).ok_or_else(bad)
                    }
                    _ => Err(bad()),
                })?,
                Some(_) => return Err(bad()),
            };
            size.checked_mul(count).and_then(|size| sum.checked_add(size)).ok_or_else(bad)
        }),
        _ => Err(bad()),
    }
}
