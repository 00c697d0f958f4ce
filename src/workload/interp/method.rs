//! Methods of values that are no objects of the program's own classes.

use rustpython_ruff_python_ast::Operator;

use super::Interp;
use super::items::same_key;
use crate::workload::heap::{Obj, Order};
use crate::workload::value::{Args, Hint, Id, K, Val};

impl<'a> Interp<'a> {
    /// Calls `object.name(…)`.
    pub(in crate::workload) fn method(&mut self, object: &Val, name: &str, args: &Args) -> Val {
        let taint = object.t;
        match &object.k {
            K::Str(text) => {
                let text = text.to_string();
                self.str_method(Some(&text), name, args).with(taint)
            }
            K::Any(Hint::Str) => self.str_method(None, name, args).with(taint),
            K::Bytes(bytes) => match name {
                "decode" => {
                    let text = std::str::from_utf8(bytes).ok().map(str::to_owned);
                    text.map_or_else(|| Val::of(Hint::Str), Val::str).with(taint)
                }
                "hex" => Val::of(Hint::Str).with(taint),
                _ => Val::of(Hint::Bytes).with(taint),
            },
            K::Any(Hint::Bytes) => {
                Val::of(if matches!(name, "decode" | "hex") { Hint::Str } else { Hint::Bytes }).with(taint)
            }
            K::Int(_) | K::Bool(_) | K::Float(_) | K::Any(Hint::Int | Hint::Float | Hint::Bool) => match name
            {
                "hex" => Val::of(Hint::Str).with(taint),
                "is_integer" => Val::of(Hint::Bool).with(taint),
                "bit_length" | "bit_count" | "as_integer_ratio" => Val::of(Hint::Int).with(taint),
                "to_bytes" => Val::of(Hint::Bytes).with(taint),
                "item" | "tolist" | "conjugate" => object.clone(),
                // A NumPy number that is only known as a number.
                _ => Val::any().with(taint | args.taint()),
            },
            K::Tuple(_) | K::Range(..) => match name {
                "index" | "count" => Val::of(Hint::Int).with(taint),
                "_replace" => object.clone(),
                "_asdict" => Val::any().with(taint),
                _ => self.unknown_method(name, args).with(taint),
            },
            K::Union(parts) => {
                let parts = parts.to_vec();
                let all: Vec<Val> = parts.iter().map(|p| self.method(p, name, args)).collect();
                Val::one_of(all).with(taint)
            }
            K::Ref(id) => self.object_method(*id, object, name, args).with(taint),
            K::None => Val::any(),
            _ => self.unknown_method(name, args).with(taint),
        }
    }

    fn object_method(&mut self, id: Id, object: &Val, name: &str, args: &Args) -> Val {
        match self.heap.get(id) {
            Obj::List { .. } => self.list_method(id, object, name, args),
            Obj::Dict { .. } => self.dict_method(id, object, name, args),
            Obj::Set { .. } => self.set_method(id, object, name, args),
            Obj::Parser(_) => self.parser_method(id, name, args),
            Obj::Lib(_) => self.lib_method(id, object, name, args),
            Obj::Instance { class: Some(class), .. } => match self.lib_base(*class) {
                Some(base) => self.derived_method(&base, object, name, args),
                None => self.unknown_method(name, args),
            },
            Obj::Class(_) if name == "apply" => self.function_apply(id, args),
            Obj::Func(_) if matches!(name, "cache_clear" | "cache_info") => Val::NONE,
            Obj::Func(_) if name == "__wrapped__" => self.call(&id.into(), args),
            _ => self.unknown_method(name, args),
        }
    }

    fn list_method(&mut self, id: Id, object: &Val, name: &str, args: &Args) -> Val {
        let first = args.pos.first().cloned().unwrap_or_else(Val::any);
        match name {
            "append" | "appendleft" | "add" | "put" | "send" => {
                if let Obj::List { items, more, .. } = self.heap.get_mut(id) {
                    match more {
                        Some(m) => *m = m.join(&first),
                        None if items.len() >= 4096 => *more = Some(first),
                        None if name == "appendleft" => items.insert(0, first),
                        None => items.push(first),
                    }
                }
                Val::NONE
            }
            "insert" => {
                let value = args.pos.get(1).cloned().unwrap_or_else(Val::any);
                if let Obj::List { items, more, .. } = self.heap.get_mut(id) {
                    match first.as_int().and_then(|n| usize::try_from(n).ok()) {
                        Some(at) if more.is_none() => items.insert(at.min(items.len()), value),
                        _ => *more = Some(Val::one_of(items.drain(..).chain(more.take()).chain([value]))),
                    }
                }
                Val::NONE
            }
            "extend" | "extendleft" | "update" => {
                let mut order = Order::Own;
                let new = self.iterate_keeping_order(&first, &mut order);
                if let Obj::List { items, more, order: own } = self.heap.get_mut(id) {
                    match more {
                        None => {
                            items.extend(new.known);
                            *more = new.more;
                        }
                        Some(m) => {
                            *m = Val::one_of(std::iter::once(m.clone()).chain(new.known).chain(new.more))
                        }
                    }
                    if order != Order::Own {
                        *own = order;
                    }
                }
                Val::NONE
            }
            "pop" | "popleft" | "get" | "get_nowait" => {
                let list = self.heap.take(id);
                let Obj::List { items, more, order } = &*list else { return Val::any() };
                self.use_order(order);
                let at = if name == "pop" { args.pos.first().map_or(Some(-1), Val::as_int) } else { Some(0) };
                let n = i64::try_from(items.len()).unwrap_or(0);
                let at = at
                    .map(|a| if a < 0 { a + n } else { a })
                    .and_then(|a| usize::try_from(a).ok())
                    .filter(|a| *a < items.len());
                match (at, more) {
                    (Some(at), None) => {
                        if let Obj::List { items, .. } = self.heap.get_mut(id) {
                            return items.remove(at);
                        }
                        Val::any()
                    }
                    _ => Val::one_of(items.iter().chain(more).cloned()),
                }
            }
            "remove" | "clear" => {
                if let Obj::List { items, more, .. } = self.heap.get_mut(id) {
                    if name == "clear" {
                        items.clear();
                        *more = None;
                    } else if more.is_none() && first.is_const() {
                        if let Some(at) = items.iter().position(|i| same_key(i, &first)) {
                            items.remove(at);
                        }
                    } else {
                        *more = Some(Val::one_of(items.drain(..).chain(more.take())));
                    }
                }
                Val::NONE
            }
            "sort" => {
                let list = self.heap.take(id);
                let Obj::List { items, more, order } = &*list else { return Val::any() };
                let (mut items, mut more, mut order) = (items.clone(), more.clone(), order.clone());
                let key = args.named("key").filter(|k| !k.is_none()).cloned();
                let backwards = args.named("reverse").cloned().is_some_and(|r| self.truth(&r) == Some(true));
                self.sort_items(&mut items, &mut more, &mut order, key.as_ref(), backwards);
                *self.heap.get_mut(id) = Obj::List { items, more, order };
                Val::NONE
            }
            "reverse" => {
                if let Obj::List { items, more, .. } = self.heap.get_mut(id) {
                    match more {
                        None => items.reverse(),
                        Some(_) => *more = Some(Val::one_of(items.drain(..).chain(more.take()))),
                    }
                }
                Val::NONE
            }
            "copy" | "__copy__" => self.make_list(object),
            "index" | "count" | "__len__" | "qsize" => Val::of(Hint::Int),
            "close" | "join" | "task_done" | "rotate" => Val::NONE,
            "__next__" => self.builtin("next", &Args::of(vec![object.clone()])),
            "__iter__" => object.clone(),
            _ => self.unknown_method(name, args),
        }
    }

    fn dict_method(&mut self, id: Id, object: &Val, name: &str, args: &Args) -> Val {
        let key = args.pos.first().cloned().unwrap_or_else(Val::any);
        let default = args.pos.get(1).cloned();
        if id == self.environ
            && let Some(value) = self.environ_method(name, args)
        {
            return value;
        }
        let dict = self.heap.take(id);
        let Obj::Dict { items, more, order, .. } = &*dict else { return Val::any() };
        let find =
            |items: &[(Val, Val)]| items.iter().find(|(k, _)| same_key(k, &key)).map(|(_, v)| v.clone());
        let anything = || {
            Val::one_of(
                items
                    .iter()
                    .map(|(_, v)| v.clone())
                    .chain(more.iter().map(|(_, v)| v.clone()))
                    .chain([default.clone().unwrap_or(Val::NONE)]),
            )
        };
        match name {
            "get" => match (key.is_const(), find(items), more) {
                (true, Some(value), _) => value,
                (true, None, None) => default.unwrap_or(Val::NONE),
                _ => anything(),
            }
            .with(key.t),
            "setdefault" => {
                if let (true, Some(value)) = (key.is_const(), find(items)) {
                    return value;
                }
                let value = default.clone().unwrap_or(Val::NONE);
                self.set_item(object, &key, value.clone());
                if more.is_some() || !key.is_const() { anything() } else { value }
            }
            "pop" => {
                let value = find(items);
                match (key.is_const(), value) {
                    (true, Some(value)) => {
                        if let Obj::Dict { items, .. } = self.heap.get_mut(id) {
                            items.retain(|(k, _)| !same_key(k, &key));
                        }
                        value
                    }
                    (true, None) if more.is_none() => default.unwrap_or_else(Val::any),
                    _ => anything(),
                }
            }
            "popitem" => {
                self.use_order(order);
                Val::one_of(items.iter().chain(more).map(|(k, v)| Val::tuple(vec![k.clone(), v.clone()])))
            }
            "keys" | "values" | "items" | "elements" => {
                let pick = |(k, v): &(Val, Val)| match name {
                    "keys" | "elements" => k.clone(),
                    "values" => v.clone(),
                    _ => Val::tuple(vec![k.clone(), v.clone()]),
                };
                let known = items.iter().map(pick).collect();
                let more = more.as_ref().map(pick);
                self.heap.new_object(Obj::List { items: known, more, order: order.clone() }).into()
            }
            "most_common" => {
                let pairs = items.iter().chain(more).map(|(k, v)| Val::tuple(vec![k.clone(), v.clone()]));
                let more = Val::one_of(pairs);
                // Equal counts keep the order of their first appearance.
                self.heap
                    .new_object(Obj::List { items: Vec::new(), more: Some(more), order: order.clone() })
                    .into()
            }
            "update" => {
                if let Some(other) = args.pos.first() {
                    self.update(object, other);
                }
                for (k, v) in &args.kw {
                    self.set_item(object, &Val::str(k.as_str()), v.clone());
                }
                Val::NONE
            }
            "copy" => self.make_dict(object),
            "clear" => {
                if let Obj::Dict { items, more, .. } = self.heap.get_mut(id) {
                    items.clear();
                    *more = None;
                }
                Val::NONE
            }
            "move_to_end" => Val::NONE,
            "__contains__" => Val::of(Hint::Bool),
            "__len__" => Val::of(Hint::Int),
            "__getitem__" => self.item(object, &key),
            "__iter__" => object.clone(),
            _ => self.unknown_method(name, args),
        }
    }

    fn set_method(&mut self, id: Id, object: &Val, name: &str, args: &Args) -> Val {
        let first = args.pos.first().cloned();
        let set = self.heap.take(id);
        let Obj::Set { items, more } = &*set else { return Val::any() };
        let operation = match name {
            "union" | "update" => Some(Operator::BitOr),
            "intersection" | "intersection_update" => Some(Operator::BitAnd),
            "difference" | "difference_update" => Some(Operator::Sub),
            "symmetric_difference" | "symmetric_difference_update" => Some(Operator::BitXor),
            _ => None,
        };
        if let Some(op) = operation {
            let (mut own, mut rest) = (items.clone(), more.clone());
            for arg in &args.pos {
                let (known, other) = self.known_items(arg);
                let made = self.set_operation(op, &own, rest.as_ref(), &known, other.as_ref());
                if let K::Ref(made) = made.k
                    && let Obj::Set { items, more } = self.heap.get(made)
                {
                    (own, rest) = (items.clone(), more.clone());
                }
            }
            if name.ends_with("update") {
                *self.heap.get_mut(id) = Obj::Set { items: own, more: rest };
                return Val::NONE;
            }
            return self.heap.new_object(Obj::Set { items: own, more: rest }).into();
        }
        match name {
            "add" => {
                let value = first.unwrap_or_else(Val::any);
                if let Obj::Set { items, more } = self.heap.get_mut(id) {
                    if value.is_const() && items.len() < 4096
                        || matches!(value.k, K::Ref(_)) && items.len() < 64
                    {
                        if !items.iter().any(|i| same_key(i, &value)) {
                            items.push(value);
                        }
                    } else {
                        *more = Some(more.as_ref().map_or_else(|| value.clone(), |m| m.join(&value)));
                    }
                }
                Val::NONE
            }
            "discard" | "remove" => {
                if let (Obj::Set { items, .. }, Some(value)) = (self.heap.get_mut(id), first) {
                    items.retain(|i| !same_key(i, &value));
                }
                Val::NONE
            }
            "clear" => {
                *self.heap.get_mut(id) = Obj::Set { items: Vec::new(), more: None };
                Val::NONE
            }
            "pop" => {
                let found = self.iterate(object);
                Val::one_of(found.known.into_iter().chain(found.more))
            }
            "copy" => self.make_set(object),
            "issubset" | "issuperset" | "isdisjoint" => Val::of(Hint::Bool),
            _ => self.unknown_method(name, args),
        }
    }
}
