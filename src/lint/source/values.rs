//! What an expression is known to be, from its text alone.

use rustpython_ruff_python_ast::{Expr, ExprCall, Number, Operator, UnaryOp};

use super::tree::{Bind, Tree};

/// The builtins that the checks speak of: a star import does not hide them.
pub(super) fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "abs"
            | "all"
            | "any"
            | "bool"
            | "bytes"
            | "dict"
            | "divmod"
            | "enumerate"
            | "filter"
            | "float"
            | "format"
            | "frozenset"
            | "getattr"
            | "hash"
            | "id"
            | "int"
            | "isinstance"
            | "iter"
            | "len"
            | "list"
            | "map"
            | "max"
            | "min"
            | "next"
            | "open"
            | "ord"
            | "pow"
            | "print"
            | "range"
            | "repr"
            | "reversed"
            | "round"
            | "set"
            | "setattr"
            | "delattr"
            | "sorted"
            | "str"
            | "sum"
            | "super"
            | "tuple"
            | "type"
            | "zip"
            | "__name__"
            | "__file__"
            | "object"
            | "vars"
            | "input"
    )
}

/// How far values are followed through names.
const DEEPEST: u32 = 6;

impl<'a> Tree<'a> {
    /// The expression behind a name that is bound once, or the expression itself.
    pub(super) fn behind(&self, expr: &'a Expr, scope: u32) -> (&'a Expr, u32) {
        let (mut expr, mut scope) = (expr, scope);
        for _ in 0..DEEPEST {
            let Expr::Name(name) = expr else { break };
            let Some([Bind::Value(value)]) = self.binds(name.id.as_str(), scope) else { break };
            let Some(inner) = self.expr(*value) else { break };
            (expr, scope) = (inner, self.node(*value).scope);
        }
        (expr, scope)
    }

    /// A truth value that is written out.
    pub(super) fn truth(&self, expr: &'a Expr, scope: u32) -> Option<bool> {
        match self.behind(expr, scope).0 {
            Expr::BooleanLiteral(literal) => Some(literal.value),
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => number.as_i64().map(|n| n != 0),
                _ => None,
            },
            Expr::NoneLiteral(_) => Some(false),
            Expr::UnaryOp(not) if not.op == UnaryOp::Not => match &*not.operand {
                Expr::BooleanLiteral(literal) => Some(!literal.value),
                _ => None,
            },
            _ => None,
        }
    }

    /// A whole number that is written out.
    pub(super) fn integer(&self, expr: &'a Expr, scope: u32) -> Option<i64> {
        match self.behind(expr, scope).0 {
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(number) => number.as_i64(),
                _ => None,
            },
            _ => None,
        }
    }

    /// A text that is written out.
    pub(super) fn text(&self, expr: &'a Expr, scope: u32) -> Option<&'a str> {
        match self.behind(expr, scope).0 {
            Expr::StringLiteral(literal) => Some(literal.value.to_str()),
            _ => None,
        }
    }

    /// Whether a value is surely a number, whose hash is the same in every process.
    pub(super) fn is_number(&self, expr: &'a Expr, scope: u32) -> bool {
        self.is_number_below(expr, scope, DEEPEST)
    }

    fn is_number_below(&self, expr: &'a Expr, scope: u32, depth: u32) -> bool {
        if depth == 0 {
            return false;
        }
        let is = |expr: &'a Expr| self.is_number_below(expr, scope, depth - 1);
        match expr {
            Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) => true,
            Expr::UnaryOp(of) => is(&of.operand),
            Expr::Tuple(tuple) => !tuple.elts.is_empty() && tuple.elts.iter().all(is),
            Expr::BinOp(of) => match of.op {
                // `"%d" % n` and `"ab" * 3` are texts.
                Operator::Mod | Operator::Mult | Operator::Add => is(&of.left) && is(&of.right),
                Operator::Div | Operator::FloorDiv | Operator::Pow => is(&of.left) || is(&of.right),
                _ => is(&of.left) && is(&of.right),
            },
            Expr::If(of) => is(&of.body) && is(&of.orelse),
            Expr::Call(call) => self.path(&call.func, scope).is_some_and(|path| {
                matches!(
                    path.as_str(),
                    "builtins.int"
                        | "builtins.float"
                        | "builtins.len"
                        | "builtins.ord"
                        | "builtins.round"
                        | "builtins.abs"
                        | "builtins.bool"
                )
            }),
            Expr::Name(name) => match self.binds(name.id.as_str(), scope) {
                Some([Bind::Value(value)]) => {
                    let scope = self.node(*value).scope;
                    self.expr(*value).is_some_and(|e| self.is_number_below(e, scope, depth - 1))
                }
                Some([Bind::Each(iter)]) => {
                    let scope = self.node(*iter).scope;
                    self.expr(*iter).is_some_and(|e| self.holds_numbers_below(e, scope, depth - 1))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether every item of an iterable is surely a number.
    pub(super) fn holds_numbers(&self, expr: &'a Expr, scope: u32) -> bool {
        self.holds_numbers_below(expr, scope, DEEPEST)
    }

    fn holds_numbers_below(&self, expr: &'a Expr, scope: u32, depth: u32) -> bool {
        if depth == 0 {
            return false;
        }
        let all = |items: &'a [Expr]| {
            !items.is_empty() && items.iter().all(|e| self.is_number_below(e, scope, depth - 1))
        };
        match expr {
            Expr::List(of) => all(&of.elts),
            Expr::Tuple(of) => all(&of.elts),
            Expr::Set(of) => all(&of.elts),
            // What a comprehension computes is in its own scope, which only its nodes know; numbers written out and
            // conversions need no scope.
            Expr::ListComp(of) => {
                self.is_conversion(&of.elt) || self.counts(&of.elt, &of.generators, scope, depth)
            }
            Expr::SetComp(of) => {
                self.is_conversion(&of.elt) || self.counts(&of.elt, &of.generators, scope, depth)
            }
            Expr::Generator(of) => {
                self.is_conversion(&of.elt) || self.counts(&of.elt, &of.generators, scope, depth)
            }
            Expr::Name(_) => {
                let (inner, inner_scope) = self.behind(expr, scope);
                !matches!(inner, Expr::Name(_)) && self.holds_numbers_below(inner, inner_scope, depth - 1)
            }
            Expr::Call(call) => match self.path(&call.func, scope).as_deref() {
                Some("builtins.range" | "numpy.arange" | "torch.arange") => true,
                Some(
                    "builtins.set" | "builtins.frozenset" | "builtins.list" | "builtins.tuple"
                    | "builtins.sorted",
                ) => {
                    call.arguments.args.first().is_some_and(|e| self.holds_numbers_below(e, scope, depth - 1))
                }
                Some("builtins.map") => call.arguments.args.first().is_some_and(|f| {
                    matches!(
                        self.path(f, scope).as_deref(),
                        Some(
                            "builtins.int"
                                | "builtins.float"
                                | "builtins.len"
                                | "builtins.ord"
                                | "builtins.round"
                        )
                    )
                }),
                _ => false,
            },
            Expr::BinOp(of) => {
                self.holds_numbers_below(&of.left, scope, depth - 1)
                    && self.holds_numbers_below(&of.right, scope, depth - 1)
            }
            _ => false,
        }
    }

    /// `int(…)`, `len(…)`, a number.
    fn is_conversion(&self, expr: &Expr) -> bool {
        match expr {
            Expr::NumberLiteral(_) => true,
            Expr::Call(call) => matches!(&*call.func, Expr::Name(name)
                if matches!(name.id.as_str(), "int" | "float" | "len" | "ord" | "round")),
            _ => false,
        }
    }

    /// `x for x in range(…)`.
    fn counts(
        &self,
        elt: &Expr,
        generators: &'a [rustpython_ruff_python_ast::Comprehension],
        scope: u32,
        depth: u32,
    ) -> bool {
        let Expr::Name(elt) = elt else { return false };
        generators.iter().any(|g| {
            matches!(&g.target, Expr::Name(name) if name.id == elt.id)
                && self.holds_numbers_below(&g.iter, scope, depth - 1)
        })
    }
}

/// An argument by its name, or by its place.
pub(super) fn argument<'a>(call: &'a ExprCall, name: &str, place: usize) -> Option<&'a Expr> {
    call.arguments.find_argument_value(name, place)
}

/// An argument by its name.
pub(super) fn keyword<'a>(call: &'a ExprCall, name: &str) -> Option<&'a Expr> {
    call.arguments.find_keyword(name).map(|k| &k.value)
}

/// Whether arguments are handed on that are not written here: `*args`, `**options`.
pub(super) fn is_open(call: &ExprCall) -> bool {
    call.arguments.keywords.iter().any(|k| k.arg.is_none())
        || call.arguments.args.iter().any(Expr::is_starred_expr)
}

/// The method that is called, where the call has the form of one.
pub(super) fn method(call: &ExprCall) -> Option<(&Expr, &str)> {
    match &*call.func {
        Expr::Attribute(attribute) => Some((&attribute.value, attribute.attr.as_str())),
        _ => None,
    }
}
