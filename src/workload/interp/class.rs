//! Classes of the program.

use std::rc::Rc;

use rustpython_ruff_python_ast::name::Name;
use rustpython_ruff_python_ast::{Expr, StmtClassDef};

use super::{Frame, Interp};
use crate::workload::heap::{Class, Obj};
use crate::workload::value::{Args, Id, K, Val};

impl<'a> Interp<'a> {
    pub(in crate::workload) fn define_class(&mut self, s: &'a StmtClassDef) {
        let (mut bases, mut data) = (Vec::new(), false);
        if let Some(arguments) = &s.arguments {
            for base in &*arguments.args {
                let base = self.eval(base);
                data |=
                    base.as_sym().is_some_and(|p| matches!(p, "typing.NamedTuple" | "pydantic.BaseModel"));
                bases.push(base);
            }
            for keyword in &*arguments.keywords {
                self.eval(&keyword.value);
            }
        }
        let Some(frame) = self.frames.last() else { return };
        let scope = self.heap.new_object(Obj::Names(Default::default()));
        let class = Class { name: s.name.id.clone(), bases, names: scope, fields: data.then(Vec::new) };
        let id = self.heap.new_object(Obj::Class(Rc::new(class)));
        let mut closure = frame.closure.clone();
        if !self.is_class_frame(frame) && frame.scope != frame.globals {
            closure.push(frame.scope);
        }
        let inner = Frame {
            scope,
            globals: frame.globals,
            closure,
            source: frame.source,
            outer: Default::default(),
            returned: Vec::new(),
            yielded: Vec::new(),
            class: Some(id),
            me: None,
            func: None,
        };
        self.frames.push(inner);
        self.block(&s.body);
        self.frames.pop();
        let mut value = Val::from(id);
        for decorator in s.decorator_list.iter().rev() {
            let by = self.eval(&decorator.expression);
            if is_dataclass(&decorator.expression, &by) {
                self.make_data(id);
                continue;
            }
            value = self.decorate(&by, value);
        }
        self.bind(&s.name.id, value);
    }

    pub(in crate::workload) fn is_class_frame(&self, frame: &Frame) -> bool {
        frame.class.is_some() && frame.func.is_none()
    }

    /// An annotated name without a value, in a class body: a field of a dataclass.
    pub(in crate::workload) fn annotated(&mut self, _name: &Name) {}

    /// Notes an annotated name of a class body, in order.
    pub(in crate::workload) fn field(&mut self, name: &Name) {
        let Some(frame) = self.frames.last().filter(|f| self.is_class_frame(f)) else { return };
        let scope = frame.scope;
        let default = self.heap.names(scope).and_then(|n| n.get(name.as_str())).cloned();
        let key: Name = "$fields".into();
        let known = self.heap.names(scope).and_then(|n| n.get(&key)).cloned();
        let mut fields = match known.map(|k| k.k) {
            Some(K::Tuple(items)) => items.to_vec(),
            _ => Vec::new(),
        };
        fields.push(Val::tuple([Val::str(name.as_str())].into_iter().chain(default).collect()));
        if let Some(names) = self.heap.names_mut(scope) {
            names.insert(key, Val::tuple(fields));
        }
    }

    fn make_data(&mut self, id: Id) {
        if let Obj::Class(class) = self.heap.get(id) {
            let class = Class { fields: Some(Vec::new()), ..(**class).clone() };
            *self.heap.get_mut(id) = Obj::Class(Rc::new(class));
        }
    }

    /// Whether `@dataclass` or its kin write the constructor.
    pub(in crate::workload) fn is_data(&self, id: Id) -> bool {
        self.lineage(id)
            .iter()
            .any(|c| matches!(self.heap.get(*c), Obj::Class(class) if class.fields.is_some()))
    }

    /// The fields of a dataclass with their defaults, inherited ones first.
    pub(in crate::workload) fn fields(&self, id: Id) -> Vec<(Name, Option<Val>)> {
        let mut fields: Vec<(Name, Option<Val>)> = Vec::new();
        for class in self.lineage(id).into_iter().rev() {
            let Obj::Class(class) = self.heap.get(class) else { continue };
            let Some(Val { k: K::Tuple(own), .. }) =
                self.heap.names(class.names).and_then(|n| n.get("$fields"))
            else {
                continue;
            };
            for field in own.iter() {
                let K::Tuple(parts) = &field.k else { continue };
                let Some(name) = parts.first().and_then(Val::as_str).map(Name::from) else { continue };
                fields.retain(|(n, _)| *n != name);
                fields.push((name, parts.get(1).cloned()));
            }
        }
        fields
    }

    /// A class and the program's classes it derives from, in the order of look-up (depth first).
    pub(in crate::workload) fn lineage(&self, id: Id) -> Vec<Id> {
        let (mut out, mut todo) = (Vec::new(), vec![id]);
        while let Some(id) = todo.pop() {
            if out.contains(&id) || out.len() > 50 {
                continue;
            }
            out.push(id);
            if let Obj::Class(class) = self.heap.get(id) {
                todo.extend(class.bases.iter().rev().flat_map(Val::parts).filter_map(|b| match b.k {
                    K::Ref(id) => Some(id),
                    _ => None,
                }));
            }
        }
        out
    }

    /// A name in a class or those it derives from.
    pub(in crate::workload) fn class_lookup(&self, id: Id, name: &str) -> Option<Val> {
        self.lineage(id).into_iter().find_map(|c| match self.heap.get(c) {
            Obj::Class(class) => self.heap.names(class.names)?.get(name).cloned(),
            _ => None,
        })
    }

    /// The first class of a library that a class derives from.
    pub(in crate::workload) fn lib_base(&self, id: Id) -> Option<Rc<str>> {
        self.lineage(id).into_iter().find_map(|c| match self.heap.get(c) {
            Obj::Class(class) => class.bases.iter().flat_map(Val::parts).find_map(|b| match b.k {
                K::Sym(path) => Some(path),
                _ => None,
            }),
            _ => None,
        })
    }

    /// An object of a class of the program.
    pub(in crate::workload) fn instantiate(&mut self, class: Id, args: &Args) -> Val {
        let base = self.lib_base(class);
        if base.as_deref().is_some_and(|b| b.starts_with("enum.")) {
            return Val::any();
        }
        let object =
            Val::from(self.heap.new_object(Obj::Instance { class: Some(class), attrs: Default::default() }));
        if let Some(init) = self.class_lookup(class, "__init__") {
            self.call(&init, &args.behind(object.clone()));
        } else if self.is_data(class) {
            let fields = self.fields(class);
            for (i, (name, default)) in fields.iter().enumerate() {
                let value = match args.get(i, name.as_str()) {
                    Some(value) => value.clone(),
                    None => default.as_ref().map_or_else(Val::any, |d| self.field_default(d)),
                };
                self.set_attr(&object, name.as_str(), value);
            }
            if let Some(post) = self.class_lookup(class, "__post_init__") {
                self.call(&post, &Args::of(vec![object.clone()]));
            }
        } else if let Some(base) = &base {
            self.init_base(base, &object, args);
        }
        if let Some(new) = self.class_lookup(class, "__call__")
            && base.as_deref().is_some_and(|b| b == "builtins.type")
        {
            let _ = new;
            return Val::any();
        }
        object
    }

    /// `field(default_factory=list)` or a plain default.
    fn field_default(&mut self, default: &Val) -> Val {
        if let K::Ref(id) = default.k
            && let Obj::Lib(lib) = self.heap.get(id)
            && &*lib.path == "dataclasses.field"
        {
            let lib = lib.clone();
            if let Some(factory) = lib.args.named("default_factory") {
                return self.call(factory, &Args::default());
            }
            return lib.args.named("default").cloned().unwrap_or_else(Val::any);
        }
        default.clone()
    }
}

fn is_dataclass(e: &Expr, by: &Val) -> bool {
    let name = match e {
        Expr::Call(c) => &*c.func,
        e => e,
    };
    let spelled = match name {
        Expr::Attribute(a) => a.attr.as_str(),
        Expr::Name(n) => n.id.as_str(),
        _ => "",
    };
    matches!(spelled, "dataclass" | "define" | "frozen")
        || by.as_sym().is_some_and(|p| p == "dataclasses.dataclass")
}
