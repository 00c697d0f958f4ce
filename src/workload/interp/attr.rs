//! Attributes.

use std::rc::Rc;

use super::Interp;
use crate::workload::heap::Obj;
use crate::workload::record::Plain;
use crate::workload::value::{Args, DOC, Hint, Id, K, Val};

impl<'a> Interp<'a> {
    /// `object.name`; an [`K::Any`] where it is not known or there is no such attribute.
    pub(in crate::workload) fn attr(&mut self, object: &Val, name: &str) -> Val {
        let taint = object.t;
        match &object.k {
            K::Sym(path) => self.symbol(&format!("{path}.{name}")).with(taint),
            K::Union(parts) => {
                let parts = parts.to_vec();
                Val::one_of(parts.iter().map(|p| self.attr(p, name)).collect::<Vec<_>>()).with(taint)
            }
            K::Ref(id) => self.object_attr(*id, object, name).with(taint),
            K::Any(_) if name.starts_with("__") && name != "__doc__" => Val::any().with(taint),
            _ => match name {
                "__doc__" => Val::of(Hint::Str).with(DOC),
                "__name__" | "__module__" | "__qualname__" => Val::of(Hint::Str),
                "real" | "imag" if object.hint() != Hint::Whatever => Val::of(object.hint()).with(taint),
                _ => Val::from(K::Bound(Rc::new((object.clone(), name.into())))).with(taint),
            },
        }
    }

    fn object_attr(&mut self, id: Id, object: &Val, name: &str) -> Val {
        let taken = self.heap.take(id);
        let bound = || Val::from(K::Bound(Rc::new((object.clone(), name.into()))));
        match &*taken {
            Obj::Module { globals, .. } => match name {
                "__dict__" => Val::any(),
                _ => self.module_attr(id, name).unwrap_or_else(|| {
                    let _ = globals;
                    Val::any()
                }),
            },
            Obj::Func(func) => match name {
                "__doc__" => Val::of(Hint::Str).with(DOC),
                "__name__" | "__qualname__" => Val::str(func.name.as_str()),
                _ => bound(),
            },
            Obj::Class(class) => match name {
                "__doc__" => Val::of(Hint::Str).with(DOC),
                "__name__" | "__qualname__" => Val::str(class.name.as_str()),
                "__members__" => Val::any(),
                _ => match self.class_lookup(id, name) {
                    Some(value) => self.bind_method(&value, object, id, true),
                    None => match self.lib_base(id) {
                        Some(base) => self.symbol(&format!("{base}.{name}")),
                        None => Val::any(),
                    },
                },
            },
            Obj::Instance { class, attrs } => {
                if let Some(value) = attrs.get(name) {
                    let value = value.clone();
                    if class.is_none() && attrs.contains_key("$arguments") {
                        return self.read_argument(name, value);
                    }
                    return value;
                }
                let Some(class) = *class else {
                    return if name.starts_with("__") { Val::any() } else { bound() };
                };
                match name {
                    "__class__" => return class.into(),
                    "__dict__" => {
                        let items = attrs.iter().map(|(k, v)| (Val::str(k.as_str()), v.clone())).collect();
                        let dict = Obj::Dict { items, more: None, factory: None, order: Default::default() };
                        return self.heap.new_object(dict).into();
                    }
                    "__doc__" => return Val::of(Hint::Str).with(DOC),
                    _ => {}
                }
                if let Some(value) = self.class_lookup(class, name) {
                    return self.bind_method(&value, object, class, false);
                }
                match self.lib_base(class) {
                    Some(base) => self.base_attr(&base, object, name),
                    None if name.starts_with("__") => Val::any(),
                    None => match self.class_lookup(class, "__getattr__") {
                        Some(get) => {
                            let get = self.bind_method(&get, object, class, false);
                            self.call(&get, &Args::of(vec![Val::str(name)]))
                        }
                        None => Val::any(),
                    },
                }
            }
            Obj::Lib(_) => self.lib_attr(id, object, name),
            _ if name.starts_with("__")
                && !matches!(name, "__iter__" | "__len__" | "__getitem__" | "__contains__") =>
            {
                Val::any()
            }
            _ => bound(),
        }
    }

    /// A value found in a class, bound as Python binds it.
    pub(in crate::workload) fn bind_method(
        &mut self,
        value: &Val,
        object: &Val,
        class: Id,
        on_class: bool,
    ) -> Val {
        let K::Ref(id) = value.k else {
            return value.clone();
        };
        let taken = self.heap.take(id);
        match &*taken {
            Obj::Func(_) if !on_class => self.method_of(value, object),
            Obj::Lib(lib) => {
                let inner = lib.args.pos.first().cloned().unwrap_or_else(Val::any);
                match &*lib.path {
                    "builtins.staticmethod" => inner,
                    "builtins.classmethod" => {
                        let this = if on_class { object.clone() } else { class.into() };
                        self.partial(inner, vec![this])
                    }
                    "builtins.property" | "functools.cached_property" if !on_class => {
                        self.call(&inner, &Args::of(vec![object.clone()]))
                    }
                    _ => value.clone(),
                }
            }
            _ => value.clone(),
        }
    }

    /// A function with its first arguments given.
    pub(in crate::workload) fn partial(&mut self, function: Val, first: Vec<Val>) -> Val {
        let mut pos = vec![function];
        pos.extend(first);
        self.lib_object("functools.partial", Args::of(pos), None)
    }

    /// An argument of the command line is read.
    fn read_argument(&mut self, name: &str, value: Val) -> Val {
        if name == "$arguments" {
            return value;
        }
        let bit = self.rec.argument(name, plain(&value, &self.heap));
        value.with(bit)
    }

    /// `object.name = value`.
    pub(in crate::workload) fn set_attr(&mut self, object: &Val, name: &str, value: Val) {
        match &object.k {
            K::Union(parts) => {
                for part in parts.iter() {
                    self.set_attr(part, name, value.clone());
                }
            }
            K::Sym(path) => {
                let path = format!("{path}.{name}");
                self.set_symbol(&path, &value);
            }
            K::Ref(id) => {
                let id = *id;
                match self.heap.get(id) {
                    Obj::Class(class) => {
                        let names = class.names;
                        if let Some(names) = self.heap.names_mut(names) {
                            names.insert(name.into(), value);
                        }
                    }
                    Obj::Module { globals, .. } => {
                        let globals = *globals;
                        if let Some(names) = self.heap.names_mut(globals) {
                            names.insert(name.into(), value);
                        }
                    }
                    Obj::Instance { class: Some(class), attrs } if !attrs.contains_key(name) => {
                        // A property's setter.
                        let setter = self.class_lookup(*class, &format!("{name}.setter"));
                        if let Some(setter) = setter {
                            self.call(&setter, &Args::of(vec![object.clone(), value]));
                            return;
                        }
                        if let Some(names) = self.heap.names_mut(id) {
                            names.insert(name.into(), value);
                        }
                    }
                    Obj::Instance { .. } | Obj::Lib(_) => {
                        self.set_lib_attr(id, name);
                        if let Some(names) = self.heap.names_mut(id) {
                            names.insert(name.into(), value);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// A value as a fact holds it; `None` where it is not plain.
pub(in crate::workload) fn plain(value: &Val, heap: &crate::workload::heap::Heap<'_>) -> Option<Plain> {
    Some(match &value.k {
        K::None => "None".into(),
        K::Bool(b) => (*b).into(),
        K::Int(n) => (*n).into(),
        K::Float(f) if !f.is_nan() => Plain::Float(*f),
        K::Str(s) => (&**s).into(),
        K::Tuple(items) => Plain::List(items.iter().map(|i| plain(i, heap)).collect::<Option<_>>()?),
        K::Sym(path) => (&**path).into(),
        K::Ref(id) => match heap.get(*id) {
            Obj::List { items, more: None, .. } => {
                Plain::List(items.iter().map(|i| plain(i, heap)).collect::<Option<_>>()?)
            }
            Obj::Lib(lib) if &*lib.path == "pathlib.Path" => lib.attrs.get("$path")?.as_str()?.into(),
            _ => return None,
        },
        _ => return None,
    })
}
