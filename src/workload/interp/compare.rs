//! Truth and comparison.

use std::cmp::Ordering;

use rustpython_ruff_python_ast::CmpOp;

use super::Interp;
use super::items::same_key;
use crate::workload::heap::{Obj, Order};
use crate::workload::value::{Hint, Id, K, Val};

impl<'a> Interp<'a> {
    /// Whether a value counts as true, where that is known.
    pub(in crate::workload) fn truth(&mut self, value: &Val) -> Option<bool> {
        match &value.k {
            K::None => Some(false),
            K::Bool(b) => Some(*b),
            K::Int(n) => Some(*n != 0),
            K::Float(f) => Some(*f != 0.0),
            K::Str(s) => Some(!s.is_empty()),
            K::Bytes(b) => Some(!b.is_empty()),
            K::Tuple(t) => Some(!t.is_empty()),
            K::Range(..) => self.length(value).map(|n| n > 0),
            K::Ellipsis | K::Slice(_) | K::Bound(_) => Some(true),
            K::Sym(path) => match &**path {
                "typing.TYPE_CHECKING" => Some(false),
                _ => super::super::lib::is_callable(path).then_some(true),
            },
            K::Union(parts) => {
                let truths: Vec<Option<bool>> = parts.to_vec().iter().map(|p| self.truth(p)).collect();
                let first = *truths.first()?;
                truths.iter().all(|t| *t == first).then_some(first)?
            }
            K::Any(_) => None,
            K::Ref(id) => match self.heap.get(*id) {
                Obj::List { items, more, .. } => match (items.is_empty(), more) {
                    (false, _) => Some(true),
                    (true, None) => Some(false),
                    _ => None,
                },
                Obj::Dict { items, more, .. } if *id != self.environ => match (items.is_empty(), more) {
                    (true, None) => Some(false),
                    (false, None) => Some(true),
                    _ => None,
                },
                Obj::Set { items, more } => match (items.is_empty(), more) {
                    (false, _) => Some(true),
                    (true, None) => Some(false),
                    _ => None,
                },
                Obj::Module { .. } | Obj::Func(_) | Obj::Class(_) | Obj::Parser(_) => Some(true),
                Obj::Instance { .. } => {
                    for name in ["__bool__", "__len__"] {
                        let method = self.attr(value, name);
                        if !matches!(method.k, K::Any(_)) {
                            let value = self.call(&method, &Default::default());
                            return self.truth(&value);
                        }
                    }
                    Some(true)
                }
                Obj::Lib(lib) => {
                    if lib.array.is_some() {
                        return None;
                    }
                    super::super::lib::is_module_path(&lib.path).then_some(true)
                }
                _ => None,
            },
        }
    }

    pub(in crate::workload) fn compare(&mut self, op: CmpOp, a: &Val, b: &Val) -> Val {
        let taint = a.t | b.t;
        if let Some(value) = self.compare_arrays(op, a, b) {
            return value.with(taint);
        }
        let known = match op {
            CmpOp::In => self.contains(b, a),
            CmpOp::NotIn => self.contains(b, a).map(|t| !t),
            CmpOp::Is | CmpOp::Eq => self.equal(a, b, op == CmpOp::Is),
            CmpOp::IsNot | CmpOp::NotEq => self.equal(a, b, op == CmpOp::IsNot).map(|t| !t),
            _ => order(a, b).map(|o| match op {
                CmpOp::Lt => o == Ordering::Less,
                CmpOp::LtE => o != Ordering::Greater,
                CmpOp::Gt => o == Ordering::Greater,
                _ => o != Ordering::Less,
            }),
        };
        // Comparing uses the order of lists that are compared as lists.
        if matches!(op, CmpOp::Eq | CmpOp::NotEq) {
            for side in [a, b] {
                if let K::Ref(id) = side.k
                    && let Obj::List { order, .. } = self.heap.get(id)
                {
                    let order = order.clone();
                    self.use_order(&order);
                }
            }
        }
        known.map_or_else(|| Val::of(Hint::Bool), Val::from).with(taint)
    }

    fn equal(&mut self, a: &Val, b: &Val, identity: bool) -> Option<bool> {
        match (&a.k, &b.k) {
            (K::Union(parts), _) => {
                let all: Vec<Option<bool>> =
                    parts.to_vec().iter().map(|p| self.equal(p, b, identity)).collect();
                let first = *all.first()?;
                if all.iter().all(|e| *e == first) { first } else { None }
            }
            (_, K::Union(_)) => self.equal(b, a, identity),
            (K::None, K::Any(Hint::Whatever)) | (K::Any(_), _) | (_, K::Any(_)) => {
                // A value of a known type is never None.
                let typed = |v: &Val| matches!(v.k, K::Any(h) if h != Hint::Whatever);
                ((a.is_none() && typed(b)) || (b.is_none() && typed(a))).then_some(false)
            }
            (K::Float(x), _) if !x.is_nan() && number(b).is_some() => Some(Some(*x) == number(b)),
            (_, K::Float(y)) if !y.is_nan() && number(a).is_some() => Some(Some(*y) == number(a)),
            (K::Ref(x), K::Ref(y)) if x == y => Some(true),
            (K::Ref(_), K::None) | (K::None, K::Ref(_)) => Some(false),
            (K::Ref(x), K::Ref(y)) if !identity => self.equal_objects(*x, *y),
            (K::Ref(_), K::Ref(_)) => Some(false),
            (K::Ref(_), _) | (_, K::Ref(_)) => None,
            (K::Sym(x), K::Sym(y)) => {
                if x == y {
                    Some(true)
                } else {
                    (super::super::lib::is_callable(x) && super::super::lib::is_callable(y)).then_some(false)
                }
            }
            (K::Sym(s), other) | (other, K::Sym(s)) => {
                (matches!(other, K::None) && super::super::lib::is_callable(s)).then_some(false)
            }
            (K::Tuple(x), K::Tuple(y)) => {
                if x.len() != y.len() {
                    return Some(false);
                }
                let pairs: Vec<(Val, Val)> = x.iter().cloned().zip(y.iter().cloned()).collect();
                let mut all = Some(true);
                for (x, y) in pairs {
                    match self.equal(&x, &y, false) {
                        Some(false) => return Some(false),
                        None => all = None,
                        Some(true) => {}
                    }
                }
                all
            }
            (K::Bound(_) | K::Slice(_), _) | (_, K::Bound(_) | K::Slice(_)) => None,
            _ => Some(same_key(a, b)),
        }
    }

    fn equal_objects(&mut self, a: Id, b: Id) -> Option<bool> {
        match (self.heap.get(a), self.heap.get(b)) {
            (
                Obj::List { items: x, more: None, order: Order::Own },
                Obj::List { items: y, more: None, order: Order::Own },
            ) => {
                let (x, y) = (Val::tuple(x.clone()), Val::tuple(y.clone()));
                self.equal(&x, &y, false)
            }
            (Obj::Class(_) | Obj::Func(_), Obj::Class(_) | Obj::Func(_)) => Some(false),
            _ => None,
        }
    }

    /// `item in container`.
    fn contains(&mut self, container: &Val, item: &Val) -> Option<bool> {
        match &container.k {
            K::Str(text) => Some(text.contains(item.as_str()?)),
            K::Range(start, stop, step) => {
                let n = item.as_int()?;
                let inside = if *step > 0 { *start <= n && n < *stop } else { *stop < n && n <= *start };
                Some(inside && (n - start) % step == 0)
            }
            K::Union(parts) => {
                let all: Vec<Option<bool>> = parts.to_vec().iter().map(|p| self.contains(p, item)).collect();
                let first = *all.first()?;
                if all.iter().all(|e| *e == first) { first } else { None }
            }
            K::Ref(id) if *id == self.environ => {
                let name = item.as_str()?.to_owned();
                self.read_environment(&name);
                self.contains_known(container, item)
            }
            K::Ref(id) => {
                if let Obj::Instance { .. } = self.heap.get(*id) {
                    let method = self.attr(container, "__contains__");
                    if matches!(method.k, K::Any(_)) {
                        return None;
                    }
                    let value = self.call(&method, &crate::workload::value::Args::of(vec![item.clone()]));
                    return self.truth(&value);
                }
                self.contains_known(container, item)
            }
            K::Tuple(_) => self.contains_known(container, item),
            _ => None,
        }
    }

    fn contains_known(&mut self, container: &Val, item: &Val) -> Option<bool> {
        if let K::Ref(id) = container.k
            && let Obj::Lib(_) = self.heap.get(id)
        {
            return None;
        }
        let (known, more) = self.known_items(container);
        let mut open = more.is_some();
        for other in &known {
            match self.equal(other, item, false) {
                Some(true) => return Some(true),
                None => open = true,
                Some(false) => {}
            }
        }
        (!open).then_some(false)
    }

    /// How many draws of random numbers are on record; a change tells that something drew.
    pub(in crate::workload) fn draws(&self) -> u64 {
        self.draws
    }
}

pub(super) fn number(v: &Val) -> Option<f64> {
    match v.k {
        #[expect(clippy::cast_precision_loss, reason = "as Python does beyond 2^53, up to its exactness")]
        K::Int(n) => Some(n as f64),
        K::Bool(b) => Some(f64::from(u8::from(b))),
        K::Float(f) => Some(f),
        _ => None,
    }
}

fn order(a: &Val, b: &Val) -> Option<Ordering> {
    match (&a.k, &b.k) {
        (K::Str(x), K::Str(y)) => Some(x.cmp(y)),
        (K::Bytes(x), K::Bytes(y)) => Some(x.cmp(y)),
        (K::Tuple(x), K::Tuple(y)) => {
            for (x, y) in x.iter().zip(y.iter()) {
                match order(x, y)? {
                    Ordering::Equal => {}
                    other => return Some(other),
                }
            }
            Some(x.len().cmp(&y.len()))
        }
        _ => match (a.as_int(), b.as_int()) {
            (Some(x), Some(y)) => Some(x.cmp(&y)),
            _ => number(a)?.partial_cmp(&number(b)?),
        },
    }
}

/// Sorts plain values; `None` where Python could not compare two of them, or the order is not total.
pub(super) fn sort(items: &mut [Val]) -> Option<()> {
    let first = items.first().map(signature)??;
    if !items.iter().all(|i| signature(i).as_ref() == Some(&first)) {
        return None;
    }
    items.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
    Some(())
}

/// The types that decide how a value compares; values of one signature are totally ordered.
fn signature(v: &Val) -> Option<String> {
    Some(match &v.k {
        K::Str(_) => "s".to_owned(),
        K::Bytes(_) => "b".to_owned(),
        K::Int(_) | K::Bool(_) => "i".to_owned(),
        K::Float(f) if !f.is_nan() => "f".to_owned(),
        K::Tuple(items) => {
            items.iter().map(signature).collect::<Option<String>>().map(|s| format!("({s})"))?
        }
        _ => return None,
    })
}
