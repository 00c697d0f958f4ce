//! Doubles as C99 hexadecimal floating constants: exact, and read by `float.fromhex` and `strtod`.

use std::fmt::Write as _;

/// `x` as `printf("%a")` writes it: `0x1.8p+1`; `nan`, `inf` and `-inf` for what is no number.
pub fn write(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x.is_infinite() {
        return format!("{sign}inf");
    }
    let bits = x.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    let mantissa = bits & ((1 << 52) - 1);
    let (lead, power) = match (exponent, mantissa) {
        (0, 0) => return format!("{sign}0x0p+0"),
        (0, _) => (0, -1022),
        (e, _) => (1, i64::try_from(e).unwrap_or(0) - 1023),
    };
    let mut text = format!("{sign}0x{lead}");
    let digits = format!("{mantissa:013x}");
    let digits = digits.trim_end_matches('0');
    if !digits.is_empty() {
        let _infallible = write!(text, ".{digits}");
    }
    let _infallible = write!(text, "p{power:+}");
    text
}

/// The double that `write` wrote; `None` for other text. More than 13 digits after the point are refused.
pub fn read(text: &str) -> Option<f64> {
    match text {
        "nan" => return Some(f64::NAN),
        "inf" => return Some(f64::INFINITY),
        "-inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let (sign, rest) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let (mantissa, power) = rest.strip_prefix("0x")?.split_once('p')?;
    let (lead, digits) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !matches!(lead, "0" | "1") || digits.len() > 13 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let fraction = u64::from_str_radix(&format!("{digits:0<13}"), 16).ok()?;
    let power: i64 = power.parse().ok()?;
    let exponent = match lead {
        "1" => u64::try_from(power.checked_add(1023)?).ok().filter(|e| (1..=2046).contains(e))?,
        _ if fraction == 0 || power == -1022 => 0,
        _ => return None,
    };
    Some(sign * f64::from_bits(exponent << 52 | fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_c_prints() {
        let cases = [
            (1.0, "0x1p+0"),
            (-3.0, "-0x1.8p+1"),
            (0.1, "0x1.999999999999ap-4"),
            (5e-324, "0x0.0000000000001p-1022"),
            (-0.0, "-0x0p+0"),
            (f64::MAX, "0x1.fffffffffffffp+1023"),
        ];
        for (x, text) in cases {
            assert_eq!(write(x), text);
            assert_eq!(read(text).map(f64::to_bits), Some(x.to_bits()));
        }
    }

    proptest::proptest! {
        #[test]
        fn every_double_reads_back(bits: u64) {
            let x = f64::from_bits(bits);
            let back = read(&write(x));
            proptest::prop_assert!(back.is_some_and(|y| y.to_bits() == bits || (x.is_nan() && y.is_nan())));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "-?0x[01]?\\.?[0-9a-g]{0,15}p[+-]?[0-9]{0,20}|.{0,20}") {
            let _any = read(&text);
        }
    }
}
