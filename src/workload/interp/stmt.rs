//! Statements.

use rustpython_ruff_python_ast::{self as ast, ExceptHandler, Expr, Stmt};
use rustpython_ruff_text_size::Ranged as _;

use super::{Flow, Interp, Outer};
use crate::workload::heap::{Code, Obj};
use crate::workload::value::{ARGUMENTS, CLOCK, K, Val};

/// Steps that the rounds of one loop may take before the rest is taken as one.
const LOOP_STEPS: u32 = 6_000;
/// Rounds of one loop that are followed one by one.
const LOOP_ROUNDS: usize = 600;

impl<'a> Interp<'a> {
    /// Statements one after the other.
    pub(in crate::workload) fn block(&mut self, body: &'a [Stmt]) -> Flow {
        for stmt in body {
            if !self.tick() {
                return Flow::Stop;
            }
            self.at = stmt.start();
            let flow = self.statement(stmt);
            if self.stopping {
                return Flow::Stop;
            }
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    fn statement(&mut self, stmt: &'a Stmt) -> Flow {
        match stmt {
            Stmt::Expr(s) => {
                let dropped = dropped_variable(&s.value).filter(|fact| !self.rec.reads.contains(fact));
                self.eval(&s.value);
                if let Some(fact) = dropped {
                    self.rec.reads.remove(&fact);
                }
            }
            Stmt::Assign(s) => {
                let value = self.eval(&s.value);
                s.targets.iter().for_each(|t| self.assign(t, &value));
            }
            Stmt::AnnAssign(s) => {
                if let Some(value) = &s.value {
                    let value = self.eval(value);
                    self.assign(&s.target, &value);
                } else if let Expr::Name(name) = &*s.target {
                    self.annotated(&name.id);
                }
                if let Expr::Name(name) = &*s.target {
                    self.field(&name.id);
                }
            }
            Stmt::AugAssign(s) => self.augmented(s),
            Stmt::Delete(s) => s.targets.iter().for_each(|t| self.delete(t)),
            Stmt::If(s) => return self.if_(&s.test, &s.body, &s.elif_else_clauses),
            Stmt::For(s) => return self.for_(s),
            Stmt::While(s) => return self.while_(s),
            Stmt::With(s) => {
                for item in &s.items {
                    let manager = self.eval(&item.context_expr);
                    let value = self.enter(&manager);
                    if let Some(target) = &item.optional_vars {
                        self.assign(target, &value);
                    }
                }
                let flow = self.block(&s.body);
                // `suppress` and `raises` end exceptions; others let them through.
                let suppresses = |e: &Expr| {
                    matches!(e, Expr::Call(c) if matches!(&*c.func, Expr::Attribute(a) if a.attr.as_str() == "suppress")
                    || matches!(&*c.func, Expr::Name(n) if n.id.as_str() == "suppress"))
                };
                if flow == Flow::Stop && s.items.iter().any(|i| suppresses(&i.context_expr)) {
                    self.stopping = false;
                    return Flow::Next;
                }
                return flow;
            }
            Stmt::Try(s) => return self.try_(s),
            Stmt::Match(s) => return self.match_(s),
            Stmt::FunctionDef(s) => self.define(s),
            Stmt::ClassDef(s) => self.define_class(s),
            Stmt::Return(s) => {
                let value = s.value.as_ref().map_or(Val::NONE, |v| self.eval(v));
                if let Some(frame) = self.frame() {
                    frame.returned.push(value);
                }
                return Flow::Return;
            }
            Stmt::Raise(s) => {
                if let Some(exc) = &s.exc {
                    self.eval(exc);
                }
                return Flow::Stop;
            }
            Stmt::Assert(s) => self.assert(s),
            Stmt::Import(s) => {
                for alias in &s.names {
                    let module = alias.name.as_str();
                    let value = self.import(module);
                    if self.stopping {
                        return Flow::Stop;
                    }
                    match &alias.asname {
                        Some(name) => self.bind(&name.id, value),
                        None => {
                            let top = module.split('.').next().unwrap_or(module);
                            let value = if top == module { value } else { self.import(top) };
                            self.bind(&top.into(), value);
                        }
                    }
                }
            }
            Stmt::ImportFrom(s) => return self.import_from(s),
            Stmt::Global(s) => {
                let names: Vec<_> = s.names.iter().map(|n| (n.id.clone(), Outer::Global)).collect();
                if let Some(frame) = self.frame() {
                    frame.outer.extend(names);
                }
            }
            Stmt::Nonlocal(s) => {
                let names: Vec<_> = s.names.iter().map(|n| (n.id.clone(), Outer::Nonlocal)).collect();
                if let Some(frame) = self.frame() {
                    frame.outer.extend(names);
                }
            }
            Stmt::Break(_) => return Flow::Break,
            Stmt::Continue(_) => return Flow::Continue,
            Stmt::TypeAlias(_) | Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => {}
        }
        Flow::Next
    }

    fn import_from(&mut self, s: &'a ast::StmtImportFrom) -> Flow {
        let Some(module) = self.absolute(s.module.as_ref().map(|m| m.as_str()), s.level) else {
            self.incomplete("all", "a relative import outside a package");
            return Flow::Next;
        };
        if module == "__future__" {
            return Flow::Next;
        }
        let value = self.import(&module);
        if self.stopping {
            return Flow::Stop;
        }
        for alias in &s.names {
            let name = alias.name.as_str();
            if name == "*" {
                self.import_star(&value);
                continue;
            }
            let member = match &value.k {
                K::Ref(id) => match self.module_attr(*id, name) {
                    Some(member) => member,
                    None => {
                        if self.stopping {
                            return Flow::Stop;
                        }
                        Val::any()
                    }
                },
                K::Sym(path) => self.symbol(&format!("{path}.{name}")),
                _ => Val::any(),
            };
            let bound = alias.asname.as_ref().map_or(&alias.name.id, |n| &n.id);
            self.bind(bound, member);
        }
        Flow::Next
    }

    pub(in crate::workload) fn if_(
        &mut self,
        test: &'a Expr,
        body: &'a [Stmt],
        clauses: &'a [ast::ElifElseClause],
    ) -> Flow {
        let value = self.eval(test);
        if self.stopping {
            return Flow::Stop;
        }
        let truth = self.truth(&value);
        let other = |s: &mut Self| match clauses.split_first() {
            None => Flow::Next,
            Some((clause, rest)) => match &clause.test {
                Some(test) => s.if_(test, &clause.body, rest),
                None => s.block(&clause.body),
            },
        };
        match truth {
            Some(truth) => {
                let arguments = value.t >> ARGUMENTS << ARGUMENTS;
                if arguments & !self.rec.counted != 0 {
                    // Whether the decision matters: not where both ways only write outputs.
                    if !(self.inert(|s| s.block(body)) && self.inert(other)) {
                        self.rec.consumed(arguments);
                    }
                }
                self.rec.used(value.t & !arguments & !CLOCK);
                if truth { self.block(body) } else { other(self) }
            }
            None => {
                let before = self.rec.effects;
                let flow = self.either(|s| s.block(body), other, false);
                if self.rec.effects != before || flow != Flow::Next || leaves(body) {
                    self.rec.used(value.t);
                }
                flow
            }
        }
    }

    fn for_(&mut self, s: &'a ast::StmtFor) -> Flow {
        let iterable = self.eval(&s.iter);
        if self.stopping {
            return Flow::Stop;
        }
        let items = self.iterate(&iterable);
        let taint = iterable.t;
        // How many rounds there are decides what is computed.
        self.rec.used(taint);
        let start = self.steps;
        let mut rest = items.more;
        for (i, item) in items.known.iter().enumerate() {
            if self.steps - start > LOOP_STEPS || i > LOOP_ROUNDS {
                rest = Some(Val::one_of(items.known[i..].iter().cloned().chain(rest)));
                if let Some(r) = &mut rest
                    && r.is_const()
                {
                    *r = Val::of(r.hint());
                }
                break;
            }
            self.assign(&s.target, &item.clone().with(taint));
            match self.block(&s.body) {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Flow::Next,
                flow => return flow,
            }
        }
        if let Some(item) = rest {
            let item = item.with(taint);
            let flow = self.rounds(&s.body, |this| this.assign(&s.target, &item));
            if flow == Flow::Stop || flow == Flow::Return {
                return flow;
            }
        }
        self.block(&s.orelse)
    }

    /// A loop's body any number of times.
    fn rounds(&mut self, body: &'a [Stmt], mut head: impl FnMut(&mut Self)) -> Flow {
        let mut out = Flow::Next;
        for round in 0..2 {
            let flow = self.either(
                |s| {
                    head(s);
                    if s.stopping {
                        return Flow::Stop;
                    }
                    match s.block(body) {
                        Flow::Break | Flow::Continue => Flow::Next,
                        flow => flow,
                    }
                },
                |_| Flow::Next,
                true,
            );
            if round == 0 {
                out = flow;
            }
            if self.steps >= super::STEPS {
                return Flow::Stop;
            }
        }
        out
    }

    fn while_(&mut self, s: &'a ast::StmtWhile) -> Flow {
        let start = self.steps;
        for i in 0.. {
            let value = self.eval(&s.test);
            if self.stopping {
                return Flow::Stop;
            }
            self.rec.used(value.t);
            match self.truth(&value) {
                Some(false) => return self.block(&s.orelse),
                Some(true) if i < LOOP_ROUNDS && self.steps - start < LOOP_STEPS => match self.block(&s.body)
                {
                    Flow::Next | Flow::Continue => {}
                    Flow::Break => return Flow::Next,
                    flow => return flow,
                },
                _ => break,
            }
        }
        let flow = self.rounds(&s.body, |this| {
            this.eval(&s.test);
        });
        if flow == Flow::Stop || flow == Flow::Return { flow } else { self.block(&s.orelse) }
    }

    fn try_(&mut self, s: &'a ast::StmtTry) -> Flow {
        let mut flow = self.block(&s.body);
        let mut failed = flow == Flow::Stop;
        if self.steps >= super::STEPS {
            return Flow::Stop;
        }
        let by_import = std::mem::take(&mut self.import_failed);
        self.stopping = false;
        if !failed {
            flow = if flow == Flow::Next { self.block(&s.orelse) } else { flow };
            self.stopping = false;
            failed = false;
        }
        for ExceptHandler::ExceptHandler(handler) in &s.handlers {
            let names = handler.type_.as_deref().map(exception_names).unwrap_or_default();
            let of_import = names.iter().any(|n| matches!(*n, "ImportError" | "ModuleNotFoundError"));
            let bare = names.is_empty() || names.iter().any(|n| matches!(*n, "Exception" | "BaseException"));
            let only_import =
                of_import && names.iter().all(|n| matches!(*n, "ImportError" | "ModuleNotFoundError"));
            if names.iter().all(|n| matches!(*n, "KeyboardInterrupt" | "SystemExit"))
                && !names.is_empty()
                && !by_import
            {
                continue;
            }
            if let Some(name) = &handler.name {
                self.bind(&name.id, Val::any());
            }
            if failed && (by_import && (of_import || bare)) {
                flow = self.block(&handler.body);
                failed = false;
                break;
            }
            if by_import || only_import {
                continue;
            }
            if failed {
                flow = self.block(&handler.body);
                failed = false;
                self.stopping = false;
                continue;
            }
            // It may have failed where the analysis saw no reason to: the imports apart, which are known to work.
            let outcome = flow;
            let handled = self.either(|_| Flow::Next, |s| s.block(&handler.body), false);
            self.stopping = false;
            flow = if outcome == Flow::Next && handled == Flow::Stop { Flow::Next } else { outcome };
        }
        if failed {
            self.import_failed = by_import;
        }
        let stopping = failed || (flow == Flow::Stop);
        let last = self.block(&s.finalbody);
        if last != Flow::Next {
            return last;
        }
        if stopping {
            self.stopping = true;
            return Flow::Stop;
        }
        flow
    }

    fn assert(&mut self, s: &'a ast::StmtAssert) {
        let optimized = self.optimize();
        // What the test does beyond testing, and so is gone with -O.
        let before = (self.rec.operations.clone(), self.rec.effects);
        let marks = self.draws();
        self.heap.begin();
        let value = self.eval(&s.test);
        let changes = self.heap.undo();
        let draws = self.draws() != marks;
        if draws || changes.values().any(|_| true) {
            self.rec.operation("python.assert");
        }
        if optimized {
            self.rec.operations.retain(|f| before.0.contains(f) || f == "python.assert");
            self.stopping = false;
            return;
        }
        self.heap.apply(changes);
        if self.truth(&value) == Some(false) {
            self.stopping = true;
        }
    }

    /// The level of `-O` that the program runs with.
    pub(in crate::workload) fn optimize(&self) -> bool {
        let variable =
            || self.inputs.environment.get("PYTHONOPTIMIZE").is_some_and(|v| !v.is_empty() && v != "0");
        self.launch.optimize > 0 || (!self.launch.ignore_environment && variable())
    }

    fn define(&mut self, s: &'a ast::StmtFunctionDef) {
        let mut value = self.function(s.name.id.clone(), Code::Def(s), Some(&s.parameters));
        for decorator in s.decorator_list.iter().rev() {
            let by = self.eval(&decorator.expression);
            value = self.decorate(&by, value);
        }
        self.bind(&s.name.id, value);
    }

    /// `with manager as value`.
    fn enter(&mut self, manager: &Val) -> Val {
        if let K::Ref(id) = &manager.k {
            if let Obj::Instance { .. } = self.heap.get(*id) {
                let enter = self.attr(manager, "__enter__");
                let value = self.call(&enter, &Default::default());
                let exit = self.attr(manager, "__exit__");
                self.call(&exit, &crate::workload::value::Args::of(vec![Val::NONE, Val::NONE, Val::NONE]));
                return value;
            }
            if let Obj::List { items, more, .. } = self.heap.get(*id) {
                // A generator made a context manager: what it yields.
                let all = items.iter().chain(more).cloned().collect::<Vec<_>>();
                return Val::one_of(all);
            }
        }
        self.enter_lib(manager)
    }
}

/// The names of the exceptions of a handler, without their modules.
fn exception_names(e: &Expr) -> Vec<&str> {
    match e {
        Expr::Tuple(t) => t.elts.iter().flat_map(exception_names).collect(),
        Expr::Name(n) => vec![n.id.as_str()],
        Expr::Attribute(a) => vec![a.attr.as_str()],
        _ => vec!["Exception"],
    }
}

/// Whether a block can leave the loop or function it stands in.
fn leaves(body: &[Stmt]) -> bool {
    body.iter().any(|s| match s {
        Stmt::Break(_) | Stmt::Return(_) | Stmt::Continue(_) => true,
        Stmt::If(i) => leaves(&i.body) || i.elif_else_clauses.iter().any(|c| leaves(&c.body)),
        _ => false,
    })
}

/// The fact `env.NAME` of a statement `….setdefault("NAME", "value")` or `….pop("NAME", None)`: such a statement gives a
/// variable a value and looks at none, so that the program's results do not follow from it.
fn dropped_variable(value: &Expr) -> Option<String> {
    let Expr::Call(call) = value else { return None };
    let Expr::Attribute(method) = &*call.func else { return None };
    let constant = |e: &Expr| e.is_literal_expr();
    let [Expr::StringLiteral(name), rest @ ..] = &*call.arguments.args else { return None };
    let plain = matches!(method.attr.as_str(), "setdefault" | "pop")
        && call.arguments.keywords.is_empty()
        && rest.iter().all(constant);
    plain.then(|| format!("env.{}", name.value.to_str()))
}
