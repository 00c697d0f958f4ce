//! Names and targets.

use rustpython_ruff_python_ast::name::Name;
use rustpython_ruff_python_ast::{Expr, StmtAugAssign};

use super::{Interp, Outer};
use crate::workload::heap::Obj;
use crate::workload::value::{Args, K, Val};

impl<'a> Interp<'a> {
    /// Binds a name in the scope where Python would.
    pub(in crate::workload) fn bind(&mut self, name: &Name, value: Val) {
        let Some(frame) = self.frames.last() else { return };
        let scope = match frame.outer.get(name.as_str()) {
            None => frame.scope,
            Some(Outer::Global) => frame.globals,
            Some(Outer::Nonlocal) => {
                let holds = |id: &&_| self.heap.names(**id).is_some_and(|n| n.contains_key(name.as_str()));
                frame.closure.iter().rev().find(holds).copied().unwrap_or(frame.scope)
            }
        };
        if let Some(names) = self.heap.names_mut(scope) {
            names.insert(name.clone(), value);
        }
    }

    /// The value of a name.
    pub(in crate::workload) fn lookup(&mut self, name: &str) -> Val {
        let Some(frame) = self.frames.last() else { return Val::any() };
        let chain = std::iter::once(&frame.scope).chain(frame.closure.iter().rev()).chain([&frame.globals]);
        for scope in chain {
            if let Some(value) = self.heap.names(*scope).and_then(|n| n.get(name)) {
                return value.clone();
            }
        }
        let globals = frame.globals;
        if super::builtins::is_builtin(name) {
            if let Some(value) =
                self.star_name(globals, name).filter(|v| v.as_sym().is_some_and(super::super::lib::is_listed))
            {
                return value;
            }
            return match name {
                "__debug__" => (!self.optimize()).into(),
                "NotImplemented" | "Ellipsis" => K::Ellipsis.into(),
                _ => Val::sym(format!("builtins.{name}")),
            };
        }
        self.star_name(globals, name).unwrap_or_else(Val::any)
    }

    pub(in crate::workload) fn assign(&mut self, target: &'a Expr, value: &Val) {
        match target {
            Expr::Name(name) => self.bind(&name.id, value.clone()),
            Expr::Tuple(t) => self.unpack(&t.elts, value),
            Expr::List(t) => self.unpack(&t.elts, value),
            Expr::Starred(s) => self.assign(&s.value, value),
            Expr::Attribute(a) => {
                let object = self.eval(&a.value);
                self.set_attr(&object, a.attr.as_str(), value.clone());
            }
            Expr::Subscript(s) => {
                let object = self.eval(&s.value);
                let key = self.eval(&s.slice);
                self.set_item(&object, &key, value.clone());
            }
            _ => {}
        }
    }

    fn unpack(&mut self, targets: &'a [Expr], value: &Val) {
        let items = self.iterate(value);
        let star = targets.iter().position(|t| matches!(t, Expr::Starred(_)));
        let (known, more) = (items.known, items.more);
        let after = star.map_or(0, |s| targets.len() - s - 1);
        for (i, target) in targets.iter().enumerate() {
            if Some(i) == star {
                let end = known.len().saturating_sub(after);
                let middle = known.get(i..end).unwrap_or_default().to_vec();
                let list = self.heap.new_object(Obj::List {
                    items: middle,
                    more: more.clone(),
                    order: Default::default(),
                });
                self.assign(target, &list.into());
                continue;
            }
            let from_end = star.is_some_and(|s| i > s) && more.is_none();
            let at = if from_end { known.len().checked_sub(targets.len() - i) } else { Some(i) };
            let item =
                at.and_then(|at| known.get(at)).cloned().or_else(|| more.clone()).unwrap_or_else(Val::any);
            self.assign(target, &item.with(value.t));
        }
    }

    pub(in crate::workload) fn augmented(&mut self, s: &'a StmtAugAssign) {
        let old = self.eval(&s.target);
        let value = self.eval(&s.value);
        // Lists, sets and dicts are changed where they are, and so are arrays.
        if let K::Ref(id) = old.k {
            match self.heap.get(id) {
                Obj::List { .. } => {
                    let method = Val::from(K::Bound(std::rc::Rc::new((old, "extend".into()))));
                    self.call(&method, &Args::of(vec![value]));
                    return;
                }
                Obj::Set { .. } | Obj::Dict { .. } => {
                    let method = Val::from(K::Bound(std::rc::Rc::new((old, "update".into()))));
                    self.call(&method, &Args::of(vec![value]));
                    return;
                }
                _ => {}
            }
        }
        let result = self.binary(s.op, &old, &value);
        self.assign(&s.target, &result);
    }

    pub(in crate::workload) fn delete(&mut self, target: &'a Expr) {
        match target {
            Expr::Name(name) => {
                let scope = self.frames.last().map(|f| f.scope);
                if let Some(names) = scope.and_then(|s| self.heap.names_mut(s)) {
                    names.remove(name.id.as_str());
                }
            }
            Expr::Subscript(s) => {
                let object = self.eval(&s.value);
                let key = self.eval(&s.slice);
                if self.is_environ(&object) {
                    self.set_environment(&key, None);
                }
                if let K::Ref(id) = object.k
                    && let Obj::Dict { items, .. } = self.heap.get_mut(id)
                {
                    items.retain(|(k, _)| k.k != key.k);
                }
            }
            Expr::Tuple(t) => t.elts.iter().for_each(|e| self.delete(e)),
            _ => {
                self.eval(target);
            }
        }
    }
}
