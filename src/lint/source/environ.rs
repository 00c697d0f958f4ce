//! Where a program sets variables of its own environment.

use rustpython_ruff_python_ast::{Expr, ExprCall};
use rustpython_ruff_text_size::{Ranged as _, TextRange};

use super::file::{Assignment, File};
use super::tree::Id;
use super::values::method;

/// A variable that is set.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    pub(super) id: Id,
    pub(super) range: TextRange,
    pub(super) scope: u32,
    /// What is set, where that is written out.
    pub(super) value: Option<&'a str>,
}

/// Every place at which the variable is set: `os.environ[…] = …`, `setdefault`, `update`, `putenv`.
pub(super) fn settings<'a>(file: &File<'a>, variable: &str) -> Vec<Setting<'a>> {
    let mut out = Vec::new();
    // Most files never name it.
    if !file.text.contains(variable) {
        return out;
    }
    let tree = &file.tree;
    let is_environ = |expr: &Expr, scope| tree.path(expr, scope).as_deref() == Some("os.environ");
    for Assignment { id, target, value, scope } in file.assignments.iter().copied() {
        if let Expr::Subscript(subscript) = target
            && tree.text(&subscript.slice, scope) == Some(variable)
            && is_environ(&subscript.value, scope)
        {
            out.push(Setting { id, range: target.range(), scope, value: tree.text(value, scope) });
        }
    }
    for call in &file.calls {
        let scope = call.scope;
        let value = match (call.path.as_str(), method(call.of)) {
            ("os.putenv", _) => given(file, call.of, scope, variable),
            (_, Some((receiver, "setdefault"))) if is_environ(receiver, scope) => {
                given(file, call.of, scope, variable)
            }
            (_, Some((receiver, "update"))) if is_environ(receiver, scope) => {
                let named = call.of.arguments.find_keyword(variable).map(|k| &k.value);
                let in_dict = call.of.arguments.args.iter().find_map(|arg| match tree.behind(arg, scope).0 {
                    Expr::Dict(dict) => dict.items.iter().find_map(|item| {
                        let is = item.key.as_ref().and_then(|k| tree.text(k, scope)) == Some(variable);
                        is.then_some(&item.value)
                    }),
                    _ => None,
                });
                named.or(in_dict)
            }
            _ => None,
        };
        if let Some(value) = value {
            out.push(Setting { id: call.id, range: call.of.range(), scope, value: tree.text(value, scope) });
        }
    }
    out.sort_by_key(|setting| setting.id);
    out
}

/// The second argument of a call whose first is the variable's name.
fn given<'a>(file: &File<'a>, call: &'a ExprCall, scope: u32, variable: &str) -> Option<&'a Expr> {
    let [name, value, ..] = &*call.arguments.args else { return None };
    (file.tree.text(name, scope) == Some(variable)).then_some(value)
}
