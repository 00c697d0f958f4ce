//! Folders whose files are taken in the order of the file system.

use rustpython_ruff_python_ast::Expr;
use rustpython_ruff_text_size::Ranged as _;

use super::super::file::{Call, File, Hit};
use super::super::order::{Shape, escapes};
use super::super::tree::Bind;

pub(super) const RULE: &str = "files-unsorted";

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    let has_paths = uses_pathlib(file);
    for call in file.calls.iter().filter(|call| lists(file, call, has_paths)) {
        if !escapes(&file.tree, call.id, Shape::Sequence).is_empty() {
            out.push(Hit { rule: RULE, range: call.of.range(), what: format!("{}(…)", shown(call)) });
        }
    }
}

fn shown(call: &Call<'_>) -> String {
    match call.path.as_str() {
        path if path.starts_with("os.") || path.starts_with("glob.") => path.to_owned(),
        _ => format!("Path.{}", call.name()),
    }
}

fn lists<'a>(file: &File<'a>, call: &Call<'a>, has_paths: bool) -> bool {
    match call.path.as_str() {
        "os.listdir" | "os.scandir" => return !is_of_kernel(file, call),
        "glob.glob" | "glob.iglob" => return !is_one_name(file, call),
        _ => {}
    }
    let is_method = call.of.func.is_attribute_expr();
    let args = call.of.arguments.args.len();
    is_method
        && match call.name() {
            "iterdir" => args == 0,
            "rglob" => args == 1,
            "glob" => args == 1 && has_paths && !is_one_name(file, call),
            _ => false,
        }
}

/// A pattern without a wildcard names one file.
fn is_one_name<'a>(file: &File<'a>, call: &Call<'a>) -> bool {
    let pattern = call.of.arguments.args.first();
    pattern.and_then(|p| file.tree.text(p, call.scope)).is_some_and(|text| !text.contains(['*', '?', '[']))
}

/// What the kernel shows as files has an order of its own, and no copies.
fn is_of_kernel<'a>(file: &File<'a>, call: &Call<'a>) -> bool {
    let folder = call.of.arguments.args.first();
    folder
        .and_then(|p| file.tree.text(p, call.scope))
        .is_some_and(|text| ["/proc/", "/sys/", "/dev/"].iter().any(|root| text.starts_with(root)))
}

fn uses_pathlib(file: &File<'_>) -> bool {
    file.tree.scopes.iter().any(|scope| {
        // Only one name of few can be Path or its module.
        ["Path", "pathlib", "PurePath", "PosixPath"].iter().any(|name| {
            scope.names.get(name).into_iter().flatten().any(
                |bind| matches!(bind, Bind::Import(path) if path == "pathlib" || path.starts_with("pathlib.")),
            )
        })
    }) || file.calls.iter().any(|call| {
        call.path == "pathlib.Path" || matches!(&*call.of.func, Expr::Name(name) if name.id.as_str() == "Path")
    })
}
