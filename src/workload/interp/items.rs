//! Collections: making, iterating, indexing and changing them.

use rustpython_ruff_python_ast::name::Name;

use super::Interp;
use crate::workload::heap::{Obj, Order};
use crate::workload::value::{Args, Hint, K, Taint, Val};

/// Most items that a collection keeps one by one.
const ITEMS: usize = 4096;

/// What iterating gives: the known items in order, then any number of `more`.
#[derive(Clone, Debug, Default)]
pub(in crate::workload) struct Items {
    pub(in crate::workload) known: Vec<Val>,
    pub(in crate::workload) more: Option<Val>,
}

impl Items {
    fn vague(more: Val) -> Self {
        Self { known: Vec::new(), more: Some(more) }
    }
}

impl<'a> Interp<'a> {
    pub(in crate::workload) fn list(&mut self, mut items: Vec<Val>, mut more: Option<Val>) -> Val {
        if items.len() > ITEMS {
            let rest = items.split_off(ITEMS);
            more = Some(Val::one_of(rest.into_iter().chain(more)));
        }
        self.heap.new_object(Obj::List { items, more, order: Order::Own }).into()
    }

    pub(in crate::workload) fn set(&mut self, items: Vec<Val>, more: Option<Val>) -> Val {
        let mut own: Vec<Val> = Vec::new();
        for item in items.into_iter().take(ITEMS) {
            if !own.iter().any(|o| o.k == item.k) {
                own.push(item);
            }
        }
        self.heap.new_object(Obj::Set { items: own, more }).into()
    }

    pub(in crate::workload) fn make_set(&mut self, value: &Val) -> Val {
        let items = self.iterate_keeping_order(value, &mut Order::Own);
        self.set(items.known, items.more).with(value.t)
    }

    /// A dict from pairs, or from a mapping.
    pub(in crate::workload) fn make_dict(&mut self, value: &Val) -> Val {
        let mut order = Order::Own;
        if let K::Ref(id) = value.k
            && let Obj::Dict { .. } = self.heap.get(id)
        {
            let copy = (*self.heap.take(id)).clone();
            return self.heap.new_object(copy).into();
        }
        let pairs = self.iterate_keeping_order(value, &mut order);
        let id = self.heap.new_object(Obj::Dict {
            items: Vec::new(),
            more: None,
            factory: None,
            order: order.clone(),
        });
        for pair in &pairs.known {
            let two = self.iterate(pair);
            if let [key, item] = &two.known[..] {
                self.set_item(&id.into(), key, item.clone());
            }
        }
        if let Some(pair) = &pairs.more {
            let two = self.iterate(pair);
            let any = || two.more.clone().unwrap_or_else(Val::any);
            let key = two.known.first().cloned().unwrap_or_else(any);
            let item = two.known.get(1).cloned().unwrap_or_else(any);
            if let Obj::Dict { more, .. } = self.heap.get_mut(id) {
                *more = Some((key, item));
            }
        }
        Val::from(id).with(value.t)
    }

    /// The order in which a set gives its items.
    pub(in crate::workload) fn set_order(&self, items: &[Val], more: Option<&Val>) -> Order {
        let (mut text, mut address) = (false, false);
        let count = items.len() + usize::from(more.is_some()) * 2;
        let mut todo: Vec<Val> = items.iter().chain(more).cloned().collect();
        if count > 1 {
            while let Some(item) = todo.pop() {
                match &item.k {
                    K::Str(_) | K::Bytes(_) | K::Any(Hint::Str | Hint::Bytes | Hint::Whatever) => text = true,
                    K::Tuple(parts) | K::Union(parts) => todo.extend(parts.iter().cloned()),
                    K::Ref(id) => match self.heap.get(*id) {
                        Obj::Instance { class: Some(class), .. } => {
                            if self.class_lookup(*class, "__hash__").is_some() || self.is_data(*class) {
                                text = true;
                            } else {
                                address = true;
                            }
                        }
                        _ => address = true,
                    },
                    // Before Python 3.12 None hashes by its address (python/cpython #99540).
                    K::Sym(_) | K::Bound(_) | K::None | K::Ellipsis => address = true,
                    _ => {}
                }
            }
        }
        if text || address { Order::Hashed { text, address } } else { Order::Own }
    }

    /// The items of a value whose order is used.
    pub(in crate::workload) fn iterate(&mut self, value: &Val) -> Items {
        let mut order = Order::Own;
        let items = self.iterate_keeping_order(value, &mut order);
        self.use_order(&order);
        items
    }

    /// The items whose order does not matter (`sorted`, `len`, `in`).
    pub(in crate::workload) fn known_items(&mut self, value: &Val) -> (Vec<Val>, Option<Val>) {
        let items = self.iterate_keeping_order(value, &mut Order::Own);
        (items.known, items.more)
    }

    /// The items of a value; what decides their order, where that is not the program, goes to `order`.
    pub(in crate::workload) fn iterate_keeping_order(&mut self, value: &Val, order: &mut Order) -> Items {
        match &value.k {
            K::Tuple(items) => Items { known: items.to_vec(), more: None },
            K::Str(text) => Items {
                known: text.chars().take(ITEMS).map(|c| Val::str(c.to_string())).collect(),
                more: None,
            },
            K::Bytes(bytes) => Items {
                known: bytes.iter().take(ITEMS).map(|b| Val::from(i64::from(*b))).collect(),
                more: None,
            },
            K::Range(start, stop, step) => range(*start, *stop, *step),
            K::Union(parts) => {
                let parts = parts.to_vec();
                let all: Vec<Val> = parts
                    .iter()
                    .flat_map(|p| {
                        let items = self.iterate_keeping_order(p, order);
                        items.known.into_iter().chain(items.more)
                    })
                    .collect();
                Items::vague(Val::one_of(all))
            }
            K::Any(Hint::Str) => Items::vague(Val::of(Hint::Str)),
            K::Any(Hint::Bytes) => Items::vague(Val::of(Hint::Int)),
            K::Any(_) => Items::vague(Val::any()),
            K::Ref(id) => {
                let object = self.heap.take(*id);
                match &*object {
                    Obj::List { items, more, order: own } => {
                        merge(order, own);
                        Items { known: items.clone(), more: more.clone() }
                    }
                    Obj::Dict { items, more, order: own, .. } => {
                        merge(order, own);
                        if *id == self.environ {
                            self.rec.read("env.**");
                        }
                        Items {
                            known: items.iter().map(|(k, _)| k.clone()).collect(),
                            more: more.as_ref().map(|(k, _)| k.clone()),
                        }
                    }
                    Obj::Set { items, more } => {
                        merge(order, &self.set_order(items, more.as_ref()));
                        Items { known: items.clone(), more: more.clone() }
                    }
                    Obj::Instance { .. } => self.iterate_instance(value),
                    Obj::Lib(_) => self.iterate_lib(*id, order),
                    Obj::Class(_) => Items::vague(Val::any()),
                    _ => Items::vague(Val::any()),
                }
            }
            _ => Items::vague(Val::any()),
        }
    }

    fn iterate_instance(&mut self, value: &Val) -> Items {
        let iter = self.attr(value, "__iter__");
        if !matches!(iter.k, K::Any(_)) {
            let iterator = self.call(&iter, &Args::default());
            if iterator.k != value.k {
                return self.iterate_keeping_order(&iterator, &mut Order::Own);
            }
            let next = self.attr(value, "__next__");
            let item = self.call(&next, &Args::default());
            return Items::vague(item);
        }
        let get = self.attr(value, "__getitem__");
        if !matches!(get.k, K::Any(_)) {
            let item = self.call(&get, &Args::of(vec![Val::of(Hint::Int)]));
            return Items::vague(item);
        }
        Items::vague(Val::any())
    }

    /// The keywords that `**value` gives, and whether there may be more.
    pub(in crate::workload) fn keywords(&mut self, value: &Val) -> (Vec<(Name, Val)>, bool) {
        if let K::Ref(id) = value.k
            && let Obj::Dict { items, more, .. } = self.heap.get(id)
        {
            let known =
                items.iter().filter_map(|(k, v)| Some((Name::from(k.as_str()?), v.clone()))).collect();
            return (known, more.is_some());
        }
        (Vec::new(), true)
    }

    /// `object[key]`.
    pub(in crate::workload) fn item(&mut self, object: &Val, key: &Val) -> Val {
        let taint: Taint = object.t | key.t;
        let value = match (&object.k, &key.k) {
            (K::Union(parts), _) => {
                let parts = parts.to_vec();
                Val::one_of(parts.iter().map(|p| self.item(p, key)).collect::<Vec<_>>())
            }
            (K::Tuple(items), K::Slice(parts)) => match slice(items, parts) {
                Some(items) => Val::tuple(items),
                None => {
                    let items = items.to_vec();
                    let more = (!items.is_empty()).then(|| Val::one_of(items));
                    self.list(Vec::new(), more)
                }
            },
            (K::Str(text), K::Slice(parts)) => {
                let chars: Vec<Val> = text.chars().map(|c| Val::str(c.to_string())).collect();
                match slice(&chars, parts) {
                    Some(chars) => Val::str(chars.iter().filter_map(Val::as_str).collect::<String>()),
                    None => Val::of(Hint::Str),
                }
            }
            (K::Any(Hint::Str) | K::Str(_), _) if key.as_int().is_none() => Val::of(Hint::Str),
            (K::Tuple(items), _) => match key.as_int() {
                Some(n) => index(items, n).unwrap_or_else(Val::any),
                None => Val::one_of(items.iter().cloned()),
            },
            (K::Str(text), _) => {
                let chars: Vec<Val> = text.chars().map(|c| Val::str(c.to_string())).collect();
                key.as_int().and_then(|n| index(&chars, n)).unwrap_or_else(|| Val::of(Hint::Str))
            }
            (K::Range(..), _) => {
                let items = self.iterate(object);
                match (key.as_int().and_then(|n| index(&items.known, n)), &key.k) {
                    (Some(item), _) => item,
                    (None, K::Slice(parts)) if items.more.is_none() => match slice(&items.known, parts) {
                        Some(items) => self.list(items, None),
                        None => self.list(Vec::new(), Some(Val::of(Hint::Int))),
                    },
                    _ => Val::of(Hint::Int),
                }
            }
            (K::Ref(id), _) => return self.object_item(*id, object, key).with(taint),
            (K::Sym(path), _) => {
                // `list[int]`, `np.r_[…]`, `jnp.s_[…]`.
                let path = path.to_string();
                self.symbol_item(&path, key)
            }
            (K::Any(Hint::Whatever) | K::Bound(_), _) => Val::any(),
            _ => Val::any(),
        };
        value.with(taint)
    }

    fn object_item(&mut self, id: crate::workload::value::Id, object: &Val, key: &Val) -> Val {
        let taken = self.heap.take(id);
        match &*taken {
            Obj::List { items, more, order } => {
                self.use_order(order);
                if let K::Slice(parts) = &key.k {
                    if more.is_none()
                        && let Some(items) = slice(items, parts)
                    {
                        return self.list(items, None);
                    }
                    let all = items.iter().chain(more).cloned().collect::<Vec<_>>();
                    let more = (!all.is_empty()).then(|| Val::one_of(all));
                    return self.list(Vec::new(), more);
                }
                let known = key.as_int().filter(|n| more.is_none() || *n >= 0).and_then(|n| index(items, n));
                known.unwrap_or_else(|| Val::one_of(items.iter().chain(more).cloned()))
            }
            Obj::Dict { items, more, factory, .. } => {
                if id == self.environ {
                    return self.environment(key, None);
                }
                if key.is_const() {
                    if let Some((_, value)) = items.iter().find(|(k, _)| same_key(k, key)) {
                        return value.clone();
                    }
                    if more.is_none() {
                        if let Some(factory) = factory {
                            let value = self.call(factory, &Args::default());
                            self.set_item(object, key, value.clone());
                            return value;
                        }
                        return Val::any();
                    }
                }
                let all: Vec<Val> =
                    items.iter().map(|(_, v)| v.clone()).chain(more.iter().map(|(_, v)| v.clone())).collect();
                if all.is_empty()
                    && let Some(factory) = factory
                {
                    let value = self.call(factory, &Args::default());
                    self.set_item(object, key, value.clone());
                    return value;
                }
                Val::one_of(all)
            }
            Obj::Instance { .. } => {
                let get = self.attr(object, "__getitem__");
                if matches!(get.k, K::Any(_)) {
                    Val::any()
                } else {
                    self.call(&get, &Args::of(vec![key.clone()]))
                }
            }
            Obj::Class(_) => object.clone(),
            Obj::Lib(_) => self.lib_item(id, key),
            _ => Val::any(),
        }
    }

    /// `object[key] = value`.
    pub(in crate::workload) fn set_item(&mut self, object: &Val, key: &Val, value: Val) {
        let id = match &object.k {
            K::Ref(id) => *id,
            K::Union(parts) => {
                for part in parts.iter() {
                    self.set_item(part, key, value.clone());
                }
                return;
            }
            _ => return,
        };
        if id == self.environ {
            self.set_environment(key, Some(&value));
        }
        if let Obj::Instance { .. } = self.heap.get(id) {
            let set = self.attr(object, "__setitem__");
            if !matches!(set.k, K::Any(_)) {
                self.call(&set, &Args::of(vec![key.clone(), value]));
            }
            return;
        }
        if let Obj::Lib(_) = self.heap.get(id) {
            self.set_lib_item(id, key, &value);
            return;
        }
        match self.heap.get_mut(id) {
            Obj::List { items, more, .. } => {
                let n = i64::try_from(items.len()).unwrap_or(0);
                match key
                    .as_int()
                    .map(|k| if k < 0 { k + n } else { k })
                    .and_then(|k| usize::try_from(k).ok())
                {
                    Some(k) if k < items.len() => items[k] = value,
                    _ => {
                        for item in items.iter_mut() {
                            *item = item.join(&value);
                        }
                        if items.is_empty() || more.is_some() {
                            *more = Some(more.as_ref().map_or_else(|| value.clone(), |m| m.join(&value)));
                        }
                    }
                }
            }
            Obj::Dict { items, more, .. } => {
                if key.is_const() && items.len() < ITEMS {
                    match items.iter_mut().find(|(k, _)| same_key(k, key)) {
                        Some((_, old)) => *old = value,
                        None => items.push((key.clone(), value)),
                    }
                } else {
                    // Some key: any of the values may be this one now.
                    if !key.is_const() {
                        for (_, old) in items.iter_mut() {
                            *old = old.join(&value);
                        }
                    }
                    *more = Some(match more.take() {
                        Some((k, v)) => (k.join(key), v.join(&value)),
                        None => (key.clone(), value),
                    });
                }
            }
            _ => {}
        }
    }

    /// `dict.update`.
    pub(in crate::workload) fn update(&mut self, dict: &Val, other: &Val) {
        let K::Ref(id) = other.k else {
            if !matches!(other.k, K::None) {
                self.set_item(dict, &Val::any(), Val::any());
            }
            return;
        };
        let other_object = self.heap.take(id);
        let (items, more, order) = match &*other_object {
            Obj::Dict { items, more, order, .. } => (items.clone(), more.clone(), order.clone()),
            Obj::Lib(_) => (Vec::new(), Some((Val::of(Hint::Str), self.any_item(id))), Order::Own),
            _ => {
                let made = self.make_dict(other);
                let K::Ref(made) = made.k else { return };
                match self.heap.get(made) {
                    Obj::Dict { items, more, order, .. } => (items.clone(), more.clone(), order.clone()),
                    _ => return,
                }
            }
        };
        for (key, value) in items {
            self.set_item(dict, &key, value);
        }
        if let Some((key, value)) = more {
            self.set_item(dict, &Val { k: K::Any(key.hint()), t: key.t }, value);
        }
        if let K::Ref(id) = dict.k
            && order != Order::Own
            && let Obj::Dict { order: own, .. } = self.heap.get_mut(id)
        {
            *own = order;
        }
    }

    /// How many items, where known.
    pub(in crate::workload) fn length(&mut self, value: &Val) -> Option<i64> {
        let items = match &value.k {
            K::Str(s) => return i64::try_from(s.chars().count()).ok(),
            K::Bytes(b) => return i64::try_from(b.len()).ok(),
            K::Tuple(t) => return i64::try_from(t.len()).ok(),
            K::Range(a, b, c) => return range_len(*a, *b, *c),
            K::Ref(id) => {
                let object = self.heap.take(*id);
                match &*object {
                    Obj::List { items, more: None, order: Order::Own } => items.len(),
                    Obj::Dict { items, more: None, .. } if *id != self.environ => items.len(),
                    Obj::Set { items, more: None } if items.iter().all(Val::is_const) => items.len(),
                    Obj::Instance { .. } => {
                        let len = self.attr(value, "__len__");
                        if matches!(len.k, K::Any(_)) {
                            return None;
                        }
                        return self.call(&len, &Args::default()).as_int();
                    }
                    Obj::Lib(lib) => return lib.array.as_ref()?.shape.as_ref()?.first().copied().flatten(),
                    _ => return None,
                }
            }
            _ => return None,
        };
        i64::try_from(items).ok()
    }
}

fn merge(order: &mut Order, own: &Order) {
    match (&mut *order, own) {
        (_, Order::Own) => {}
        (Order::Hashed { text, address }, Order::Hashed { text: t, address: a }) => {
            *text |= t;
            *address |= a;
        }
        _ => *order = own.clone(),
    }
}

/// Whether two keys are one key of a dict: 1, 1.0 and True are.
pub(super) fn same_key(a: &Val, b: &Val) -> bool {
    a.k == b.k || matches!((a.as_int(), b.as_int()), (Some(x), Some(y)) if x == y)
}

fn range_len(start: i64, stop: i64, step: i64) -> Option<i64> {
    let span = if step > 0 { stop.checked_sub(start)? } else { start.checked_sub(stop)? };
    let step = step.checked_abs().filter(|s| *s > 0)?;
    Some(if span <= 0 { 0 } else { (span - 1) / step + 1 })
}

fn range(start: i64, stop: i64, step: i64) -> Items {
    let Some(n) = range_len(start, stop, step) else { return Items::vague(Val::of(Hint::Int)) };
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let more = (n > ITEMS).then(|| Val::of(Hint::Int));
    let known = (0..n.min(ITEMS)).map(|i| Val::from(start + step * i64::try_from(i).unwrap_or(0))).collect();
    Items { known, more }
}

pub(in crate::workload) fn index(items: &[Val], n: i64) -> Option<Val> {
    let len = i64::try_from(items.len()).ok()?;
    let n = if n < 0 { n + len } else { n };
    items.get(usize::try_from(n).ok()?).cloned()
}

/// Python's slicing; `None` where a bound is not known.
pub(super) fn slice(items: &[Val], parts: &[Val; 3]) -> Option<Vec<Val>> {
    let bound = |v: &Val| if v.is_none() { Some(None) } else { v.as_int().map(Some) };
    let (start, stop, step) = (bound(&parts[0])?, bound(&parts[1])?, bound(&parts[2])?.unwrap_or(1));
    let len = i64::try_from(items.len()).ok()?;
    if step == 0 {
        return None;
    }
    let clamp = |n: Option<i64>, default: i64| {
        let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
        n.map_or(default, |n| if n < 0 { (n.saturating_add(len)).max(low) } else { n.min(high) })
    };
    let (mut at, end) =
        if step > 0 { (clamp(start, 0), clamp(stop, len)) } else { (clamp(start, len - 1), clamp(stop, -1)) };
    let mut out = Vec::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        out.push(items.get(usize::try_from(at).ok()?)?.clone());
        at = at.checked_add(step)?;
    }
    Some(out)
}
