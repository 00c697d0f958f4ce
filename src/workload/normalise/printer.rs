//! From the tree to the canonical stream: state, names, annotations and bodies; [`super::stmt`] and [`super::expr`]
//! write the nodes.

use rustpython_ruff_python_ast::{Expr, Operator, Parameters, Stmt};
use rustpython_ruff_text_size::Ranged;

use super::names::{Names, is_builtin};
use super::scope::{Kind, MODULE, Scopes};
use super::world::World;
use super::writer::Writer;

/// Writes one file.
pub(super) struct Printer<'a> {
    pub(super) text: &'a str,
    pub(super) scopes: &'a Scopes<'a>,
    pub(super) world: &'a World<'a>,
    pub(super) names: Names<'a>,
    pub(super) scope: usize,
    /// `from __future__ import annotations`: annotations are texts and not evaluated.
    pub(super) lazy_annotations: bool,
    pub(super) out: Writer,
}

impl<'a> Printer<'a> {
    /// A name where it is used or bound.
    pub(super) fn name(&mut self, name: &'a str) {
        self.name_in(self.scope, name);
    }

    pub(super) fn name_in(&mut self, scope: usize, name: &'a str) {
        match self.names.number(scope, name) {
            Some(number) => {
                // When the interpreter ends, a module's names with an underscore go first.
                self.out.open(if name.starts_with('_') { "_v" } else { "v" });
                self.out.word(&number.to_string());
                self.out.close();
            }
            None => {
                self.out.open("n");
                self.out.text(name);
                self.out.close();
            }
        }
    }

    /// A name that may be missing.
    pub(super) fn maybe_name(&mut self, name: Option<&'a str>) {
        match name {
            Some(name) => self.name(name),
            None => self.out.none(),
        }
    }

    /// What the text itself says of a node, where the tree does not tell all.
    pub(super) fn verbatim(&mut self, node: &impl Ranged) {
        self.out.text(self.text.get(node.range().to_std_range()).unwrap_or_default());
    }

    /// Runs `inside` in the scope that `node` opens.
    pub(super) fn within<T>(&mut self, node: &T, inside: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.scope, self.scopes.opened_by(node));
        inside(self);
        self.scope = outer;
    }

    fn kind(&self) -> Kind {
        self.scopes.get(self.scope).map_or(Kind::Module, |scope| scope.kind)
    }

    pub(super) fn in_function(&self) -> bool {
        matches!(self.kind(), Kind::Function | Kind::Lambda | Kind::Comprehension)
    }

    pub(super) fn in_class(&self) -> bool {
        self.kind() == Kind::Class
    }

    /// An annotation, where it is more than a note for people.
    pub(super) fn annotation(&mut self, annotation: Option<&'a Expr>) {
        match annotation {
            Some(expr) if self.annotation_counts(expr) => {
                self.out.open("annotation");
                self.expr(expr);
                self.out.close();
            }
            _ => self.out.none(),
        }
    }

    /// Whether an annotation can be seen, or does something when it is evaluated.
    pub(super) fn annotation_counts(&self, expr: &Expr) -> bool {
        self.world.annotations || !self.is_silent(expr)
    }

    /// Whether evaluating an annotation only looks up names that are there.
    fn is_silent(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Name(name) => {
                let id = name.id.as_str();
                self.lazy_annotations || is_builtin(id) || self.scopes.is_bound(self.scope, id)
            }
            Expr::Attribute(attribute) => self.is_silent(&attribute.value),
            Expr::Subscript(subscript) => {
                self.is_silent(&subscript.value) && self.is_silent(&subscript.slice)
            }
            Expr::BinOp(or) => {
                or.op == Operator::BitOr && self.is_silent(&or.left) && self.is_silent(&or.right)
            }
            Expr::Tuple(tuple) => tuple.elts.iter().all(|e| self.is_silent(e)),
            Expr::List(list) => list.elts.iter().all(|e| self.is_silent(e)),
            Expr::Starred(starred) => self.is_silent(&starred.value),
            Expr::StringLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_) => true,
            _ => false,
        }
    }

    /// Statements, without those that do nothing. `documented`: the first may be a docstring.
    pub(super) fn body(&mut self, body: &'a [Stmt], documented: bool) {
        self.out.open("body");
        for (i, stmt) in body.iter().enumerate() {
            match stmt {
                // Where texts between statements can be read, those behind the first are notes on attributes.
                Stmt::Expr(expr) if expr.value.is_string_literal_expr() => {
                    if self.world.docstrings {
                        self.out.open(if documented && i == 0 { "doc" } else { "note" });
                        self.expr(&expr.value);
                        self.out.close();
                    }
                }
                stmt if is_nothing(stmt) => {}
                stmt => self.stmt(stmt),
            }
        }
        self.out.close();
    }

    /// A body that may be missing or do nothing.
    pub(super) fn maybe_body(&mut self, body: &'a [Stmt]) {
        if body.iter().all(is_nothing) { self.out.none() } else { self.body(body, false) }
    }

    /// Parameters; `inner` is the scope of the function, where their names are, and the current one that of their
    /// defaults and annotations.
    pub(super) fn parameters(&mut self, parameters: &'a Parameters, inner: usize) {
        self.out.open("parameters");
        let groups = [("/", &parameters.posonlyargs), ("", &parameters.args), ("*", &parameters.kwonlyargs)];
        for (group, list) in groups {
            for parameter in list {
                self.out.open("p");
                self.out.word(group);
                self.name_in(inner, parameter.parameter.name.as_str());
                self.annotation(parameter.parameter.annotation.as_deref());
                self.maybe_expr(parameter.default.as_deref());
                self.out.close();
            }
        }
        for (tag, parameter) in [("args", &parameters.vararg), ("kwargs", &parameters.kwarg)] {
            if let Some(parameter) = parameter {
                self.out.open(tag);
                self.name_in(inner, parameter.name.as_str());
                self.annotation(parameter.annotation.as_deref());
                self.out.close();
            }
        }
        self.out.close();
    }

    /// The whole module.
    pub(super) fn module(mut self, body: &'a [Stmt]) -> Vec<u8> {
        self.scope = MODULE;
        self.body(body, true);
        self.out.finish()
    }
}

/// Whether a statement does nothing: `pass`, a constant. The compiler leaves both out.
fn is_nothing(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Pass(_) => true,
        Stmt::Expr(expr) => matches!(
            &*expr.value,
            Expr::StringLiteral(_)
                | Expr::BytesLiteral(_)
                | Expr::NumberLiteral(_)
                | Expr::BooleanLiteral(_)
                | Expr::NoneLiteral(_)
                | Expr::EllipsisLiteral(_)
        ),
        _ => false,
    }
}
