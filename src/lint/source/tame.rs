//! Loops whose result is the same in whatever order they run.

use rustpython_ruff_python_ast::visitor::{self, Visitor};
use rustpython_ruff_python_ast::{ExceptHandler, Expr, ExprCall, Operator, Stmt};

use super::order;
use super::tree::Tree;
use super::values::method;

/// Methods that do the same in any order: on sets and dicts, on files and processes, and of loggers.
pub(super) const METHODS: [&str; 43] = [
    "add",
    "discard",
    "remove",
    "update",
    "setdefault",
    "difference_update",
    "intersection_update",
    "unlink",
    "rmdir",
    "mkdir",
    "touch",
    "chmod",
    "close",
    "cancel",
    "kill",
    "terminate",
    "wait",
    "shutdown",
    "rename",
    "replace",
    "debug",
    "info",
    "warning",
    "warn",
    "error",
    "exception",
    "critical",
    "log",
    "exists",
    "is_file",
    "is_dir",
    "startswith",
    "endswith",
    "issubset",
    "issuperset",
    "isdisjoint",
    "register",
    "unregister",
    "delattr",
    "index",
    "count",
    "clear",
    "add_argument",
];

/// Functions that do the same in any order.
const CALLS: [&str; 21] = [
    "builtins.setattr",
    "builtins.delattr",
    "builtins.isinstance",
    "builtins.len",
    "os.remove",
    "os.unlink",
    "os.rmdir",
    "os.removedirs",
    "os.mkdir",
    "os.makedirs",
    "os.chmod",
    "os.rename",
    "os.replace",
    "os.symlink",
    "os.link",
    "os.utime",
    "os.chown",
    "os.kill",
    "gc.collect",
    "time.sleep",
    "sys.stdout.write",
];

/// Whether a call's effect does not hang on what ran before.
pub(super) fn is_tame_call(tree: &Tree<'_>, call: &ExprCall, scope: u32) -> bool {
    let path = tree.path(&call.func, scope);
    path.is_some_and(|path| {
        CALLS.contains(&path.as_str())
            || ["shutil.", "logging.", "warnings.", "pprint."].iter().any(|p| path.starts_with(p))
    }) || named(call).is_some_and(is_tame_name)
}

fn named(call: &ExprCall) -> Option<&str> {
    match &*call.func {
        Expr::Name(name) => Some(name.id.as_str()),
        _ => method(call).map(|(_, name)| name),
    }
}

/// Names of functions and methods that speak of something done to each by itself.
fn is_tame_name(name: &str) -> bool {
    let word = name.trim_start_matches('_');
    METHODS.contains(&name)
        || word.contains("register")
        || ["remove", "delete", "erase", "clear", "reset", "discard", "close", "disable", "enable"]
            .iter()
            .any(|verb| word.starts_with(verb))
}

/// Whether a loop's body does the same in any order.
pub(super) fn body(tree: &Tree<'_>, target: &Expr, body: &[Stmt], scope: u32, depth: u32) -> bool {
    let mut targets = Vec::new();
    names(target, &mut targets);
    if targets == ["_"] {
        return true;
    }
    let mut counters = Counters(Vec::new());
    counters.visit_body(body);
    let cx = Context { tree, scope, depth, counters: &counters.0, targets: &targets };
    cx.all(body)
}

/// The names that a target binds.
fn names<'a>(target: &'a Expr, out: &mut Vec<&'a str>) {
    match target {
        Expr::Name(name) => out.push(name.id.as_str()),
        Expr::Tuple(of) => of.elts.iter().for_each(|e| names(e, out)),
        Expr::List(of) => of.elts.iter().for_each(|e| names(e, out)),
        Expr::Starred(of) => names(&of.value, out),
        _ => {}
    }
}

/// Names that count up in the body.
struct Counters<'a>(Vec<&'a str>);

impl<'a> Visitor<'a> for Counters<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::AugAssign(assign) = stmt
            && let Expr::Name(name) = &*assign.target
        {
            self.0.push(name.id.as_str());
        }
        visitor::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

struct Context<'t, 'a> {
    tree: &'t Tree<'a>,
    scope: u32,
    depth: u32,
    counters: &'t [&'t str],
    /// What the loop binds.
    targets: &'t [&'t str],
}

impl Context<'_, '_> {
    fn all(&self, body: &[Stmt]) -> bool {
        body.iter().all(|stmt| self.stmt(stmt))
    }

    fn stmt(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Pass(_)
            | Stmt::Continue(_)
            | Stmt::Assert(_)
            | Stmt::Raise(_)
            | Stmt::Import(_)
            | Stmt::ImportFrom(_)
            | Stmt::Global(_)
            | Stmt::Delete(_) => true,
            // The first that fits ends the loop: a constant is the same whichever it was.
            Stmt::Return(of) => of.value.as_deref().is_none_or(is_constant),
            Stmt::Expr(of) => match &*of.value {
                Expr::Call(call) => self.call(call),
                Expr::StringLiteral(_) | Expr::EllipsisLiteral(_) => true,
                _ => false,
            },
            Stmt::Assign(assign) => assign.targets.iter().all(|target| self.target(target, &assign.value)),
            Stmt::AnnAssign(assign) => assign.value.is_none() || assign.target.is_name_expr(),
            Stmt::AugAssign(assign) => match assign.op {
                Operator::Add | Operator::Sub => is_count(&assign.value) || self.is_own(&assign.target),
                Operator::BitOr | Operator::BitAnd | Operator::BitXor => true,
                _ => false,
            },
            Stmt::If(of) => {
                self.all(&of.body) && of.elif_else_clauses.iter().all(|clause| self.all(&clause.body))
            }
            Stmt::For(of) => self.all(&of.body) && self.all(&of.orelse),
            Stmt::While(of) => self.all(&of.body) && self.all(&of.orelse),
            Stmt::With(of) => self.all(&of.body),
            Stmt::Try(of) => {
                let handlers = of.handlers.iter().all(|ExceptHandler::ExceptHandler(h)| self.all(&h.body));
                handlers && self.all(&of.body) && self.all(&of.orelse) && self.all(&of.finalbody)
            }
            _ => false,
        }
    }

    fn call(&self, call: &ExprCall) -> bool {
        if is_tame_call(self.tree, call, self.scope) {
            return true;
        }
        match method(call) {
            // What is done to the member itself: `process.join()`, `table.pop(key)`.
            Some((receiver, _)) if self.is_target(receiver) => true,
            Some((_, "pop")) if !call.arguments.is_empty() => true,
            // A list that is sorted before it is used.
            Some((Expr::Name(list), "append" | "extend")) => {
                !order::gathered_counts(self.tree, list.id.as_str(), self.scope, self.depth + 1)
            }
            _ => false,
        }
    }

    /// `d[k] = f(k)` is the same in any order; `d[k] = len(d)` is numbering.
    fn target(&self, target: &Expr, value: &Expr) -> bool {
        match target {
            Expr::Name(_) => true,
            Expr::Attribute(_) => is_constant(value),
            Expr::Subscript(_) => !self.numbers(value),
            _ => false,
        }
    }

    /// `x`, `x.a.b`, of what the loop binds.
    fn is_target(&self, expr: &Expr) -> bool {
        let mut inner = expr;
        while let Expr::Attribute(attribute) = inner {
            inner = &attribute.value;
        }
        matches!(inner, Expr::Name(name) if self.targets.contains(&name.id.as_str()))
    }

    /// `d[x]`, `d[x][0]`: each member has its own.
    fn is_own(&self, expr: &Expr) -> bool {
        let mut inner = expr;
        while let Expr::Subscript(subscript) = inner {
            if self.is_target(&subscript.slice) {
                return true;
            }
            inner = &subscript.value;
        }
        false
    }

    fn numbers(&self, value: &Expr) -> bool {
        match value {
            Expr::Name(name) => self.counters.contains(&name.id.as_str()),
            Expr::Call(call) => {
                matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "len" || name.id.as_str() == "next")
            }
            Expr::BinOp(of) => self.numbers(&of.left) || self.numbers(&of.right),
            _ => false,
        }
    }
}

fn is_constant(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_)
    )
}

/// A whole number: sums of them are the same in any order.
fn is_count(expr: &Expr) -> bool {
    match expr {
        Expr::NumberLiteral(_) => true,
        Expr::Call(call) => {
            matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "len" || name.id.as_str() == "int")
        }
        _ => false,
    }
}
