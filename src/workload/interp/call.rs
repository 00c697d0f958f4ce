//! Calls of the program's own functions, and the way to everything else that can be called.

use std::rc::Rc;

use rustpython_ruff_python_ast::name::Name;
use rustpython_ruff_python_ast::{Expr, Parameters, Stmt};

use super::{Flow, Frame, Interp};
use crate::workload::heap::{Code, Func, Obj};
use crate::workload::value::{Args, Hint, Id, K, Val};

/// How often one function may be on the stack of calls at once.
const RECURSION: usize = 24;

impl<'a> Interp<'a> {
    /// A function object for a definition met here.
    pub(in crate::workload) fn function(
        &mut self,
        name: Name,
        code: Code<'a>,
        parameters: Option<&'a Parameters>,
    ) -> Val {
        let mut defaults = Vec::new();
        if let Some(p) = parameters {
            for parameter in p.posonlyargs.iter().chain(&p.args).chain(&p.kwonlyargs) {
                let value = parameter.default.as_deref().map(|d| self.eval(d));
                defaults.push(value);
            }
        }
        let Some(frame) = self.frames.last() else { return Val::any() };
        let in_class = self.is_class_frame(frame);
        let mut closure = frame.closure.clone();
        if !in_class && frame.scope != frame.globals {
            closure.push(frame.scope);
        }
        let generator = match code {
            Code::Def(d) => yields(&d.body),
            Code::Lambda(_) => false,
        };
        let class = if in_class { frame.class } else { None };
        let func = Func {
            name,
            code,
            globals: frame.globals,
            source: frame.source,
            closure,
            defaults,
            class,
            generator,
        };
        self.heap.new_object(Obj::Func(Rc::new(func))).into()
    }

    /// A function bound to its object.
    pub(in crate::workload) fn method_of(&mut self, function: &Val, object: &Val) -> Val {
        K::Bound(Rc::new((Val::tuple(vec![function.clone(), object.clone()]), "$method".into()))).into()
    }

    /// Applies a decorator.
    pub(in crate::workload) fn decorate(&mut self, by: &Val, value: Val) -> Val {
        match &by.k {
            K::Any(_) => value,
            _ => {
                let result = self.call(by, &Args::of(vec![value.clone()]));
                if matches!(result.k, K::Any(_)) { value } else { result }
            }
        }
    }

    /// Calls anything.
    pub(in crate::workload) fn call(&mut self, f: &Val, args: &Args) -> Val {
        if self.stopping || !self.tick() {
            return Val::any();
        }
        match &f.k {
            K::Ref(id) => self.call_object(*id, f, args).with(f.t),
            K::Sym(path) => {
                let path = Rc::clone(path);
                self.call_symbol(&path, args)
            }
            K::Bound(bound) => {
                let bound = Rc::clone(bound);
                if bound.1.as_str() == "$method"
                    && let K::Tuple(parts) = &bound.0.k
                    && let [function, object] = &parts[..]
                {
                    return self.call(function, &args.behind(object.clone())).with(f.t);
                }
                self.method(&bound.0, bound.1.as_str(), args)
            }
            K::Union(parts) => {
                let parts = parts.to_vec();
                let mut results = Vec::new();
                for part in &parts {
                    let mut result = Val::NONE;
                    self.either(
                        |s| {
                            result = s.call(part, args);
                            Flow::Next
                        },
                        |_| Flow::Next,
                        false,
                    );
                    results.push(result);
                }
                Val::one_of(results).with(f.t)
            }
            K::Any(_) => {
                // Something unknown may do anything with what it is given, and call it.
                self.hand_over(args);
                Val::any().with(f.t | args.taint())
            }
            _ => Val::any(),
        }
    }

    fn call_object(&mut self, id: Id, f: &Val, args: &Args) -> Val {
        let object = self.heap.take(id);
        match &*object {
            Obj::Func(func) => self.call_function(id, func, args),
            Obj::Class(_) => self.instantiate(id, args),
            Obj::Instance { class: Some(class), .. } => {
                if let Some(method) = self.class_lookup(*class, "__call__") {
                    return self.call(&method, &args.behind(f.clone()));
                }
                match self.lib_base(*class) {
                    Some(base) => self.call_derived(&base, f, args),
                    None => Val::any(),
                }
            }
            Obj::Lib(lib) => self.call_lib_object(id, lib, args),
            _ => Val::any(),
        }
    }

    fn call_function(&mut self, id: Id, func: &Rc<Func<'a>>, args: &Args) -> Val {
        let active = self.active.iter().filter(|a| **a == id).count();
        let key = (active > 0 && args.all().all(Val::is_const)).then(|| (id, format!("{args:?}")));
        if let Some(key) = &key
            && let Some(value) = self.memo.get(key)
        {
            return value.clone();
        }
        if active >= RECURSION || self.active.len() > 120 {
            return Val::any();
        }
        let born = self.heap.len();
        let scope = self.heap.new_object(Obj::Names(Default::default()));
        let mut frame = Frame {
            scope,
            globals: func.globals,
            closure: func.closure.clone(),
            source: func.source,
            outer: Default::default(),
            returned: Vec::new(),
            yielded: Vec::new(),
            class: func.class,
            me: args.pos.first().cloned(),
            func: Some(id),
        };
        let (parameters, _) = match func.code {
            Code::Def(d) => (Some(&*d.parameters), ()),
            Code::Lambda(l) => (l.parameters.as_deref(), ()),
        };
        if let Some(parameters) = parameters {
            self.bind_parameters(scope, parameters, &func.defaults, args);
        }
        frame.outer.clear();
        self.frames.push(frame);
        self.active.push(id);
        let at = self.at;
        // A depth of its own: a call's body begins anew what its expression had nested.
        let mut flow = Flow::Next;
        let mut value = Val::NONE;
        self.depth += 6;
        if self.depth > super::DEPTH {
            self.incomplete("all", "calls are nested too deeply");
        } else {
            match func.code {
                Code::Def(d) => flow = self.block(&d.body),
                Code::Lambda(l) => value = self.eval(&l.body),
            }
        }
        self.depth -= 6;
        self.at = at;
        self.active.pop();
        let Some(frame) = self.frames.pop() else { return Val::any() };
        if func.generator {
            // What a generator yields, in the order of the text: a loop around it says any number of them.
            let more = Some(Val::one_of(frame.yielded));
            self.stopping &= flow != Flow::Stop || self.steps >= super::STEPS;
            return self.list(Vec::new(), more);
        }
        if let Code::Def(_) = func.code {
            let falls_through = flow == Flow::Next && frame.returned.is_empty();
            if frame.returned.is_empty() || (flow == Flow::Next && !falls_through) {
                value = Val::one_of(frame.returned.into_iter().chain([Val::NONE]));
            } else {
                value = Val::one_of(frame.returned);
            }
        }
        if let Some(key) = key
            && !self.stopping
            && self.memo.len() < 4096
            && value.is_const()
            && self.heap.len() - born < 64
        {
            self.memo.insert(key, value.clone());
        }
        value
    }

    fn bind_parameters(&mut self, scope: Id, p: &'a Parameters, defaults: &[Option<Val>], args: &Args) {
        let positional = p.posonlyargs.iter().chain(&p.args);
        let count = p.posonlyargs.len() + p.args.len();
        let mut bound: Vec<(Name, Val)> = Vec::new();
        for (i, parameter) in positional.chain(&p.kwonlyargs).enumerate() {
            let name = &parameter.parameter.name.id;
            let given = args.named(name).or_else(|| args.pos.get(i).filter(|_| i < count)).cloned();
            let default = || defaults.get(i).cloned().flatten();
            let value = match given {
                Some(value) => value,
                None if args.more => default().map_or_else(Val::any, |d| d.join(&Val::any())),
                None => default().unwrap_or_else(Val::any),
            };
            bound.push((name.clone(), value));
        }
        if let Some(rest) = &p.vararg {
            let items = args.pos.get(count..).unwrap_or_default().to_vec();
            let value = if args.more { self.list(items, Some(Val::any())) } else { Val::tuple(items) };
            bound.push((rest.name.id.clone(), value));
        }
        if let Some(rest) = &p.kwarg {
            let items: Vec<(Val, Val)> = args
                .kw
                .iter()
                .filter(|(n, _)| !bound.iter().any(|(b, _)| b == n))
                .map(|(n, v)| (Val::str(n.as_str()), v.clone()))
                .collect();
            let more = args.more.then(|| (Val::of(Hint::Str), Val::any()));
            let dict = Obj::Dict { items, more, factory: None, order: Default::default() };
            bound.push((rest.name.id.clone(), self.heap.new_object(dict).into()));
        }
        if let Some(names) = self.heap.names_mut(scope) {
            names.extend(bound);
        }
    }

    /// Everything that a function outside the analysis gets: it may use it, and call what can be called.
    pub(in crate::workload) fn hand_over(&mut self, args: &Args) {
        for arg in args.all().cloned().collect::<Vec<_>>() {
            self.escape(&arg);
            self.call_back(&arg, &[]);
        }
    }

    /// Calls a function of the program as a library would, with these arguments or unknown ones.
    pub(in crate::workload) fn call_back(&mut self, f: &Val, with: &[Val]) -> Val {
        let callable = |s: &Self, v: &Val| match &v.k {
            K::Ref(id) => {
                matches!(s.heap.get(*id), Obj::Func(_))
                    || matches!(s.heap.get(*id), Obj::Lib(l) if &*l.path == "functools.partial")
            }
            K::Bound(b) => b.1.as_str() == "$method",
            _ => false,
        };
        let mut results = Vec::new();
        for part in f.parts() {
            if callable(self, &part) {
                let args = if with.is_empty() {
                    Args { more: true, ..Args::default() }
                } else {
                    Args::of(with.to_vec())
                };
                let mut result = Val::NONE;
                self.either(
                    |s| {
                        result = s.call(&part, &args);
                        Flow::Next
                    },
                    |_| Flow::Next,
                    false,
                );
                results.push(result);
            }
        }
        Val::one_of(results)
    }

    /// `super()`: the attribute of the next class.
    pub(in crate::workload) fn super_attr(&mut self, class: Id, me: &Val, name: &str) -> Val {
        let rest: Vec<Id> = self.lineage(class).into_iter().skip(1).collect();
        for base in rest {
            let Obj::Class(c) = self.heap.get(base) else { continue };
            if let Some(value) = self.heap.names(c.names).and_then(|n| n.get(name)).cloned() {
                return self.bind_method(&value, me, base, false);
            }
        }
        match self.lib_base(class) {
            Some(base) => self.base_attr(&base, me, name),
            None => Val::sym("builtins.$none"),
        }
    }

    /// The class and object that `super()` without arguments means here.
    pub(in crate::workload) fn here(&self) -> Option<(Id, Val)> {
        // Comprehensions inside methods have frames of their own with the same class and object.
        let frame = self.frames.last()?;
        Some((frame.class?, frame.me.clone()?))
    }
}

/// Whether a function's body yields; nested functions apart.
fn yields(body: &[Stmt]) -> bool {
    use rustpython_ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
    struct Search(bool);
    impl<'a> Visitor<'a> for Search {
        fn visit_stmt(&mut self, s: &'a Stmt) {
            if !matches!(s, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) && !self.0 {
                walk_stmt(self, s);
            }
        }
        fn visit_expr(&mut self, e: &'a Expr) {
            match e {
                Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
                Expr::Lambda(_) => {}
                _ => walk_expr(self, e),
            }
        }
    }
    let mut search = Search(false);
    body.iter().for_each(|s| search.visit_stmt(s));
    search.0
}
