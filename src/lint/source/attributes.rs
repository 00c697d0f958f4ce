//! What the methods of a class put into the attributes of `self`.

use rustpython_ruff_python_ast::{Expr, Stmt};

use super::checks::annotates_numbers;
use super::tree::{Id, Part, Tree};

impl<'a> Tree<'a> {
    /// The uses of an attribute of `self` in the class around a scope.
    pub(super) fn attribute_uses(&self, scope: u32, name: &str) -> &[Id] {
        let class = self.class_of(scope);
        class.and_then(|class| self.of_self.get(&class)?.get(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The statements of the class around a scope that assign an attribute of `self`.
    fn attribute_assignments(&self, scope: u32, name: &str) -> impl Iterator<Item = (Id, &'a Stmt)> + '_ {
        self.attribute_uses(scope, name).iter().filter_map(|at| {
            let Some(Expr::Attribute(attribute)) = self.expr(*at) else { return None };
            let above = self.node(*at).parent?;
            match self.node(above).part {
                Part::Stmt(stmt @ (Stmt::Assign(_) | Stmt::AnnAssign(_))) if !attribute.ctx.is_load() => {
                    Some((above, stmt))
                }
                _ => None,
            }
        })
    }

    /// The nodes of the values that the methods of the class give an attribute.
    pub(super) fn attribute_values(&self, scope: u32, name: &str) -> Vec<Id> {
        // The value is the first node below its statement.
        self.attribute_assignments(scope, name)
            .filter(|(_, stmt)| !matches!(stmt, Stmt::AnnAssign(of) if of.value.is_none()))
            .map(|(statement, _)| statement + 1)
            .collect()
    }

    /// Whether an annotation says that an attribute holds numbers.
    pub(super) fn attribute_is_number(&self, scope: u32, name: &str) -> bool {
        self.attribute_assignments(scope, name)
            .any(|(_, stmt)| matches!(stmt, Stmt::AnnAssign(of) if annotates_numbers(&of.annotation)))
    }
}
