//! Outputs as bytes, and as numbers.

use driftlock::selftest::digest::{self, Sha};
use tch::{Device, Kind, TchError, Tensor};

/// The name of a dtype in digests, and the bytes of one value.
fn tag(kind: Kind) -> Option<(&'static str, usize)> {
    Some(match kind {
        Kind::Float => ("f32", 4),
        Kind::Double => ("f64", 8),
        Kind::Half => ("f16", 2),
        Kind::BFloat16 => ("bf16", 2),
        Kind::Int64 => ("i64", 8),
        Kind::Int => ("i32", 4),
        Kind::Uint8 => ("u8", 1),
        Kind::Bool => ("bool", 1),
        _ => return None,
    })
}

/// dtype, and bytes on the CPU, row-major, little-endian as every host that we build for, NaN canonical.
pub(crate) fn content(t: &Tensor) -> Result<(&'static str, Vec<u8>), TchError> {
    let t = t.detach().f_to_device(Device::Cpu)?.f_resolve_conj()?.f_resolve_neg()?.f_contiguous()?;
    let Some((dtype, size)) = tag(t.kind()) else {
        return Err(TchError::Kind(format!("outputs of {:?} have no canonical form", t.kind())));
    };
    let mut bytes = vec![0u8; t.numel() * size];
    if !bytes.is_empty() {
        t.f_copy_data_u8(&mut bytes, t.numel())?;
    }
    digest::canonical_nan(dtype, &mut bytes);
    Ok((dtype, bytes))
}

/// The digest of an output.
pub(crate) fn leaf(name: &str, t: &Tensor) -> Result<Sha, TchError> {
    let (dtype, bytes) = content(t)?;
    Ok(digest::leaf(name, dtype, &t.size(), &bytes))
}

/// The values in float64.
pub(crate) fn numbers(t: &Tensor) -> Result<Vec<f64>, TchError> {
    let t = t.detach().f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?.f_contiguous()?.f_view([-1])?;
    Vec::<f64>::try_from(&t)
}
