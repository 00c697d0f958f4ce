//! One module as the checks see it.

use rustpython_ruff_python_ast::{Expr, ExprCall, Stmt};
use rustpython_ruff_text_size::{Ranged as _, TextRange};

use super::tree::{Id, Part, Tree};

/// A call and the path of what is called; empty where that is not known.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) id: Id,
    pub(super) of: &'a ExprCall,
    pub(super) path: String,
    pub(super) scope: u32,
}

impl<'a> Call<'a> {
    /// The last word of what is called.
    pub(super) fn name(&self) -> &'a str {
        match &*self.of.func {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => "",
        }
    }

    /// Whether it is a call of a library's function with this path.
    pub(super) fn is(&self, path: &str) -> bool {
        self.path == path
    }
}

/// `target = value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assignment<'a> {
    pub(super) id: Id,
    pub(super) target: &'a Expr,
    pub(super) value: &'a Expr,
    pub(super) scope: u32,
}

/// A module laid flat, with its calls.
#[derive(Debug)]
pub(super) struct File<'a> {
    pub(super) tree: Tree<'a>,
    pub(super) calls: Vec<Call<'a>>,
    /// Assignments to attributes and subscripts.
    pub(super) assignments: Vec<Assignment<'a>>,
    pub(super) text: &'a str,
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) rule: &'static str,
    pub(super) range: TextRange,
    /// What it is here, in few words.
    pub(super) what: String,
}

impl<'a> File<'a> {
    pub(super) fn new(body: &'a [Stmt], text: &'a str) -> Self {
        let tree = super::tree::flatten(body, text.len());
        let (mut calls, mut assignments) = (Vec::new(), Vec::new());
        for (id, node) in tree.all() {
            let (targets, value): (&'a [Expr], _) = match node.part {
                Part::Expr(Expr::Call(of)) => {
                    let path = tree.path(&of.func, node.scope).unwrap_or_default();
                    calls.push(Call { id, of, path, scope: node.scope });
                    continue;
                }
                Part::Stmt(Stmt::Assign(assign)) => (&assign.targets, Some(&*assign.value)),
                Part::Stmt(Stmt::AnnAssign(assign)) => {
                    (std::slice::from_ref(&*assign.target), assign.value.as_deref())
                }
                _ => continue,
            };
            let Some(value) = value else { continue };
            let scope = node.scope;
            let targets = targets.iter().filter(|t| matches!(t, Expr::Attribute(_) | Expr::Subscript(_)));
            assignments.extend(targets.map(|target| Assignment { id, target, value, scope }));
        }
        Self { tree, calls, assignments, text }
    }

    /// The calls of a library's function.
    pub(super) fn calls_of<'f>(&'f self, path: &'f str) -> impl Iterator<Item = &'f Call<'a>> {
        self.calls.iter().filter(move |call| call.is(path))
    }

    /// The text of an expression, shortened to one line.
    pub(super) fn written(&self, expr: &Expr) -> String {
        self.slice(expr.range())
    }

    /// The text of a range, shortened to one line.
    pub(super) fn slice(&self, range: TextRange) -> String {
        const LONGEST: usize = 40;
        let text = self.text.get(usize::from(range.start())..usize::from(range.end())).unwrap_or_default();
        let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() > LONGEST {
            line = line.chars().take(LONGEST - 1).chain(['…']).collect();
        }
        line
    }
}
