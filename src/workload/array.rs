//! What is known of a tensor or array.

/// Kinds of elements, as far as they decide which code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    Bool,
    Int,
    F16,
    Bf16,
    F32,
    F64,
    Complex,
}

/// One dimension's length, where known.
pub(super) type Dim = Option<i64>;

/// A tensor or array.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Array {
    pub(super) dtype: Option<Dtype>,
    /// The dimensions, where their number is known.
    pub(super) shape: Option<Vec<Dim>>,
    /// Its memory has not been written to.
    pub(super) empty: bool,
}

impl Dtype {
    /// By its name in torch, NumPy, JAX or TensorFlow, with or without the module.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.rsplit('.').next().unwrap_or(name);
        Some(match name {
            "bool" | "bool_" => Self::Bool,
            "float16" | "half" | "HalfTensor" | "f2" => Self::F16,
            "bfloat16" | "BFloat16Tensor" => Self::Bf16,
            "float32" | "FloatTensor" | "single" | "f4" | "float32_ref" => Self::F32,
            "float64" | "double" | "DoubleTensor" | "f8" | "longdouble" => Self::F64,
            "complex64" | "complex128" | "cfloat" | "cdouble" => Self::Complex,
            _ if name.starts_with("int") || name.starts_with("uint") => Self::Int,
            "long" | "short" | "LongTensor" | "IntTensor" | "i4" | "i8" | "byte" | "intp" | "int_" => {
                Self::Int
            }
            _ => return None,
        })
    }

    pub(super) fn is_float(self) -> bool {
        !matches!(self, Self::Bool | Self::Int)
    }

    fn rank(self) -> u8 {
        match self {
            Self::Bool => 0,
            Self::Int => 1,
            Self::F16 => 2,
            Self::Bf16 => 3,
            Self::F32 => 4,
            Self::F64 => 5,
            Self::Complex => 6,
        }
    }

    /// The type of an operation between arrays of two types.
    pub(super) fn promote(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        let (a, b) = (a?, b?);
        Some(if matches!((a, b), (Self::F16, Self::Bf16) | (Self::Bf16, Self::F16)) {
            Self::F32
        } else if a.rank() >= b.rank() {
            a
        } else {
            b
        })
    }
}

impl Array {
    pub(super) fn new(dtype: Option<Dtype>, shape: Option<Vec<Dim>>) -> Self {
        Self { dtype, shape, empty: false }
    }

    /// How many elements, where known.
    pub(super) fn count(&self) -> Option<i64> {
        self.shape.as_ref()?.iter().try_fold(1i64, |n, d| n.checked_mul((*d)?))
    }

    pub(super) fn dims(&self) -> Option<usize> {
        self.shape.as_ref().map(Vec::len)
    }

    pub(super) fn join(&self, other: &Self) -> Self {
        let shape = match (&self.shape, &other.shape) {
            (Some(a), Some(b)) if a.len() == b.len() => {
                Some(a.iter().zip(b).map(|(a, b)| if a == b { *a } else { None }).collect())
            }
            _ => None,
        };
        Self {
            dtype: if self.dtype == other.dtype { self.dtype } else { None },
            shape,
            empty: self.empty || other.empty,
        }
    }

    /// The shape of an element-wise operation: NumPy's broadcasting.
    pub(super) fn broadcast(a: Option<&[Dim]>, b: Option<&[Dim]>) -> Option<Vec<Dim>> {
        let (a, b) = (a?, b?);
        let n = a.len().max(b.len());
        let at = |s: &[Dim], i: usize| if i + s.len() >= n { s[i + s.len() - n] } else { Some(1) };
        Some(
            (0..n)
                .map(|i| match (at(a, i), at(b, i)) {
                    (Some(1), d) | (d, Some(1)) => d,
                    (Some(x), Some(y)) if x == y => Some(x),
                    (Some(x), None) | (None, Some(x)) => Some(x),
                    _ => None,
                })
                .collect(),
        )
    }

    /// The shape of a matrix product.
    pub(super) fn product(a: Option<&[Dim]>, b: Option<&[Dim]>) -> Option<Vec<Dim>> {
        let (a, b) = (a?, b?);
        match (a.len(), b.len()) {
            (0, _) | (_, 0) => None,
            (1, 1) => Some(Vec::new()),
            (1, _) => Some(b[..b.len() - 2].iter().chain(&b[b.len() - 1..]).copied().collect()),
            (_, 1) => Some(a[..a.len() - 1].to_vec()),
            (n, m) => {
                let mut batch = Self::broadcast(Some(&a[..n - 2]), Some(&b[..m - 2]))?;
                batch.extend([a[n - 2], b[m - 1]]);
                Some(batch)
            }
        }
    }

    /// The shape that `reshape(dims)` gives, -1 worked out where the number of elements is known.
    pub(super) fn reshaped(&self, dims: &[Dim]) -> Vec<Dim> {
        let rest = dims.iter().filter(|d| **d != Some(-1)).try_fold(1i64, |n, d| n.checked_mul((*d)?));
        let fill = match (self.count(), rest) {
            (Some(n), Some(rest)) if rest > 0 => Some(n / rest),
            _ => None,
        };
        dims.iter().map(|d| if *d == Some(-1) { fill } else { *d }).collect()
    }

    /// The shape after a reduction over `axes` (all where `None`).
    pub(super) fn reduced(&self, axes: Option<&[i64]>, keep: bool) -> Option<Vec<Dim>> {
        let shape = self.shape.as_ref()?;
        let Some(axes) = axes else {
            return Some(if keep { vec![Some(1); shape.len()] } else { Vec::new() });
        };
        let n = i64::try_from(shape.len()).ok()?;
        let axes: Vec<i64> = axes.iter().map(|a| if *a < 0 { a + n } else { *a }).collect();
        Some(
            shape
                .iter()
                .zip(0..)
                .filter(|(_, i)| keep || !axes.contains(i))
                .map(|(d, i)| if axes.contains(&i) { Some(1) } else { *d })
                .collect(),
        )
    }
}
