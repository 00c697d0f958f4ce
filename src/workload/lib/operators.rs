//! Operators on arrays.

use rustpython_ruff_python_ast::{CmpOp, Operator};

use crate::workload::array::{Array, Dtype};
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Hint, K, Val};

impl<'a> Interp<'a> {
    /// An operator with at least one side that is an array or not known.
    pub(in crate::workload) fn binary_lib(&mut self, op: Operator, a: &Val, b: &Val) -> Val {
        if let Some(value) = self.join_path(op, a, b) {
            return value;
        }
        let library = match (self.array_library(a), self.array_library(b)) {
            (Some(x), Some(y)) if x != y => {
                if x == "numpy" {
                    y
                } else {
                    x
                }
            }
            (x, y) => match x.or(y) {
                Some(library) => library,
                None => return self.binary_unknown(op, a, b),
            },
        };
        let (x, y) = (self.array_like(a, Dtype::F64, 2), self.array_like(b, Dtype::F64, 2));
        self.use_arrays(None, &Args::of(vec![a.clone(), b.clone()]));
        let path = |name: &str| match library.as_str() {
            "jax" => format!("jax.numpy.{name}"),
            "tensorflow" => format!("tensorflow.{name}"),
            library => format!("{library}.{name}"),
        };
        if op == Operator::MatMult {
            return self.call_library(&path("matmul"), None, &Args::of(vec![a.clone(), b.clone()]));
        }
        // A Python number takes the array's type, where the array has one that can hold it.
        let number = |v: &Val| matches!(v.hint(), Hint::Int | Hint::Float | Hint::Bool);
        let mix = |array: &Array, n: &Val| match array.dtype {
            Some(Dtype::Int | Dtype::Bool) if n.hint() == Hint::Float => {
                Some(if library == "numpy" { Dtype::F64 } else { Dtype::F32 })
            }
            dtype => dtype,
        };
        let mut dtype = if number(b) {
            mix(&x, b)
        } else if number(a) {
            mix(&y, a)
        } else {
            Dtype::promote(x.dtype, y.dtype)
        };
        if op == Operator::Div && matches!(dtype, Some(Dtype::Int | Dtype::Bool)) {
            dtype = Some(if library == "numpy" { Dtype::F64 } else { Dtype::F32 });
        }
        let shape = Array::broadcast(x.shape.as_deref(), y.shape.as_deref());
        let integers = dtype.is_some_and(|d| !d.is_float());
        let name = match op {
            Operator::Add => "add",
            Operator::Sub => "subtract",
            Operator::Mult => "multiply",
            Operator::Div => "divide",
            Operator::Mod => "remainder",
            Operator::FloorDiv => "floor_divide",
            // A square is a product (NumPy and torch both take that road), any other power goes through `pow`.
            Operator::Pow => match b.as_int() {
                Some(2) => "square",
                _ if matches!(b.k, K::Float(f) if f == 2.0) => "square",
                _ if matches!(b.k, K::Float(f) if f == 0.5) => "sqrt",
                _ => "pow",
            },
            _ => "bitwise_and",
        };
        if !integers {
            let family = path(name);
            self.families(&library, &family);
        }
        self.array(&library, Array::new(dtype, shape))
    }

    /// Neither side is known to be an array: it may be one of any library in use.
    fn binary_unknown(&mut self, op: Operator, a: &Val, b: &Val) -> Val {
        let vague = |v: &Val| matches!(v.k, K::Any(Hint::Whatever));
        if !vague(a) && !vague(b) {
            return Val::any();
        }
        if self.is_numbers(a) && matches!(a.hint(), Hint::Str | Hint::Bytes)
            || self.is_numbers(b) && matches!(b.hint(), Hint::Str | Hint::Bytes)
        {
            return Val::any();
        }
        let families: &[(&str, &[&str])] = match op {
            Operator::MatMult => &[
                ("torch", &["torch.matmul.f32", "torch.matmul.f64", "torch.dot"]),
                ("numpy", &["numpy.matmul", "numpy.dot"]),
                ("jax", &["jax.matmul"]),
                ("tensorflow", &["tensorflow.matmul"]),
            ],
            Operator::Pow => &[
                ("torch", &["torch.elementwise.math"]),
                ("numpy", &["numpy.ufunc.math"]),
                ("jax", &["jax.elementwise"]),
                ("tensorflow", &["tensorflow.elementwise"]),
            ],
            _ => &[
                ("torch", &["torch.elementwise.basic"]),
                ("numpy", &["numpy.ufunc.basic"]),
                ("jax", &["jax.elementwise"]),
                ("tensorflow", &["tensorflow.elementwise"]),
            ],
        };
        for (library, list) in families {
            if self.rec.imports.contains(*library) {
                list.iter().for_each(|f| self.rec.operation(f));
            }
        }
        Val::any()
    }

    pub(in crate::workload) fn unary_lib(&mut self, value: &Val) -> Val {
        self.use_scalar(value);
        match (self.array_of(value).cloned(), self.array_library(value)) {
            (Some(array), Some(library)) => self.array(&library, Array { empty: false, ..array }),
            _ => Val::any(),
        }
    }

    /// Comparing arrays gives arrays of truth values.
    pub(in crate::workload) fn compare_arrays(&mut self, op: CmpOp, a: &Val, b: &Val) -> Option<Val> {
        if matches!(op, CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn) {
            return None;
        }
        let library = self.array_library(a).or_else(|| self.array_library(b))?;
        self.use_arrays(None, &Args::of(vec![a.clone(), b.clone()]));
        let (x, y) = (self.array_like(a, Dtype::F64, 2), self.array_like(b, Dtype::F64, 2));
        let shape = Array::broadcast(x.shape.as_deref(), y.shape.as_deref());
        Some(self.array(&library, Array::new(Some(Dtype::Bool), shape)))
    }
}
