//! Conversions: `int`, `float`, `str`, `repr`, `bool` of what is known.

use super::Interp;
use super::compare::number;
use crate::workload::heap::{Obj, Order};
use crate::workload::value::{Args, Hint, K, Val};

impl<'a> Interp<'a> {
    pub(in crate::workload) fn as_integer(&mut self, value: &Val, base: Option<&Val>) -> Val {
        let known = match &value.k {
            K::Str(s) => match base {
                None => s.trim().replace('_', "").parse::<i64>().ok(),
                Some(base) => {
                    let base =
                        base.as_int().and_then(|b| u32::try_from(b).ok()).filter(|b| (2..=36).contains(b));
                    base.and_then(|b| i64::from_str_radix(s.trim().trim_start_matches("0x"), b).ok())
                }
            },
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the bounds are checked; int() cuts off as `as` does"
            )]
            K::Float(f) if f.abs() < 9e18 => Some(*f as i64),
            _ => value.as_int(),
        };
        self.use_scalar(value);
        known.map_or_else(|| Val::of(Hint::Int), Val::from).with(value.t)
    }

    pub(in crate::workload) fn as_real(&mut self, value: &Val) -> Val {
        let known = match &value.k {
            K::Str(s) => s.trim().replace('_', "").parse::<f64>().ok(),
            _ => number(value),
        };
        self.use_scalar(value);
        known
            .filter(|f| !f.is_nan())
            .map_or_else(|| Val::of(Hint::Float), |f| K::Float(f).into())
            .with(value.t)
    }

    pub(in crate::workload) fn as_text(&mut self, value: &Val) -> Val {
        let taint = self.reach(value, true).0;
        if let K::Ref(id) = value.k {
            if let Obj::Instance { .. } = self.heap.get(id) {
                for name in ["__str__", "__repr__"] {
                    let method = self.attr(value, name);
                    if !matches!(method.k, K::Any(_)) {
                        return self.call(&method, &Args::default());
                    }
                }
                // The default text holds the address, which nobody computes with.
                return Val::of(Hint::Str).with(taint);
            }
            if let Some(path) = self.path_text(value) {
                return Val::str(path).with(taint);
            }
        }
        if let K::Union(parts) = &value.k {
            let parts = parts.to_vec();
            return Val::one_of(parts.iter().map(|p| self.as_text(p)).collect::<Vec<_>>()).with(taint);
        }
        super::text::show(value, "").map_or_else(|| Val::of(Hint::Str), Val::str).with(taint)
    }

    pub(in crate::workload) fn make_list(&mut self, value: &Val) -> Val {
        let mut order = Order::Own;
        let items = self.iterate_keeping_order(value, &mut order);
        let taint = value.t;
        Val::from(self.heap.new_object(Obj::List { items: items.known, more: items.more, order })).with(taint)
    }

    pub(in crate::workload) fn make_tuple(&mut self, value: &Val) -> Val {
        let mut order = Order::Own;
        let items = self.iterate_keeping_order(value, &mut order);
        if items.more.is_none() && order == Order::Own {
            return Val::tuple(items.known).with(value.t);
        }
        Val::from(self.heap.new_object(Obj::List { items: items.known, more: items.more, order }))
            .with(value.t)
    }
}
