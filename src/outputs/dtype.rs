//! Element types: their names, widths, values as doubles, and distances in units in the last place.

use half::{bf16, f16};

/// The type of a tensor's elements. Names are numpy's and torch's, which agree where both have the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// A type whose elements are numbers.
    Number(Number),
    /// `complex64` and the like: two numbers of this type per element, the real part first.
    Complex(Number),
    /// Dates and spans of numpy (`datetime64[ns]`): whole numbers of 8 bytes with a unit in the name.
    Time(String),
    /// Elements that are no numbers (text, records): the name as the file gives it, and bytes per element. They get
    /// a digest and no sketch.
    Opaque(String, usize),
}

/// A type of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Number {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float16,
    Bfloat16,
    Float32,
    Float64,
    Float8E4m3fn,
    Float8E4m3fnuz,
    Float8E5m2,
    Float8E5m2fnuz,
    Float8E8m0fnu,
}

use Number::*;

/// Every type of numbers, with its name.
const NAMES: [(Number, &str); 18] = [
    (Bool, "bool"),
    (Int8, "int8"),
    (Int16, "int16"),
    (Int32, "int32"),
    (Int64, "int64"),
    (Uint8, "uint8"),
    (Uint16, "uint16"),
    (Uint32, "uint32"),
    (Uint64, "uint64"),
    (Float16, "float16"),
    (Bfloat16, "bfloat16"),
    (Float32, "float32"),
    (Float64, "float64"),
    (Float8E4m3fn, "float8_e4m3fn"),
    (Float8E4m3fnuz, "float8_e4m3fnuz"),
    (Float8E5m2, "float8_e5m2"),
    (Float8E5m2fnuz, "float8_e5m2fnuz"),
    (Float8E8m0fnu, "float8_e8m0fnu"),
];

/// Complex types; numpy's and torch's names count the bits of both parts.
const COMPLEX: [(Number, &str); 3] =
    [(Float16, "complex32"), (Float32, "complex64"), (Float64, "complex128")];

impl Number {
    /// Bytes per number.
    pub fn size(self) -> usize {
        match self {
            Int16 | Uint16 | Float16 | Bfloat16 => 2,
            Int32 | Uint32 | Float32 => 4,
            Int64 | Uint64 | Float64 => 8,
            _ => 1,
        }
    }

    /// Whether it is a floating-point type.
    pub fn is_float(self) -> bool {
        self.epsilon() > 0.0
    }

    /// The distance from 1 to the next larger number of the type; 0 for types that are no floating-point types.
    pub fn epsilon(self) -> f64 {
        match self {
            Float64 => f64::EPSILON,
            Float32 => f64::from(f32::EPSILON),
            Float16 => 2_f64.powi(-10),
            Bfloat16 => 2_f64.powi(-7),
            Float8E4m3fn | Float8E4m3fnuz => 0.125,
            Float8E5m2 | Float8E5m2fnuz => 0.25,
            Float8E8m0fnu => 1.0,
            _ => 0.0,
        }
    }

    /// The number in these little-endian bytes as a double; 64-bit whole numbers above 2^53 are rounded. Short
    /// bytes count as zeros.
    pub fn decode(self, bytes: &[u8]) -> f64 {
        fn at<const N: usize>(bytes: &[u8]) -> [u8; N] {
            bytes.first_chunk().copied().unwrap_or([0; N])
        }
        let [byte] = at::<1>(bytes);
        #[expect(clippy::cast_precision_loss, reason = "documented")]
        match self {
            Bool => f64::from(u8::from(byte != 0)),
            Int8 => f64::from(byte.cast_signed()),
            Uint8 => f64::from(byte),
            Int16 => f64::from(i16::from_le_bytes(at(bytes))),
            Uint16 => f64::from(u16::from_le_bytes(at(bytes))),
            Int32 => f64::from(i32::from_le_bytes(at(bytes))),
            Uint32 => f64::from(u32::from_le_bytes(at(bytes))),
            Int64 => i64::from_le_bytes(at(bytes)) as f64,
            Uint64 => u64::from_le_bytes(at(bytes)) as f64,
            Float16 => f16::from_le_bytes(at(bytes)).to_f64(),
            Bfloat16 => bf16::from_le_bytes(at(bytes)).to_f64(),
            Float32 => f64::from(f32::from_le_bytes(at(bytes))),
            Float64 => f64::from_le_bytes(at(bytes)),
            Float8E4m3fn => eight(byte, 4, 7, Finite::OneNan),
            Float8E4m3fnuz => eight(byte, 4, 8, Finite::NegativeZeroIsNan),
            Float8E5m2 => eight(byte, 5, 15, Finite::Ieee),
            Float8E5m2fnuz => eight(byte, 5, 16, Finite::NegativeZeroIsNan),
            Float8E8m0fnu if byte == 255 => f64::NAN,
            Float8E8m0fnu => 2_f64.powi(i32::from(byte) - 127),
        }
    }

    /// How many numbers of the type lie between two of its values: 1 for neighbours. `None` where either is no
    /// number, or the type is not a floating-point type. Both zeros are one number.
    pub fn ulps(self, a: f64, b: f64) -> Option<u64> {
        if a.is_nan() || b.is_nan() {
            return None;
        }
        let place = |x: f64| -> Option<i128> {
            #[expect(clippy::cast_possible_truncation, reason = "a value of the type is exact in it")]
            let (bits, negative) = match self {
                Float64 => (x.abs().to_bits(), x < 0.0),
                Float32 => (u64::from((x.abs() as f32).to_bits()), x < 0.0),
                Float16 => (u64::from(f16::from_f64(x.abs()).to_bits()), x < 0.0),
                Bfloat16 => (u64::from(bf16::from_f64(x.abs()).to_bits()), x < 0.0),
                _ if self.is_float() => {
                    let magnitude = x.abs();
                    let code = (0..=127_u8).find(|c| self.decode(&[*c]) == magnitude)?;
                    (u64::from(code), x < 0.0)
                }
                _ => return None,
            };
            Some(if negative { -i128::from(bits) } else { i128::from(bits) })
        };
        u64::try_from(place(a)?.abs_diff(place(b)?)).ok()
    }
}

/// How an eight-bit float uses its last exponent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finite {
    /// Infinities and NaNs as IEEE 754 has them.
    Ieee,
    /// No infinities; only all ones is NaN (`fn`).
    OneNan,
    /// No infinities and no negative zero, whose code is NaN (`fnuz`).
    NegativeZeroIsNan,
}

/// An eight-bit float (OCP 8-bit Floating Point Specification; the `fnuz` forms: arXiv 2206.02915).
fn eight(code: u8, exponent_bits: u32, bias: i32, form: Finite) -> f64 {
    let mantissa_bits = 7 - exponent_bits;
    let sign = if code & 0x80 == 0 { 1.0 } else { -1.0 };
    let exponent = u32::from(code & 0x7f) >> mantissa_bits;
    let mantissa = u32::from(code) & ((1 << mantissa_bits) - 1);
    let top = (1 << exponent_bits) - 1;
    match form {
        Finite::NegativeZeroIsNan if code == 0x80 => return f64::NAN,
        Finite::OneNan if code & 0x7f == 0x7f => return f64::NAN,
        Finite::Ieee if exponent == top => {
            return if mantissa == 0 { sign * f64::INFINITY } else { f64::NAN };
        }
        _ => {}
    }
    let fraction = f64::from(mantissa) / f64::from(1_u32 << mantissa_bits);
    let exponent = i32::try_from(exponent).unwrap_or(0);
    sign * if exponent == 0 {
        fraction * 2_f64.powi(1 - bias)
    } else {
        (1.0 + fraction) * 2_f64.powi(exponent - bias)
    }
}

impl Dtype {
    /// The name as it is written and hashed.
    pub fn name(&self) -> &str {
        let of = |list: &'static [(Number, &'static str)], number: &Number| {
            list.iter().find(|(n, _)| n == number).map_or("", |(_, name)| name)
        };
        match self {
            Self::Number(number) => of(&NAMES, number),
            Self::Complex(number) => of(&COMPLEX, number),
            Self::Time(name) | Self::Opaque(name, _) => name,
        }
    }

    /// The type with this name, as [`Self::name`] writes it; `None` for names of opaque types.
    pub fn named(name: &str) -> Option<Self> {
        let find = |list: &[(Number, &str)]| list.iter().find(|(_, n)| *n == name).map(|(number, _)| *number);
        if name.starts_with("datetime64") || name.starts_with("timedelta64") {
            return Some(Self::Time(name.to_owned()));
        }
        find(&NAMES).map(Self::Number).or_else(|| find(&COMPLEX).map(Self::Complex))
    }

    /// Bytes per element.
    pub fn size(&self) -> usize {
        match self {
            Self::Number(number) => number.size(),
            Self::Complex(number) => 2 * number.size(),
            Self::Time(_) => 8,
            Self::Opaque(_, size) => *size,
        }
    }

    /// The type of the numbers that a sketch is made of; `None` for opaque elements.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Number(number) | Self::Complex(number) => Some(*number),
            Self::Time(_) => Some(Int64),
            Self::Opaque(..) => None,
        }
    }

    /// Bytes of the unit whose order of bytes the machine decides: 4 for `float32` and for `complex64`.
    pub fn swap_unit(&self) -> usize {
        match self {
            Self::Opaque(name, _) if name.starts_with("<U") => 4,
            other => other.number().map_or(1, Number::size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for (number, name) in NAMES {
            assert_eq!(Dtype::named(name), Some(Dtype::Number(number)));
            assert_eq!(Dtype::Number(number).name(), name);
        }
        assert_eq!(Dtype::named("complex64").map(|d| d.size()), Some(8));
        assert_eq!(Dtype::named("<U4"), None);
    }

    #[test]
    fn neighbours_are_one_ulp_apart() {
        assert_eq!(Float32.ulps(1.0, 1.0 + f64::from(f32::EPSILON)), Some(1));
        assert_eq!(Float64.ulps(-0.0, 0.0), Some(0));
        assert_eq!(Float64.ulps(-5e-324, 5e-324), Some(2));
        assert_eq!(Bfloat16.ulps(1.0, 1.0 + 2_f64.powi(-7)), Some(1));
        assert_eq!(Float8E4m3fn.ulps(448.0, 416.0), Some(1));
        assert_eq!(Int32.ulps(1.0, 2.0), None);
        assert_eq!(Float32.ulps(f64::NAN, 1.0), None);
    }
}
