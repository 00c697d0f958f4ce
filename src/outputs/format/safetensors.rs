//! safetensors: the length of a header, a JSON header, the elements (the format's own README, "Format").

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Entry;
use crate::outputs::dtype::{Dtype, Number};
use crate::outputs::layout::{Layout, Place};
use crate::outputs::source::Source;

/// The longest header that is read. The format allows 100 MB; the largest models need about 1 MB.
const HEADER: u64 = 32 << 20;

#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// A tensor, or the one entry that is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Tensor(Info),
    Metadata(
        #[expect(dead_code, reason = "read past, whatever it says")] BTreeMap<String, serde::de::IgnoredAny>,
    ),
}

/// Whether a file begins as one of this format.
pub fn is(head: &[u8], len: u64) -> bool {
    head.split_first_chunk::<8>().is_some_and(|(header, rest)| {
        let header = u64::from_le_bytes(*header);
        rest.starts_with(b"{") && header >= 2 && header.checked_add(8).is_some_and(|end| end <= len)
    })
}

/// Its tensors.
pub fn entries(source: &Source) -> Result<Vec<Entry>, String> {
    let head = source.bytes(0, 8, 8)?;
    let len = head.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if len > HEADER {
        return Err(format!("has a header of {len} bytes, longer than any that is read"));
    }
    let header = source.bytes(8, len, HEADER)?;
    let items: BTreeMap<String, Item> =
        serde_json::from_slice(&header).map_err(|e| format!("has a header that is damaged: {e}"))?;
    let (begin, data) = (8 + len, source.len() - 8 - len);
    let mut entries = Vec::new();
    for (name, item) in items {
        let info = match item {
            Item::Tensor(info) => info,
            Item::Metadata(_) if name == "__metadata__" => continue,
            Item::Metadata(_) => return Err(format!("has a header that is damaged: `{name}` is no tensor")),
        };
        let (from, to) = info.data_offsets;
        if from > to || to > data {
            return Err("ends before its contents do".to_owned());
        }
        let place = Place { offset: begin + from, packed: to - from, len: to - from, deflated: false };
        let layout = match dtype(&info.dtype) {
            Some(dtype) => {
                let layout = Layout::contiguous(dtype, info.shape.clone(), place);
                match layout.checked_count() {
                    Ok(count) if count * layout.dtype.size() as u64 == place.len => Ok(layout),
                    _ => Err("its shape does not fit its bytes".to_owned()),
                }
            }
            None => Err(format!("elements of type `{}` are not read", info.dtype)),
        };
        entries.push(Entry::new(name, &info.dtype, info.shape, layout));
    }
    Ok(entries)
}

fn dtype(name: &str) -> Option<Dtype> {
    use Number::*;
    Some(match name {
        "BOOL" => Dtype::Number(Bool),
        "U8" => Dtype::Number(Uint8),
        "I8" => Dtype::Number(Int8),
        "U16" => Dtype::Number(Uint16),
        "I16" => Dtype::Number(Int16),
        "U32" => Dtype::Number(Uint32),
        "I32" => Dtype::Number(Int32),
        "U64" => Dtype::Number(Uint64),
        "I64" => Dtype::Number(Int64),
        "F16" => Dtype::Number(Float16),
        "BF16" => Dtype::Number(Bfloat16),
        "F32" => Dtype::Number(Float32),
        "F64" => Dtype::Number(Float64),
        "F8_E4M3" => Dtype::Number(Float8E4m3fn),
        "F8_E4M3FNUZ" => Dtype::Number(Float8E4m3fnuz),
        "F8_E5M2" => Dtype::Number(Float8E5m2),
        "F8_E5M2FNUZ" => Dtype::Number(Float8E5m2fnuz),
        "F8_E8M0" => Dtype::Number(Float8E8m0fnu),
        "C64" => Dtype::Complex(Float32),
        "C128" => Dtype::Complex(Float64),
        _ => return None,
    })
}
