//! Binary operators on plain values; those of arrays are in `lib`.

use rustpython_ruff_python_ast::Operator;

use super::Interp;
use super::compare::number;
use crate::workload::heap::{Obj, Order};
use crate::workload::value::{Args, CLOCK, Hint, K, Val};

/// Longest text or tuple that an operator makes.
const LONG: usize = 1 << 16;

impl<'a> Interp<'a> {
    pub(in crate::workload) fn binary(&mut self, op: Operator, a: &Val, b: &Val) -> Val {
        let mut taint = a.t | b.t;
        // How long something took is no time of day.
        if op == Operator::Sub && a.t & b.t & CLOCK != 0 {
            taint &= !CLOCK;
        }
        self.binary_plain(op, a, b).with(taint)
    }

    fn binary_plain(&mut self, op: Operator, a: &Val, b: &Val) -> Val {
        match (&a.k, &b.k) {
            (K::Union(parts), _) => {
                let parts = parts.to_vec();
                return Val::one_of(parts.iter().map(|p| self.binary(op, p, b)).collect::<Vec<_>>());
            }
            (_, K::Union(parts)) => {
                let parts = parts.to_vec();
                return Val::one_of(parts.iter().map(|p| self.binary(op, a, p)).collect::<Vec<_>>());
            }
            _ => {}
        }
        if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
            return integers(op, x, y);
        }
        if let (Some(x), Some(y)) = (number(a), number(b)) {
            return floats(op, x, y);
        }
        match (op, &a.k, &b.k) {
            (Operator::Add, K::Str(x), K::Str(y)) if x.len() + y.len() < LONG => {
                return Val::str(format!("{x}{y}"));
            }
            (Operator::Add, K::Bytes(x), K::Bytes(y)) if x.len() + y.len() < LONG => {
                return K::Bytes(x.iter().chain(y.iter()).copied().collect()).into();
            }
            (Operator::Add, K::Tuple(x), K::Tuple(y)) if x.len() + y.len() < LONG => {
                return Val::tuple(x.iter().chain(y.iter()).cloned().collect());
            }
            (Operator::Mult, K::Str(x), _) if b.as_int().is_some() => {
                let n = usize::try_from(b.as_int().unwrap_or(0)).unwrap_or(0);
                return if x.len().saturating_mul(n) < LONG {
                    Val::str(x.repeat(n))
                } else {
                    Val::of(Hint::Str)
                };
            }
            (Operator::Mult, K::Tuple(x), _) if b.as_int().is_some() => {
                let n = usize::try_from(b.as_int().unwrap_or(0)).unwrap_or(0);
                if x.len().saturating_mul(n) < 4096 {
                    return Val::tuple(std::iter::repeat_n(x.iter(), n).flatten().cloned().collect());
                }
                return Val::any();
            }
            (Operator::Mult, _, K::Str(_) | K::Tuple(_)) if a.as_int().is_some() => {
                return self.binary_plain(op, b, a);
            }
            (Operator::Mod, K::Str(format), _) => {
                let format = format.to_string();
                return self.percent(&format, b);
            }
            (Operator::Add | Operator::Mod | Operator::Mult, K::Str(_) | K::Any(Hint::Str), _)
                if !matches!(b.k, K::Ref(_)) =>
            {
                return Val::of(Hint::Str);
            }
            (Operator::Add, K::Any(Hint::Whatever), K::Str(_) | K::Any(Hint::Str)) => {
                return Val::of(Hint::Str);
            }
            _ => {}
        }
        let numeric = |v: &Val| matches!(v.hint(), Hint::Int | Hint::Float | Hint::Bool);
        if numeric(a) && numeric(b) {
            let float = |v: &Val| v.hint() == Hint::Float;
            return Val::of(if float(a) || float(b) || op == Operator::Div {
                Hint::Float
            } else if op == Operator::Pow {
                // An integer, but for a negative power.
                Hint::Float
            } else {
                Hint::Int
            });
        }
        if let Some(value) = self.binary_objects(op, a, b) {
            return value;
        }
        self.binary_lib(op, a, b)
    }

    /// Operators on lists, sets, dicts and the program's own classes.
    fn binary_objects(&mut self, op: Operator, a: &Val, b: &Val) -> Option<Val> {
        if let K::Ref(id) = a.k {
            let object = self.heap.take(id);
            match (&*object, op) {
                (Obj::List { items, more, order }, Operator::Add) => {
                    let mut order = order.clone();
                    let other = self.iterate_keeping_order(b, &mut order);
                    let (mut items, mut more) = (items.clone(), more.clone());
                    match &more {
                        None => {
                            items.extend(other.known);
                            more = other.more;
                        }
                        Some(m) => {
                            more = Some(Val::one_of(
                                std::iter::once(m.clone()).chain(other.known).chain(other.more),
                            ))
                        }
                    }
                    return Some(self.heap.new_object(Obj::List { items, more, order }).into());
                }
                (Obj::List { items, more, order }, Operator::Mult) => {
                    if let (Some(n), None) = (b.as_int().and_then(|n| usize::try_from(n).ok()), more)
                        && items.len().saturating_mul(n) <= 4096
                    {
                        let items = std::iter::repeat_n(items, n).flatten().cloned().collect();
                        return Some(
                            self.heap
                                .new_object(Obj::List { items, more: None, order: order.clone() })
                                .into(),
                        );
                    }
                    let all = items.iter().chain(more).cloned();
                    let more = Some(Val::one_of(all));
                    return Some(
                        self.heap
                            .new_object(Obj::List { items: Vec::new(), more, order: order.clone() })
                            .into(),
                    );
                }
                (
                    Obj::Set { items, more },
                    Operator::BitOr | Operator::BitAnd | Operator::Sub | Operator::BitXor,
                ) => {
                    let other = self.iterate_keeping_order(b, &mut Order::Own);
                    return Some(self.set_operation(
                        op,
                        items,
                        more.as_ref(),
                        &other.known,
                        other.more.as_ref(),
                    ));
                }
                (Obj::Dict { .. }, Operator::BitOr) => {
                    let copy = self.make_dict(a);
                    self.update(&copy, b);
                    return Some(copy);
                }
                (Obj::Instance { .. }, _) => {
                    let method = self.attr(a, op.dunder());
                    if !matches!(method.k, K::Any(_)) {
                        return Some(self.call(&method, &Args::of(vec![b.clone()])));
                    }
                }
                (Obj::Class(_), Operator::BitOr) => return Some(a.clone()),
                _ => {}
            }
        }
        if let K::Ref(id) = b.k {
            match self.heap.get(id) {
                Obj::List { .. } if op == Operator::Mult && a.hint() == Hint::Int => {
                    return self.binary_objects(op, b, a);
                }
                Obj::Instance { .. } => {
                    let name = format!("__r{}", op.dunder().trim_start_matches("__"));
                    let method = self.attr(b, &name);
                    if !matches!(method.k, K::Any(_)) {
                        return Some(self.call(&method, &Args::of(vec![a.clone()])));
                    }
                }
                _ => {}
            }
        }
        None
    }

    pub(in crate::workload) fn set_operation(
        &mut self,
        op: Operator,
        x: &[Val],
        m: Option<&Val>,
        y: &[Val],
        n: Option<&Val>,
    ) -> Val {
        let exact = m.is_none() && n.is_none() && x.iter().chain(y).all(Val::is_const);
        if !exact {
            let all: Vec<Val> = match op {
                Operator::Sub | Operator::BitAnd => x.iter().chain(m).cloned().collect(),
                _ => x.iter().chain(m).chain(y).chain(n).cloned().collect(),
            };
            let more = (!all.is_empty()).then(|| Val::one_of(all));
            return self.set(Vec::new(), more);
        }
        let within = |v: &Val, s: &[Val]| s.iter().any(|o| super::items::same_key(o, v));
        let items: Vec<Val> = match op {
            Operator::BitOr => x.iter().chain(y).cloned().collect(),
            Operator::BitAnd => x.iter().filter(|v| within(v, y)).cloned().collect(),
            Operator::Sub => x.iter().filter(|v| !within(v, y)).cloned().collect(),
            _ => x
                .iter()
                .filter(|v| !within(v, y))
                .chain(y.iter().filter(|v| !within(v, x)))
                .cloned()
                .collect(),
        };
        self.set(items, None)
    }
}

fn integers(op: Operator, x: i64, y: i64) -> Val {
    let shift = u32::try_from(y).ok().filter(|n| *n < 63);
    let whole = match op {
        Operator::Add => x.checked_add(y),
        Operator::Sub => x.checked_sub(y),
        Operator::Mult => x.checked_mul(y),
        Operator::FloorDiv => (y != 0).then(|| floor_div(x, y)).flatten(),
        Operator::Mod => {
            (y != 0).then(|| floor_div(x, y)).flatten().and_then(|q| x.checked_sub(q.checked_mul(y)?))
        }
        Operator::Pow if y >= 0 => u32::try_from(y).ok().and_then(|y| x.checked_pow(y)),
        Operator::Pow | Operator::Div => return floats(op, real(x), real(y)),
        Operator::LShift => shift.and_then(|n| x.checked_mul(1i64.checked_shl(n)?)),
        Operator::RShift => Some(x >> shift.unwrap_or(63)),
        Operator::BitOr => Some(x | y),
        Operator::BitXor => Some(x ^ y),
        Operator::BitAnd => Some(x & y),
        Operator::MatMult => None,
    };
    whole.map_or_else(|| Val::of(Hint::Int), Val::from)
}

fn floor_div(x: i64, y: i64) -> Option<i64> {
    let q = x.checked_div(y)?;
    Some(if x % y != 0 && (x < 0) != (y < 0) { q - 1 } else { q })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "as Python's true division does up to 2^53; beyond, the value is only a hint"
)]
fn real(x: i64) -> f64 {
    x as f64
}

fn floats(op: Operator, x: f64, y: f64) -> Val {
    let value = match op {
        Operator::Add => x + y,
        Operator::Sub => x - y,
        Operator::Mult => x * y,
        Operator::Div if y != 0.0 => x / y,
        Operator::FloorDiv if y != 0.0 => (x / y).floor(),
        Operator::Mod if y != 0.0 => x - y * (x / y).floor(),
        // libm's pow is not the same everywhere: its value is not claimed to be known.
        _ => return Val::of(Hint::Float),
    };
    if value.is_nan() { Val::of(Hint::Float) } else { K::Float(value).into() }
}
