//! The built-in functions and types.

use std::rc::Rc;

use rustpython_ruff_python_ast::Operator;

use super::Interp;
use super::compare::{number, sort};
use crate::workload::heap::{Obj, Order};
use crate::workload::value::{ADDRESS, Args, HASH, Hint, K, Val};

/// Names of `builtins`, the exceptions apart, sorted.
const BUILTINS: &[&str] = &[
    "Ellipsis",
    "NotImplemented",
    "__build_class__",
    "__debug__",
    "__import__",
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "locals",
    "map",
    "max",
    "memoryview",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "quit",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
];

/// Whether a name that nothing else binds is Python's own.
pub(super) fn is_builtin(name: &str) -> bool {
    BUILTINS.binary_search(&name).is_ok()
        || ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end))
        || matches!(
            name,
            "StopIteration" | "StopAsyncIteration" | "KeyboardInterrupt" | "SystemExit" | "GeneratorExit"
        )
}

impl<'a> Interp<'a> {
    /// Calls a built-in function or type.
    pub(in crate::workload) fn builtin(&mut self, name: &str, args: &Args) -> Val {
        let taint = args.taint();
        let first = args.pos.first().cloned();
        let Some(one) = first else { return self.builtin_bare(name, args) };
        match name {
            "print" => {
                self.printed(args);
                Val::NONE
            }
            "len" => self.length(&one).map_or_else(|| Val::of(Hint::Int), Val::from).with(taint),
            "range" => {
                range(args).unwrap_or_else(|| self.list(Vec::new(), Some(Val::of(Hint::Int)))).with(taint)
            }
            "list" => self.make_list(&one),
            "tuple" => self.make_tuple(&one),
            "set" | "frozenset" => self.make_set(&one),
            "dict" => {
                let dict = self.make_dict(&one);
                self.add_keywords(&dict, args);
                dict
            }
            "str" if args.pos.len() > 1 || args.named("encoding").is_some() => Val::of(Hint::Str).with(taint),
            "str" => self.as_text(&one),
            "repr" | "ascii" => {
                let taint = self.reach(&one, true).0;
                match &one.k {
                    K::Str(_) => Val::of(Hint::Str).with(taint),
                    _ => self.as_text(&one).with(taint),
                }
            }
            "format" => {
                let taint = self.reach(&one, true).0;
                let spec = args.pos.get(1).map_or(Some(""), Val::as_str);
                let text = spec.and_then(|s| super::text::show(&one, s));
                text.map_or_else(|| Val::of(Hint::Str), Val::str).with(taint)
            }
            "int" => self.as_integer(&one, args.get(1, "base")),
            "float" => self.as_real(&one),
            "bool" => {
                self.use_scalar(&one);
                self.truth(&one).map_or_else(|| Val::of(Hint::Bool), Val::from).with(taint)
            }
            "bytes" | "bytearray" | "memoryview" => Val::of(Hint::Bytes).with(taint),
            "chr" => Val::of(Hint::Str).with(taint),
            "ord" => {
                let mut chars = one.as_str().unwrap_or_default().chars();
                let code = chars.next().map(|c| i64::from(u32::from(c)));
                code.map_or_else(|| Val::of(Hint::Int), Val::from).with(taint)
            }
            "hex" | "oct" | "bin" | "input" => Val::of(Hint::Str).with(taint),
            "sorted" => self.sorted(&one, args),
            "reversed" => {
                let mut order = Order::Own;
                let mut items = self.iterate_keeping_order(&one, &mut order);
                if items.more.is_none() {
                    items.known.reverse();
                } else {
                    items.more = Some(Val::one_of(items.known.drain(..).chain(items.more.take())));
                }
                Val::from(self.heap.new_object(Obj::List { items: items.known, more: items.more, order }))
                    .with(taint)
            }
            "enumerate" => {
                let start = args.get(1, "start").map_or(Some(0), Val::as_int);
                let mut order = Order::Own;
                let items = self.iterate_keeping_order(&one, &mut order);
                // A number for each: the order has become part of the values.
                self.use_order(&std::mem::take(&mut order));
                let place =
                    |i: i64| start.map_or_else(|| Val::of(Hint::Int), |s| Val::from(s.saturating_add(i)));
                let known =
                    items.known.into_iter().zip(0..).map(|(v, i)| Val::tuple(vec![place(i), v])).collect();
                let more = items.more.map(|v| Val::tuple(vec![Val::of(Hint::Int), v]));
                Val::from(self.heap.new_object(Obj::List { items: known, more, order })).with(taint)
            }
            "zip" => self.zip(args),
            "map" => {
                let zipped = self.zip(&Args::of(args.pos[1..].to_vec()));
                self.mapped(&zipped, &mut |s, row| {
                    let items = s.iterate(row).known;
                    s.call(&one, &Args::of(items))
                })
            }
            "filter" => {
                let mut order = Order::Own;
                let items = self.iterate_keeping_order(args.pos.get(1).unwrap_or(&Val::NONE), &mut order);
                let (mut known, mut more) = (Vec::new(), None::<Val>);
                for item in items.known.iter().take(256).chain(&items.more) {
                    let hit = if one.is_none() {
                        item.clone()
                    } else {
                        self.call(&one, &Args::of(vec![item.clone()]))
                    };
                    match self.truth(&hit) {
                        Some(false) => {}
                        Some(true) if more.is_none() && items.more.is_none() => known.push(item.clone()),
                        _ => more = Some(more.map_or_else(|| item.clone(), |m| m.join(item))),
                    }
                }
                Val::from(self.heap.new_object(Obj::List { items: known, more, order })).with(taint)
            }
            "sum" => self.sum(&one, args),
            "min" | "max" => self.extreme(name == "max", args),
            "any" | "all" => {
                let (known, more) = self.known_items(&one);
                let mut open = more.is_some();
                for item in &known {
                    match self.truth(item) {
                        Some(t) if t == (name == "any") => return Val::from(t).with(taint),
                        None => open = true,
                        _ => {}
                    }
                }
                self.use_scalar(&one);
                (if open { Val::of(Hint::Bool) } else { Val::from(name == "all") }).with(taint)
            }
            "abs" | "round" => match &one.k {
                K::Int(n) => n
                    .checked_abs()
                    .filter(|_| name == "abs")
                    .map_or_else(|| one.clone(), Val::from)
                    .with(taint),
                K::Float(f) if name == "abs" => Val::from(K::Float(f.abs())).with(taint),
                #[expect(clippy::cast_possible_truncation, reason = "bounded")]
                K::Float(f) if args.pos.len() == 1 && f.abs() < 1e15 => {
                    Val::from(f.round_ties_even() as i64).with(taint)
                }
                K::Float(_) | K::Any(Hint::Float) => {
                    Val::of(if name == "round" && args.pos.len() == 1 { Hint::Int } else { Hint::Float })
                        .with(taint)
                }
                K::Ref(_) => match self.array_library(&one) {
                    Some(library) => self.array_method(&library, &one, name, &Args::default()),
                    None => Val::any().with(taint),
                },
                _ => Val::of(one.hint()).with(taint),
            },
            "pow" => {
                let power = args.pos.get(1).cloned().unwrap_or_else(Val::any);
                self.binary(Operator::Pow, &one, &power)
            }
            "divmod" => {
                let by = args.pos.get(1).cloned().unwrap_or_else(Val::any);
                let parts = [Operator::FloorDiv, Operator::Mod].map(|op| self.binary(op, &one, &by));
                Val::tuple(parts.to_vec())
            }
            "hash" => self.hash(&one).with(taint),
            "id" => Val::of(Hint::Int).with(ADDRESS),
            "isinstance" | "issubclass" => {
                let class = args.pos.get(1).cloned().unwrap_or_else(Val::any);
                self.is_a(&one, &class).map_or_else(|| Val::of(Hint::Bool), Val::from)
            }
            "type" => self.type_of(&one),
            "getattr" => self.getattr(&one, args),
            "setattr" => {
                if let (Some(name), Some(value)) = (args.pos.get(1).and_then(Val::as_str), args.pos.get(2)) {
                    let name = name.to_owned();
                    self.set_attr(&one, &name, value.clone());
                }
                Val::NONE
            }
            "hasattr" => {
                let name = args.pos.get(1).and_then(Val::as_str).map(str::to_owned);
                name.and_then(|n| self.has_attr(&one, &n)).map_or_else(|| Val::of(Hint::Bool), Val::from)
            }
            "callable" => match &one.k {
                K::Ref(id) if matches!(self.heap.get(*id), Obj::Func(_) | Obj::Class(_)) => true.into(),
                _ if one.is_const() => false.into(),
                _ => Val::of(Hint::Bool),
            },
            "vars" => self.attr(&one, "__dict__"),
            "open" => self.open(args),
            "iter" => match &one.k {
                K::Ref(id) if !matches!(self.heap.get(*id), Obj::Instance { .. }) => {
                    let mut order = Order::Own;
                    let items = self.iterate_keeping_order(&one, &mut order);
                    Val::from(self.heap.new_object(Obj::List { items: items.known, more: items.more, order }))
                        .with(taint)
                }
                _ => one,
            },
            "next" => {
                let items = self.iterate(&one);
                let found = items.known.first().cloned().or(items.more);
                // Which one comes next is not followed: any of them, but for the first call on a fresh iterator.
                match (found, args.pos.get(1)) {
                    (Some(item), Some(default)) => item.join(default),
                    (Some(item), None) => item,
                    (None, Some(default)) => default.clone(),
                    (None, None) => Val::any(),
                }
                .with(taint)
            }
            "slice" => {
                let at = |i: usize| args.pos.get(i).cloned().unwrap_or(Val::NONE);
                let parts =
                    if args.pos.len() == 1 { [Val::NONE, one, Val::NONE] } else { [one, at(1), at(2)] };
                K::Slice(Rc::new(parts)).into()
            }
            "property" | "staticmethod" | "classmethod" => {
                self.lib_object(&format!("builtins.{name}"), args.clone(), None)
            }
            "super" => {
                let me = args.pos.get(1).cloned();
                match (&one.k, me) {
                    (K::Ref(_), Some(_)) => self.lib_object("builtins.super", args.clone(), None),
                    _ => Val::any(),
                }
            }
            "exec" | "compile" => {
                self.incomplete("all", &format!("`{name}` runs a text"));
                Val::any()
            }
            "eval" => self.eval_text(&one),
            "__import__" => match one.as_str().map(str::to_owned) {
                Some(module) => self.import(module.split('.').next().unwrap_or(&module)),
                None => {
                    self.incomplete("all", "an import by a name that is not known");
                    Val::any()
                }
            },
            "exit" | "quit" => {
                self.stop();
                Val::any()
            }
            "complex" => Val::any().with(taint),
            "$identity" => one,
            "$none" => Val::NONE,
            "globals" | "locals" | "dir" | "help" | "breakpoint" | "delattr" | "object" => Val::any(),
            _ => {
                // An exception: its arguments are a message.
                Val::any()
            }
        }
    }

    /// The same without positional arguments.
    fn builtin_bare(&mut self, name: &str, args: &Args) -> Val {
        match name {
            "list" => self.list(Vec::new(), args.more.then(Val::any)),
            "tuple" if !args.more => Val::tuple(Vec::new()),
            "set" | "frozenset" => self.set(Vec::new(), None),
            "dict" => {
                let dict = Obj::Dict { items: Vec::new(), more: None, factory: None, order: Order::Own };
                let dict = Val::from(self.heap.new_object(dict));
                self.add_keywords(&dict, args);
                dict
            }
            "int" => Val::from(0),
            "float" => K::Float(0.0).into(),
            "str" => Val::str(""),
            "bool" => false.into(),
            "bytes" => Val::of(Hint::Bytes),
            "zip" => self.list(Vec::new(), args.more.then(Val::any)),
            "object" => self.heap.new_object(Obj::Instance { class: None, attrs: Default::default() }).into(),
            "super" => match self.here() {
                Some((class, me)) => {
                    self.lib_object("builtins.super", Args::of(vec![class.into(), me]), None)
                }
                None => Val::any(),
            },
            "exit" | "quit" => {
                self.stop();
                Val::any()
            }
            "print" => Val::NONE,
            "$none" => Val::NONE,
            "open" => self.open(args),
            "min" | "max" | "sum" | "map" | "sorted" => {
                self.hand_over(args);
                Val::any()
            }
            _ => Val::any(),
        }
    }

    /// Ends the program, or the part of it that a handler does not catch.
    pub(in crate::workload) fn stop(&mut self) {
        self.stopping = true;
    }

    /// What is printed is used in its order, but a value of the surroundings in it is no result.
    pub(in crate::workload) fn printed(&mut self, args: &Args) {
        let effects = self.rec.effects;
        for value in args.all().cloned().collect::<Vec<_>>() {
            let taint = self.reach(&value, true).0;
            self.rec.printed(taint);
        }
        self.rec.effects = effects;
    }

    fn add_keywords(&mut self, dict: &Val, args: &Args) {
        for (name, value) in &args.kw {
            self.set_item(dict, &Val::str(name.as_str()), value.clone());
        }
        if args.more {
            self.set_item(dict, &Val::of(Hint::Str), Val::any());
        }
    }

    fn sorted(&mut self, one: &Val, args: &Args) -> Val {
        let mut order = Order::Own;
        let mut items = self.iterate_keeping_order(one, &mut order);
        let key = args.named("key").filter(|k| !k.is_none()).cloned();
        let backwards = args.named("reverse").cloned().is_some_and(|r| self.truth(&r) == Some(true));
        self.sort_items(&mut items.known, &mut items.more, &mut order, key.as_ref(), backwards);
        Val::from(self.heap.new_object(Obj::List { items: items.known, more: items.more, order })).with(one.t)
    }

    /// Sorts a list's items, where they can be compared here; else they keep their order but are no longer known by place.
    pub(in crate::workload) fn sort_items(
        &mut self,
        items: &mut Vec<Val>,
        more: &mut Option<Val>,
        order: &mut Order,
        key: Option<&Val>,
        backwards: bool,
    ) {
        // Equal keys keep the order they come in: of a key that many share (`len`) that order is used.
        let partial = key.is_some_and(|k| matches!(k.as_sym(), Some("builtins.len" | "builtins.type")));
        if !partial {
            *order = Order::Own;
        }
        let mut keyed = Vec::new();
        if let Some(key) = key {
            for item in items.iter().chain(more.iter()).take(64) {
                keyed.push(self.call(key, &Args::of(vec![item.clone()])));
            }
        }
        if more.is_none() {
            let done = match key {
                None => sort(items).is_some(),
                Some(_) if keyed.len() == items.len() => {
                    let mut rows: Vec<Val> = keyed
                        .iter()
                        .zip(0i64..)
                        .map(|(k, i)| Val::tuple(vec![k.clone(), i.into()]))
                        .collect();
                    let sorted = sort(&mut rows).is_some();
                    if sorted {
                        let place = |r: &Val| match &r.k {
                            K::Tuple(t) => {
                                t.get(1).and_then(Val::as_int).and_then(|i| usize::try_from(i).ok())
                            }
                            _ => None,
                        };
                        *items =
                            rows.iter().filter_map(place).filter_map(|i| items.get(i).cloned()).collect();
                    }
                    sorted
                }
                Some(_) => false,
            };
            if done {
                if backwards {
                    items.reverse();
                }
                return;
            }
        }
        if items.len() > 1 || more.is_some() {
            *more = Some(Val::one_of(items.drain(..).chain(more.take())));
        }
    }

    /// `zip`: rows of items.
    fn zip(&mut self, args: &Args) -> Val {
        let mut order = Order::Own;
        let columns: Vec<_> = args.pos.iter().map(|a| self.iterate_keeping_order(a, &mut order)).collect();
        if columns.len() > 1 {
            self.use_order(&std::mem::take(&mut order));
        }
        let whole = columns.iter().filter(|c| c.more.is_none()).map(|c| c.known.len()).min();
        let sure = columns.iter().map(|c| c.known.len()).min().unwrap_or(0);
        let at = |c: &super::Items, i: usize| {
            c.known.get(i).cloned().or_else(|| c.more.clone()).unwrap_or_else(Val::any)
        };
        let row = |i: usize| Val::tuple(columns.iter().map(|c| at(c, i)).collect());
        let rows: Vec<Val> = (0..sure).map(row).collect();
        let more = (whole != Some(sure) && !columns.is_empty()).then(|| {
            Val::tuple(
                columns
                    .iter()
                    .map(|c| Val::one_of(c.known.iter().skip(sure).chain(&c.more).cloned()))
                    .collect(),
            )
        });
        let id = self.heap.new_object(Obj::List { items: rows, more, order });
        Val::from(id).with(args.taint())
    }

    /// The same list with every item put through a function.
    pub(in crate::workload) fn mapped(
        &mut self,
        list: &Val,
        f: &mut dyn FnMut(&mut Self, &Val) -> Val,
    ) -> Val {
        let mut order = Order::Own;
        let items = self.iterate_keeping_order(list, &mut order);
        let start = self.steps;
        let (mut known, mut more) = (Vec::new(), None::<Val>);
        for item in &items.known {
            if self.steps - start > 8_000 {
                more = Some(Val::any());
                break;
            }
            known.push(f(self, item));
        }
        if let Some(item) = &items.more {
            let value = f(self, item);
            more = Some(more.map_or_else(|| value.clone(), |m| m.join(&value)));
        }
        Val::from(self.heap.new_object(Obj::List { items: known, more, order })).with(list.t)
    }

    fn sum(&mut self, one: &Val, args: &Args) -> Val {
        let items = self.iterate(one);
        let start = args.get(1, "start").cloned();
        let all: Vec<Val> = start.iter().chain(&items.known).chain(&items.more).cloned().collect();
        let taint = args.taint() | all.iter().fold(0, |t, v| t | v.t);
        if all.iter().any(|v| matches!(v.k, K::Ref(_) | K::Tuple(_))) {
            // Arrays or lists: the operator of the items.
            let mut total = start.unwrap_or_else(|| Val::from(0));
            for item in items.known.iter().take(64).chain(&items.more) {
                total = self.binary(Operator::Add, &total, item);
            }
            return total;
        }
        let whole = |v: &Val| matches!(v.hint(), Hint::Int | Hint::Bool);
        if all.iter().all(whole) {
            let known = items
                .more
                .is_none()
                .then(|| all.iter().try_fold(0i64, |n, v| n.checked_add(v.as_int()?)))
                .flatten();
            return known.map_or_else(|| Val::of(Hint::Int), Val::from).with(taint);
        }
        self.rec.operation("python.float.sum");
        self.rec.used(taint);
        Val::of(if all.iter().any(|v| v.hint() == Hint::Whatever) { Hint::Whatever } else { Hint::Float })
            .with(taint)
    }

    fn extreme(&mut self, greatest: bool, args: &Args) -> Val {
        let (known, more) = match &args.pos[..] {
            [one] => {
                if let Some(library) = self.array_library(one) {
                    return self.array_method(
                        &library,
                        one,
                        if greatest { "max" } else { "min" },
                        &Args::default(),
                    );
                }
                self.known_items(one)
            }
            all => (all.to_vec(), None),
        };
        let taint = args.taint() | known.iter().chain(&more).fold(0, |t, v| t | v.t);
        if let Some(key) = args.named("key").cloned() {
            for item in known.iter().chain(&more).take(64) {
                self.call(&key, &Args::of(vec![item.clone()]));
            }
            return Val::one_of(known.into_iter().chain(more).chain(args.named("default").cloned()))
                .with(taint);
        }
        if more.is_none() && !args.more && known.iter().all(|v| number(v).is_some() || v.as_str().is_some()) {
            let mut items = known.clone();
            let numbers = known.iter().all(|v| number(v).is_some());
            if sort(&mut items).is_some() || numbers {
                if numbers {
                    items.sort_by(|a, b| {
                        number(a).partial_cmp(&number(b)).unwrap_or(std::cmp::Ordering::Equal)
                    });
                }
                let found = if greatest { items.pop() } else { items.into_iter().next() };
                return found.or_else(|| args.named("default").cloned()).unwrap_or_else(Val::any).with(taint);
            }
        }
        let all: Vec<Val> = known.into_iter().chain(more).chain(args.named("default").cloned()).collect();
        let hint = all.iter().map(Val::hint).reduce(|a, b| if a == b { a } else { Hint::Whatever });
        match hint {
            Some(hint) if hint != Hint::Whatever => Val::of(hint).with(taint),
            _ => Val::one_of(all).with(taint),
        }
    }

    fn hash(&mut self, one: &Val) -> Val {
        let (mut text, mut address, mut todo) = (false, false, vec![one.clone()]);
        while let Some(value) = todo.pop() {
            match &value.k {
                K::Str(_) | K::Bytes(_) | K::Any(Hint::Str | Hint::Bytes | Hint::Whatever) => text = true,
                K::Tuple(items) | K::Union(items) => todo.extend(items.iter().cloned()),
                K::Ref(id) => {
                    if let Obj::Instance { class: Some(class), .. } = self.heap.get(*id)
                        && let Some(own) = self.class_lookup(*class, "__hash__")
                    {
                        return self.call(&own, &Args::of(vec![value.clone()]));
                    }
                    address = true;
                }
                K::None => address = true,
                _ => {}
            }
        }
        Val::of(Hint::Int).with(if text { HASH } else { 0 } | if address { ADDRESS } else { 0 })
    }

    /// `isinstance`, where it is known.
    fn is_a(&mut self, value: &Val, class: &Val) -> Option<bool> {
        if let K::Tuple(classes) = &class.k {
            let all: Vec<Option<bool>> = classes.to_vec().iter().map(|c| self.is_a(value, c)).collect();
            return if all.contains(&Some(true)) {
                Some(true)
            } else {
                all.iter().all(|a| *a == Some(false)).then_some(false)
            };
        }
        let wanted = class.as_sym();
        let plain = match value.hint() {
            Hint::Bool => Some(&["builtins.bool", "builtins.int"][..]),
            Hint::Int => Some(&["builtins.int"][..]),
            Hint::Float => Some(&["builtins.float"][..]),
            Hint::Str => Some(&["builtins.str"][..]),
            Hint::Bytes => Some(&["builtins.bytes"][..]),
            Hint::Whatever => match &value.k {
                K::Tuple(_) => Some(&["builtins.tuple"][..]),
                K::None => Some(&[][..]),
                K::Ref(id) => match self.heap.get(*id) {
                    Obj::List { .. } => Some(&["builtins.list"][..]),
                    Obj::Dict { .. } => Some(&["builtins.dict"][..]),
                    Obj::Set { .. } => Some(&["builtins.set", "builtins.frozenset"][..]),
                    _ => None,
                },
                _ => None,
            },
        };
        if let Some(own) = plain {
            let wanted = wanted?;
            if own.contains(&wanted) || wanted == "builtins.object" {
                return Some(true);
            }
            return (wanted.starts_with("builtins.")
                || wanted.starts_with("torch.")
                || wanted.starts_with("numpy."))
            .then_some(false);
        }
        let K::Ref(id) = value.k else { return None };
        match (self.heap.get(id), &class.k) {
            (Obj::Instance { class: Some(own), .. }, K::Ref(class)) => {
                Some(self.lineage(*own).contains(class))
            }
            (Obj::Instance { class: Some(own), .. }, K::Sym(path)) => {
                let base = self.lib_base(*own)?;
                (base == *path || base.starts_with("torch.nn.") && &**path == "torch.nn.Module")
                    .then_some(true)
            }
            (Obj::Lib(lib), K::Sym(path)) => {
                let path = super::super::lib::canonical(path);
                if lib.path.starts_with("torch.nn.") && path.starts_with("torch.nn.") {
                    let last = |p: &str| p.rsplit('.').next().unwrap_or_default().to_owned();
                    return Some(&*path == "torch.nn.Module" || last(&lib.path) == last(&path));
                }
                if lib.array.is_some() {
                    let own = lib.path.split('.').next()?;
                    return match &*path {
                        "torch.Tensor" => Some(own == "torch"),
                        "numpy.ndarray" => Some(own == "numpy"),
                        p if p.starts_with("builtins.") => Some(false),
                        _ => None,
                    };
                }
                path.starts_with("builtins.").then_some(false)
            }
            (Obj::Lib(_), K::Ref(_)) => Some(false),
            _ => None,
        }
    }

    fn type_of(&mut self, one: &Val) -> Val {
        let name = match one.hint() {
            Hint::Bool => "bool",
            Hint::Int => "int",
            Hint::Float => "float",
            Hint::Str => "str",
            Hint::Bytes => "bytes",
            Hint::Whatever => match &one.k {
                K::Ref(id) => match self.heap.get(*id) {
                    Obj::Instance { class: Some(class), .. } => return (*class).into(),
                    Obj::Lib(lib) if lib.array.is_none() => return Val::sym(&*lib.path.clone()),
                    Obj::List { .. } => "list",
                    Obj::Dict { .. } => "dict",
                    Obj::Set { .. } => "set",
                    _ => return Val::any(),
                },
                K::Tuple(_) => "tuple",
                _ => return Val::any(),
            },
        };
        Val::sym(format!("builtins.{name}"))
    }

    fn getattr(&mut self, object: &Val, args: &Args) -> Val {
        let Some(name) = args.pos.get(1) else { return Val::any() };
        let taint = name.t;
        let names: Option<Vec<String>> = name.parts().iter().map(|p| p.as_str().map(str::to_owned)).collect();
        let Some(names) = names else {
            return match &object.k {
                // Some function of the library, whichever.
                K::Sym(path) => Val::sym(format!("{path}.$some")).with(taint),
                _ => {
                    let (t, _) = self.reach(object, false);
                    Val::any().with(taint | t)
                }
            };
        };
        let mut found = Vec::new();
        for name in names {
            let default = args.pos.get(2);
            match (self.has_attr(object, &name), default) {
                (Some(false), Some(default)) => found.push(default.clone()),
                (None, Some(default)) => {
                    let value = self.attr(object, &name);
                    found.push(value.join(default));
                }
                _ => found.push(self.attr(object, &name)),
            }
        }
        Val::one_of(found).with(taint)
    }

    /// Whether an object has an attribute, where that is known.
    fn has_attr(&mut self, object: &Val, name: &str) -> Option<bool> {
        match &object.k {
            K::Union(parts) => {
                let all: Vec<Option<bool>> = parts.to_vec().iter().map(|p| self.has_attr(p, name)).collect();
                let first = *all.first()?;
                if all.iter().all(|a| *a == first) { first } else { None }
            }
            K::Ref(id) => match self.heap.get(*id) {
                Obj::Instance { class, attrs } => {
                    if attrs.contains_key(name) {
                        return Some(true);
                    }
                    let Some(class) = *class else { return Some(false) };
                    if self.class_lookup(class, name).is_some() {
                        return Some(true);
                    }
                    self.lib_base(class).is_none().then_some(false)
                }
                Obj::Lib(lib) if lib.array.is_some() => {
                    let array = matches!(name, "dtype" | "shape" | "ndim" | "tolist" | "item");
                    let torch = lib.path.starts_with("torch.");
                    match name {
                        "numpy" | "detach" | "cpu" | "backward" | "requires_grad" => Some(torch),
                        "tobytes" | "astype" => Some(!torch),
                        _ => array.then_some(true),
                    }
                }
                Obj::List { .. } | Obj::Dict { .. } | Obj::Set { .. }
                    if matches!(name, "dtype" | "shape" | "numpy" | "detach" | "tolist") =>
                {
                    Some(false)
                }
                Obj::Module { globals, .. } => self.heap.names(*globals)?.contains_key(name).then_some(true),
                _ => None,
            },
            K::Int(_) | K::Float(_) | K::Str(_) | K::None | K::Bool(_) | K::Tuple(_) | K::Bytes(_)
                if matches!(name, "dtype" | "shape" | "numpy" | "detach" | "tolist" | "cpu" | "ndim") =>
            {
                Some(false)
            }
            K::Any(hint)
                if *hint != Hint::Whatever
                    && matches!(name, "dtype" | "shape" | "numpy" | "detach" | "tolist" | "cpu") =>
            {
                Some(false)
            }
            _ => None,
        }
    }

    /// `eval` of a dotted name or a number; anything else is not followed.
    fn eval_text(&mut self, text: &Val) -> Val {
        if let Some(text) = text.as_str().map(str::to_owned) {
            let parts: Vec<&str> = text.trim().split('.').collect();
            let word = |p: &&str| {
                !p.is_empty()
                    && p.chars().all(|c| c.is_alphanumeric() || c == '_')
                    && !p.starts_with(|c: char| c.is_ascii_digit())
            };
            if parts.iter().all(word) {
                let mut value = self.lookup(parts[0]);
                for part in &parts[1..] {
                    value = self.attr(&value, part);
                }
                return value;
            }
            if let Ok(n) = text.trim().parse::<i64>() {
                return n.into();
            }
            if let Ok(f) = text.trim().parse::<f64>()
                && !f.is_nan()
            {
                return K::Float(f).into();
            }
        }
        self.incomplete("all", "`eval` of a text");
        Val::any()
    }
}

fn range(args: &Args) -> Option<Val> {
    if args.more {
        return None;
    }
    let n: Vec<i64> = args.pos.iter().map(Val::as_int).collect::<Option<_>>()?;
    Some(match n[..] {
        [stop] => K::Range(0, stop, 1).into(),
        [start, stop] => K::Range(start, stop, 1).into(),
        [start, stop, step] if step != 0 => K::Range(start, stop, step).into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(BUILTINS.is_sorted());
    }
}
