//! What the methods of a class put into the attributes of `self`.

use rustpython_ruff_python_ast::{Expr, Stmt};

use super::checks::annotates_numbers;
use super::tree::{Id, Part, Tree};

impl<'a> Tree<'a> {
    /// The statements of a class that assign an attribute of `self`.
    fn attribute_assignments(&self, class: u32, name: &str) -> Vec<(Id, &'a Stmt)> {
        let all = self.loads.get("self").map(Vec::as_slice).unwrap_or_default();
        all.iter()
            .filter_map(|id| {
                let (at, node) = self.above(*id).next()?;
                let Part::Expr(Expr::Attribute(attribute)) = node.part else { return None };
                if attribute.attr.as_str() != name || self.class_of(node.scope) != Some(class) {
                    return None;
                }
                let above = self.node(at).parent?;
                match self.node(above).part {
                    Part::Stmt(stmt @ (Stmt::Assign(_) | Stmt::AnnAssign(_))) if !attribute.ctx.is_load() => {
                        Some((above, stmt))
                    }
                    _ => None,
                }
            })
            .collect()
    }

    /// The uses of an attribute of `self` in the class around a scope.
    pub(super) fn attribute_uses(&self, scope: u32, name: &str) -> Vec<Id> {
        let class = self.class_of(scope);
        let all = self.loads.get("self").map(Vec::as_slice).unwrap_or_default();
        let uses = all.iter().filter(|id| class.is_some() && self.class_of(self.node(**id).scope) == class);
        uses.filter_map(|id| self.above(*id).next())
            .filter(
                |(_, node)| matches!(node.part, Part::Expr(Expr::Attribute(a)) if a.attr.as_str() == name),
            )
            .map(|(at, _)| at)
            .collect()
    }

    /// The nodes of the values that the methods of the class give an attribute.
    pub(super) fn attribute_values(&self, class: u32, name: &str) -> Vec<Id> {
        // The value is the first node below its statement.
        self.attribute_assignments(class, name)
            .into_iter()
            .filter(|(_, stmt)| !matches!(stmt, Stmt::AnnAssign(of) if of.value.is_none()))
            .map(|(statement, _)| statement + 1)
            .collect()
    }

    /// Whether an annotation says that an attribute holds numbers.
    pub(super) fn attribute_is_number(&self, class: u32, name: &str) -> bool {
        self.attribute_assignments(class, name)
            .into_iter()
            .any(|(_, stmt)| matches!(stmt, Stmt::AnnAssign(of) if annotates_numbers(&of.annotation)))
    }
}
