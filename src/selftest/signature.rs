//! How an output is wrong against float64: sizes in octaves, bias, and some values themselves.

use super::inputs::hash32;
use super::result::Signature;

/// log2 in quarter octaves; -999 for no error at all.
fn quarter(x: f64) -> f64 {
    if x == 0.0 { -999.0 } else { (x.log2() * 4.0).round() / 4.0 }
}

/// log2 of the relative L2 distance to one decimal; -99 where they are equal.
pub fn relative_l2(values: &[f64], reference: &[f64]) -> f64 {
    let error: f64 = values.iter().zip(reference).map(|(y, r)| (y - r) * (y - r)).sum();
    let size: f64 = reference.iter().map(|r| r * r).sum();
    if error == 0.0 {
        return -99.0;
    }
    (0.5 * (error / size.max(1e-300)).log2() * 10.0).round() / 10.0
}

/// The signature of `values`.
pub fn signature(values: &[f64], reference: &[f64]) -> Signature {
    let pairs = values.iter().copied().zip(reference.iter().copied());
    let finite: Vec<(f64, f64)> = pairs.filter(|(y, r)| y.is_finite() && r.is_finite()).collect();
    let n = finite.len().max(1) as f64;
    let rms = (finite.iter().map(|(_, r)| r * r).sum::<f64>() / n).sqrt();
    let scale = if rms > 0.0 { rms } else { 1.0 };
    let l2 = (finite.iter().map(|(y, r)| (y - r) * (y - r)).sum::<f64>() / n).sqrt() / scale;
    let relative = |(y, r): &(f64, f64)| (y - r).abs() / r.abs().max(rms).max(1e-300);
    let mut errors: Vec<f64> = finite.iter().map(relative).collect();
    errors.sort_by(f64::total_cmp);
    let at =
        |p: f64| errors.get((errors.len().saturating_sub(1) as f64 * p) as usize).copied().unwrap_or(0.0);
    let sign = |r: f64| if r == 0.0 { 0.0 } else { r.signum() };
    let bias = finite.iter().map(|(y, r)| (y - r) * sign(*r)).sum::<f64>() / n / scale;
    let samples = (0..16u32).filter_map(|i| {
        let at = hash32(777, i) as usize % values.len().max(1);
        values.get(at).map(|v| format!("{:016x}", v.to_bits()))
    });
    Signature {
        n: values.len() as u64,
        nonfinite: (values.len() - finite.len()) as u64,
        zeros: values.iter().filter(|v| **v == 0.0).count() as u64,
        log2_l2: quarter(l2),
        log2_p50: quarter(at(0.5)),
        log2_p90: quarter(at(0.9)),
        log2_max: quarter(at(1.0)),
        bias: (bias / l2.max(1e-300) * 100.0).round() / 100.0,
        samples: samples.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_result_is_biased_towards_zero_and_a_rounded_one_is_not() {
        let exact: Vec<f64> = (1..4000).map(|i| f64::from(i).sqrt()).collect();
        let cut: Vec<f64> =
            exact.iter().map(|x| f64::from(f32::from_bits((*x as f32).to_bits() & !0x1fff))).collect();
        let near: Vec<f64> = exact.iter().map(|x| f64::from(*x as f32)).collect();
        assert!(signature(&cut, &exact).bias < -0.5);
        assert!(signature(&near, &exact).bias.abs() < 0.1);
        assert_eq!(signature(&exact, &exact).log2_l2, -999.0);
        assert_eq!(relative_l2(&exact, &exact), -99.0);
    }
}
