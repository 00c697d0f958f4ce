//! Sets whose order is used.

use std::collections::BTreeSet;

use rustpython_ruff_python_ast::{Expr, Operator, Stmt};
use rustpython_ruff_text_size::Ranged as _;

use super::super::file::{File, Hit};
use super::super::order::{Shape, escapes};
use super::super::tree::{Bind, Id, Part, Tree};
use super::super::values::method;

pub(super) const RULE: &str = "set-order";

/// How far a set is followed through names.
const DEEPEST: u32 = 5;

/// Names that are bound more often than this are not followed: such code is generated.
const MANY: usize = 64;

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    let tree = &file.tree;
    let mut places: BTreeSet<Id> = BTreeSet::new();
    for (id, node) in tree.all() {
        let Part::Expr(expr) = node.part else { continue };
        let set = match expr {
            Expr::Set(_) | Expr::SetComp(_) | Expr::Call(_) | Expr::BinOp(_) => {
                is_set(tree, expr, node.scope, DEEPEST)
            }
            Expr::Name(name) if name.ctx.is_load() => is_set(tree, expr, node.scope, DEEPEST),
            Expr::Attribute(attribute) if attribute.ctx.is_load() => attribute_is_set(tree, expr, node.scope),
            _ => false,
        };
        if !set {
            continue;
        }
        let found = escapes(tree, id, Shape::Set);
        if !found.is_empty() && !has_fixed_order(tree, expr, node.scope, DEEPEST) {
            places.extend(found);
        }
    }
    for place in places {
        if let Some(expr) = tree.expr(place) {
            out.push(Hit { rule: RULE, range: expr.range(), what: file.written(expr) });
        }
    }
}

/// Whether an expression is surely a set.
pub(in super::super) fn is_set<'a>(tree: &Tree<'a>, expr: &'a Expr, scope: u32, depth: u32) -> bool {
    if depth == 0 {
        return false;
    }
    match expr {
        Expr::Set(_) | Expr::SetComp(_) => true,
        Expr::Call(call) => {
            if let Some((receiver, name)) = method(call) {
                let makes_set =
                    matches!(name, "union" | "intersection" | "difference" | "symmetric_difference" | "copy");
                return makes_set && is_set(tree, receiver, scope, depth - 1);
            }
            matches!(tree.path(&call.func, scope).as_deref(), Some("builtins.set" | "builtins.frozenset"))
        }
        Expr::BinOp(of) => {
            matches!(of.op, Operator::BitOr | Operator::BitAnd | Operator::Sub | Operator::BitXor)
                && [&of.left, &of.right]
                    .into_iter()
                    .any(|side| is_set(tree, side, scope, depth - 1) || are_keys(tree, side))
        }
        Expr::If(of) => [&of.body, &of.orelse].into_iter().all(|side| is_set(tree, side, scope, depth - 1)),
        Expr::Name(name) => {
            // Every value of the name is one.
            let Some(binds) = tree.binds(name.id.as_str(), scope).filter(|binds| binds.len() <= MANY) else {
                return false;
            };
            let values = binds.iter().filter(|bind| !matches!(bind, Bind::Augment(_)));
            let mut any = false;
            let all = values.into_iter().all(|bind| match bind {
                Bind::Value(value) => {
                    any = true;
                    let scope = tree.node(*value).scope;
                    tree.expr(*value).is_some_and(|e| is_set(tree, e, scope, depth - 1))
                }
                _ => false,
            });
            any && all
        }
        _ => false,
    }
}

/// `a.keys() - b`: the difference of views is a set.
fn are_keys(_: &Tree<'_>, expr: &Expr) -> bool {
    matches!(expr, Expr::Call(call) if method(call).is_some_and(|(_, name)| name == "keys"))
}

/// `self.names`, where the class only ever puts sets there.
fn attribute_is_set<'a>(tree: &Tree<'a>, expr: &'a Expr, scope: u32) -> bool {
    let values = attribute_values(tree, expr, scope);
    !values.is_empty()
        && values.len() <= MANY
        && values.into_iter().all(|value| {
            let scope = tree.node(value).scope;
            tree.expr(value).is_some_and(|e| is_set(tree, e, scope, DEEPEST))
        })
}

/// The values that the methods of the class give an attribute of `self`.
fn attribute_values(tree: &Tree<'_>, expr: &Expr, scope: u32) -> Vec<Id> {
    let Expr::Attribute(attribute) = expr else { return Vec::new() };
    if !matches!(&*attribute.value, Expr::Name(name) if name.id.as_str() == "self") {
        return Vec::new();
    }
    tree.attribute_values(scope, attribute.attr.as_str())
}

/// Whether the order of a set is the same in every process: numbers hash to themselves, and one member has no order.
fn has_fixed_order<'a>(tree: &Tree<'a>, expr: &'a Expr, scope: u32, depth: u32) -> bool {
    if depth == 0 {
        return false;
    }
    let fixed = |e: &'a Expr| has_fixed_order(tree, e, scope, depth - 1);
    match expr {
        Expr::Set(set) if set.elts.len() == 1 && !set.elts[0].is_starred_expr() => true,
        // `set()`, not in a name: it is empty.
        _ if is_empty_call(expr) => true,
        Expr::Call(call) => match method(call) {
            Some((receiver, name)) => {
                let fixed = |e: &'a Expr| fixed(e) && !is_empty_call(tree.behind(e, scope).0);
                let others = || call.arguments.args.iter().all(|e| fixed(e) || tree.holds_numbers(e, scope));
                match name {
                    "difference" => fixed(receiver),
                    "intersection" => fixed(receiver) || (!call.arguments.is_empty() && others()),
                    _ => fixed(receiver) && others(),
                }
            }
            None => tree.holds_numbers(expr, scope),
        },
        Expr::Name(name) => {
            let Some(home) = tree.scope_of(name.id.as_str(), scope) else { return false };
            if is_annotated_number(tree, name.id.as_str(), home) {
                return true;
            }
            let binds = tree.binds(name.id.as_str(), scope).unwrap_or_default();
            let values = binds.iter().all(|bind| match bind {
                Bind::Value(value) | Bind::Augment(value) => {
                    let scope = tree.node(*value).scope;
                    tree.expr(*value)
                        .is_some_and(|e| is_empty_call(e) || has_fixed_order(tree, e, scope, depth - 1))
                }
                _ => false,
            });
            values && gathers_numbers(tree, name.id.as_str(), home)
        }
        Expr::Attribute(attribute) => {
            let values = attribute_values(tree, expr, scope);
            let fixed = values.iter().all(|value| {
                let scope = tree.node(*value).scope;
                tree.expr(*value)
                    .is_some_and(|e| !is_empty_call(e) && has_fixed_order(tree, e, scope, depth - 1))
            });
            fixed || tree.attribute_is_number(scope, attribute.attr.as_str())
        }
        Expr::BinOp(of) => match of.op {
            Operator::Sub => fixed(&of.left),
            Operator::BitAnd => fixed(&of.left) || fixed(&of.right),
            _ => fixed(&of.left) && fixed(&of.right),
        },
        _ => tree.holds_numbers(expr, scope),
    }
}

fn is_empty_call(expr: &Expr) -> bool {
    matches!(expr, Expr::Call(call) if call.arguments.is_empty() && method(call).is_none())
}

/// Whether what `add` and `update` put into a name is numbers; true where nothing is put.
fn gathers_numbers(tree: &Tree<'_>, name: &str, home: u32) -> bool {
    tree.uses(name, home).all(|id| {
        let Some((at, node)) = tree.above(id).next() else { return true };
        let Part::Expr(Expr::Attribute(attribute)) = node.part else { return true };
        let Some(above) = tree.node(at).parent else { return true };
        let Part::Expr(Expr::Call(call)) = tree.node(above).part else { return true };
        let scope = node.scope;
        match attribute.attr.as_str() {
            "add" => call.arguments.args.iter().all(|e| tree.is_number(e, scope)),
            "update" => call.arguments.args.iter().all(|e| tree.holds_numbers(e, scope)),
            _ => true,
        }
    })
}

/// `seen: set[int] = set()`.
fn is_annotated_number(tree: &Tree<'_>, name: &str, home: u32) -> bool {
    tree.scopes[home as usize].names.get(name).into_iter().flatten().any(|bind| {
        let Bind::Value(value) = bind else { return false };
        let Some(above) = tree.node(*value).parent else { return false };
        match tree.node(above).part {
            Part::Stmt(Stmt::AnnAssign(assign)) => annotates_numbers(&assign.annotation),
            _ => false,
        }
    })
}

/// `set[int]`, `Set[float]`, `"set[int]"`, `set[tuple[int, int]]`.
pub(in super::super) fn annotates_numbers(annotation: &Expr) -> bool {
    let mut leaves = Vec::new();
    let mut open = vec![annotation];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Subscript(of) => open.push(&of.slice),
            Expr::Tuple(of) => open.extend(&of.elts),
            Expr::BinOp(of) => open.extend([&*of.left, &*of.right]),
            Expr::Name(name) => leaves.push(name.id.as_str()),
            Expr::StringLiteral(text) => {
                let text = text.value.to_str();
                let inner = text.split_once('[').map(|(_, rest)| rest.trim_end_matches(']'));
                leaves.push(inner.unwrap_or("?"));
            }
            Expr::NoneLiteral(_) | Expr::EllipsisLiteral(_) => {}
            _ => leaves.push("?"),
        }
    }
    !leaves.is_empty() && leaves.iter().all(|leaf| matches!(*leaf, "int" | "float" | "bool"))
}
