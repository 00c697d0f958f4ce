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

/// A module laid flat, with its calls.
#[derive(Debug)]
pub(super) struct File<'a> {
    pub(super) tree: Tree<'a>,
    pub(super) calls: Vec<Call<'a>>,
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
        let calls = tree
            .all()
            .filter_map(|(id, node)| match node.part {
                Part::Expr(Expr::Call(of)) => {
                    let path = tree.path(&of.func, node.scope).unwrap_or_default();
                    Some(Call { id, of, path, scope: node.scope })
                }
                _ => None,
            })
            .collect();
        Self { tree, calls, text }
    }

    /// The calls of a library's function.
    pub(super) fn calls_of<'f>(&'f self, path: &'f str) -> impl Iterator<Item = &'f Call<'a>> {
        self.calls.iter().filter(move |call| call.is(path))
    }

    /// Assignments to an attribute or subscript, with the path of the target where a library stands behind it.
    pub(super) fn assignments(&self) -> impl Iterator<Item = (Id, &'a Expr, &'a Expr, u32)> + '_ {
        self.tree.all().flat_map(move |(id, node)| {
            let (targets, value): (&'a [Expr], _) = match node.part {
                Part::Stmt(Stmt::Assign(assign)) => (&assign.targets, Some(&*assign.value)),
                Part::Stmt(Stmt::AnnAssign(assign)) => {
                    (std::slice::from_ref(&*assign.target), assign.value.as_deref())
                }
                _ => (&[], None),
            };
            let scope = node.scope;
            targets.iter().filter_map(move |target| Some((id, target, value?, scope)))
        })
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
